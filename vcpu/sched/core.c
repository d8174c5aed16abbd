// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler core: what all policies have in common.
 *
 * Concept: three things happen to a vCPU. It stops being able to run (blocks, is paused): vcpu_sleep_nosync(). It is able
 * again (an event, unpause): vcpu_wake(). A pCPU asks who is next: sched_schedule(). Around these the core keeps the time a vCPU
 * spent in each runstate, and checks what the policy answers, so that a mistake in a policy is named and not a guest crash.
 *
 *                    vcpu_wake                 do_schedule picks it
 *    blocked/offline ---------->  runnable  ------------------------>  running
 *          ^                          |   <------------------------       |
 *          |     vcpu_sleep_nosync    |       slice over, preempted       |
 *          '--------------------------+-----------------------------------'
 *
 * Invariants:
 *  - pcpu[c].curr == v exactly when v->is_running and v->processor == c.
 *  - v->sched_awake says what the policy was last told; it is brought in line with vcpu_runnable(v) at every wake and sleep.
 *  - The four runstate times plus the time since state_entry_time add up to the vCPU's age, whatever happens.
 *
 * Simplifies xen/common/sched/core.c: one host thread, so "nosync" sleeping is the only kind, and no locks.
 */
#include "vcpu/sched/private.h"

#include <stdio.h>

#include "evtchn/evtchn.h"

/* --- runstates --- */

