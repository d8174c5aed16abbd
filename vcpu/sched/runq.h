// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run queue that knows about affinity.
 *
 * Concept: a policy keeps its waiting vCPUs in some order (by credit, by deadline, first come first served) and a pCPU
 * takes the first that may run on it. A list is easy, but when the first 9,999 vCPUs are pinned elsewhere the pCPU
 * looks at all of them. So vCPUs with equal (hard, soft) affinity form a class; each class is a binary heap, the first
 * vCPU at index 0. A pCPU compares the heads of the classes that allow it. There are usually very few different masks,
 * however many vCPUs.
 *
 *     hard 0-3, soft 0-3:   a 3   d 5   b 9            pCPU 0 takes c, the smallest key of those that it may run;
 *     hard 0,   soft 0:     c 1   e 7                  pCPU 3 takes a
 *     hard 1-2, soft 1:     f 2
 *
 * Invariants: a node is in at most one run queue; equal keys come out in the order they were put in (a sequence
 * number); nothing depends on addresses.
 *
 * Xen's policies use linked lists and red-black trees and walk them (xen/common/sched/credit.c, credit2.c, rt.c).
 */
#ifndef VCPU_SCHED_RUNQ_H
#define VCPU_SCHED_RUNQ_H

#include "vcpu/noun/domain.h"

struct runq_class;
struct sched_snapshot;

/* Embedded in a policy's data of a vCPU. */
struct runq_node {
    struct vcpu *v;
    int64_t key;              /* smallest first */
    struct runq_class *class; /* NULL: not queued */
    size_t slot;
};

struct runq {
    struct runq_class **class;
    size_t nr_classes, cap;
    size_t nr; /* vCPUs waiting */
    uint64_t seq;
    uint64_t moves; /* of entries within the heaps: what keeping the order has cost */
};

void runq_destroy(struct runq *q);
/* Queue v (its affinity is read now: after a change, remove and insert again) behind all others with the same key. */
void runq_insert(struct runq *q, struct runq_node *n, struct vcpu *v, int64_t key);
/* The same, ahead of those with the same key: for a vCPU that was interrupted. */
void runq_insert_first(struct runq *q, struct runq_node *n, struct vcpu *v, int64_t key);
void runq_remove(struct runq *q, struct runq_node *n);
static inline bool runq_queued(const struct runq_node *n) { return n->class != NULL; }
/* The first that may run on cpu (soft: and wants to); it stays queued. NULL: none. */
struct runq_node *runq_first(const struct runq *q, unsigned int cpu, bool soft);
/* What a run queue knows for a snapshot (sched.h): whether, and where, it waits. */
void runq_snapshot(const struct runq_node *n, struct sched_snapshot *out);
/* After a decision: wake the idle pCPUs out of `cpus` that could run what is still queued. */
void runq_kick_idle(const struct runq *q, struct xen *xen, uint64_t cpus);

#endif
