// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All pCPUs flush, always: nobody can have a stale entry, and what others are measured against.
 *
 *   cc -shared -fPIC -Iinclude -o everybody.so docs/examples/kit/everybody.c
 *   xenlab kit tlbflush --policy ./everybody.so --workload docs/examples/kit/tenants.txt --svg chart.svg
 */
#include "xenlab/kit.h"

static uint64_t who(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n)
{
    (void)state, (void)now, (void)stamp;
    return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

const struct tlbflush_ops xenlab_tlbflush_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct tlbflush_ops), "everybody", NULL },
    .who = who,
};
