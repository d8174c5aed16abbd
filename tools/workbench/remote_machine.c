// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The world of a policy is the real machine: guests come and go.
 *
 * Concept: a domain gets numbers for all the vCPUs that it may have when the policy first hears of it, and they are
 * nobody else's ever after. All vCPUs of the policy's pool are looked at before each question. A domain that is gone,
 * or has left the pool, is told to be in no list any more; a domid that comes again is another domain, as it has other
 * numbers.
 *
 * Invariants: no pointer to a domain or vCPU is followed after the question that it came with. Numbers are below
 * WIRE_MAX_VCPUS, domids below WIRE_MAX_DOMAINS: with the first that is not the policy's run ends, and says so.
 */
#include "tools/workbench/remote.h"

#include <stdio.h>

/* The numbers of d's vCPUs; the first time they are given. NULL: there are none for it. */
static const struct remote_home *home_of(struct wb_remote *r, const struct domain *d)
{
    struct remote_home *h = d->domain_id < WIRE_MAX_DOMAINS ? &r->home[d->domain_id] : NULL;

    if (h && h->domain == (uintptr_t)d && h->room == d->max_vcpus)
        return h;
    if (!h || d->max_vcpus > WIRE_MAX_VCPUS - r->numbers) {
        wb_remote_gone(r, "can be told of %d vCPUs and %d domains in one run, and has been: domain %u is too much",
                       WIRE_MAX_VCPUS, WIRE_MAX_DOMAINS, d->domain_id);
        return NULL;
    }
    *h = (struct remote_home){ .domain = (uintptr_t)d, .first = r->numbers, .room = d->max_vcpus };
    r->numbers += d->max_vcpus;
    return h;
}

static uint32_t number(struct wb_remote *r, const struct vcpu *v)
{
    const struct remote_home *h = home_of(r, v->domain);

    return h ? h->first + v->vcpu_id : WIRE_NOBODY;
}

static struct vcpu *vcpu_in(struct wb_remote *r, const struct domain *d, uint32_t n)
{
    const struct remote_home *h = d && d->sched == r->sched ? home_of(r, d) : NULL;

    return h && n - h->first < h->room ? d->vcpu[n - h->first] : NULL;
}

static struct vcpu *vcpu_of(struct wb_remote *r, uint32_t n)
{
    struct vcpu *v = vcpu_in(r, r->domain_asked, n);

    for (const struct domain *d = r->sched->xen->domain_list; d && !v; d = d->next)
        v = vcpu_in(r, d, n);
    return v;
}

static bool is_listed(const struct wb_remote *r, const struct domain *which)
{
    for_each_domain (r->sched->xen, d)
        if (d == which)
            return true;
    return false;
}

static void domain_told(struct wb_remote *r, const struct domain *d, struct wire_domain *w)
{
    const struct remote_home *h = &r->home[d->domain_id];

    w->first = h->first;
    w->room = h->room;
    while (w->max_vcpus < h->room && d->vcpu[w->max_vcpus])
        w->max_vcpus++;
    w->listed = d->sched == r->sched && is_listed(r, d);
}

static void look(struct wb_remote *r, const struct vcpu *v, const struct domain *d)
{
    const struct xen *xen = r->sched->xen;

    for (uint32_t i = 0; i < r->nr_domains; i++)
        r->domain_here[i] = false;
    for_each_domain (xen, other) {
        if (other->sched != r->sched || !home_of(r, other))
            continue;
        r->domain_here[other->domain_id] = true;
        wb_remote_look_domain(r, other);
        for (unsigned int i = 0; i < other->max_vcpus; i++)
            if (other->vcpu[i] && (other->vcpu[i]->sched_joined || other->vcpu[i] == v))
                wb_remote_look_vcpu(r, other->vcpu[i]);
    }
    for (uint32_t i = 0; i < r->nr_domains; i++)
        if (!r->domain_here[i] && r->domain_told[i] && r->domain[i].listed) {
            struct wire_domain gone = r->domain[i];

            gone.listed = gone.in_pool = false;
            wb_remote_say_domain(r, &gone);
        }
    if (d && home_of(r, d))
        wb_remote_look_domain(r, d);
    if (v && home_of(r, v->domain))
        wb_remote_look_vcpu(r, v);
}

static struct wb_who who(const struct domain *d, const struct vcpu *v, int cpu)
{
    struct wb_who w = { .domid = -1, .vcpu = -1, .cpu = cpu };

    if (v)
        d = v->domain;
    if (!d)
        return w;
    w.domid = d->domain_id;
    w.vcpu = v ? (int)v->vcpu_id : -1;
    snprintf(w.domain, sizeof(w.domain), "%u", d->domain_id);
    return w;
}

const struct remote_world remote_world_machine = {
    .number = number,
    .vcpu = vcpu_of,
    .domain = domain_told,
    .look = look,
    .who = who,
};
