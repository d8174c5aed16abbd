// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The physical CPU: enter a guest, come back with a reason.
 *
 * Concept: pcpu_run() is the VMRUN ... #VMEXIT of this machine. Around the emulator's own run it loads the vCPU's registers,
 * sets the instruction budget, and afterwards turns what stopped the emulator into a struct sim_exit. It decides nothing:
 * what an exit means is the hypervisor's business (Xen: svm_vmexit_handler() in arch/x86/hvm/svm/svm.c for SVM guests, the
 * entry points of arch/x86/x86_64/entry.S for PV ones).
 *
 * Coming out of the emulator and going in again costs more than most exits are worth. So pcpu_run_on() is told whom to ask
 * about an exit, asks from within the emulator's hook, and if the guest is to go on lets the emulator go on, with other registers:
 *
 *      emulator ---> hook ---> exit_inside(): registers out, on_exit(), registers in ---> emulator
 *                                                       '--> that is all, or it cannot stay ---> out
 *
 * What PV guests run on is the same SVM guest mode that HVM guests use, with other page tables: Unicorn's processor reports
 * exits exactly and early there, and the guest cannot tell.
 *
 * Where to read on: emu.h (the engine), pcpu_exit.c (reasons), pcpu_state.c (registers), count.c (time),
 * smc.c (code that changes), pcpu_debug.c (breakpoints), pcpu_selftest.c (what all this relies upon).
 */
#include "sim/engine/pcpu_private.h"

#include <stdio.h>
#include <stdlib.h>

#define DR7_ENABLED 0xffu

/* A run of c: what it may do, and what came of its last exit. */
struct run {
    struct cpu_context *c;
    uint64_t budget;
    bool resumed; /* it began with RF set */
    pcpu_exit_fn *on_exit;
    void *data;
    bool dealt_with, goes_on;
};

static void enter(struct emu *e, struct run *r, bool inside)
{
    if (r->budget > EMU_MAX_BUDGET)
        r->budget = EMU_MAX_BUDGET;
    r->resumed = r->c->state.rflags & RFLAGS_RF;
    pcpu_load(e, r->c, inside);
    emu_count_start(e, r->budget);
}

static void leave(struct emu *e, struct run *r, bool inside, uc_err err, struct sim_exit *x)
{
    pcpu_save(e, r->c, inside);
    x->insns = emu_count_stop(e, r->budget);
    pcpu_exit_decode(e, &r->c->state, err, x);
    /* What is to be executed again does not break again; nor does what has not been executed yet. */
    if (pcpu_exit_is_fault(x) || (r->resumed && x->kind == EXIT_BUDGET && !x->insns))
        r->c->state.rflags |= RFLAGS_RF;
}

struct sim_exit pcpu_run_once(struct emu *e, struct cpu_context *c, uint64_t budget)
{
    struct run r = { .c = c, .budget = budget };
    struct sim_exit x = { 0 };

    enter(e, &r, false);
    leave(e, &r, false, emu_run(e), &x);
    return x;
}

/*
 * Can the run go on from within its exit? Not with breakpoints, which have a loop of their own; nor behind a SYSCALL with TF, for its
 * block, which is still to be left, ends with a look at that.
 */
static bool can_stay(const struct emu *e, const struct cpu_context *c)
{
    return !(c->state.dr[7] & DR7_ENABLED) && !e->smc.buffer_full &&
           !(e->stop == EMU_STOP_SYSCALL && c->state.rflags & RFLAGS_TF);
}

/* The engine is in a hook, in front of the exit. */
static bool exit_inside(struct emu *e)
{
    struct run *r = e->run;
    struct sim_exit x = { 0 };

    leave(e, r, true, UC_ERR_OK, &x);
    r->goes_on = r->on_exit(r->data, &x, &r->budget);
    r->dealt_with = !r->goes_on || !can_stay(e, r->c);
    if (!r->dealt_with)
        enter(e, r, true);
    return !r->dealt_with;
}

/* Until an exit that cannot be, or has not to be, dealt with inside. */
static void run(struct emu *e, struct run *r)
{
    struct sim_exit x = { 0 };

    r->dealt_with = false;
    if (r->c->state.mode == CPU_MODE_HVM) {
        x.kind = EXIT_ERROR;
        x.error.why = "hardware virtual machines are not supported yet";
    } else if (!r->budget) {
        x.kind = EXIT_BUDGET;
    } else if (r->c->state.dr[7] & DR7_ENABLED) {
        x = pcpu_debug_run(e, r->c, r->budget < EMU_MAX_BUDGET ? r->budget : EMU_MAX_BUDGET);
    } else {
        uc_err err;

        enter(e, r, false);
        e->run = r;
        e->on_exit = e->fast.enter ? exit_inside : NULL;
        err = emu_run(e);
        e->on_exit = NULL;
        if (!r->dealt_with)
            leave(e, r, false, err, &x);
    }
    if (!r->dealt_with)
        r->goes_on = r->on_exit(r->data, &x, &r->budget);
}

void pcpu_run_on(struct pcpu *p, struct cpu_context *c, uint64_t budget, pcpu_exit_fn *on_exit, void *data)
{
    struct run r = { .c = c, .budget = budget, .on_exit = on_exit, .data = data };

    do
        run(p->emu, &r);
    while (r.goes_on);
}

static bool take_exit(void *data, const struct sim_exit *exit, uint64_t *budget)
{
    *(struct sim_exit *)data = *exit;
    return false;
}

struct sim_exit pcpu_run(struct pcpu *p, struct cpu_context *c, uint64_t budget)
{
    struct sim_exit x;

    pcpu_run_on(p, c, budget, take_exit, &x);
    return x;
}

/* ------------------------------------------------------------------------------------------------ the machine's -- */

void machine_code_written(struct machine *m, mfn_t mfn)
{
    if (m->code && m->code->has_code[mfn_x(mfn)])
        emu_smc_invalidate(m->code->emu, mfn_x(mfn));
}

struct pcpu *pcpu_create(struct machine *m, unsigned int id, char *err, size_t errlen)
{
    struct pcpu *p = calloc(1, sizeof(*p));
    const char *why;

    if (!p) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    p->id = id;
    p->emu = m->code ? m->code->emu : emu_create(m, err, errlen);
    if (!p->emu) {
        free(p);
        return NULL;
    }
    if (p->emu->users++)
        return p;
    m->code = &p->emu->code;
    why = pcpu_selftest(p);
    if (!why)
        return p;
    emu_complain(err, errlen, why);
    pcpu_destroy(p);
    return NULL;
}

void pcpu_destroy(struct pcpu *p)
{
    struct emu *e = p->emu;

    if (--e->users == 0) {
        while (e->contexts)
            pcpu_release(e->contexts);
        e->m->code = NULL;
        emu_destroy(e);
    }
    free(p);
}

const char *pcpu_backend_name(struct pcpu *p) { return p->emu->name; }

bool pcpu_backend_is_fast(const struct pcpu *p)
{
    return p->emu->fast.enter && p->emu->tlb.two && p->emu->lookup.slots;
}
