// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What instructions do that are a kernel's, or tell of one.
 *
 * Concept: three kinds. Those that the hypervisor carries out for every kind of processor (I/O, MSRs, CR0, HLT, INT
 * n...) leave, as they would leave real guest mode. Those that change the guest's own processor only (LGDT, CR3,
 * IRET...) are done here, after a look at CPL: in a lower ring they are #GP. And the holes (SGDT, SMSW, LAR, MOV from
 * CS, POPF), which look at the same processor, since there is no other: under interpretation all are right.
 *
 * Source: AMD APM volume 3, system instructions; volume 2, 4.7 (descriptors), 6.1.1 (SYSCALL), 8.7.3 (IRET).
 */
#include "mmu/guest_access.h"
#include "sim/nested.h"
#include "sim/vmcb.h"
#include "vcpu/five/interp.h"
#include "vcpu/hvm/descriptor.h"

#define TSS_FREE 9u

/* --------------------------------------------------------------------------------------------- its own registers -- */

static bool privileged(struct interp *i) { return !i->r->cpl || interp_exception(i, X86_EXC_GP, 0); }

static bool table_load(struct interp *i, const struct interp_insn *in)
{
    const uint64_t at = interp_address(i, in);
    uint64_t limit, base;

    if (!privileged(i) || !interp_load(i, at, 2, &limit, interp_on_stack(in)) ||
        !interp_load(i, at + 2, in->code64 ? 8 : 4, &base, interp_on_stack(in)))
        return false;
    if (in->code64 && !is_canonical(base))
        return interp_exception(i, X86_EXC_GP, 0);
    *(in->op == OP_LGDT ? &i->r->gdtr : &i->r->idtr) = (struct cpu_table){ .base = base, .limit = (uint16_t)limit };
    i->r->dirty |= CPU_DIRTY_SEGS;
    return true;
}

static bool table_store(struct interp *i, const struct interp_insn *in)
{
    const struct cpu_table *t = in->op == OP_SGDT ? &i->r->gdtr : &i->r->idtr;
    const uint64_t at = interp_address(i, in);

    return interp_store(i, at, 2, t->limit, interp_on_stack(in)) &&
           interp_store(i, at + 2, in->code64 ? 8 : 4, t->base, interp_on_stack(in));
}

/* Of 16 bytes, in the GDT, of that type. */
static bool system_segment(struct interp *i, uint16_t sel, unsigned int type, struct cpu_segment *s)
{
    uint64_t high;

    if (!(i->r->efer & EFER_LMA))
        return interp_refuse(i, KNOWS_NO "LLDT or LTR but in long mode");
    if (!interp_descriptor(i, sel, s))
        return false;
    if (s->attr & ATTR_S || ATTR_TYPE(s->attr) != type || sel & 4)
        return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    if (!(s->attr & SEG_ATTR_P))
        return interp_exception(i, X86_EXC_NP, sel & 0xfffc);
    if (!interp_load(i, i->r->gdtr.base + (sel & 0xfff8) + 8, 8, &high, false))
        return false;
    s->base |= high << 32;
    return true;
}

static bool ltr(struct interp *i, const struct interp_insn *in)
{
    struct cpu_segment s;
    struct hvm_fault f;
    uint64_t sel;

    if (!privileged(i) || !interp_get_rm(i, in, 2, &sel))
        return false;
    if (!(sel & 0xfffc))
        return interp_exception(i, X86_EXC_GP, 0);
    if (!system_segment(i, (uint16_t)sel, TSS_FREE, &s))
        return false;
    interp_flush(i);
    if (!hvm_descriptor_type(i->v, (uint16_t)sel, TYPE_BUSY, 0, &f))
        return interp_descriptor_fault(i, &f);
    s.attr |= TYPE_BUSY;
    i->r->tr = s;
    i->r->dirty |= CPU_DIRTY_SEGS;
    return true;
}

static bool lldt(struct interp *i, const struct interp_insn *in)
{
    struct cpu_segment s = { 0 };
    uint64_t sel;

    if (!privileged(i) || !interp_get_rm(i, in, 2, &sel))
        return false;
    s.sel = (uint16_t)sel;
    if (sel & 0xfffc && !system_segment(i, (uint16_t)sel, TYPE_LDT, &s))
        return false;
    i->r->ldtr = s;
    i->r->dirty |= CPU_DIRTY_SEGS;
    return true;
}

