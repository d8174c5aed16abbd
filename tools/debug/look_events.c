// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking into a machine, see tools/debug/look.h: event channels, grants, timers, rings. */
#include "tools/debug/look_private.h"

#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "vcpu/native/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the public headers call it. */
static void virq_text(uint32_t virq, char text[LOOK_TEXT])
{
    static const char *const names[] = {
        [VIRQ_TIMER] = "TIMER",         [VIRQ_DEBUG] = "DEBUG",       [VIRQ_CONSOLE] = "CONSOLE",
        [VIRQ_DOM_EXC] = "DOM_EXC",     [VIRQ_TBUF] = "TBUF",         [VIRQ_DEBUGGER] = "DEBUGGER",
        [VIRQ_XENOPROF] = "XENOPROF",   [VIRQ_CON_RING] = "CON_RING", [VIRQ_PCPU_STATE] = "PCPU_STATE",
        [VIRQ_MEM_EVENT] = "MEM_EVENT", [VIRQ_ARGO] = "ARGO",         [VIRQ_ENOMEM] = "ENOMEM",
        [VIRQ_XENPMU] = "XENPMU",
    };

    if (virq < ARRAY_SIZE(names) && names[virq])
        snprintf(text, LOOK_TEXT, "VIRQ_%s", names[virq]);
    else
        snprintf(text, LOOK_TEXT, "virq %u", virq);
}

static void port_goes_to(const struct evtchn *chn, struct look_port *out)
{
    static const char *const states[] = { "free", "reserved", "unbound", "interdomain", "pirq", "virq", "ipi" };

    out->state = states[chn->state];
    out->peer = DOMID_INVALID;
    switch (chn->state) {
    case ECS_UNBOUND:
        out->peer = chn->u.unbound.remote_domid;
        snprintf(out->to, LOOK_TEXT, "d%u may bind to it", out->peer);
        break;
    case ECS_INTERDOMAIN:
        out->peer = chn->u.interdomain.remote_dom->domain_id;
        out->peer_port = chn->u.interdomain.remote_port;
        snprintf(out->to, LOOK_TEXT, "d%u port %u", out->peer, out->peer_port);
        break;
    case ECS_PIRQ: snprintf(out->to, LOOK_TEXT, "pirq %u", chn->u.pirq.irq); break;
    case ECS_VIRQ: virq_text(chn->u.virq, out->to); break;
    default: break;
    }
}

static enum look_told port_told(const struct domain *d, const struct look_port *p)
{
    const struct vcpu *v = p->vcpu < d->max_vcpus ? d->vcpu[p->vcpu] : NULL;

    if (!p->pending || !v || is_native_domain(d))
        return LOOK_TOLD_NOTHING;
    if (p->masked)
        return LOOK_TOLD_MASKED;
    if (!v->vcpu_info->evtchn_upcall_pending)
        return LOOK_TOLD_NOTED;
    return v->vcpu_info->evtchn_upcall_mask ? LOOK_TOLD_UPCALL_MASKED : LOOK_TOLD_SOON;
}

bool look_port(struct host *h, domid_t dom, unsigned int *n, struct look_port *out)
{
    const struct domain *d = look_domain_of(h, dom);

    for (; d && port_is_valid(d, *n); ++*n) {
        const struct evtchn *chn = evtchn_from_port(d, *n);

        if (chn->state == ECS_FREE || chn->state == ECS_RESERVED)
            continue;
        *out = (struct look_port){ .port = *n, .vcpu = chn->notify_vcpu_id };
        port_goes_to(chn, out);
        if (!chn->notify) {
            out->pending = d->evtchn_port_ops->is_pending(d, chn);
            out->masked = d->evtchn_port_ops->is_masked(d, chn);
        }
        out->told = port_told(d, out);
        return true;
    }
    return false;
}

/* What the domain offers, in its own memory: whatever stands there is only shown. */
static void grant_offered(const struct grant_table *gt, grant_ref_t ref, struct look_grant *out)
{
    const grant_entry_header_t *header = shared_entry_header(gt, ref);
    const uint16_t flags = header->flags;

    out->user = header->domid;
    out->readonly = flags & GTF_readonly;
    switch (flags & GTF_type_mask) {
    case GTF_permit_access:
        out->state = "offered";
        out->frame = gt->version == 2 ? shared_entry_v2(gt, ref)->full_page.frame : shared_entry_v1(gt, ref)->frame;
        break;
    case GTF_accept_transfer: out->state = "transfer"; break;
    case GTF_transitive: out->state = gt->version == 2 ? "transitive" : NULL; break;
    default: break;
    }
}

