// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that make, change and end a domain, and its vCPUs: libxenctrl's xc_domain.c.
 */
#include "tools/xc/xc_private.h"

#include <errno.h>
#include <xen/sched.h>

int xc_domain_create(struct xc_handle *xc, const struct xen_domctl_createdomain *config, domid_t *domid)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain, .domain = *domid, .u.createdomain = *config };
    int rc = xc_domctl(xc, &op);

    *domid = op.domain;
    return rc;
}

/* A domctl without arguments. */
static int simple(struct xc_handle *xc, uint32_t cmd, domid_t domid)
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid };

    return xc_domctl(xc, &op);
}

int xc_domain_destroy(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_destroydomain, domid); }

int xc_domain_destroy_step(struct xc_handle *xc, domid_t domid)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_destroydomain,
                             .domain = domid,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

    return (int)hypercall_native_once(xc->v, __HYPERVISOR_domctl, &(struct hypercall_args){ { PTR(&op) } });
}

int xc_domain_pause(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_pausedomain, domid); }

int xc_domain_unpause(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_unpausedomain, domid); }

int xc_domain_resume(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_resumedomain, domid); }

int xc_domain_shutdown(struct xc_handle *xc, domid_t domid, int reason)
{
    struct sched_remote_shutdown op = { .domain_id = domid, .reason = (unsigned int)reason };

    return (int)xc_hypercall(xc, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, PTR(&op), 0, 0, 0);
}

int xc_domain_max_vcpus(struct xc_handle *xc, domid_t domid, unsigned int max)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_vcpus, .domain = domid, .u.max_vcpus.max = max };

    return xc_domctl(xc, &op);
}

int xc_shadow_set_allocation(struct xc_handle *xc, domid_t domid, uint32_t mb)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op,
                             .domain = domid,
                             .u.shadow_op = { .op = XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, .mb = mb } };

    return xc_domctl(xc, &op);
}

int xc_domain_setmaxmem(struct xc_handle *xc, domid_t domid, uint64_t max_memkb)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .domain = domid, .u.max_mem.max_memkb = max_memkb };

    return xc_domctl(xc, &op);
}

int xc_domain_set_address_size(struct xc_handle *xc, domid_t domid, unsigned int bits)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_address_size, .domain = domid, .u.address_size.size = bits };

    return xc_domctl(xc, &op);
}

int xc_domain_getinfo(struct xc_handle *xc, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = domid };
    int rc = xc_domctl(xc, &op);

    if (!rc && op.domain != domid)
        rc = -ESRCH;
    *info = op.u.getdomaininfo;
    return rc;
}

int xc_domain_getinfolist(struct xc_handle *xc, domid_t first, unsigned int max, struct xen_domctl_getdomaininfo *info)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist,
                             .u.getdomaininfolist = { .first_domain = first, .max_domains = max } };
    int rc;

    set_xen_guest_handle(op.u.getdomaininfolist.buffer, info);
    rc = xc_sysctl(xc, &op);
    return rc ? rc : (int)op.u.getdomaininfolist.num_domains;
}

int xc_domain_set_tsc_mode(struct xc_handle *xc, domid_t domid, unsigned int mode)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_settscinfo, .domain = domid, .u.tsc_info.tsc_mode = mode };

    return xc_domctl(xc, &op);
}

int xc_domain_hypercall_init(struct xc_handle *xc, domid_t domid, mfn_t mfn)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_hypercall_init, .domain = domid, .u.hypercall_init.gmfn = mfn_x(mfn) };

    return xc_domctl(xc, &op);
}

int xc_vcpu_setcontext(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const void *context)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_setvcpucontext, .domain = domid, .u.vcpucontext.vcpu = vcpu };

    op.u.vcpucontext.ctxt.p = (void *)context;
    return xc_domctl(xc, &op);
}

int xc_vcpu_getcontext(struct xc_handle *xc, domid_t domid, unsigned int vcpu, void *context)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = domid, .u.vcpucontext.vcpu = vcpu };

    op.u.vcpucontext.ctxt.p = context;
    return xc_domctl(xc, &op);
}

int xc_vcpu_setaffinity(struct xc_handle *xc, domid_t domid, unsigned int vcpu, const uint64_t *hard,
                        const uint64_t *soft)
{
    uint64_t h = hard ? *hard : 0, s = soft ? *soft : 0; /* what came of them is written back */
    struct xen_domctl op = { .cmd = XEN_DOMCTL_setvcpuaffinity, .domain = domid, .u.vcpuaffinity.vcpu = vcpu };

    op.u.vcpuaffinity.flags = (hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0);
    op.u.vcpuaffinity.cpumap_hard = bitmap64(&h);
    op.u.vcpuaffinity.cpumap_soft = bitmap64(&s);
    return xc_domctl(xc, &op);
}

int xc_domain_scheduler_op(struct xc_handle *xc, domid_t domid, struct xen_domctl_scheduler_op *op)
{
    struct xen_domctl c = { .cmd = XEN_DOMCTL_scheduler_op, .domain = domid, .u.scheduler_op = *op };
    int rc = xc_domctl(xc, &c);

    *op = c.u.scheduler_op;
    return rc;
}

int xc_domain_send_trigger(struct xc_handle *xc, domid_t domid, unsigned int trigger, unsigned int vcpu)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sendtrigger, .domain = domid };

    op.u.sendtrigger.trigger = trigger;
    op.u.sendtrigger.vcpu = vcpu;
    return xc_domctl(xc, &op);
}