void vcpu_runstate_change(struct vcpu *v, int state, s_time_t now)
{
    struct vcpu_runstate_info *rs = &v->runstate;
    const s_time_t delta = now - (s_time_t)rs->state_entry_time;

    if (rs->state == state)
        return;
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

/* The state of a vCPU that is not on a pCPU. */
static int runstate_off_cpu(const struct vcpu *v)
{
    if (v->pause_flags & (VPF_blocked | VPF_poll))
        return RUNSTATE_blocked;
    return vcpu_runnable(v) || v->pause_flags == VPF_migrating ? RUNSTATE_runnable : RUNSTATE_offline;
}

/* --- sleeping and waking --- */

void sched_kick_cpu(struct xen *xen, unsigned int cpu)
{
    struct xen_pcpu *p = &xen->pcpu[cpu];

    /* An idle pCPU's own time stands still. It goes on at the time of whoever wakes it up. */
    if (sched_cpu_waits(xen, cpu) && p->now < NOW(xen))
        p->now = NOW(xen);
    p->need_resched = true;
}

bool sched_kick_idle(struct xen *xen, uint64_t mask, unsigned int prefer)
{
    if (mask >> prefer & 1 && sched_cpu_waits(xen, prefer)) {
        sched_kick_cpu(xen, prefer);
        return true;
    }
    for_each_cpu_in(mask, cpu)
    {
        if (sched_cpu_waits(xen, cpu)) {
            sched_kick_cpu(xen, cpu);
            return true;
        }
    }
    return false;
}

void vcpu_wake(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;
    const s_time_t now = NOW(v->domain->xen);

    if (!v->is_running)
        vcpu_runstate_change(v, runstate_off_cpu(v), now);
    if (!vcpu_runnable(v) || v->sched_awake)
        return;
    v->sched_awake = true;
    TRACE(v->domain->xen->machine, sched_wake, v->domain->domain_id, v->vcpu_id);
    if (s->ops->wake)
        s->ops->wake(s, v);
}

void vcpu_sleep_nosync(struct vcpu *v)
{
    struct scheduler *s = v->domain->sched;

    if (vcpu_runnable(v))
        return;
    if (!v->is_running)
        vcpu_runstate_change(v, runstate_off_cpu(v), NOW(v->domain->xen));
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
    TRACE(v->domain->xen->machine, sched_block, v->domain->domain_id, v->vcpu_id);
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

/* --- changing the vCPU of a pCPU --- */

/* Which rule of the contract does this answer break? NULL: none. `next` may be rubbish: look before touching. */
static const char *broken_rule(const struct xen *xen, unsigned int cpu, const struct vcpu *prev,
                               const struct task_slice *ts)
{
    const struct scheduler *s = xen->pcpu[cpu].sched;
    const struct vcpu *next = ts->task;

    if (ts->time == 0)
        return "do_schedule gave a slice of 0 ns: time would stand still";
    if (!next)
        return NULL;
    if (next->domain->sched != s)
        return "do_schedule picked a vCPU of another CPU pool";
    if (!vcpu_runnable(next))
        return "do_schedule picked a vCPU that is not runnable (blocked, down or paused)";
    if (next->is_running && next != prev)
        return "do_schedule picked a vCPU that is running on another pCPU";
    if (!(vcpu_cpumask(next) >> cpu & 1))
        return "do_schedule picked a vCPU whose hard affinity does not hold this pCPU";
    return NULL;
}

static void sched_fault(struct scheduler *s, unsigned int cpu, const struct vcpu *v, const char *rule)
{
    if (s->fault)
        return;
    s->fault = rule;
    s->fault_vcpu = v;
    s->fault_cpu = (int)cpu;
    snprintf(s->fault_text, sizeof(s->fault_text), "%s on pCPU %u at %lld ns: d%dv%u", s->ops->opt_name, cpu,
             (long long)NOW(s->xen), v ? v->domain->domain_id : -1, v ? v->vcpu_id : 0);
    printk(s->xen->machine, LOG_ERR, "scheduler fault: %s (%s)", rule, s->fault_text);
}

/* What comes next: the policy's answer, or nothing when it cannot be carried out. */
static struct task_slice ask_policy(struct xen *xen, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    struct scheduler *s = xen->pcpu[cpu].sched;
    struct task_slice ts = { NULL, -1 };
    const char *rule;

    if (!s)
        return ts; /* offline, or in no pool */
    ts = s->ops->do_schedule(s, cpu, prev, now);
    rule = broken_rule(xen, cpu, prev, &ts);
    if (rule) {
        sched_fault(s, cpu, ts.task, rule);
        ts = (struct task_slice){ NULL, MILLISECS(1) };
    }
    return ts;
}

static void context_switch(struct xen *xen, unsigned int cpu, struct vcpu *prev, struct vcpu *next, s_time_t now)
{
    struct scheduler *s = xen->pcpu[cpu].sched;

    if (!prev && now > xen->pcpu[cpu].idle_since)
        xen->pcpu[cpu].idle_time += now - xen->pcpu[cpu].idle_since;
    if (!next)
        xen->pcpu[cpu].idle_since = now;
    xen->pcpu[cpu].curr = next;
    xen->stats.switches++;
    if (prev) {
        prev->is_running = false;
        prev->last_run = now;
        vcpu_runstate_change(prev, runstate_off_cpu(prev), now);
    }
    if (next) {
        next->processor = cpu;
        next->is_running = true;
        vcpu_runstate_change(next, RUNSTATE_running, now);
    }
    if (prev && s && s == prev->domain->sched && s->ops->context_saved)
        s->ops->context_saved(s, prev);
    if (prev && prev->pause_flags & VPF_migrating)
        vcpu_migrate_finish(prev);
}

s_time_t sched_cpu_idle_time(const struct xen *xen, unsigned int cpu)
{
    const struct xen_pcpu *p = &xen->pcpu[cpu];
    const s_time_t now = NOW(xen);

    if (!p->online)
        return 0;
    return p->idle_time + (!p->curr && now > p->idle_since ? now - p->idle_since : 0);
}

void sched_force_idle(struct xen *xen, unsigned int cpu)
{
    struct vcpu *prev = xen->pcpu[cpu].curr;

    if (!prev)
        return;
    TRACE(xen->machine, sched_switch, TRACE_NO_DOMAIN, 0, prev->domain->domain_id, prev->vcpu_id, TRACE_NO_DOMAIN, 0,
          0);
    context_switch(xen, cpu, prev, NULL, NOW(xen));
    sched_kick_cpu(xen, cpu);
}

static void idle_over(void *data)
{
    struct xen_pcpu *p = data;
    struct xen *xen = p->sched->xen;

    sched_kick_cpu(xen, (unsigned int)(p - xen->pcpu));
}

/* An idle pCPU takes no steps, so when the policy wants to be asked again at a certain time, a timer must do it. */
static void idle_until(struct xen *xen, struct xen_pcpu *p)
{
    timer_stop(&xen->machine->clock, &p->idle_timer);
    if (p->curr || p->slice_end == STIME_MAX)
        return;
    timer_init(&p->idle_timer, idle_over, p);
    timer_set(&xen->machine->clock, &p->idle_timer, p->slice_end);
}

struct vcpu *sched_schedule(struct xen *xen, unsigned int cpu)
{
    struct xen_pcpu *p = &xen->pcpu[cpu];
    const s_time_t now = NOW(xen);
    struct vcpu *prev = p->curr;
    struct task_slice ts;

    /* Not idle any more as far as anyone can tell while the policy thinks: it need not kick the pCPU that asks. */
    p->need_resched = true;
    ts = ask_policy(xen, cpu, prev, now);
    p->need_resched = false;
    p->slice_end = ts.time < 0 || ts.time > STIME_MAX - now ? STIME_MAX : now + ts.time;
    if (ts.task != prev) {
        TRACE(xen->machine, sched_switch, ts.task ? ts.task->domain->domain_id : TRACE_NO_DOMAIN,
              ts.task ? ts.task->vcpu_id : 0, prev ? prev->domain->domain_id : TRACE_NO_DOMAIN,
              prev ? prev->vcpu_id : 0, ts.task ? ts.task->domain->domain_id : TRACE_NO_DOMAIN,
              ts.task ? ts.task->vcpu_id : 0, (uint64_t)ts.time);
        context_switch(xen, cpu, prev, ts.task, now);
    }
    idle_until(xen, p);
    return ts.task;
}
