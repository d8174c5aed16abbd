// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's end of a xenstore ring, and bytes that wait: what the peers of peer.h have in common. */
#ifndef TESTS_XENSTORED_FRONT_H
#define TESTS_XENSTORED_FRONT_H

#include "tests/xenstored/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT (1u << 23) /* bytes of a connection that wait, at most */

struct bytes {
    uint8_t *b;
    size_t from, to;
};

static inline void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static inline void bytes_add(struct bytes *q, const void *b, size_t len)
{
    if (!q->b)
        must((q->b = malloc(KEPT)) != NULL, "malloc");
    memmove(q->b, q->b + q->from, q->to - q->from);
    q->to -= q->from;
    q->from = 0;
    must(q->to + len <= KEPT, "too much is waiting");
    memcpy(q->b + q->to, b, len);
    q->to += len;
}

static inline size_t bytes_take(struct bytes *q, void *b, size_t len)
{
    if (len > q->to - q->from)
        len = q->to - q->from;
    if (len)
        memcpy(b, q->b + q->from, len);
    q->from += len;
    return len;
}

static inline void bytes_forget(struct bytes *q) { q->from = q->to = 0; }

/* Bytes into a ring, and what has come out of it. True: the store may go on for that: there is something, or room. */
static inline bool front_move(struct xenstore_domain_interface *r, struct bytes *out, struct bytes *in, bool deaf)
{
    bool moved = false;
    uint32_t prod;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (prod = r->req_prod; out->to > out->from && prod - r->req_cons < XENSTORE_RING_SIZE; moved = true)
        r->req[MASK_XENSTORE_IDX(prod++)] = (char)out->b[out->from++];
    __atomic_store_n(&r->req_prod, prod, __ATOMIC_RELEASE);
    if (!deaf && r->rsp_prod - r->rsp_cons <= XENSTORE_RING_SIZE) {
        for (prod = __atomic_load_n(&r->rsp_prod, __ATOMIC_ACQUIRE); r->rsp_cons != prod; r->rsp_cons++) {
            moved |= prod - r->rsp_cons == XENSTORE_RING_SIZE;
            bytes_add(in, &r->rsp[MASK_XENSTORE_IDX(r->rsp_cons)], 1);
        }
    }
    return moved;
}

#endif
