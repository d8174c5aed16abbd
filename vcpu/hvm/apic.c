// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC of an HVM vCPU at its place: a page of the guest's memory, and what its messages do to other vCPUs.
 *
 * Concept: each vCPU has a page of registers (vlapic.h), and all of them see it at the same address. The p2m is one for
 * the domain, so whose page it leads to changes with whom is entered. The page is mapped to be read alone: reading
 * costs nothing, and a write leaves, to vlapic_write(). Real Xen has this from the processor (Intel's APICv, AMD's
 * AVIC).
 *
 * INIT and start-up (SIPI) messages are how a system starts its other processors: INIT stops one, in the state of a
 * reset; the next start-up message lets it begin in real mode at vector << 12.
 *
 * Invariant: at most one page of the domain's is in its p2m, apic_page_of's.
 *
 * Sources: AMD APM volume 2, 16.3, 15.29 (AVIC); Intel SDM volume 3, 8.4 (INIT-SIPI). Corresponds to
 * vlapic_init_sipi_action() and hvm_vcpu_reset_state() of Xen.
 */
#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "vcpu/hvm/hvm.h"

#include <errno.h>

static uint64_t gfn_of(const struct vcpu *v) { return PFN_DOWN(v->hvm->vlapic.apic_base_msr & UINT64_C(0xffffff000)); }

int hvm_apic_init(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    struct page_info *pg = alloc_xenheap_pages(xen, 0);

    if (!pg)
        return -ENOMEM;
    v->hvm->apic_page = page_to_mfn(xen, pg);
    vlapic_init(&v->hvm->vlapic, v, &v->domain->hvm->irq, frame_share(xen->machine, v->hvm->apic_page));
    return 0;
}

void hvm_apic_destroy(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;

    if (!v->hvm->vlapic.regs)
        return;
    vlapic_reset(&v->hvm->vlapic, true); /* its timer ends */
    v->domain->hvm->irq.vlapic[v->vcpu_id] = NULL;
    frame_unshare(xen->machine, v->hvm->apic_page);
    free_xenheap_pages(xen, mfn_to_page(xen, v->hvm->apic_page), 0);
}

/* The page goes from where it was. */
static void leave(struct vcpu *v)
{
    p2m_type_t t;

    p2m_get_entry(v->domain, gfn_of(v), &t);
    if (t == p2m_mmio_direct)
        p2m_set_entry(v->domain, gfn_of(v), INVALID_MFN, p2m_mmio_dm);
    v->domain->hvm->apic_page_of = NULL;
}

bool hvm_apic_base_set(struct vcpu *v, uint64_t val)
{
    leave(v);
    return vlapic_msr_set(&v->hvm->vlapic, val);
}

void hvm_apic_enter(struct vcpu *v)
{
    struct hvm_domain *h = v->domain->hvm;
    p2m_type_t t;

    vlapic_refresh(&v->hvm->vlapic);
    if (h->apic_page_of == v)
        return;
    if (h->apic_page_of)
        leave(h->apic_page_of);
    h->apic_page_of = v;
    if (vlapic_hw_disabled(&v->hvm->vlapic) || vlapic_x2apic_mode(&v->hvm->vlapic))
        return;
    p2m_get_entry(v->domain, gfn_of(v), &t);
    if (t == p2m_mmio_dm) /* what the guest has put there itself stays */
        p2m_set_entry(v->domain, gfn_of(v), v->hvm->apic_page, p2m_mmio_direct);
}

/* --- messages to other vCPUs --- */

static void init(struct vcpu *v)
{
    cpu_state_reset(v->regs);
    v->hvm->io.exit.kind = EXIT_BUDGET; /* an instruction that waits for its device is not gone on with */
    v->hvm->waits_for_sipi = true;
    v->is_initialised = false;
    v->pause_flags |= VPF_down;
    vcpu_sleep_nosync(v);
}

static void startup(struct vcpu *v, uint8_t vector)
{
    struct cpu_segment *cs = &v->regs->seg[CPU_SEG_CS];

    if (!v->hvm->waits_for_sipi && v->is_initialised)
        return;
    cpu_state_reset(v->regs);
    cs->sel = (uint16_t)(vector << 8);
    cs->base = (uint32_t)vector << 12;
    v->regs->rip = 0;
    v->hvm->waits_for_sipi = false;
    v->is_initialised = true;
    v->pause_flags &= ~VPF_down;
    vcpu_wake(v);
}

/* What came while the local APIC took nothing. */
static void enabled(struct vcpu *v)
{
    if (v->hvm->evtchn_upcall_vector && v->vcpu_info->evtchn_upcall_pending)
        hvm_assert_evtchn_irq(v);
}

const struct hvm_irq_ops hvm_irq_ops = { .init = init, .startup = startup, .enabled = enabled };

/* By its own vector; else by the domain's callback, whose line is vCPU 0's affair. */
void hvm_assert_evtchn_irq(struct vcpu *v)
{
    struct hvm_irq *irq = &v->domain->hvm->irq;

    if (v->hvm->evtchn_upcall_vector)
        vlapic_set_irq(&v->hvm->vlapic, v->hvm->evtchn_upcall_vector, false);
    else if (irq->callback.via == HVMIRQ_callback_vector)
        vcpu_kick(v);
    else if (v->vcpu_id == 0)
        hvm_set_callback_irq_level(irq, v->vcpu_info->evtchn_upcall_pending);
}

bool hvm_local_events_need_delivery(const struct vcpu *v)
{
    const struct hvm_intack ack = hvm_vcpu_has_pending_irq(v, &v->domain->hvm->irq);

    return ack.source == hvm_intsrc_nmi || (ack.source != hvm_intsrc_none && v->regs->rflags & X86_EFLAGS_IF);
}
