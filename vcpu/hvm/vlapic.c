// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's local APIC: what vlapic.h says, and the messages between them.
 *
 *      ICR   63 .. 56   19 18       15      14       11       10 9 8    7 .. 0
 *            who        shorthand   level   assert   logical  delivery  vector
 *                       0 by dest, 1 self, 2 all, 3 all others
 *
 * Corresponds to xen/arch/x86/hvm/vlapic.c.
 *
 * Budget: over 400 lines, since it is one chip's registers, messages and timer, which share all of its state.
 */
#include "vcpu/hvm/irq.h"

#include <string.h>
#include <xen/hvm/save.h>

#define VLAPIC_VERSION 0x00050014u /* six entries in the local vector table */
#define PRIO_CLASS     0xf0u

#define ICR_BUSY     0x1000u
#define ICR_ASSERT   0x4000u
#define ICR_LEVEL    0x8000u
#define ICR_LOGICAL  0x800u
#define ICR_MODE(x)  ((x) >> 8 & 7)
#define ICR_SHORT(x) ((x) >> 18 & 3)

/* --- registers --- */

static void set_reg(struct vlapic *vlapic, unsigned int reg, uint32_t val)
{
    memcpy(vlapic->regs + reg, &val, sizeof(val));
}

/* Bit vec of IRR, ISR or TMR. */
static bool test_vector(const struct vlapic *vlapic, unsigned int reg, uint8_t vec)
{
    return vlapic_get_reg(vlapic, reg + (vec >> 5) * 16u) >> (vec & 31) & 1;
}

static void set_vector(struct vlapic *vlapic, unsigned int reg, uint8_t vec, bool on)
{
    const unsigned int at = reg + (vec >> 5) * 16u;
    const uint32_t bit = 1u << (vec & 31), was = vlapic_get_reg(vlapic, at);

    set_reg(vlapic, at, on ? was | bit : was & ~bit);
}

static int highest_vector(const struct vlapic *vlapic, unsigned int reg)
{
    for (int word = 7; word >= 0; word--) {
        const uint32_t bits = vlapic_get_reg(vlapic, reg + (unsigned int)word * 16);

        if (bits)
            return word * 32 + 31 - __builtin_clz(bits);
    }
    return -1;
}

static void update_ppr(struct vlapic *vlapic)
{
    const uint32_t tpr = vlapic_get_reg(vlapic, APIC_TASKPRI);
    const int isr = highest_vector(vlapic, APIC_ISR);
    const uint32_t isr_class = isr < 0 ? 0 : (uint32_t)isr & PRIO_CLASS;

    set_reg(vlapic, APIC_PROCPRI, (tpr & PRIO_CLASS) >= isr_class ? tpr : isr_class);
}

/* --- an interrupt's way --- */

/* An error is noted, and told by an interrupt if the guest wants that. */
static void error(struct vlapic *vlapic, uint32_t bit)
{
    const uint32_t lvt = vlapic_get_reg(vlapic, APIC_LVTERR);
    const bool again = vlapic->pending_esr & bit;

    vlapic->pending_esr |= bit;
    if (!again && !(lvt & APIC_LVT_MASKED) && (lvt & 0xff) >= 16)
        vlapic_set_irq(vlapic, (uint8_t)lvt, false);
}

void vlapic_set_irq(struct vlapic *vlapic, uint8_t vec, bool level)
{
    if (vec < 16) {
        error(vlapic, APIC_ESR_RECVILL);
        return;
    }
    set_vector(vlapic, APIC_TMR, vec, level);
    set_vector(vlapic, APIC_IRR, vec, true);
    vcpu_kick(vlapic->vcpu);
}

bool vlapic_test_irq(const struct vlapic *vlapic, uint8_t vec) { return test_vector(vlapic, APIC_IRR, vec); }

int vlapic_has_pending_irq(const struct vlapic *vlapic)
{
    const int irr = vlapic_enabled(vlapic) ? highest_vector(vlapic, APIC_IRR) : -1;

    return irr >= 0 && ((uint32_t)irr & PRIO_CLASS) > (vlapic_get_reg(vlapic, APIC_PROCPRI) & PRIO_CLASS) ? irr : -1;
}

