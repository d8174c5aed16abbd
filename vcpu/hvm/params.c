// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvm_op: an HVM domain's parameters, and what else is asked of the hypervisor by that number.
 *
 * Concept: parameters are numbers that a domain's builder and the domain itself tell each other by way of the
 * hypervisor: where the console's and the store's pages are, which event channels belong to them, how the guest wants
 * to hear of events. Some mean something to the hypervisor. Who may set which follows from what they are for: most are
 * the toolstack's, and are set once.
 *
 * Corresponds to hvmop_set_param(), hvmop_get_param(), hvm_allow_set_param() of xen/arch/x86/hvm/hvm.c; public
 * hvm/params.h. Other operations answer as they do where their feature is not there (vcpu/absent.c).
 */
#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <inttypes.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

/* --- who may --- */

/* The toolstack may set and see all of them, the domain itself those with GUEST_*. Other numbers are none. */
enum { KNOWN = 1, GUEST_SETS = 2, GUEST_GETS = 4, ONCE = 8 /* set to anything but 0, it stays so */ };
static const uint8_t allowed[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_STORE_PFN] = KNOWN | GUEST_GETS,
    [HVM_PARAM_STORE_EVTCHN] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_IOREQ_PFN] = KNOWN,
    [HVM_PARAM_BUFIOREQ_PFN] = KNOWN,
    [HVM_PARAM_VIRIDIAN] = KNOWN | ONCE,
    [HVM_PARAM_TIMER_MODE] = KNOWN,
    [HVM_PARAM_HPET_ENABLED] = KNOWN,
    [HVM_PARAM_IDENT_PT] = KNOWN,
    [HVM_PARAM_ACPI_S_STATE] = KNOWN,
    [HVM_PARAM_VM86_TSS] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_VPT_ALIGN] = KNOWN,
    [HVM_PARAM_CONSOLE_PFN] = KNOWN | GUEST_GETS,
    [HVM_PARAM_CONSOLE_EVTCHN] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_ACPI_IOPORTS_LOCATION] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_PAGING_RING_PFN] = KNOWN,
    [HVM_PARAM_MONITOR_RING_PFN] = KNOWN,
    [HVM_PARAM_SHARING_RING_PFN] = KNOWN,
    [HVM_PARAM_TRIPLE_FAULT_REASON] = KNOWN,
    [HVM_PARAM_IOREQ_SERVER_PFN] = KNOWN | ONCE,
    [HVM_PARAM_NR_IOREQ_SERVER_PAGES] = KNOWN | ONCE,
    [HVM_PARAM_VM_GENERATION_ID_ADDR] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_ALTP2M] = KNOWN | ONCE,
    [HVM_PARAM_X87_FIP_WIDTH] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_VM86_TSS_SIZED] = KNOWN | GUEST_SETS | GUEST_GETS,
    [HVM_PARAM_MCA_CAP] = KNOWN | ONCE,
};

static int may(const struct domain *currd, const struct domain *d, unsigned int index, unsigned int how)
{
    const int rc = xsm_hvm_param(currd, d);

    if (rc)
        return rc;
    return !(allowed[index] & KNOWN) ? -EINVAL : currd == d && !(allowed[index] & how) ? -EPERM : 0;
}

/* --- what they do --- */

#define TSS32_SIZE        0x68
#define VM86_TSS_SIZE_MAX (TSS32_SIZE + 0x100 / 8 + 0x10000 / 8) /* with both its bit maps */
#define IOREQ_GFNS_MAX    64

/*
 * Can the parameter be val? Of some Xen keeps another value than it is told. Wrong places of a task for virtual 8086
 * mode are the end of a domain that names them itself.
 */
static int check(struct vcpu *v, struct domain *d, unsigned int index, uint64_t *val)
{
    const uint64_t size = *val >> 32, was = d->hvm->params[index];

    if (allowed[index] & ONCE && was && was != *val)
        return -EEXIST;
    switch (index) {
    case HVM_PARAM_TIMER_MODE: return *val > HVMPTM_one_missed_tick_pending ? -EINVAL : 0;
    case HVM_PARAM_X87_FIP_WIDTH: return *val == 0 || *val == 4 || *val == 8 ? 0 : -EINVAL;
    case HVM_PARAM_TRIPLE_FAULT_REASON: return *val > SHUTDOWN_MAX ? -EINVAL : 0;
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES: return !*val || *val > IOREQ_GFNS_MAX ? -EINVAL : 0;
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
        return !(d->emulation_flags & XEN_X86_EMU_PM) ? -ENODEV : *val > 1 ? -EINVAL : 0;
    case HVM_PARAM_ACPI_S_STATE: return *val == 3 ? -EOPNOTSUPP : *val ? -EINVAL : 0; /* there is no sleep here */
    case HVM_PARAM_VIRIDIAN:
    case HVM_PARAM_ALTP2M: return *val ? -EOPNOTSUPP : 0; /* not offered */
    case HVM_PARAM_MCA_CAP: return *val & ~UINT64_C(1) ? -EINVAL : *val ? -EOPNOTSUPP : 0;
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM86_TSS_SIZED:
        if (index == HVM_PARAM_VM86_TSS ? size : size < TSS32_SIZE) {
            if (d == v->domain)
                domain_crash(v, "a task of 0x%" PRIx64 " for virtual 8086 mode", *val);
            return -EINVAL;
        }
        if (index == HVM_PARAM_VM86_TSS && *val)
            *val |= UINT64_C(128) << 32; /* what old firmware takes for granted */
        if (size > VM86_TSS_SIZE_MAX)
            *val = (uint32_t)*val | (uint64_t)VM86_TSS_SIZE_MAX << 32;
        return 0;
    default: return 0;
    }
}

