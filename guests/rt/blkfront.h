// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A front end of a disk, for the guests that use one (static: each has its own).
 *
 * Both ends find each other as guests/rt/xenbus.h has it: the back end says InitWait; we write down a page that is
 * granted to it, and a port, and say Initialised; it maps both and says Connected; so do we. From then on requests and
 * answers go through the page, and the port says that there are new ones.
 *
 * Stated in public <xen/io/blkif.h>, <xen/io/ring.h>.
 */
#ifndef GUESTS_RT_BLKFRONT_H
#define GUESTS_RT_BLKFRONT_H

#include "guests/rt/xenbus.h"

#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#define BLK_DEPTH   32u /* slots of a ring of one page */
#define BLK_SECTORS 8u  /* of a page */

static blkif_front_ring_t blk_ring;
static evtchn_port_t blk_port;
static uint64_t blk_sectors;
static uint8_t *blk_page[BLK_DEPTH]; /* one for each request, granted once and for all */

enum { BLK_RING_REF = GNTTAB_NR_RESERVED_ENTRIES, BLK_PAGE_REF };

/* The first disk that the toolstack has given this guest. False: there is none. */
static inline bool blk_connect(void)
{
    blkif_sring_t *shared = page_alloc();

    if (!device_find("vbd"))
        return false;
    grants_init();
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&blk_ring, shared, PAGE_SIZE);
    grant_access(BLK_RING_REF, device.peer, shared, false);
    for (unsigned int i = 0; i < BLK_DEPTH; i++) {
        blk_page[i] = page_alloc();
        grant_access(BLK_PAGE_REF + i, device.peer, blk_page[i], false);
    }
    blk_port = event_alloc_unbound(device.peer);
    device_write_number("ring-ref", BLK_RING_REF);
    device_write_number("event-channel", blk_port);
    device_write("protocol", XEN_IO_PROTO_ABI_X86_64);
    device_write_number("state", XenbusStateInitialised);
    device_back_state(XenbusStateConnected);
    blk_sectors = device_number(device.back, "sectors");
    device_write_number("state", XenbusStateConnected);
    return true;
}

/* A request for blk_page[slot], which is free; the answer's id is the slot. It is not shown yet. */
static inline void blk_put(uint8_t op, unsigned int slot, uint64_t sector, unsigned int nr)
{
    blkif_request_t *q = RING_GET_REQUEST(&blk_ring, blk_ring.req_prod_pvt);

    memset(q, 0, sizeof(*q));
    q->operation = op;
    q->id = slot;
    q->sector_number = sector;
    if (nr) {
        q->nr_segments = 1;
        q->seg[0].gref = BLK_PAGE_REF + slot;
        q->seg[0].last_sect = (uint8_t)(nr - 1);
    }
    blk_ring.req_prod_pvt++;
}

/* Show what was put; the back end is told, if it sleeps. */
static inline void blk_push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&blk_ring, notify);
    if (notify)
        event_send(blk_port);
}

/* The next answer; waits for it. */
static inline blkif_response_t blk_get(void)
{
    blkif_response_t rsp;
    int more;

    for (;;) {
        RING_FINAL_CHECK_FOR_RESPONSES(&blk_ring, more);
        if (more)
            break;
        event_wait(blk_port);
    }
    rsp = *RING_GET_RESPONSE(&blk_ring, blk_ring.rsp_cons);
    blk_ring.rsp_cons++;
    return rsp;
}

#endif
