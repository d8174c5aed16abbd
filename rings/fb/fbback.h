// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen of a guest: the framebuffer's back end.
 *
 * Concept: a guest draws into pages of its own, and tells which they are: in the shared page are the numbers of frames
 * that have the numbers of the screen's frames, with its width, height, depth and the length of a row. So dom0 has to
 * do nothing for what is drawn; it hears which parts have changed, and of another size. Whoever looks at the screen
 * reads the frames there and then (tools/host_screen.c), and changes nothing by it.
 *
 *      struct xenfb_page: pd[0] --> frame: number, number, number...
 *                         pd[1] --> frame:   |       '--> frame: pixels
 *                         ...                '--> frame: pixels
 *
 * Invariants: the frames are noted when the front end connects, each one the guest's then; none is held, so one that is
 * not the guest's any more when somebody looks is shown black. A size that does not fit in them closes the device, as
 * does an index that cannot be.
 *
 * Source: public io/fbif.h. Corresponds to QEMU's hw/display/xenfb.c in what it offers.
 */
#ifndef RINGS_FB_FBBACK_H
#define RINGS_FB_FBBACK_H

#include "rings/fb/page.h"

#define FB_FRAMES_MAX 4096 /* 16 MiB */

struct fb_screen {
    unsigned int width, height, depth; /* pixels, bits */
    uint32_t line, offset, length;     /* bytes: of a row; where the first is; of all */
    uint64_t updates;                  /* parts that were told to have changed */
    uint64_t unknown;                  /* events of no type that there is */
};

extern const struct backend_ops fbback; /* xenbus_data(): the arena */

/* For who looks: what a connected device shows. NULL: nothing. */
const struct fb_screen *fbback_screen(const struct xenbus_device *dev);
/* The i-th of the frames that have its `length` bytes: the guest's, when it connected. */
mfn_t fbback_frame(const struct xenbus_device *dev, unsigned int i);
static inline unsigned int fb_pixel_bytes(unsigned int depth) { return depth == 8 ? 1 : depth == 16 ? 2 : 4; }

#endif
