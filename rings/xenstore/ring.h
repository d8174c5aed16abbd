// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenstore's end of a domain's ring.
 *
 * Concept: one page holds two byte rings of 1 KiB, requests towards the store, answers and events towards the domain,
 * each with a producer and a consumer index that only ever grow. Whoever produced or consumed says so by an event. The
 * bytes are a conversation (stream.h).
 *
 * Invariants: the page is the domain's, so its indices are hostile. One that cannot be, or a message that is too long,
 * ends the conversation for good, and the page's field `error` says why.
 *
 * Source: public io/xs_wire.h, docs/misc/xenstore-ring.txt. Corresponds to tools/xenstore/xenstored_domain.c.
 */
#ifndef RINGS_XENSTORE_RING_H
#define RINGS_XENSTORE_RING_H

#include "rings/xenstore/stream.h"
#include "vcpu/native/kernel.h"

struct xs_ring {
    struct xs_ring *next;
    struct native_kernel *kernel;
    struct task task;
    struct xenstore_domain_interface *intf;
    evtchn_port_t port; /* ours; 0: none */
    uint64_t sent;      /* notifications */
    bool ended;         /* the conversation, for good */
    struct xs_stream stream;
};

/* Serve page `mfn` of domain domid, whose (unbound) port is `port`. NULL: one of them is refused, or no memory. */
struct xs_ring *xs_ring_create(struct native_kernel *k, struct xs_store *store, domid_t domid, mfn_t mfn,
                               evtchn_port_t port);
/* Before the domain is destroyed: it holds a mapping. */
void xs_ring_destroy(struct xs_ring *r);
/*
 * The domain has another port from now on. Watches, transactions, and what is in the rings are forgotten; a
 * conversation that has ended stays so. 0 or -errno.
 */
int xs_ring_rebind(struct xs_ring *r, evtchn_port_t port);
/* The same, for a domain that was started again: what it had written into its page is none of its fault. */
int xs_ring_restart(struct xs_ring *r, evtchn_port_t port);

#endif
