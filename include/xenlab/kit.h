// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kits: algorithms of a hypervisor, tried apart from it.
 *
 * Concept: a hypervisor, and the tools around it, decide the same few things over and over: who gets how much memory,
 * which pages are sent next, who runs where. A kit is a model of the rest of the machine around one such decision. It
 * tells facts, gets decisions, and measures what came of them (docs/kits.md). The algorithm is yours: one C file, which
 * becomes a shared object and exports one table.
 *
 *      #include "xenlab/kit.h"
 *
 *      static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
 *      { ... }
 *
 *      const struct memctl_ops xenlab_memctl_ops = {
 *          .k = { XENLAB_KIT_ABI, sizeof(struct memctl_ops), "mine", init },
 *          .tick = tick,
 *      };
 *
 *      cc -shared -fPIC -Iinclude -o even.so docs/examples/kit/even.c
 *      xenlab kit memctl --policy ./even.so --workload docs/examples/kit/phases.txt
 *
 * It runs in a process of its own, in a sandbox, and is asked one question after the other. What it is given is all
 * that it sees: copies, without a pointer to anything of the model's, and nothing of what is still to come. What is
 * pointed to is valid during the call. Functions are called one at a time. Time is the model's; the host's clock tells
 * nothing.
 *
 * Invariants: the same facts and the same seed are to give the same decisions. A table's `size` is that of the struct
 * that it was compiled with: the table of an older header is not loaded.
 */
#ifndef XENLAB_KIT_H
#define XENLAB_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XENLAB_KIT_ABI 1

/* What all tables begin with. */
struct kit {
    uint32_t abi;     /* XENLAB_KIT_ABI */
    uint32_t size;    /* of the whole table */
    const char *name; /* of the algorithm, for reports; at most 63 characters */
    /*
     * Called once, before all else. What it returns is handed to every other function as `state`; NULL, or no function
     * here, is a state as well. `seed` is where random numbers may begin: it is another one with --seed.
     */
    void *(*init)(uint64_t seed);
};

/* --- memctl: how much memory each VM has --- */

/*
 * One host's memory is shared by VMs. Each VM has a balloon driver: told a target, it gives memory back to the host, or
 * takes some, a little each second. In Xen the target is memory/target in xenstore, written by `xl mem-set`, or by a
 * memory coordinator in dom0, which is what tick() is. (C. Waldspurger, "Memory Resource Management in VMware ESX
 * Server", OSDI 2002, is where balloons come from.)
 *
 * All sizes are MiB. "The last second" is what was measured since the tick before.
 */

/* What is known of a VM. */
struct vm_mem {
    uint64_t have;   /* memory that it has now */
    uint64_t floor;  /* what its kernel cannot do without: it should never have less */
    uint64_t max;    /* static-max: it cannot have more */
    uint64_t unused; /* of `have`, what nothing in the VM has used in the last second; 0: it may want any amount more */
    uint64_t in;     /* read back from its swap device in the last second: it was used, and was not there */
    uint64_t out;    /* written to its swap device in the last second, for want of memory */
};

/* And of the host. */
struct mem_host {
    uint64_t now;     /* seconds since the beginning: 1 at the first tick */
    uint64_t total;   /* what VMs have, and what is free */
    uint64_t free;    /* what no VM has */
    uint64_t reserve; /* of that, what dom0 needs for itself: not to be given to VMs */
    uint64_t rate;    /* what a balloon gives or takes in a second, at most */
};

struct memctl_ops {
    struct kit k;
    /*
     * Once a second. vm[0..n-1] are always the same VMs in the same order. target[i] is what VM i is to have, and
     * holds what was said of it last (at first: what it has). Leave it, or write another. More than max is a mistake,
     * and ends the run. Less than floor is carried out. What VMs take, others need to have given: in a second all
     * balloons first give; then they take, in order, as long as the host has anything free, its reserve included.
     */
    void (*tick)(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target);
};

#endif
