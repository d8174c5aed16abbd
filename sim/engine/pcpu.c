// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The physical CPU: enter a guest, come back with a reason.
 *
 * Concept: pcpu_run() is the VMRUN ... #VMEXIT of this machine. Around the emulator's own run it loads the vCPU's
 * registers, sets the instruction budget, and afterwards turns what stopped the emulator into a struct sim_exit. It
 * decides nothing: what an exit means is the hypervisor's business (Xen: svm_vmexit_handler() in arch/x86/hvm/svm/svm.c
 * for SVM guests, the entry points of arch/x86/x86_64/entry.S for PV ones).
 *
 * Coming out of the emulator and going in again costs more than most exits are worth. So pcpu_run_on() is told whom to
 * ask about an exit, asks from within the emulator's hook, and if the guest is to go on lets the emulator go on, with
 * other registers:
 *
 *      emulator ---> hook ---> exit_inside(): registers out, on_exit(), registers in ---> emulator
 *                                                       '--> that is all, or it cannot stay ---> out
 *
 * What PV guests run on is the same SVM guest mode that HVM guests use, with other page tables: Unicorn's processor
 * reports exits exactly and early there, and the guest cannot tell.
 *
 * Where to read on: emu.h (the engine), pcpu_enter.c (in and out once), pcpu_exit.c (reasons), pcpu_state.c
 * (registers), count.c (time), smc.c (code that changes), pcpu_debug.c (breakpoints), pcpu_selftest.c (what all this
 * relies upon).
 */
#include "sim/engine/pcpu_private.h"

/*
 * Can the run go on from within its exit? Not with breakpoints, which have a loop of their own; nor behind a SYSCALL
 * with TF, for its block, which is still to be left, ends with a look at that.
 */
static bool can_stay(const struct emu *e, const struct cpu_context *c)
{
    return !(c->state.dr[7] & X86_DR7_ACTIVE) && !e->smc.buffer_full &&
           !(e->stop == EMU_STOP_SYSCALL && c->state.rflags & X86_EFLAGS_TF);
}

static void ask(struct pcpu_run *r, const struct sim_exit *x)
{
    r->budget.resume = r->budget.resume_break = false;
    r->goes_on = r->on_exit(r->data, x, &r->budget);
}

/*
 * Behind a single instruction, in front of the next: that is in a block already, which is entered now if nothing has
 * changed.
 */
static bool can_step(struct emu *e, const struct pcpu_run *r)
{
    const struct cpu_state *st = &r->c->state;

    return st->rip == st->exit_rip && !st->dirty && !e->smc.buffer_full && !e->observe.changed &&
           !pcpu_budget_is_spent(&r->budget) && emu_count_steps(e, &r->budget);
}

/* The engine is in a hook, in front of the exit. */
static bool exit_inside(struct emu *e)
{
    struct pcpu_run *r = e->run;
    struct sim_exit x = { 0 };

    pcpu_leave(e, r, true, UC_ERR_OK, &x);
    ask(r, &x);
    if (e->stop == EMU_STOP_LIMIT) {
        r->dealt_with = !r->goes_on || !can_step(e, r);
        return !r->dealt_with;
    }
    r->dealt_with = !r->goes_on || !can_stay(e, r->c);
    if (!r->dealt_with)
        pcpu_enter(e, r, true);
    return !r->dealt_with;
}

/* Until an exit that cannot be, or has not to be, dealt with inside. */
static void run(struct emu *e, struct pcpu_run *r)
{
    struct sim_exit x = { 0 };

    BUG_ON(e->m->frames_open);
    r->dealt_with = false;
    if (r->c->state.mode == CPU_MODE_HVM && !e->tlb.known) {
        x.kind = EXIT_ERROR;
        x.error.why = "hardware virtual machines need an emulator whose TLB is known";
    } else if (pcpu_budget_is_spent(&r->budget)) {
        pcpu_exit_over(r->budget.exact && !r->budget.insns ? EMU_STOP_BUDGET : EMU_STOP_LIMIT, &x);
    } else if (r->c->state.dr[7] & X86_DR7_ACTIVE) {
        x = pcpu_debug_run(e, r->c, r->budget);
    } else {
        uc_err err;

        pcpu_enter(e, r, false);
        e->observe.changed = false;
        e->run = r;
        e->on_exit = e->fast.enter ? exit_inside : NULL;
        err = emu_run(e);
        e->on_exit = NULL;
        if (!r->dealt_with)
            pcpu_leave(e, r, false, err, &x);
    }
    if (!r->dealt_with)
        ask(r, &x);
}

void pcpu_run_on(struct pcpu *p, struct cpu_context *c, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit,
                 void *data)
{
    struct pcpu_run r = { .c = c, .budget = *budget, .on_exit = on_exit, .data = data };

    do
        run(p->emu, &r);
    while (r.goes_on);
}

static bool take_exit(void *data, const struct sim_exit *exit, struct pcpu_budget *budget)
{
    *(struct sim_exit *)data = *exit;
    return false;
}

struct sim_exit pcpu_run(struct pcpu *p, struct cpu_context *c, uint64_t insns)
{
    struct sim_exit x;

    pcpu_run_on(p, c, &(struct pcpu_budget){ .insns = insns, .exact = true, .stop_after = PCPU_NO_STOP }, take_exit,
                &x);
    return x;
}
