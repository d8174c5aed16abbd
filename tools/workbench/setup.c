// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's machine, domains and vCPUs, as far as a scheduler can see them.
 *
 * Concept: struct xen, struct domain and struct vcpu are the real ones, with everything left zero that a policy has no
 * business with: no RAM, no page tables, no registers. The machine is a clock.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/workbench/load.h"

/* The core's trace points tell when somebody wakes, and when one that waits is paused: that is a wait no longer. */
static void on_trace(void *data, const struct trace_record *rec)
{
    struct wb *wb = data;
    struct wb_vcpu *wv;

    if (rec->event != TRC_runstate || !wb->nr_vcpus)
        return;
    wv = wb_vcpu(wb->by_id[rec->who.domain], rec->who.vcpu);
    wb_changed(wv);
    if (rec->arg[1] == RUNSTATE_runnable && rec->arg[0] != RUNSTATE_running && !wv->v.is_running)
        wv->woken_at = wv->waiting_since = rec->time;
    if (rec->arg[0] == RUNSTATE_runnable && rec->arg[1] != RUNSTATE_running) {
        if (wv->waiting_since >= 0 && rec->time - wv->waiting_since > wv->max_wait)
            wv->max_wait = rec->time - wv->waiting_since;
        wv->woken_at = wv->waiting_since = -1;
    }
}

void wb_changed(struct wb_vcpu *wv)
{
    struct wb *wb = wv->wb;

    if (wb->nr_changed < WB_MAX_CHANGED)
        wb->changed[wb->nr_changed++] = wv;
    else
        wb->changed_all = true;
}

struct wb *wb_create(const char *policy, const struct sched_ops *ops, unsigned int nr_pcpus, uint64_t seed)
{
    struct wb *wb = calloc(1, sizeof(*wb));

    BUG_ON(!wb || !nr_pcpus || nr_pcpus > MACHINE_MAX_PCPUS);
    wb->machine.seed = wb->machine.prng = seed;
    wb->machine.arena = arena_create();
    BUG_ON(!wb->machine.arena);
    vclock_init(&wb->machine.clock, wb->machine.arena);
    wb->machine.edges = &wb->edges;
    wb->edges.trace.sink = on_trace;
    wb->edges.trace.data = wb;
    wb->domains_tail = &wb->domains;
    wb->xen.machine = &wb->machine;
    wb->xen.nr_pcpus = nr_pcpus;
    for (unsigned int c = 0; c < nr_pcpus; c++)
        wb->xen.pcpu[c].online = true;
    wb->xen.sched = ops ? sched_create_ops(&wb->xen, ops, (UINT64_C(1) << nr_pcpus) - 1)
                        : sched_create(&wb->xen, policy, (UINT64_C(1) << nr_pcpus) - 1);
    if (!wb->xen.sched) {
        arena_destroy(wb->machine.arena);
        free(wb);
        return NULL;
    }
    return wb;
}

static void domain_free(struct wb *wb, struct wb_domain *wd)
{
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        struct wb_vcpu *wv = wb_vcpu(wd, i);

        timer_stop(&wb->machine.clock, &wv->timer);
        sched_destroy_vcpu(&wv->v);
        free(wv->latency.v);
        free(wv);
        wb_program_free(&wd->own[i]);
    }
    timer_stop(&wb->machine.clock, &wd->made);
    sched_destroy_domain(&wd->d);
    wb_program_free(&wd->program);
    free(wd->own);
    free(wd->d.vcpu);
    free(wd);
}

void wb_destroy(struct wb *wb)
{
    if (!wb)
        return;
    wb->nr_vcpus = wb->nr_changed = 0; /* they are freed one after the other: nobody may look at all of them any more */
    while (wb->events) {
        struct wb_event *ev = wb->events;

        wb->events = ev->next;
        timer_stop(&wb->machine.clock, &ev->timer);
        free(ev);
    }
    while (wb->domains) {
        struct wb_domain *wd = wb->domains;

        wb->domains = wd->next;
        wb->xen.domain_list = wd->d.next;
        domain_free(wb, wd);
    }
    sched_destroy(wb->xen.sched);
    vclock_destroy(&wb->machine.clock);
    arena_destroy(wb->machine.arena);
    free(wb->by_id);
    free(wb->vcpus);
    free(wb->span);
    free(wb->state);
    free(wb->miss);
    free(wb);
}

void wb_sleep_over(void *data)
{
    struct wb_vcpu *wv = data;

    vcpu_unblock(&wv->v);
}

static int vcpu_add(struct wb *wb, struct wb_domain *wd, unsigned int id)
{
    struct wb_vcpu *wv = calloc(1, sizeof(*wv));
    int rc;

    BUG_ON(!wv);
    wv->wb = wb;
    wv->program = &wd->program;
    wv->woken_at = wv->waiting_since = -1;
    wv->last_cpu = MACHINE_MAX_PCPUS;
    wv->v.vcpu_id = id;
    wv->v.domain = &wd->d;
    wv->v.vcpu_info = &wv->info;
    wv->v.pause_flags = VPF_down;
    timer_init(&wv->timer, wb_sleep_over, wv);
    wd->d.vcpu[id] = &wv->v;
    wb->vcpus = realloc(wb->vcpus, (wb->nr_vcpus + 1) * sizeof(*wb->vcpus));
    BUG_ON(!wb->vcpus);
    wv->number = wb->nr_vcpus;
    wb->vcpus[wb->nr_vcpus++] = wv;
    rc = sched_init_vcpu(&wv->v);
    wb_changed(wv);
    return rc;
}

