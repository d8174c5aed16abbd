// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A front end of a network card, for the guests that use one (static: each has its own).
 *
 * There are two rings. What is sent goes through one, as requests that say in which page a frame is; each is answered
 * when the page is ours again. Through the other one go empty pages, as requests, and come back with what has arrived,
 * as answers. The port says that there is something new in either. As Linux's does we say Connected at once when the
 * back end waits (guests/rt/xenbus.h).
 *
 *      tx   | page, size | page, size | ...  -->  back end  -->  page is free
 *      rx   | empty page | empty page | ...  -->  back end  -->  page, size
 *
 * Stated in public <xen/io/netif.h>, <xen/io/ring.h>.
 */
#ifndef GUESTS_RT_NETFRONT_H
#define GUESTS_RT_NETFRONT_H

#include "guests/rt/xenbus.h"

#include <xen/io/netif.h>

#define NET_PAGES 128u /* in each direction; a power of two, no more than slots */

static netif_tx_front_ring_t net_tx;
static netif_rx_front_ring_t net_rx;
static evtchn_port_t net_port;
static uint8_t net_mac[6];
static uint8_t *net_tx_page[NET_PAGES], *net_rx_page[NET_PAGES]; /* granted once and for all */
static uint64_t net_sent_events;

enum { NET_TX_RING_REF = GNTTAB_NR_RESERVED_ENTRIES, NET_RX_RING_REF, NET_TX_REF, NET_RX_REF = NET_TX_REF + NET_PAGES };

static void net_mac_read(void)
{
    const char *text = device_read(device.front, "mac") ?: "";

    for (unsigned int i = 0; i < 6; i++)
        for (net_mac[i] = 0; *text; text++) {
            if (*text == ':') {
                text++;
                break;
            }
            net_mac[i] = (uint8_t)(net_mac[i] << 4 | (*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10));
        }
}

/* An empty page for the back end. It is not shown yet. */
static void net_buffer_put(unsigned int page)
{
    netif_rx_request_t *q = RING_GET_REQUEST(&net_rx, net_rx.req_prod_pvt);

    *q = (netif_rx_request_t){ .id = (uint16_t)page, .gref = NET_RX_REF + page };
    net_rx.req_prod_pvt++;
}

static void net_tell(bool needed)
{
    if (needed)
        event_send(net_port);
    net_sent_events += needed;
}

/* Show empty pages. */
static void net_buffers_push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&net_rx, notify);
    net_tell(notify);
}

/* The first card that the toolstack has given this guest. False: there is none. */
static inline bool net_connect(void)
{
    netif_tx_sring_t *tx = page_alloc();
    netif_rx_sring_t *rx = page_alloc();

    if (!device_find("vif"))
        return false;
    net_mac_read();
    grants_init();
    SHARED_RING_INIT(tx);
    SHARED_RING_INIT(rx);
    FRONT_RING_INIT(&net_tx, tx, PAGE_SIZE);
    FRONT_RING_INIT(&net_rx, rx, PAGE_SIZE);
    grant_access(NET_TX_RING_REF, device.peer, tx, false);
    grant_access(NET_RX_RING_REF, device.peer, rx, false);
    for (unsigned int i = 0; i < NET_PAGES; i++) {
        net_tx_page[i] = page_alloc();
        net_rx_page[i] = page_alloc();
        grant_access(NET_TX_REF + i, device.peer, net_tx_page[i], true);
        grant_access(NET_RX_REF + i, device.peer, net_rx_page[i], false);
        net_buffer_put(i);
    }
    RING_PUSH_REQUESTS(&net_rx);
    net_port = event_alloc_unbound(device.peer);
    device_write_number("tx-ring-ref", NET_TX_RING_REF);
    device_write_number("rx-ring-ref", NET_RX_RING_REF);
    device_write_number("event-channel", net_port);
    device_write_number("request-rx-copy", 1);
    device_write_number("state", XenbusStateConnected);
    device_back_state(XenbusStateConnected);
    return true;
}

/* How many frames can be put without waiting. Pages come back in the order in which they went. */
static unsigned int net_room(void)
{
    net_tx.rsp_cons = net_tx.sring->rsp_prod;
    xen_rmb();
    return NET_PAGES - (net_tx.req_prod_pvt - net_tx.rsp_cons);
}

/* A page for the next frame; waits for it. */
static inline uint8_t *net_page(void)
{
    while (!net_room()) {
        net_tx.sring->rsp_event = net_tx.rsp_cons + 1;
        xen_mb();
        if (!net_room())
            event_wait(net_port);
    }
    return net_tx_page[net_tx.req_prod_pvt % NET_PAGES];
}

/* It is a frame of so many bytes now. It is not shown yet. */
static inline void net_put(unsigned int len)
{
    const unsigned int page = net_tx.req_prod_pvt % NET_PAGES;

    *RING_GET_REQUEST(&net_tx, net_tx.req_prod_pvt) =
        (netif_tx_request_t){ .gref = NET_TX_REF + page, .id = (uint16_t)page, .size = (uint16_t)len };
    net_tx.req_prod_pvt++;
}

/* Show what was put; the back end is told, if it sleeps. */
static inline void net_push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&net_tx, notify);
    net_tell(notify);
}

/* What has arrived, and how long it is; NULL: nothing. Until net_done() the page is ours. */
static inline const uint8_t *net_get(unsigned int *len)
{
    const netif_rx_response_t *rsp;
    int more;

    RING_FINAL_CHECK_FOR_RESPONSES(&net_rx, more);
    if (!more)
        return NULL;
    rsp = RING_GET_RESPONSE(&net_rx, net_rx.rsp_cons);
    *len = rsp->status < 0 ? 0 : (unsigned int)rsp->status;
    return net_rx_page[rsp->id % NET_PAGES] + rsp->offset;
}

/* It may be filled again. */
static inline void net_done(void)
{
    net_buffer_put(RING_GET_RESPONSE(&net_rx, net_rx.rsp_cons)->id);
    net_rx.rsp_cons++;
    if (net_rx.req_prod_pvt - net_rx.sring->req_prod >= NET_PAGES / 4)
        net_buffers_push();
}

#endif
