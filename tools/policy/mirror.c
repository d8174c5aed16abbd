// SPDX-License-Identifier: GPL-2.0-or-later
/* The mirror: mirror.h says what it is. */
#include "tools/policy/mirror.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Of so many vCPUs all are compared after each hook; of more, those alone that it was about. */
#define COMPARE_ALL 64

/* Memory that is used as far as it is written. */
static void *reserve(size_t n, size_t size)
{
    void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    BUG_ON(p == MAP_FAILED);
    return p;
}

void mirror_init(struct mirror *m)
{
    m->vcpu = reserve(WIRE_MAX_VCPUS, sizeof(*m->vcpu));
    m->domain = reserve(WIRE_MAX_DOMAINS, sizeof(*m->domain));
    vclock_init(&m->machine.clock, NULL);
    m->machine.edges = &m->edges;
    m->xen.machine = &m->machine;
    m->sched.xen = &m->xen;
    m->listed = &m->xen.domain_list;
}

struct vcpu *mirror_vcpu(struct mirror *m, uint32_t vcpu) { return vcpu < m->nr_vcpus ? &m->vcpu[vcpu].v : NULL; }

struct domain *mirror_domain(struct mirror *m, uint32_t domain)
{
    return domain < WIRE_MAX_DOMAINS && m->domain[domain].made ? &m->domain[domain].d : NULL;
}

uint32_t mirror_vcpu_number(const struct mirror *m, const struct vcpu *v)
{
    const uintptr_t at = (uintptr_t)v - (uintptr_t)m->vcpu;

    if (!v)
        return WIRE_NOBODY;
    return at % sizeof(*m->vcpu) || at / sizeof(*m->vcpu) >= m->nr_vcpus ? WIRE_NO_VCPU
                                                                         : (uint32_t)(at / sizeof(*m->vcpu));
}

/* --- from a question --- */

/* It is gone, and out of the list: it may come again. */
static void domain_unlist(struct mirror *m, struct domain *d)
{
    struct domain **at = &m->xen.domain_list;

    while (*at && *at != d)
        at = &(*at)->next;
    if (!*at)
        return;
    if (m->listed == &d->next)
        m->listed = at;
    *at = d->next;
    d->next = NULL;
    d->creation_finished = false;
}

static void domain_update(struct mirror *m, const struct wire_domain *w)
{
    struct mirror_domain *md = &m->domain[w->domain];
    struct domain *d = &md->d;

    if (!w->listed || md->first != w->first || md->room != w->room)
        domain_unlist(m, d);
    if (!md->made || md->first != w->first || md->room != w->room) {
        free(d->vcpu);
        *md = (struct mirror_domain){ .made = true, .first = w->first, .room = w->room };
        d->domain_id = (domid_t)w->domain;
        d->xen = &m->xen;
        d->refcnt = 1;
        d->type = DOMAIN_NATIVE;
        memcpy(d->handle, w->handle, sizeof(d->handle));
        d->shutdown_code = -1;
        d->vcpu = calloc(w->room + 1, sizeof(struct vcpu *));
        BUG_ON(!d->vcpu);
    }
    d->max_vcpus = w->max_vcpus;
    d->is_shutting_down = w->is_shutting_down;
    d->is_dying = w->is_dying;
    d->pause_count = w->pause_count;
    d->controller_pause_count = w->controller_pause_count;
    d->sched = w->in_pool ? &m->sched : NULL;
    if (w->listed && m->listed != &d->next && !d->creation_finished) {
        d->creation_finished = true;
        *m->listed = d;
        m->listed = &d->next;
    }
}

static void vcpu_update(struct mirror *m, const struct wire_vcpu *w)
{
    struct mirror_vcpu *mv = &m->vcpu[w->vcpu];
    struct vcpu *v = &mv->v;

    if (w->vcpu >= m->nr_vcpus)
        m->nr_vcpus = w->vcpu + 1;
    if (v->domain != &m->domain[w->domain].d || v->domain->vcpu[w->vcpu_id] != v) {
        mv->told.processor = WIRE_NOBODY;
        v->vcpu_id = w->vcpu_id;
        v->domain = &m->domain[w->domain].d;
        v->domain->vcpu[w->vcpu_id] = v;
    }
    v->pause_flags = w->pause_flags;
    v->pause_count = w->pause_count;
    v->is_initialised = w->is_initialised;
    v->is_running = w->is_running;
    v->defer_shutdown = w->defer_shutdown;
    v->sched_joined = w->sched_joined;
    v->sched_awake = w->sched_awake;
    v->runstate.state = w->state;
    v->runstate.state_entry_time = w->state_entry_time;
    memcpy(v->runstate.time, w->time, sizeof(w->time));
    v->hard_affinity = w->hard_affinity;
    v->soft_affinity = w->soft_affinity;
    v->last_run = w->last_run;
    if (w->processor != mv->told.processor) /* the core has set it */
        v->processor = w->processor;
    mv->told = *w;
}

