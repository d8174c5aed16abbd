// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load balancing that evens out all it sees, at once.
 *
 * Concept: a vCPU's load is the time in which it had work, whether it ran or not; a pCPU's is that of its vCPUs. As long
 * as there is a vCPU on the busiest pCPU that would make the least busy one no busier than that, it goes there. What was
 * so in the last tick need not be so in the next: who is moved for it has a cold cache, for nothing.
 *
 *   cc -shared -fPIC -Iinclude -o greedy.so docs/examples/kit/greedy.c
 *   xenlab kit balance --policy ./greedy.so --workload docs/examples/kit/flutter.txt --svg chart.svg
 */
#include "xenlab/kit.h"

static void tick(void *state, const struct balance_host *host, const struct vcpu_load *load, size_t n, uint8_t *pcpu)
{
    uint64_t all[64] = { 0 };

    (void)state;
    for (size_t i = 0; i < n; i++)
        all[pcpu[i]] += load[i].used + load[i].waited;
    for (size_t moves = 0; moves < n; moves++) {
        size_t best = n;
        uint8_t from = 0, to = 0;

        for (uint8_t p = 1; p < host->pcpus; p++) {
            from = all[p] > all[from] ? p : from;
            to = all[p] < all[to] ? p : to;
        }
        for (size_t i = 0; i < n; i++) /* the largest that does not make `to` the busier of the two */
            if (pcpu[i] == from && load[i].used + load[i].waited &&
                2 * (load[i].used + load[i].waited) <= all[from] - all[to] &&
                (best == n || load[i].used + load[i].waited > load[best].used + load[best].waited))
                best = i;
        if (best == n)
            return;
        all[from] -= load[best].used + load[best].waited;
        all[to] += load[best].used + load[best].waited;
        pcpu[best] = to;
    }
}

const struct balance_ops xenlab_balance_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct balance_ops), "greedy", NULL },
    .tick = tick,
};
