// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A coordinator of memory, and a load balancer, that leave everything as it is: what others are measured against. (One
 * object may have tables of several kits.)
 *
 *   cc -shared -fPIC -Iinclude -o still.so docs/examples/kit/still.c
 *   xenlab kit memctl --policy ./still.so --workload docs/examples/kit/phases.txt
 *   xenlab kit balance --policy ./still.so --workload docs/examples/kit/uneven.txt
 */
#include "xenlab/kit.h"

static void memory_left(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    (void)state, (void)host, (void)vm, (void)n, (void)target;
}

static void vcpus_left(void *state, const struct balance_host *host, const struct vcpu_load *load, size_t n,
                       uint8_t *pcpu)
{
    (void)state, (void)host, (void)load, (void)n, (void)pcpu;
}

const struct memctl_ops xenlab_memctl_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "still", NULL },
    .tick = memory_left,
};

const struct balance_ops xenlab_balance_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct balance_ops), "still", NULL },
    .tick = vcpus_left,
};
