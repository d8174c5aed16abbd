// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's local APIC.
 *
 * Concept: a page of registers, one each 16 bytes, through which a processor is sent interrupts. They wait in IRR, a
 * bit a vector; the processor takes the highest, if its class (vector >> 4) is above the processor priority; it is in
 * ISR then, until the guest's end-of-interrupt (EOI).
 *
 *      message (IPI, I/O APIC, MSI, timer) --> IRR --[class > PPR]--> ISR --EOI--> over; if TMR has it: I/O APIC told
 *
 *      PPR = the higher of TPR and of the class of the highest vector in ISR
 *
 *      a local vector table entry:   17        16    ...   10 9 8    7 .. 0
 *                                    periodic  mask        delivery  vector        timer: no delivery mode
 *
 * The page is a frame which the guest may read as it likes: reads need no exit. So what it holds is right whenever the
 * guest runs, but for the timer's current count, which is as of the last exit (vlapic_refresh()); vlapic_read() is
 * exact. Only writes come here.
 *
 * Invariants: IRR, ISR, TMR, PPR and all that the guest can read lie in the page and nowhere else. A vector below 16 is
 * in none of them. In software-disabled state (SVR bit 8 clear) all of the local vector table is masked.
 *
 * Not there: TSC-deadline, thermal and performance counters' interrupts (the entries can be written).
 *
 * Corresponds to xen/arch/x86/hvm/vlapic.c. Source: Intel SDM vol. 3, chapter "APIC"; AMD APM vol. 2, chapter 16.
 */
#ifndef VCPU_HVM_VLAPIC_H
#define VCPU_HVM_VLAPIC_H

#include "vcpu/hvm/vpt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define APIC_DEFAULT_PHYS_BASE UINT64_C(0xfee00000)
#define APIC_BUS_CYCLE_NS      10

#define APIC_ID      0x020
#define APIC_LVR     0x030
#define APIC_TASKPRI 0x080
#define APIC_ARBPRI  0x090
#define APIC_PROCPRI 0x0a0
#define APIC_EOI     0x0b0
#define APIC_LDR     0x0d0
#define APIC_DFR     0x0e0
#define APIC_SPIV    0x0f0
#define APIC_ISR     0x100
#define APIC_TMR     0x180
#define APIC_IRR     0x200
#define APIC_ESR     0x280
#define APIC_CMCI    0x2f0
#define APIC_ICR     0x300
#define APIC_ICR2    0x310
#define APIC_LVTT    0x320
#define APIC_LVTTHMR 0x330
#define APIC_LVTPC   0x340
#define APIC_LVT0    0x350
#define APIC_LVT1    0x360
#define APIC_LVTERR  0x370
#define APIC_TMICT   0x380
#define APIC_TMCCT   0x390
#define APIC_TDCR    0x3e0

#define APIC_SPIV_APIC_ENABLED  0x100u
#define APIC_LVT_MASKED         0x10000u
#define APIC_LVT_TIMER_PERIODIC 0x20000u
#define APIC_ESR_SENDILL        0x20u
#define APIC_ESR_RECVILL        0x40u
#define APIC_ESR_ILLREGA        0x80u

/* Delivery modes, bits 8 to 10 of ICR and the local vector table. */
enum apic_dm { dest_Fixed, dest_LowestPrio, dest_SMI, dest_Reserved, dest_NMI, dest_INIT, dest_StartUp, dest_ExtINT };

#define APIC_BASE_BSP    (UINT64_C(1) << 8)
#define APIC_BASE_EXTD   (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)

struct hvm_hw_lapic_regs;
struct hvm_irq;
struct vcpu;

struct vlapic {
    struct vcpu *vcpu;
    struct hvm_irq *irqs;
    uint8_t *regs; /* the page */
    uint64_t apic_base_msr;
    uint32_t pending_esr; /* errors since the guest last wrote ESR */
    struct periodic_time pt;
    s_time_t timer_start; /* guest time at which the count was at timer_count */
    uint32_t timer_count;
    struct vpt_time time; /* the vCPU's; here since every vCPU has a local APIC */
};

/*
 * Tie a local APIC to v and its domain's lines. page: 4 KiB, which the guest sees at apic_base, not written by anybody
 * else. As after power-on.
 */
