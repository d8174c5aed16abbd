// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control interface: see tools/xc/xc.h. A native caller passes host addresses where a guest passes guest handles.
 *
 * Budget: one function a hypercall, most of them of three lines.
 */
#include "tools/xc/xc.h"

#include "mmu/memory/e820.h"
#include "vcpu/native/map.h"
#include "vcpu/noun/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define PTR(p) ((uint64_t)(uintptr_t)(p))

struct xc_handle {
    struct vcpu *v; /* in whose name */
};

struct xc_handle *xc_interface_open(struct vcpu *v)
{
    struct xc_handle *xc = calloc(1, sizeof(*xc));

    if (xc)
        xc->v = v;
    return xc;
}

void xc_interface_close(struct xc_handle *xc) { free(xc); }

static long xc_hypercall(struct xc_handle *xc, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    return hypercall_native(xc->v, nr, a1, a2, a3, a4, a5);
}

int xc_domctl(struct xc_handle *xc, struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return (int)xc_hypercall(xc, __HYPERVISOR_domctl, PTR(op), 0, 0, 0, 0);
}

int xc_sysctl(struct xc_handle *xc, struct xen_sysctl *op)
{
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return (int)xc_hypercall(xc, __HYPERVISOR_sysctl, PTR(op), 0, 0, 0, 0);
}

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

    return (int)hypercall_native_once(xc->v, __HYPERVISOR_domctl, PTR(&op), 0, 0, 0, 0);
}

int xc_domain_pause(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_pausedomain, domid); }
int xc_domain_unpause(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_unpausedomain, domid); }

int xc_domain_resume(struct xc_handle *xc, domid_t domid) { return simple(xc, XEN_DOMCTL_resumedomain, domid); }

int xc_domain_max_vcpus(struct xc_handle *xc, domid_t domid, unsigned int max)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_vcpus, .domain = domid, .u.max_vcpus.max = max };

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

int xc_physinfo(struct xc_handle *xc, struct xen_sysctl_physinfo *info)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };
    int rc = xc_sysctl(xc, &op);

    *info = op.u.physinfo;
    return rc;
}

/* --- CPU policies: MSRs are left as they are --- */

int xc_get_system_cpu_policy(struct xc_handle *xc, uint32_t index, xen_cpuid_leaf_t *leaves, uint32_t *nr)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_get_cpu_policy, .u.cpu_policy = { .index = index, .nr_leaves = *nr } };
    int rc;

    op.u.cpu_policy.leaves.p = leaves;
    rc = xc_sysctl(xc, &op);
    *nr = op.u.cpu_policy.nr_leaves;
    return rc;
}

int xc_get_domain_cpu_policy(struct xc_handle *xc, domid_t domid, xen_cpuid_leaf_t *leaves, uint32_t *nr)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_cpu_policy, .domain = domid, .u.cpu_policy.nr_leaves = *nr };
    int rc;

    op.u.cpu_policy.leaves.p = leaves;
    rc = xc_domctl(xc, &op);
    *nr = op.u.cpu_policy.nr_leaves;
    return rc;
}

int xc_set_domain_cpu_policy(struct xc_handle *xc, domid_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr,
                             uint32_t *err_leaf, uint32_t *err_subleaf)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_cpu_policy,
                             .domain = domid,
                             .u.cpu_policy = { .nr_leaves = nr, .err_leaf = -1, .err_subleaf = -1 } };
    int rc;

    op.u.cpu_policy.leaves.p = (xen_cpuid_leaf_t *)leaves;
    rc = xc_domctl(xc, &op);
    *err_leaf = op.u.cpu_policy.err_leaf;
    *err_subleaf = op.u.cpu_policy.err_subleaf;
    return rc;
}

/* --- scheduling --- */

int xc_domain_scheduler_op(struct xc_handle *xc, domid_t domid, struct xen_domctl_scheduler_op *op)
{
    struct xen_domctl c = { .cmd = XEN_DOMCTL_scheduler_op, .domain = domid, .u.scheduler_op = *op };
    int rc = xc_domctl(xc, &c);

    *op = c.u.scheduler_op;
    return rc;
}

static struct xenctl_bitmap bitmap64(uint64_t *bits)
{
    struct xenctl_bitmap map = { .nr_bits = 64 };

    map.bitmap.p = (uint8_t *)bits;
    return map;
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

static int cpupool_op(struct xc_handle *xc, uint32_t cmd, struct xen_sysctl_cpupool_op *op)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpupool_op, .u.cpupool_op = *op };
    int rc;

    c.u.cpupool_op.op = cmd;
    rc = xc_sysctl(xc, &c);
    *op = c.u.cpupool_op;
    return rc;
}

int xc_cpupool_getinfo(struct xc_handle *xc, uint32_t pool, uint32_t *sched_id, uint64_t *cpus)
{
    uint64_t bits = 0;
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpumap = bitmap64(&bits) };
    int rc = cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_INFO, &op);

    if (rc || op.cpupool_id != pool)
        return rc ? rc : -ENOENT;
    if (sched_id)
        *sched_id = op.sched_id;
    if (cpus)
        *cpus = bits;
    return 0;
}

