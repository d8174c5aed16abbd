// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emulate each store: what shadow page tables did at first. The shadow is always right, nothing is ever compared, and
 * each store to a table costs a fault; a table that begins a new life is cleared entry by entry, a fault for each. The
 * oldest shadow goes for want of a frame.
 *
 *   cc -shared -fPIC -Iinclude -o emulate.so docs/examples/kit/emulate.c
 *   xenlab kit shadow --policy ./emulate.so --workload docs/examples/kit/forks.txt
 */
#include "xenlab/kit.h"

static int on_write(void *state, const struct shadow_now *now, const struct shadow_page *page, unsigned int off)
{
    (void)state, (void)now, (void)page, (void)off;
    return SHADOW_EMULATE;
}

static uint64_t evict(void *state, const struct shadow_now *now, const struct shadow_page *page, size_t n)
{
    const struct shadow_page *victim = NULL;

    (void)state, (void)now;
    for (size_t i = 0; i < n; i++)
        if (!page[i].busy && (!victim || page[i].made < victim->made))
            victim = &page[i];
    return victim->mfn;
}

const struct shadow_ops xenlab_shadow_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct shadow_ops), "emulate", NULL },
    .on_write = on_write,
    .evict = evict,
};
