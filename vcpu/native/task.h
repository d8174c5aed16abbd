// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks: the pieces that the code of a native domain is cut into.
 *
 * Concept: a native domain has no stacks that could be switched, so what it does is a set of tasks, each of which is a
 * state and a function that does the next bit of work on it: a step. A step runs to its end; between two of them the
 * kernel looks whom else there is work for, and the hypervisor whether another vCPU should run. So a step has to be
 * short, and says by its answer whether it has more to do. A task without work is not ready and costs nothing, until an
 * event, a time or another task makes it ready.
 *
 *               task_ready(), its port fires, its time has come
 *      waiting ------------------------------------------------> ready (at the end of the queue)
 *         ^                                                        |
 *         |  step() false: nothing left to do                      |  its turn
 *         +--------------------------------------------------- running -- step() true: ready again, behind the others
 *
 * Invariants: a task is in the ready queue at most once, so being made ready ten times means one step at least, not
 * ten. One that is made ready while its own step runs is ready again afterwards, whatever the step answers: no event is
 * lost.
 *
 * Time passes in a step by what it does: CLOCK_NS_PER_STEP, its hypercalls, and what it says itself by task_charge().
 *
 * Corresponds to tasklets (xen/common/tasklet.c) and to what a driver domain's kernel makes of threads.
 */
#ifndef VCPU_NATIVE_TASK_H
#define VCPU_NATIVE_TASK_H

#include "sim/types.h"

#include <xen/event_channel.h>

struct native_kernel;
struct task;
struct task_ring;

struct task_ops {
    const char *name; /* of the kind of task: tasks of the same ops are counted together */
    /*
     * Do at most `budget` units of work (requests, entries, frames). True: there is more to do. The step may end its
     * own task (task_end()), if it answers false then.
     */
    bool (*step)(struct task *t, unsigned int budget);
    /* For who looks: its shared rings that this port is for (vcpu/native/ring.h). How many. NULL: it has none. */
    size_t (*rings)(const struct task *t, evtchn_port_t port, struct task_ring *r);
};

/* All tasks of the same ops, those that have ended included. */
struct task_kind {
    const struct task_ops *ops;
    uint64_t steps;
    s_time_t ns;
};

struct task {
    const struct task_ops *ops;
    void *data; /* the state, the step's own business */
    struct native_kernel *kernel;
    struct task_kind *kind;
    s_time_t ns;       /* what its steps have cost */
    struct task *next; /* in the ready queue */
    bool ready;
    s_time_t due; /* when it is to be made ready; 0: not by time */
    struct task *next_due;
};

/* Nothing is allocated; the caller owns t, and ends it before it goes. */
void task_init(struct task *t, struct native_kernel *k, const struct task_ops *ops, void *data);
/*
 * Harmless for a task that was never initialised (all zero), or has ended. Its ports are taken from it before
 * (native_bind()).
 */
void task_end(struct task *t);

/* There is work. */
void task_ready(struct task *t);
/*
 * There will be at system time `due`; 0: there will not. The kernel has timers (native_timers_start()). One time a
 * task: the last one counts.
 */
void task_ready_at(struct task *t, s_time_t due);

/* In a step of t: it has carried out so many requests, or anything that is as much work, and copied so many bytes. */
void task_charge(struct task *t, unsigned int requests, size_t bytes);

#endif