int xc_cpupool_create(struct xc_handle *xc, uint32_t sched_id, uint32_t *pool)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = XEN_SYSCTL_CPUPOOL_PAR_ANY, .sched_id = sched_id };
    int rc = cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_CREATE, &op);

    *pool = op.cpupool_id;
    return rc;
}

int xc_cpupool_addcpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpu = cpu };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, &op);
}

int xc_cpupool_removecpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpu = cpu };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_RMCPU, &op);
}

int xc_cpupool_movedomain(struct xc_handle *xc, uint32_t pool, domid_t domid)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .domid = domid };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, &op);
}

/* --- memory, event channels, grants --- */

int xc_domain_populate_physmap(struct xc_handle *xc, domid_t domid, uint64_t nr, uint64_t *p2m)
{
    struct xen_memory_reservation res = { .domid = domid, .nr_extents = nr };
    long done;

    res.extent_start.p = (xen_pfn_t *)p2m;
    done = xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_populate_physmap, PTR(&res), 0, 0, 0);
    if (done < 0)
        return (int)done;
    return (uint64_t)done == nr ? 0 : -ENOMEM;
}

int xc_domain_set_memmap_limit(struct xc_handle *xc, domid_t domid, uint64_t map_limitkb)
{
    struct e820entry ram = { .size = map_limitkb << 10, .type = E820_RAM };
    struct xen_foreign_memory_map fmap = { .domid = domid, .map.nr_entries = 1 };

    set_xen_guest_handle(fmap.map.buffer, &ram);
    return (int)xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_set_memory_map, PTR(&fmap), 0, 0, 0);
}

int xc_evtchn_alloc_unbound(struct xc_handle *xc, domid_t domid, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound op = { .dom = domid, .remote_dom = DOMID_SELF };
    long rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, PTR(&op), 0, 0, 0);

    *port = op.port;
    return (int)rc;
}

int xc_evtchn_bind_interdomain(struct xc_handle *xc, domid_t domid, evtchn_port_t remote, evtchn_port_t *local)
{
    struct evtchn_bind_interdomain op = { .remote_dom = domid, .remote_port = remote };
    long rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, PTR(&op), 0, 0, 0);

    *local = op.local_port;
    return (int)rc;
}

int xc_evtchn_bind_virq(struct xc_handle *xc, uint32_t virq, evtchn_port_t *local)
{
    struct evtchn_bind_virq op = { .virq = virq };
    long rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, PTR(&op), 0, 0, 0);

    *local = op.port;
    return (int)rc;
}

int xc_pin_table_step(struct xc_handle *xc, domid_t domid, unsigned int cmd, mfn_t root)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(root) };

    return (int)hypercall_native_once(xc->v, __HYPERVISOR_mmuext_op, PTR(&op), 1, 0, domid, 0);
}

int xc_gnttab_seed(struct xc_handle *xc, domid_t domid, mfn_t console, mfn_t xenstore)
{
    xen_pfn_t frame = 0;
    struct gnttab_setup_table setup = { .dom = domid, .nr_frames = 1 };
    grant_entry_v1_t *entry;
    long rc;

    set_xen_guest_handle(setup.frame_list, &frame);
    rc = xc_hypercall(xc, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, PTR(&setup), 1, 0, 0);
    if (rc || setup.status != GNTST_okay)
        return rc ? (int)rc : -EINVAL;
    entry = xc_map_foreign(xc, domid, _mfn(frame));
    if (!entry)
        return -EINVAL;
    entry[GNTTAB_RESERVED_CONSOLE] = (grant_entry_v1_t){ GTF_permit_access, 0, (uint32_t)mfn_x(console) };
    entry[GNTTAB_RESERVED_XENSTORE] = (grant_entry_v1_t){ GTF_permit_access, 0, (uint32_t)mfn_x(xenstore) };
    xc_unmap(xc, entry);
    return 0;
}

int xc_get_pfn_type_batch(struct xc_handle *xc, domid_t domid, unsigned int nr, uint64_t *frames)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getpageframeinfo3, .domain = domid, .u.getpageframeinfo3.num = nr };

    op.u.getpageframeinfo3.array.p = (void *)frames;
    return xc_domctl(xc, &op);
}

int xc_machphys_mfn_list(struct xc_handle *xc, unsigned int max, xen_pfn_t *extents)
{
    struct xen_machphys_mfn_list op = { .max_extents = max };
    long rc;

    set_xen_guest_handle(op.extent_start, extents);
    rc = xc_hypercall(xc, __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, PTR(&op), 0, 0, 0);
    return rc ? (int)rc : (int)op.nr_extents;
}

int xc_version(struct xc_handle *xc, unsigned int cmd, void *arg)
{
    return (int)xc_hypercall(xc, __HYPERVISOR_xen_version, cmd, PTR(arg), 0, 0, 0);
}

int xc_read_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn, void *page)
{
    return native_read_foreign(xc->v, domid, mfn, page);
}

int xc_copy_to_domain_page(struct xc_handle *xc, domid_t domid, mfn_t mfn, const void *page)
{
    return native_write_foreign(xc->v, domid, mfn, page);
}

void *xc_map_foreign(struct xc_handle *xc, domid_t domid, mfn_t mfn) { return native_map_foreign(xc->v, domid, mfn); }
void xc_unmap(struct xc_handle *xc, void *ptr) { native_unmap(xc->v, ptr); }
