// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an exit of a PV guest means.
 *
 * Concept: a PV guest runs deprivileged, so everything privileged it does becomes a fault that lands here. Three
 * answers exist: the hypervisor wanted the fault (hypercall, page-table write, LDT page to bring in, privileged
 * instruction to emulate) and deals with it; or the guest's own kernel should see it and gets a bounce frame; or nobody
 * handles it and the domain crashes. It is never our crash.
 *
 * The one switch below is the table of contents; handlers: emulate.c, ioport.c, bounce.c, vcpu/hypercall.c, mmu/pv/.
 *
 * Corresponds to xen/arch/x86/traps.c (do_general_protection, do_page_fault, fixup_page_fault) and pv/traps.c. Labs:
 * rings.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/hypercall.h"
#include "vcpu/pv/pv.h"
#include "vcpu/sched/sched.h"

/* INT n, which the gates' DPL of real Xen turns into #GP with the IDT bit: allowed when the guest's gate says so. */
static void softint(struct vcpu *v, const struct sim_exit *e)
{
    const struct trap_info *ti = &v->pv.trap_ctxt[e->softint.vector];
    unsigned int dpl = TI_GET_DPL(ti);

    if (e->softint.vector == X86_EXC_BP || e->softint.vector == X86_EXC_OF) {
        pv_inject_sw_interrupt(v, e->softint.vector);
        return;
    }
    if (e->softint.vector == v->domain->abi->hypercall_vector && guest_kernel_mode(v)) {
        compat_hypercall_guest(v);
        return;
    }
    if (dpl >= (guest_kernel_mode(v) ? 1u : 3u)) {
        pv_inject_sw_interrupt(v, e->softint.vector);
        return;
    }
    v->regs->rip -= e->insn_len;
    v->regs->rflags |= X86_EFLAGS_RF; /* a fault, unlike the interrupt it is not */
    pv_inject_hw_exception(v, X86_EXC_GP, e->softint.vector * 8u | X86_XEC_IDT);
}

/*
 * A fault in the window where the guest's LDT is mapped brings in that page of it; what it lacks is the guest's fault.
 */
static bool ldt_fault(struct vcpu *v, uint64_t addr, uint32_t error_code)
{
    uint64_t start = LDT_VIRT_START(v), offset = addr - start;

    if (addr < start || offset >= 16 * PAGE_SIZE)
        return false;
    TRACE_VCPU(v, page_fault, addr, error_code, TRACE_FAULT_LDT);
    if (!pv_map_ldt_shadow_page(v, offset))
        pv_inject_page_fault(v, v->pv.ldt_base + offset, error_code & ~(uint32_t)PFEC_user_mode);
    return true;
}

static void page_fault(struct vcpu *v, const struct sim_exit *e)
{
    uint32_t ptwr = PFEC_write_access | PFEC_page_present;

    if (ldt_fault(v, e->exception.addr, e->exception.error_code))
        return;
    if (guest_kernel_mode(v) && (e->exception.error_code & (ptwr | PFEC_reserved_bit | PFEC_insn_fetch)) == ptwr &&
        pv_ro_page_fault(v, e->exception.addr)) {
        v->domain->xen->stats.ptwr++;
        TRACE_VCPU(v, page_fault, e->exception.addr, e->exception.error_code, TRACE_FAULT_PTWR);
        if (v->regs->rflags & X86_EFLAGS_TF)
            pv_inject_debug(v, X86_DR6_BS);
        return;
    }
    TRACE_VCPU(v, page_fault, e->exception.addr, e->exception.error_code, TRACE_FAULT_GUEST);
    pv_inject_page_fault(v, e->exception.addr, e->exception.error_code);
}

static void exception(struct vcpu *v, const struct sim_exit *e)
{
    switch (e->exception.vector) {
    case X86_EXC_DB: pv_inject_debug(v, e->exception.dr6); return;
    case X86_EXC_UD:
        if (pv_emulate_forced_invalid_op(v))
            return;
        break;
    case X86_EXC_NM:
        if (v->pv.ctrlreg[0] & X86_CR0_TS) {
            v->pv.ctrlreg[0] &= ~(uint64_t)X86_CR0_TS;
            v->regs->cr0 &= ~(uint64_t)X86_CR0_TS;
            v->regs->dirty |= CPU_DIRTY_CR;
        }
        break;
    case X86_EXC_GP:
        if (e->exception.error_code == 0 && (pv_emulate_port_io(v) || pv_emulate_privileged_op(v)))
            return;
        break;
    case X86_EXC_PF: page_fault(v, e); return;
    }
    pv_inject_hw_exception(v, e->exception.vector, e->exception.error_code);
}

void pv_handle_exit(struct vcpu *v, const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_BUDGET:
    case EXIT_STOP:
    case EXIT_INTWIN: return;
    case EXIT_SYSCALL:
        if (guest_kernel_mode(v) && (v->regs->seg[CPU_SEG_CS].attr & SEG_ATTR_L)) { /* a PV32 guest has no such code */
            pv_flat_segments(v, FLAT_KERNEL_CS, FLAT_KERNEL_SS); /* as after SYSRET, whatever they were */
            v->regs->rcx = v->regs->rip;                         /* what the instruction does */
            v->regs->r11 = v->regs->rflags;
            hypercall_guest(v);
        } else {
            pv_guest_syscall(v);
        }
        return;
    case EXIT_SOFTINT: softint(v, e); return;
    case EXIT_EXCEPTION: exception(v, e); return;
    case EXIT_CPUID:
        pv_emulate_cpuid(v);
        pv_insn_done(v, e->insn_len ? e->insn_len : 2, (unsigned int)e->insn.dr6);
        return;
    case EXIT_RDTSC:
        if (pv_emulate_rdtsc(v, e->insn.rdtscp))
            pv_insn_done(v, e->insn_len, (unsigned int)e->insn.dr6);
        else
            pv_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    case EXIT_PAUSE:
        pv_insn_done(v, e->insn_len ? e->insn_len : 2, (unsigned int)e->insn.dr6);
        vcpu_spins(v);
        return;
    case EXIT_IO:
        if (!pv_emulate_port_io(v))
            pv_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    case EXIT_RDMSR:
    case EXIT_WRMSR:
    case EXIT_CR_READ:
    case EXIT_CR_WRITE:
    case EXIT_HLT: /* all of these are #GP for deprivileged code */
        if (!pv_emulate_privileged_op(v))
            pv_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    case EXIT_SYSENTER: /* AMD processors have it in legacy mode only */
        TRACE_VCPU(v, sysenter, v->regs->rip, 0, vcpu_trace_who(v).mode, vcpu_trace_who(v).mode,
                   v->regs->seg[CPU_SEG_CS].sel);
        pv_inject_hw_exception(v, X86_EXC_UD, 0);
        return;
    case EXIT_VMMCALL: pv_inject_hw_exception(v, X86_EXC_UD, 0); return;
    case EXIT_SHUTDOWN: domain_crash(v, "triple fault"); return;
    case EXIT_ERROR: domain_crash(v, "the machine cannot go on: %s", e->error.why); return;
    case EXIT_DR_READ:
    case EXIT_DR_WRITE:
    case EXIT_TASK_SWITCH:
    case EXIT_INVLPG:
    case EXIT_NPF:
    case EXIT_NR_KINDS: domain_crash(v, "the machine cannot go on: %s", sim_exit_name(e->kind)); return;
    }
    BUG();
}
