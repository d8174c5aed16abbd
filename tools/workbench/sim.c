// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's simulator; sim.h explains the model.
 *
 * Concept: the loop in wb_run() is a discrete-event simulation in three steps. (1) Every pCPU that must reschedule does
 * so.
 * (2) Find the next moment at which anything happens, and let all running vCPUs compute up to it. (3) At that moment
 *     fire
 * timers, and let vCPUs whose computation is done go on to their next step. It corresponds to the exit loop of the real
 * thing (vcpu/run.c), with arithmetic in place of the processor.
 *
 * Invariants: the virtual clock never goes backwards; between two moments nobody's state changes; at one moment pCPUs
 * are asked a bounded number of times, else the policy is at fault.
 */
#include "tools/workbench/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DECISIONS_AT_ONCE 100000
#define MAX_ROUNDS_AT_ONCE    100000

/* --- programs --- */

static s_time_t duration(struct wb *wb, const struct wb_step *st)
{
    if (st->hi <= st->lo)
        return st->lo;
    return st->lo + (s_time_t)(machine_random(&wb->machine) % (uint64_t)(st->hi - st->lo + 1));
}

static void wake_one(struct wb_vcpu *wv)
{
    if (wv->v.pause_flags & VPF_blocked && !timer_armed(&wv->timer))
        vcpu_unblock(&wv->v);
    else
        wv->wake_pending = true;
}

static void wake_target(struct wb *wb, struct wb_step *st)
{
    if (!st->target)
        st->target = wb_target_find(wb, st->target_name, &st->target_vcpu);
    if (!st->target) {
        wb->workload_wrong = true;
        snprintf(wb->error, sizeof(wb->error), " wake %s: there is no such domain or vCPU", st->target_name);
        return;
    }
    for (unsigned int i = 0; i < st->target->d.max_vcpus; i++)
        if (st->target_vcpu < 0 || st->target_vcpu == (int)i)
            wake_one(wb_vcpu(st->target, i));
}

/* The job of a periodic task is done. True: it waits for its next release. */
static bool period_end(struct wb *wb, struct wb_vcpu *wv, s_time_t period)
{
    const s_time_t now = wb->machine.clock.now;

    wv->jobs++;
    wv->next_release += period;
    if (now > wv->next_release) {
        wv->misses++;
        wb_record_miss(wb, wv, wv->next_release);
    }
    if (now >= wv->next_release)
        return false; /* late: the next job has been released already */
    timer_set(&wb->machine.clock, &wv->timer, wv->next_release);
    vcpu_block(&wv->v);
    return true;
}

/* v runs, and what it computed is done: carry out steps until it computes again or blocks. */
static void program_step(struct wb *wb, struct wb_vcpu *wv)
{
    while (!wv->left && !wb->error[0]) {
        struct wb_step *st = &wv->program->step[wv->pc++ % wv->program->nr];

        switch (st->kind) {
        case WB_COMPUTE: wv->left = duration(wb, st); break;
        case WB_SLEEP:
            timer_set(&wb->machine.clock, &wv->timer, wb->machine.clock.now + duration(wb, st));
            vcpu_block(&wv->v);
            return;
        case WB_BLOCK:
            if (wv->wake_pending) {
                wv->wake_pending = false;
                break;
            }
            vcpu_block(&wv->v);
            return;
        case WB_WAKE: wake_target(wb, st); break;
        case WB_YIELD: vcpu_yield(&wv->v); return;
        case WB_PERIOD:
            if (period_end(wb, wv, st->lo))
                return;
            break;
        }
    }
}

/* --- the loop --- */

static void come_up(struct wb_vcpu *wv)
{
    wv->next_release = wv->wb->machine.clock.now;
    wv->v.is_initialised = true;
    wv->v.pause_flags &= ~VPF_down;
    wb_changed(wv);
    vcpu_wake(&wv->v);
}

static void start_over(void *data)
{
    struct wb_vcpu *wv = data;

    timer_init(&wv->timer, wb_sleep_over, wv);
    if (!((struct wb_domain *)wv->v.domain)->kept_out)
        come_up(wv);
}

/* It was there before for the workbench's own sake. */
static void made(void *data)
{
    struct wb_domain *wd = data;
    const struct scheduler *s = wd->d.sched;

    if (s->ops != sched_ops_by_id(s->ops->sched_id) || wd->kept_out)
        return;
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        struct vcpu *v = wd->d.vcpu[i];
        const uint64_t hard = v->hard_affinity, soft = v->soft_affinity;

        sched_destroy_vcpu(v);
        BUG_ON(sched_init_vcpu(v) || sched_set_affinity(v, &hard, &soft));
    }
    wb_domain_apply(wd);
}

void wb_start(struct wb *wb)
{
    struct vclock *clock = &wb->machine.clock;

    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
        if (wd->start <= clock->now || timer_armed(&wd->made))
            continue;
        timer_init(&wd->made, made, wd);
        timer_set(clock, &wd->made, wd->start);
    }
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
            struct wb_vcpu *wv = wb_vcpu(wd, i);
            const s_time_t start = wv->start > wd->start ? wv->start : wd->start;

            if (wv->v.is_initialised || wd->kept_out || (start > clock->now && timer_armed(&wv->timer)))
                continue;
            if (start <= clock->now) {
                come_up(wv);
                continue;
            }
            timer_init(&wv->timer, start_over, wv);
            timer_set(clock, &wv->timer, start);
        }
    }
}

