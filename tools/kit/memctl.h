// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memctl: what its files share. A host's memory, VMs with working sets that change, and a balloon in each of them.
 *
 * Concept: a second of the model is three things, in this order.
 *
 *      use        each VM touches its working set. What of it is not there (the working set is larger than what the VM
 *                 has) comes back from the swap device, as far as that is fast enough, and as much goes out for it
 *      decide     tick() is told what was measured, and sets targets
 *      move       balloons give, then take, at most `rate` each. What a balloon takes from the guest beyond what is
 *                 unused, the guest has to write out first: no faster than its swap device
 *
 *      host   |  reserve  |  free to give  |  VM 0: have            |  VM 1: have     |
 *                                          |  working set  | unused |  floor |
 *
 * What it leaves out: page sharing, the host's own swapping, pages that are dropped instead of written out, NUMA.
 *
 * Invariants: what VMs have and what is free is always the host's total. No VM has more than its max.
 */
#ifndef TOOLS_KIT_MEMCTL_H
#define TOOLS_KIT_MEMCTL_H

#include "tools/kit/workload.h"

#define MEMCTL_MAX_STEPS 3600
#define MEMCTL_MAX_TIME  14400 /* s */
#define MEMCTL_TURN      10    /* s: within so many a balloon that goes the other way oscillates */

/* The working set for so many seconds: anything in from..to each second, or from `from` to `to` evenly. */
struct memctl_step {
    uint64_t from, to, seconds; /* MiB; seconds 0: for ever */
    bool grows;
};

/* One second of a VM, for charts. */
struct memctl_second {
    uint32_t have, needs;
};

struct memctl_vm {
    char name[KIT_NAME];
    uint64_t memory, floor, max; /* as the workload says; memory: at the beginning */
    struct memctl_step step[MEMCTL_MAX_STEPS];
    unsigned int nr_steps;

    struct vm_mem now; /* what is told: have is also the truth */
    uint64_t needs;    /* its working set in this second */
    uint64_t forced;   /* what its balloon made it write out, since the last tick */
    int way;           /* its balloon last went: 1 up, -1 down, 0: it has not moved */
    uint64_t moved_at; /* when */
    uint64_t in, out, lacking, below, turns, unused;
    struct memctl_second *second; /* one for each that is over */
};

struct memctl {
    struct memctl_vm vm[MEMCTL_MAX_VMS];
    unsigned int nr_vms;
    struct mem_host host;
    uint64_t swap, time, seed; /* MiB a second; s */
    uint64_t over;             /* seconds that are */
    uint64_t drained, moved, settled, least;
    uint32_t *free_at; /* the host's, one for each second that is over */
};

/* memctl_load.c */
void *memctl_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void memctl_free(void *model);
/* memctl_svg.c */
void memctl_svg(const void *model, FILE *f, const char *title);

/* memctl.c: what a second has in it, for who has its facts from elsewhere (balloon.c) */
/* A second is over: now and needs of each VM, and host.free, are counted. */
void memctl_second(struct memctl *m);
/* target[] is what was said last, and then what is said now. False: a->why. */
bool memctl_decide(struct memctl *m, struct kit_asked *a, uint64_t *target);
/* Its balloon has gone up (1) or down (-1) by so much. */
void memctl_moved(struct memctl *m, struct memctl_vm *vm, int way, uint64_t mib);

#endif
