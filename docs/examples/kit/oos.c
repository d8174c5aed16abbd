// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Out of sync: Xen's rule for stores to page tables that have shadows.
 *
 * Concept: who stores to a leaf table once is likely to store to it again before it matters: the processor looks at new
 * entries at once, but at changed ones only after a flush. So the table becomes writable, and all that was stored is
 * found at the flush, by comparing; for a handful of stores that costs less than a fault for each. At most three tables
 * a vCPU are out of sync (the workload's `oos` says how many), since each of them is compared at each flush. Roots are
 * emulated. Who has to go for want of a frame is who has not been walked since the last one went; of those, and if there
 * are none of all, the oldest.
 *
 *   cc -shared -fPIC -Iinclude -o oos.so docs/examples/kit/oos.c
 *   xenlab kit shadow --policy ./oos.so --workload docs/examples/kit/forks.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include "xenlab/kit.h"

static int on_write(void *state, const struct shadow_now *now, const struct shadow_page *page, unsigned int off)
{
    (void)state, (void)now, (void)off;
    return page->level == 1 ? SHADOW_OUT_OF_SYNC : SHADOW_EMULATE;
}

static uint64_t evict(void *state, const struct shadow_now *now, const struct shadow_page *page, size_t n)
{
    const struct shadow_page *victim = NULL;

    (void)state, (void)now;
    for (size_t i = 0; i < n; i++) {
        const struct shadow_page *p = &page[i];

        if (!p->busy && (!victim || p->accessed < victim->accessed ||
                         (p->accessed == victim->accessed && p->made < victim->made)))
            victim = p;
    }
    return victim->mfn;
}

const struct shadow_ops xenlab_shadow_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct shadow_ops), "oos", NULL },
    .on_write = on_write,
    .evict = evict,
};
