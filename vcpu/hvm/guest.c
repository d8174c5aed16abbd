// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The row of HVM and PVH guests in the table of kinds (vcpu/noun/guest.h).
 *
 * Concept: such a domain has frame numbers of its own (mmu/hvm/p2m.h) and a processor of its own, which its builder
 * sets up with one call and which then goes its way. Before it runs on it is given what is due: the upcall of an event,
 * as an interrupt with the vector that it has chosen, when it can take one; until then the engine is asked to leave as
 * soon as it can (want_intwin).
 *
 * Its hypercalls have the words of the code that makes them, 64 bits or 32: d->abi is that of the last one.
 *
 * Corresponds to hvm_domain_initialise(), hvm_vcpu_initialise() of xen/arch/x86/hvm/hvm.c, hvm/vmx/intr.c,
 * hvm/svm/intr.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/guest_access.h"
#include "mmu/hvm/hap.h"
#include "sim/frame.h"
#include "vcpu/domctl.h"
#include "vcpu/five/interp.h"
#include "vcpu/five/ring1.h"
#include "vcpu/five/tc.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/runstate.h"
#include "vcpu/time.h"

#include <errno.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/sched.h>

/* --- life --- */

/* Its tables: in two dimensions, or shadows, with which policy. */
static int paging_init(struct domain *d)
{
    const uint32_t flags = d->createflags;
    const int rc = p2m_init(d);

    if (rc || flags & XEN_DOMCTL_CDF_hap)
        return rc;
    return shadow_init(d, flags & XENLAB_DOMCTL_CDF_shadow_drop ? SHADOW_DROP
                          : flags & XEN_DOMCTL_CDF_oos_off      ? SHADOW_EMULATE
                                                                : SHADOW_OOS);
}

static int domain_init(struct domain *d)
{
    const uint32_t technique = d->createflags & XENLAB_DOMCTL_CDF_technique;

    d->hvm = xzalloc(d->xen->machine->arena, struct hvm_domain);
    if (!d->hvm)
        return -ENOMEM;
    d->hvm->technique = d->xen->technique;
    for (unsigned int t = TECHNIQUE_HARDWARE; t <= TECHNIQUE_TRANSLATE; t++)
        if (technique == XENLAB_DOMCTL_technique(t))
            d->hvm->technique = (enum hvm_technique)t;
    d->trace_root = d->hvm->technique >= TECHNIQUE_RING1  ? TRACE_ROOT_RING1
                    : d->createflags & XEN_DOMCTL_CDF_hap ? TRACE_ROOT_HVM
                                                          : TRACE_ROOT_SHADOW;
    hvm_irq_init(&d->hvm->irq, d, &hvm_irq_ops);
    d->paging = d->createflags & XEN_DOMCTL_CDF_hap ? &hap_paging_ops : &shadow_paging_ops;
    d->hvm->params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
    share_xen_page_with_guest(mfn_to_page(d->xen, d->shared_info_mfn), d, SHARE_rw);
    return paging_init(d);
}

static void domain_forget(struct domain *d)
{
    if (d->hvm)
        tc_destroy(d);
    if (d->p2m)
        shadow_teardown(d);
    p2m_teardown(d);
    xfree(d->hvm);
}

static int vcpu_init(struct vcpu *v)
{
    struct domain *d = v->domain;

    v->hvm = xzalloc(d->xen->machine->arena, struct hvm_vcpu);
    if (!v->hvm)
        return -ENOMEM;
    v->ctx = cpu_context_create(d->xen->machine, CPU_MODE_HVM, d->p2m->shadow ? &SHADOW_CONTROLS : &HVM_CONTROLS);
    if (!v->ctx)
        return -ENOMEM;
    v->regs = cpu_context_state(v->ctx);
    v->regs->ncr3 = mfn_x(d->p2m->root) << PAGE_SHIFT;
    if (hvm_apic_init(v))
        return -ENOMEM;
    if (v->vcpu_id == 0)
        hvm_devices_init(d);
    if (d->hvm->technique == TECHNIQUE_TRANSLATE && (v->vcpu_id || tc_init(d)))
        return v->vcpu_id ? -EOPNOTSUPP : -ENOMEM;
    return ioreq_vcpu_added(v);
}

