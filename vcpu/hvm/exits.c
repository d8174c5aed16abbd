// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an HVM guest's exit means.
 *
 * Concept: one function per reason, as svm_vmexit_handler() has one case. Two kinds: exits that hardware takes too
 * (CPUID, a control register, an I/O port, a nested page fault, VMMCALL), and those that only this engine takes,
 * because its processor cannot deliver events itself: exceptions and INT n, which go straight back to the guest
 * (deliver.c).
 *
 * Invariant: RIP is behind the instruction when it was carried out, and in front of it when a fault was delivered for
 * it.
 *
 * Corresponds to xen/arch/x86/hvm/svm/svm.c.
 */
#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "sim/insn.h"
#include "vcpu/cpuid.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"
#include "vcpu/sched/sched.h"
#include "vcpu/tsc.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/sched.h>

/* A page that is only guarded, or none: then somebody may answer in memory's place (mmio.c). */
static void nested_fault(struct vcpu *v, const struct sim_exit *e)
{
    v->domain->work.nested_faults++;
    if (!hvm_guard_ends(v->domain, e->npf.gpa) && !v->domain->p2m->pod.starved)
        hvm_mmio(v, e);
}

/* What kind of event an exception is, and what the processor notes of it besides. */
static void exception(struct vcpu *v, const struct sim_exit *e)
{
    struct cpu_state *r = v->regs;
    const unsigned int vector = e->exception.vector;

    if (vector == X86_EXC_PF && v->domain->p2m->shadow) {
        struct sim_exit npf;

        if (!hvm_shadow_fault(v, e, &npf))
            nested_fault(v, &npf);
        return;
    }
    if (vector == X86_EXC_PF) {
        hvm_inject_page_fault(v, e->exception.addr, e->exception.error_code);
        return;
    }
    if (vector == X86_EXC_DB) {
        r->dr[6] |= e->exception.dr6;
        r->dr[7] &= ~(uint64_t)X86_DR7_GD;
        r->dirty |= CPU_DIRTY_DR;
    }
    if (vector == X86_EXC_DB && e->insn_len) /* of ICEBP: if that faults, it is in front of it */
        hvm_inject_event(v,
                         &(struct hvm_event){ .type = HVM_EVENT_ICEBP, .vector = X86_EXC_DB, .insn_len = e->insn_len });
    else
        hvm_inject_hw_exception(v, vector, e->exception.error_code);
}

static void cpuid(struct vcpu *v, unsigned int len)
{
    struct cpu_state *r = v->regs;
    struct cpuid_leaf l = guest_cpuid(v, (uint32_t)r->rax, (uint32_t)r->rcx);

    if (v->hvm->cpuid_faults && r->cpl > 0) {
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    }
    if ((uint32_t)r->rax == 1) { /* the local APIC's id */
        l.b = (l.b & 0xffffff) | v->vcpu_id * 2 << 24;
        if (vlapic_hw_disabled(&v->hvm->vlapic))
            l.d &= ~(1u << 9);
    }
    r->rax = l.a;
    r->rbx = l.b;
    r->rcx = l.c;
    r->rdx = l.d;
    hvm_insn_done(v, len);
}

static void rdtsc(struct vcpu *v, const struct sim_exit *e)
{
    struct cpu_state *r = v->regs;
    const uint64_t tsc = guest_rdtsc(v) + (uint64_t)v->hvm->tsc_adjust;

    if (r->cr4 & X86_CR4_TSD && r->cpl > 0) {
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    }
    r->rax = (uint32_t)tsc;
    r->rdx = tsc >> 32;
    if (e->insn.rdtscp)
        r->rcx = v->hvm->tsc_aux;
    hvm_insn_done(v, e->insn_len);
}

static void msr(struct vcpu *v, const struct sim_exit *e)
{
    struct cpu_state *r = v->regs;
    uint64_t val = (uint32_t)r->rax | r->rdx << 32;
    const bool ok =
        e->kind == EXIT_RDMSR ? hvm_read_msr(v, (uint32_t)r->rcx, &val) : hvm_write_msr(v, (uint32_t)r->rcx, val);

    if (!ok) {
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    }
    if (e->kind == EXIT_RDMSR) {
        r->rax = (uint32_t)val;
        r->rdx = val >> 32;
    }
    hvm_insn_done(v, e->insn_len);
}

