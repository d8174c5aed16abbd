// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wires between an HVM domain's devices and its vCPUs: what irq.h says.
 *
 * Corresponds to xen/arch/x86/hvm/irq.c and, for messages, hvm/vmsi.c.
 */
#include "vcpu/hvm/irq.h"

#include <errno.h>
#include <string.h>
#include <xen/hvm/save.h>

/* --- pins --- */

static bool has_pic(const struct hvm_irq *irq) { return irq->domain->emulation_flags & XEN_X86_EMU_PIC; }
static bool has_ioapic(const struct hvm_irq *irq) { return irq->domain->emulation_flags & XEN_X86_EMU_IOAPIC; }

/* One more line that leads to the pin is up. isa: the pair of 8259 hears it as line isa_irq. */
static void pin_up(struct hvm_irq *irq, unsigned int gsi, bool isa, unsigned int isa_irq)
{
    if (irq->gsi_assert_count[gsi]++)
        return;
    if (has_ioapic(irq))
        vioapic_irq_positive_edge(irq, gsi);
    if (isa && has_pic(irq))
        vpic_irq_positive_edge(irq, isa_irq);
}

static void pin_down(struct hvm_irq *irq, unsigned int gsi, bool isa, unsigned int isa_irq)
{
    if (!--irq->gsi_assert_count[gsi] && isa && has_pic(irq))
        vpic_irq_negative_edge(irq, isa_irq);
}

void hvm_isa_irq_assert(struct hvm_irq *irq, unsigned int isa_irq)
{
    if (isa_irq >= NR_ISAIRQS || isa_irq == 2 || (irq->isa_irq >> isa_irq & 1))
        return;
    irq->isa_irq |= (uint16_t)(1u << isa_irq);
    pin_up(irq, hvm_isa_irq_to_gsi(isa_irq), true, isa_irq);
}

void hvm_isa_irq_deassert(struct hvm_irq *irq, unsigned int isa_irq)
{
    if (isa_irq >= NR_ISAIRQS || !(irq->isa_irq >> isa_irq & 1))
        return;
    irq->isa_irq &= (uint16_t) ~(1u << isa_irq);
    pin_down(irq, hvm_isa_irq_to_gsi(isa_irq), true, isa_irq);
}

/* A pin by its number: below 16 it is an ISA line's, and the pair hears it, too. (Pin 2 is ISA interrupt 0's.) */
static unsigned int gsi_to_isa_irq(unsigned int gsi) { return gsi == 2 ? 0 : gsi; }

void hvm_gsi_assert(struct hvm_irq *irq, unsigned int gsi)
{
    if (gsi < NR_HVM_GSI)
        pin_up(irq, gsi, gsi && gsi < NR_ISAIRQS, gsi_to_isa_irq(gsi));
}

void hvm_gsi_deassert(struct hvm_irq *irq, unsigned int gsi)
{
    if (gsi < NR_HVM_GSI && irq->gsi_assert_count[gsi])
        pin_down(irq, gsi, gsi && gsi < NR_ISAIRQS, gsi_to_isa_irq(gsi));
}

void hvm_hpet_line(struct hvm_irq *irq, unsigned int n, unsigned int gsi)
{
    const unsigned int was = irq->hpet_gsi[n];

    if (gsi == was)
        return;
    irq->hpet_gsi[n] = (uint8_t)gsi;
    if (was)
        hvm_gsi_deassert(irq, was);
    if (gsi)
        hvm_gsi_assert(irq, gsi);
}

/* --- PCI --- */

static bool intx_is(const struct hvm_irq *irq, unsigned int device, unsigned int intx)
{
    const unsigned int bit = device * 4 + intx;

    return irq->pci_intx[bit / 64] >> (bit % 64) & 1;
}

