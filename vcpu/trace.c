// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of the exit loop, see vcpu/trace.h. */
#include "vcpu/trace.h"

#include "mmu/guest_access.h"
#include "sim/insn.h"

/* The address of a page fault (of a nested one guest-physical), what #DB reports, or a port. */
static uint64_t exit_addr(const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_EXCEPTION: return e->exception.addr;
    case EXIT_NPF: return e->npf.gpa;
    case EXIT_IO: return e->io.port;
    case EXIT_CPUID:
    case EXIT_RDTSC:
    case EXIT_PAUSE: return e->insn.dr6;
    default: return 0;
    }
}

/* #GP without an error code is what privileged instructions do: look at it. */
static uint64_t faulting_op(struct vcpu *v)
{
    uint8_t bytes[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(v->regs), bytes, sizeof(bytes));

    return insn_decode(v->domain->xen->machine->edges->decoder, v->regs, bytes, n).op;
}

static uint64_t exit_op(struct vcpu *v, const struct sim_exit *e)
{
    switch (e->kind) {
    case EXIT_IO: return e->io.string ? (e->io.in ? INSN_INS : INSN_OUTS) : (e->io.in ? INSN_IN : INSN_OUT);
    case EXIT_CPUID: return INSN_CPUID;
    case EXIT_RDTSC: return e->insn.rdtscp ? INSN_RDTSCP : INSN_RDTSC;
    case EXIT_RDMSR: return INSN_RDMSR;
    case EXIT_WRMSR: return INSN_WRMSR;
    case EXIT_CR_READ: return INSN_MOV_FROM_CR;
    case EXIT_CR_WRITE: return INSN_MOV_TO_CR;
    case EXIT_HLT: return INSN_HLT;
    case EXIT_EXCEPTION:
        return e->exception.vector == X86_EXC_GP && !e->exception.error_code ? faulting_op(v) : TRACE_NONE;
    default: return TRACE_NONE;
    }
}

static uint64_t exit_error(const struct sim_exit *e)
{
    return e->kind == EXIT_EXCEPTION ? e->exception.error_code : e->kind == EXIT_NPF ? e->npf.error_code : 0;
}

void trace_exit(struct vcpu *v, const struct sim_exit *e)
{
    const bool has_vector = e->kind == EXIT_EXCEPTION || e->kind == EXIT_SOFTINT;

    TRACE_VCPU(v, exit, e->kind, has_vector ? sim_exit_vector(e) : TRACE_NONE, exit_error(e), v->regs->rip, e->insn_len,
               exit_addr(e), exit_op(v, e), v->insns, CLOCK_NS_PER_EXIT);
}

void trace_resume(struct vcpu *v)
{
    if (v->resume_why)
        TRACE_VCPU(v, resume, v->regs->rip, v->resume_why);
}
