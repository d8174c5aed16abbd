// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any page: what cleverer algorithms are measured against. It looks at no bit, and no order of accesses is the worst for
 * it: in a loop larger than memory it keeps some pages until they are touched again, where CLOCK keeps none.
 *
 *   cc -shared -fPIC -Iinclude -o random.so docs/examples/kit/random.c
 *   xenlab kit reclaim --policy ./random.so --workload docs/examples/kit/loop.txt
 */
#include <stdlib.h>

#include "xenlab/kit.h"

#define MOST 131072 /* pages that a domain may have */

struct any {
    uint64_t random;
    uint64_t page[MOST], nr; /* that are in memory */
    uint8_t there[MOST];     /* by gfn */
};

static void *init(uint64_t seed)
{
    struct any *a = calloc(1, sizeof(*a));

    if (a)
        a->random = seed * 2 + 1;
    return a;
}

static void scan(void *state, const struct reclaim_now *now, const uint64_t *gfn, const uint8_t *ad, size_t n)
{
    struct any *a = state;

    (void)now, (void)ad;
    for (size_t i = 0; i < n; i++) {
        if (!a->there[gfn[i]])
            a->page[a->nr++] = gfn[i];
        a->there[gfn[i]] = 1;
    }
}

static uint64_t victim(void *state, const struct reclaim_now *now)
{
    struct any *a = state;
    uint64_t gfn, at;

    a->random = a->random * 6364136223846793005 + 1442695040888963407;
    at = (a->random >> 33) % a->nr;
    gfn = a->page[at];
    a->page[at] = now->wanted;
    a->there[gfn] = 0;
    a->there[now->wanted] = 1;
    return gfn;
}

const struct reclaim_ops xenlab_reclaim_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct reclaim_ops), "random", init },
    .scan = scan,
    .victim = victim,
};
