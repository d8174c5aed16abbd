// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by domctl.c, domctl_vcpu.c and sysctl.c. */
#ifndef VCPU_DOMCTL_H
#define VCPU_DOMCTL_H

#include "vcpu/noun/domain.h"

struct xen_domctl;
struct xen_domctl_getdomaininfo;

/*
 * Beyond Xen's flags of XEN_DOMCTL_createdomain: the domain is native, with one vCPU, and runs what somebody gives it
 * (vcpu/native/kernel.h). Or, of an HVM domain without XEN_DOMCTL_CDF_hap: its shadow page tables do not follow what it
 * stores to its own (mmu/hvm/shadow.h: SHADOW_DROP); without that flag XEN_DOMCTL_CDF_oos_off says whether they may be
 * out of sync for a while, as with Xen. Xen's bits are counted from the other end. And how an HVM domain is executed:
 * 0, as the machine says; else the technique (enum hvm_technique) + 1.
 */
#define XENLAB_DOMCTL_CDF_native      (1u << 31)
#define XENLAB_DOMCTL_CDF_shadow_drop (1u << 30)
#define XENLAB_DOMCTL_CDF_technique   (7u << 27)
#define XENLAB_DOMCTL_technique(t)    (((uint32_t)(t) + 1) << 27)

/* Fill in what XEN_DOMCTL_getdomaininfo and XEN_SYSCTL_getdomaininfolist say of a domain. */
void getdomaininfo(struct domain *d, struct xen_domctl_getdomaininfo *info);

/*
 * vcpu/domctl_vcpu.c: XEN_DOMCTL_{get,set}_ext_vcpucontext, {get,set}vcpuextstate, {get,set}_vcpu_msrs, of a vCPU of
 * d's. -ENOSYS: it is none of these. -ESRCH: there is no such vCPU. -EINVAL: it is the caller, or what is to be set
 * cannot be; -EFAULT; -EPERM.
 */
int domctl_vcpu_rest(struct vcpu *caller, struct domain *d, struct xen_domctl *op);

#endif
