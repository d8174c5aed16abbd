// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab compare`: one kernel, run once by each technique of virtualization, side by side.
 *
 * Concept: a technique is a row (technique.c): which of the kernel's two binaries, how the domain is made, where the
 * kernel runs, and which exits of the simulator hardware would have taken, too. A run (trial.c) gives counts, which are
 * facts: of the guest, and the same each time. What they would cost is a model: counts times prices (costs.c), which
 * stand in one table that is printed and can be changed.
 *
 *      technique.c   the rows           costs.c   prices
 *      trial.c       one run            table.c   text, JSON, SVG
 *
 * Invariants: nothing that is printed depends on the host, but for host time, which is left out where outputs are to be
 * equal. A cell is WRONG if its hash is not the one that a processor of one's own gives.
 */
#ifndef UI_COMPARE_COMPARE_H
#define UI_COMPARE_COMPARE_H

#include "sim/pcpu.h"
#include "sim/types.h"

#include <stdio.h>

#define COMPARE_ERR_SIZE 2560

/* ------------------------------------------------------------------------------------------------------- prices -- */

/* What there is to pay for: name in a file of costs, ns. */
#define COMPARE_COSTS(X)                                                                                               \
    X(exit, 500, "#VMEXIT and VMRUN: out of guest mode, and in again")                                                 \
    X(trap, 200, "from ring 1 or 3 into Xen and out: SYSCALL, INT, an exception")                                      \
    X(bounce, 100, "what Xen hands on to a PV guest's own handler")                                                    \
    X(interpret, 20, "an instruction that is interpreted")                                                             \
    X(reference, 10, "an entry of a page table that is read when the TLB misses: in walk ns")

enum compare_cost {
#define X(name, ns, what) COST_##name,
    COMPARE_COSTS(X)
#undef X
        COSTS
};

struct compare_costs {
    uint64_t ns[COSTS];
};

void costs_default(struct compare_costs *c);
/* Lines of "NAME NS"; # opens a comment. 0, or -1 and a message with the line. */
int costs_read(struct compare_costs *c, const char *path, char err[COMPARE_ERR_SIZE]);
const char *cost_name(enum compare_cost cost);
const char *cost_what(enum compare_cost cost);

/* --------------------------------------------------------------------------------------------------- techniques -- */

struct technique {
    const char *name;
    const char *kernel_at;       /* the ring that its kernel runs in */
    const char *binary;          /* "native" or "pv" */
    const char *options[8];      /* of the domain, as words of xenlab run; ended by NULL */
    uint64_t exits;              /* a bit an enum sim_exit_kind: hardware would leave the guest, too */
    enum compare_cost exit_cost; /* of each */
    bool interprets;             /* each instruction is paid for */
    bool bounces;                /* exceptions and INT come back to the guest through Xen */
    bool shadow;                 /* hardware's help, but for paging: of exceptions #PF alone is an exit */
    unsigned int refs_book;      /* entries that a miss reads at most, by the book; 0: there is no TLB */
    bool own_probes;             /* the holes must look like a processor's */
};
const struct technique *technique_at(size_t i); /* NULL: there are no more */

/* --------------------------------------------------------------------------------------------------------- runs -- */

struct compare_run {
    const struct technique *technique;
    bool done;             /* it has come to its last line */
    uint64_t hash, probes; /* that it said */
    unsigned int nr_probes, nr_holes;
    char holes[160];              /* probes that tell of another machine: "POPF, STR" */
    uint64_t insns, exits;        /* exits: those that count */
    uint64_t kind[EXIT_NR_KINDS]; /* those that count, by kind */
    uint64_t table_writes;        /* entries of page tables that Xen was asked for, or emulated */
    s_time_t vtime;
    uint64_t misses, refs;    /* of the TLB, and entries that they read */
    uint64_t vmm_ns, walk_ns; /* the model */
    s_time_t host_time;
};

/* What is run. */
struct compare_input {
    const char *guest; /* a folder with NAME.native and NAME.pv, NAME being its own */
    uint64_t seed;
    const char *segments; /* as --segments of xenlab run; NULL: not said */
};

/* 0, or -1 and a message. */
int compare_try(struct compare_run *r, const struct technique *t, const struct compare_input *in,
                const struct compare_costs *costs, char err[COMPARE_ERR_SIZE]);

/* Parts of it, for paging.c. GUEST/NAME.BINARY, or below build/: false, it is not there. */
#define COMPARE_NAME_SIZE 64
#define COMPARE_PATH_SIZE 600
bool compare_find(const char *guest, const char *binary, char name[COMPARE_NAME_SIZE], char path[COMPARE_PATH_SIZE]);
/* Until all guests are gone, or the time is up. */
struct run_options;
struct host;
void compare_go(const struct run_options *o, struct host *h);
s_time_t compare_real_now(void);

struct compare_table {
    const char *guest;
    uint64_t seed;
    const struct compare_costs *costs;
    const struct compare_run *runs;
    size_t nr;
    bool host_time;
};
void compare_text(const struct compare_table *t, FILE *out);
void compare_json(const struct compare_table *t, FILE *out);
void compare_svg(const struct compare_table *t, FILE *out);

#endif