static void sample_add(struct wb_samples *s, s_time_t value)
{
    if (s->nr == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->v = realloc(s->v, s->cap * sizeof(*s->v));
        BUG_ON(!s->v);
    }
    s->v[s->nr++] = value;
}

/* v has just been put onto cpu. */
static void entered(struct wb *wb, unsigned int cpu, struct wb_vcpu *wv, s_time_t waited)
{
    wv->switches++;
    wv->migrations += wv->last_cpu != cpu && wv->last_cpu != MACHINE_MAX_PCPUS;
    wv->last_cpu = cpu;
    if (waited > wv->max_wait)
        wv->max_wait = waited;
    if (wv->woken_at >= 0)
        sample_add(&wv->latency, wb->machine.clock.now - wv->woken_at);
    wv->woken_at = -1;
    if (wb->switch_cost && wv->left && wv->left < WB_FOREVER)
        wv->left += wb->switch_cost;
    if (!wv->left)
        program_step(wb, wv);
}

static void reschedule(struct wb *wb, unsigned int cpu)
{
    struct vcpu *prev = wb->xen.pcpu[cpu].curr, *next;
    const uint64_t before = wb->xen.stats.switches;

    wb->machine.cur_pcpu = cpu;
    next = sched_schedule(&wb->xen, cpu);
    wb->decisions++;
    if (wb->xen.stats.switches == before)
        return;
    if (next) {
        struct wb_vcpu *wv = (struct wb_vcpu *)next;
        const s_time_t since = wv->waiting_since;

        wv->waiting_since = -1;
        entered(wb, cpu, wv, since < 0 ? 0 : wb->machine.clock.now - since);
    }
    if (prev && prev->runstate.state == RUNSTATE_runnable)
        ((struct wb_vcpu *)prev)->waiting_since = wb->machine.clock.now;
}

/* Every pCPU that must choose does. False: it does not come to an end. */
static bool reschedule_all(struct wb *wb)
{
    unsigned int left = MAX_DECISIONS_AT_ONCE;

    for (bool again = true; again;) {
        again = false;
        for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++) {
            struct xen_pcpu *p = &wb->xen.pcpu[c];

            if (!p->need_resched && wb->machine.clock.now < p->slice_end)
                continue;
            reschedule(wb, c);
            again = true;
            if (wb->xen.sched && wb->xen.sched->fault)
                return false;
            if (!--left) {
                const struct wb_who who = wb_who(NULL, p->curr, (int)c);
                char text[WB_WHO_SIZE];

                snprintf(wb->error, sizeof(wb->error),
                         "at %lld ns pCPUs were asked to reschedule %d times: virtual time stands still%s",
                         (long long)wb->machine.clock.now, MAX_DECISIONS_AT_ONCE, wb_who_text(&who, text));
                return false;
            }
        }
    }
    return !wb->error[0] && !(wb->xen.sched && wb->xen.sched->fault);
}

/* Who idles while somebody waits who may run there? Looks at everything: for tests. */
static bool is_lost(struct wb *wb)
{
    uint64_t idle = 0;

    for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++)
        if (wb->xen.pcpu[c].sched && !wb->xen.pcpu[c].curr)
            idle |= UINT64_C(1) << c;
    for (struct wb_domain *wd = wb->domains; idle && wd; wd = wd->next)
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            if (vcpu_runnable(wd->d.vcpu[i]) && !wd->d.vcpu[i]->is_running && vcpu_cpumask(wd->d.vcpu[i]) & idle)
                return true;
    return false;
}

static void advance(struct wb *wb, s_time_t next)
{
    const s_time_t delta = next - wb->machine.clock.now;

    if (wb->scan && delta && is_lost(wb))
        wb->lost += delta;
    if (delta)
        wb_record(wb);
    for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++) {
        struct wb_vcpu *wv = (struct wb_vcpu *)wb->xen.pcpu[c].curr;

        if (!wv)
            continue;
        wb->busy[c] += delta;
        if (wv->left < WB_FOREVER)
            wv->left -= delta;
    }
    wb->machine.clock.now = next;
}

static bool run(struct wb *wb, s_time_t until)
{
    unsigned int still = 0;

    wb_start(wb);
    while (reschedule_all(wb)) {
        s_time_t next = vclock_next(&wb->machine.clock);

        for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++) {
            const struct xen_pcpu *p = &wb->xen.pcpu[c];
            const struct wb_vcpu *wv = (const struct wb_vcpu *)p->curr;

            if (p->slice_end < next)
                next = p->slice_end;
            if (wv && wv->left < WB_FOREVER && wb->machine.clock.now + wv->left < next)
                next = wb->machine.clock.now + wv->left;
        }
        if (next > until) {
            advance(wb, until);
            return true;
        }
        still = next > wb->machine.clock.now ? 0 : still + 1;
        if (still > MAX_ROUNDS_AT_ONCE) {
            snprintf(wb->error, sizeof(wb->error),
                     "at %lld ns a timer is set again and again: virtual time stands still", (long long)next);
            return false;
        }
        advance(wb, next);
        vclock_run(&wb->machine.clock);
        for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++) {
            struct wb_vcpu *wv = (struct wb_vcpu *)wb->xen.pcpu[c].curr;

            if (wv && !wv->left && vcpu_runnable(&wv->v))
                program_step(wb, wv);
        }
    }
    return false;
}

bool wb_run(struct wb *wb, s_time_t until)
{
    const bool finished = run(wb, until);

    wb_record_end(wb);
    return finished;
}
