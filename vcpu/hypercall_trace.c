// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a trace says of hypercalls, and the audit after each.
 *
 * Concept: two records a hypercall, when it is made and when it has been answered, by whatever way it came; between
 * them are those of what it did.
 */
#include "mmu/audit.h"
#include "mmu/guest_access.h"
#include "vcpu/hypercall_private.h"

#include <errno.h>
#include <xen/sched.h>

#define AUDIT_FIRST  1024 /* hypercalls */
#define AUDIT_ONE_IN 256

/*
 * --audit: after every hypercall, so that a count that is wrong is found right after the one that made it so. With
 * sanitizers without being asked, but a Linux makes hundreds of thousands: after each of the first, then after some,
 * which tells as well that one before them was wrong; which it was, --audit tells.
 */
static bool audit_is_due(struct xen *xen)
{
#ifdef XENLAB_AUDIT
    xen->nr_dispatched++;
    if (xen->nr_dispatched <= AUDIT_FIRST || xen->nr_dispatched % AUDIT_ONE_IN == 0)
        return true;
#endif
    return xen->audit;
}

static void audit(struct xen *xen)
{
    char why[200];

    if (mmu_audit(xen, why, sizeof(why))) {
        printk(xen->machine, LOG_ERR, "audit: %s", why);
        bug(__FILE__, __LINE__, "mmu_audit");
    }
}

void hypercall_audit(struct xen *xen)
{
    if (audit_is_due(xen))
        audit(xen);
}

/* In a trace, the addresses of native code's buffers are left out: they are the host's, and another on every run. */
static uint64_t traced_arg(const struct vcpu *v, uint64_t a) { return is_native_domain(v->domain) && a >> 32 ? 0 : a; }

/* The operation: the first argument, or the first word of what it points to. */
static uint64_t traced_sub(struct vcpu *v, uint64_t nr, const struct hypercall_args *args)
{
    uint32_t cmd;

    if (!trace_subops(nr))
        return TRACE_NONE;
    switch (nr) {
    case __HYPERVISOR_domctl:
    case __HYPERVISOR_sysctl:
    case __HYPERVISOR_platform_op:
    case __HYPERVISOR_mmuext_op:
    case __HYPERVISOR_event_channel_op_compat:
    case __HYPERVISOR_physdev_op_compat:
        if (is_native_domain(v->domain) ? copy_from_guest(v, &cmd, args->a[0], sizeof(cmd))
                                        : guest_peek(v, args->a[0], &cmd, sizeof(cmd)) != sizeof(cmd))
            return TRACE_NONE;
        return cmd;
    /* Above them is how far a call has come that is continued: mmu/memory/, mmu/grant/. */
    case __HYPERVISOR_memory_op: return args->a[0] & 0x3f;
    case __HYPERVISOR_grant_table_op: return args->a[0] & 0xfff;
    default: return (uint32_t)args->a[0];
    }
}

void hypercall_trace_call(struct vcpu *v, uint64_t nr, const struct hypercall_args *args, uint64_t rip,
                          enum trace_via via, uint64_t multi)
{
    const uint64_t *a = args->a;

    TRACE_VCPU(v, hypercall, nr, traced_sub(v, nr, args), traced_arg(v, a[0]), traced_arg(v, a[1]), traced_arg(v, a[2]),
               traced_arg(v, a[3]), traced_arg(v, a[4]), traced_arg(v, a[5]), rip, via, multi);
}

void hypercall_trace_ret(struct vcpu *v, uint64_t nr, const struct hypercall_args *args, long ret, s_time_t began)
{
    const struct domain *d = v->domain;
    enum trace_status status = TRACE_STATUS_DONE;

    if (hypercall_is_preempted(nr, args, ret))
        status = TRACE_STATUS_CONTINUED;
    else if (nr == __HYPERVISOR_iret || (d->is_shutting_down && d->shutdown_code != SHUTDOWN_suspend))
        status = TRACE_STATUS_NORETURN;
    TRACE_VCPU(v, hypercall_ret, nr, (uint64_t)ret, (uint64_t)(NOW(d->xen) - began), status);
}
