// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Privileged instructions of a PV kernel.
 *
 * Concept: a paravirtualized kernel mostly asks by hypercall, but not always: it reads CR2, executes CLTS, WRMSR, IN.
 * Each is a #GP at CPL 3. The hypervisor decodes the instruction at RIP, decides whether this guest may do that, does
 * it on the guest's virtual registers, and steps over it; otherwise the guest's own #GP handler gets it. User mode gets
 * nothing of it emulated but what its IOPL allows. Ports are in ioport.c, MSRs in msr.c. CPUID and RDTSC are no matter
 * of privilege: they are intercepted, in both modes, and answered here.
 *
 * CLI and STI are accepted (if the virtual IOPL allows them) and ignored: POPF cannot be trapped, so honouring CLI
 * would make an interrupt flag that half works; PV guests mask events instead.
 *
 * Invariant: only pv.ctrlreg[], bases, debug registers and general registers change; rip moves exactly when the answer
 * is true.
 *
 * Corresponds to xen/arch/x86/pv/emul-priv-op.c, emul-inv-op.c. Lab 01 is about this file.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "sim/insn.h"
#include "vcpu/cpuid.h"
#include "vcpu/pv/pv.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>

static uint64_t edx_eax(const struct vcpu *v) { return (uint32_t)v->regs->rax | v->regs->rdx << 32; }

static void set_edx_eax(struct vcpu *v, uint64_t val)
{
    v->regs->rax = (uint32_t)val;
    v->regs->rdx = val >> 32;
}

/* --- control and debug registers --- */

static bool cr_read(struct vcpu *v, unsigned int cr, uint64_t *val)
{
    switch (cr) {
    case 0:
    case 2:
    case 4: *val = v->pv.ctrlreg[cr]; return true;
    case 3: *val = v->domain->abi->mfn_to_cr3(pv_guest_root(v)); return true;
    default: return false;
    }
}

static bool cr_write(struct vcpu *v, unsigned int cr, uint64_t val)
{
    struct hypercall_args args = { { 0 } };
    int rc;

    switch (cr) {
    case 0: /* only TS is the guest's to change */
        if ((val ^ v->pv.ctrlreg[0]) & ~(uint64_t)X86_CR0_TS)
            return false;
        args.a[0] = !!(val & X86_CR0_TS);
        return do_fpu_taskswitch(v, &args) == 0;
    case 2: v->pv.ctrlreg[2] = val; return true;
    case 3:
        do /* releasing the old root may be preempted, an instruction may not */
            rc = new_guest_cr3(v, v->domain->abi->cr3_to_mfn(val), TRACE_CR3_MOV);
        while (rc == -ERESTART);
        return rc == 0;
    case 4: pv_set_cr4(v, val); return true;
    default: return false;
    }
}

static bool debugreg(struct vcpu *v, struct insn *in, bool write)
{
    struct hypercall_args args = { { in->sys_reg } };

    if (write)
        return set_debugreg(v, in->sys_reg, v->regs->gpr[in->opnd[1].gpr & 15]) == 0;
    v->regs->gpr[in->opnd[0].gpr & 15] = (uint64_t)do_get_debugreg(v, &args);
    return true;
}

void pv_write_gpr(struct vcpu *v, const struct insn_operand *op, uint64_t val)
{
    uint64_t *reg = &v->regs->gpr[op->gpr & 15];

    switch (op->size) {
    case 1: *reg = (*reg & ~UINT64_C(0xff)) | (val & 0xff); break;
    case 2: *reg = (*reg & ~UINT64_C(0xffff)) | (val & 0xffff); break;
    case 4: *reg = (uint32_t)val; break;
    default: *reg = val;
    }
}

/* --- the instructions --- */

static bool emulate_user_ok(struct vcpu *v, struct insn *in)
{
    switch (in->op) {
    case INSN_CLI:
    case INSN_STI: return iopl_ok(v);
    default: return false;
    }
}

/* *val: what is read, or to be written. */
static bool emulate_kernel(struct vcpu *v, struct insn *in, uint64_t *val)
{
    struct hypercall_args args = { { 0 } };

    switch (in->op) {
    case INSN_CLTS: return do_fpu_taskswitch(v, &args) == 0;
    case INSN_WBINVD: return true;
    case INSN_MOV_FROM_CR:
        if (!cr_read(v, in->sys_reg, val))
            return false;
        v->regs->gpr[in->opnd[0].gpr & 15] = *val;
        return true;
    case INSN_MOV_TO_CR: *val = v->regs->gpr[in->opnd[1].gpr & 15]; return cr_write(v, in->sys_reg, *val);
    case INSN_MOV_FROM_DR:
    case INSN_MOV_TO_DR:
        if (!debugreg(v, in, in->op == INSN_MOV_TO_DR))
            return false;
        *val = v->regs->gpr[in->opnd[in->op == INSN_MOV_TO_DR].gpr & 15];
        return true;
    case INSN_RDMSR:
        if (!pv_read_msr(v, (uint32_t)v->regs->rcx, val))
            return false;
        set_edx_eax(v, *val);
        return true;
    case INSN_WRMSR: *val = edx_eax(v); return pv_write_msr(v, (uint32_t)v->regs->rcx, *val);
    default: return false;
    }
}

/* MOV of a debug register that is not there: it is not for lack of privilege that this fails. */
static bool is_mov_of_no_dr(const struct vcpu *v, const struct insn *in)
{
    return guest_kernel_mode(v) && (in->op == INSN_MOV_FROM_DR || in->op == INSN_MOV_TO_DR) &&
           !pv_debugreg_exists(v, in->sys_reg);
}

