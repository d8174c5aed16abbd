// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypercall event_channel_op(cmd, arg): one table row a command.
 *
 * Concept: every command has a structure of its own, which is copied in before, and copied back after if it has
 * results. When copying back fails the guest has a port whose number it does not know; that is its own fault, and
 * nothing is undone.
 *
 * The structures hold no pointers and no longs, so that 32-bit guests use the very same call.
 *
 * Corresponds to do_event_channel_op() in xen/common/event_channel.c, and xen/arch/x86/compat.c.
 */
#include "evtchn/event_channel.h"

#include "mmu/guest_access.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>

union arg {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_init_control init_control;
    struct evtchn_expand_array expand_array;
    struct evtchn_set_priority set_priority;
};

static int op_alloc_unbound(struct vcpu *v, union arg *a) { return evtchn_alloc_unbound(v, &a->alloc_unbound); }
static int op_bind_interdomain(struct vcpu *v, union arg *a)
{
    return evtchn_bind_interdomain(v, &a->bind_interdomain);
}
static int op_bind_virq(struct vcpu *v, union arg *a) { return evtchn_bind_virq(v, &a->bind_virq); }
static int op_bind_ipi(struct vcpu *v, union arg *a) { return evtchn_bind_ipi(v, &a->bind_ipi); }
static int op_bind_pirq(struct vcpu *v, union arg *a) { return evtchn_bind_pirq(v, &a->bind_pirq); }
static int op_close(struct vcpu *v, union arg *a) { return evtchn_close(v->domain, a->close.port, true); }
static int op_send(struct vcpu *v, union arg *a) { return evtchn_send(v->domain, a->send.port); }
static int op_status(struct vcpu *v, union arg *a) { return evtchn_status(v, &a->status); }
static int op_bind_vcpu(struct vcpu *v, union arg *a) { return evtchn_bind_vcpu(v, &a->bind_vcpu); }

static int op_unmask(struct vcpu *v, union arg *a)
{
    struct evtchn *chn = evtchn_from_port(v->domain, a->unmask.port);

    if (!chn)
        return -EINVAL;
    if (evtchn_usable(chn)) {
        TRACE_VCPU(v, evtchn_mask, chn->port, TRACE_NO_DOMAIN, TRACE_NONE, false,
                   evtchn_port_is_masked(v->domain, chn) && evtchn_port_is_pending(v->domain, chn->port), TRACE_NONE);
        v->domain->evtchn_port_ops->unmask(v->domain, chn);
    }
    return 0;
}

/* May v reset the domain it names? With a reference in *out, if so. */
static int reset_domain(struct vcpu *v, domid_t domid, struct domain **out)
{
    int rc = get_domain_for(v, domid, xsm_evtchn_reset, out);

    if (!rc && *out != v->domain && !(*out)->controller_pause_count) {
        put_domain(*out);
        rc = -EINVAL; /* somebody else's ports may be closed only while it is stopped */
    }
    return rc;
}

static int op_reset(struct vcpu *v, union arg *a)
{
    struct domain *d = NULL;
    int rc = reset_domain(v, a->reset.dom, &d);

    if (rc)
        return rc;
    evtchn_reset(d);
    put_domain(d);
    return 0;
}

/* How Xen continues a reset that was preempted. Here none is, so there never is one to go on with. */
static int op_reset_cont(struct vcpu *v, union arg *a)
{
    struct domain *d = NULL;
    int rc = reset_domain(v, a->reset.dom, &d);

    if (rc)
        return rc;
    put_domain(d);
    return -EBUSY;
}

static int op_set_priority(struct vcpu *v, union arg *a)
{
    struct domain *d = v->domain;
    struct evtchn *chn = evtchn_from_port(d, a->set_priority.port);

    if (!chn)
        return -EINVAL;
    if (!d->evtchn_port_ops->set_priority)
        return -ENOSYS;
    if (!evtchn_usable(chn))
        return -EACCES;
    return d->evtchn_port_ops->set_priority(d, chn, a->set_priority.priority);
}

static int op_init_control(struct vcpu *v, union arg *a)
{
    return evtchn_fifo_init_control(v->domain, &a->init_control);
}
static int op_expand_array(struct vcpu *v, union arg *a)
{
    return evtchn_fifo_expand_array(v->domain, &a->expand_array);
}

#define EVTCHNOP_RESET_CONT 14 /* the public header names it for the hypervisor only */

static const struct {
    int (*fn)(struct vcpu *v, union arg *a);
    uint8_t size;
    bool has_results;
} ops[] = {
#define ROW(name, results) [EVTCHNOP_##name] = { op_##name, sizeof(struct evtchn_##name), results }
    ROW(bind_interdomain, true),
    ROW(bind_virq, true),
    ROW(bind_pirq, true),
    ROW(close, false),
    ROW(send, false),
    ROW(status, true),
    ROW(alloc_unbound, true),
    ROW(bind_ipi, true),
    ROW(bind_vcpu, false),
    ROW(unmask, false),
    ROW(reset, false),
    ROW(init_control, true),
    ROW(expand_array, false),
    ROW(set_priority, false),
    [EVTCHNOP_RESET_CONT] = { op_reset_cont, sizeof(struct evtchn_reset), false },
#undef ROW
};

static long event_channel_op(struct vcpu *v, unsigned int cmd, uint64_t uarg)
{
    union arg a;
    int rc;

    if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
        return -ENOSYS;
    if (copy_from_guest(v, &a, uarg, ops[cmd].size))
        return -EFAULT;
    rc = ops[cmd].fn(v, &a);
    if (!rc && ops[cmd].has_results && copy_to_guest(v, uarg, &a, ops[cmd].size))
        rc = -EFAULT;
    return rc;
}

long do_event_channel_op(struct vcpu *v, struct hypercall_args *args)
{
    return event_channel_op(v, (unsigned int)args->a[0], args->a[1]);
}

/* The call as it was before Xen 3.2: one structure with the command inside. */
long do_event_channel_op_compat(struct vcpu *v, struct hypercall_args *args)
{
    struct evtchn_op op;

    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.cmd > EVTCHNOP_unmask)
        return -ENOSYS;
    return event_channel_op(v, op.cmd, args->a[0] + offsetof(struct evtchn_op, u));
}