struct wb_domain *wb_domain_add(struct wb *wb, const char *name, unsigned int nr_vcpus, const char *program)
{
    struct wb_domain *wd = calloc(1, sizeof(*wd));
    struct domain **tail = &wb->xen.domain_list;
    int rc;

    BUG_ON(!wd || !nr_vcpus);
    if (!wb_program_parse(&wd->program, program, wb->error, sizeof(wb->error))) {
        free(wd);
        return NULL;
    }
    snprintf(wd->name, sizeof(wd->name), "%s", name);
    wd->room = nr_vcpus;
    wd->weight = 256;
    wd->d.xen = &wb->xen;
    wd->d.refcnt = 1;
    wd->d.type = DOMAIN_NATIVE;
    wd->d.domain_id = wb->xen.next_domid++;
    memcpy(wd->d.handle, &wd->d.domain_id, sizeof(wd->d.domain_id));
    wd->d.shutdown_code = -1;
    wd->d.vcpu = calloc(nr_vcpus, sizeof(*wd->d.vcpu));
    wd->own = calloc(nr_vcpus, sizeof(*wd->own));
    BUG_ON(!wd->d.vcpu || !wd->own);
    rc = sched_init_domain(&wd->d, 0);
    for (; !rc && wd->d.max_vcpus < nr_vcpus; wd->d.max_vcpus++)
        rc = vcpu_add(wb, wd, wd->d.max_vcpus);

    /* domains_tail points into the last wb_domain, the hypervisor's own list is kept in the same order. */
    if (wb->domains)
        tail = &((struct wb_domain *)((char *)wb->domains_tail - offsetof(struct wb_domain, next)))->d.next;
    *tail = &wd->d;
    wd->listed = true;
    if (!(wd->d.domain_id & (wd->d.domain_id - 1))) {
        wb->by_id = realloc(wb->by_id, (wd->d.domain_id ? 2 * wd->d.domain_id : 1) * sizeof(struct wb_domain *));
        BUG_ON(!wb->by_id);
    }
    wb->by_id[wd->d.domain_id] = wd;
    *wb->domains_tail = wd;
    wb->domains_tail = &wd->next;
    if (!rc)
        return wd;
    snprintf(wb->error, sizeof(wb->error), "the policy has no memory for it");
    return NULL;
}

bool wb_vcpu_set_program(struct wb *wb, struct wb_domain *wd, unsigned int id, const char *program)
{
    wb_program_free(&wd->own[id]);
    if (!wb_program_parse(&wd->own[id], program, wb->error, sizeof(wb->error)))
        return false;
    wb_vcpu(wd, id)->program = &wd->own[id];
    return true;
}

/* Each vCPU has its own: XEN_DOMCTL_SCHEDOP_putvcpuinfo, with one element. */
static int periods_put(struct wb_domain *wd, struct scheduler *s)
{
    struct xen_domctl_scheduler_op op = { .sched_id = s->ops->sched_id, .cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo };
    int rc = 0;

    for (unsigned int i = 0; !rc && i < wd->d.max_vcpus; i++) {
        struct xen_domctl_schedparam_vcpu p = { .vcpuid = i };

        p.u.rtds.period = wd->period_us ? wd->period_us : 10000;
        p.u.rtds.budget = wd->budget_us ? wd->budget_us : 4000;
        p.u.rtds.flags = wd->extratime ? XEN_DOMCTL_SCHEDRT_extra : 0;
        set_xen_guest_handle(op.u.v.vcpus, &p);
        op.u.v.nr_vcpus = 1;
        rc = s->ops->adjust(s, &wd->d, &op);
    }
    return rc;
}

/* A policy of one's own need not know periods: then it says -EOPNOTSUPP. The built-in ones but rtds are not asked. */
static int periods_apply(struct wb_domain *wd, struct scheduler *s)
{
    const struct sched_ops *known = sched_ops_by_id(s->ops->sched_id);
    int rc;

    if (s->ops->sched_id == XEN_SCHEDULER_RTDS)
        return periods_put(wd, s);
    if (known || (!wd->period_us && !wd->budget_us))
        return 0;
    rc = periods_put(wd, s);
    return rc == -EOPNOTSUPP ? 0 : rc;
}

