// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wires between an HVM domain's devices and its vCPUs.
 *
 * Concept: a device knows the line that it pulls, and nothing of who hears it. Lines meet at "global system
 * interrupts" (GSI), the pins of the I/O APIC; those of the old bus, ISA, are heard by the two 8259 as well. Several
 * devices may hold one GSI, so each has a count of who does, and only its first and its last holder make an edge.
 *
 *      ISA 0..15   --------------------+--> 8259 pair (vpic.c) --INTR--> a local APIC's LINT0 --> vCPU
 *                  (ISA 0 is GSI 2)    |
 *      PCI device, +-> link 0..3 ------+--> I/O APIC (vioapic.c) --message--> local APIC (vlapic.c) --> vCPU
 *      INTA..INTD  +-> GSI 16..47 ---------^
 *      MSI         ---------------------------------------------message--^
 *      HPET        --> ISA 0, 8, or GSI 20..23
 *      Xen itself  HVM_PARAM_CALLBACK_IRQ: a GSI, a PCI device's INTx, or a vector past all controllers
 *
 * Invariants: gsi_assert_count[g] is the number of lines that are up among those that lead to g; the lines themselves
 * are the bits of isa_irq and pci_intx, the callback's `asserted`, links of which pci_link_assert_count is not 0, and
 * hpet_gsi.
 *
 * All of it is data: a domain's struct hvm_irq, and per vCPU a struct vlapic, which vlapic_init() ties to it. The
 * pointers lead to where these, the vCPUs and the domain lie. Nothing is known here of the vCPUs themselves: what INIT
 * and start-up messages do is asked of `ops`.
 *
 * Corresponds to xen/arch/x86/hvm/irq.c and include/asm/hvm/irq.h. Source: ACPI specification, 5.2.12 (GSI).
 */
#ifndef VCPU_HVM_IRQ_H
#define VCPU_HVM_IRQ_H

#include "vcpu/hvm/vioapic.h"
#include "vcpu/hvm/vlapic.h"
#include "vcpu/hvm/vpic.h"
#include "vcpu/noun/domain.h"

#include <xen/hvm/params.h>

#define NR_ISAIRQS  16
#define NR_HVM_GSI  VIOAPIC_NUM_PINS
#define NR_PCI_LINK 4
#define HPET_TIMERS 3

#define hvm_isa_irq_to_gsi(isa_irq)     ((isa_irq) ? (isa_irq) : 2u)
#define hvm_pci_intx_gsi(device, intx)  (((((device) << 2) + ((device) >> 3) + (intx)) & 31) + 16)
#define hvm_pci_intx_link(device, intx) (((device) + (intx)) & 3)

struct hvm_hw_isa_irqs;
struct hvm_hw_pci_irqs;
struct hvm_hw_pci_link;

/* What the controllers ask of the rest of the hypervisor. */
struct hvm_irq_ops {
    /* v has been sent INIT: it waits for a start-up message, reset. Its local APIC has been reset already. */
    void (*init)(struct vcpu *v);
    /* v has been sent a start-up message: if it waits for one it begins in real mode at vector << 12. */
    void (*startup)(struct vcpu *v, uint8_t vector);
    /* v's local APIC takes interrupts, from now on or as before: it was written so. */
    void (*enabled)(struct vcpu *v);
};

enum hvm_callback_via { HVMIRQ_callback_none, HVMIRQ_callback_gsi, HVMIRQ_callback_pci_intx, HVMIRQ_callback_vector };

struct hvm_irq {
    struct domain *domain;
    const struct hvm_irq_ops *ops;
    struct vlapic *vlapic[MAX_VIRT_CPUS]; /* by vcpu_id; NULL: there is no such vCPU yet */
    struct periodic_time *timers;         /* all that run, see vpt.h */
    uint8_t timer_mode;                   /* HVM_PARAM_TIMER_MODE */
    /* A local APIC is through with a level-triggered vector: vioapic_update_EOI(). */
    void (*eoi)(struct hvm_irq *irq, uint8_t vector);

    struct vpic vpic[2]; /* master, slave */
    struct vioapic vioapic;

