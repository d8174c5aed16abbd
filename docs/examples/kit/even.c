// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A coordinator that shares what nobody uses: each VM has what it uses, and the same margin.
 *
 * Concept: what is unused anywhere, in VMs or the host, is one heap, and everybody gets an equal part of it. That is
 * fair, needs no state, and asks nobody who wants what: a VM that lacks memory shows 0 unused, and so gets a part. It
 * also moves memory whenever anything changes: count its oscillations with docs/examples/kit/noise.txt.
 *
 *   cc -shared -fPIC -Iinclude -o even.so docs/examples/kit/even.c
 *   xenlab kit memctl --policy ./even.so --workload docs/examples/kit/phases.txt --svg chart.svg
 *
 * Start your own from this file. What is told, and what is asked, is said in include/xenlab/kit.h.
 */
#include "xenlab/kit.h"

static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    uint64_t heap = host->free > host->reserve ? host->free - host->reserve : 0;

    (void)state;
    for (size_t i = 0; i < n; i++)
        heap += vm[i].unused;
    for (size_t i = 0; i < n; i++) {
        target[i] = vm[i].have - vm[i].unused + heap / n;
        if (target[i] < vm[i].floor)
            target[i] = vm[i].floor;
        if (target[i] > vm[i].max)
            target[i] = vm[i].max;
    }
}

const struct memctl_ops xenlab_memctl_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "even", NULL },
    .tick = tick,
};
