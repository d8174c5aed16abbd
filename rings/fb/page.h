// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A shared page with two rings of events, and the event channel that goes with it.
 *
 * Concept: `in` goes to the front end and `out` comes from it. Each has a number of slots of 40 bytes and two indices
 * that only ever grow; an event's slot is its index modulo the number of slots. Whoever has put something there says so
 * by the event channel.
 *
 *      0         16        1024            in + its size          4096
 *      | indices | ...     | in            | out ...              |
 *
 * Invariants: our own indices are kept here, and what the page says of them is never read. The other side's is read
 * once a call; one that cannot be is not followed. An event is copied once, and only the copy is looked at.
 *
 * That an index is taken modulo a number of slots which does not divide 2^32 is the protocol's: when one overflows, two
 * events may share a slot. From 0, where front ends begin, that takes years.
 *
 * Source: public xen/io/fbif.h and xen/io/kbdif.h, which have the same indices at the same place.
 */
#ifndef RINGS_FB_PAGE_H
#define RINGS_FB_PAGE_H

#include "rings/bus.h"

#include <xen/grant_table.h>

#define FB_EVENT_SIZE 40

struct fb_page {
    struct xenbus_device *dev;
    uint8_t *page; /* NULL: not connected */
    bool granted;  /* it came by a grant, and not by its frame's number */
    grant_handle_t handle;
    evtchn_port_t port;
    uint32_t in_prod, out_cons;
};

/*
 * Map what the front end names: page-gref, or else page-ref, which is the number of a frame; bind event-channel to the
 * task. 0, or -errno when xenbus_fail() has been called; either way fb_page_disconnect() ends it.
 */
int fb_page_connect(struct fb_page *p, struct xenbus_device *dev, struct task *t);
void fb_page_disconnect(struct fb_page *p);

/* Of the `nr` slots from `offset` on, take the next event. 1, 0: there is none, -EPROTO: the index cannot be. */
int fb_page_take(struct fb_page *p, unsigned int offset, unsigned int nr, uint8_t event[FB_EVENT_SIZE]);
/* The same in the other direction: 0: it is full. Nothing is said yet. */
int fb_page_put(struct fb_page *p, unsigned int offset, unsigned int nr, const uint8_t event[FB_EVENT_SIZE]);
void fb_page_notify(const struct fb_page *p);

#endif
