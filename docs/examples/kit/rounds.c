// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-copy by a number: five rounds, or fewer than 50 pages left, and each round sends all it has, as it comes.
 *
 * Concept: the numbers are those of Xen's toolstack (tools/libs/guest/xg_sr_save.c). They need to know nothing of the
 * VM: who stores to the same pages all the time has them sent five times, and who has stores to make at the wrong
 * moment has a long downtime. What others are measured against.
 *
 *   cc -shared -fPIC -Iinclude -o rounds.so docs/examples/kit/rounds.c
 *   xenlab kit precopy --policy ./rounds.so --workload docs/examples/kit/server.txt --svg chart.svg
 */
#include "xenlab/kit.h"

static bool stop(void *state, const struct precopy_now *now)
{
    (void)state;
    return now->round >= 5 || now->left < 50;
}

static size_t order(void *state, const struct precopy_now *now, const uint64_t *todo, const uint64_t *again,
                    uint64_t *gfn, size_t max)
{
    size_t n = 0;

    (void)state, (void)again;
    for (uint64_t g = 0; g < now->pages && n < max; g++)
        if (todo[g / 64] >> g % 64 & 1)
            gfn[n++] = g;
    return n;
}

const struct precopy_ops xenlab_precopy_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct precopy_ops), "rounds", NULL },
    .stop = stop,
    .order = order,
};
