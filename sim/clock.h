// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual time.
 *
 * Concept: the machine's clock counts nanoseconds of guest progress, not of the host: every retired instruction is
 * worth CLOCK_NS_PER_INSN, every exit and hypercall a fixed cost, and when every vCPU is idle the clock jumps to the
 * next timer. The same inputs therefore give the same trace on any host, loaded or not.
 *
 * Invariants: timers fire in order of expiry, ties in order of arming (a 64-bit sequence number), so the order never
 * depends on addresses; a timer is in the queue at most once; callbacks may arm and stop any timer, their own included.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "sim/arena.h"
#include "sim/types.h"

struct machine;

#define CLOCK_NS_PER_INSN      1
#define CLOCK_NS_PER_EXIT      500
#define CLOCK_NS_PER_HYPERCALL 200

/*
 * What native code costs, beside its hypercalls: it has no instructions that could be counted. The figures are those of
 * this program's own back ends, measured, and near what a processor of 1 GHz would need for as much work.
 *
 *      a step     300   finding out what is to be done: the upcall's scan, the ready queue, reading a ring's indices
 *      a unit     150   a request, an entry of a batch, a page: what hypercall_preempt_check() counts in the hypervisor, and
 *                       what a task says that it has done (task_charge())
 *      a KiB       57   copying it
 */
#define CLOCK_NS_PER_STEP 300
#define CLOCK_NS_PER_UNIT 150
#define CLOCK_NS_PER_KIB  57

typedef void timer_fn(void *data);

struct timer {
    timer_fn *fn;
    void *data;
    s_time_t expires;
    size_t slot; /* 1-based index into the heap; 0: not armed */
    /* for the trace, see timer_label() */
    uint8_t label;
    uint16_t domain, vcpu;
};

/* A timer's place in the queue. */
struct vclock_entry {
    s_time_t expires;
    uint64_t seq;
    struct timer *t;
};

struct vclock {
    struct arena *arena;
    struct machine *machine; /* whose it is, for the trace; NULL: nobody's */
    s_time_t now;
    uint64_t seq;
    struct vclock_entry *heap;
    size_t nr, cap;
    uint64_t moves; /* of entries within the heap: what keeping the order has cost */
};

/* arena: where its queue is to lie. */
void vclock_init(struct vclock *c, struct arena *arena);
void vclock_destroy(struct vclock *c);

void timer_init(struct timer *t, timer_fn *fn, void *data);
/* What it is, TIMER_*, and whose: a vCPU's, or another thing's of the domain (0), or nobody's (TRACE_NO_DOMAIN). */
void timer_label(struct timer *t, unsigned int label, unsigned int domain, unsigned int vcpu);
/* Arm (or re-arm) t for absolute time `expires`; in the past means at the next vclock_run(). */
void timer_set(struct vclock *c, struct timer *t, s_time_t expires);
/* Disarm; harmless when not armed. */
void timer_stop(struct vclock *c, struct timer *t);
static inline bool timer_armed(const struct timer *t) { return t->slot != 0; }

/* Expiry of the first timer, STIME_MAX when none. */
static inline s_time_t vclock_next(const struct vclock *c) { return c->nr ? c->heap[0].expires : STIME_MAX; }
/* Fire everything that has expired at c->now. */
void vclock_run(struct vclock *c);

#endif
