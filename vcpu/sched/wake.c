// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs that can run, and that cannot: what all policies have in common.
 *
 * Concept: three things happen to a vCPU. It stops being able to run (blocks, is paused): vcpu_sleep_nosync(). It is
 * able again (an event, unpause): vcpu_wake(). A pCPU asks who is next: sched_schedule() (core.c). Around these the
 * time is kept that a vCPU spent in each runstate.
 *
 *                    vcpu_wake                 do_schedule picks it
 *    blocked/offline ---------->  runnable  ------------------------>  running
 *          ^                          |   <------------------------       |
 *          |     vcpu_sleep_nosync    |       slice over, preempted       |
 *          '--------------------------+-----------------------------------'
 *
 * Invariants:
 *  - v->sched_awake says what the policy was last told; it is brought in line with vcpu_runnable(v) at every wake and
 *    sleep.
 *  - The four runstate times plus the time since state_entry_time add up to the vCPU's age, whatever happens.
 *
 * Simplifies xen/common/sched/core.c: one host thread, so "nosync" sleeping is the only kind, and no locks.
 */
#include "vcpu/sched/private.h"

#include "evtchn/evtchn.h"

/* --- runstates --- */

/* Why v goes from one runstate to another, as far as that can be seen in v; for the trace. */
static enum trace_run_why runstate_why(const struct vcpu *v, int old, int state)
{
    const struct domain *d = v->domain;

    switch (state) {
    case RUNSTATE_running: return TRACE_RUN_SCHEDULED;
    case RUNSTATE_runnable:
        return old == RUNSTATE_running   ? TRACE_RUN_PREEMPTED
               : old != RUNSTATE_blocked ? TRACE_RUN_RESUMED
               : v->poll_timed_out       ? TRACE_RUN_TIMEOUT
                                         : TRACE_RUN_EVENT;
    case RUNSTATE_blocked: return v->pause_flags & VPF_poll ? TRACE_RUN_POLL : TRACE_RUN_BLOCK;
    default:
        return d->is_shutting_down || d->is_dying                                     ? TRACE_RUN_SHUTDOWN
               : v->pause_flags & VPF_down || !v->is_initialised                      ? TRACE_RUN_DOWN
               : v->pause_flags & VPF_migrating && !v->pause_count && !d->pause_count ? TRACE_RUN_MIGRATING
                                                                                      : TRACE_RUN_PAUSED;
    }
}

void vcpu_runstate_change(struct vcpu *v, int state, s_time_t now)
{
    struct vcpu_runstate_info *rs = &v->runstate;
    const s_time_t delta = now - (s_time_t)rs->state_entry_time;
    const struct trace *t = &v->domain->xen->machine->edges->trace;

    if (rs->state == state)
        return;
    TRACE_ABOUT(v, runstate, rs->state, state, runstate_why(v, rs->state, state), t->port ? t->port : TRACE_NONE);
    /* A pCPU may be a little behind the one that set state_entry_time: no time has passed then, and none gets lost. */
    if (delta > 0) {
        rs->time[rs->state] += (uint64_t)delta;
        rs->state_entry_time = (uint64_t)now;
    }
    rs->state = state;
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
    const s_time_t delta = NOW(v->domain->xen) - (s_time_t)v->runstate.state_entry_time;

    *out = v->runstate;
    if (delta > 0)
        out->time[out->state] += (uint64_t)delta;
}

int sched_runstate_off_cpu(const struct vcpu *v)
{
    if (v->pause_flags & (VPF_blocked | VPF_poll))
        return RUNSTATE_blocked;
    return vcpu_runnable(v) || v->pause_flags == VPF_migrating ? RUNSTATE_runnable : RUNSTATE_offline;
}

/* --- sleeping and waking --- */

void vcpu_wake(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;
    const s_time_t now = NOW(v->domain->xen);

    if (!v->is_running)
        vcpu_runstate_change(v, sched_runstate_off_cpu(v), now);
    if (!vcpu_runnable(v) || v->sched_awake)
        return;
    v->sched_awake = true;
    if (s->ops->wake)
        s->ops->wake(s, v);
}

void vcpu_sleep_nosync(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;

    if (vcpu_runnable(v))
        return;
    if (!v->is_running)
        vcpu_runstate_change(v, sched_runstate_off_cpu(v), NOW(v->domain->xen));
    else
        sched_kick_cpu(v->domain->xen, v->processor);
    if (!v->sched_awake)
        return;
    v->sched_awake = false;
    if (s->ops->sleep)
        s->ops->sleep(s, v);
}

void vcpu_unblock(struct vcpu *v)
{
    if (!(v->pause_flags & (VPF_blocked | VPF_poll)))
        return;
    v->pause_flags &= ~(VPF_blocked | VPF_poll);
    /* A poll ends as soon as any event wakes the vCPU, not only one of the ports it polls. */
    if (v->poll_evtchn) {
        v->poll_evtchn = 0;
        v->domain->poll_mask &= ~(UINT64_C(1) << v->vcpu_id);
    }
    vcpu_wake(v);
}

void vcpu_block(struct vcpu *v)
{
    v->pause_flags |= VPF_blocked;
    /* SCHEDOP_block means "sleep until an event": with the mask set no event could ever end it. */
    v->vcpu_info->evtchn_upcall_mask = 0;
    if (local_events_need_delivery(v)) {
        v->pause_flags &= ~VPF_blocked;
        return;
    }
    vcpu_sleep_nosync(v);
}

void vcpu_yield(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;

    if (!v->is_running)
        return;
    if (s->ops->yield)
        s->ops->yield(s, v);
    sched_kick_cpu(v->domain->xen, v->processor);
}

#define SPIN_FILTER 32            /* PAUSEs in a row, */
#define SPIN_GAP    MICROSECS(10) /* none of them later than this after the one before */

/*
 * Somebody spins, perhaps for what a vCPU holds that cannot run because of him. A few rounds are cheaper than a context
 * switch, which is why processors have a filter: Xen sets 4000 PAUSEs, each at most 1000 cycles behind the one before.
 * Here a PAUSE takes as long as an exit does, so 32 are about the same time.
 */
bool vcpu_spins(struct vcpu *v)
{
    const s_time_t now = NOW(v->domain->xen);

    if (now - v->spin_last > SPIN_GAP)
        v->spins = 0;
    v->spin_last = now;
    if (++v->spins < SPIN_FILTER)
        return false;
    v->spins = 0;
    vcpu_yield(v);
    return true;
}
