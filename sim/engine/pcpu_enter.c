// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One entry into a guest and the exit from it: registers in, the budget set; registers out, what stopped the engine,
 * RF.
 *
 * Concept: what all ways of running a vCPU have in common: those from exit to exit (pcpu.c), and the one that looks for
 * breakpoints in between (pcpu_debug.c).
 */
#include "sim/engine/pcpu_private.h"

/*
 * All that was given is used up. If the run ends there, what came of fetching the next instruction is not to be seen.
 */
static void comes_first(const struct emu *e, struct sim_exit *x)
{
    const enum emu_stop end = emu_count_end(e, x->insns);

    if (end != EMU_STOP_NONE && (pcpu_exit_is_fault(x) || x->kind == EXIT_STOP))
        pcpu_exit_over(end, x);
}

void pcpu_leave(struct emu *e, struct pcpu_run *r, bool inside, uc_err err, struct sim_exit *x)
{
    pcpu_save(e, r->c, inside);
    x->insns = emu_count_stop(e);
    if (e->stop == EMU_STOP_SYSCALL) { /* the exit that a guest makes most often, and with the least to say */
        x->kind = EXIT_SYSCALL;
        x->insn_len = 2;
        r->c->state.int_shadow = false; /* SYSCALL itself was in it, if anything */
        return;
    }
    pcpu_exit_decode(e, &r->c->state, err, x);
    if (__builtin_expect(x->insns == e->count.given, 0))
        comes_first(e, x);
    /* What is to be executed again does not break again; nor does what has not been executed yet. */
    if (pcpu_exit_is_fault(x) || (r->resumed && !x->insns && (x->kind == EXIT_BUDGET || x->kind == EXIT_STOP)))
        r->c->state.rflags |= X86_EFLAGS_RF;
}

struct sim_exit pcpu_run_once(struct emu *e, struct cpu_context *c, const struct pcpu_budget *budget)
{
    struct pcpu_run r = { .c = c, .budget = *budget };
    struct sim_exit x = { 0 };

    pcpu_enter(e, &r, false);
    pcpu_leave(e, &r, false, emu_run(e), &x);
    return x;
}
