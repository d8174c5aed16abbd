// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keyboard and the pointer of a guest: their back end.
 *
 * Concept: what is typed and pointed at becomes events in the guest's ring: a key goes down or up (by Linux's number,
 * buttons are keys), the pointer moves to a place or by so much.
 *
 * Invariants: nothing waits for a guest that does not look: what has no room in its ring, and not in the few places
 * here, is dropped and counted, as a keyboard's own would.
 *
 * Source: public io/kbdif.h. Corresponds to the other half of QEMU's hw/display/xenfb.c.
 */
#ifndef RINGS_FB_KBDBACK_H
#define RINGS_FB_KBDBACK_H

#include "rings/fb/page.h"

#define KBD_WAITING 64

/* type: XENKBD_TYPE_MOTION (a, b, c: x, y, wheel), _KEY (pressed, number), _POS (x, y, wheel). */
struct kbd_event {
    uint32_t type;
    int32_t a, b, c;
};

extern const struct backend_ops kbdback; /* xenbus_data(): the arena */

bool kbdback_connected(const struct xenbus_device *dev);
/* One for a connected device. What it has been told not to have, a keyboard or a pointer, says nothing. */
void kbdback_event(struct xenbus_device *dev, const struct kbd_event *e);
/*
 * The pointer is at this place of a screen of width and height (0: it is not known), as the front end wants to hear it:
 * as a place, as one from 0 to 0x7fff, or as how far it has moved since the last time.
 */
void kbdback_pointer(struct xenbus_device *dev, int32_t x, int32_t y, int32_t wheel, uint32_t width, uint32_t height);
/* How many were dropped. */
uint64_t kbdback_dropped(const struct xenbus_device *dev);

#endif