void mirror_update(struct mirror *m, const struct wire_question *q)
{
    const struct wire_domain *d = (const struct wire_domain *)(q + 1);
    const struct wire_vcpu *v = (const struct wire_vcpu *)(d + q->nr_domains);

    m->told = *q;
    m->machine.clock.now = q->now;
    m->machine.clock.seq = q->clock_seq;
    for (uint32_t i = 0; i < q->nr_domains; i++)
        domain_update(m, &d[i]);
    for (uint32_t i = 0; i < q->nr_vcpus; i++)
        vcpu_update(m, &v[i]);
    m->xen.nr_pcpus = q->nr_pcpus;
    m->xen.sched = q->has_pool ? &m->sched : NULL;
    m->sched.cpus = q->cpus;
    for (uint32_t i = 0; i < q->nr_pcpus; i++) {
        const struct wire_pcpu *w = &q->pcpu[i];
        struct xen_pcpu *p = &m->xen.pcpu[i];

        p->curr = mirror_vcpu(m, w->curr);
        p->need_resched = w->need_resched;
        p->online = w->online;
        p->sched = w->owned ? &m->sched : NULL;
        p->now = w->now;
        p->slice_end = w->slice_end;
        p->idle_time = w->idle_time;
        p->idle_since = w->idle_since;
    }
}

/* --- into an answer --- */

static bool vcpu_differs(const struct mirror_vcpu *mv)
{
    const struct wire_vcpu *w = &mv->told;
    const struct vcpu *v = &mv->v;

    return v->pause_flags != w->pause_flags || v->pause_count != w->pause_count ||
           v->is_initialised != w->is_initialised || v->is_running != w->is_running ||
           v->sched_joined != w->sched_joined || v->sched_awake != w->sched_awake || v->runstate.state != w->state ||
           v->runstate.state_entry_time != w->state_entry_time || memcmp(v->runstate.time, w->time, sizeof(w->time)) ||
           v->hard_affinity != w->hard_affinity || v->soft_affinity != w->soft_affinity || v->last_run != w->last_run ||
           v->vcpu_id != w->vcpu_id || !v->domain || v->domain->domain_id != w->domain;
}

static void broken(struct wire_answer *a, enum wire_broken rule, uint32_t vcpu, uint32_t cpu)
{
    if (a->broken)
        return;
    a->broken = rule;
    a->broken_vcpu = vcpu;
    a->broken_cpu = cpu;
}

/* A vCPU that is told of in both ways needs to be looked at once. */
static void vcpu_look(struct mirror *m, uint32_t vcpu, struct wire_answer *a)
{
    struct mirror_vcpu *mv = &m->vcpu[vcpu];

    if (vcpu_differs(mv))
        broken(a, WIRE_WROTE_VCPU, vcpu, WIRE_NOBODY);
    if (mv->v.processor == mv->told.processor || a->nr_moved == WIRE_MAX_MOVED)
        return;
    a->moved[a->nr_moved].vcpu = vcpu;
    a->moved[a->nr_moved++].processor = mv->v.processor;
    mv->told.processor = mv->v.processor;
}

static void pcpus_look(struct mirror *m, uint32_t vcpu, struct wire_answer *a)
{
    const struct wire_question *q = &m->told;

    for (uint32_t i = 0; i < q->nr_pcpus; i++) {
        const struct wire_pcpu *w = &q->pcpu[i];
        const struct xen_pcpu *p = &m->xen.pcpu[i];

        if (mirror_vcpu_number(m, p->curr) != w->curr || p->slice_end != w->slice_end ||
            p->sched != (w->owned ? &m->sched : NULL) || (w->need_resched && !p->need_resched))
            broken(a, WIRE_WROTE_PCPU, vcpu, i);
        if (p->need_resched && !w->need_resched)
            a->kicked |= UINT64_C(1) << i;
        m->told.pcpu[i].need_resched = p->need_resched;
    }
    if (m->sched.cpus != q->cpus)
        broken(a, WIRE_WROTE_PCPU, vcpu, WIRE_NOBODY);
}

void mirror_differences(struct mirror *m, const uint32_t who[3], struct wire_answer *a)
{
    const struct vclock *c = &m->machine.clock;

    if (c->now != m->told.now)
        broken(a, WIRE_WROTE_CLOCK, who[0], WIRE_NOBODY);
    pcpus_look(m, who[0], a);
    for (uint32_t i = 0; i < 3; i++)
        if (who[i] < m->nr_vcpus)
            vcpu_look(m, who[i], a);
    for (uint32_t i = 0; m->nr_vcpus <= COMPARE_ALL && i < m->nr_vcpus; i++)
        vcpu_look(m, i, a);
    a->clock_seq = c->seq;
    a->expires = vclock_next(c);
    a->seq = c->nr ? c->heap[0].seq : 0;
}
