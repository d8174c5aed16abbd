// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has flushed since the page was freed need not flush again; of a right that was taken, only those are asked that
 * have run its domain.
 *
 * Concept: an entry of the page can have come into a TLB only before the page was unmapped, and is gone when the pCPU
 * has flushed since then: its stamp is later than the page's. As the clock wraps, "later" is not "greater". When it
 * does, all pCPUs flush, once. From then on a page's stamp that is ahead of the clock is from before the wrap, and all
 * have flushed since. One that is not ahead is of this time, or was, and then a flush is wasted. Both are safe.
 *
 *   cc -shared -fPIC -Iinclude -o stamps.so docs/examples/kit/stamps.c
 *   xenlab kit tlbflush --policy ./stamps.so --workload docs/examples/kit/tenants.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include "xenlab/kit.h"

static uint64_t who(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n)
{
    uint64_t mask = 0;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const bool since = stamp[i] > now->stamp || now->stamp > now->clock;
        const bool ran = now->cause != TLB_REVOKE || now->ran >> i & 1;

        if (now->cause == TLB_WRAP || (ran && !since))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

const struct tlbflush_ops xenlab_tlbflush_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct tlbflush_ops), "stamps", NULL },
    .who = who,
};
