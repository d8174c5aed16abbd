// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task switches: a JMP or CALL to a task state segment (TSS), an IRET out of a nested task, a task gate in the IDT.
 *
 * Concept: before there were kernels that switched tasks themselves the processor did: all registers of a task are kept
 * in its TSS while it does not run, and one instruction exchanges them.
 *
 *      32 bits                                       16 bits
 *      00 link  04 ESP0 SS0 ... SS2  1C CR3          00 link  02 SP0 SS0 ... SS2
 *      20 EIP EFLAGS  28 EAX ECX EDX EBX ESP ..      0E IP FLAGS  12 AX CX DX BX SP BP SI DI
 *      48 ES CS SS DS FS GS                          22 ES CS SS DS
 *      60 LDT  64 T, I/O map                         2A LDT
 *
 *                  old TSS is busy   new one has to be   becomes   link         NT of the new task
 *      JMP         no longer         available           busy      -            as in its TSS
 *      CALL, gate  still             available           busy      to the old   set
 *      IRET        no longer         busy                busy      -            as in its TSS
 *
 * Invariant: what is wrong with the new TSS itself faults in the old task, in front of the instruction; what is wrong
 * with the registers in it faults in the new one, in front of its first.
 *
 * Sources: AMD APM volume 2, chapter 12; Intel SDM volume 3, 7.3 (the order of checks, table 7-1).
 * Corresponds to hvm_task_switch() of xen/arch/x86/hvm/hvm.c.
 */
#include "vcpu/hvm/descriptor.h"

#include <string.h>

/* The parts of a TSS that are used here, in words of `size` bytes. */
struct tss {
    unsigned int size, limit, eip, regs, segs, nr_segs, ldt;
};

static const struct tss tss32 = { 4, 0x67, 0x20, 0x28, 0x48, 6, 0x60 }, tss16 = { 2, 0x2b, 0x0e, 0x12, 0x22, 4, 0x2a };
#define TSS_CR3  0x1c
#define TSS_TRAP 0x64

static const struct tss *tss_of(const struct cpu_segment *s) { return s->attr & TYPE_32 ? &tss32 : &tss16; }

/* A switch that is going on. */
struct task_switch {
    struct vcpu *v;
    enum hvm_task_why why;
    struct cpu_segment tss; /* the new one's */
    uint8_t bytes[0x68];    /* what is in it */
    struct hvm_fault *f;
};

static bool fault(struct task_switch *t, unsigned int vector, uint16_t sel)
{
    *t->f = (struct hvm_fault){ .vector = (uint8_t)vector, .error_code = sel & 0xfffc };
    return false;
}

static bool write_linear(struct task_switch *t, uint64_t addr, const void *buf, size_t n)
{
    return hvm_linear(t->v, addr, (void *)(uintptr_t)buf, n, HVM_ACCESS_WRITE, false, t->f);
}

static uint32_t word(const struct task_switch *t, unsigned int at, unsigned int size)
{
    uint32_t val = 0;

    memcpy(&val, t->bytes + at, size);
    return val;
}

/* --------------------------------------------------------------------------------------------------- the new TSS -- */

/* A descriptor that has to be there, or `vector`. */
static bool descriptor(struct task_switch *t, uint16_t sel, unsigned int vector, struct cpu_segment *s)
{
    switch (hvm_descriptor_read(t->v, sel, s, t->f)) {
    case HVM_DESC_OK: return true;
    case HVM_DESC_NONE: return fault(t, vector, sel);
    case HVM_DESC_FAULT: return false;
    }
    BUG();
}

/* JMP and CALL name a TSS, or a gate to one; both may be used by rings up to their DPL. */
static bool through_gate(struct task_switch *t, uint16_t *sel)
{
    const struct cpu_state *r = t->v->regs;
    struct cpu_segment s;

    if (!descriptor(t, *sel, X86_EXC_GP, &s))
        return false;
    if (ATTR_DPL(s.attr) < r->cpl || ATTR_DPL(s.attr) < (*sel & 3u))
        return fault(t, X86_EXC_GP, *sel);
    if ((s.attr & (ATTR_S | 0xf)) != TYPE_TASK_GATE)
        return true;
    if (!(s.attr & SEG_ATTR_P))
        return fault(t, X86_EXC_NP, *sel);
    *sel = (uint16_t)s.base; /* bits 31 to 16 of the descriptor */
    return true;
}

