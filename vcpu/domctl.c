// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * domctl: what the toolstack may do to domains.
 *
 * Concept: creating, sizing, loading, pausing and destroying a domain are hypercalls of dom0, with Xen's own structure
 * (one union, selected by cmd) and interface version. xenlab's toolstack has no other way in, so what is refused here
 * is refused to it as well. Who is no control domain gets -EPERM, but for the few commands that Xen leaves to the
 * domain of xenstore or of a device model (domctl_permission()).
 *
 * Budget: one hypercall with a short function for each command; split, the union would be read in two files.
 *
 * Corresponds to xen/common/domctl.c and xen/arch/x86/domctl.c; structures in public domctl.h. Not built in (-ENOSYS):
 * access to ports, memory and interrupts of devices, debugger, vm_event, vmtrace, monitor, memory sharing.
 */
#include "vcpu/domctl.h"
#include "evtchn/evtchn.h"
#include "mmu/guest_access.h"
#include "mmu/log_dirty.h"
#include "mmu/page.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/noun/xsm.h"
#include "vcpu/pv/pv.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>

#define XEN_MAX_DOMID (DOMID_FIRST_RESERVED - 1)

/* --- createdomain --- */

/* A kernel in ring 1 has shadow page tables. */
static bool technique_check(uint32_t technique, bool hvm, bool hap)
{
    if (!technique)
        return true;
    return hvm && technique <= XENLAB_DOMCTL_technique(TECHNIQUE_TRANSLATE) &&
           !(hap && technique >= XENLAB_DOMCTL_technique(TECHNIQUE_RING1));
}

/* sanitise_domain_config(): what no domain can be made of. */
static int config_check(const struct xen_domctl_createdomain *c)
{
    bool hvm = c->flags & XEN_DOMCTL_CDF_hvm, hap = c->flags & XEN_DOMCTL_CDF_hap;
    unsigned int grant_version = XEN_DOMCTL_GRANT_version(c->grant_opts);

    if (c->flags &
        ~(uint32_t)(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_oos_off |
                    XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_iommu | XEN_DOMCTL_CDF_nested_virt | XEN_DOMCTL_CDF_vpmu |
                    XENLAB_DOMCTL_CDF_native | XENLAB_DOMCTL_CDF_shadow_drop | XENLAB_DOMCTL_CDF_technique))
        return -EINVAL;
    if (!technique_check(c->flags & XENLAB_DOMCTL_CDF_technique, hvm, hap))
        return -EINVAL;
    if (c->flags & XENLAB_DOMCTL_CDF_shadow_drop && (!hvm || hap))
        return -EINVAL;
    if (c->flags & XENLAB_DOMCTL_CDF_native && (hvm || c->max_vcpus != 1))
        return -EINVAL;
    if (c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask)
        return -EINVAL;
    if (c->max_vcpus < 1 || c->max_vcpus > MAX_VIRT_CPUS)
        return -EINVAL;
    if ((hap && !hvm) || c->flags & XEN_DOMCTL_CDF_s3_integrity) /* the latter is tboot's */
        return -EINVAL;
    if (c->flags & (XEN_DOMCTL_CDF_iommu | XEN_DOMCTL_CDF_vpmu | XEN_DOMCTL_CDF_nested_virt))
        return -EINVAL; /* the machine has none of these */
    if (!(c->flags & XEN_DOMCTL_CDF_iommu) && c->iommu_opts)
        return -EINVAL;
    if (grant_version < 1 || grant_version > 2)
        return -EINVAL;
    if (c->arch.misc_flags & ~(uint32_t)XEN_X86_MSR_RELAXED)
        return -EINVAL;
    if (c->vmtrace_size || c->arch.emulation_flags & ~XEN_X86_EMU_ALL)
        return -EINVAL;
    return hvm || !(c->arch.emulation_flags & ~XEN_X86_EMU_PIT) ? 0 : -EOPNOTSUPP;
}

/* A free number: the one asked for, or the next in turn (so that numbers are not used again soon). */
static int domid_choose(struct xen *xen, domid_t want, domid_t *out)
{
    struct domain *d;

    if (want > 0 && want <= XEN_MAX_DOMID) {
        d = get_domain_by_id(xen, want);
        if (d) {
            put_domain(d);
            return -EEXIST;
        }
        *out = want;
        return 0;
    }
    for (unsigned int tries = 0; tries < XEN_MAX_DOMID; tries++) {
        domid_t id = xen->next_domid;

        xen->next_domid = id == XEN_MAX_DOMID ? 1 : id + 1;
        d = get_domain_by_id(xen, id);
        if (!d) {
            *out = id;
            return 0;
        }
        put_domain(d);
    }
    return -ENOMEM;
}

