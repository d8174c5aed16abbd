// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A coordinator that leaves everything as it is: what others are measured against.
 *
 *   cc -shared -fPIC -Iinclude -o still.so docs/examples/kit/still.c
 *   xenlab kit memctl --policy ./still.so --workload docs/examples/kit/phases.txt
 */
#include "xenlab/kit.h"

static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    (void)state, (void)host, (void)vm, (void)n, (void)target;
}

const struct memctl_ops xenlab_memctl_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "still", NULL },
    .tick = tick,
};