/* Of one that was made only in part, too. */
static void vcpu_destroy(struct vcpu *v)
{
    if (!v->hvm)
        return;
    ioreq_vcpu_removed(v);
    shadow_vcpu_forget(v->domain, &v->hvm->shadow);
    if (v->vcpu_id == 0 && v->hvm->vlapic.regs)
        hvm_devices_deinit(v->domain);
    hvm_apic_destroy(v);
    if (v->ctx) {
        pcpu_release(v->ctx);
        cpu_context_destroy(v->ctx);
    }
    xfree(v->hvm);
}

static int relinquish(struct domain *d)
{
    ioreq_servers_destroy(d);
    return 0;
}

/* --- running --- */

static void switch_to(struct vcpu *v)
{
    update_runstate_area(v);
    update_vcpu_system_time(v, v);
    vcpu_periodic_timer_start(v);
    pt_restore_timer(v, &v->domain->hvm->irq);
    if (v->domain->hvm->technique >= TECHNIQUE_RING1)
        ring1_switch_to(v);
}

static void switch_from(struct vcpu *v) { pt_save_timer(v, &v->domain->hvm->irq); }

static bool in_shadow(const struct vcpu *v) { return v->regs->int_shadow && v->regs->rip == v->regs->exit_rip; }

static bool can_be_interrupted(const struct vcpu *v) { return v->regs->rflags & X86_EFLAGS_IF && !in_shadow(v); }

/*
 * The most urgent of what waits. (The mask of events is a PV guest's; IF does its work here.)
 */
static void deliver_due(struct vcpu *v)
{
    struct hvm_irq *irq = &v->domain->hvm->irq;
    struct hvm_intack ack;
    bool pending;

    if (v->domain->p2m->pod.starved) {
        domain_crash(v, "it has touched more memory than its %lu pages: %lu are to be populated still",
                     (unsigned long)v->domain->tot_pages, (unsigned long)v->domain->p2m->pod.entries);
        return;
    }
    if (!hvm_io_again(v))
        return;
    vcpu_end_shutdown_deferral(v);
    if (v->domain->is_shut_down)
        return;
    hvm_apic_enter(v);
    pt_update_irq(irq);
    if (v->hvm->inject.set) {
        v->hvm->inject.set = false;
        hvm_inject_event(v, &v->hvm->inject.event);
        return;
    }
    pending = v->vcpu_info->evtchn_upcall_pending;
    if (v->vcpu_id == 0 && (!pending || !v->hvm->evtchn_upcall_vector))
        hvm_set_callback_irq_level(irq, pending);
    v->nmi_masked = v->regs->nmi_blocked;
    v->regs->want_nmiwin = v->nmi_pending && v->nmi_masked;
    ack = hvm_vcpu_has_pending_irq(v, irq);
    v->regs->want_intwin = ack.source != hvm_intsrc_none && ack.source != hvm_intsrc_nmi && !can_be_interrupted(v);
    if (ack.source == hvm_intsrc_none || v->regs->want_intwin || (ack.source == hvm_intsrc_nmi && in_shadow(v)))
        return;
    ack = hvm_vcpu_ack_pending_irq(v, irq, ack);
    if (ack.source == hvm_intsrc_none)
        return;
    hvm_inject_event(v, &(struct hvm_event){ .type = ack.source == hvm_intsrc_nmi ? HVM_EVENT_NMI : HVM_EVENT_INTERRUPT,
                                             .vector = ack.source == hvm_intsrc_nmi ? X86_EXC_NMI : ack.vector });
}

