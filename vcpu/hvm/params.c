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
#include <xen/hvm/hvm_op.h>

/* --- who may --- */

static bool is_deprecated(unsigned int index)
{
    switch (index) {
    case HVM_PARAM_MEMORY_EVENT_CR0:
    case HVM_PARAM_MEMORY_EVENT_CR3:
    case HVM_PARAM_MEMORY_EVENT_CR4:
    case HVM_PARAM_MEMORY_EVENT_INT3:
    case HVM_PARAM_MEMORY_EVENT_SINGLE_STEP:
    case HVM_PARAM_MEMORY_EVENT_MSR: return true;
    default: return false;
    }
}

/* Of its own: what the guest may set. */
static bool guest_may_set(unsigned int index)
{
    switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_X87_FIP_WIDTH: return true;
    default: return false;
    }
}

static bool guest_may_get(unsigned int index)
{
    switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_PFN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_X87_FIP_WIDTH: return true;
    default: return false;
    }
}

/* Set once, and then no more. */
static bool is_set_once(unsigned int index)
{
    switch (index) {
    case HVM_PARAM_VIRIDIAN:
    case HVM_PARAM_IOREQ_SERVER_PFN:
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
    case HVM_PARAM_ALTP2M:
    case HVM_PARAM_MCA_CAP: return true;
    default: return false;
    }
}

static int may(const struct domain *currd, const struct domain *d, unsigned int index, bool set)
{
    const int rc = xsm_hvm_param(currd, d);

    if (rc)
        return rc;
    if (index >= HVM_NR_PARAMS || is_deprecated(index))
        return -EINVAL;
    if (currd == d && !(set ? guest_may_set(index) : guest_may_get(index)))
        return -EPERM;
    return 0;
}

/* --- what they do --- */

/* A vector of the vCPU's own (bits 63 to 56: 2), or a line of an interrupt controller, which there is none yet. */
static int check(const struct domain *d, unsigned int index, uint64_t val)
{
    if (is_set_once(index) && d->hvm->params[index] && d->hvm->params[index] != val)
        return -EEXIST;
    switch (index) {
    case HVM_PARAM_TIMER_MODE: return val > HVMPTM_one_missed_tick_pending ? -EINVAL : 0;
    case HVM_PARAM_X87_FIP_WIDTH: return val == 0 || val == 4 || val == 8 ? 0 : -EINVAL;
    case HVM_PARAM_VIRIDIAN:
    case HVM_PARAM_ALTP2M:
    case HVM_PARAM_NESTEDHVM: return val ? -EOPNOTSUPP : 0; /* not offered */
    default: return 0;
    }
}

void hvm_latch_shinfo_size(const struct vcpu *v)
{
    const struct cpu_state *r = v->regs;

    v->domain->has_32bit_shinfo = !(r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
}

static long param_op(struct vcpu *v, uint64_t arg, bool set)
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
    rc = is_hvm_domain(d) ? may(v->domain, d, p.index, set) : -EINVAL;
    if (!rc && set) {
        rc = check(d, p.index, p.value);
        if (!rc)
            d->hvm->params[p.index] = p.value;
        if (!rc && p.index == HVM_PARAM_CALLBACK_IRQ) {
            hvm_set_callback_via(&d->hvm->irq, p.value);
            if (d == v->domain)
                hvm_latch_shinfo_size(v);
        }
        if (!rc && p.index == HVM_PARAM_TIMER_MODE)
            d->hvm->irq.timer_mode = (uint8_t)p.value;
    } else if (!rc) {
        p.value = d->hvm->params[p.index];
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
        a.mem_type = t == p2m_ram_ro || t == p2m_ram_logdirty || t == p2m_grant_map_ro ? HVMMEM_ram_ro
                     : t == p2m_ram_rw || t == p2m_grant_map_rw                        ? HVMMEM_ram_rw
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
        return 0;
    default: return hvm_op_absent(v, args);
    }
}