bool look_grant(struct host *h, domid_t dom, unsigned int *n, struct look_grant *out)
{
    const struct domain *d = look_domain_of(h, dom);
    const struct grant_table *gt = d ? d->grant_table : NULL;

    for (; gt && *n < nr_grant_entries(gt); ++*n) {
        const struct active_grant_entry *act = &gt->active[*n];

        *out = (struct look_grant){ .ref = *n, .frame = UINT64_MAX, .mfn = INVALID_MFN };
        grant_offered(gt, *n, out);
        if (!act->pin && !out->state)
            continue;
        if (!act->pin)
            return true;
        out->state = out->state ? "in use" : "withdrawn";
        out->user = act->domid;
        out->mfn = act->mfn;
        out->readonly = !(act->pin & GNTPIN_writers);
        for (uint32_t pin = act->pin; pin; pin >>= 8)
            out->pins += pin & 0xff;
        return true;
    }
    return false;
}

static int by_expiry(const void *a, const void *b)
{
    const struct vclock_entry *x = a, *y = b;

    return x->expires != y->expires ? (x->expires > y->expires) - (x->expires < y->expires)
                                    : (x->seq > y->seq) - (x->seq < y->seq);
}

/* By its label, and whose it is. */
static void timer_name(struct host *h, const struct timer *t, struct look_timer *out)
{
    const struct xen *xen = host_xen(h);

    out->kind = t->label;
    out->label = trace_value_name(TRACE_TYPE_timer, t->label);
    out->dom = t->domain;
    out->vcpu = t->vcpu;
    switch (t->label) {
    case TIMER_SINGLESHOT: snprintf(out->what, LOOK_TEXT, "d%uv%u: one-shot timer", t->domain, t->vcpu); break;
    case TIMER_PERIODIC: snprintf(out->what, LOOK_TEXT, "d%uv%u: periodic timer", t->domain, t->vcpu); break;
    case TIMER_POLL: snprintf(out->what, LOOK_TEXT, "d%uv%u: poll timer", t->domain, t->vcpu); break;
    case TIMER_PLATFORM: snprintf(out->what, LOOK_TEXT, "d%uv%u: a device's timer", t->domain, t->vcpu); break;
    case TIMER_WATCHDOG: snprintf(out->what, LOOK_TEXT, "the watchdog of d%u", t->domain); break;
    case TIMER_SCHED:
        snprintf(out->what, LOOK_TEXT, "the scheduler's");
        if (t->domain < DOMID_FIRST_RESERVED)
            snprintf(out->what, LOOK_TEXT, "the scheduler's, of d%uv%u", t->domain, t->vcpu);
        break;
    case TIMER_IDLE:
        for (unsigned int i = 0; i < xen->nr_pcpus; i++)
            if (t == &xen->pcpu[i].idle_timer)
                snprintf(out->what, LOOK_TEXT, "pCPU %u: end of an idle slice", i);
        break;
    default: snprintf(out->what, LOOK_TEXT, "another"); break;
    }
}

struct look_timer *look_timers(struct host *h, size_t *nr)
{
    const struct vclock *c = &host_machine(h)->clock;
    struct vclock_entry *sorted = calloc(c->nr + 1, sizeof(*sorted));
    struct look_timer *out = calloc(c->nr + 1, sizeof(*out));

    *nr = sorted && out ? c->nr : 0;
    if (*nr) {
        memcpy(sorted, c->heap, c->nr * sizeof(*sorted));
        qsort(sorted, c->nr, sizeof(*sorted), by_expiry);
    }
    for (size_t i = 0; i < *nr; i++) {
        out[i].expires = sorted[i].expires;
        timer_name(h, sorted[i].t, &out[i]);
    }
    free(sorted);
    return out;
}

/* --- rings --- */

static void ring_of(const struct task_ring *r, domid_t back, evtchn_port_t port, struct look_ring *out)
{
    *out = (struct look_ring){ .back = back,
                               .front = r->front,
                               .port = port,
                               .device = r->device,
                               .name = r->name,
                               .from_front = r->from_front,
                               .prod = r->prod,
                               .cons = r->cons,
                               .size = r->size,
                               .has_event = r->has_event,
                               .event = r->event,
                               .sent = r->sent,
                               .saved = r->saved,
                               .lost = r->lost,
                               .full_since = r->full_since };
    _Static_assert(sizeof(out->letter) > sizeof(r->letter), "and its end");
    memcpy(out->letter, r->letter, sizeof(r->letter));
}

struct look_ring *look_rings(struct host *h, size_t *nr)
{
    struct task_ring r[NATIVE_RINGS_PER_PORT];
    struct look_ring *out = NULL;
    size_t cap = 0, n;

    *nr = 0;
    for_each_domain (host_xen(h), d)
        for_each_vcpu (d, v)
            for (evtchn_port_t port = 0; (n = native_rings(v, &port, r)) != 0; port++) {
                if (*nr + n > cap) {
                    struct look_ring *more = reallocarray(out, 2 * cap + 16, sizeof(*out));

                    if (!more)
                        return out;
                    out = more;
                    cap = 2 * cap + 16;
                }
                for (size_t i = 0; i < n; i++)
                    ring_of(&r[i], d->domain_id, port, &out[(*nr)++]);
            }
    return out;
}