static void deliver(struct vcpu *v)
{
    deliver_due(v);
    if (v->domain->p2m->shadow)
        hvm_shadow_enter(v);
}

static void run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data)
{
    struct machine *m = v->domain->xen->machine;

    switch (v->domain->hvm->technique) {
    case TECHNIQUE_HARDWARE: pcpu_run_on(m->pcpu[m->cur_pcpu], v->ctx, budget, on_exit, data); return;
    case TECHNIQUE_EMULATE: interp_run_on(v, budget, on_exit, data); return;
    case TECHNIQUE_RING1:
    case TECHNIQUE_TRANSLATE: ring1_run_on(v, budget, on_exit, data); return;
    }
    BUG();
}

static void handle_exit(struct vcpu *v, const struct sim_exit *e)
{
    if (v->domain->hvm->technique >= TECHNIQUE_RING1)
        ring1_handle_exit(v, e);
    else
        hvm_handle_exit(v, e);
}

/* mov $nr, %eax; vmmcall; ret (xen/arch/x86/hvm/svm/svm.c: svm_init_hypercall_page()). */
static void init_hypercall_page(uint8_t *page)
{
    memset(page, 0xcc, PAGE_SIZE);
    for (uint32_t nr = 0; nr < PAGE_SIZE / 32; nr++) {
        uint8_t *p = page + nr * 32;

        *p = 0xb8;
        memcpy(p + 1, &nr, sizeof(nr));
        memcpy(p + 5, "\x0f\x01\xd9\xc3", 4);
    }
    memcpy(page + __HYPERVISOR_iret * 32, "\x0f\x0b", 2); /* there is none: UD2 */
}

/* A granted frame comes to a place in its own memory. */
static int create_grant_host_mapping(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags)
{
    const int rc = p2m_set_entry(v->domain, PFN_DOWN(*host_addr), frame,
                                 flags & GNTMAP_readonly ? p2m_grant_map_ro : p2m_grant_map_rw);

    return rc ? GNTST_general_error : GNTST_okay;
}

static int replace_grant_host_mapping(struct vcpu *v, uint64_t host_addr, mfn_t frame, uint64_t new_addr,
                                      unsigned int flags)
{
    p2m_type_t t;

    if (new_addr || !mfn_eq(p2m_get_entry(v->domain, PFN_DOWN(host_addr), &t), frame) ||
        (t != p2m_grant_map_ro && t != p2m_grant_map_rw))
        return GNTST_general_error;
    return p2m_set_entry(v->domain, PFN_DOWN(host_addr), INVALID_MFN, p2m_mmio_dm) ? GNTST_general_error : GNTST_okay;
}

const struct guest_ops hvm_guest = {
    .name = "HVM",
    .type = DOMAIN_HVM,
    .abi = &pv64_abi,
    .hypercalls = HYPERCALLS_HVM,
    .features = 1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
                1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_supervisor_mode_kernel |
                1u << XENFEAT_writable_page_tables | 1u << XENFEAT_writable_descriptor_tables |
                1u << XENFEAT_pae_pgdir_above_4gb | 1u << XENFEAT_memory_op_vnode_supported,
    .vm_assist_valid = 1u << VMASST_TYPE_runstate_update_flag,
    .caller_mem = &hvm_caller_mem,
    .create_grant_host_mapping = create_grant_host_mapping,
    .replace_grant_host_mapping = replace_grant_host_mapping,
    .domain_init = domain_init,
    .domain_destroy = domain_forget,
    .vcpu_init = vcpu_init,
    .vcpu_destroy = vcpu_destroy,
    .relinquish = relinquish,
    .switch_to = switch_to,
    .switch_from = switch_from,
    .deliver = deliver,
    .run_on = run_on,
    .handle_exit = handle_exit,
    .init_hypercall_page = init_hypercall_page,
    .set_context = hvm_set_context,
    .get_context = hvm_get_context,
    .reset_context = hvm_reset_context,
};
