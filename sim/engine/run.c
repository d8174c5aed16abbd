// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Into translated code without detours.
 *
 * Concept: uc_emu_start() prepares for what this program never asks for: a timeout, a count, addresses to stop at,
 * being called from a hook. Inside it cpu_exec() is the library's main loop; entered directly it saves a good part of a
 * short exit.
 *
 * This knows where things lie in two of the library's structures, beyond what raw.c finds. So it is tried before it is
 * believed: in a run by uc_emu_start() the fields that are to be written must have the values that they have then
 * (emu_run_check()). If one has not, the run is entered as before: slower, and otherwise the same. The user is told
 * (tools/host.c, `xenlab doctor`). (`xenlab run --plain-engine` asks for it; tests compare the two.)
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"

/* struct uc_struct of 2.1.1. */
enum {
    UC_CPU = 0x1a0,           /* pointer to the CPUState */
    UC_EXIT_REQUEST = 0x2c0,  /* int: leave the main loop */
    UC_STOP_REQUEST = 0x555,  /* byte: leave the run */
    UC_QUIT_REQUEST = 0x556,  /* byte: leave the block, but not the run */
    UC_DONE = 0x557,          /* byte: no run is in progress any more */
    UC_TIMED_OUT = 0x558,     /* byte */
    UC_INVALID_ERROR = 0x578, /* int: uc_err */
    UC_NESTED_LEVEL = 0x39e0, /* int: runs within hooks of runs */
};

/* CPUState, which begins CPU_SIZE bytes in front of the registers. */
enum {
    CPU_CREATED = 0x10, /* bytes */
    CPU_STOP = 0x11,
    CPU_STOPPED = 0x12,
    CPU_EXIT_REQUEST = 0x15,
    CPU_INTERRUPT_REQUEST = 0x1c, /* uint32_t: CPU_INTERRUPT_HARD, when an interrupt waits */
    CPU_ENV = 0x128,              /* pointer to the registers */
    CPU_ICOUNT_DECR = 0x130,      /* pointer to two uint16_t in front of them; the second asks a block to leave */
    CPU_HALTED = 0x8198,          /* ints */
    CPU_EXCEPTION_INDEX = 0x81a0,
    CPU_EXIT_TCG = 0x81b8,
    CPU_SIZE = 0x8a50,
};

#define EXCP_HLT 0x10001 /* what cpu_exec() returns when there is nothing more to do */

#define AT(base, offset, type) (*(type *)(void *)((uint8_t *)(base) + (offset)))

static uint8_t *cpu_of(struct emu *e) { return e->raw.st - CPU_SIZE; }

/* ------------------------------------------------------------------------------------------------------ entering -- */

void emu_run_check(struct emu *e, enum emu_run_phase phase)
{
    void *uc = e->uc;
    uint8_t *cpu = cpu_of(e);
    bool ok = AT(uc, UC_CPU, uint8_t *) == cpu && AT(cpu, CPU_ENV, uint8_t *) == e->raw.st &&
              AT(cpu, CPU_ICOUNT_DECR, uint8_t *) == e->raw.st - 16 && AT(uc, UC_INVALID_ERROR, int) == 0 &&
              AT(cpu, CPU_HALTED, int) == 0 && !AT(cpu, CPU_STOP, uint8_t) && !AT(cpu, CPU_STOPPED, uint8_t) &&
              AT(uc, UC_NESTED_LEVEL, int) == (phase != EMU_RUN_OVER) &&
              AT(cpu, CPU_CREATED, uint8_t) == (phase != EMU_RUN_OVER);

    if (!ok) {
        e->fast.refused = true;
        return;
    }
    switch (phase) {
    case EMU_RUN_INSIDE:
        ok = !AT(uc, UC_STOP_REQUEST, uint8_t) && !AT(uc, UC_QUIT_REQUEST, uint8_t) && !AT(uc, UC_DONE, uint8_t) &&
             !AT(cpu, CPU_EXIT_REQUEST, uint8_t) && AT(cpu, CPU_EXCEPTION_INDEX, int) >= 0;
        break;
    case EMU_RUN_STOPPING:
        ok = AT(uc, UC_STOP_REQUEST, uint8_t) == 1 && AT(cpu, CPU_EXIT_REQUEST, uint8_t) == 1 &&
             AT(AT(cpu, CPU_ICOUNT_DECR, uint8_t *), 2, uint16_t) == 0xffff;
        break;
    case EMU_RUN_OVER:
        ok = AT(uc, UC_DONE, uint8_t) == 1 && !AT(cpu, CPU_EXIT_REQUEST, uint8_t) && !AT(cpu, CPU_EXIT_TCG, int) &&
             !AT(uc, UC_EXIT_REQUEST, int) && AT(AT(cpu, CPU_ICOUNT_DECR, uint8_t *), 2, uint16_t) == 0;
        break;
    }
    e->fast.refused |= !ok;
}

/* What the library's resume_all_vcpus() does between two rounds of its main loop. */
static void settle(void *uc, uint8_t *cpu)
{
    AT(uc, UC_EXIT_REQUEST, int) = 0;
    AT(cpu, CPU_EXIT_REQUEST, uint8_t) = 0;
    AT(AT(cpu, CPU_ICOUNT_DECR, uint8_t *), 2, uint16_t) = 0;
    AT(cpu, CPU_EXIT_TCG, int) = 0;
}

uc_err emu_enter(struct emu *e)
{
    void *uc = e->uc;
    uint8_t *cpu = cpu_of(e);
    int rc, err;

    if (!e->fast.enter)
        return uc_emu_start(e->uc, raw_get(&e->raw, eip, uint64_t), 0, 0, 0);
    AT(uc, UC_NESTED_LEVEL, int) = 1;
    AT(uc, UC_INVALID_ERROR, int) = 0;
    AT(uc, UC_STOP_REQUEST, uint8_t) = AT(uc, UC_DONE, uint8_t) = AT(uc, UC_TIMED_OUT, uint8_t) = 0;
    AT(cpu, CPU_CREATED, uint8_t) = 1;
    AT(cpu, CPU_STOP, uint8_t) = AT(cpu, CPU_STOPPED, uint8_t) = 0;
    do {
        settle(uc, cpu);
        AT(uc, UC_QUIT_REQUEST, uint8_t) = 0;
        AT(cpu, CPU_HALTED, int) = 0;
        AT(cpu, CPU_EXCEPTION_INDEX, int) = -1;
        rc = cpu_exec_x86_64((struct uc_struct *)uc, (struct CPUState *)(void *)cpu);
    } while (!AT(uc, UC_STOP_REQUEST, uint8_t) && !AT(uc, UC_INVALID_ERROR, int) && rc != EXCP_HLT);
    settle(uc, cpu);
    AT(cpu, CPU_CREATED, uint8_t) = 0;
    AT(uc, UC_NESTED_LEVEL, int) = 0;
    AT(uc, UC_DONE, uint8_t) = 1;
    err = AT(uc, UC_INVALID_ERROR, int);
    AT(uc, UC_INVALID_ERROR, int) = 0;
    return (uc_err)err;
}

#define CPU_INTERRUPT_HARD 2u

void emu_want_interrupt(struct emu *e, bool want)
{
    AT(cpu_of(e), CPU_INTERRUPT_REQUEST, uint32_t) = want ? CPU_INTERRUPT_HARD : 0;
}

void emu_run_init(struct emu *e, bool plain) { e->fast.enter = !plain && !e->fast.refused; }
