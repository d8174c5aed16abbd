// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenstore, from a guest's side, for the guests that use it (static: each has its own).
 *
 * A message is a header and a payload of strings; it goes through a ring of 1 KiB in a page shared with dom0, and the
 * answer comes through another, with the same number. Events of watches come in between, with the number 0.
 */
#ifndef GUESTS_RT_XENSTORE_H
#define GUESTS_RT_XENSTORE_H

#include "guests/rt/guest.h"

#include <xen/io/xs_wire.h>

static volatile struct xenstore_domain_interface *ring;
static uint32_t req_id, tx;
static char answer[XENSTORE_PAYLOAD_MAX + 1];

static void put(const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while (ring->req_prod - ring->req_cons >= XENSTORE_RING_SIZE) {
            event_send(start_info->store_evtchn);
            event_wait(start_info->store_evtchn);
        }
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = ((const char *)data)[i];
        barrier();
        ring->req_prod++;
    }
}

static void get(void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while (ring->rsp_prod == ring->rsp_cons)
            event_wait(start_info->store_evtchn);
        ((char *)data)[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        barrier();
        ring->rsp_cons++;
    }
}

/* A node has changed: the guest says what is to be done. `answer` is free to be used. */
static void xenstore_event(const char *path, const char *token);

/* One message from dom0: its payload goes into `answer`, with a 0 behind. Of an event the guest is told. */
static struct xsd_sockmsg receive(void)
{
    struct xsd_sockmsg m;

    get(&m, sizeof(m));
    get(answer, m.len);
    answer[m.len] = 0;
    event_send(start_info->store_evtchn); /* there is room again */
    if (m.type == XS_WATCH_EVENT)
        xenstore_event(answer, answer + strlen(answer) + 1);
    return m;
}

/* Ask, and wait for the answer; its length, or -1 with the error's name in it. */
static long ask(uint32_t type, const char *payload, size_t len)
{
    struct xsd_sockmsg m = { .type = type, .req_id = ++req_id, .tx_id = tx, .len = (uint32_t)len };

    put(&m, sizeof(m));
    put(payload, len);
    event_send(start_info->store_evtchn);
    do
        m = receive();
    while (m.req_id != req_id);
    return m.type == XS_ERROR ? -1 : (long)m.len;
}

#endif