/* Of which kind it is to be. */
static const struct guest_ops *new_guest(const struct xen *xen, uint32_t flags)
{
    if (flags & XENLAB_DOMCTL_CDF_native)
        return xen->hooks->new_native;
    return flags & XEN_DOMCTL_CDF_hvm ? xen->hooks->new_hvm : xen->hooks->new_domain;
}

static int createdomain(struct vcpu *v, struct xen_domctl *op)
{
    struct xen *xen = v->domain->xen;
    struct domain *d;
    domid_t id;
    int rc = domid_choose(xen, op->domain, &id);

    if (!rc)
        rc = config_check(&op->u.createdomain);
    if (!rc)
        rc = domain_create(xen, id, new_guest(xen, op->u.createdomain.flags), &op->u.createdomain, id == 0, &d);
    if (rc)
        return rc;
    if (id == 0)
        xen->dom0 = d;
    op->domain = d->domain_id;
    return 0;
}

/* --- information --- */

void getdomaininfo(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    unsigned int online = 0, running = 0, blocked = 0;

    memset(info, 0, sizeof(*info));
    info->domain = d->domain_id;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for_each_vcpu (d, v) {
        struct vcpu_runstate_info rs;

        vcpu_runstate_get(v, &rs);
        info->cpu_time += rs.time[RUNSTATE_running];
        info->max_vcpu_id = v->vcpu_id;
        if (v->pause_flags & VPF_down)
            continue;
        online++;
        running += v->is_running;
        blocked += (v->pause_flags & (VPF_blocked | VPF_poll)) != 0;
    }
    info->nr_online_vcpus = online;
    info->flags = (blocked && blocked == online ? XEN_DOMINF_blocked : 0) |
                  (d->is_dying == DOMDYING_dead ? XEN_DOMINF_dying : 0) | (d->is_shut_down ? XEN_DOMINF_shutdown : 0) |
                  (d->controller_pause_count > 0 ? XEN_DOMINF_paused : 0) | (running ? XEN_DOMINF_running : 0) |
                  (is_hvm_domain(d) ? XEN_DOMINF_hvm_guest : 0) |
                  ((d->createflags & XEN_DOMCTL_CDF_xs_domain) ? XEN_DOMINF_xs_domain : 0) |
                  (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;
    if (blocked && blocked == online)
        info->flags |= XEN_DOMINF_blocked;
    info->tot_pages = d->tot_pages;
    info->max_pages = d->max_pages;
    info->outstanding_pages = d->outstanding_pages;
    info->shared_info_frame = mfn_x(d->shared_info_mfn);
    info->ssidref = d->ssidref;
    memcpy(info->handle, d->handle, sizeof(info->handle));
    info->cpupool = d->sched ? d->sched->cpupool_id : 0;
    info->gpaddr_bits = 36;
}

static int getvcpuinfo(struct domain *d, struct xen_domctl_getvcpuinfo *info)
{
    struct vcpu *v = info->vcpu < d->max_vcpus ? d->vcpu[info->vcpu] : NULL;
    struct vcpu_runstate_info rs;

    if (info->vcpu >= d->max_vcpus)
        return -EINVAL;
    if (!v)
        return -ESRCH;
    vcpu_runstate_get(v, &rs);
    info->online = !(v->pause_flags & VPF_down);
    info->blocked = (v->pause_flags & (VPF_blocked | VPF_poll)) != 0;
    info->running = v->is_running;
    info->cpu_time = rs.time[RUNSTATE_running];
    info->cpu = v->processor;
    return 0;
}

/* --- vCPUs --- */

static int max_vcpus(struct domain *d, unsigned int max)
{
    if (max != d->max_vcpus)
        return -EINVAL;
    for (unsigned int i = 0; i < max; i++) {
        int rc = d->vcpu[i] ? 0 : vcpu_create(d, i, NULL);

        if (rc)
            return rc;
    }
    return 0;
}

static int vcpu_of(struct domain *d, unsigned int id, struct vcpu **out)
{
    if (id >= d->max_vcpus)
        return -EINVAL;
    *out = d->vcpu[id];
    return *out ? 0 : -ESRCH;
}

/* A vCPU may be on a processor now, and be online no more afterwards, or again: d stands still meanwhile. */
static int setvcpucontext(struct vcpu *v, struct domain *d, const struct xen_domctl_vcpucontext *op)
{
    uint64_t from = (uint64_t)(uintptr_t)op->ctxt.p;
    struct vcpu *target;
    int rc;

    if (vcpu_of(d, op->vcpu, &target) || d == v->domain || !d->guest->set_context)
        return -EINVAL;
    domain_pause(d);
    /* After a reset it must be set again before it can run. */
    rc = from ? d->guest->set_context(target, v, from, false) : d->guest->reset_context(target);
    domain_unpause(d);
    return rc;
}

static int getvcpucontext(struct vcpu *v, struct domain *d, const struct xen_domctl_vcpucontext *op)
{
    struct vcpu *target;

    if (vcpu_of(d, op->vcpu, &target) || target == v || !d->guest->get_context)
        return -EINVAL;
    if (!target->is_initialised)
        return -ENODATA;
    return d->guest->get_context(target, v, (uint64_t)(uintptr_t)op->ctxt.p);
}

/* --- pausing --- */

static int pausedomain(struct domain *d)
{
    if (d->controller_pause_count == 255)
        return -EUSERS;
    d->controller_pause_count++;
    TRACE_DOMAIN(d, TRACE_DOMAIN_PAUSE, TRACE_NONE, "");
    for_each_vcpu (d, v)
        vcpu_sleep_nosync(v);
    return 0;
}

static int unpausedomain(struct domain *d)
{
    if (d->controller_pause_count == 0)
        return -EINVAL;
    if (!d->creation_finished)
        update_domain_wallclock_time(d);
    d->creation_finished = true;
    TRACE_DOMAIN(d, TRACE_DOMAIN_UNPAUSE, TRACE_NONE, "");
    if (--d->controller_pause_count == 0)
        for_each_vcpu (d, v)
            vcpu_wake(v);
    return 0;
}

/* --- memory --- */

/* A limit below what the domain has takes nothing away, but it gets no more until it has given enough back. */
static int max_mem(struct domain *d, uint64_t max_memkb)
{
    const uint64_t pages = max_memkb >> (PAGE_SHIFT - 10);

    d->max_pages = pages < UINT32_MAX ? pages : UINT32_MAX;
    return 0;
}

/* The types of frames, for save and debuggers: an array of frame numbers in, types out. */
static int getpageframeinfo3(struct vcpu *v, struct domain *d, const struct xen_domctl_getpageframeinfo3 *op)
{
    uint64_t array = (uint64_t)(uintptr_t)op->array.p;

    if (op->num > 1024 || op->num != (uint32_t)op->num)
        return -E2BIG;
    for (uint64_t i = 0; i < op->num; i++) {
        uint64_t frame, type = 0;
        struct page_info *pg;

        if (copy_from_guest(v, &frame, array + i * 8, 8))
            return -EFAULT;
        pg = get_page_from_mfn(d->xen, _mfn(frame), d);
        if (!pg) {
            type = XEN_DOMCTL_PFINFO_XTAB;
        } else {
            uint64_t t = pg->type_info & PGT_type_mask;

            if (t >= PGT_l1_page_table && t <= PGT_l4_page_table)
                type = (t >> 61) << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
            if (pg->type_info & PGT_pinned)
                type |= XEN_DOMCTL_PFINFO_LPINTAB;
            put_page(d->xen, pg);
        }
        if (copy_to_guest(v, array + i * 8, &type, 8))
            return -EFAULT;
    }
    return 0;
}

/* --- affinity --- */

static int setvcpuaffinity(struct vcpu *v, struct vcpu *target, struct xen_domctl_vcpuaffinity *op)
{
    const bool hard = op->flags & XEN_VCPUAFFINITY_HARD, soft = op->flags & XEN_VCPUAFFINITY_SOFT;
    uint64_t hard_map = 0, soft_map = 0;
    int rc = hard ? xenctl_bitmap_to_cpumask(v, &op->cpumap_hard, &hard_map) : 0;

    if (!rc && soft)
        rc = xenctl_bitmap_to_cpumask(v, &op->cpumap_soft, &soft_map);
    if (!rc && (hard || soft))
        rc = sched_set_affinity(target, hard ? &hard_map : NULL, soft ? &soft_map : NULL);
    /* The answer is what they come to, in the domain's CPU pool. */
    if (!rc && hard)
        rc = cpumask_to_xenctl_bitmap(v, &op->cpumap_hard, vcpu_cpumask(target));
    if (!rc && soft)
        rc = cpumask_to_xenctl_bitmap(v, &op->cpumap_soft, vcpu_cpumask(target) & target->soft_affinity);
    return rc;
}

/* What was set, as it was set. */
static int getvcpuaffinity(struct vcpu *v, const struct vcpu *target, const struct xen_domctl_vcpuaffinity *op)
{
    int rc = 0;

    if (op->flags & XEN_VCPUAFFINITY_HARD)
        rc = cpumask_to_xenctl_bitmap(v, &op->cpumap_hard, target->hard_affinity);
    if (!rc && op->flags & XEN_VCPUAFFINITY_SOFT)
        rc = cpumask_to_xenctl_bitmap(v, &op->cpumap_soft, target->soft_affinity);
    return rc;
}

static int vcpuaffinity(struct vcpu *v, struct domain *d, struct xen_domctl_vcpuaffinity *op, bool set)
{
    struct vcpu *target;
    const int rc = vcpu_of(d, op->vcpu, &target);

    if (rc)
        return rc;
    if (!op->flags || (op->flags & XEN_VCPUAFFINITY_HARD && !op->cpumap_hard.bitmap.p) ||
        (op->flags & XEN_VCPUAFFINITY_SOFT && !op->cpumap_soft.bitmap.p))
        return -EINVAL;
    return set ? setvcpuaffinity(v, target, op) : getvcpuaffinity(v, target, op);
}

/*
 * There could be 64 NUMA nodes, and there is one. All nodes there could be means: choose again by where the vCPUs may
 * run.
 */
static int setnodeaffinity(struct vcpu *v, struct domain *d, const struct xen_domctl_nodeaffinity *op)
{
    uint64_t nodes;
    int rc = xenctl_bitmap_to_bitmap(v, &op->nodemap, 64, &nodes);

    if (!rc && !(nodes & 1))
        rc = -EINVAL;
    if (!rc)
        d->node_affinity = nodes == ~UINT64_C(0) ? 0 : nodes;
    return rc;
}

static int getnodeaffinity(struct vcpu *v, const struct domain *d, const struct xen_domctl_nodeaffinity *op)
{
    const uint64_t chosen = d->max_vcpus && d->vcpu[0] ? 1 : ~UINT64_C(0);

    return bitmap_to_xenctl_bitmap(v, &op->nodemap, 64, d->node_affinity ? d->node_affinity : chosen);
}

static int destroydomain(struct vcpu *v, struct domain *d)
{
    if (d == v->domain || d == d->xen->dom0)
        return -EINVAL;
    return domain_kill(d);
}

static int sendtrigger(struct domain *d, const struct xen_domctl_sendtrigger *op)
{
    struct vcpu *target;

    if (vcpu_of(d, op->vcpu, &target))
        return -ESRCH;
    switch (op->trigger) {
    case XEN_DOMCTL_SENDTRIGGER_NMI:
        target->nmi_pending = true;
        vcpu_kick(target);
        return 0;
    case XEN_DOMCTL_SENDTRIGGER_POWER:
    case XEN_DOMCTL_SENDTRIGGER_SLEEP: /* buttons of an HVM guest */
        if (!is_hvm_domain(d))
            return -EINVAL;
        if (d->emulation_flags & XEN_X86_EMU_PM)
            pmtimer_button(&d->hvm->pmtimer, op->trigger == XEN_DOMCTL_SENDTRIGGER_POWER ? PM1_PWRBTN : PM1_SLPBTN);
        return 0;
    default: return -ENOSYS;
    }
}

static int hvmcontext(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    int rc;

    if (!is_hvm_domain(d) || d == v->domain)
        return -EINVAL;
    domain_pause(d);
    switch (op->cmd) {
    case XEN_DOMCTL_gethvmcontext: rc = hvm_save(d, v, &op->u.hvmcontext); break;
    case XEN_DOMCTL_sethvmcontext: rc = hvm_load(d, v, &op->u.hvmcontext); break;
    default: rc = hvm_save_one(d, v, &op->u.hvmcontext_partial);
    }
    domain_unpause(d);
    return rc;
}

/* A vCPU that has run is told of its new clock. */
static int settscinfo(struct domain *d, const struct xen_domctl_tsc_info *info)
{
    int rc = tsc_set_info(d, info);

    for_each_vcpu (d, v)
        if (!rc && v->is_initialised)
            update_vcpu_system_time(v, v);
    return rc;
}

/* It stands still while its frames are looked through. */
static int shadow_op(struct vcpu *v, struct domain *d, struct xen_domctl_shadow_op *op)
{
    int rc;

    if (d == v->domain)
        return -EINVAL;
    if (d->is_dying)
        return 0;
    if (!d->max_vcpus || !d->vcpu[0])
        return -EINVAL;
    domain_pause(d);
    rc = paging_domctl(v, d, op);
    domain_unpause(d);
    return rc;
}

/* d is to be the device model's domain of another: once, and for HVM domains, which have device models. */
static int set_target(struct domain *d, domid_t target)
{
    struct domain *e = get_domain_by_id(d->xen, target);
    int rc = !e ? -ESRCH : d == e || d->target != DOMID_INVALID ? -EINVAL : is_hvm_domain(e) ? 0 : -EOPNOTSUPP;

    if (e)
        put_domain(e);
    if (!rc)
        d->target = target;
    return rc;
}

/* --- the switch --- */

static int domctl_domain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    switch (op->cmd) {
    case XEN_DOMCTL_destroydomain: return destroydomain(v, d);
    case XEN_DOMCTL_pausedomain: return d == v->domain ? -EINVAL : pausedomain(d);
    case XEN_DOMCTL_unpausedomain: return d == v->domain ? -EINVAL : unpausedomain(d);
    case XEN_DOMCTL_resumedomain:
        if (d == v->domain)
            return -EINVAL;
        domain_resume(d);
        return 0;
    case XEN_DOMCTL_soft_reset: return is_native_domain(d) ? domain_soft_reset(d) : -EINVAL;
    /* For HVM domains only: */
    case XEN_DOMCTL_gethvmcontext:
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial: return hvmcontext(v, d, op);
    case XEN_DOMCTL_bind_pt_irq:
    case XEN_DOMCTL_unbind_pt_irq: return -EINVAL;
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_get_paging_mempool_size:
    case XEN_DOMCTL_set_paging_mempool_size:
    /* There is no IOMMU: */
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_test_assign_device:
    case XEN_DOMCTL_deassign_device:
    case XEN_DOMCTL_get_device_group: return -EOPNOTSUPP;
    case XEN_DOMCTL_getvcpuinfo: return getvcpuinfo(d, &op->u.getvcpuinfo);
    case XEN_DOMCTL_max_mem: return max_mem(d, op->u.max_mem.max_memkb);
    case XEN_DOMCTL_max_vcpus: return d == v->domain ? -EINVAL : max_vcpus(d, op->u.max_vcpus.max);
    case XEN_DOMCTL_setvcpucontext: return setvcpucontext(v, d, &op->u.vcpucontext);
    case XEN_DOMCTL_getvcpucontext: return getvcpucontext(v, d, &op->u.vcpucontext);
    case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_getvcpuaffinity:
        return vcpuaffinity(v, d, &op->u.vcpuaffinity, op->cmd == XEN_DOMCTL_setvcpuaffinity);
    case XEN_DOMCTL_scheduler_op: return sched_adjust(v, d, &op->u.scheduler_op);
    case XEN_DOMCTL_setdomainhandle: memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle)); return 0;
    case XEN_DOMCTL_settimeoffset:
        d->time_offset_seconds = op->u.settimeoffset.time_offset_seconds;
        update_domain_wallclock_time(d);
        return 0;
    case XEN_DOMCTL_hypercall_init: return hypercall_page_install(d, op->u.hypercall_init.gmfn);
    case XEN_DOMCTL_set_address_size:
        return d->guest->set_address_size ? d->guest->set_address_size(d, op->u.address_size.size) : -EINVAL;
    case XEN_DOMCTL_get_address_size: op->u.address_size.size = d->abi->word * 8u; return 0;
    case XEN_DOMCTL_getpageframeinfo3: return getpageframeinfo3(v, d, &op->u.getpageframeinfo3);
    case XEN_DOMCTL_shadow_op: return shadow_op(v, d, &op->u.shadow_op);
    case XEN_DOMCTL_set_target: return set_target(d, (domid_t)op->u.set_target.target);
    case XEN_DOMCTL_set_virq_handler: return set_global_virq_handler(d, op->u.set_virq_handler.virq);
    case XEN_DOMCTL_sendtrigger: return sendtrigger(d, &op->u.sendtrigger);
    case XEN_DOMCTL_gettscinfo:
        if (d == v->domain)
            return -EINVAL;
        tsc_get_info(d, &op->u.tsc_info);
        return 0;
    case XEN_DOMCTL_get_cpu_policy: return domctl_get_cpu_policy(v, d, &op->u.cpu_policy);
    case XEN_DOMCTL_set_cpu_policy: return domctl_set_cpu_policy(v, d, &op->u.cpu_policy);
    case XEN_DOMCTL_setnodeaffinity: return setnodeaffinity(v, d, &op->u.nodeaffinity);
    case XEN_DOMCTL_getnodeaffinity: return getnodeaffinity(v, d, &op->u.nodeaffinity);
    case XEN_DOMCTL_settscinfo: return d == v->domain ? -EINVAL : settscinfo(d, &op->u.tsc_info);
    default: return domctl_vcpu_rest(v, d, op);
    }
}

