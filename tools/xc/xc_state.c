// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What of a domain's state a stream carries beside memory and registers (tools/save/): clock, policies, vCPUs' rests,
 * and an HVM domain's records. Each is read from one domain and set in another as it is.
 */
#include "tools/xc/xc_private.h"

int xc_domain_get_tsc_info(struct xc_handle *xc, domid_t domid, struct xen_domctl_tsc_info *info)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gettscinfo, .domain = domid };
    const int rc = xc_domctl(xc, &op);

    *info = op.u.tsc_info;
    return rc;
}

int xc_domain_set_tsc_info(struct xc_handle *xc, domid_t domid, const struct xen_domctl_tsc_info *info)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_settscinfo, .domain = domid, .u.tsc_info = *info };

    return xc_domctl(xc, &op);
}

int xc_get_domain_msr_policy(struct xc_handle *xc, domid_t domid, xen_msr_entry_t *msrs, uint32_t *nr)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_cpu_policy, .domain = domid, .u.cpu_policy.nr_msrs = *nr };
    int rc;

    op.u.cpu_policy.msrs.p = msrs;
    rc = xc_domctl(xc, &op);
    *nr = op.u.cpu_policy.nr_msrs;
    return rc;
}

int xc_set_domain_msr_policy(struct xc_handle *xc, domid_t domid, const xen_msr_entry_t *msrs, uint32_t nr)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_cpu_policy, .domain = domid, .u.cpu_policy.nr_msrs = nr };

    op.u.cpu_policy.msrs.p = (xen_msr_entry_t *)msrs;
    return xc_domctl(xc, &op);
}

/* --- vCPUs --- */

int xc_vcpu_get_ext_context(struct xc_handle *xc, domid_t domid, unsigned int vcpu,
                            struct xen_domctl_ext_vcpucontext *c)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_ext_vcpucontext, .domain = domid, .u.ext_vcpucontext.vcpu = vcpu };
    const int rc = xc_domctl(xc, &op);

    *c = op.u.ext_vcpucontext;
    return rc;
}

int xc_vcpu_set_ext_context(struct xc_handle *xc, domid_t domid, const struct xen_domctl_ext_vcpucontext *c)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_ext_vcpucontext, .domain = domid, .u.ext_vcpucontext = *c };

    return xc_domctl(xc, &op);
}

int xc_vcpu_get_xstate(struct xc_handle *xc, domid_t domid, unsigned int vcpu, void *buf, uint64_t *size,
                       uint64_t *features)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuextstate, .domain = domid };
    int rc;

    op.u.vcpuextstate.vcpu = vcpu;
    op.u.vcpuextstate.size = *size;
    op.u.vcpuextstate.xfeature_mask = *features;
    op.u.vcpuextstate.buffer.p = buf;
    rc = xc_domctl(xc, &op);
    *size = op.u.vcpuextstate.size;
    *features = op.u.vcpuextstate.xfeature_mask;
    return rc;
}

int xc_vcpu_set_xstate(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const void *buf, uint64_t size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_setvcpuextstate, .domain = domid };

    op.u.vcpuextstate.vcpu = vcpu;
    op.u.vcpuextstate.size = size;
    op.u.vcpuextstate.buffer.p = (uint64_t *)(uintptr_t)buf;
    return xc_domctl(xc, &op);
}

static int vcpu_msrs(struct xc_handle *xc, uint32_t cmd, domid_t domid, unsigned int vcpu,
                     const xen_domctl_vcpu_msr_t *msrs, uint32_t *nr)
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid, .u.vcpu_msrs = { .vcpu = vcpu, .msr_count = *nr } };
    int rc;

    op.u.vcpu_msrs.msrs.p = (xen_domctl_vcpu_msr_t *)(uintptr_t)msrs;
    rc = xc_domctl(xc, &op);
    *nr = op.u.vcpu_msrs.msr_count;
    return rc;
}

int xc_vcpu_get_msrs(struct xc_handle *xc, domid_t domid, unsigned int vcpu, xen_domctl_vcpu_msr_t *msrs, uint32_t *nr)
{
    return vcpu_msrs(xc, XEN_DOMCTL_get_vcpu_msrs, domid, vcpu, msrs, nr);
}

int xc_vcpu_set_msrs(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const xen_domctl_vcpu_msr_t *msrs,
                     uint32_t nr)
{
    return vcpu_msrs(xc, XEN_DOMCTL_set_vcpu_msrs, domid, vcpu, msrs, &nr);
}

/* --- an HVM domain --- */

int xc_domain_hvm_getcontext(struct xc_handle *xc, domid_t domid, void *buf, uint32_t *size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = domid, .u.hvmcontext.size = *size };
    int rc;

    op.u.hvmcontext.buffer.p = buf;
    rc = xc_domctl(xc, &op);
    *size = op.u.hvmcontext.size;
    return rc;
}

int xc_domain_hvm_setcontext(struct xc_handle *xc, domid_t domid, const void *buf, uint32_t size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext, .domain = domid, .u.hvmcontext.size = size };

    op.u.hvmcontext.buffer.p = (uint8_t *)(uintptr_t)buf;
    return xc_domctl(xc, &op);
}
