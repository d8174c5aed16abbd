// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The world of a policy under test is the workbench.
 *
 * Concept: of few vCPUs all are looked at before a question; of many those alone that may have changed: whom the hook
 * is about, who is on a pCPU, whose runstate has changed (sim.h: wb_changed()). Builds with sanitizers look at all, and
 * mind if one was missed.
 *
 * Invariant: vCPUs are told in the order of their numbers.
 */
#include "tools/workbench/remote.h"

#define LOOK_AT_ALL 256

static struct wb *wb_of(const struct wb_remote *r)
{
    return (struct wb *)((char *)r->sched->xen - offsetof(struct wb, xen));
}

static uint32_t number(struct wb_remote *r, const struct vcpu *v) { return ((const struct wb_vcpu *)v)->number; }

static struct vcpu *vcpu_of(struct wb_remote *r, uint32_t n)
{
    const struct wb *wb = wb_of(r);

    return n < wb->nr_vcpus ? &wb->vcpus[n]->v : NULL;
}

static void domain_told(struct wb_remote *r, const struct domain *d, struct wire_domain *w)
{
    w->room = ((const struct wb_domain *)d)->room;
    w->max_vcpus = d->max_vcpus;
    w->listed = ((const struct wb_domain *)d)->listed;
}

static void vcpu_look(struct wb_remote *r, const struct wb_vcpu *wv)
{
    while (r->nr_vcpus < wv->number)
        wb_remote_look_vcpu(r, &wv->wb->vcpus[r->nr_vcpus]->v);
    wb_remote_look_vcpu(r, &wv->v);
}

static void look(struct wb_remote *r, const struct vcpu *v, const struct domain *d)
{
    struct wb *wb = wb_of(r);
    const bool all = wb->nr_vcpus <= LOOK_AT_ALL || wb->changed_all;

    if (!wb->nr_vcpus)
        r->domain_last = NULL; /* all of it is being taken down */
    if (r->domain_last)        /* it may have got into the list, or more vCPUs, since */
        wb_remote_look_domain(r, r->domain_last);
    if (d)
        wb_remote_look_domain(r, d);
    if (d)
        r->domain_last = d;
    if (v)
        vcpu_look(r, (const struct wb_vcpu *)v);
    for (unsigned int i = 0; i < wb->xen.nr_pcpus; i++)
        if (wb->xen.pcpu[i].curr)
            vcpu_look(r, (const struct wb_vcpu *)wb->xen.pcpu[i].curr);
    for (unsigned int i = 0; i < wb->nr_changed; i++)
        vcpu_look(r, wb->changed[i]);
    for (unsigned int i = 0; all && i < wb->nr_vcpus; i++)
        vcpu_look(r, wb->vcpus[i]);
    wb->nr_changed = 0;
    wb->changed_all = wb->changing_all;
#if defined(__SANITIZE_ADDRESS__)
    for (unsigned int i = 0, nr = r->question.nr_vcpus; i < wb->nr_vcpus; i++) {
        vcpu_look(r, wb->vcpus[i]);
        BUG_ON(r->question.nr_vcpus != nr);
    }
#endif
}

const struct remote_world remote_world_workbench = {
    .number = number,
    .vcpu = vcpu_of,
    .domain = domain_told,
    .look = look,
    .who = wb_who,
};
