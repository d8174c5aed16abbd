// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A memory coordinator: how much memory each VM of a host is to have.
 *
 * Concept: what a VM needs is not told, but what it has not used in the last second is, and whether it had to read from
 * its swap device. From that come, each second, three numbers for each VM, and then what is done about them:
 *
 *      need      what it has used at most in the last while; more than it has, if that was not enough
 *      want      that, and a margin, so that it does not have to wait when it grows
 *      share     that, or less, if all together want more than there is
 *      target    who has less than its share, and little unused, is given what the host can spare. Nobody is taken from
 *                until somebody wants it: memory that lies idle in a VM does no harm there
 *
 *      have      |=== used ===|---- unused ----|
 *      need      |=================|                    it was there 5 s ago
 *      want      |=================|+ margin +|
 *                                             |-----|   may be taken
 *
 * Invariants: no target is less than a floor. What the host has free beyond its reserve is all that is given: what
 * others are about to give is free in the next second. (C. Waldspurger, "Memory Resource Management in VMware ESX
 * Server", 2002, has a tax on what is idle instead.)
 */
#include <stdlib.h>

#include "xenlab/kit.h"

#define WHILE  15 /* s */
#define MARGIN 32 /* MiB */

/* What is remembered of a VM. */
struct history {
    uint64_t used[WHILE]; /* MiB, in second t: used[t % WHILE]; 0: it was not there yet */
};

struct coordinator {
    struct history *of; /* one for each VM; NULL before the first tick */
};

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* --- what is to be written --- */

/* What it needs, in MiB, as far as is known at host->now. May be more than its max. */
static uint64_t need(struct history *h, const struct mem_host *host, const struct vm_mem *vm)
{
    uint64_t n = 0;

    h->used[host->now % WHILE] = vm->have - vm->unused + (vm->in ? host->rate : 0);
    for (size_t t = 0; t < WHILE; t++)
        n = most(n, h->used[t]);
    return n;
}

/* What it should have, if there is enough: not less than its floor, and not more than its max. */
static uint64_t want(const struct vm_mem *vm, uint64_t needs)
{
    return least(vm->max, most(vm->floor, needs + MARGIN));
}

/* What VM i has if nobody has more than `level`, but for floors. */
static uint64_t at_level(const struct vm_mem *vm, uint64_t wants, uint64_t level)
{
    return most(vm->floor, least(wants, level));
}

/* What they want, made less where it is more than `all` together: who wants little has that. */
static void share(uint64_t all, const struct vm_mem *vm, size_t n, uint64_t *wants)
{
    uint64_t low = 0, high = all;

    while (low < high) {
        const uint64_t level = low + (high - low + 1) / 2;
        uint64_t sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += at_level(&vm[i], wants[i], level);
        if (sum <= all)
            low = level;
        else
            high = level - 1;
    }
    for (size_t i = 0; i < n; i++)
        wants[i] = at_level(&vm[i], wants[i], low);
}

/* Is it to be given memory? */
static bool asks(const struct vm_mem *vm, uint64_t wants) { return vm->have < wants && vm->unused < MARGIN / 2; }

/* What each is to have next, of what it wants. */
static void move(const struct mem_host *host, const struct vm_mem *vm, size_t n, const uint64_t *wants,
                 uint64_t *target)
{
    const uint64_t spare = host->free > host->reserve ? host->free - host->reserve : 0;
    uint64_t asked = 0, excess = 0, given, taken;

    for (size_t i = 0; i < n; i++) {
        asked += asks(&vm[i], wants[i]) ? wants[i] - vm[i].have : 0;
        excess += vm[i].have > wants[i] ? vm[i].have - wants[i] : 0;
    }
    given = least(asked, spare);
    taken = host->free < host->reserve ? asked + host->reserve - host->free : asked - given;
    taken = least(taken, excess);
    for (size_t i = 0; i < n; i++) {
        target[i] = vm[i].have;
        if (asks(&vm[i], wants[i]))
            target[i] += (wants[i] - vm[i].have) * given / asked;
        else if (vm[i].have > wants[i])
            target[i] -= ((vm[i].have - wants[i]) * taken + excess - 1) / excess; /* rounded up: no MiB is missing */
    }
}

/* --- the table --- */

static void *init(uint64_t seed)
{
    (void)seed;
    return calloc(1, sizeof(struct coordinator));
}

static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    struct coordinator *c = state;
    uint64_t *wants = calloc(n, sizeof(*wants));

    if (c && !c->of)
        c->of = calloc(n, sizeof(*c->of));
    if (c && c->of && wants) {
        for (size_t i = 0; i < n; i++)
            wants[i] = want(&vm[i], need(&c->of[i], host, &vm[i]));
        share(host->total > host->reserve ? host->total - host->reserve : 0, vm, n, wants);
        move(host, vm, n, wants, target);
    }
    free(wants);
}

extern const struct memctl_ops xenlab_memctl_ops;
const struct memctl_ops xenlab_memctl_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "share", init },
    .tick = tick,
};
