// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load balancing with hysteresis: only what lasts is evened out, one vCPU at a time.
 *
 * Concept: loads are averages over some ticks, so that what comes and goes is not seen. A vCPU is moved if the busiest
 * pCPU has much more to do than the least busy one, and if it has been where it is for a while. Moves within a node are
 * looked for first; to another node one goes for twice the difference, and home for less.
 *
 *   cc -shared -fPIC -Iinclude -o steady.so docs/examples/kit/steady.c
 *   xenlab kit balance --policy ./steady.so --workload docs/examples/kit/nodes.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include <stdlib.h>

#include "xenlab/kit.h"

#define GAP   40 /* percent of a pCPU's time: less is no reason to move anybody */
#define STAYS 5  /* ticks */

struct steady {
    uint64_t load[256]; /* by vCPU: of the ticks so far, the last ones most */
};

static void *init(uint64_t seed)
{
    (void)seed;
    return calloc(1, sizeof(struct steady));
}

static uint64_t node(const struct balance_host *host, uint8_t pcpu) { return pcpu / (host->pcpus / host->nodes); }

/* How much the busier pCPU must be ahead, percent. */
static uint64_t gap(const struct balance_host *host, const struct vcpu_load *v, uint8_t from, uint8_t to)
{
    if (node(host, from) == node(host, to))
        return GAP;
    return node(host, to) == v->node ? GAP / 2 : 2 * GAP;
}

static void tick(void *state, const struct balance_host *host, const struct vcpu_load *load, size_t n, uint8_t *pcpu)
{
    struct steady *s = state;
    uint64_t all[64] = { 0 }, best = 0;
    size_t who = n;
    uint8_t where = 0;

    for (size_t i = 0; i < n; i++) {
        s->load[i] = (7 * s->load[i] + load[i].used + load[i].waited) / 8;
        all[pcpu[i]] += s->load[i];
    }
    for (size_t i = 0; i < n; i++)
        for (uint8_t to = 0; to < host->pcpus; to++) {
            const uint8_t from = pcpu[i];
            const uint64_t ahead = all[from] > all[to] ? all[from] - all[to] : 0;
            const uint64_t enough = host->tick * gap(host, &load[i], from, to) / 100;

            /* What is gained: by how much less busy the busier one of the two will be. */
            if (load[i].still >= STAYS * host->tick && ahead > enough && s->load[i] < ahead &&
                (s->load[i] < ahead - s->load[i] ? s->load[i] : ahead - s->load[i]) > best) {
                best = s->load[i] < ahead - s->load[i] ? s->load[i] : ahead - s->load[i];
                who = i;
                where = to;
            }
        }
    if (who < n && best > host->tick / 20)
        pcpu[who] = where;
}

const struct balance_ops xenlab_balance_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct balance_ops), "steady", init },
    .tick = tick,
};