bool vlapic_ack_pending_irq(struct vlapic *vlapic, uint8_t vec)
{
    if (!test_vector(vlapic, APIC_IRR, vec))
        return false;
    set_vector(vlapic, APIC_IRR, vec, false);
    set_vector(vlapic, APIC_ISR, vec, true);
    update_ppr(vlapic);
    return true;
}

static void eoi(struct vlapic *vlapic)
{
    const int vec = highest_vector(vlapic, APIC_ISR);

    if (vec < 0)
        return;
    set_vector(vlapic, APIC_ISR, (uint8_t)vec, false);
    update_ppr(vlapic);
    if (test_vector(vlapic, APIC_TMR, (uint8_t)vec))
        vlapic->irqs->eoi(vlapic->irqs, (uint8_t)vec);
}

void vlapic_set_cr8(struct vlapic *vlapic, unsigned int cr8)
{
    set_reg(vlapic, APIC_TASKPRI, (cr8 & 15) << 4);
    update_ppr(vlapic);
}

/* --- messages --- */

#define DEST_ALL UINT32_MAX

/* In x2APIC mode it follows from the id: clusters of 16, bits 31 to 16, and one bit each. */
static uint32_t x2apic_ldr(const struct vlapic *vlapic)
{
    const unsigned int id = vlapic_id(vlapic);

    return id >> 4 << 16 | 1u << (id & 15);
}

/* Is it meant? dest: by id or (logical) by LDR as DFR says. */
static bool match_dest(const struct vlapic *vlapic, uint32_t dest, bool logical)
{
    const uint32_t ldr = vlapic_get_reg(vlapic, APIC_LDR) >> 24;

    if (dest == DEST_ALL || (dest == 0xff && !vlapic_x2apic_mode(vlapic)))
        return true;
    if (!logical)
        return dest == vlapic_id(vlapic);
    if (vlapic_x2apic_mode(vlapic))
        return x2apic_ldr(vlapic) >> 16 == dest >> 16 && (x2apic_ldr(vlapic) & dest & 0xffff);
    switch (vlapic_get_reg(vlapic, APIC_DFR) >> 28) {
    case 0xf: return ldr & dest;
    case 0: return ldr >> 4 == dest >> 4 && (ldr & dest & 15);
    default: return false;
    }
}

/* The one of those meant that has the lowest priority, in turn among equals; NULL: none that is enabled. */
static struct vlapic *lowest_prio(struct hvm_irq *irqs, uint32_t dest, bool logical)
{
    struct vlapic *best = NULL;

    for (unsigned int i = 1; i <= MAX_VIRT_CPUS; i++) {
        struct vlapic *vlapic = irqs->vlapic[(irqs->round_robin + i) % MAX_VIRT_CPUS];

        if (vlapic && vlapic_enabled(vlapic) && match_dest(vlapic, dest, logical) &&
            (!best || vlapic_get_reg(vlapic, APIC_PROCPRI) < vlapic_get_reg(best, APIC_PROCPRI)))
            best = vlapic;
    }
    if (best)
        irqs->round_robin = (uint8_t)best->vcpu->vcpu_id;
    return best;
}

/* A message reaches a processor. */
static void accept(struct vlapic *vlapic, enum apic_dm mode, uint8_t vec, bool level)
{
    const struct hvm_irq_ops *ops = vlapic->irqs->ops;

    if (vlapic_hw_disabled(vlapic))
        return;
    switch (mode) {
    case dest_Fixed:
    case dest_LowestPrio:
        if (vlapic_enabled(vlapic))
            vlapic_set_irq(vlapic, vec, level);
        break;
    case dest_NMI:
        vlapic->vcpu->nmi_pending = true;
        vcpu_kick(vlapic->vcpu);
        break;
    case dest_INIT:
        if (!vlapic->vcpu->is_initialised) /* it is reset already: what has come for it stays */
            break;
        vlapic_reset(vlapic, false);
        ops->init(vlapic->vcpu);
        break;
    case dest_StartUp: ops->startup(vlapic->vcpu, vec); break;
    default: break; /* there is no system management mode, and nobody sends ExtINT by message */
    }
}

