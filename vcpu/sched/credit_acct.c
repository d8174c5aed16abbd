// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The credit scheduler's bookkeeping: earning and burning, and what follows from it for priorities; caps.
 *
 * Concept: a vCPU on the active list earns credits once a period, by weight. Who has saved a whole period's worth and
 * sleeps leaves the list, so that its share goes to those who run; it comes back when its savings are used up. This is
 * the only part of the policy that looks at every active vCPU.
 *
 * A cap has an account of its own, one for the domain, which fills as time passes. When it is overdrawn by a period's
 * worth all vCPUs of the domain are parked until it is balanced again. So a cap is reached whatever the weight, if
 * pCPUs would idle.
 *
 * Invariants: svc->active exactly when it is on the list; there is a share for each who is (nr_active); the accounting
 * timer is armed whenever the list is not empty.
 *
 * Corresponds to csched_acct() and __csched_vcpu_acct_start() in xen/common/sched/credit.c. Xen's caps are limits of
 * what a vCPU earns, so one of little weight is parked although pCPUs idle. Xen activates whom a tick finds running,
 * which is a matter of chance.
 */
#include "vcpu/sched/credit.h"

#include <errno.h>

/* --- credits --- */

/* Who has savings lives on them; who has used them up earns again (Xen: whom a tick finds running). */
void csched_activate(struct scheduler *ops, struct csched_vcpu *svc)
{
    struct csched *prv = csched(ops);

    if (svc->active)
        return;
    if (LIST_EMPTY(&prv->active))
        timer_set(&ops->xen->machine->clock, &prv->acct, NOW(ops->xen) + prv->tslice);
    LIST_INSERT_HEAD(&prv->active, svc, link);
    if (prv->nr_active == prv->cap_share) {
        prv->cap_share = prv->cap_share ? 2 * prv->cap_share : 16;
        prv->share = xrealloc_array(ops->xen->machine->arena, prv->share, prv->cap_share);
        BUG_ON(!prv->share);
    }
    prv->nr_active++;
    svc->active = true;
    svc->dom->nr_active++;
}

void csched_burn(struct scheduler *ops, struct csched_vcpu *svc, s_time_t now)
{
    if (now <= svc->start)
        return;
    svc->credit -= now - svc->start;
    svc->dom->cap_left -= now - svc->start;
    svc->slice_left -= now - svc->start;
    svc->start = now;
    if (svc->credit <= 0)
        csched_activate(ops, svc);
}

void csched_deactivate(struct scheduler *ops, struct csched_vcpu *svc)
{
    if (!svc->active)
        return;
    LIST_REMOVE(svc, link);
    csched(ops)->nr_active--;
    svc->active = false;
    svc->dom->nr_active--;
}

static void set_pri(struct scheduler *ops, struct csched_vcpu *svc, enum pri pri)
{
    const bool queued = runq_queued(&svc->node);

    if (svc->pri == pri && (!queued || svc->node.key == (int64_t)pri)) /* it is elsewhere if it has yielded */
        return;
    if (queued)
        csched_dequeue(ops, svc);
    svc->pri = pri;
    if (queued)
        csched_enqueue(ops, svc);
}

/* --- caps --- */

/* What the cap allows in an accounting period. It can be overdrawn by as much, and saved up. */
static s_time_t cap_period(const struct scheduler *ops, const struct csched_dom *dom)
{
    return csched(ops)->tslice * dom->cap / 100;
}

static void cap_refill(struct scheduler *ops, struct csched_dom *dom, s_time_t now)
{
    if (now <= dom->cap_at)
        return;
    dom->cap_left += (now - dom->cap_at) * dom->cap / 100;
    if (dom->cap_left > cap_period(ops, dom))
        dom->cap_left = cap_period(ops, dom);
    dom->cap_at = now;
}

static void park(struct scheduler *ops, struct csched_dom *dom)
{
    dom->parked = true;
    for_each_vcpu (dom->d, v) {
        if (v->sched_priv)
            csched_dequeue(ops, svc_of(v));
        if (v->is_running)
            sched_kick_cpu(ops->xen, v->processor);
    }
    timer_set(&ops->xen->machine->clock, &dom->unpark, dom->cap_at - dom->cap_left * 100 / dom->cap + 1);
}

void csched_unpark(void *data)
{
    struct csched_dom *dom = data;
    struct scheduler *ops = dom->d->sched;

    timer_stop(&ops->xen->machine->clock, &dom->unpark);
    if (!dom->parked)
        return;
    dom->parked = false;
    for_each_vcpu (dom->d, v) {
        if (!v->sched_priv || !v->sched_awake || v->is_running)
            continue;
        csched_enqueue(ops, svc_of(v));
        csched_tickle(ops, svc_of(v));
    }
}

void csched_cap_check(struct scheduler *ops, struct csched_dom *dom, s_time_t now)
{
    if (!dom->cap || dom->parked)
        return;
    for_each_cpu_in(ops->cpus, cpu)
    {
        const struct vcpu *curr = ops->xen->pcpu[cpu].curr;

        if (curr && curr->domain == dom->d)
            csched_burn(ops, svc_of(curr), now);
    }
    cap_refill(ops, dom, now);
    if (dom->cap_left < -cap_period(ops, dom))
        park(ops, dom);
}

static void cap_set(struct scheduler *ops, struct csched_dom *dom, unsigned int cap)
{
    if (cap == dom->cap)
        return;
    dom->cap = cap;
    dom->cap_left = 0;
    dom->cap_at = NOW(ops->xen);
    csched_unpark(dom);
}

