// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an exit is: from what stopped the engine to a struct sim_exit.
 *
 * Concept: on real hardware the processor says why it left the guest in the VMCB (AMD APM volume 2, appendix C). Here
 * the engine says the same to a hook, and where it says too little the instruction that RIP stands at is looked at: how
 * long it is, which of two things that the engine takes for one it was.
 *
 * Invariants: nothing of the guest changes but RIP, where an instruction is behind it that the engine has left in
 * front; what is read of the guest's code is not more than the processor would fetch.
 */
#include "sim/engine/pcpu_private.h"
#include "sim/insn.h"
#include "sim/vmcb.h"

/* The instruction in front of which the processor stands: its prefixes, and what follows. */
struct opcode {
    struct insn_prefixes prefixes;
    uint8_t byte[3];
    size_t fetched; /* bytes of the instruction that are mapped, at most 15 */
};

/* What is not mapped behind it reads as 0. */
static struct opcode fetch_opcode(struct emu *e, const struct cpu_state *st)
{
    uint8_t code[INSN_MAX_LEN + 2] = { 0 }; /* and two that are never fetched */
    const size_t n = pcpu_fetch(e, insn_linear_rip(st), code, INSN_MAX_LEN);
    struct opcode op = { .prefixes = insn_prefixes(code, n ? n - 1 : 0, st->seg[CPU_SEG_CS].attr & SEG_ATTR_L),
                         .fetched = n };

    memcpy(op.byte, code + op.prefixes.nr, sizeof(op.byte));
    return op;
}

/*
 * Of the instruction in front of which the processor stands: n bytes behind its prefixes, which may be there without
 * need.
 */
static uint8_t insn_length(struct emu *e, const struct cpu_state *st, unsigned int n)
{
    return (uint8_t)(fetch_opcode(e, st).prefixes.nr + n);
}

/* Behind an instruction of len bytes. */
static void step_over(struct cpu_state *st, unsigned int len)
{
    st->rip += len;
    if (!(st->seg[CPU_SEG_CS].attr & SEG_ATTR_L))
        st->rip &= 0xffffffff;
}

/*
 * What is refused at the gate (gate.c), but not by the processor shown: ICEBP, which Unicorn does not have, is a trap,
 * reported behind it; INS and OUTS (6C to 6F), of which Unicorn would do a part, are the hypervisor's.
 */
static bool decode_refused(struct emu *e, struct cpu_state *st, struct sim_exit *x)
{
    const struct opcode op = fetch_opcode(e, st);

    if (op.prefixes.lock)
        return false;
    if (op.byte[0] == 0xf1) {
        x->insn_len = (uint8_t)(op.prefixes.nr + 1u);
        step_over(st, x->insn_len);
        x->kind = EXIT_EXCEPTION;
        x->exception.vector = TRAP_debug;
        return true;
    }
    if ((op.byte[0] & 0xfc) != 0x6c)
        return false;
    x->kind = EXIT_IO;
    x->io.port = (uint16_t)st->rdx;
    x->io.size = !(op.byte[0] & 1) ? 1 : op.prefixes.p66 == !(st->seg[CPU_SEG_CS].attr & 0x600) ? 4 : 2;
    x->io.in = op.byte[0] < 0x6e;
    x->io.string = true;
    return true;
}

/* A fault of the fetch itself, which not every processor's error code tells, is not one of what the bytes say. */
static void page_fault(struct emu *e, struct cpu_state *st, uint64_t addr, uint32_t *error_code)
{
    const struct opcode op = fetch_opcode(e, st);

    if (op.fetched == INSN_MAX_LEN || addr - insn_linear_rip(st) != op.fetched)
        pcpu_page_fault(e, st, op.byte, error_code);
}

/* An address that is not canonical and was reached through the stack segment. */
static bool is_stack_fault(struct emu *e, const struct cpu_state *st)
{
    uint8_t code[INSN_MAX_LEN];

    return e->mmu.not_canonical && (st->seg[CPU_SEG_CS].attr & SEG_ATTR_L) &&
           insn_uses_stack(e->m->edges->decoder, st, code, pcpu_fetch(e, st->rip, code, sizeof(code)), e->mmu.addr);
}

static void decode_exception(struct emu *e, struct cpu_state *st, uint8_t vector, struct sim_exit *x)
{
    if (e->observe.stopped && vector == TRAP_debug) {
        e->observe.hit.insns = x->insns;
        *x = e->observe.hit;
        return;
    }
    if (e->io_pending && vector == TRAP_gp_fault) {
        x->kind = EXIT_IO;
        x->io.port = e->io_port;
        x->io.size = e->io_size;
        x->io.in = e->io_in;
        return;
    }
    if (vector == TRAP_invalid_op && decode_refused(e, st, x))
        return;
    if (vector == TRAP_gp_fault && is_stack_fault(e, st))
        vector = TRAP_stack_fault;
    x->kind = EXIT_EXCEPTION;
    x->exception.vector = vector;
    x->exception.has_error_code = X86_EXC_HAVE_EC >> vector & 1;
    if (x->exception.has_error_code)
        x->exception.error_code = raw_get(&e->raw, error_code, uint32_t);
    if (vector == TRAP_page_fault) {
        x->exception.addr = emu_exit_info2(e);
        page_fault(e, st, x->exception.addr, &x->exception.error_code);
    }
    if (vector == TRAP_debug) {
        x->exception.dr6 = *raw_dr(&e->raw, 6) & X86_DR6_BS;
        *raw_dr(&e->raw, 6) = 0;
    }
}

