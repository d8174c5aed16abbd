// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How ports are bound and closed.
 *
 * Concept: binding makes a free port into one of the kinds of enum evtchn_state; closing makes it free again. An
 * interdomain channel is two ports that point at each other, made in two steps: one side allocates an unbound port and
 * names who may connect, the other side (told the number through xenstore) connects. When one side closes, the other
 * falls back to unbound, so that the same peer can connect anew.
 *
 * Invariants:
 *  - ECS_INTERDOMAIN is mutual: the peer's port is ECS_INTERDOMAIN and names us. Therefore remote_dom needs no
 *    reference: a domain that dies closes all its ports first.
 *  - v->virq_to_evtchn[virq] == port exactly if port is ECS_VIRQ for it. Global VIRQs are noted on vCPU 0 wherever they
 *    are delivered, which makes them exclusive in a domain.
 *
 * The order of checks is Xen's, since guests and tests see which of two errors comes first.
 *
 * Simplifies xen/common/event_channel.c: no locks; physical interrupts are found by searching; reset is not preempted
 * (closing a port is cheap, and there are at most 2^17).
 */
#include "evtchn/event_channel.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>

/*
 * Interrupt numbers that exist: the machine's, for who owns its devices, and those that an HVM guest's chips may
 * emulate.
 */
#define NR_PIRQS_HWDOM 256u
#define NR_PIRQS_DOMU  56u

/* --- binding --- */

int evtchn_alloc_unbound(struct vcpu *v, struct evtchn_alloc_unbound *op)
{
    struct domain *d = get_domain_by_any_id(v, op->dom);
    struct evtchn *chn = NULL;
    int rc;

    if (!d)
        return -ESRCH;
    rc = get_free_port(d, &chn);
    if (!rc)
        rc = xsm_evtchn_unbound(v->domain, d);
    if (!rc) {
        chn->u.unbound.remote_domid = op->remote_dom == DOMID_SELF ? v->domain->domain_id : op->remote_dom;
        evtchn_occupy(d, chn, ECS_UNBOUND, 0);
        op->port = chn->port;
    }
    put_domain(d);
    return rc;
}

static int interdomain_connect(struct domain *ld, struct domain *rd, struct evtchn_bind_interdomain *op)
{
    struct evtchn *lchn = NULL, *rchn;
    int rc = get_free_port(ld, &lchn);

    if (rc)
        return rc;
    rchn = evtchn_from_port(rd, op->remote_port);
    if (!rchn || rchn->state != ECS_UNBOUND || rchn->u.unbound.remote_domid != ld->domain_id)
        return -EINVAL;
    lchn->u.interdomain.remote_dom = rd;
    lchn->u.interdomain.remote_port = rchn->port;
    evtchn_occupy(ld, lchn, ECS_INTERDOMAIN, 0);
    rchn->u.interdomain.remote_dom = ld;
    rchn->u.interdomain.remote_port = lchn->port;
    rchn->state = ECS_INTERDOMAIN;
    /* The peer may have sent while nobody was connected, and that was dropped: let the new side look once. */
    evtchn_port_set_pending(ld, lchn);
    op->local_port = lchn->port;
    return 0;
}

int evtchn_bind_interdomain(struct vcpu *v, struct evtchn_bind_interdomain *op)
{
    struct domain *rd = get_domain_by_any_id(v, op->remote_dom);
    int rc;

    if (!rd)
        return -ESRCH;
    rc = interdomain_connect(v->domain, rd, op);
    put_domain(rd);
    return rc;
}

int evtchn_bind_virq(struct vcpu *v, struct evtchn_bind_virq *op)
{
    struct domain *d = v->domain;
    struct evtchn *chn = NULL;
    struct vcpu *target;
    int rc;

    if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu != 0))
        return -EINVAL;
    target = domain_vcpu(d, op->vcpu);
    if (!target)
        return -ENOENT;
    if (target->virq_to_evtchn[op->virq])
        return -EEXIST;
    rc = get_free_port(d, &chn);
    if (rc)
        return rc;
    chn->u.virq = op->virq;
    evtchn_occupy(d, chn, ECS_VIRQ, op->vcpu);
    target->virq_to_evtchn[op->virq] = op->port = chn->port;
    return 0;
}

