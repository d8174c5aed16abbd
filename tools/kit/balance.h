// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * balance: what its files share. vCPUs with work that comes and goes, pCPUs with a run queue each, and who moves vCPUs
 * from one to another.
 *
 * Concept: time passes in steps of a millisecond. Work comes as jobs, at the beginning of steps: how much depends on
 * the workload, seed and time alone. Then each pCPU goes through its queue from the front: a vCPU that has work runs
 * until it has none, or the step is over. Those that had their turn go to the end. So each runs a millisecond at a
 * time, and nobody who is on the same pCPU is more important. A job's latency is from when it came to when it is done.
 *
 *      pCPU 0:  | a       | b   | a       | c       |      queue: b c a
 *      pCPU 1:  | d | idle      | d | idle          |      queue: d        to move b or c here is the decision
 *
 * A move costs the vCPU `cold` or `far` of its own time, in which it gets nowhere. A second move before that is over
 * adds nothing: the cache is cold already. On another node than that where it began its work takes longer.
 *
 * What it leaves out: caches that several share, hyperthreads, a scheduler with weights or one that balances as well,
 * what a decision costs, vCPUs that wait for each other.
 *
 * Invariants: each vCPU is in one queue. What vCPUs used and what was idle is the time of all pCPUs. Work that has come
 * is done, or is left.
 */
#ifndef TOOLS_KIT_BALANCE_H
#define TOOLS_KIT_BALANCE_H

#include "tools/kit/workload.h"

#define BALANCE_MAX_PCPUS 64
#define BALANCE_MAX_VMS   64
#define BALANCE_MAX_STEPS 64
#define BALANCE_MAX_TIME  (UINT64_C(600000000000)) /* ns */
#define BALANCE_MAX_COST  (UINT64_C(1000000000))   /* ns, of a move */
#define BALANCE_MAX_TICKS 14400
#define BALANCE_MAX_JOBS  1000000
#define BALANCE_STEP      (UINT64_C(1000000)) /* ns */
#define BALANCE_UNDONE    UINT64_MAX

/* Anything in from..to percent of the time, for so many ns. */
struct balance_phase {
    uint64_t from, to, ns; /* ns 0: for ever */
};

struct balance_vm {
    char name[KIT_NAME];
    uint64_t vcpus, pcpu, every; /* pcpu: where all begin, or BALANCE_MAX_PCPUS; every: ns from a job to the next */
    struct balance_phase phase[BALANCE_MAX_STEPS];
    unsigned int nr_phases;
    unsigned int first; /* its first vCPU */

    uint64_t work, waited, lost; /* ns */
    uint64_t jobs, moves, far;   /* jobs: that are done */
};

struct balance_job {
    uint64_t at, work, done; /* when it came; ns; when it was done, or BALANCE_UNDONE */
};

struct balance_vcpu {
    unsigned int vm, pcpu, node; /* node: of its memory */
    struct balance_job *job;     /* all that have come, */
    uint64_t nr_jobs, head;      /* and the first that is not done: */
    uint64_t left;               /* what is left of it, ns */
    uint64_t cold;               /* ns that it will run in vain */
    uint64_t moved_at;
    uint64_t used, waited; /* since the last tick */
};

/* One pCPU in one tick, for charts: us. */
struct balance_tick {
    uint32_t used, waited;
};

struct balance {
    struct balance_host host;
    uint64_t time, seed, over; /* over: ticks */
    struct balance_vm vm[BALANCE_MAX_VMS];
    unsigned int nr_vms, nr_vcpus;
    struct balance_vcpu vcpu[BALANCE_MAX_VCPUS];
    uint16_t queue[BALANCE_MAX_PCPUS][BALANCE_MAX_VCPUS];
    unsigned int queued[BALANCE_MAX_PCPUS];
    uint64_t idle, spread, settled; /* ns; ns, of the busiest pCPU beyond the mean, of all ticks; ns */
    struct balance_tick *tick;      /* of each tick that is over, host.pcpus */
    uint32_t *moves;                /* behind each tick */
    uint64_t *scratch;              /* of as many as there may be jobs */
};

/* balance_run.c */
/* A millisecond passes. */
void balance_step(struct balance *b);
/* vCPU v goes to that pCPU, which is another one. */
void balance_move(struct balance *b, unsigned int v, unsigned int pcpu);
static inline unsigned int balance_node(const struct balance *b, unsigned int pcpu)
{
    return pcpu / (unsigned int)(b->host.pcpus / b->host.nodes);
}
/* balance_load.c */
void *balance_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void balance_free(void *model);
/* balance_svg.c */
void balance_svg(const void *model, FILE *f, const char *title);

#endif