int csched_adjust(struct scheduler *ops, struct domain *d, struct xen_domctl_scheduler_op *op)
{
    struct csched_dom *dom = d->sched_priv;

    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit.weight = (uint16_t)dom->weight;
        op->u.credit.cap = (uint16_t)dom->cap;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo: /* weight 0 and cap 0xffff: leave as it is */
        if (op->u.credit.weight)
            dom->weight = op->u.credit.weight;
        if (op->u.credit.cap != 0xffff)
            cap_set(ops, dom, op->u.credit.cap);
        return 0;
    default: return -EINVAL;
    }
}

/* --- accounting --- */

/* Three times a period on each pCPU that is not idle: the end of a boost; a look at soft affinity and caps. */
void csched_tick(void *data)
{
    struct csched_pcpu *spc = data;
    struct vcpu *curr = spc->ops->xen->pcpu[spc->cpu].curr;
    const struct runq_node *first;

    if (!curr || curr->domain->sched != spc->ops)
        return;
    if (svc_of(curr)->pri == PRI_BOOST)
        svc_of(curr)->pri = PRI_UNDER;
    first = runq_first(&spc->runq, spc->cpu, false);
    if (first && first->key < (int64_t)svc_of(curr)->pri)
        sched_kick_cpu(spc->ops->xen, spc->cpu);
    if (sched_prefers_idle(curr))
        vcpu_migrate(curr);
    csched_cap_check(spc->ops, svc_of(curr)->dom, NOW(spc->ops->xen));
    timer_set(&spc->ops->xen->machine->clock, &spc->tick, NOW(spc->ops->xen) + csched(spc->ops)->tick);
}

/* The most that svc may earn in a period: it can use one pCPU, and its share of the domain's cap. */
static s_time_t peak(const struct csched *prv, const struct csched_vcpu *svc)
{
    const s_time_t cap = svc->dom->cap ? prv->tslice * svc->dom->cap / 100 / svc->dom->nr_active : prv->tslice;

    return cap < prv->tslice ? cap : prv->tslice;
}

/* Does it still wait for a share of this part of the pool? */
static bool competes(const struct csched_share *s, uint64_t part) { return s->earned < 0 && s->mask & part; }

/*
 * Share the credits of a part of the pool out by weight. What somebody may not earn (above its peak) is shared among
 * the others: each pass settles those whose fair share exceeds their peak, until a pass settles nobody.
 */
static void hand_out_part(struct csched *prv, uint64_t part, s_time_t left)
{
    struct csched_share *const end = prv->share + prv->nr_active;
    bool settled = true;

    while (settled) {
        s_time_t rest = left;
        int64_t weights = 0;

        settled = false;
        for (struct csched_share *s = prv->share; s < end; s++)
            if (competes(s, part))
                weights += s->weight;
        for (struct csched_share *s = prv->share; s < end; s++) {
            if (competes(s, part) && left * s->weight / weights >= s->peak) {
                s->earned = s->peak;
                rest -= s->earned;
                settled = true;
            }
        }
        for (struct csched_share *s = prv->share; !settled && s < end; s++)
            if (competes(s, part))
                s->earned = left * s->weight / weights;
        left = rest;
    }
}

/*
 * What each active vCPU earns, in the order of the list. Where affinity divides the pool into parts that compete for
 * nothing, each part's credits are its own.
 */
static void hand_out(struct scheduler *ops)
{
    struct csched *prv = csched(ops);
    const int64_t pcpus = __builtin_popcountll(ops->cpus);
    uint64_t part[MACHINE_MAX_PCPUS] = { 0 }, last = 0;
    struct csched_share *s = prv->share;
    struct csched_vcpu *svc;

    LIST_FOREACH(svc, &prv->active, link)
    {
        *s = (struct csched_share){ svc, vcpu_cpumask(svc->v), svc->dom->weight, peak(prv, svc), -1 };
        if (s->mask != last) /* usually there is one part, and everybody may use all of it */
            sched_part_join(part, last = s->mask);
        s++;
    }
    BUG_ON(s != prv->share + prv->nr_active);
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++) {
        const int64_t n = __builtin_popcountll(part[i]);

        if (n)
            hand_out_part(prv, part[i], prv->tslice * n + prv->unused * n / pcpus);
    }
    prv->unused = 0;
}

/* Credits have been added: what follows from that for the priority. */
static void settle(struct scheduler *ops, struct csched_vcpu *svc)
{
    struct csched *prv = csched(ops);
    const s_time_t most = MAX_CREDIT_SLICES * prv->tslice;

    if (svc->credit < 0) {
        if (svc->credit < -most)
            svc->credit = -most;
        set_pri(ops, svc, svc->credit < -prv->tslice ? PRI_DEEP : PRI_OVER);
        return;
    }
    if (svc->pri != PRI_BOOST)
        set_pri(ops, svc, svc->credit > prv->tslice ? PRI_OWED : PRI_UNDER);
    if (svc->v->sched_awake) {
        if (svc->credit > most)
            svc->credit = most;
    } else if (svc->credit > prv->tslice) {
        /* It does not use what it earns: others shall have it, until these savings are used up. */
        prv->unused += svc->credit - prv->tslice;
        svc->credit = prv->tslice;
        csched_deactivate(ops, svc);
    }
}

void csched_acct(void *data)
{
    struct scheduler *ops = data;
    struct csched *prv = csched(ops);
    const size_t nr = prv->nr_active;
    const s_time_t now = NOW(ops->xen);

    hand_out(ops);
    for (size_t i = 0; i < nr; i++) {
        const struct csched_share *s = &prv->share[i];

        if (s->svc->v->is_running)
            csched_burn(ops, s->svc, now);
        if (s->earned > 0)
            s->svc->credit += s->earned;
        settle(ops, s->svc);
    }
    if (!LIST_EMPTY(&prv->active))
        timer_set(&ops->xen->machine->clock, &prv->acct, now + prv->tslice);
}
