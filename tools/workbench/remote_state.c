// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a policy's process knows, and what of its answers happens here.
 *
 * Concept: of each vCPU and domain it is remembered how it was last told. A question takes along those that differ now.
 * Who is looked at for that, the world knows in which they are (remote.h: struct remote_world).
 *
 * Invariant: when a question is sent, the other side's mirror and this side agree on all that the mirror shows.
 */
#include "tools/workbench/remote.h"

#include <stdio.h>

/* --- what it is told --- */

static struct wire_vcpu vcpu_now(struct wb_remote *r, const struct vcpu *v)
{
    struct wire_vcpu w;

    memset(&w, 0, sizeof(w)); /* padding as well: it is compared */
    w.vcpu = r->world->number(r, v);
    w.domain = v->domain->domain_id;
    w.vcpu_id = v->vcpu_id;
    w.pause_flags = v->pause_flags;
    w.pause_count = v->pause_count;
    w.state = v->runstate.state;
    w.processor = v->processor;
    w.is_initialised = v->is_initialised;
    w.is_running = v->is_running;
    w.defer_shutdown = v->defer_shutdown;
    w.sched_joined = v->sched_joined;
    w.sched_awake = v->sched_awake;
    w.state_entry_time = v->runstate.state_entry_time;
    memcpy(w.time, v->runstate.time, sizeof(w.time));
    w.hard_affinity = v->hard_affinity;
    w.soft_affinity = v->soft_affinity;
    w.last_run = v->last_run;
    return w;
}

static struct wire_domain domain_now(struct wb_remote *r, const struct domain *d)
{
    struct wire_domain w;

    memset(&w, 0, sizeof(w));
    w.domain = d->domain_id;
    w.pause_count = d->pause_count;
    w.controller_pause_count = d->controller_pause_count;
    memcpy(w.handle, d->handle, sizeof(w.handle));
    w.in_pool = d->sched != NULL;
    w.is_shutting_down = d->is_shutting_down;
    w.is_dying = (uint32_t)d->is_dying;
    r->world->domain(r, d, &w);
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

void wb_remote_say_domain(struct wb_remote *r, const struct wire_domain *w)
{
    if (r->domain_told[w->domain] && !memcmp(w, &r->domain[w->domain], sizeof(*w)))
        return;
    if (r->question.nr_domains == WB_STATE_DOMAINS)
        flush(r);
    r->new_domain[r->question.nr_domains++] = r->domain[w->domain] = *w;
    r->domain_told[w->domain] = true;
    if (r->nr_domains <= w->domain)
        r->nr_domains = w->domain + 1;
}

void wb_remote_look_domain(struct wb_remote *r, const struct domain *d)
{
    const struct wire_domain w = domain_now(r, d);

    wb_remote_say_domain(r, &w);
}

void wb_remote_look_vcpu(struct wb_remote *r, const struct vcpu *v)
{
    const struct wire_vcpu w = vcpu_now(r, v);

    wb_remote_look_domain(r, v->domain);
    if (r->vcpu_told[w.vcpu] && !memcmp(&w, &r->vcpu[w.vcpu], sizeof(w)))
        return;
    if (r->nr_vcpus <= w.vcpu)
        r->nr_vcpus = w.vcpu + 1;
    if (r->question.nr_vcpus == WB_STATE_VCPUS)
        flush(r);
    r->vcpu_told[w.vcpu] = true;
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
            .curr = p->curr && p->sched == s ? r->world->number(r, p->curr) : WIRE_NOBODY,
            .need_resched = p->need_resched,
            .online = p->online,
            .owned = p->sched == s,
            .now = p->now,
            .slice_end = p->slice_end,
            .idle_time = p->idle_time,
            .idle_since = p->idle_since,
        };
    }
}

void wb_remote_tell(struct wb_remote *r, struct scheduler *s, const struct vcpu *v, const struct domain *d)
{
    if (v)
        d = v->domain;
    if (d)
        r->domain_asked = d;
    pcpus_tell(r, s);
    r->question.nr_domains = r->question.nr_vcpus = 0;
    r->world->look(r, v, d);
}

/* --- what it answers --- */

struct vcpu *wb_remote_vcpu(struct wb_remote *r, uint32_t vcpu)
{
    return vcpu < r->nr_vcpus ? r->world->vcpu(r, vcpu) : NULL;
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
    memcpy(r->fault, s->fault_text, sizeof(r->fault));
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
