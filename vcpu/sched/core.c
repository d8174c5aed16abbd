// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler core: a pCPU asks who is next.
 *
 * Concept: sched_schedule() asks the policy of the pCPU's pool, checks what it answers, so that a mistake in a policy
 * is named and not a guest crash, and changes the vCPU: the time that each spent in each runstate, the vCPU that
 * migrates when it has left (affinity.c), and a timer for a pCPU that idles. What makes a vCPU runnable, or not, is
 * wake.c.
 *
 * Invariant: pcpu[c].curr == v exactly when v->is_running and v->processor == c.
 *
 * Simplifies schedule() and context_saved() of xen/common/sched/core.c: one host thread, no locks.
 */
#include "vcpu/sched/private.h"

#include <stdio.h>

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

static uint64_t trace_vcpu_id(const struct vcpu *v)
{
    return v ? TRACE_VCPU_ID(v->domain->domain_id, v->vcpu_id) : TRACE_NONE;
}

static uint64_t trace_credit(const struct vcpu *v)
{
    const struct scheduler *s = v ? v->domain->sched : NULL;

    return s && s->ops->credit ? (uint64_t)s->ops->credit(s, v) : TRACE_NONE;
}

/* The record is about next, or if the pCPU will be idle about nobody. */
static void trace_switch(struct xen *xen, const struct vcpu *prev, const struct vcpu *next, s_time_t slice)
{
    TRACE(xen->machine, sched_switch, next ? next->domain->domain_id : TRACE_NO_DOMAIN, next ? next->vcpu_id : 0,
          trace_vcpu_id(prev), trace_vcpu_id(next), (uint64_t)slice, trace_credit(next));
}

/* The books of a switch. What it means to the guests is context_switch() in vcpu/run.c. */
static void sched_context_switch(struct xen *xen, unsigned int cpu, struct vcpu *prev, struct vcpu *next, s_time_t now)
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
        vcpu_runstate_change(prev, sched_runstate_off_cpu(prev), now);
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

void sched_force_idle(struct xen *xen, unsigned int cpu)
{
    struct vcpu *prev = xen->pcpu[cpu].curr;

    if (!prev)
        return;
    trace_switch(xen, prev, NULL, 0);
    sched_context_switch(xen, cpu, prev, NULL, NOW(xen));
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
    timer_label(&p->idle_timer, TIMER_IDLE, TRACE_NO_DOMAIN, 0);
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
    xen->stats.decisions++;
    ts = ask_policy(xen, cpu, prev, now);
    p->need_resched = false;
    p->slice_end = ts.time < 0 || ts.time > STIME_MAX - now ? STIME_MAX : now + ts.time;
    if (ts.task != prev) {
        trace_switch(xen, prev, ts.task, ts.time);
        sched_context_switch(xen, cpu, prev, ts.task, now);
    }
    idle_until(xen, p);
    return ts.task;
}
