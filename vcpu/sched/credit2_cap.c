// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credit2's caps: a budget a period.
 *
 * Concept: a cap of 30 % is 3 ms of CPU time in every 10 ms, for all vCPUs of the domain together. The time lies in a
 * pool of the domain; a vCPU takes a helping out of it before it runs, burns that, and puts back what it has not used
 * when it leaves the pCPU. Pool empty: the vCPU is parked, until somebody puts back or the replenishment timer fills
 * the pool, once a period. Helpings rather than one counter keep vCPUs of one domain from eating it all one after the
 * other. A vCPU that overran its helping leaves a debt, paid from the next period, so that the long-term average is the
 * cap exactly.
 *
 *     cap 40 %, two spinning vCPUs, one pCPU: 4 ms in every 10, helpings of 2 ms
 *
 *     time        0  1     3  4                 10 11    13 14                20 ms
 *     a runs      ###      ### parked           ###      ### parked           ###
 *     b runs         ######    parked              ######    parked
 *     pool, ms    2  0                          2  0                          2     (4 come, whoever runs first takes 2)
 *
 * Invariants: only who runs has budget; that and the pool's never exceed one period's budget together; the timer runs
 * only while something of the budget is used, so an idle domain costs nothing.
 *
 * Corresponds to the cap part of xen/common/sched/credit2.c. What differs:
 *  - whoever had to be content with less than a full helping is unparked first, and a full helping is never more than
 *    the cap. Xen unparks the last parked first, so under a small cap one vCPU may take it all, period after period;
 *  - slices end with the budget. Xen's have at least MIN_TIMER or the rate limit, and leave debts instead;
 *  - a vCPU that joins is capped like the others. In Xen it is not until the cap is set again.
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

    if (!dom->tot_budget || svc->budget > 0)
        return true;
    arm(dom);
    /* Debts first. */
    dom->budget += svc->budget;
    svc->budget = 0;
    if (dom->budget <= 0) {
        svc->parked = true;
        return false;
    }
    quota = dom->tot_budget / dom->nr_vcpus;
    if (quota < C2_MIN_TIMER)
        quota = C2_MIN_TIMER;
    if (quota > dom->tot_budget)
        quota = dom->tot_budget;
    svc->budget = quota < dom->budget ? quota : dom->budget;
    dom->budget -= svc->budget;
    /* Who had to be content with less will be the first in the next period. */
    if (svc->budget == quota) {
        TAILQ_REMOVE(&dom->vcpus, svc, dom_link);
        TAILQ_INSERT_TAIL(&dom->vcpus, svc, dom_link);
    }
    return true;
}

static void unpark_all(struct c2_dom *dom)
{
    struct c2_vcpu *svc;

    TAILQ_FOREACH(svc, &dom->vcpus, dom_link)
    if (svc->parked)
        c2_unpark(svc);
}

void c2_budget_return(struct c2_vcpu *svc)
{
    if (!svc->dom->tot_budget || svc->budget <= 0)
        return;
    svc->dom->budget += svc->budget;
    svc->budget = 0;
    if (svc->dom->budget > 0)
        unpark_all(svc->dom);
}

static void replenish(void *data)
{
    struct c2_dom *dom = data;
    const bool unused = dom->budget >= dom->tot_budget;

    do {
        dom->budget += dom->tot_budget;
        dom->next_repl += REPL_PERIOD;
    } while (dom->budget <= 0 || dom->next_repl <= now_of(dom));
    if (dom->budget > dom->tot_budget)
        dom->budget = dom->tot_budget;
    unpark_all(dom);
    if (!unused)
        timer_set(&dom->ops->xen->machine->clock, &dom->repl, dom->next_repl);
}

void c2_cap_init(struct c2_dom *dom, struct scheduler *ops)
{
    dom->ops = ops;
    TAILQ_INIT(&dom->vcpus);
    timer_init(&dom->repl, replenish, dom);
    timer_label(&dom->repl, TIMER_SCHED, TRACE_NO_DOMAIN, 0);
}

void c2_cap_set(struct c2_dom *dom, unsigned int cap)
{
    const bool between_caps = cap && dom->cap;
    struct c2_vcpu *svc;

    if (cap == dom->cap)
        return;
    dom->cap = cap;
    if (between_caps) { /* what is left of this period stays as it is */
        dom->tot_budget = REPL_PERIOD * cap / 100;
        return;
    }
    TAILQ_FOREACH(svc, &dom->vcpus, dom_link)
    {
        c2_burn(svc, now_of(dom)); /* in the old terms, as was its slice */
        svc->budget = 0;
        if (svc->v->is_running)
            sched_kick_cpu(dom->ops->xen, svc->v->processor);
    }
    dom->tot_budget = dom->budget = REPL_PERIOD * cap / 100;
    dom->next_repl = now_of(dom) + REPL_PERIOD;
    c2_cap_stop(dom);
    unpark_all(dom);
}

void c2_cap_stop(struct c2_dom *dom) { timer_stop(&dom->ops->xen->machine->clock, &dom->repl); }