void hvm_pci_intx_assert(struct hvm_irq *irq, unsigned int device, unsigned int intx)
{
    const unsigned int bit = device * 4 + intx, link = hvm_pci_intx_link(device, intx);

    if (device > 31 || intx > 3 || intx_is(irq, device, intx))
        return;
    irq->pci_intx[bit / 64] |= UINT64_C(1) << bit % 64;
    pin_up(irq, hvm_pci_intx_gsi(device, intx), false, 0);
    if (!irq->pci_link_assert_count[link]++ && irq->pci_link_route[link])
        hvm_gsi_assert(irq, irq->pci_link_route[link]);
}

void hvm_pci_intx_deassert(struct hvm_irq *irq, unsigned int device, unsigned int intx)
{
    const unsigned int bit = device * 4 + intx, link = hvm_pci_intx_link(device, intx);

    if (device > 31 || intx > 3 || !intx_is(irq, device, intx))
        return;
    irq->pci_intx[bit / 64] &= ~(UINT64_C(1) << bit % 64);
    pin_down(irq, hvm_pci_intx_gsi(device, intx), false, 0);
    if (!--irq->pci_link_assert_count[link] && irq->pci_link_route[link])
        hvm_gsi_deassert(irq, irq->pci_link_route[link]);
}

int hvm_set_pci_link_route(struct hvm_irq *irq, unsigned int link, unsigned int isa_irq)
{
    const bool up = link < NR_PCI_LINK && irq->pci_link_assert_count[link];

    if (link >= NR_PCI_LINK || isa_irq >= NR_ISAIRQS)
        return -EINVAL;
    if (up && irq->pci_link_route[link])
        hvm_gsi_deassert(irq, irq->pci_link_route[link]);
    irq->pci_link_route[link] = (uint8_t)isa_irq;
    if (up && isa_irq)
        hvm_gsi_assert(irq, isa_irq);
    return 0;
}

/*
 * A message:   address  0xfee, id in bits 19 to 12, bit 2: by logical id, bit 3: to the one with the lowest priority
 *              data     level (15), delivery mode (10 to 8), vector
 */
int hvm_inject_msi(struct hvm_irq *irq, uint64_t addr, uint32_t data)
{
    const enum apic_dm mode = data >> 8 & 7;

    if (addr >> 20 != 0xfee || !(data & 0xff) || (mode != dest_Fixed && mode != dest_LowestPrio))
        return -EINVAL;
    vlapic_message(irq, mode, (uint8_t)data, (uint8_t)(addr >> 12), addr & 4, data & 0x8000);
    return 0;
}

/* --- the callback --- */

static void callback_line(struct hvm_irq *irq, bool up)
{
    const unsigned int device = irq->callback.device, intx = irq->callback.intx;

    if (irq->callback.via == HVMIRQ_callback_gsi)
        (up ? hvm_gsi_assert : hvm_gsi_deassert)(irq, irq->callback.gsi);
    else if (irq->callback.via == HVMIRQ_callback_pci_intx)
        (up ? hvm_pci_intx_assert : hvm_pci_intx_deassert)(irq, device, intx);
}

void hvm_set_callback_via(struct hvm_irq *irq, uint64_t via)
{
    const bool up = irq->callback.asserted;

    if (up)
        callback_line(irq, false);
    irq->callback.via = HVMIRQ_callback_none;
    switch (via >> 56) {
    case HVM_PARAM_CALLBACK_TYPE_GSI:
        irq->callback.gsi = (uint8_t)via;
        if (irq->callback.gsi && irq->callback.gsi < NR_HVM_GSI)
            irq->callback.via = HVMIRQ_callback_gsi;
        break;
    case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
        irq->callback.device = via >> 11 & 31;
        irq->callback.intx = via & 3;
        irq->callback.via = HVMIRQ_callback_pci_intx;
        break;
    case HVM_PARAM_CALLBACK_TYPE_VECTOR:
        irq->callback.vector = (uint8_t)via;
        irq->callback.via = HVMIRQ_callback_vector;
        break;
    default: break;
    }
    if (up)
        callback_line(irq, true);
}

void hvm_set_callback_irq_level(struct hvm_irq *irq, bool pending)
{
    if (irq->callback.asserted == pending)
        return;
    irq->callback.asserted = pending;
    callback_line(irq, pending);
}