bool iopl_ok(const struct vcpu *v)
{
    unsigned int cpl = !guest_kernel_mode(v) ? 3 : VM_ASSIST(v->domain, architectural_iopl) ? 0 : 1;

    return cpl <= v->pv.iopl;
}

void pv_insn_done(struct vcpu *v, unsigned int len, unsigned int hits)
{
    v->regs->rip += len;
    v->regs->rflags &= ~(uint64_t)X86_EFLAGS_RF;
    if (v->regs->rflags & X86_EFLAGS_TF)
        hits |= X86_DR6_BS;
    if (hits)
        pv_inject_debug(v, hits);
}

static bool is_of(enum insn_op op, const enum insn_op *ops, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (ops[i] == op)
            return true;
    return false;
}

/* Which rule decides about the instruction, for the trace. refused: in spite of its being the kernel that asks. */
static enum trace_rule rule_of(const struct vcpu *v, enum insn_op op, bool refused)
{
    static const enum insn_op by_iopl[] = { INSN_CLI, INSN_STI };
    static const enum insn_op emulated[] = { INSN_CLTS,        INSN_WBINVD,    INSN_MOV_FROM_CR, INSN_MOV_TO_CR,
                                             INSN_MOV_FROM_DR, INSN_MOV_TO_DR, INSN_RDMSR,       INSN_WRMSR };

    if (is_of(op, by_iopl, ARRAY_SIZE(by_iopl)))
        return TRACE_RULE_IOPL;
    if (!is_of(op, emulated, ARRAY_SIZE(emulated)))
        return TRACE_RULE_UNKNOWN;
    return refused && guest_kernel_mode(v) ? TRACE_RULE_VALUE : TRACE_RULE_KERNEL;
}

static void trace_privileged(struct vcpu *v, const struct insn *in, bool refused, uint64_t val)
{
    const bool msr = in->op == INSN_RDMSR || in->op == INSN_WRMSR;
    const uint64_t arg = msr ? (uint32_t)v->regs->rcx : in->sys_reg;

    if (in->op == INSN_IN || in->op == INSN_OUT || in->op == INSN_INS || in->op == INSN_OUTS)
        return; /* refused by pv_emulate_port_io(), which has said so */
    if (refused)
        TRACE_EMULATE(v, in->op, REFUSED, rule_of(v, in->op, true), val, arg);
    else
        TRACE_EMULATE(v, in->op, EMULATED, rule_of(v, in->op, false), val, arg);
}

bool pv_emulate_privileged_op(struct vcpu *v)
{
    struct machine *m = v->domain->xen->machine;
    uint8_t bytes[INSN_MAX_LEN];
    struct insn in = insn_decode(m->edges->decoder, v->regs, bytes,
                                 guest_fetch_insn(v, insn_linear_rip(v->regs), bytes, sizeof(bytes)));
    uint64_t val = 0;
    bool refused;

    if (in.op == INSN_INVALID || in.op == INSN_OTHER) {
        TRACE_EMULATE(v, in.op, REFUSED, TRACE_RULE_UNKNOWN, 0, 0);
        return false;
    }
    if (is_mov_of_no_dr(v, &in)) {
        TRACE_EMULATE(v, in.op, REFUSED, TRACE_RULE_VALUE, 0, in.sys_reg);
        pv_inject_hw_exception(v, X86_EXC_UD, 0);
        return true;
    }
    refused = !emulate_user_ok(v, &in) && !(guest_kernel_mode(v) && emulate_kernel(v, &in, &val));
    if (TRACE_ON(m))
        trace_privileged(v, &in, refused, val);
    if (refused)
        return false;
    v->domain->xen->stats.emulated++;
    pv_insn_done(v, in.len, 0);
    return true;
}

/* --- CPUID and RDTSC --- */

void pv_emulate_cpuid(struct vcpu *v)
{
    struct cpuid_leaf leaf = guest_cpuid(v, (uint32_t)v->regs->rax, (uint32_t)v->regs->rcx);

    TRACE_EMULATE(v, INSN_CPUID, EMULATED, TRACE_RULE_INTERCEPT, leaf.a, (uint32_t)v->regs->rax);
    v->regs->rax = leaf.a;
    v->regs->rbx = leaf.b;
    v->regs->rcx = leaf.c;
    v->regs->rdx = leaf.d;
}

bool pv_emulate_rdtsc(struct vcpu *v, bool rdtscp)
{
    const enum insn_op op = rdtscp ? INSN_RDTSCP : INSN_RDTSC;
    uint64_t tsc;

    if (!guest_kernel_mode(v) && (v->pv.ctrlreg[4] & X86_CR4_TSD)) {
        TRACE_EMULATE(v, op, REFUSED, TRACE_RULE_TSD, 0, 0);
        return false;
    }
    tsc = guest_rdtsc(v);
    TRACE_EMULATE(v, op, EMULATED, TRACE_RULE_INTERCEPT, tsc, 0);
    set_edx_eax(v, tsc);
    if (rdtscp)
        v->regs->rcx = v->pv.tsc_aux;
    return true;
}

/* The forced-emulation prefix: ud2 followed by "xen", before an instruction that would not trap by itself: CPUID. */
bool pv_emulate_forced_invalid_op(struct vcpu *v)
{
    static const uint8_t prefixed_cpuid[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
    uint8_t bytes[sizeof(prefixed_cpuid)];

    if (guest_fetch_insn(v, insn_linear_rip(v->regs), bytes, sizeof(bytes)) < sizeof(bytes) ||
        memcmp(bytes, prefixed_cpuid, sizeof(bytes)) != 0)
        return false;
    pv_emulate_cpuid(v);
    pv_insn_done(v, sizeof(bytes), 0);
    return true;
}
