// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual time and its timers.
 *
 * Concept: a binary heap of pointers, the next timer to fire at index 0 (Xen keeps the same shape a physical CPU,
 * xen/common/timer.c; here one clock serves the whole machine, so one heap does). Each timer remembers its place as
 * slot = index + 1, which makes stopping it O(log n) without a search. What the order depends on stands in the heap
 * beside the pointer: with thousands of timers, looking it up in each of them would be a cache miss a comparison.
 *
 * Invariants:
 *  - heap[i] fires no later than its children heap[2i+1] and heap[2i+2], by (expires, seq); seq is unique, so the order
 *    is total.
 *  - A timer set for the past is stored as expiring now: it cannot overtake timers that are already due.
 *  - vclock_run() fires only timers that were armed before it began. A callback that re-arms itself for "now" therefore
 *    waits for the next run instead of spinning for ever.
 */
#include "sim/clock.h"

#include "sim/bug.h"
#include "sim/machine.h"

void vclock_init(struct vclock *c, struct arena *arena) { *c = (struct vclock){ .arena = arena }; }

void vclock_destroy(struct vclock *c)
{
    for (size_t i = 0; i < c->nr; i++)
        c->heap[i].t->slot = 0;
    xfree(c->heap);
    *c = (struct vclock){ 0 };
}

void timer_init(struct timer *t, timer_fn *fn, void *data)
{
    *t = (struct timer){ .fn = fn, .data = data, .domain = TRACE_NO_DOMAIN };
}

void timer_label(struct timer *t, unsigned int label, unsigned int domain, unsigned int vcpu)
{
    t->label = (uint8_t)label;
    t->domain = (uint16_t)domain;
    t->vcpu = (uint16_t)vcpu;
}

static bool fires_before(const struct vclock_entry *a, const struct vclock_entry *b)
{
    return a->expires != b->expires ? a->expires < b->expires : a->seq < b->seq;
}

static void put(struct vclock *c, size_t i, struct vclock_entry e)
{
    c->heap[i] = e;
    e.t->slot = i + 1;
    c->moves++;
}

static void sift_up(struct vclock *c, size_t i, struct vclock_entry e)
{
    while (i > 0 && fires_before(&e, &c->heap[(i - 1) / 2])) {
        put(c, i, c->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(c, i, e);
}

static void sift_down(struct vclock *c, size_t i, struct vclock_entry e)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < c->nr && fires_before(&c->heap[child + 1], &c->heap[child]))
            child++;
        if (child >= c->nr || !fires_before(&c->heap[child], &e))
            break;
        put(c, i, c->heap[child]);
        i = child;
    }
    put(c, i, e);
}

void timer_set(struct vclock *c, struct timer *t, s_time_t expires)
{
    timer_stop(c, t);
    if (c->nr == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->heap = xrealloc_array(c->arena, c->heap, c->cap);
        BUG_ON(!c->heap);
    }
    t->expires = expires < c->now ? c->now : expires;
    if (c->machine)
        TRACE(c->machine, timer_set, t->domain, t->vcpu, t->label, (uint64_t)t->expires);
    sift_up(c, c->nr++, (struct vclock_entry){ t->expires, ++c->seq, t });
}

void timer_stop(struct vclock *c, struct timer *t)
{
    struct vclock_entry last;
    size_t i;

    if (!t->slot)
        return;
    i = t->slot - 1;
    BUG_ON(i >= c->nr || c->heap[i].t != t);
    t->slot = 0;
    last = c->heap[--c->nr];
    if (last.t == t)
        return;
    /* The last timer fills the hole; it may belong above it or below it. */
    sift_up(c, i, last);
    sift_down(c, last.t->slot - 1, last);
}

void vclock_run(struct vclock *c)
{
    const uint64_t last_seq = c->seq;

    /* Timers armed meanwhile expire now or later and have a higher seq: the first one of them on top ends the run. */
    while (c->nr && c->heap[0].expires <= c->now && c->heap[0].seq <= last_seq) {
        struct timer *t = c->heap[0].t;

        timer_stop(c, t);
        if (c->machine)
            TRACE(c->machine, timer_fire, t->domain, t->vcpu, t->label, (uint64_t)t->expires);
        t->fn(t->data);
    }
}