int evtchn_bind_ipi(struct vcpu *v, struct evtchn_bind_ipi *op)
{
    struct evtchn *chn = NULL;
    int rc;

    if (!domain_vcpu(v->domain, op->vcpu))
        return -ENOENT;
    rc = get_free_port(v->domain, &chn);
    if (rc)
        return rc;
    evtchn_occupy(v->domain, chn, ECS_IPI, op->vcpu);
    op->port = chn->port;
    return 0;
}

unsigned int domain_nr_pirqs(const struct domain *d) { return is_control_domain(d) ? NR_PIRQS_HWDOM : NR_PIRQS_DOMU; }

static struct evtchn *pirq_find(const struct domain *d, uint32_t pirq)
{
    for (evtchn_port_t port = 1; port < d->valid_evtchns; port++) {
        struct evtchn *chn = evtchn_from_port(d, port);

        if (chn->state == ECS_PIRQ && chn->u.pirq.irq == pirq)
            return chn;
    }
    return NULL;
}

int evtchn_bind_pirq(struct vcpu *v, struct evtchn_bind_pirq *op)
{
    struct domain *d = v->domain;
    struct evtchn *chn = NULL;
    int rc;

    if (op->pirq >= domain_nr_pirqs(d))
        return -EINVAL;
    if (!is_hvm_domain(d) && !is_control_domain(d))
        return -EPERM;
    if (pirq_find(d, op->pirq))
        return -EEXIST;
    rc = get_free_port(d, &chn);
    if (rc)
        return rc;
    chn->u.pirq.irq = op->pirq;
    evtchn_occupy(d, chn, ECS_PIRQ, 0);
    op->port = chn->port;
    if (is_hardware_domain(d) && d->xen->board) /* it may be up already */
        d->xen->board->eoi(d->xen->board_data, op->pirq);
    return 0;
}

bool send_guest_pirq(struct domain *d, uint32_t pirq)
{
    struct evtchn *chn = pirq_find(d, pirq);

    if (chn)
        evtchn_port_set_pending(d, chn);
    return chn;
}

int alloc_unbound_xen_event_channel(struct domain *d, unsigned int vcpu_id, domid_t remote_domid,
                                    xen_event_channel_notification_t notify)
{
    struct evtchn *chn = NULL;
    int rc = get_free_port(d, &chn);

    if (rc)
        return rc;
    chn->u.unbound.remote_domid = remote_domid;
    evtchn_occupy(d, chn, ECS_UNBOUND, vcpu_id);
    chn->notify = notify;
    return (int)chn->port;
}

/* --- a bound port --- */

int evtchn_bind_vcpu(struct vcpu *v, const struct evtchn_bind_vcpu *op)
{
    struct evtchn *chn;

    if (!domain_vcpu(v->domain, op->vcpu))
        return -ENOENT;
    chn = evtchn_from_port(v->domain, op->port);
    if (!chn || chn->notify)
        return -EINVAL;
    switch (chn->state) {
    case ECS_VIRQ:
        if (!virq_is_global(chn->u.virq))
            return -EINVAL;
        break;
    case ECS_UNBOUND:
    case ECS_INTERDOMAIN:
    case ECS_PIRQ: break;
    default: return -EINVAL;
    }
    chn->notify_vcpu_id = op->vcpu;
    return 0;
}

