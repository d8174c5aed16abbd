// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the parts of the pCPU share: a vCPU's registers on their way into the engine and out again.
 */
#ifndef SIM_ENGINE_PCPU_PRIVATE_H
#define SIM_ENGINE_PCPU_PRIVATE_H

#include "sim/engine/emu.h"
#include "sim/pcpu.h"

struct pcpu {
    struct emu *emu;
    unsigned int id;
};

/* A vCPU: state, in the arena. What the engine has of it is in struct emu_context. */
struct cpu_context {
    struct cpu_state state;
    struct machine *m;
    struct cpu_context *next, **link; /* of the machine's contexts; link points to what points here */
};

/*
 * What the engine keeps of a vCPU that it has run. Its registers are in the engine (emu.loaded), or in `saved`, which
 * then holds what struct cpu_state may not: FPU, SSE, and the emulator's own view of the rest.
 */
struct emu_context {
    const struct cpu_context *whose;
    struct emu_context *next; /* of the same list of emu.kept */
    uc_context *saved;
    bool saved_valid;
    uint32_t dirty; /* while cpu_state.dirty has CPU_DIRTY_SYNCED: what was dirty then */
};

/* pcpu_context.c */
/*
 * Swap the loaded vCPU's registers out, and in what the engine kept of c's: for reading, or, with these dirty, to run.
 */
#define CPU_DIRTY_SWITCH (CPU_DIRTY_TLB | CPU_DIRTY_SEGS | CPU_DIRTY_CR | CPU_DIRTY_CR3 | CPU_DIRTY_DR)
void pcpu_switch(struct emu *e, struct cpu_context *c);
/* The engine knows no vCPU. What it alone had of their registers is lost. */
void pcpu_keep_nothing(struct emu *e);

/*
 * pcpu_state.c: bring c's registers into the engine; write what the guest changed back to struct cpu_state. inside: the
 * engine is in the middle of a run, in a hook.
 */
void pcpu_load(struct emu *e, struct cpu_context *c, bool inside);
void pcpu_save(struct emu *e, struct cpu_context *c, bool inside);

/* pcpu_fpu.c: between struct cpu_state's FXSAVE image and the loaded engine. */
void pcpu_fpu_load(struct emu *e, const struct cpu_state *st);
void pcpu_fpu_save(struct emu *e, struct cpu_state *st);

/* pcpu_walk.c: n bytes of code at the loaded guest's linear address, as far as they are mapped; returns how many. */
size_t pcpu_fetch(struct emu *e, uint64_t addr, uint8_t *buf, size_t n);

/* A run of c: what it may do, and what came of its last exit. */
struct pcpu_run {
    struct cpu_context *c;
    struct pcpu_budget budget; /* to its next exit */
    bool resumed;              /* it began with RF set */
    pcpu_exit_fn *on_exit;
    void *data;
    bool dealt_with, goes_on;
};

/* Into the guest. inside: as above. */
static inline void pcpu_enter(struct emu *e, struct pcpu_run *r, bool inside)
{
    r->resumed = r->c->state.rflags & X86_EFLAGS_RF;
    if (__builtin_expect(e->smc.nr_shared, 0))
        emu_smc_drop_shared(e);
    pcpu_load(e, r->c, inside);
    emu_count_start(e, &r->budget);
}

/* It ends before anything is executed. */
static inline bool pcpu_budget_is_spent(const struct pcpu_budget *b)
{
    return !b->stop_after || (b->exact && !b->insns);
}

/* pcpu_enter.c: out again, with what happened in *x. err: what the engine returned. */
void pcpu_leave(struct emu *e, struct pcpu_run *r, bool inside, uc_err err, struct sim_exit *x);
/* To the first exit, of whatever kind. */
struct sim_exit pcpu_run_once(struct emu *e, struct cpu_context *c, const struct pcpu_budget *budget);

/* pcpu_exit.c: what has stopped the engine; err: what it returned. */
void pcpu_exit_decode(struct emu *e, struct cpu_state *st, uc_err err, struct sim_exit *x);
/* None: the run is over, by EMU_STOP_BUDGET or EMU_STOP_LIMIT. */
void pcpu_exit_over(enum emu_stop stop, struct sim_exit *x);
/* Will the instruction be executed again? All intercepts are faults of deprivileged code, or stand for one. */
static inline bool pcpu_exit_is_fault(const struct sim_exit *x)
{
    const uint32_t faults = 1u << EXIT_VMMCALL | 1u << EXIT_IO | 1u << EXIT_RDMSR | 1u << EXIT_WRMSR |
                            1u << EXIT_CPUID | 1u << EXIT_RDTSC | 1u << EXIT_CR_READ | 1u << EXIT_CR_WRITE |
                            1u << EXIT_DR_READ | 1u << EXIT_DR_WRITE | 1u << EXIT_NPF | 1u << EXIT_TASK_SWITCH |
                            1u << EXIT_HLT | 1u << EXIT_INVLPG;

    return x->kind == EXIT_EXCEPTION ? x->exception.vector != TRAP_debug : faults >> x->kind & 1;
}

/* pcpu_debug.c: pcpu_run() for a loaded vCPU with breakpoints armed. */
struct sim_exit pcpu_debug_run(struct emu *e, struct cpu_context *c, struct pcpu_budget budget);

/*
 * pcpu_fault.c: what a page fault of the instruction whose opcode and next bytes these are should have said, and left
 * alone.
 */
void pcpu_page_fault(struct emu *e, struct cpu_state *st, const uint8_t opcode[static 3], uint32_t *error_code);

/* pcpu_selftest.c: NULL, or what does not work. */
const char *pcpu_selftest(struct pcpu *p);

#endif
