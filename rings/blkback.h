// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block back end, dom0's end of a virtual disk: see rings/blkback.c.
 */
#ifndef RINGS_BLKBACK_H
#define RINGS_BLKBACK_H

#include "rings/bus.h"
#include "rings/disk.h"

/* What xenbus_data() of its devices is. */
struct blkback_disks {
    struct disk *first; /* a device's `params` is the path of one */
};

extern const struct backend_ops blkback;

/* This disk has grown: tell the front ends that have it. */
void blkback_resized(struct xenbus *b, struct disk *d);
/* This disk is not away any more: take the requests that have come meanwhile. */
void blkback_resume(struct xenbus *b, struct disk *d);
/*
 * The indices of the ring of this disk do not fit together any more: a fault that is put into the run. False: no front
 * end is connected to it.
 */
bool blkback_corrupt(struct xenbus *b, const struct disk *d);

#endif