void vlapic_message(struct hvm_irq *irqs, enum apic_dm mode, uint8_t vec, uint32_t dest, bool logical, bool level)
{
    if (mode == dest_LowestPrio) {
        struct vlapic *best = lowest_prio(irqs, dest, logical);

        if (best)
            accept(best, mode, vec, level);
        return;
    }
    for (unsigned int i = 0; i < MAX_VIRT_CPUS; i++)
        if (irqs->vlapic[i] && match_dest(irqs->vlapic[i], dest, logical))
            accept(irqs->vlapic[i], mode, vec, level);
}

/* ICR was written: send. */
static void vlapic_ipi(struct vlapic *vlapic)
{
    const uint32_t icr = vlapic_get_reg(vlapic, APIC_ICR);
    const uint32_t icr2 = vlapic_get_reg(vlapic, APIC_ICR2), dest = vlapic_x2apic_mode(vlapic) ? icr2 : icr2 >> 24;
    const uint8_t vec = (uint8_t)icr;
    const enum apic_dm mode = ICR_MODE(icr);
    struct hvm_irq *irqs = vlapic->irqs;

    if (mode == dest_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
        return; /* the end of an INIT, which old processors had to be told */
    if (vec < 16 && (mode == dest_Fixed || mode == dest_LowestPrio)) {
        error(vlapic, APIC_ESR_SENDILL);
        return;
    }
    if (!ICR_SHORT(icr)) {
        vlapic_message(irqs, mode, vec, dest, icr & ICR_LOGICAL, false);
        return;
    }
    for (unsigned int i = 0; i < MAX_VIRT_CPUS; i++) {
        struct vlapic *to = irqs->vlapic[i];
        const unsigned int who = ICR_SHORT(icr);

        if (to && (who == 2 || (who == 1) == (to == vlapic)))
            accept(to, mode, vec, false);
    }
}

bool vlapic_accept_pic_intr(const struct vlapic *vlapic) { return vlapic == vlapic_pic_target(vlapic->irqs); }

/* INTR of the pair reaches a processor by LINT0, by pin 0 of the I/O APIC, or directly when there is no local APIC. */
struct vlapic *vlapic_pic_target(const struct hvm_irq *irqs)
{
    const uint64_t pin0 = irqs->vioapic.redir[0];
    const bool by_pin0 = (pin0 & (IOAPIC_RTE_MODE | IOAPIC_RTE_MASK)) == (uint64_t)dest_ExtINT << 8;

    for (unsigned int i = 0; i < MAX_VIRT_CPUS; i++) {
        struct vlapic *vlapic = irqs->vlapic[i];

        if (!vlapic)
            continue;
        if (vlapic_hw_disabled(vlapic) ||
            (vlapic_get_reg(vlapic, APIC_LVT0) & (APIC_LVT_MASKED | 0x700)) == dest_ExtINT << 8 ||
            (by_pin0 && vlapic_enabled(vlapic) && vlapic_id(vlapic) == pin0 >> IOAPIC_RTE_DEST_SHIFT))
            return vlapic;
    }
    return NULL;
}

/* --- the timer --- */

/* ns from one count to the next */
static s_time_t timer_unit(const struct vlapic *vlapic)
{
    const uint32_t tdcr = vlapic_get_reg(vlapic, APIC_TDCR), code = (tdcr & 3) | (tdcr >> 1 & 4);

    return code == 7 ? APIC_BUS_CYCLE_NS : (s_time_t)APIC_BUS_CYCLE_NS * (2 << code);
}

static bool timer_periodic(const struct vlapic *vlapic)
{
    return vlapic_get_reg(vlapic, APIC_LVTT) & APIC_LVT_TIMER_PERIODIC;
}

static uint32_t timer_now(const struct vlapic *vlapic, s_time_t unit, bool periodic)
{
    const s_time_t now = hvm_get_guest_time(vlapic->vcpu, vlapic->irqs);
    const uint64_t passed = (uint64_t)(now - vlapic->timer_start) / (uint64_t)unit;
    const uint32_t initial = vlapic_get_reg(vlapic, APIC_TMICT);

    if (passed < vlapic->timer_count)
        return vlapic->timer_count - (uint32_t)passed;
    return periodic && initial && vlapic->timer_count ? initial - (uint32_t)((passed - vlapic->timer_count) % initial)
                                                      : 0;
}

/* Count down from `count`, as the registers say. */
static void timer_begin(struct vlapic *vlapic, uint32_t count)
{
    const s_time_t unit = timer_unit(vlapic);

    vlapic->timer_start = hvm_get_guest_time(vlapic->vcpu, vlapic->irqs);
    vlapic->timer_count = count;
    if (count)
        create_periodic_time(&vlapic->pt, count * unit,
                             timer_periodic(vlapic) ? vlapic_get_reg(vlapic, APIC_TMICT) * unit : 0,
                             (uint8_t)vlapic_get_reg(vlapic, APIC_LVTT), NULL, NULL);
    else
        destroy_periodic_time(&vlapic->pt);
}

/* The timer's mode or divisor changes: it goes on from the count where it is. */
static void timer_reg(struct vlapic *vlapic, unsigned int reg, uint32_t val)
{
    const bool periodic = timer_periodic(vlapic);
    const s_time_t unit = timer_unit(vlapic);
    const uint32_t count = timer_now(vlapic, unit, periodic);

    set_reg(vlapic, reg, val);
    vlapic->pt.irq = (uint8_t)vlapic_get_reg(vlapic, APIC_LVTT);
    if (periodic != timer_periodic(vlapic) || unit != timer_unit(vlapic))
        timer_begin(vlapic, count);
    pt_update_irq(vlapic->irqs);
}

static const struct vlapic *lapic_of(const struct periodic_time *pt) { return pt->irqs->vlapic[pt->vcpu->vcpu_id]; }

static bool timer_masked(const struct periodic_time *pt)
{
    return !vlapic_enabled(lapic_of(pt)) || (vlapic_get_reg(lapic_of(pt), APIC_LVTT) & APIC_LVT_MASKED);
}

static bool timer_latched(const struct periodic_time *pt) { return vlapic_test_irq(lapic_of(pt), pt->irq); }

static bool timer_raise(struct periodic_time *pt)
{
    vlapic_set_irq(pt->irqs->vlapic[pt->vcpu->vcpu_id], pt->irq, false);
    return pt->irq < 16;
}

static bool timer_is_tick(const struct periodic_time *pt, const struct vcpu *v, struct hvm_intack intack)
{
    return intack.source == hvm_intsrc_lapic && v == pt->vcpu && intack.vector == pt->irq;
}

static const struct vpt_source lapic_timer = {
    .masked = timer_masked, .latched = timer_latched, .raise = timer_raise, .is_tick = timer_is_tick
};

void vlapic_refresh(struct vlapic *vlapic)
{
    set_reg(vlapic, APIC_TMCCT, timer_now(vlapic, timer_unit(vlapic), timer_periodic(vlapic)));
}

/* --- accesses --- */

#define LVT_STATUS     0x1000u
#define LVT_REMOTE_IRR 0x4000u

/* The bits of an entry of the local vector table that can be changed; 0: it is none. */
static uint32_t lvt_mask(unsigned int reg)
{
    switch (reg) {
    case APIC_LVTT: return APIC_LVT_MASKED | APIC_LVT_TIMER_PERIODIC | 0xff;
    case APIC_LVTTHMR:
    case APIC_LVTPC: return APIC_LVT_MASKED | 0x7ff;
    case APIC_LVT0:
    case APIC_LVT1: return APIC_LVT_MASKED | 0xa7ff; /* polarity and trigger mode too */
    case APIC_LVTERR: return APIC_LVT_MASKED | 0xff;
    default: return 0;
    }
}

static void mask_all(struct vlapic *vlapic)
{
    for (unsigned int reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 16)
        set_reg(vlapic, reg, vlapic_get_reg(vlapic, reg) | APIC_LVT_MASKED);
}

static void write_lvt(struct vlapic *vlapic, unsigned int reg, uint32_t val)
{
    val &= lvt_mask(reg);
    if (!(vlapic_get_reg(vlapic, APIC_SPIV) & APIC_SPIV_APIC_ENABLED))
        val |= APIC_LVT_MASKED;
    if (reg == APIC_LVTT) {
        timer_reg(vlapic, reg, val);
        return;
    }
    set_reg(vlapic, reg, val);
    if (reg == APIC_LVT0 && !(val & APIC_LVT_MASKED))
        pt_update_irq(vlapic->irqs);
}

static void reg_write(struct vlapic *vlapic, unsigned int reg, uint32_t val)
{
    switch (reg) {
    case APIC_ID: set_reg(vlapic, reg, val & 0xff000000); break;
    case APIC_TASKPRI:
        set_reg(vlapic, reg, val & 0xff);
        update_ppr(vlapic);
        break;
    case APIC_EOI: eoi(vlapic); break;
    case APIC_LDR: set_reg(vlapic, reg, val & 0xff000000); break;
    case APIC_DFR: set_reg(vlapic, reg, val | 0x0fffffff); break;
    case APIC_SPIV:
        set_reg(vlapic, reg, val & 0x3ff);
        if (!(val & APIC_SPIV_APIC_ENABLED))
            mask_all(vlapic);
        else
            vlapic->irqs->ops->enabled(vlapic->vcpu);
        pt_update_irq(vlapic->irqs);
        break;
    case APIC_ESR: /* what is read is what was gathered up to this write */
        set_reg(vlapic, reg, vlapic->pending_esr);
        vlapic->pending_esr = 0;
        break;
    case APIC_ICR:
        set_reg(vlapic, reg, val & ~ICR_BUSY);
        vlapic_ipi(vlapic);
        break;
    case APIC_ICR2: set_reg(vlapic, reg, val & 0xff000000); break;
    case APIC_TMICT:
        set_reg(vlapic, reg, val);
        timer_begin(vlapic, val);
        break;
    case APIC_TDCR: timer_reg(vlapic, reg, val & 0xb); break;
    default:
        if (lvt_mask(reg))
            write_lvt(vlapic, reg, val);
    }
    vlapic_refresh(vlapic);
}

static bool reaches_register(unsigned int offset, unsigned int size)
{
    return offset < PAGE_SIZE && (size == 1 || size == 2 || size == 4) && (offset & 15) + size <= 4;
}

uint32_t vlapic_read(struct vlapic *vlapic, unsigned int offset, unsigned int size)
{
    if (!reaches_register(offset, size))
        return 0;
    vlapic_refresh(vlapic);
    return (uint32_t)((uint64_t)vlapic_get_reg(vlapic, offset & ~3u) >> 8 * (offset & 3) &
                      ((UINT64_C(1) << 8 * size) - 1));
}

void vlapic_write(struct vlapic *vlapic, unsigned int offset, unsigned int size, uint32_t val)
{
    const unsigned int shift = 8 * (offset & 3), reg = offset & ~3u;
    const uint32_t bits = (uint32_t)((UINT64_C(1) << 8 * (size & 7)) - 1);

    if (reaches_register(offset, size) && !vlapic_hw_disabled(vlapic))
        reg_write(vlapic, reg, (vlapic_get_reg(vlapic, reg) & ~(bits << shift)) | (val & bits) << shift);
}

/* From xAPIC mode to x2APIC mode, and from either to off; from off to xAPIC mode. Intel SDM volume 3, 10.12.5. */
bool vlapic_msr_set(struct vlapic *vlapic, uint64_t val)
{
    const bool was_disabled = vlapic_hw_disabled(vlapic), was_x2apic = vlapic_x2apic_mode(vlapic);

    if (val & ~(APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_ENABLE | UINT64_C(0xfffffff000)))
        return false;
    if (val & APIC_BASE_EXTD && (!(val & APIC_BASE_ENABLE) || was_disabled))
        return false;
    if (was_x2apic && (val & (APIC_BASE_EXTD | APIC_BASE_ENABLE)) == APIC_BASE_ENABLE)
        return false;
    vlapic->apic_base_msr = val;
    if (vlapic_hw_disabled(vlapic) != was_disabled)
        vlapic_reset(vlapic, false);
    if (vlapic_x2apic_mode(vlapic) && !was_x2apic) {
        set_reg(vlapic, APIC_ID, vlapic->vcpu->vcpu_id * 2 << 24);
        set_reg(vlapic, APIC_ICR2, 0);
    }
    pt_update_irq(vlapic->irqs);
    return true;
}

/* --- the same as MSRs: number 0x800 + offset / 16 --- */

#define MSR_X2APIC_SELF 0x83fu

/* The bits that it may be written with, some without effect (Xen's LVT_MASK, LINT_MASK); false: it is not written. */
static bool x2apic_writable(unsigned int reg, uint32_t *bits)
{
    *bits = lvt_mask(reg) ? lvt_mask(reg) | LVT_STATUS : 0;
    switch (reg) {
    case APIC_LVT0:
    case APIC_LVT1: *bits |= LVT_REMOTE_IRR; break;
    case APIC_TASKPRI: *bits = 0xff; break;
    case APIC_EOI:
    case APIC_ESR: return true;           /* 0 alone */
    case APIC_SPIV: *bits = 0x3ff; break; /* with the focus bit, which Xen itself sets at its start */
    case APIC_TMICT: *bits = UINT32_MAX; break;
    case APIC_TDCR: *bits = 0xb; break;
    }
    return *bits;
}

static bool x2apic_readable(unsigned int reg)
{
    uint32_t bits;

    switch (reg) {
    case APIC_ID:
    case APIC_LVR:
    case APIC_PROCPRI:
    case APIC_LDR:
    case APIC_ISR ... APIC_ESR - 0x10:
    case APIC_ICR:
    case APIC_TMCCT: return true;
    case APIC_EOI: return false;
    default: return x2apic_writable(reg, &bits);
    }
}

bool vlapic_x2apic_read(struct vlapic *vlapic, uint32_t msr, uint64_t *val)
{
    const unsigned int reg = (msr - MSR_X2APIC_FIRST) << 4;

    if (!vlapic_x2apic_mode(vlapic) || !x2apic_readable(reg))
        return false;
    *val = vlapic_read(vlapic, reg, 4);
    switch (reg) {
    case APIC_ID: *val = vlapic_id(vlapic); break;
    case APIC_LDR: *val = x2apic_ldr(vlapic); break;
    case APIC_ICR: *val |= (uint64_t)vlapic_get_reg(vlapic, APIC_ICR2) << 32; break;
    }
    return true;
}

bool vlapic_x2apic_write(struct vlapic *vlapic, uint32_t msr, uint64_t val)
{
    const unsigned int reg = (msr - MSR_X2APIC_FIRST) << 4;
    uint32_t bits;

    if (!vlapic_x2apic_mode(vlapic))
        return false;
    if (msr == MSR_X2APIC_SELF) {
        if (val > 0xff)
            return false;
        val |= 1u << 18; /* ICR's, to itself */
    } else if (reg == APIC_ICR) {
        if ((uint32_t)val & ~(0xfffffu & ~0x3000u))
            return false;
        set_reg(vlapic, APIC_ICR2, (uint32_t)(val >> 32));
    } else {
        if (!x2apic_writable(reg, &bits) || val & ~(uint64_t)bits)
            return false;
        reg_write(vlapic, reg, (uint32_t)val);
        return true;
    }
    reg_write(vlapic, APIC_ICR, (uint32_t)val);
    return true;
}

/* --- its life --- */

void vlapic_reset(struct vlapic *vlapic, bool power)
{
    const struct vcpu *v = vlapic->vcpu;
    const uint32_t id = power ? v->vcpu_id * 2 << 24 : vlapic_get_reg(vlapic, APIC_ID);

    if (power)
        vlapic->apic_base_msr = APIC_DEFAULT_PHYS_BASE | APIC_BASE_ENABLE | (v->vcpu_id ? 0 : APIC_BASE_BSP);
    destroy_periodic_time(&vlapic->pt);
    vlapic->pending_esr = vlapic->timer_count = 0;
    memset(vlapic->regs, 0, PAGE_SIZE);
    set_reg(vlapic, APIC_ID, id);
    set_reg(vlapic, APIC_LVR, VLAPIC_VERSION);
    set_reg(vlapic, APIC_DFR, 0xffffffff);
    set_reg(vlapic, APIC_SPIV, 0xff);
    mask_all(vlapic);
}

void vlapic_init(struct vlapic *vlapic, struct vcpu *v, struct hvm_irq *irqs, void *page)
{
    *vlapic = (struct vlapic){ .vcpu = v, .irqs = irqs, .regs = page };
    vpt_init(&vlapic->pt, irqs, v, &lapic_timer);
    irqs->vlapic[v->vcpu_id] = vlapic;
    vlapic_reset(vlapic, true);
}

void vlapic_virtual_wire(struct vlapic *vlapic)
{
    reg_write(vlapic, APIC_SPIV, APIC_SPIV_APIC_ENABLED | 0xff);
    if (vlapic->vcpu->vcpu_id == 0) {
        reg_write(vlapic, APIC_LVT0, dest_ExtINT << 8);
        reg_write(vlapic, APIC_LVT1, dest_NMI << 8);
    }
}

/* --- as a record --- */

/*
 * A timer that has run out since its guest stands still is about to: with 0 it would be one that has been heard of, and
 * the guest would wait for ever. (Xen lets each begin anew when it is loaded.)
 */
void vlapic_save_regs(struct vlapic *vlapic, struct hvm_hw_lapic_regs *r)
{
    const uint32_t about = 1;

    vlapic_refresh(vlapic);
    memcpy(r->data, vlapic->regs, sizeof(r->data));
    if (!vlapic_get_reg(vlapic, APIC_TMCCT) && vlapic->pt.running && !vlapic->pt.issued)
        memcpy(r->data + APIC_TMCCT, &about, sizeof(about));
}

/* What cannot be written is not loaded either. */
void vlapic_load_regs(struct vlapic *vlapic, const struct hvm_hw_lapic_regs *r)
{
    memset(vlapic->regs, 0, PAGE_SIZE);
    for (unsigned int reg = 0; reg < sizeof(r->data); reg += 16)
        memcpy(vlapic->regs + reg, r->data + reg, sizeof(uint32_t));
    set_reg(vlapic, APIC_ID, vlapic_get_reg(vlapic, APIC_ID) & 0xff000000);
    set_reg(vlapic, APIC_LVR, VLAPIC_VERSION);
    set_reg(vlapic, APIC_TASKPRI, vlapic_get_reg(vlapic, APIC_TASKPRI) & 0xff);
    set_reg(vlapic, APIC_LDR, vlapic_get_reg(vlapic, APIC_LDR) & 0xff000000);
    set_reg(vlapic, APIC_DFR, vlapic_get_reg(vlapic, APIC_DFR) | 0x0fffffff);
    set_reg(vlapic, APIC_SPIV, vlapic_get_reg(vlapic, APIC_SPIV) & 0x3ff);
    set_reg(vlapic, APIC_ICR, vlapic_get_reg(vlapic, APIC_ICR) & ~ICR_BUSY);
    set_reg(vlapic, APIC_TDCR, vlapic_get_reg(vlapic, APIC_TDCR) & 0xb);
    for (unsigned int reg = APIC_ISR; reg <= APIC_IRR; reg += 0x80) /* ISR, TMR, IRR: no vector below 16 */
        set_reg(vlapic, reg, vlapic_get_reg(vlapic, reg) & 0xffff0000);
    for (unsigned int reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 16)
        set_reg(vlapic, reg, vlapic_get_reg(vlapic, reg) & lvt_mask(reg));
    if (!(vlapic_get_reg(vlapic, APIC_SPIV) & APIC_SPIV_APIC_ENABLED))
        mask_all(vlapic);
    vlapic->pending_esr = 0;
    update_ppr(vlapic);
    timer_begin(vlapic, vlapic_get_reg(vlapic, APIC_TMCCT));
    vcpu_kick(vlapic->vcpu);
}
