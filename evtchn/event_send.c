// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sending: from a port, a VIRQ or a PIRQ to a vCPU that gets its upcall, or that waits in SCHEDOP_poll.
 *
 * Concept: three steps, each of which may be the last one.
 *   1. evtchn_send() finds the receiving port: the peer's, or for an IPI the sender's own.
 *   2. evtchn_port_set_pending() lets the ABI set the bits; it decides whether the guest has to be told.
 *   3. vcpu_mark_events_pending() sets evtchn_upcall_pending, and wakes the vCPU if it sleeps. Entering a guest for
 *      which evtchn_upcall_pending is set and evtchn_upcall_mask is not begins with the upcall (vcpu/pv/).
 *
 * VIRQs: a per-vCPU one (timer, debug) may be bound once for each vCPU and always is delivered there. A global one is
 * bound once in a domain, then may be moved to any vCPU.
 *
 * Poll: a vCPU in SCHEDOP_poll waits for ports that it has masked. So it is woken at step 2, mask or no mask.
 *
 * Corresponds to xen/common/event_channel.c and vcpu_mark_events_pending() in xen/arch/x86/domain.c.
 */
#include "evtchn/event_channel.h"

#include <errno.h>

bool virq_is_global(uint32_t virq)
{
    BUG_ON(virq >= NR_VIRQS);
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/* d sends, by the vCPU that runs if it is one of d's. */
static __attribute__((cold)) void trace_send(struct domain *d, evtchn_port_t port, struct domain *rd,
                                             const struct evtchn *rchn)
{
    struct machine *m = d->xen->machine;
    const struct vcpu *curr = d->xen->pcpu[m->cur_pcpu].curr;
    struct trace *t = &m->edges->trace;

    t->sent = true;
    t->flow = d->xen->nr_sent;
    t->peer_dom = d->domain_id;
    t->peer_port = port;
    if (curr && curr->domain == d)
        TRACE_VCPU(curr, evtchn_send, port, rd->domain_id, rchn->port, evtchn_port_is_masked(rd, rchn),
                   !evtchn_port_is_pending(rd, rchn->port), t->flow);
    else
        TRACE(m, evtchn_send, d->domain_id, 0, port, rd->domain_id, rchn->port, evtchn_port_is_masked(rd, rchn),
              !evtchn_port_is_pending(rd, rchn->port), t->flow);
}

static inline __attribute__((always_inline)) void port_send(struct domain *d, evtchn_port_t port, struct domain *rd,
                                                            struct evtchn *rchn)
{
    struct machine *m = d->xen->machine;

    d->xen->nr_sent++;
    if (TRACE_ON(m))
        trace_send(d, port, rd, rchn);
    if (rchn->notify)
        rchn->notify(domain_vcpu(rd, rchn->notify_vcpu_id), rchn->port);
    else
        evtchn_port_set_pending(rd, rchn);
    if (TRACE_ON(m))
        m->edges->trace.sent = false;
}

int evtchn_send(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct domain *rd;

    if (!chn || chn->notify)
        return -EINVAL;
    switch (chn->state) {
    case ECS_INTERDOMAIN:
        rd = chn->u.interdomain.remote_dom;
        port_send(d, port, rd, evtchn_from_port(rd, chn->u.interdomain.remote_port));
        return 0;
    case ECS_IPI: port_send(d, port, d, chn); return 0;
    case ECS_UNBOUND: return 0; /* nobody listens yet: dropped; bind_interdomain makes up for it */
    default: return -EINVAL;
    }
}

void notify_via_xen_event_channel(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);

    if (d->is_dying)
        return;
    BUG_ON(!chn || !chn->notify);
    if (chn->state == ECS_INTERDOMAIN) {
        struct domain *rd = chn->u.interdomain.remote_dom;

        port_send(d, port, rd, evtchn_from_port(rd, chn->u.interdomain.remote_port));
    }
}

/* --- VIRQs --- */

void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq)
{
    BUG_ON(virq_is_global(virq));
    if (v->virq_to_evtchn[virq])
        evtchn_port_set_pending(v->domain, evtchn_from_port(v->domain, v->virq_to_evtchn[virq]));
}

void send_guest_global_virq(struct domain *d, uint32_t virq)
{
    const struct vcpu *v = d ? domain_vcpu(d, 0) : NULL;

    BUG_ON(!virq_is_global(virq));
    if (v && v->virq_to_evtchn[virq])
        evtchn_port_set_pending(d, evtchn_from_port(d, v->virq_to_evtchn[virq]));
}

void send_global_virq(struct xen *xen, uint32_t virq)
{
    BUG_ON(virq >= NR_VIRQS);
    send_guest_global_virq(xen->global_virq_handler[virq] ? xen->global_virq_handler[virq] : xen->dom0, virq);
}

int set_global_virq_handler(struct domain *d, uint32_t virq)
{
    if (virq >= NR_VIRQS || !virq_is_global(virq) || d->is_dying)
        return -EINVAL;
    d->xen->global_virq_handler[virq] = d;
    return 0;
}

void clear_global_virq_handlers(struct domain *d)
{
    for (unsigned int virq = 0; virq < NR_VIRQS; virq++)
        if (d->xen->global_virq_handler[virq] == d)
            d->xen->global_virq_handler[virq] = NULL;
}
