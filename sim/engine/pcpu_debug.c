// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running a vCPU that has breakpoints armed.
 *
 * Concept: the engine stops in front of the instruction in both cases (debug.c); the processor does so in one. A
 * breakpoint on an instruction is a fault: #DB in front of it, nothing done yet. One on data is a trap: #DB behind the
 * instruction, together with every other condition that it met, single-step among them. So for a trap the instruction
 * is executed alone, with its accesses noted, and what is reported is the sum. In virtual time none of this can be
 * seen.
 *
 *      run ---> stopped at an access --------> step ---> hits: #DB       none: on
 *          ---> stopped at an address -------> #DB       RF is set, or it is another vCPU's: step
 *
 * The rules, from the AMD APM volume 2 (13.1, 8.2.2, 3.1.6) and, where it is silent, the Intel SDM volume 3 (18.3.1):
 *  - RF hides the breakpoint of one instruction, and is clear when that is complete. A repeated string instruction is
 *    complete at its end: in between, a trap's frame has RF set. So it breaks once, and traps behind each iteration
 *    that hits.
 *  - Behind MOV SS and POP SS the next instruction does not break, and a trap waits until it is complete.
 *  - An instruction that faults reports no breakpoint on data: it will be executed again.
 *  - If the instruction in that shadow faults, or leaves for the hypervisor by SYSCALL or INT, the waiting trap is
 *    lost, as on Xen, whose own entry it hits and which then ignores it (xen/arch/x86/traps.c, do_debug()).
 *
 * Accesses by the hypervisor on the guest's behalf are not looked at: frames that it pushes, copies from and to the
 * guest, instructions that it emulates. On Xen the processor does report those, in the hypervisor's mode, and Xen
 * ignores them likewise.
 */
#include "sim/engine/pcpu_private.h"
#include "sim/insn.h"

/* At a string instruction with a REP prefix; then `count` is what it has still to do. */
static bool at_rep_string(struct emu *e, const struct cpu_state *st, uint64_t *count)
{
    const bool code64 = st->seg[CPU_SEG_CS].attr & SEG_ATTR_L, code32 = st->seg[CPU_SEG_CS].attr & SEG_ATTR_D;
    uint8_t code[INSN_MAX_LEN];
    const size_t n = pcpu_fetch(e, insn_linear_rip(st), code, sizeof(code));
    const struct insn_prefixes p = insn_prefixes(code, n, code64);
    const uint8_t opcode = p.nr < n ? code[p.nr] : 0;

    if (!(p.rep || p.repne) || !((opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf)))
        return false;
    *count = st->rcx;
    if (!code64 || p.p67)
        *count &= code64 || code32 != p.p67 ? UINT32_MAX : UINT16_MAX;
    return true;
}

/* It becomes #DB, with these bits of DR6. */
static void debug_exception(struct sim_exit *x, uint64_t dr6)
{
    x->kind = EXIT_EXCEPTION;
    x->exception.vector = TRAP_debug;
    x->exception.has_error_code = false;
    x->exception.error_code = 0;
    x->exception.dr6 = dr6;
}

static bool is_single_step(const struct sim_exit *x)
{
    return x->kind == EXIT_EXCEPTION && x->exception.vector == TRAP_debug;
}

/* Not faults on Xen, where the processor executes them: what waited comes behind them, as they are emulated. */
static bool is_completed_by_hypervisor(const struct sim_exit *x)
{
    return x->kind == EXIT_CPUID || x->kind == EXIT_RDTSC || x->kind == EXIT_PAUSE;
}

static void spend(struct pcpu_budget *left, uint64_t n)
{
    pcpu_budget_spend(left, n);
    left->resume &= n == 0;
    left->resume_break &= n == 0;
}

/*
 * One instruction, or one iteration. True: it was completed, and x is EXIT_BUDGET if the budget ends with it, or
 * EXIT_STOP.
 */
static bool step_once(struct emu *e, struct cpu_context *c, struct pcpu_budget *left, bool resume, struct sim_exit *x)
{
    const struct pcpu_budget one = { .insns = left->exact && !left->insns ? 1 : left->insns,
                                     .exact = left->exact,
                                     .resume = resume || left->resume,
                                     .resume_break = left->resume_break,
                                     .stop_after = 1 };

    *x = pcpu_run_once(e, c, &one);
    spend(left, x->insns);
    return x->kind == EXIT_BUDGET || (x->kind == EXIT_STOP && x->stop.why == STOP_LIMIT);
}

/* Execute what stands at RIP, whatever breaks there. True: it was completed, and there is nothing to report of it. */
static bool step(struct emu *e, struct cpu_context *c, struct pcpu_budget *left, struct sim_exit *x)
{
    struct cpu_state *st = &c->state;
    const bool resumed = st->rflags & X86_EFLAGS_RF;
    uint64_t insns = 0, count = 0, at;
    bool rep, done, waited, over = false, shadow = st->int_shadow;

    e->debug.hits = 0;
    emu_debug_single(e, true);
    do {
        at = st->rip;
        waited = shadow;
        done = step_once(e, c, left, insns, x);
        insns += x->insns;
        over |= x->kind == EXIT_BUDGET;
        rep = st->rip == at && at_rep_string(e, st, &count);
        shadow = st->int_shadow;
    } while (done && e->debug.hits && ((rep && !count) || (shadow && !waited)));
    emu_debug_single(e, false);
    x->insns = insns;
    if (done)
        pcpu_exit_over(over ? EMU_STOP_BUDGET : EMU_STOP_LIMIT, x);
    if (!done && !is_single_step(x)) {
        if (is_completed_by_hypervisor(x))
            x->insn.dr6 = e->debug.hits;
        return false;
    }
    if (rep && (resumed || e->debug.hits))
        st->rflags |= X86_EFLAGS_RF;
    if (!e->debug.hits)
        return done;
    debug_exception(x, e->debug.hits | (done ? 0 : x->exception.dr6));
    return false;
}

/* Stopped in front of an instruction: the breakpoints of this vCPU there, a bit each. */
static uint8_t instruction_hits(const struct emu *e, const struct cpu_state *st)
{
    uint8_t hits = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(e->debug.addr); i++)
        if ((e->debug.breaking >> i & 1) && e->debug.addr[i] == insn_linear_rip(st))
            hits |= (uint8_t)(1u << i);
    return hits;
}

/* False: *x is to be reported. */
static bool run(struct emu *e, struct cpu_context *c, struct pcpu_budget *left, struct sim_exit *x)
{
    uint64_t insns;
    uint8_t hits;
    bool go_on;

    *x = pcpu_run_once(e, c, left);
    spend(left, x->insns);
    if (e->stop == EMU_STOP_DEBUG && !(c->state.rflags & X86_EFLAGS_RF)) {
        hits = instruction_hits(e, &c->state);
        if (hits) {
            debug_exception(x, hits);
            return false;
        }
    } else if (e->stop != EMU_STOP_DEBUG && !e->debug.stopped) {
        return false;
    }
    insns = x->insns;
    go_on = step(e, c, left, x) && x->kind != EXIT_BUDGET && !pcpu_budget_is_spent(left);
    x->insns += insns;
    return go_on;
}

struct sim_exit pcpu_debug_run(struct emu *e, struct cpu_context *c, struct pcpu_budget left)
{
    struct sim_exit x;
    uint64_t insns = 0;
    bool go_on;

    pcpu_load(e, c, false);
    do {
        go_on = run(e, c, &left, &x);
        insns += x.insns;
    } while (go_on);
    x.insns = insns;
    return x;
}