/* --- timers that tick by a rising line --- */

static bool is_isa(const struct periodic_time *pt) { return pt->irq < NR_ISAIRQS; }

static bool pic_hears(const struct periodic_time *pt)
{
    const struct vpic *vpic = pt->irqs->vpic;

    return is_isa(pt) && !(vpic[pt->irq >> 3].imr >> (pt->irq & 7) & 1) && (pt->irq < 8 || !(vpic[0].imr & 4)) &&
           vlapic_pic_target(pt->irqs);
}

static uint64_t redirection(const struct periodic_time *pt)
{
    return pt->irqs->vioapic.redir[is_isa(pt) ? hvm_isa_irq_to_gsi(pt->irq) : pt->irq];
}

static bool line_masked(const struct periodic_time *pt)
{
    return (redirection(pt) & IOAPIC_RTE_MASK) && !pic_hears(pt);
}

static bool line_latched(const struct periodic_time *pt)
{
    const struct hvm_irq *irqs = pt->irqs;

    if (pic_hears(pt) && (irqs->vpic[pt->irq >> 3].irr >> (pt->irq & 7) & 1))
        return true;
    for (unsigned int i = 0; i < MAX_VIRT_CPUS && !(redirection(pt) & IOAPIC_RTE_MASK); i++)
        if (irqs->vlapic[i] && vlapic_test_irq(irqs->vlapic[i], (uint8_t)redirection(pt)))
            return true;
    return false;
}

/* Sent as an NMI or the like, it is not acknowledged. */
static bool line_raise(struct periodic_time *pt)
{
    if (is_isa(pt)) {
        hvm_isa_irq_deassert(pt->irqs, pt->irq);
        hvm_isa_irq_assert(pt->irqs, pt->irq);
    } else { /* nobody's line: a pulse */
        hvm_gsi_assert(pt->irqs, pt->irq);
        hvm_gsi_deassert(pt->irqs, pt->irq);
    }
    return !pic_hears(pt) && (redirection(pt) & IOAPIC_RTE_MODE) > (uint64_t)dest_LowestPrio << 8;
}

static bool line_is_tick(const struct periodic_time *pt, const struct vcpu *v, struct hvm_intack intack)
{
    if (intack.source == hvm_intsrc_pic)
        return is_isa(pt) && intack.vector == (uint8_t)(pt->irqs->vpic[pt->irq >> 3].irq_base + (pt->irq & 7));
    return intack.source == hvm_intsrc_lapic && intack.vector == (uint8_t)redirection(pt);
}

const struct vpt_source vpt_line = {
    .masked = line_masked, .latched = line_latched, .raise = line_raise, .is_tick = line_is_tick
};

/* --- what a vCPU takes --- */

struct hvm_intack hvm_vcpu_has_pending_irq(const struct vcpu *v, const struct hvm_irq *irq)
{
    const struct vlapic *vlapic = irq->vlapic[v->vcpu_id];
    int vector;

    if (v->nmi_pending && !v->nmi_masked)
        return (struct hvm_intack){ hvm_intsrc_nmi, 2 };
    if (irq->callback.via == HVMIRQ_callback_vector && v->vcpu_info->evtchn_upcall_pending)
        return (struct hvm_intack){ hvm_intsrc_vector, irq->callback.vector };
    if (irq->vpic[0].int_output && vlapic_accept_pic_intr(vlapic))
        return (struct hvm_intack){ hvm_intsrc_pic, 0 };
    vector = vlapic_has_pending_irq(vlapic);
    if (vector >= 0)
        return (struct hvm_intack){ hvm_intsrc_lapic, (uint8_t)vector };
    return (struct hvm_intack){ hvm_intsrc_none, 0 };
}

struct hvm_intack hvm_vcpu_ack_pending_irq(struct vcpu *v, struct hvm_irq *irq, struct hvm_intack intack)
{
    bool taken = true;
    int vector;