/* getdomaininfo finds the first domain with a number not below the one given: that is how lists are walked. */
static int next_getdomaininfo(struct vcpu *v, struct xen_domctl *op)
{
    struct domain *d = domain_from(v->domain->xen, op->domain);

    if (!d)
        return op->domain >= DOMID_FIRST_RESERVED ? -EINVAL : -ESRCH;
    getdomaininfo(d, &op->u.getdomaininfo);
    op->domain = d->domain_id;
    return 0;
}

/*
 * The domain that the command is about, with a reference. NULL in *d: it is about none, or finds its own. System
 * domains are not found, but DOMID_IO stands for nobody where a device is given back.
 */
static int domctl_subject(struct xen *xen, const struct xen_domctl *op, struct domain **d)
{
    const bool device = op->cmd == XEN_DOMCTL_assign_device || op->cmd == XEN_DOMCTL_deassign_device;

    *d = NULL;
    if (op->cmd == XEN_DOMCTL_createdomain)
        return 0;
    *d = device && op->domain == DOMID_IO ? get_system_domain(xen, DOMID_IO) : get_domain_by_id(xen, op->domain);
    if (!*d && op->domain == DOMID_INVALID && op->cmd == XEN_DOMCTL_test_assign_device)
        return 0;
    return *d || op->cmd == XEN_DOMCTL_getdomaininfo ? 0 : -ESRCH;
}