void vlapic_init(struct vlapic *vlapic, struct vcpu *v, struct hvm_irq *irqs, void *page);
/* As INIT leaves it: all but APIC id and base. power: as RESET does. */
void vlapic_reset(struct vlapic *vlapic, bool power);
/* What a BIOS does first, for guests without: enabled, and vCPU 0 hears the 8259 pair (LINT0) and NMI (LINT1). */
void vlapic_virtual_wire(struct vlapic *vlapic);

static inline uint32_t vlapic_get_reg(const struct vlapic *vlapic, unsigned int reg)
{
    uint32_t val;

    memcpy(&val, vlapic->regs + reg, sizeof(val));
    return val;
}
static inline unsigned int vlapic_id(const struct vlapic *vlapic) { return vlapic_get_reg(vlapic, APIC_ID) >> 24; }
static inline bool vlapic_hw_disabled(const struct vlapic *vlapic)
{
    return !(vlapic->apic_base_msr & APIC_BASE_ENABLE);
}
/* Its registers are MSRs, and the page is nowhere. */
static inline bool vlapic_x2apic_mode(const struct vlapic *vlapic)
{
    return !vlapic_hw_disabled(vlapic) && vlapic->apic_base_msr & APIC_BASE_EXTD;
}
/* Both switches are on: interrupts are accepted. */
static inline bool vlapic_enabled(const struct vlapic *vlapic)
{
    return !vlapic_hw_disabled(vlapic) && (vlapic_get_reg(vlapic, APIC_SPIV) & APIC_SPIV_APIC_ENABLED);
}

/*
 * Accesses to the page, offset 0 to 0xfff, size 1, 2, 4 (others, and what is not within 4 aligned bytes at a register:
 * reads give 0, writes are lost).
 */
uint32_t vlapic_read(struct vlapic *vlapic, unsigned int offset, unsigned int size);
void vlapic_write(struct vlapic *vlapic, unsigned int offset, unsigned int size, uint32_t val);
/* Bring what changes by itself, the current count, into the page: before the guest goes on. */
void vlapic_refresh(struct vlapic *vlapic);
/* WRMSR of APIC_BASE. False: #GP. */
bool vlapic_msr_set(struct vlapic *vlapic, uint64_t val);
#define MSR_X2APIC_FIRST 0x800u
#define MSR_X2APIC_LAST  0x8ffu
/* RDMSR and WRMSR of the MSRs 0x800 to 0x8ff, which are there in x2APIC mode. False: #GP. */
bool vlapic_x2apic_read(struct vlapic *vlapic, uint32_t msr, uint64_t *val);
bool vlapic_x2apic_write(struct vlapic *vlapic, uint32_t msr, uint64_t val);
/* CR8: bits 4 to 7 of TPR. */
static inline unsigned int vlapic_get_cr8(const struct vlapic *vlapic)
{
    return vlapic_get_reg(vlapic, APIC_TASKPRI) >> 4 & 15;
}
void vlapic_set_cr8(struct vlapic *vlapic, unsigned int cr8);

/* An interrupt arrives, and waits while the APIC is disabled. level: its EOI goes to the I/O APICs. */
void vlapic_set_irq(struct vlapic *vlapic, uint8_t vec, bool level);
/* Is it in IRR? */
bool vlapic_test_irq(const struct vlapic *vlapic, uint8_t vec);
/* The vector that the vCPU would take now, -1: none. */
int vlapic_has_pending_irq(const struct vlapic *vlapic);
/* It is taken: in service. False: it is not there. */
bool vlapic_ack_pending_irq(struct vlapic *vlapic, uint8_t vec);

/* A message of any delivery mode to those meant, from outside of the local APICs (I/O APIC, MSI). */
void vlapic_message(struct hvm_irq *irqs, enum apic_dm mode, uint8_t vec, uint32_t dest, bool logical, bool level);
/* Is this the vCPU that takes what the 8259 pair sends? */
bool vlapic_accept_pic_intr(const struct vlapic *vlapic);
/* The one that is, NULL: nobody listens. */
struct vlapic *vlapic_pic_target(const struct hvm_irq *irqs);

/*
 * The registers as a record of hvmcontext, and back. The timer goes on from the current count; errors that the guest
 * has not fetched yet are not in the record.
 */
void vlapic_save_regs(struct vlapic *vlapic, struct hvm_hw_lapic_regs *r);
void vlapic_load_regs(struct vlapic *vlapic, const struct hvm_hw_lapic_regs *r);

#endif