static bool swapgs(struct interp *i)
{
    struct cpu_state *r = i->r;
    const uint64_t base = r->seg[CPU_SEG_GS].base;

    if (!privileged(i))
        return false;
    r->seg[CPU_SEG_GS].base = r->kernel_gs_base;
    r->kernel_gs_base = base;
    r->dirty |= CPU_DIRTY_SEGS | CPU_DIRTY_MSR;
    return true;
}

/* LAR, LSL, VERR, VERW: may the segment be looked at, by who is at CPL with the selector's RPL? Only then ZF. */
static bool look_at_segment(struct interp *i, const struct interp_insn *in)
{
    const bool verify = in->op == OP_VERR || in->op == OP_VERW;
    struct cpu_segment s = { 0 };
    enum hvm_descriptor found = HVM_DESC_NONE;
    struct hvm_fault f;
    uint64_t sel;
    bool good;

    if (!interp_get_rm(i, in, 2, &sel))
        return false;
    if (sel & 0xfffc)
        found = hvm_descriptor_read(i->v, (uint16_t)sel, &s, &f);
    if (found == HVM_DESC_FAULT)
        return interp_descriptor_fault(i, &f);
    good = found == HVM_DESC_OK &&
           (((s.attr & (ATTR_S | TYPE_CODE | TYPE_CONFORM)) == (ATTR_S | TYPE_CODE | TYPE_CONFORM)) ||
            (ATTR_DPL(s.attr) >= i->r->cpl && ATTR_DPL(s.attr) >= (sel & 3)));
    if (in->op == OP_VERR)
        good &= s.attr & ATTR_S && (s.attr & (TYPE_CODE | TYPE_READ)) != TYPE_CODE;
    else if (in->op == OP_VERW)
        good &= (s.attr & (ATTR_S | TYPE_CODE | TYPE_WRITE)) == (ATTR_S | TYPE_WRITE);
    else if (!(s.attr & ATTR_S)) /* of the system's: LDT, TSS, call gates, which have no limit */
        good &= ATTR_TYPE(s.attr) == TYPE_LDT || (ATTR_TYPE(s.attr) & 0xd) == TSS_FREE ||
                (ATTR_TYPE(s.attr) == 0xc && in->op == OP_LAR);
    i->r->rflags = (i->r->rflags & ~(uint64_t)X86_EFLAGS_ZF) | (good ? X86_EFLAGS_ZF : 0);
    if (good && in->op == OP_LSL)
        interp_set_reg(i, in->reg, in->size, s.limit);
    else if (good && !verify) /* the descriptor's upper half, without base and limit */
        interp_set_reg(i, in->reg, in->size, (s.attr & 0xffu) << 8 | (s.attr & 0xf00u) << 12);
    return true;
}

static bool mov_cr(struct interp *i, const struct interp_insn *in)
{
    const bool write = in->op == OP_MOV_TO_CR;
    struct cpu_state *r = i->r;
    uint64_t *of;

    if (!privileged(i))
        return false;
    switch (in->reg) {
    case 0: of = &r->cr0; break;
    case 2: of = &r->cr2; break;
    case 3: of = &r->cr3; break;
    case 4: of = &r->cr4; break;
    case 8: of = &r->cr8; break;
    default: return interp_exception(i, X86_EXC_UD, 0);
    }
    if (write && in->reg == 3 && r->efer & EFER_LMA && interp_reg(i, in->rm, in->size) >> NESTED_PADDR_BITS)
        return interp_exception(i, X86_EXC_GP, 0);
    if ((write ? r->controls.intercept_cr_write : r->controls.intercept_cr_read) >> in->reg & 1) {
        interp_leave(i, write ? EXIT_CR_WRITE : EXIT_CR_READ, 0);
        i->x.cr.nr = in->reg;
        return false;
    }
    if (!write) {
        interp_set_reg(i, in->rm, in->size, *of);
        return true;
    }
    *of = interp_reg(i, in->rm, in->size);
    r->dirty |= in->reg == 3 ? CPU_DIRTY_CR3 : CPU_DIRTY_CR;
    interp_flush(i);
    return true;
}

/* IF is whose CPL is not above IOPL. */
static bool set_if(struct interp *i, bool on)
{
    struct cpu_state *r = i->r;

    if (r->cpl > (r->rflags & X86_EFLAGS_IOPL) >> 12)
        return interp_exception(i, X86_EXC_GP, 0);
    i->shadow = on && !(r->rflags & X86_EFLAGS_IF);
    r->rflags = on ? r->rflags | X86_EFLAGS_IF : r->rflags & ~(uint64_t)X86_EFLAGS_IF;
    return true;
}

/* ------------------------------------------------------------------------------------------------------- leaving -- */

