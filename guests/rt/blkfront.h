// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A front end of a disk, for the guests that use one (static: each has its own).
 *
 * The two ends find each other in xenstore: ours is a directory, ~/device/vbd/NUMBER, in which the toolstack has
 * written where the other one's is. The back end says InitWait; we write down a page that is granted to it, and a
 * port, and say Initialised; it maps both and says Connected; so do we. From then on xenstore has no part in it:
 * requests and answers go through the page, and the port says that there are new ones.
 *
 * Stated in public <xen/io/blkif.h>, <xen/io/ring.h>, <xen/io/xenbus.h>.
 */
#ifndef GUESTS_RT_BLKFRONT_H
#define GUESTS_RT_BLKFRONT_H

#include "guests/rt/xenstore.h"

#define xen_mb()  asm volatile("mfence" ::: "memory")
#define xen_rmb() barrier()
#define xen_wmb() barrier()
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#define BLK_DEPTH   32u /* slots of a ring of one page */
#define BLK_SECTORS 8u  /* of a page */

static blkif_front_ring_t blk_ring;
static evtchn_port_t blk_port;
static uint64_t blk_sectors;
static uint8_t *blk_page[BLK_DEPTH]; /* one for each request, granted once and for all */
static char blk_front[64], blk_back[128];

enum { BLK_RING_REF = GNTTAB_NR_RESERVED_ENTRIES, BLK_PAGE_REF };

/* DIR/NAME; NULL: it is not there. */
static const char *blk_read(const char *dir, const char *name)
{
    char path[192];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return ask(XS_READ, path, (size_t)len + 1) < 0 ? NULL : answer;
}

static uint64_t blk_number(const char *dir, const char *name)
{
    const char *text = blk_read(dir, name);
    uint64_t n = 0;

    for (; text && *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

static void blk_write(const char *name, const char *value)
{
    char payload[192];
    int len = snprintf(payload, sizeof(payload), "%s/%s%c%s", blk_front, name, 0, value);

    if (ask(XS_WRITE, payload, (size_t)len) < 0)
        guest_panic("xenstore: %s: %s", payload, answer);
}

static void blk_write_number(const char *name, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%lu", (unsigned long)n);
    blk_write(name, text);
}

/* Until the back end says so; a watch tells of each change. */
static void blk_back_state(uint64_t state)
{
    while (blk_number(blk_back, "state") != state)
        receive();
}

/* The first disk that the toolstack has given this guest. False: there is none. */
static inline bool blk_connect(void)
{
    blkif_sring_t *shared = page_alloc();
    char watch[160];
    domid_t peer;
    int len;

    ring = mfn_to_virt(start_info->store_mfn);
    if (ask(XS_DIRECTORY, "device/vbd", 11) <= 0)
        return false;
    snprintf(blk_front, sizeof(blk_front), "device/vbd/%s", answer); /* the first string of the list */
    peer = (domid_t)blk_number(blk_front, "backend-id");
    snprintf(blk_back, sizeof(blk_back), "%s", blk_read(blk_front, "backend") ?: "");
    len = snprintf(watch, sizeof(watch), "%s/state%cback", blk_back, 0);
    if (ask(XS_WATCH, watch, (size_t)len + 1) < 0)
        guest_panic("xenstore: %s: %s", blk_back, answer);
    blk_back_state(XenbusStateInitWait);

    grants_init();
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&blk_ring, shared, PAGE_SIZE);
    grant_access(BLK_RING_REF, peer, shared, false);
    for (unsigned int i = 0; i < BLK_DEPTH; i++) {
        blk_page[i] = page_alloc();
        grant_access(BLK_PAGE_REF + i, peer, blk_page[i], false);
    }
    blk_port = event_alloc_unbound(peer);
    blk_write_number("ring-ref", BLK_RING_REF);
    blk_write_number("event-channel", blk_port);
    blk_write("protocol", XEN_IO_PROTO_ABI_X86_64);
    blk_write_number("state", XenbusStateInitialised);
    blk_back_state(XenbusStateConnected);
    blk_sectors = blk_number(blk_back, "sectors");
    blk_write_number("state", XenbusStateConnected);
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
