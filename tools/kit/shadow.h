// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shadow: what its files share. Guests with page tables of their own, and the shadows that the processor really walks.
 *
 * Concept: each guest has one vCPU and processes, each with a root table and leaf tables, as an x86 with two levels of
 * 512 entries. What a guest stores, loads into CR3, flushes and accesses follows from its workload and seed alone: the
 * guest's time stands still while the hypervisor works. So two algorithms get the same stores.
 *
 *      guest's table   shadow                          a store to it
 *      no shadow       -                               costs nothing
 *      in sync         entries that were used, as in   faults: on_write() says emulate it, out of sync, or unshadow
 *                      the guest's table; or empty
 *      out of sync     maybe older                     costs nothing, until CR3 is loaded or INVLPG: then all entries
 *                                                      are compared, and it is in sync again
 *
 * An access walks the shadows: a root that is not shadowed, or a leaf, is made so, empty, for which a frame of the pool
 * is needed; an entry that is empty, or allows less than the guest's, is filled in. One fault does all of it.
 *
 * What it leaves out: several vCPUs that share tables, large pages, more than two levels, guests that keep pointers to
 * a table in two roots, A and D bits, emulated instructions that store more than one entry.
 *
 * Invariants: a shadow that is walked is never older than the guest's last flush of it (`stale` counts where it is, and
 * is 0). The pool is never exceeded. A root that a vCPU has in CR3 keeps its shadow.
 */
#ifndef TOOLS_KIT_SHADOW_H
#define TOOLS_KIT_SHADOW_H

#include "tools/kit/workload.h"

#define SHADOW_MAX_GUESTS    8
#define SHADOW_MAX_PROCESSES 32
#define SHADOW_MAX_SLOTS     16 /* leaf tables of a process */
#define SHADOW_MAX_TABLES    4096
#define SHADOW_MAX_STEPS     32
#define SHADOW_MAX_OUT       64                      /* tables of a guest that are out of sync */
#define SHADOW_MAX_EVENTS    (UINT64_C(20000000))    /* in a run */
#define SHADOW_MAX_TIME      (UINT64_C(10000000000)) /* ns */
#define SHADOW_FIRST         4096                    /* mfn of table 0 */
#define SHADOW_ENTRIES       512
#define SHADOW_REMAP         32 /* entries that are made read-only at once */
#define SHADOW_COLUMNS       200

/* Of a guest's entry. Above bit 12: the page. */
#define SHADOW_P   1
#define SHADOW_W   2
#define SHADOW_COW 512 /* a bit that is left to software: not writable for the time being */

/* A table of a guest's, and its shadow if it has one. */
struct shadow_table {
    uint64_t entry[SHADOW_ENTRIES], shadow[SHADOW_ENTRIES];
    bool shadowed, out, accessed;
    uint8_t level;         /* 1: a leaf; 2: a root */
    uint64_t made, stores; /* when it was shadowed; stores that faulted since */
};

enum shadow_how { SHADOW_REST, SHADOW_WORK, SHADOW_FORK, SHADOW_EXEC, SHADOW_PROTECT };
struct shadow_step {
    enum shadow_how how;
    uint64_t every, ns; /* 0: never; for ever */
};

/* What came of a guest's doings. */
struct shadow_counts {
    uint64_t accesses, stores, faults, emulated, outs, resyncs, compared, unshadows, refills, made, evicted, cost;
};

struct shadow_process {
    uint64_t root, born;
};

struct shadow_guest {
    char name[KIT_NAME];
    uint64_t processes, slots, set, touch, swap; /* numbers; pages that a process accesses; ns */
    struct shadow_step step[SHADOW_MAX_STEPS];
    unsigned int nr_steps;

    /* How far it is: shadow_begin(). */
    struct shadow_process process[SHADOW_MAX_PROCESSES];
    uint64_t current, born, pages, random;
    uint64_t at_step, until, next_touch, next_swap, next_do; /* ns; UINT64_MAX: never */
    uint64_t *free[2], nr_free[2];                           /* leaf tables, roots */
    uint64_t first, nr_tables;                               /* of all tables, those that are its own */

    /* Of the hypervisor's. */
    uint64_t root;                        /* in CR3 */
    uint64_t out[SHADOW_MAX_OUT], nr_out; /* that are out of sync, those that are so longest first */
    struct shadow_counts count;
};

enum shadow_what { SHADOW_STORE, SHADOW_CR3, SHADOW_INVLPG, SHADOW_ACCESS };
struct shadow_event {
    enum shadow_what what;
    unsigned int guest;
    uint64_t time;
    uint64_t table, index; /* STORE: the entry, which is there already; INVLPG, ACCESS: of the leaf; CR3: the root */
    uint64_t slot;         /* ACCESS: the entry of the root */
    bool write;            /* ACCESS */
};

struct shadow_column {
    uint32_t faults, emulated, frames;
    uint64_t compared;
};

struct shadow {
    uint64_t fault, emulate, compare, make, drop, time, seed; /* ns */
    uint64_t frames, most_out;
    struct shadow_guest guest[SHADOW_MAX_GUESTS];
    unsigned int nr_guests;
    struct shadow_table *table;
    uint64_t nr_tables, events; /* in all, as they are known beforehand */

    uint64_t now, used, most, held, held_at, stale; /* held: frames times ns, up to held_at */
    struct shadow_column column[SHADOW_COLUMNS + 1];
};

/* shadow_guest.c */
/* Guests as they are at time 0, from the beginning of their programs. */
void shadow_begin(struct shadow *m);
/* What they do until the time is over, in order, as long as event() is true; returns whether it always was. */
bool shadow_guests(struct shadow *m, bool (*event)(struct shadow *m, const struct shadow_event *e, void *data),
                   void *data);
/* shadow_load.c */
void *shadow_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void shadow_free(void *model);
/* shadow_svg.c */
void shadow_svg(const void *model, FILE *f, const char *title);

#endif