static bool find_tss(struct task_switch *t, uint16_t sel)
{
    const bool back = t->why == HVM_TASK_IRET;
    const unsigned int wrong = back ? X86_EXC_TS : X86_EXC_GP;

    if (sel & 4 || !(sel & 0xfffc))
        return fault(t, wrong, sel);
    if (!descriptor(t, sel, wrong, &t->tss))
        return false;
    if ((t->tss.attr & (ATTR_S | 0xf) & ~TYPE_32) != (back ? TYPE_TSS | TYPE_BUSY : TYPE_TSS))
        return fault(t, wrong, sel);
    if (!(t->tss.attr & SEG_ATTR_P))
        return fault(t, X86_EXC_NP, sel);
    if (t->tss.limit < tss_of(&t->tss)->limit)
        return fault(t, X86_EXC_TS, sel);
    return hvm_linear(t->v, t->tss.base, t->bytes, tss_of(&t->tss)->limit + 1, HVM_ACCESS_READ, false, t->f);
}

/* ------------------------------------------------------------------------------------------------ out of the old -- */

static bool save_old(struct task_switch *t, uint64_t rip)
{
    static const uint8_t segs[] = { CPU_SEG_ES, CPU_SEG_CS, CPU_SEG_SS, CPU_SEG_DS, CPU_SEG_FS, CPU_SEG_GS };
    const struct cpu_state *r = t->v->regs;
    const struct tss *tss = tss_of(&r->tr);
    const unsigned int n = tss->size;
    const uint64_t flags = r->rflags & ~(uint64_t)(t->why == HVM_TASK_IRET ? X86_EFLAGS_NT : 0);
    uint8_t image[0x68];
    uint8_t *p = image;

    memcpy(p, &rip, n);
    memcpy(p + n, &flags, n);
    p += 2 * n;
    for (unsigned int i = 0; i < 8; i++, p += n)
        memcpy(p, &r->gpr[i], n);
    for (unsigned int i = 0; i < tss->nr_segs; i++, p += n) {
        const uint32_t sel = r->seg[segs[i]].sel;

        memcpy(p, &sel, n);
    }
    return write_linear(t, r->tr.base + tss->eip, image, (size_t)(p - image));
}

/* Busy bits, and the way back. */
static bool exchange(struct task_switch *t)
{
    const struct cpu_state *r = t->v->regs;
    const bool nested = t->why == HVM_TASK_CALL || t->why == HVM_TASK_EVENT;

    if (nested && !write_linear(t, t->tss.base, &r->tr.sel, 2))
        return false;
    if (!nested && !hvm_descriptor_type(t->v, r->tr.sel, 0, TYPE_BUSY, t->f))
        return false;
    return t->why == HVM_TASK_IRET || hvm_descriptor_type(t->v, t->tss.sel, TYPE_BUSY, 0, t->f);
}

/* -------------------------------------------------------------------------------------------------- into the new -- */

/* Selectors; what they stand for is not known yet. */
static void registers(struct task_switch *t)
{
    struct cpu_state *r = t->v->regs;
    const struct tss *tss = tss_of(&t->tss);
    const unsigned int n = tss->size;
    const bool nested = t->why == HVM_TASK_CALL || t->why == HVM_TASK_EVENT;

    r->tr = t->tss;
    r->tr.attr |= TYPE_BUSY;
    r->cr0 |= X86_CR0_TS;
    if (r->cr0 & X86_CR0_PG && n == 4) {
        r->cr3 = word(t, TSS_CR3, 4);
        shadow_flush(t->v->domain);
    }
    r->rip = word(t, tss->eip, n);
    r->rflags = (word(t, tss->eip + n, n) & 0x3f7fd5) | X86_EFLAGS_MBS | (nested ? X86_EFLAGS_NT : 0);
    for (unsigned int i = 0; i < 8; i++)
        r->gpr[i] = n == 4 ? word(t, tss->regs + 4 * i, 4) : (r->gpr[i] & 0xffff0000) | word(t, tss->regs + 2 * i, 2);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ .sel = (uint16_t)(i < tss->nr_segs ? word(t, tss->segs + n * i, 2) : 0) };
    r->ldtr = (struct cpu_segment){ .sel = (uint16_t)word(t, tss->ldt, 2) };
    r->dr[7] &= ~UINT64_C(0x155); /* local breakpoints are the old task's */
    r->int_shadow = false;
    r->nmi_blocked &= t->why != HVM_TASK_IRET;
    r->dirty |= CPU_DIRTY_SEGS | CPU_DIRTY_CR | CPU_DIRTY_CR3 | CPU_DIRTY_DR;
}

