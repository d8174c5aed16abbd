// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An exit in the VMCB's words: EXITCODE, EXITINFO1 and EXITINFO2, as the processor leaves them for the hypervisor.
 *
 * Concept: handlers (exits.c) get an exit as the value that the engine makes of it. Who looks at a vCPU wants to see
 * what stands in its VMCB, and how often it was left for what. Nothing of the machine depends on it.
 *
 * Source: AMD APM volume 2, 15.8 to 15.10 and appendix C (exit codes, and what EXITINFO1 and EXITINFO2 are of each).
 */
#include "mmu/hvm/p2m.h"
#include "sim/vmcb.h"
#include "vcpu/hvm/hvm.h"

/* Bits of EXITINFO1 of an I/O port; its size in bytes stands in bits 4 to 6, the port above bit 16. */
#define IOIO_IN     1u
#define IOIO_STRING 4u

/* EXITINFO1, bits 32 and 33: the page itself, or an entry of the guest's tables. */
#define NPF_FINAL (UINT64_C(1) << 32)
#define NPF_TABLE (UINT64_C(1) << 33)

static uint64_t exit_code(const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_EXCEPTION: return SVM_EXIT_EXCEPTION + e->exception.vector;
    case EXIT_SOFTINT: return SVM_EXIT_SWINT;
    case EXIT_VMMCALL: return SVM_EXIT_VMMCALL;
    case EXIT_IO: return SVM_EXIT_IOIO;
    case EXIT_RDMSR:
    case EXIT_WRMSR: return SVM_EXIT_MSR;
    case EXIT_CPUID: return SVM_EXIT_CPUID;
    case EXIT_RDTSC: return e->insn.rdtscp ? SVM_EXIT_RDTSCP : SVM_EXIT_RDTSC;
    case EXIT_CR_READ: return SVM_EXIT_CR_READ + e->cr.nr;
    case EXIT_CR_WRITE: return SVM_EXIT_CR_WRITE + e->cr.nr;
    case EXIT_DR_READ: return SVM_EXIT_DR_READ + e->cr.nr;
    case EXIT_DR_WRITE: return SVM_EXIT_DR_WRITE + e->cr.nr;
    case EXIT_NPF: return SVM_EXIT_NPF;
    case EXIT_HLT: return SVM_EXIT_HLT;
    case EXIT_INTWIN: return SVM_EXIT_VINTR;
    case EXIT_PAUSE: return SVM_EXIT_PAUSE;
    case EXIT_TASK_SWITCH: return SVM_EXIT_TASK_SWITCH;
    case EXIT_INVLPG: return SVM_EXIT_INVLPG;
    case EXIT_SHUTDOWN: return SVM_EXIT_SHUTDOWN;
    case EXIT_BUDGET: /* what ends a time slice is the timer's interrupt */
    case EXIT_STOP: return SVM_EXIT_INTR;
    case EXIT_ERROR:
    case EXIT_SYSCALL:
    case EXIT_SYSENTER:
    case EXIT_NR_KINDS: break;
    }
    return SVM_EXIT_INVALID;
}

static uint64_t info1(const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_EXCEPTION: return e->exception.error_code;
    case EXIT_SOFTINT: return e->softint.vector;
    case EXIT_IO:
        return (uint32_t)e->io.port << 16 | (unsigned int)e->io.size << 4 | (e->io.string ? IOIO_STRING : 0) |
               (e->io.in ? IOIO_IN : 0);
    case EXIT_WRMSR: return 1;
    case EXIT_NPF: return e->npf.error_code | (e->npf.table ? NPF_TABLE : NPF_FINAL);
    case EXIT_TASK_SWITCH: return e->task.sel;
    default: return 0;
    }
}

static uint64_t info2(const struct vcpu *v, const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_EXCEPTION: return e->exception.vector == X86_EXC_PF ? e->exception.addr : 0;
    case EXIT_IO: return v->regs->rip + e->insn_len;
    case EXIT_NPF: return e->npf.gpa;
    default: return 0;
    }
}

/*
 * Is it an exit that only this processor takes? Real hardware would have gone on by itself: an exception or INT n goes
 * through the guest's IDT (Xen intercepts #DB and #AC, as one of them may repeat for ever, and #MC), CR8 is the local
 * APIC's, RDTSC answers where a domain's TSC is the processor's. docs/cpu.md has them. But page faults of who has
 * shadow page tables are Xen's, and all that traps in ring 1.
 */
static bool is_the_engines(const struct vcpu *v, const struct sim_exit *e)
{
    if (v->domain->hvm->technique >= TECHNIQUE_RING1)
        return false;
    switch (e->kind) {
    case EXIT_EXCEPTION:
        if (v->domain->p2m->shadow && e->exception.vector == X86_EXC_PF)
            return false;
        return e->exception.vector != X86_EXC_DB && e->exception.vector != X86_EXC_AC &&
               e->exception.vector != X86_EXC_MC;
    case EXIT_SOFTINT:
    case EXIT_ERROR: return true;
    case EXIT_CR_READ:
    case EXIT_CR_WRITE: return e->cr.nr == 8;
    case EXIT_RDTSC: return !v->domain->tsc.emulated;
    default: return false;
    }
}

void hvm_exit_note(struct vcpu *v, const struct sim_exit *e)
{
    v->hvm->last_exit = (struct hvm_vmexit){ exit_code(e), info1(e), info2(v, e) };
    v->hvm->exits[e->kind]++;
    if (is_the_engines(v, e))
        v->hvm->engine_exits[e->kind]++;
}