static void port_describe(const struct evtchn *chn, struct evtchn_status *op)
{
    op->vcpu = chn->notify_vcpu_id;
    switch (chn->state) {
    case ECS_FREE:
    case ECS_RESERVED: op->status = EVTCHNSTAT_closed; break;
    case ECS_UNBOUND:
        op->status = EVTCHNSTAT_unbound;
        op->u.unbound.dom = chn->u.unbound.remote_domid;
        break;
    case ECS_INTERDOMAIN:
        op->status = EVTCHNSTAT_interdomain;
        op->u.interdomain.dom = chn->u.interdomain.remote_dom->domain_id;
        op->u.interdomain.port = chn->u.interdomain.remote_port;
        break;
    case ECS_PIRQ:
        op->status = EVTCHNSTAT_pirq;
        op->u.pirq = chn->u.pirq.irq;
        break;
    case ECS_VIRQ:
        op->status = EVTCHNSTAT_virq;
        op->u.virq = chn->u.virq;
        break;
    case ECS_IPI: op->status = EVTCHNSTAT_ipi; break;
    }
}

int evtchn_status(struct vcpu *v, struct evtchn_status *op)
{
    struct domain *d = get_domain_by_any_id(v, op->dom);
    const struct evtchn *chn;
    int rc;

    if (!d)
        return -ESRCH;
    chn = evtchn_from_port(d, op->port);
    rc = !chn ? -EINVAL : chn->notify ? -EACCES : xsm_evtchn_status(v->domain, d);
    if (!rc)
        port_describe(chn, op);
    put_domain(d);
    return rc;
}

/* --- closing --- */

static void interdomain_disconnect(struct domain *d, const struct evtchn *chn)
{
    struct evtchn *rchn = evtchn_from_port(chn->u.interdomain.remote_dom, chn->u.interdomain.remote_port);

    BUG_ON(!rchn || rchn->state != ECS_INTERDOMAIN || rchn->u.interdomain.remote_dom != d);
    rchn->state = ECS_UNBOUND;
    rchn->u.unbound.remote_domid = d->domain_id;
}

int evtchn_close(struct domain *d, evtchn_port_t port, bool guest)
{
    struct evtchn *chn = evtchn_from_port(d, port);

    if (!chn || (guest && chn->notify))
        return -EINVAL;
    switch (chn->state) {
    case ECS_FREE:
    case ECS_RESERVED: return -EINVAL;
    case ECS_VIRQ:
        for_each_vcpu (d, v)
            if (v->virq_to_evtchn[chn->u.virq] == port)
                v->virq_to_evtchn[chn->u.virq] = 0;
        break;
    case ECS_INTERDOMAIN: interdomain_disconnect(d, chn); break;
    case ECS_UNBOUND:
    case ECS_PIRQ:
    case ECS_IPI: break;
    }
    evtchn_free(d, chn);
    return 0;
}

void free_xen_event_channel(struct domain *d, evtchn_port_t port)
{
    if (d->is_dying)
        return; /* evtchn_destroy() has done it */
    BUG_ON(!evtchn_from_port(d, port) || !evtchn_from_port(d, port)->notify);
    evtchn_close(d, port, false);
}

void evtchn_reset(struct domain *d)
{
    for (evtchn_port_t port = 1; port < d->valid_evtchns; port++)
        evtchn_close(d, port, true);
    if (d->evtchn_fifo) {
        evtchn_fifo_destroy(d);
        evtchn_2l_init(d);
    }
}

void evtchn_destroy(struct domain *d)
{
    for (evtchn_port_t port = 1; port < d->valid_evtchns; port++)
        evtchn_close(d, port, false);
    BUG_ON(d->active_evtchns);
    clear_global_virq_handlers(d);
    if (d->pirq_eoi_mfn)
        evtchn_unpin_frame(d, _mfn(d->pirq_eoi_mfn));
    d->pirq_eoi_mfn = 0;
    evtchn_fifo_destroy(d);
    evtchn_2l_init(d);
}

/* --- life of vCPUs --- */

int evtchn_vcpu_init(struct vcpu *v)
{
    vcpu_info_reset(v);
    return evtchn_fifo_vcpu_init(v);
}

void evtchn_vcpu_destroy(struct vcpu *v)
{
    evtchn_fifo_vcpu_destroy(v);
    unmap_vcpu_info(v);
}
