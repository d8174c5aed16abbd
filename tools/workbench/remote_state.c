// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a policy's process knows, and what of its answers happens here.
 *
 * Concept: of each vCPU and domain it is remembered how it was last told. A question takes along those that differ now.
 * Of few vCPUs all are looked at; of many those alone that may have changed: whom the hook is about, who is on a pCPU,
 * whose runstate has changed (sim.h: wb_changed()). Builds with sanitizers look at all, and mind if one was missed.
 *
 * Invariant: when a question is sent, the other side's mirror and this side agree on all that the mirror shows.
 */
#include "tools/workbench/remote.h"

#include <stdio.h>

#define LOOK_AT_ALL 256

/* --- what it is told --- */

static struct wire_vcpu vcpu_now(const struct wb_vcpu *wv)
{
    const struct vcpu *v = &wv->v;
    struct wire_vcpu w;

    memset(&w, 0, sizeof(w)); /* padding as well: it is compared */
    w.vcpu = wv->number;
    w.domain = v->domain->domain_id;
    w.vcpu_id = v->vcpu_id;
    w.pause_flags = v->pause_flags;
    w.pause_count = v->pause_count;
    w.state = v->runstate.state;
    w.processor = v->processor;
    w.is_initialised = v->is_initialised;
    w.is_running = v->is_running;
    w.sched_joined = v->sched_joined;
    w.sched_awake = v->sched_awake;
    w.state_entry_time = v->runstate.state_entry_time;
    memcpy(w.time, v->runstate.time, sizeof(w.time));
    w.hard_affinity = v->hard_affinity;
    w.soft_affinity = v->soft_affinity;
    w.last_run = v->last_run;
    return w;
}

static struct wire_domain domain_now(const struct domain *d)
{
    struct wire_domain w;

    memset(&w, 0, sizeof(w));
    w.domain = d->domain_id;
    w.room = ((const struct wb_domain *)d)->room;
    w.max_vcpus = d->max_vcpus;
    w.pause_count = d->pause_count;
    w.controller_pause_count = d->controller_pause_count;
    memcpy(w.handle, d->handle, sizeof(w.handle));
    w.in_pool = d->sched != NULL;
    w.listed = ((const struct wb_domain *)d)->listed;
    return w;
}

/* What was put together goes ahead of the question itself. */
static void flush(struct wb_remote *r)
{
    const uint32_t kind = r->question.kind;

    r->question.kind = WIRE_STATE;
    wb_remote_send(r);
    r->question.kind = kind;
}

static void domain_look(struct wb_remote *r, const struct domain *d)
{
    const struct wire_domain w = domain_now(d);

    if (r->domain_told[w.domain] && !memcmp(&w, &r->domain[w.domain], sizeof(w)))
        return;
    if (r->question.nr_domains == WB_STATE_DOMAINS)
        flush(r);
    r->new_domain[r->question.nr_domains++] = r->domain[w.domain] = w;
    r->domain_told[w.domain] = true;
}

static void vcpu_look(struct wb_remote *r, const struct wb_vcpu *wv)
{
    struct wire_vcpu w;

    /* In the order of their numbers. */
    while (r->nr_vcpus < wv->number)
        vcpu_look(r, r->wb->vcpus[r->nr_vcpus]);
    domain_look(r, wv->v.domain);
    w = vcpu_now(wv);
    if (wv->number < r->nr_vcpus && !memcmp(&w, &r->vcpu[w.vcpu], sizeof(w)))
        return;
    if (wv->number == r->nr_vcpus)
        r->nr_vcpus++;
    if (r->question.nr_vcpus == WB_STATE_VCPUS)
        flush(r);
    r->new_vcpu[r->question.nr_vcpus++] = r->vcpu[w.vcpu] = w;
}

