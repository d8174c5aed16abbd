// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls of features that are not there, or not for this caller.
 *
 * Concept: a guest probes: it tries a call and goes by the error. So what is missing must be missing in the way that
 * Xen lets it be missing, and there are several: the feature is not compiled in (-ENOSYS, like a number nobody ever
 * used), it is switched off (-EOPNOTSUPP), the caller is not the toolstack (-EPERM), or not the kind of guest that it
 * is for (-EINVAL); and which error comes first when more than one applies. This is a Xen 4.17 with Kconfig's defaults,
 * but without KEXEC and HYPFS: neither Argo nor XSM, no vPMU on the command line, altp2m not on AMD processors. kexec
 * and hypfs are the owner's of the machine alone: a guest is told -EPERM, dom0 -ENOSYS.
 *
 * Corresponds to xen/arch/x86/hvm/hvm.c (do_hvm_op), hvm/dm.c, cpu/vpmu.c, mm/paging.c and
 * xen/common/kexec.c, hypfs.c, as far as they look at the caller.
 */
#include "mmu/compat.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>

/* --- hvm_op, but for what vcpu/hvm/params.c does: the time, a trace that nobody reads --- */

/* An operation on a domain, which its first two bytes name: for HVM ones only. */
static long hvm_domain_op(struct vcpu *v, uint16_t domid)
{
    struct domain *d = get_domain_by_any_id(v, domid);
    int rc;

    if (!d)
        return -ESRCH;
    rc = is_hvm_domain(d) ? -ENOSYS : -EINVAL;
    put_domain(d);
    return rc;
}

static long hvm_xentrace(struct vcpu *v, uint64_t arg)
{
    struct xen_hvm_xentrace t;

    if (copy_from_guest(v, &t, arg, sizeof(t)))
        return -EFAULT;
    return t.extra_bytes > sizeof(t.extra) || t.event >> 12 ? -EINVAL : 0;
}

long hvm_op_absent(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t arg = args->a[1];
    struct xen_hvm_pagetable_dying dying;
    struct xen_hvm_get_time time = { .now = (uint64_t)NOW(v->domain->xen) };

    switch (args->a[0]) {
    case HVMOP_pagetable_dying:
        return copy_from_guest(v, &dying, arg, sizeof(dying)) ? -EFAULT : hvm_domain_op(v, dying.domid);
    case HVMOP_get_time: return copy_to_guest(v, arg, &time, sizeof(time)) ? -EFAULT : 0;
    case HVMOP_xentrace: return hvm_xentrace(v, arg);
    case HVMOP_guest_request_vm_event: return arg ? -EINVAL : 0; /* nobody monitors it */
    case HVMOP_altp2m: return -EOPNOTSUPP;
    default: return -ENOSYS;
    }
}

/* --- for the toolstack --- */

/* How Xen continues a long XEN_DOMCTL_shadow_op: there is never one to continue. */
long do_paging_domctl_cont(struct vcpu *v, struct hypercall_args *args)
{
    struct xen_domctl op;
    struct domain *d;
    int rc;

    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION || op.cmd != XEN_DOMCTL_shadow_op)
        return -EBADRQC;
    d = get_domain_by_id(v->domain->xen, op.domain);
    if (!d)
        return -ESRCH;
    rc = xsm_domctl(v->domain, d) ?: d == v->domain ? -EINVAL : d->is_dying ? 0 : -EBUSY;
    put_domain(d);
    return rc;
}

long do_kexec_op(struct vcpu *v, struct hypercall_args *args)
{
    (void)args;
    return xsm_kexec(v->domain, NULL) ?: -ENOSYS;
}

long do_hypfs_op(struct vcpu *v, struct hypercall_args *args)
{
    (void)args;
    return xsm_hypfs_op(v->domain, NULL) ?: -ENOSYS;
}

/* --- switched off, and not compiled in --- */

long do_xenpmu_op(struct vcpu *v, struct hypercall_args *args)
{
    (void)v;
    (void)args;
    return -EOPNOTSUPP;
}

long do_xsm_op(struct vcpu *v, struct hypercall_args *args)
{
    (void)v;
    (void)args;
    return -ENOSYS;
}
