// SPDX-License-Identifier: GPL-2.0-or-later
/* precopy's VM: it stores, is looked at, and is sent. precopy.h says how. */
#include "tools/kit/precopy.h"

#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define NEVER  UINT64_MAX

bool precopy_vm_begin(struct precopy_vm *vm)
{
    vm->here = calloc(vm->nr_pages, sizeof(*vm->here));
    vm->there = calloc(vm->nr_pages, sizeof(*vm->there));
    vm->todo = calloc(PRECOPY_MAP_WORDS(vm->nr_pages), sizeof(*vm->todo));
    vm->dirty = calloc(PRECOPY_MAP_WORDS(vm->nr_pages), sizeof(*vm->dirty));
    if (!vm->here || !vm->there || !vm->todo || !vm->dirty)
        return false;
    memset(vm->there, 0xff, vm->nr_pages * sizeof(*vm->there));
    for (uint64_t gfn = 0; gfn < vm->nr_pages; gfn++)
        vm->todo[gfn / 64] |= UINT64_C(1) << gfn % 64;
    vm->nr_todo = vm->nr_left = vm->nr_pages;
    vm->width = SECOND / 200;
    return true;
}

void precopy_vm_end(struct precopy_vm *vm)
{
    free(vm->here);
    free(vm->there);
    free(vm->todo);
    free(vm->dirty);
}

/* --- what charts show --- */

/* The stretch of now; where there are no more, two become one. */
static struct precopy_column *column(struct precopy_vm *vm)
{
    while (vm->now / vm->width >= PRECOPY_COLUMNS) {
        for (unsigned int i = 0; i < PRECOPY_COLUMNS / 2; i++) {
            const struct precopy_column *a = &vm->column[2 * i], *b = a + 1;
            struct precopy_column both = { .left = b->left };

            for (unsigned int r = 0; r < PRECOPY_ROWS; r++) {
                both.sent[r] = a->sent[r] + b->sent[r];
                both.stores[r] = a->stores[r] + b->stores[r];
            }
            vm->column[i] = both;
        }
        memset(vm->column + PRECOPY_COLUMNS / 2, 0, sizeof(vm->column) / 2);
        vm->width *= 2;
    }
    return &vm->column[vm->now / vm->width];
}

static uint64_t row(const struct precopy_vm *vm, uint64_t gfn) { return gfn * PRECOPY_ROWS / vm->nr_pages; }

uint64_t precopy_vm_columns(const struct precopy_vm *vm) { return vm->now / vm->width + (vm->now % vm->width > 0); }

/* --- it runs --- */

void precopy_vm_store(struct precopy_vm *vm, uint64_t gfn)
{
    const uint64_t bit = UINT64_C(1) << gfn % 64;

    vm->here[gfn] = (uint32_t)++vm->stores;
    column(vm)->stores[row(vm, gfn)]++;
    if (vm->stored)
        vm->stored(vm->of, gfn);
    if (vm->dirty[gfn / 64] & bit)
        return;
    vm->dirty[gfn / 64] |= bit;
    vm->nr_dirty++;
    vm->nr_left += !precopy_bit(vm->todo, gfn);
}

/* When a region stores next, if not after `end`; steps that are over by then have been left. */
static uint64_t store_next(struct precopy_region *g, uint64_t end)
{
    for (;;) {
        const struct precopy_step *s = &g->step[g->now];
        const uint64_t next = s->stores ? g->since + (g->nr + 1) * SECOND / s->stores : NEVER;

        if (!s->ns || next <= g->since + s->ns || g->since + s->ns > end)
            return next;
        g->since += s->ns;
        g->nr = 0;
        g->now = (g->now + 1) % g->nr_steps;
    }
}

static void region_store(struct precopy_vm *vm, struct precopy_region *g)
{
    const uint64_t random = workload_stir(workload_stir(vm->seed + 1) ^ (g->stores * PRECOPY_MAX_REGIONS + g->at + 1));

    precopy_vm_store(vm, g->at + (g->step[g->now].scans ? g->stores : random) % g->pages);
    g->stores++;
    g->nr++;
}

/* Of all regions' stores the next one is the next, so that stretches of charts are in their order. */
void precopy_vm_run(struct precopy_vm *vm, uint64_t ns)
{
    const uint64_t end = vm->now + ns;

    while (!vm->paused) {
        struct precopy_region *first = NULL;
        uint64_t at = NEVER;

        for (unsigned int i = 0; i < vm->nr_regions; i++) {
            const uint64_t next = store_next(&vm->region[i], end);

            if (next < at) {
                at = next;
                first = &vm->region[i];
            }
        }
        if (at > end)
            break;
        vm->now = at;
        region_store(vm, first);
    }
    if (ns)
        vm->now = end - 1, column(vm)->left = vm->nr_left;
    vm->now = end;
}

/* --- and is sent --- */

void precopy_vm_look(struct precopy_vm *vm)
{
    vm->looks++;
    precopy_vm_run(vm, vm->look);
}

void precopy_vm_clean(struct precopy_vm *vm)
{
    for (uint64_t w = 0; w < PRECOPY_MAP_WORDS(vm->nr_pages); w++) {
        vm->todo[w] |= vm->dirty[w];
        vm->dirty[w] = 0;
    }
    vm->nr_todo = vm->nr_left;
    vm->nr_dirty = 0;
}

void precopy_vm_send(struct precopy_vm *vm, uint64_t gfn)
{
    const bool dirty = precopy_bit(vm->dirty, gfn);

    if (precopy_bit(vm->todo, gfn)) {
        vm->todo[gfn / 64] &= ~(UINT64_C(1) << gfn % 64);
        vm->nr_todo--;
        vm->nr_left -= !dirty;
    }
    vm->sent++;
    vm->first += vm->there[gfn] == PRECOPY_NOWHERE;
    vm->vain += dirty;
    vm->last += vm->paused;
    vm->there[gfn] = vm->here[gfn];
    column(vm)->sent[row(vm, gfn)]++;
    for (unsigned int i = 0; i < vm->nr_regions; i++) {
        struct precopy_region *g = &vm->region[i];

        if (gfn < g->at || gfn - g->at >= g->pages)
            continue;
        g->sent++;
        g->last += vm->paused;
    }
    precopy_vm_run(vm, vm->page);
}

uint64_t precopy_vm_differ(const struct precopy_vm *vm)
{
    uint64_t n = 0;

    for (uint64_t gfn = 0; gfn < vm->nr_pages; gfn++)
        n += vm->here[gfn] != vm->there[gfn];
    return n;
}
