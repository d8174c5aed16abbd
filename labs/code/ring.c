// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A shared ring, both ends.
 *
 * Concept: who puts writes an index and then reads whether the other end wants to hear of it; who is about to sleep
 * says that it does and then reads the index. Each of the two writes before it reads, so that one of them sees the
 * other's write, whatever comes first. A processor may let a load overtake a store that waits in its buffer: hence the
 * fence.
 *
 *      ring_show()        ring_doze()
 *        prod = put         event = taken + 1
 *        fence              fence
 *        event?             prod?
 *
 * Invariants: an index of the other end's is read once and compared before it is used; differences of indices are
 * unsigned, and so right when they wrap.
 */
#include "labs/code/ring.h"

bool ring_put(struct ring_end *e, uint32_t value)
{
    if (e->front ? e->put - e->taken == RING_SLOTS : e->put == e->taken)
        return false;
    shm_store(&ring_page->slot[e->put++ % RING_SLOTS], value);
    return true;
}

bool ring_show(struct ring_end *e)
{
    const uint32_t old = e->pushed;
    uint32_t event;

    e->pushed = e->put;
    shm_store(e->front ? &ring_page->req_prod : &ring_page->rsp_prod, e->put);
    shm_fence();
    event = (uint32_t)shm_load(e->front ? &ring_page->req_event : &ring_page->rsp_event);
    return e->put - event < e->put - old; /* it is one of those that are new */
}

enum ring_take ring_take(struct ring_end *e, uint32_t *value)
{
    const uint32_t prod = (uint32_t)shm_load(e->front ? &ring_page->rsp_prod : &ring_page->req_prod);

    if (prod - e->taken > (e->front ? e->pushed - e->taken : RING_SLOTS - (e->taken - e->pushed)))
        return RING_BROKEN;
    if (prod == e->taken)
        return RING_NONE;
    *value = (uint32_t)shm_load(&ring_page->slot[e->taken++ % RING_SLOTS]);
    return RING_TAKEN;
}

bool ring_doze(struct ring_end *e)
{
    shm_store(e->front ? &ring_page->rsp_event : &ring_page->req_event, e->taken + 1);
    shm_fence();
    return (uint32_t)shm_load(e->front ? &ring_page->rsp_prod : &ring_page->req_prod) == e->taken;
}
