// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CLOCK, or second chance: the page that was not touched since the hand was there last.
 *
 * Concept: the pages that are in memory lie in a circle, and a hand goes round. A page that was touched (its A bit was
 * set at some scan) gets a second chance: the hand forgets that it was, and goes on. One that was not is the victim, and
 * the page that comes in has its place. (F. J. Corbató, "A Paging Experiment with the Multics System", 1968.) Pages that
 * are touched often stay; one after the other in a loop larger than memory, each goes just before it is touched again.
 *
 *   cc -shared -fPIC -Iinclude -o clock.so docs/examples/kit/clock.c
 *   xenlab kit reclaim --policy ./clock.so --workload docs/examples/kit/flush.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include <stdlib.h>

#include "xenlab/kit.h"

#define MOST 131072 /* pages that a domain may have */

struct clock {
    uint64_t page[MOST]; /* the circle */
    uint64_t nr, hand;
    uint8_t there[MOST], touched[MOST]; /* by gfn */
};

static void *init(uint64_t seed)
{
    (void)seed;
    return calloc(1, sizeof(struct clock));
}

static void scan(void *state, const struct reclaim_now *now, const uint64_t *gfn, const uint8_t *ad, size_t n)
{
    struct clock *c = state;

    (void)now;
    for (size_t i = 0; i < n; i++) {
        if (!c->there[gfn[i]])
            c->page[c->nr++] = gfn[i];
        c->there[gfn[i]] = 1;
        c->touched[gfn[i]] |= ad[i] & RECLAIM_ACCESSED;
    }
}

static uint64_t victim(void *state, const struct reclaim_now *now)
{
    struct clock *c = state;
    uint64_t gfn;

    while (c->touched[c->page[c->hand]]) {
        c->touched[c->page[c->hand]] = 0;
        c->hand = (c->hand + 1) % c->nr;
    }
    gfn = c->page[c->hand];
    c->there[gfn] = 0;
    c->there[now->wanted] = 1;
    c->page[c->hand] = now->wanted;
    c->hand = (c->hand + 1) % c->nr;
    return gfn;
}

const struct reclaim_ops xenlab_reclaim_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct reclaim_ops), "clock", init },
    .scan = scan,
    .victim = victim,
};