static bool soft_interrupt(struct interp *i, const struct interp_insn *in)
{
    i->r->rip = i->next;
    interp_leave(i, EXIT_SOFTINT, in->len);
    i->x.softint.vector = in->sub;
    return false;
}

static bool port_io(struct interp *i, const struct interp_insn *in)
{
    interp_leave(i, EXIT_IO, 0);
    i->x.io.port = in->has_imm ? (uint8_t)in->imm : (uint16_t)i->r->rdx;
    i->x.io.size = in->size;
    i->x.io.in = !in->sub;
    return false;
}

/* CLTS, LMSW: the hypervisor decodes them. */
static bool cr0_changes(struct interp *i)
{
    if (privileged(i))
        interp_leave(i, EXIT_CR_WRITE, 0);
    return false;
}

static bool dr_access(struct interp *i, const struct interp_insn *in)
{
    if (!privileged(i))
        return false;
    interp_leave(i, in->sub ? EXIT_DR_WRITE : EXIT_DR_READ, 0);
    i->x.cr.nr = in->reg;
    return false;
}

static bool leave_privileged(struct interp *i, enum sim_exit_kind kind, unsigned int len)
{
    return privileged(i) && interp_leave(i, kind, len);
}

static bool invlpg(struct interp *i)
{
    if (!privileged(i))
        return false;
    if (i->r->controls.intercepts1 & VMCB1_INVLPG)
        return interp_leave(i, EXIT_INVLPG, 0);
    interp_flush(i);
    return true;
}

bool interp_execute_system(struct interp *i, const struct interp_insn *in)
{
    switch ((enum interp_op)in->op) {
    case OP_INT: return soft_interrupt(i, in);
    case OP_ICEBP: i->r->rip = i->next; return interp_exception(i, X86_EXC_DB, 0);
    case OP_UD2: return interp_exception(i, X86_EXC_UD, 0);
    case OP_HLT: return leave_privileged(i, EXIT_HLT, in->len);
    case OP_RDMSR: return leave_privileged(i, EXIT_RDMSR, in->len);
    case OP_WRMSR: return leave_privileged(i, EXIT_WRMSR, in->len);
    case OP_CPUID: return interp_leave(i, EXIT_CPUID, in->len);
    case OP_RDTSC: return interp_leave(i, EXIT_RDTSC, in->len);
    case OP_VMMCALL: return interp_leave(i, EXIT_VMMCALL, in->len);
    case OP_WBINVD: return privileged(i); /* there is no cache */
    case OP_PAUSE: return interp_leave(i, EXIT_PAUSE, in->len);
    case OP_IO: return port_io(i, in);
    case OP_CLI:
    case OP_STI: return set_if(i, in->op == OP_STI);
    case OP_MOV_FROM_CR:
    case OP_MOV_TO_CR: return mov_cr(i, in);
    case OP_MOV_DR: return dr_access(i, in);
    case OP_CLTS:
    case OP_LMSW: return cr0_changes(i);
    case OP_LGDT:
    case OP_LIDT: return table_load(i, in);
    case OP_SGDT:
    case OP_SIDT: return table_store(i, in);
    case OP_SMSW: return interp_set_rm(i, in, in->is_mem ? 2 : in->size, i->r->cr0);
    case OP_INVLPG: return invlpg(i);
    case OP_SWAPGS: return swapgs(i);
    case OP_LLDT: return lldt(i, in);
    case OP_LTR: return ltr(i, in);
    case OP_SLDT: return interp_set_rm(i, in, in->is_mem ? 2 : in->size, i->r->ldtr.sel);
    case OP_STR: return interp_set_rm(i, in, in->is_mem ? 2 : in->size, i->r->tr.sel);
    case OP_LAR:
    case OP_LSL:
    case OP_VERR:
    case OP_VERW: return look_at_segment(i, in);
    case OP_PUSH_SEG: return interp_push(i, in->size, i->r->seg[in->reg].sel);
    case OP_POP_SEG: return interp_pop_seg(i, in);
    case OP_SYSCALL: return interp_syscall(i);
    case OP_SYSRET: return interp_sysret(i, in);
    case OP_IRET: return interp_iret(i, in);
    case OP_RETF: return interp_ret_far(i, in);
    case OP_JMPF: return interp_jmp_far(i, in);
    case OP_JMPF_RM:
    case OP_CALLF_RM: return interp_far_rm(i, in);
    case OP_MOV_FROM_SEG: return interp_mov_from_seg(i, in);
    case OP_MOV_TO_SEG: return interp_mov_to_seg(i, in);
    default: BUG();
    }
}