static bool load_ldt(struct task_switch *t)
{
    struct cpu_state *r = t->v->regs;
    const uint16_t sel = r->ldtr.sel;
    struct cpu_segment s;

    if (!(sel & 0xfffc))
        return true;
    if (sel & 4)
        return fault(t, X86_EXC_TS, sel);
    if (!descriptor(t, sel, X86_EXC_TS, &s))
        return false;
    if ((s.attr & (ATTR_S | 0xf)) != TYPE_LDT || !(s.attr & SEG_ATTR_P))
        return fault(t, X86_EXC_TS, sel);
    r->ldtr = s;
    return true;
}

/* May this segment be in this register? */
static bool fits(const struct cpu_state *r, unsigned int seg, const struct cpu_segment *s)
{
    const unsigned int rpl = s->sel & 3u, dpl = ATTR_DPL(s->attr);
    const bool code = s->attr & TYPE_CODE, conforming = code && s->attr & TYPE_CONFORM;

    if (!(s->attr & ATTR_S))
        return false;
    if (seg == CPU_SEG_CS)
        return code && (conforming ? dpl <= rpl : dpl == rpl);
    if (seg == CPU_SEG_SS)
        return !code && s->attr & TYPE_WRITE && dpl == r->cpl && rpl == r->cpl;
    return (!code || s->attr & TYPE_READ) && (conforming || (dpl >= r->cpl && dpl >= rpl));
}

static bool load_segment(struct task_switch *t, unsigned int seg)
{
    struct cpu_state *r = t->v->regs;
    const uint16_t sel = r->seg[seg].sel;
    struct cpu_segment s;

    if (!(sel & 0xfffc))
        return (seg != CPU_SEG_CS && seg != CPU_SEG_SS) || fault(t, X86_EXC_TS, 0);
    if (!descriptor(t, sel, X86_EXC_TS, &s))
        return false;
    if (!fits(r, seg, &s))
        return fault(t, X86_EXC_TS, sel);
    if (!(s.attr & SEG_ATTR_P))
        return fault(t, seg == CPU_SEG_SS ? X86_EXC_SS : X86_EXC_NP, sel);
    if (!hvm_descriptor_accessed(t->v, &s, t->f))
        return false;
    r->seg[seg] = s;
    return true;
}

static bool load_segments(struct task_switch *t)
{
    static const uint8_t order[] = { CPU_SEG_CS, CPU_SEG_SS, CPU_SEG_DS, CPU_SEG_ES, CPU_SEG_FS, CPU_SEG_GS };
    struct cpu_state *r = t->v->regs;

    if (r->rflags & X86_EFLAGS_VM) {
        r->cpl = 3;
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            r->seg[i] = (struct cpu_segment){ r->seg[i].sel, 0xf3, 0xffff, (uint32_t)r->seg[i].sel << 4 };
        return load_ldt(t);
    }
    r->cpl = r->seg[CPU_SEG_CS].sel & 3;
    if (!load_ldt(t))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (!load_segment(t, order[i]))
            return false;
    return r->rip <= r->seg[CPU_SEG_CS].limit || fault(t, X86_EXC_GP, 0);
}

/* ----------------------------------------------------------------------------------------------------- the whole -- */

enum hvm_task hvm_task_switch(struct vcpu *v, uint16_t sel, enum hvm_task_why why, uint64_t rip, struct hvm_fault *f)
{
    struct task_switch t = { .v = v, .why = why, .f = f };

    if ((why == HVM_TASK_JMP || why == HVM_TASK_CALL) && !through_gate(&t, &sel))
        return HVM_TASK_FAULT;
    if (why == HVM_TASK_IRET && !hvm_linear(v, v->regs->tr.base, &sel, 2, HVM_ACCESS_READ, false, f))
        return HVM_TASK_FAULT;
    if (!find_tss(&t, sel) || !save_old(&t, rip) || !exchange(&t))
        return HVM_TASK_FAULT;
    registers(&t);
    if (!load_segments(&t))
        return HVM_TASK_FAULT_IN_NEW;
    return tss_of(&t.tss)->size == 4 && word(&t, TSS_TRAP, 2) & 1 ? HVM_TASK_TRAP : HVM_TASK_DONE;
}