/* INT n, INT3 and INTO do not say which they are: look. The processor is still in front of the instruction. */
static void decode_softint(struct emu *e, struct cpu_state *st, struct sim_exit *x)
{
    const struct opcode op = fetch_opcode(e, st);

    x->kind = EXIT_SOFTINT;
    x->insn_len = op.prefixes.nr + 1;
    switch (op.byte[0]) {
    case 0xcc: x->softint.vector = 3; break;
    case 0xce: x->softint.vector = 4; break;
    case 0xcd:
        x->softint.vector = op.byte[1];
        x->insn_len++;
        break;
    default:
        x->kind = EXIT_ERROR;
        x->error.why = "the code of a software interrupt changed while it executed";
        return;
    }
    step_over(st, x->insn_len);
}

/* MOV from or to one of sixteen control registers, or debug registers. */
static void decode_register(uint32_t code, struct sim_exit *x)
{
    static const enum sim_exit_kind kinds[] = { EXIT_CR_READ, EXIT_CR_WRITE, EXIT_DR_READ, EXIT_DR_WRITE };

    x->kind = kinds[code / 16];
    x->cr.nr = code % 16;
}

static void decode_nested(struct emu *e, struct cpu_state *st, struct sim_exit *x)
{
    x->kind = EXIT_NPF;
    x->npf.gpa = emu_exit_info2(e);
    x->npf.error_code = raw_get(&e->raw, error_code, uint32_t);
    x->npf.table = e->nested.in_table;
    if (!x->npf.table)
        pcpu_page_fault(e, st, fetch_opcode(e, st).byte, &x->npf.error_code);
}

static void decode_intercept(struct emu *e, struct cpu_state *st, uint32_t code, struct sim_exit *x)
{
    switch (code) {
    case SVM_EXIT_CR_READ ... SVM_EXIT_DR_WRITE + 15: decode_register(code, x); break;
    case SVM_EXIT_VINTR: x->kind = EXIT_INTWIN; break;
    case SVM_EXIT_NPF: decode_nested(e, st, x); break;
    case SVM_EXIT_TASK_SWITCH:
        x->kind = EXIT_TASK_SWITCH;
        x->task.sel = e->task_sel;
        x->task.why = e->task_why;
        break;
    case SVM_EXIT_EXCEPTION ... SVM_EXIT_EXCEPTION + 31:
        decode_exception(e, st, (uint8_t)(code - SVM_EXIT_EXCEPTION), x);
        break;
    case SVM_EXIT_SWINT: decode_softint(e, st, x); break;
    case SVM_EXIT_RDTSC:
        x->kind = EXIT_RDTSC;
        x->insn_len = insn_length(e, st, 2);
        break;
    case SVM_EXIT_RDTSCP:
        x->kind = EXIT_RDTSC;
        x->insn.rdtscp = true;
        x->insn_len = insn_length(e, st, 3);
        break;
    case SVM_EXIT_CPUID:
        x->kind = EXIT_CPUID;
        x->insn_len = insn_length(e, st, 2);
        break;
    case SVM_EXIT_PAUSE:
        x->kind = EXIT_PAUSE;
        x->insn_len = insn_length(e, st, 1); /* F3 is one of its prefixes */
        break;
    case SVM_EXIT_HLT:
        x->kind = EXIT_HLT;
        x->insn_len = insn_length(e, st, 1);
        break;
    case SVM_EXIT_VMMCALL:
        x->kind = EXIT_VMMCALL;
        x->insn_len = insn_length(e, st, 3);
        break;
    case SVM_EXIT_MSR:
        x->kind = raw_get(&e->raw, error_code, uint32_t) ? EXIT_WRMSR : EXIT_RDMSR;
        x->insn_len = insn_length(e, st, 2);
        break;
    case SVM_EXIT_SHUTDOWN: x->kind = EXIT_SHUTDOWN; break;
    case SVM_EXIT_INVLPG:
        if (st->mode == CPU_MODE_HVM) {
            x->kind = EXIT_INVLPG;
            break;
        } /* fallthrough */
    default:
        /* Privileged or undefined for a guest: the fault that the instruction gives without SVM. */
        x->kind = EXIT_EXCEPTION;
        x->exception.vector = TRAP_gp_fault;
        x->exception.has_error_code = true;
        break;
    }
}

void pcpu_exit_over(enum emu_stop stop, struct sim_exit *x)
{
    const uint64_t insns = x->insns;

    *x = (struct sim_exit){ .kind = stop == EMU_STOP_BUDGET ? EXIT_BUDGET : EXIT_STOP, .insns = insns };
    if (x->kind == EXIT_STOP)
        x->stop.why = STOP_LIMIT;
}

void pcpu_exit_decode(struct emu *e, struct cpu_state *st, uc_err err, struct sim_exit *x)
{
    switch (e->stop) {
    case EMU_STOP_BUDGET:
    case EMU_STOP_LIMIT: pcpu_exit_over(e->stop, x); return;
    case EMU_STOP_SYSENTER:
        x->kind = EXIT_SYSENTER;
        x->insn_len = 2;
        st->int_shadow = false;
        return;
    case EMU_STOP_INTR:
        if (e->intno >= 0x100) {
            decode_intercept(e, st, e->intno - 0x100, x);
            return;
        }
        x->error.why = "an exception was not intercepted";
        break;
    case EMU_STOP_SYSCALL: return; /* pcpu_enter.c */
    case EMU_STOP_DEBUG: return;   /* pcpu_debug.c */
    case EMU_STOP_BREAK:
        x->kind = EXIT_STOP;
        x->stop.why = STOP_BREAK;
        return;
    case EMU_STOP_FLUSH:
    case EMU_STOP_TAIL:
    case EMU_STOP_QUIET:
    case EMU_STOP_USUAL:
    case EMU_STOP_NONE: x->error.why = err ? uc_strerror(err) : "the emulator stopped for no reason"; break;
    }
    x->kind = EXIT_ERROR;
}