static void set(struct vcpu *v, struct domain *d, unsigned int index, uint64_t val)
{
    d->hvm->params[index == HVM_PARAM_VM86_TSS ? HVM_PARAM_VM86_TSS_SIZED : index] = val;
    switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
        hvm_set_callback_via(&d->hvm->irq, val);
        if (d == v->domain)
            hvm_latch_shinfo_size(v);
        break;
    case HVM_PARAM_TIMER_MODE: d->hvm->irq.timer_mode = (uint8_t)val; break;
    }
}

static uint64_t get(const struct domain *d, unsigned int index)
{
    return index == HVM_PARAM_VM86_TSS ? (uint32_t)d->hvm->params[HVM_PARAM_VM86_TSS_SIZED] : d->hvm->params[index];
}

void hvm_latch_shinfo_size(const struct vcpu *v)
{
    const struct cpu_state *r = v->regs;

    v->domain->has_32bit_shinfo = !(r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
}

static long param_op(struct vcpu *v, uint64_t arg, bool sets)
{
    struct xen_hvm_param p;
    struct domain *d;
    long rc;

    if (copy_from_guest(v, &p, arg, sizeof(p)))
        return -EFAULT;
    if (p.index >= HVM_NR_PARAMS)
        return -EINVAL;
    d = get_domain_by_any_id(v, p.domid);
    if (!d)
        return -ESRCH;
    rc = is_hvm_domain(d) ? may(v->domain, d, p.index, sets ? GUEST_SETS : GUEST_GETS) : -EINVAL;
    if (!rc && sets) {
        rc = check(v, d, p.index, &p.value);
        if (!rc)
            set(v, d, p.index, p.value);
    } else if (!rc) {
        p.value = get(d, p.index);
        rc = copy_to_guest(v, arg, &p, sizeof(p)) ? -EFAULT : 0;
    }
    put_domain(d);
    return rc;
}

/* What is at a frame number, as far as a device model has to know. */
static long get_mem_type(struct vcpu *v, uint64_t arg)
{
    struct xen_hvm_get_mem_type a;
    struct domain *d;
    p2m_type_t t;
    long rc;

    if (copy_from_guest(v, &a, arg, sizeof(a)))
        return -EFAULT;
    d = get_domain_by_any_id(v, a.domid);
    if (!d)
        return -ESRCH;
    rc = xsm_hvm_param(v->domain, d) ?: is_hvm_domain(d) ? 0 : -EINVAL;
    if (!rc) {
        p2m_get_entry(d, a.pfn, &t);
        a.mem_type = t == p2m_ram_ro || t == p2m_ram_logdirty || t == p2m_grant_map_ro         ? HVMMEM_ram_ro
                     : t == p2m_ram_rw || t == p2m_populate_on_demand || t == p2m_grant_map_rw ? HVMMEM_ram_rw
                                                                                               : HVMMEM_mmio_dm;
        rc = copy_to_guest(v, arg, &a, sizeof(a)) ? -EFAULT : 0;
    }
    put_domain(d);
    return rc;
}

static long set_upcall_vector(struct vcpu *v, uint64_t arg)
{
    struct xen_hvm_evtchn_upcall_vector u;
    struct domain *d = v->domain;

    if (!is_hvm_domain(d))
        return -EINVAL;
    if (copy_from_guest(v, &u, arg, sizeof(u)))
        return -EFAULT;
    if (u.vector < 0x10)
        return -EINVAL;
    if (u.vcpu >= d->max_vcpus || !d->vcpu[u.vcpu])
        return -ENOENT;
    d->vcpu[u.vcpu]->hvm->evtchn_upcall_vector = u.vector;
    hvm_assert_evtchn_irq(d->vcpu[u.vcpu]); /* it may have missed some */
    return 0;
}

long do_hvm_op(struct vcpu *v, struct hypercall_args *args)
{
    switch (args->a[0]) {
    case HVMOP_set_param:
    case HVMOP_get_param: return param_op(v, args->a[1], args->a[0] == HVMOP_set_param);
    case HVMOP_get_mem_type: return get_mem_type(v, args->a[1]);
    case HVMOP_set_evtchn_upcall_vector: return set_upcall_vector(v, args->a[1]);
    case HVMOP_flush_tlbs:
        if (!is_hvm_domain(v->domain))
            return -EINVAL;
        for_each_vcpu (v->domain, w)
            w->regs->dirty |= CPU_DIRTY_TLB;
        shadow_flush(v->domain);
        return 0;
    default: return hvm_op_absent(v, args);
    }
}
