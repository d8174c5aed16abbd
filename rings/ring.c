// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring of requests and answers: the idea is in rings/ring.h.
 *
 * Between any two accesses to the shared page the other side may do anything. tests/rings/test_ring.c compiles this
 * file with a RING_PAUSE() that does, everywhere, all that it can.
 */
#include "rings/ring.h"

#include "sim/bug.h"
#include "sim/types.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#ifndef RING_PAUSE
#define RING_PAUSE() ((void)0)
#endif

enum { REQ_PROD = 0, REQ_EVENT = 4, RSP_PROD = 8, RSP_EVENT = 12, SLOTS = 64 };

static uint32_t peek(const struct ring *r, size_t at)
{
    RING_PAUSE();
    return *(const volatile uint32_t *)(const void *)(r->page[0] + at);
}

static void poke(const struct ring *r, size_t at, uint32_t value)
{
    RING_PAUSE();
    *(volatile uint32_t *)(void *)(r->page[0] + at) = value;
}

/* Copy from or to slot `index`, which lies on one page or on two. */
static void slot_copy(const struct ring *r, uint32_t index, void *own, size_t size, bool to_page)
{
    size_t at = SLOTS + (index & (r->nr - 1)) * r->slot_size;

    RING_PAUSE();
    for (size_t done = 0, n; done < size; done += n, at += n) {
        uint8_t *shared = r->page[at / PAGE_SIZE] + at % PAGE_SIZE;

        n = PAGE_SIZE - at % PAGE_SIZE < size - done ? PAGE_SIZE - at % PAGE_SIZE : size - done;
        if (to_page)
            memcpy(shared, (const uint8_t *)own + done, n);
        else
            memcpy((uint8_t *)own + done, shared, n);
    }
}

bool ring_waiting(const struct ring *r, uint32_t *n)
{
    const uint32_t taken = r->req_cons - r->rsp_prod;

    *n = peek(r, REQ_PROD) - r->req_cons;
    return taken <= r->nr && *n <= r->nr - taken; /* our own are right but for a fault that is put into the run */
}

bool ring_init(struct ring *r, uint8_t *const *page, unsigned int nr_pages, size_t slot_size)
{
    const size_t fit = (nr_pages * (size_t)PAGE_SIZE - SLOTS) / slot_size;
    uint32_t n;

    BUG_ON(!nr_pages || nr_pages > RING_PAGES_MAX);
    if (!fit)
        return false;
    *r = (struct ring){ .slot_size = slot_size, .nr = UINT32_C(1) << (31 - __builtin_clz((unsigned int)fit)) };
    memcpy(r->page, page, nr_pages * sizeof(*page));
    r->req_cons = r->rsp_prod = r->published = peek(r, RSP_PROD);
    r->req_event = r->req_cons + 1; /* as a new ring says */
    return ring_waiting(r, &n);
}

int ring_pull(struct ring *r, void *req, size_t size)
{
    uint32_t n;

    if (!ring_waiting(r, &n))
        return -EPROTO;
    if (!n)
        return 0;
    atomic_thread_fence(memory_order_acquire); /* the index before the slot */
    slot_copy(r, r->req_cons, req, size, false);
    r->req_cons++;
    return 1;
}

void ring_push(struct ring *r, const void *rsp, size_t size)
{
    uint8_t copy[256];

    BUG_ON(r->rsp_prod == r->req_cons || size > sizeof(copy));
    memcpy(copy, rsp, size);
    slot_copy(r, r->rsp_prod, copy, size, true);
    r->rsp_prod++;
}

bool ring_flush(struct ring *r)
{
    const uint32_t before = r->published;
    bool wanted;

    if (before == r->rsp_prod)
        return false;
    atomic_thread_fence(memory_order_release); /* the answers before the index */
    poke(r, RSP_PROD, r->rsp_prod);
    r->published = r->rsp_prod;
    atomic_thread_fence(memory_order_seq_cst); /* and that before the other side's wish */
    wanted = r->rsp_prod - peek(r, RSP_EVENT) < r->rsp_prod - before;
    if (wanted)
        r->sent++;
    else
        r->saved++;
    return wanted;
}

bool ring_sleep(struct ring *r) { return ring_sleep_until(r, 1); }

bool ring_sleep_until(struct ring *r, uint32_t nr)
{
    uint32_t n;

    r->req_event = r->req_cons + nr;
    poke(r, REQ_EVENT, r->req_event);
    atomic_thread_fence(memory_order_seq_cst); /* the wish before the last look */
    return ring_waiting(r, &n) && n < nr;
}

uint32_t ring_req_prod(const struct ring *r) { return peek(r, REQ_PROD); }
uint32_t ring_rsp_event(const struct ring *r) { return peek(r, RSP_EVENT); }

enum ring_change ring_watch(struct ring *r, s_time_t now)
{
    const bool full = peek(r, REQ_PROD) - r->published == r->nr;

    if (full == (r->full_since != 0))
        return RING_SAME;
    r->full_since = full ? now : 0;
    return full ? RING_FULL : RING_FREE;
}

void ring_letters(const struct ring *r, char *letter)
{
    const uint32_t seen = peek(r, RSP_EVENT) - 1;
    uint32_t n;

    memset(letter, '.', r->nr);
    if (r->published - seen <= r->nr)
        for (uint32_t i = seen; i != r->published; i++)
            letter[i & (r->nr - 1)] = 'A';
    for (uint32_t i = r->published; i != r->req_cons; i++)
        letter[i & (r->nr - 1)] = 'T';
    for (uint32_t i = 0; ring_waiting(r, &n) && i < n; i++)
        letter[(r->req_cons + i) & (r->nr - 1)] = 'R';
}
