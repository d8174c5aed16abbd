// SPDX-License-Identifier: GPL-2.0-or-later
/* reclaim: what the domain touches, and when. reclaim.h says why it depends on nothing else. */
#include <stdlib.h>

#include "tools/kit/reclaim.h"

#define SECOND UINT64_C(1000000000)
#define NEVER  UINT64_MAX

/* When a region has its next access, which is not the time of a step that is over. */
static uint64_t due(const struct reclaim_region *g, struct reclaim_cursor *c, uint64_t end)
{
    for (;;) {
        const struct reclaim_step *s = &g->step[c->step];
        const uint64_t next = s->how == RECLAIM_REST ? NEVER : c->since + c->nr * SECOND / g->rate;

        if (!s->ns || next < c->since + s->ns || c->since + s->ns >= end)
            return next;
        c->since += s->ns;
        c->nr = 0;
        c->step = (c->step + 1) % g->nr_steps;
    }
}

/* --- zipf: the page of rank n is touched in proportion to 1 / (n + 1) --- */

bool reclaim_zipf(struct reclaim *m)
{
    uint64_t all = 0;

    m->zipf = calloc(m->told.pages, sizeof(*m->zipf));
    for (uint64_t n = 0; m->zipf && n < m->told.pages; n++)
        m->zipf[n] = all += (UINT64_C(1) << 32) / (n + 1);
    return m->zipf;
}

/* The first rank whose weight, with those before, is more than x. */
static uint64_t rank(const struct reclaim *m, uint64_t x, uint64_t nr)
{
    uint64_t low = 0, high = nr - 1;

    while (low < high) {
        const uint64_t middle = (low + high) / 2;

        if (m->zipf[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Ranks are scattered over the pages, each rank's page another one. */
static uint64_t scattered(uint64_t n, uint64_t nr, uint64_t seed)
{
    uint64_t stride = nr * 5 / 8 + 1;

    while (gcd(stride, nr) != 1)
        stride++;
    return (n * stride + seed % nr) % nr;
}

/* --- accesses --- */

static uint64_t page_of(const struct reclaim *m, unsigned int i, const struct reclaim_cursor *c, uint64_t random)
{
    const struct reclaim_region *g = &m->region[i];
    const struct reclaim_step *s = &g->step[c->step];
    const uint64_t nr = s->to - s->from;

    if (s->how == RECLAIM_LOOP)
        return g->at + s->from + c->nr % nr;
    if (s->how == RECLAIM_ANY)
        return g->at + s->from + random % nr;
    return g->at + s->from + scattered(rank(m, random % m->zipf[nr - 1], nr), nr, workload_stir(m->seed + i));
}

bool reclaim_next(const struct reclaim *m, struct reclaim_cursor cursor[RECLAIM_MAX_REGIONS], struct reclaim_touch *x)
{
    unsigned int first = 0;
    uint64_t at = NEVER, random;

    for (unsigned int i = 0; i < m->nr_regions; i++) {
        const uint64_t next = due(&m->region[i], &cursor[i], m->time);

        if (next < at) {
            at = next;
            first = i;
        }
    }
    if (at >= m->time)
        return false;
    random = workload_stir(workload_stir(m->seed + 1) ^ (cursor[first].all * RECLAIM_MAX_REGIONS + first + 1));
    *x = (struct reclaim_touch){ .time = at, .gfn = page_of(m, first, &cursor[first], random), .region = first };
    x->store = workload_stir(random) % 100 < m->region[first].stores;
    cursor[first].nr++;
    cursor[first].all++;
    return true;
}