/* HLT with interrupts off: nobody will ever end that. The vCPU is down; the last one takes the domain with it. */
static void hlt(struct vcpu *v, unsigned int len)
{
    struct domain *d = v->domain;
    bool any = false;

    hvm_insn_done(v, len);
    if (hvm_local_events_need_delivery(v))
        return;
    if (v->regs->rflags & X86_EFLAGS_IF) {
        vcpu_block(v);
        return;
    }
    v->pause_flags |= VPF_down;
    vcpu_sleep_nosync(v);
    for_each_vcpu (d, w)
        any |= !(w->pause_flags & VPF_down);
    if (!any)
        domain_shutdown(d, SHUTDOWN_poweroff);
}

static void softint(struct vcpu *v, const struct sim_exit *e)
{
    hvm_inject_event(
        v, &(struct hvm_event){ .type = HVM_EVENT_SOFTINT, .vector = e->softint.vector, .insn_len = e->insn_len });
}

/* JMP, CALL, IRET: the old task goes on behind it. */
static void task_switch(struct vcpu *v, const struct sim_exit *e)
{
    static const enum hvm_task_why why[] = {
        [TASK_JMP] = HVM_TASK_JMP, [TASK_CALL] = HVM_TASK_CALL, [TASK_IRET] = HVM_TASK_IRET
    };
    struct cpu_state *r = v->regs;
    uint8_t code[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(r), code, sizeof(code));
    const struct insn in = insn_decode(v->domain->xen->machine->edges->decoder, r, code, n);
    const uint64_t flags = r->rflags;
    struct hvm_fault f;

    r->rflags &= ~(uint64_t)X86_EFLAGS_RF; /* an instruction that is carried out ends it */
    switch (hvm_task_switch(v, e->task.sel, why[e->task.why], (uint32_t)(r->rip + in.len), &f)) {
    case HVM_TASK_DONE: return;
    case HVM_TASK_TRAP: hvm_inject_task_trap(v); return;
    case HVM_TASK_FAULT: r->rflags = flags; /* fallthrough */
    case HVM_TASK_FAULT_IN_NEW: hvm_inject_fault(v, &f); return;
    }
    BUG();
}

static void handle_exit(struct vcpu *v, const struct sim_exit *e)
{
    hvm_exit_note(v, e);
    switch (e->kind) {
    case EXIT_BUDGET:
    case EXIT_STOP: return;
    case EXIT_INTWIN: return; /* what is due is delivered next */
    case EXIT_EXCEPTION: exception(v, e); return;
    case EXIT_SOFTINT: softint(v, e); return;
    case EXIT_CPUID: cpuid(v, e->insn_len); return;
    case EXIT_RDTSC: rdtsc(v, e); return;
    case EXIT_RDMSR:
    case EXIT_WRMSR: msr(v, e); return;
    case EXIT_IO: hvm_port_io(v, e); return;
    case EXIT_CR_READ:
    case EXIT_CR_WRITE:
    case EXIT_DR_READ:
    case EXIT_DR_WRITE: hvm_cr_access(v); return;
    case EXIT_HLT: hlt(v, e->insn_len); return;
    case EXIT_PAUSE:
        hvm_insn_done(v, e->insn_len);
        v->hvm->engine_exits[EXIT_PAUSE] += !vcpu_spins(v);
        return;
    case EXIT_VMMCALL: hvm_hypercall_guest(v, e->insn_len); return;
    case EXIT_NPF: nested_fault(v, e); return;
    case EXIT_TASK_SWITCH: task_switch(v, e); return;
    case EXIT_INVLPG: hvm_shadow_invlpg(v); return;
    case EXIT_SHUTDOWN: hvm_triple_fault(v); return;
    case EXIT_ERROR: domain_crash(v, "the machine cannot go on: %s", e->error.why); return;
    case EXIT_SYSCALL: /* native in HVM guests */
    case EXIT_SYSENTER:
    case EXIT_NR_KINDS: domain_crash(v, "the machine cannot go on: %s", sim_exit_name(e->kind)); return;
    }
    BUG();
}

void hvm_handle_exit(struct vcpu *v, const struct sim_exit *e)
{
    hvm_io_forget(v);
    v->hvm->io.exit = *e;
    v->hvm->io.exit.insns = 0; /* since when nobody has looked is no state */
    handle_exit(v, e);
}

bool hvm_io_again(struct vcpu *v)
{
    struct hvm_vcpu_io *io = &v->hvm->io;

    if (io->state == HVM_IO_ANSWERED) {
        const struct sim_exit exit = io->exit;

        io->state = HVM_IO_IDLE;
        io->next = 0;
        handle_exit(v, &exit);
    }
    return io->state == HVM_IO_IDLE;
}