    switch (intack.source) {
    case hvm_intsrc_nmi:
        taken = v->nmi_pending;
        v->nmi_pending = false;
        break;
    case hvm_intsrc_pic:
        vector = vpic_ack_pending_irq(irq);
        taken = vector >= 0;
        intack.vector = (uint8_t)vector;
        break;
    case hvm_intsrc_lapic: taken = vlapic_ack_pending_irq(irq->vlapic[v->vcpu_id], intack.vector); break;
    default: break;
    }
    if (!taken)
        return (struct hvm_intack){ hvm_intsrc_none, 0 };
    pt_intr_post(v, irq, intack);
    return intack;
}

/* --- as records --- */

void hvm_irq_save_pci(const struct hvm_irq *irq, struct hvm_hw_pci_irqs *r)
{
    const unsigned int bit = irq->callback.device * 4u + irq->callback.intx;

    memcpy(r->pad, irq->pci_intx, sizeof(r->pad));
    if (irq->callback.asserted && irq->callback.via == HVMIRQ_callback_pci_intx)
        r->pad[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

void hvm_irq_save_isa(const struct hvm_irq *irq, struct hvm_hw_isa_irqs *r) { r->pad[0] = irq->isa_irq; }

void hvm_irq_save_link(const struct hvm_irq *irq, struct hvm_hw_pci_link *r)
{
    *r = (struct hvm_hw_pci_link){ .pad0 = { 0 } };
    memcpy(r->route, irq->pci_link_route, sizeof(r->route));
}

/* Count again who holds which pin. */
static void lines_loaded(struct hvm_irq *irq)
{
    irq->callback.asserted = false;
    memset(irq->gsi_assert_count, 0, sizeof(irq->gsi_assert_count));
    memset(irq->pci_link_assert_count, 0, sizeof(irq->pci_link_assert_count));
    for (unsigned int line = 0; line < NR_ISAIRQS; line++)
        if (irq->isa_irq >> line & 1)
            irq->gsi_assert_count[hvm_isa_irq_to_gsi(line)]++;
    for (unsigned int device = 0; device < 32; device++)
        for (unsigned int intx = 0; intx < 4; intx++)
            if (intx_is(irq, device, intx)) {
                irq->gsi_assert_count[hvm_pci_intx_gsi(device, intx)]++;
                irq->pci_link_assert_count[hvm_pci_intx_link(device, intx)]++;
            }
    for (unsigned int link = 0; link < NR_PCI_LINK; link++)
        if (irq->pci_link_assert_count[link] && irq->pci_link_route[link])
            irq->gsi_assert_count[irq->pci_link_route[link]]++;
    for (unsigned int n = 0; n < HPET_TIMERS; n++)
        if (irq->hpet_gsi[n])
            irq->gsi_assert_count[irq->hpet_gsi[n]]++;
    if (has_pic(irq))
        vpic_lines_loaded(irq);
}

int hvm_irq_load_pci(struct hvm_irq *irq, const struct hvm_hw_pci_irqs *r)
{
    memcpy(irq->pci_intx, r->pad, sizeof(irq->pci_intx));
    lines_loaded(irq);
    return 0;
}

int hvm_irq_load_isa(struct hvm_irq *irq, const struct hvm_hw_isa_irqs *r)
{
    irq->isa_irq = r->pad[0] & 0xfffb; /* 2 is the slave's, nobody else's */
    lines_loaded(irq);
    return 0;
}

int hvm_irq_load_link(struct hvm_irq *irq, const struct hvm_hw_pci_link *r)
{
    for (unsigned int link = 0; link < NR_PCI_LINK; link++)
        if (r->route[link] >= NR_ISAIRQS)
            return -EINVAL;
    memcpy(irq->pci_link_route, r->route, sizeof(irq->pci_link_route));
    lines_loaded(irq);
    return 0;
}

void hvm_irq_init(struct hvm_irq *irq, struct domain *d, const struct hvm_irq_ops *ops)
{
    *irq = (struct hvm_irq){ .domain = d, .ops = ops, .eoi = vioapic_update_EOI };
    vpic_init(irq);
    vioapic_init(irq);
}