int wb_domain_apply(struct wb_domain *wd)
{
    struct scheduler *s = wd->d.sched;
    struct xen_domctl_scheduler_op op = { .sched_id = s->ops->sched_id, .cmd = XEN_DOMCTL_SCHEDOP_putinfo };

    switch (s->ops->sched_id) {
    case XEN_SCHEDULER_CREDIT:
        op.u.credit.weight = (uint16_t)wd->weight;
        op.u.credit.cap = (uint16_t)wd->cap;
        break;
    case XEN_SCHEDULER_RTDS:
        op.u.rtds.period = wd->period_us ? wd->period_us : 10000;
        op.u.rtds.budget = wd->budget_us ? wd->budget_us : 4000;
        break;
    default: /* a student's policy may read weight and cap, too */
        op.u.credit2.weight = (uint16_t)wd->weight;
        op.u.credit2.cap = (uint16_t)wd->cap;
    }
    wd->refused = s->ops->adjust ? s->ops->adjust(s, &wd->d, &op) : 0;
    if (!wd->refused && s->ops->adjust)
        wd->refused = periods_apply(wd, s);
    return wd->refused;
}

struct wb_domain *wb_domain_find(struct wb *wb, const char *name)
{
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        if (!strcmp(wd->name, name))
            return wd;
    return NULL;
}

struct wb_domain *wb_target_find(struct wb *wb, const char *text, int *id)
{
    const size_t len = strcspn(text, ".");
    char name[32], *end;
    struct wb_domain *wd;
    unsigned long n;

    if (len >= sizeof(name))
        return NULL;
    memcpy(name, text, len);
    name[len] = '\0';
    wd = wb_domain_find(wb, name);
    *id = -1;
    if (!wd || !text[len])
        return wd;
    n = strtoul(text + len + 1, &end, 10);
    if (text[len + 1] < '0' || text[len + 1] > '9' || *end || n >= wd->d.max_vcpus)
        return NULL;
    *id = (int)n;
    return wd;
}

/* "a, b, c and 4 more" */
static void domains_list(const struct wb *wb, char *list, size_t len)
{
    unsigned int left = wb->xen.next_domid;
    size_t n = 0;

    list[0] = '\0';
    for (const struct wb_domain *wd = wb->domains; wd; wd = wd->next, left--) {
        if (n + strlen(wd->name) + 24 > len) {
            snprintf(list + n, len - n, " and %u more", left);
            return;
        }
        n += (size_t)snprintf(list + n, len - n, "%s%s", n ? ", " : "", wd->name);
    }
}

static const char *domain_nearest(const struct wb *wb, const char *name, char hint[NEAREST_HINT_SIZE])
{
    const char **names = calloc(wb->xen.next_domid + 1u, sizeof(*names));
    size_t nr = 0;

    BUG_ON(!names);
    for (const struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        names[nr++] = wd->name;
    nearest_hint(name, names, nr, "", hint);
    free(names);
    return hint;
}

const char *wb_target_why(struct wb *wb, const char *text, bool whole, char why[WB_TARGET_WHY])
{
    char name[32], list[100], hint[NEAREST_HINT_SIZE];
    const struct wb_domain *wd;

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "."), text);
    wd = wb_domain_find(wb, name);
    if (wd && whole)
        snprintf(why, WB_TARGET_WHY, "it concerns a whole domain: expected %s, without a vCPU's number", name);
    else if (wd && wd->d.max_vcpus == 1)
        snprintf(why, WB_TARGET_WHY, "domain %s has no such vCPU; it has %s.0 only", name, name);
    else if (wd)
        snprintf(why, WB_TARGET_WHY, "domain %s has no such vCPU; it has %s.0 to %s.%u", name, name, name,
                 wd->d.max_vcpus - 1);
    if (wd)
        return why;
    domains_list(wb, list, sizeof(list));
    snprintf(why, WB_TARGET_WHY, "there is no such domain or vCPU%s (%s%s)", domain_nearest(wb, name, hint),
             *list ? "domains so far: " : "no domain line came before", list);
    return why;
}

struct wb_who wb_who(const struct domain *d, const struct vcpu *v, int cpu)
{
    struct wb_who w = { .domid = -1, .vcpu = -1, .cpu = cpu };

    if (v)
        d = v->domain;
    if (!d)
        return w;
    w.domid = d->domain_id;
    w.vcpu = v ? (int)v->vcpu_id : -1;
    memcpy(w.domain, ((const struct wb_domain *)d)->name, sizeof(w.domain));
    return w;
}

const char *wb_who_text(const struct wb_who *w, char buf[WB_WHO_SIZE])
{
    int n = 0;

    buf[0] = '\0';
    if (w->domid >= 0)
        n = snprintf(buf, WB_WHO_SIZE, " [domain %.31s", w->domain);
    if (w->domid >= 0 && w->vcpu >= 0)
        n += snprintf(buf + n, WB_WHO_SIZE - (size_t)n, ", vCPU %d (d%dv%d)", w->vcpu, w->domid, w->vcpu);
    if (w->cpu >= 0)
        n += snprintf(buf + n, WB_WHO_SIZE - (size_t)n, "%spCPU %d", n ? ", " : " [", w->cpu);
    if (n)
        snprintf(buf + n, WB_WHO_SIZE - (size_t)n, "]");
    return buf;
}
