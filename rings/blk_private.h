// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk of a front end's, as the files of the block back end share it: see rings/blkback.c. */
#ifndef RINGS_BLK_PRIVATE_H
#define RINGS_BLK_PRIVATE_H

#include "rings/blkback.h"
#include "rings/ring.h"

#include <xen/io/blkif.h>

#define BLK_SEGMENTS 32u                 /* of one request */
#define DISCARD_MAX  (UINT64_C(1) << 21) /* sectors of a disk that can be discarded as a whole: in one step */
#define SLOT_64      sizeof(struct blkif_request)
#define SLOT_32      (SLOT_64 - 4) /* 64-bit numbers need no padding before them */

/* What the front end will be told of a request. */
struct answer {
    uint64_t id;
    uint8_t op;
    int16_t status;
    s_time_t due; /* not before */
};

struct vbd {
    struct xenbus_device *dev;
    struct disk *disk;
    bool readonly, discards;
    void *bounce[BLK_SEGMENTS];
    /* While connected: */
    struct task task;
    struct ring ring;
    bool x86_32; /* the layout of its requests */
    bool broken; /* the device will be closed */
    unsigned int nr_pages;
    void *page[RING_PAGES_MAX];
    grant_handle_t handle[RING_PAGES_MAX];
    evtchn_port_t port;
    struct answer *answers; /* ring.nr; that of request i is at i modulo that */
};

static inline struct vcpu *self(const struct vbd *b) { return native_vcpu(xenbus_kernel(b->dev->bus)); }

static inline struct machine *machine(const struct vbd *b) { return self(b)->domain->xen->machine; }

static inline long event_op(const struct vbd *b, unsigned int cmd, void *arg)
{
    return hypercall_native(self(b), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

/* blk_task.c: serves a ring, from connecting on. */
extern const struct task_ops blk_task;

/* blk_request.c: do what a slot asks for, of which this is a copy. The answer says when that is done. */
void blk_execute(struct vbd *b, const uint8_t *slot, struct answer *a);

#endif