    uint16_t isa_irq;                    /* lines that are up */
    uint64_t pci_intx[2];                /* of device * 4 + intx */
    uint8_t pci_link_route[NR_PCI_LINK]; /* ISA interrupt of a link, 0: none */
    uint8_t pci_link_assert_count[NR_PCI_LINK];
    uint8_t hpet_gsi[HPET_TIMERS]; /* the pin that a timer's level-triggered line holds up, 0: none */
    uint16_t gsi_assert_count[NR_HVM_GSI];

    struct {
        uint8_t via; /* enum hvm_callback_via */
        bool asserted;
        uint8_t gsi, vector, device, intx;
    } callback;
    uint8_t round_robin; /* the vCPU that the last message to "whoever has the least to do" went to */
};

/* Timers that tick by a rising line: irq below 16 is an ISA interrupt, else a GSI. */
extern const struct vpt_source vpt_line;

/* As after a reset, with nothing on the lines. Before the vCPUs' vlapic_init(). */
void hvm_irq_init(struct hvm_irq *irq, struct domain *d, const struct hvm_irq_ops *ops);

/*
 * Pull a line up, let it go. What is out of range is nobody's line. (ISA 2 is the slave's, nobody else's.)
 */
void hvm_isa_irq_assert(struct hvm_irq *irq, unsigned int isa_irq);
void hvm_isa_irq_deassert(struct hvm_irq *irq, unsigned int isa_irq);
void hvm_pci_intx_assert(struct hvm_irq *irq, unsigned int device, unsigned int intx);
void hvm_pci_intx_deassert(struct hvm_irq *irq, unsigned int device, unsigned int intx);
/* A line of the I/O APIC that is not ISA's. */
void hvm_gsi_assert(struct hvm_irq *irq, unsigned int gsi);
void hvm_gsi_deassert(struct hvm_irq *irq, unsigned int gsi);
/* The level-triggered line of the HPET's timer n holds up that pin, and no other; 0: none. */
void hvm_hpet_line(struct hvm_irq *irq, unsigned int n, unsigned int gsi);
/* Lead a link (0 to 3) to an ISA interrupt; 0: nowhere. -EINVAL: no such link or interrupt. */
int hvm_set_pci_link_route(struct hvm_irq *irq, unsigned int link, unsigned int isa_irq);
/* A message-signalled interrupt: a write of data to addr. -EINVAL: not one that a local APIC takes. */
int hvm_inject_msi(struct hvm_irq *irq, uint64_t addr, uint32_t data);

/*
 * The lines, and where links lead, as records of hvmcontext; and back: the counts follow, and nobody hears an edge.
 * -EINVAL: a link leads to no ISA interrupt. The callback's line is not among them: it follows the events.
 */
void hvm_irq_save_pci(const struct hvm_irq *irq, struct hvm_hw_pci_irqs *r);
int hvm_irq_load_pci(struct hvm_irq *irq, const struct hvm_hw_pci_irqs *r);
void hvm_irq_save_isa(const struct hvm_irq *irq, struct hvm_hw_isa_irqs *r);
int hvm_irq_load_isa(struct hvm_irq *irq, const struct hvm_hw_isa_irqs *r);
void hvm_irq_save_link(const struct hvm_irq *irq, struct hvm_hw_pci_link *r);
int hvm_irq_load_link(struct hvm_irq *irq, const struct hvm_hw_pci_link *r);

/* HVM_PARAM_CALLBACK_IRQ was set: how Xen tells the domain of events. */
void hvm_set_callback_via(struct hvm_irq *irq, uint64_t via);
/* vCPU 0 has events pending, or not any more: the callback's line follows. (A vector: nothing to do.) */
void hvm_set_callback_irq_level(struct hvm_irq *irq, bool pending);

/*
 * What v would take now if it allowed interrupts: NMI first, then the callback's vector, the 8259 pair if it is wired
 * to v, and the local APIC as far as its priority allows. hvm_intsrc_none: nothing.
 */
struct hvm_intack hvm_vcpu_has_pending_irq(const struct vcpu *v, const struct hvm_irq *irq);
/* v takes it. The answer has the vector that the controller gives then; hvm_intsrc_none: it is gone. */
struct hvm_intack hvm_vcpu_ack_pending_irq(struct vcpu *v, struct hvm_irq *irq, struct hvm_intack intack);

#endif
