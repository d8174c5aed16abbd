// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credit2's caps: a budget a period.
 *
 * Concept: a cap of 30 % is 3 ms of CPU time in every 10 ms, for all vCPUs of the domain together. The time lies in a pool of
 * the domain; a vCPU takes a helping out of it before it runs and burns that. Pool empty: the vCPU is parked. The
 * replenishment timer fills the pool once a period and unparks everybody. Helpings rather than one counter keep vCPUs of one
 * domain from eating it all one after the other. A vCPU that overran its helping leaves a debt, paid from the next period, so
 * that the long-term average is the cap exactly.
 *
 * Invariants: budget of the pool and of all vCPUs together never exceed one period's budget plus what is on pCPUs; the timer
 * runs only while something of the budget is used, so an idle domain costs nothing.
 *
 * Corresponds to the cap part of xen/common/sched/credit2.c.
 */
#include "vcpu/sched/credit2.h"

#define REPL_PERIOD MILLISECS(10)

static s_time_t now_of(const struct c2_dom *dom) { return NOW(dom->ops->xen); }

static void arm(struct c2_dom *dom)
{
    if (timer_armed(&dom->repl))
        return;
    if (dom->next_repl <= now_of(dom))
        dom->next_repl = now_of(dom) + REPL_PERIOD;
    timer_set(&dom->ops->xen->machine->clock, &dom->repl, dom->next_repl);
}

bool c2_budget_ok(struct c2_vcpu *svc)
{
    struct c2_dom *dom = svc->dom;
    s_time_t quota;

    if (!dom->tot_budget)
        return true;
    if (svc->budget > 0)
        return true;
    arm(dom);
    /* Debts first. */
    dom->budget += svc->budget;
    svc->budget = 0;
    quota = dom->tot_budget / dom->nr_vcpus;
    if (quota < C2_MIN_TIMER)
        quota = C2_MIN_TIMER;
    if (quota > dom->budget)
        quota = dom->budget;
    if (quota <= 0) {
        svc->parked = true;
        return false;
    }
    dom->budget -= quota;
    svc->budget = quota;
    return true;
}

void c2_budget_return(struct c2_vcpu *svc)
{
    if (!svc->dom->tot_budget)
        return;
    svc->dom->budget += svc->budget;
    svc->budget = 0;
}

static void replenish(void *data)
{
    struct c2_dom *dom = data;
    struct c2_vcpu *svc;
    const bool unused = dom->budget >= dom->tot_budget;

    do {
        dom->budget += dom->tot_budget;
        dom->next_repl += REPL_PERIOD;
    } while (dom->budget <= 0 || dom->next_repl <= now_of(dom));
    if (dom->budget > dom->tot_budget)
        dom->budget = dom->tot_budget;
    LIST_FOREACH(svc, &dom->vcpus, dom_link)
    if (svc->parked)
        c2_unpark(svc);
    if (!unused)
        timer_set(&dom->ops->xen->machine->clock, &dom->repl, dom->next_repl);
}

void c2_cap_init(struct c2_dom *dom, struct scheduler *ops)
{
    dom->ops = ops;
    timer_init(&dom->repl, replenish, dom);
}

void c2_cap_set(struct c2_dom *dom, unsigned int cap)
{
    struct c2_vcpu *svc;

    if (cap == dom->cap)
        return;
    dom->cap = cap;
    dom->tot_budget = dom->budget = REPL_PERIOD * cap / 100;
    timer_stop(&dom->ops->xen->machine->clock, &dom->repl);
    LIST_FOREACH(svc, &dom->vcpus, dom_link)
    {
        svc->budget = 0;
        if (svc->parked)
            c2_unpark(svc);
        if (svc->v->is_running) /* its slice was worked out without the cap */
            sched_kick_cpu(dom->ops->xen, svc->v->processor);
    }
}

void c2_cap_stop(struct c2_dom *dom) { timer_stop(&dom->ops->xen->machine->clock, &dom->repl); }