static void pcpus_tell(struct wb_remote *r, const struct scheduler *s)
{
    struct wire_question *q = &r->question;
    const struct xen *xen = s->xen;

    q->now = NOW(xen);
    q->clock_seq = xen->machine->clock.seq;
    q->cpus = s->cpus;
    q->nr_pcpus = xen->nr_pcpus;
    q->has_pool = xen->sched != NULL;
    for (unsigned int i = 0; i < xen->nr_pcpus; i++) {
        const struct xen_pcpu *p = &xen->pcpu[i];

        q->pcpu[i] = (struct wire_pcpu){
            .curr = p->curr ? ((const struct wb_vcpu *)p->curr)->number : WIRE_NOBODY,
            .need_resched = p->need_resched,
            .online = p->online,
            .owned = p->sched != NULL,
            .now = p->now,
            .slice_end = p->slice_end,
            .idle_time = p->idle_time,
            .idle_since = p->idle_since,
        };
    }
}

void wb_remote_tell(struct wb_remote *r, struct scheduler *s, const struct vcpu *v, const struct domain *d)
{
    struct wb *wb = r->wb;
    const bool all = wb->nr_vcpus <= LOOK_AT_ALL || wb->changed_all;

    pcpus_tell(r, s);
    r->question.nr_domains = r->question.nr_vcpus = 0;
    if (!wb->nr_vcpus)
        r->domain_last = NULL; /* all of it is being taken down */
    if (r->domain_last)        /* it may have got into the list, or more vCPUs, since */
        domain_look(r, r->domain_last);
    if (v)
        d = v->domain;
    if (d)
        domain_look(r, d);
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

/* --- what it answers --- */

struct vcpu *wb_remote_vcpu(const struct wb_remote *r, uint32_t vcpu)
{
    return vcpu < r->nr_vcpus && vcpu < r->wb->nr_vcpus ? &r->wb->vcpus[vcpu]->v : NULL;
}

void wb_remote_fault(struct wb_remote *r, struct scheduler *s, const char *rule, const struct vcpu *v, int cpu)
{
    if (s->fault)
        return;
    snprintf(s->fault_text, sizeof(s->fault_text), "%s %s", wb_where_name(r->where), rule);
    s->fault = s->fault_text;
    s->fault_vcpu = v;
    s->fault_cpu = cpu;
    r->fault_call = r->calls;
}

static void broken_say(struct wb_remote *r, struct scheduler *s, const struct wire_answer *a)
{
    static const char *const rules[WIRE_NR_BROKEN] = {
        [WIRE_WROTE_VCPU] = "wrote to a struct vcpu: only sched_priv and processor are the policy's",
        [WIRE_WROTE_PCPU] = "wrote to a pCPU, or to the mask of those in its pool: they are the core's",
        [WIRE_WROTE_CLOCK] = "changed the clock",
    };

    wb_remote_fault(r, s, rules[a->broken], wb_remote_vcpu(r, a->broken_vcpu),
                    a->broken_cpu != WIRE_NOBODY ? (int)a->broken_cpu : r->who.cpu);
}

/* The first of the policy's timers takes its place among ours, with the number that it has. */
static void timer_tell(struct wb_remote *r, struct vclock *c, const struct wire_answer *a)
{
    c->seq = a->clock_seq;
    if (a->expires == STIME_MAX) {
        timer_stop(c, &r->timer);
        return;
    }
    if (timer_armed(&r->timer) && r->timer.expires == a->expires && r->timer_seq == a->seq)
        return;
    c->seq = a->seq - 1;
    timer_set(c, &r->timer, a->expires);
    c->seq = a->clock_seq;
    r->timer_seq = a->seq;
}

void wb_remote_apply(struct wb_remote *r, struct scheduler *s, const struct wire_answer *a)
{
    if (a->broken)
        broken_say(r, s, a);
    for (uint32_t i = 0; i < a->nr_moved; i++) {
        struct vcpu *v = wb_remote_vcpu(r, a->moved[i].vcpu);

        if (!v) /* it is being taken down */
            continue;
        if (a->moved[i].processor >= s->xen->nr_pcpus) {
            wb_remote_fault(r, s, "gave a vCPU a processor that does not exist", v, r->who.cpu);
            continue;
        }
        v->processor = r->vcpu[a->moved[i].vcpu].processor = a->moved[i].processor;
    }
    timer_tell(r, &s->xen->machine->clock, a);
    for_each_cpu_in(a->kicked, cpu) sched_kick_cpu(s->xen, cpu);
}
