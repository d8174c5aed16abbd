// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credit2's caps: a budget a period.
 *
 * Concept: a cap of 30 % is 3 ms of CPU time in every 10 ms, for all vCPUs of the domain together. The time lies in a pool of
 * the domain; a vCPU takes a helping out of it before it runs and burns that. Pool empty: the vCPU is parked. The
 * replenishment timer fills the pool once a period and unparks everybody. Helpings rather than one counter keep vCPUs of one
 * domain from eating it all one after the other, and whoever came off badly is served first in the next period. A vCPU that overran its helping leaves a debt, paid from the next period, so
 * that the long-term average is the cap exactly.
 *
 *     cap 40 %, two spinning vCPUs, one pCPU: 4 ms in every 10, helpings of 2 ms
 *
 *     time        0  1     3  4                 10 11    13 14                20 ms
 *     a runs      ###      ### parked           ###      ### parked           ###
 *     b runs         ######    parked              ######    parked
 *     pool, ms    2  0                          2  0                          2     (4 come, whoever runs first takes 2)
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

bool c2_budget_spent(const struct c2_vcpu *svc) { return svc->dom->tot_budget && svc->budget <= 0; }

bool c2_budget_ok(struct c2_vcpu *svc)
{
    struct c2_dom *dom = svc->dom;
    s_time_t quota, full;

    if (!c2_budget_spent(svc))
        return true;
    arm(dom);
    /* Debts first. */
    dom->budget += svc->budget;
    svc->budget = 0;
    full = dom->tot_budget / dom->nr_vcpus;
    if (full < C2_MIN_TIMER)
        full = C2_MIN_TIMER < dom->tot_budget ? C2_MIN_TIMER : dom->tot_budget;
    quota = full < dom->budget ? full : dom->budget;
    if (quota <= 0) {
        svc->parked = true;
        return false;
    }
    dom->budget -= quota;
    svc->budget = quota;
    /* Who had to be content with less will be the first in the next period. */
    if (quota == full) {
        TAILQ_REMOVE(&dom->vcpus, svc, dom_link);
        TAILQ_INSERT_TAIL(&dom->vcpus, svc, dom_link);
    }
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
    TAILQ_FOREACH(svc, &dom->vcpus, dom_link)
    if (svc->parked)
        c2_unpark(svc);
    if (!unused)
        timer_set(&dom->ops->xen->machine->clock, &dom->repl, dom->next_repl);
}

void c2_cap_init(struct c2_dom *dom, struct scheduler *ops)
{
    dom->ops = ops;
    TAILQ_INIT(&dom->vcpus);
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
    TAILQ_FOREACH(svc, &dom->vcpus, dom_link)
    {
        svc->budget = 0;
        if (svc->parked)
            c2_unpark(svc);
        if (svc->v->is_running) /* its slice was worked out without the cap */
            sched_kick_cpu(dom->ops->xen, svc->v->processor);
    }
}

void c2_cap_stop(struct c2_dom *dom) { timer_stop(&dom->ops->xen->machine->clock, &dom->repl); }
