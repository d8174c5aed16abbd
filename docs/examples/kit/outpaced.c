// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-copy until the VM stores as fast as the link sends; pages that are dirty again are left out.
 *
 * Concept: a page that was stored to since the round began has to be sent once more, whatever is sent now. So it waits,
 * in this round and the next, until it has been quiet for one; what never is quiet, the writable working set, waits
 * until the VM is paused. To see which are quiet, look every `AT_ONCE` pages: a look costs time as well.
 *
 * A round is worth its time if it leaves fewer pages than the one before. If two in a row have not, then dirtying
 * outpaces sending, and more rounds would only send the same pages again.
 *
 *   cc -shared -fPIC -Iinclude -o outpaced.so docs/examples/kit/outpaced.c
 *   xenlab kit precopy --policy ./outpaced.so --workload docs/examples/kit/bursts.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include <stdlib.h>

#include "xenlab/kit.h"

#define AT_ONCE 256 /* pages sent between two looks */

struct outpaced {
    uint64_t least; /* pages that were left behind a round, at best */
    unsigned int in_vain;
};

static void *init(uint64_t seed)
{
    struct outpaced *o = calloc(1, sizeof(*o));

    (void)seed;
    if (o)
        o->least = UINT64_MAX;
    return o;
}

static bool stop(void *state, const struct precopy_now *now)
{
    struct outpaced *o = state;

    if (!now->round)
        return false;
    o->in_vain = now->left < o->least ? 0 : o->in_vain + 1;
    o->least = now->left < o->least ? now->left : o->least;
    return now->left < 50 || o->in_vain == 2;
}

static size_t order(void *state, const struct precopy_now *now, const uint64_t *todo, const uint64_t *again,
                    uint64_t *gfn, size_t max)
{
    size_t n = 0;

    (void)state;
    for (uint64_t g = 0; g < now->pages && n < max && n < AT_ONCE; g++)
        if ((todo[g / 64] & ~again[g / 64]) >> g % 64 & 1)
            gfn[n++] = g;
    return n;
}

const struct precopy_ops xenlab_precopy_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct precopy_ops), "outpaced", init },
    .stop = stop,
    .order = order,
};