/* Which line of the table the command is. */
static int domctl_permission(const struct domain *by, const struct domain *d, uint32_t cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_memory_mapping:
    case XEN_DOMCTL_bind_pt_irq:
    case XEN_DOMCTL_unbind_pt_irq: return xsm_domctl_device(by, d);
    case XEN_DOMCTL_getdomaininfo: return xsm_getdomaininfo(by, d);
    default: return xsm_domctl(by, d);
    }
}

long do_domctl(struct vcpu *v, struct hypercall_args *args)
{
    struct xen_domctl op;
    struct domain *d;
    int rc;

    if (copy_from_guest(v, &op, args->a[0], sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return -EACCES;
    rc = domctl_subject(v->domain->xen, &op, &d);
    if (rc)
        return rc;
    rc = domctl_permission(v->domain, d, op.cmd);
    if (rc == 0)
        rc = op.cmd == XEN_DOMCTL_createdomain    ? createdomain(v, &op)
             : op.cmd == XEN_DOMCTL_getdomaininfo ? next_getdomaininfo(v, &op)
             : d                                  ? domctl_domain(v, d, &op)
                                                  : -EOPNOTSUPP; /* test_assign_device of nobody */
    if (d)
        put_domain(d);
    if (rc == -EPERM || rc == -ERESTART)
        return rc;
    if (copy_to_guest(v, args->a[0], &op, sizeof(op)) && !rc)
        rc = -EFAULT;
    return rc;
}
