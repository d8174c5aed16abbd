// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counting guest instructions, and stopping when the budget is used up.
 *
 * Concept: virtual time is counted in instructions, so the count must be exact, cheap, and a function of the guest
 * alone. The translator opens each block with a test of a flag, "has anybody asked to stop?". The test is replaced by a
 * subtraction, and so costs nothing extra:
 *
 *      Unicorn's                         ours
 *      flag = *stop_flag                 left = *counter
 *                                        left -= N             N: instructions in the block
 *                                        *counter = left
 *      if (flag < 0) goto leave          if (left < 0) goto leave
 *      ...the block...                   ...the block...
 *      leave:                            leave:
 *                                        *counter += N;  *expired = N
 *      exit(REQUESTED)                   exit(REQUESTED)
 *
 * N is known only when the block has been translated, so the constant is filled in at the end. A block that faults in
 * its middle has counted instructions that did not execute: when the emulator restores the registers from its tables it
 * also computes how many, if told that the block is a counting one. So the count is exact at every exit. A budget may
 * end inside a block. Then what is left of it is run in blocks of one instruction: another family of translations, told
 * apart by a bit of hflags (debug.c has the drawing), which are kept like the others. So a run stops behind exactly as
 * many instructions as it was given, and only its last few are slower. A block that claims an N beyond every budget
 * leaves at once, always: so a breakpoint stops (debug.c).
 *
 * The counter lies in DR4, which the processor does not have, so that the translated code reaches it from its base
 * register; `expired` lies in DR5. A repeated string instruction counts as one instruction an iteration, and one for
 * the look at the count that ends it.
 */
#include "sim/engine/block.h"

static int32_t *counter(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, COUNTER_DR); }
static int32_t *expired(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, EXPIRED_DR); }

/* From here on: blocks of one instruction, since the next longer one does not fit into the budget. */
static void tail(struct emu *e, bool on)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t);

    e->count.tail = on;
    raw_set(&e->raw, hflags, uint32_t, on ? hf | RAW_HF_SINGLE : hf & ~RAW_HF_SINGLE);
}

/* ------------------------------------------------------------------------------------------------ running blocks -- */

/* Unicorn's main loop passes here before each block that it enters: did the last one not fit into the budget? */
void tb_exec_lock_x86_64(void *tcg)
{
    struct emu *e = emu_running;
    int32_t n;

    if (!e)
        return;
    n = *expired(e);
    *expired(e) = 0;
    e->debug.inside = false; /* an access may have been left by a fault */
    if (n == EMU_DEBUG_LEAVE) {
        emu_stop(e, EMU_STOP_DEBUG);
        return;
    }
    if (n && *counter(e) <= 0) {
        emu_stop(e, EMU_STOP_BUDGET);
        return;
    }
    if (__builtin_expect((n || e->smc.buffer_full) && e->stop == EMU_STOP_NONE, 0)) {
        e->count.held = *counter(e); /* no budget: the block that would be entered now leaves at once */
        *counter(e) = 0;
        emu_stop(e, n ? EMU_STOP_TAIL : EMU_STOP_FLUSH);
    }
}

void emu_count_resume(struct emu *e)
{
    *counter(e) = e->count.held;
    *expired(e) = 0;
    if (e->stop == EMU_STOP_TAIL)
        tail(e, true);
}

/*
 * Whoever looks up the block around an address of translated code may be about to leave it in its middle: mark it as a
 * counting one, so that the emulator computes what was not executed. The mark must not stay: it would hide the block.
 */
struct TranslationBlock *tcg_tb_lookup_x86_64(struct TCGContext *tcg, uintptr_t host_pc)
{
    struct emu *e = emu_running;
    struct TranslationBlock *tb = e->real.tcg_tb_lookup(tcg, host_pc);

    emu_count_unmark(e);
    if (tb) {
        ((uint8_t *)tb)[TB_HOW] |= TB_HOW_COUNTING;
        e->count.marked = tb;
    }
    return tb;
}

void emu_count_unmark(struct emu *e)
{
    if (e->count.marked)
        ((uint8_t *)e->count.marked)[TB_HOW] &= (uint8_t)~TB_HOW_COUNTING;
    e->count.marked = NULL;
}

bool cpu_restore_state_x86_64(struct CPUState *cpu, uintptr_t host_pc, bool will_exit)
{
    struct emu *e = emu_running;
    const bool found = e->real.cpu_restore_state(cpu, host_pc, will_exit);

    emu_count_unmark(e);
    return found;
}

/* The end of every restore: the number of instructions not executed has been added to the flag's lower half. */
void restore_state_to_opc_x86_64(struct CPUX86State *env, struct TranslationBlock *tb, uint64_t *data)
{
    struct emu *e = emu_running;
    uint16_t undone;

    memcpy(&undone, (uint8_t *)env + STOP_FLAG, 2);
    memset((uint8_t *)env + STOP_FLAG, 0, 2);
    emu_count_unmark(e);
    e->count.last_pc = data[0];
    if (e->count.peek)
        return;
    *counter(e) += undone;
    e->real.restore_state_to_opc(env, tb, data);
}

/* An exception that the translator foresaw is one in front of its block's last instruction, which was counted. */
void helper_raise_exception_x86_64(struct CPUX86State *env, int vector)
{
    ++*counter(emu_running);
    raise_exception_err_ra_x86_64(env, vector, 0, 0);
}

uint64_t emu_insn_at(struct emu *e, uintptr_t host_pc)
{
    e->count.peek = true;
    cpu_restore_state_x86_64(e->smc.cpu, host_pc, true);
    e->count.peek = false;
    return e->count.last_pc;
}

/* ----------------------------------------------------------------------------------------------------- our side -- */

uint32_t emu_count_note(struct emu *e) { return (uint32_t)counter(e)[1]; }
uint32_t emu_count_left(struct emu *e) { return *counter(e) > 0 ? (uint32_t)*counter(e) : 0; }
void emu_count_spend(struct emu *e, uint32_t n) { *counter(e) -= (int32_t)n; }

void emu_count_start(struct emu *e, uint64_t budget)
{
    *counter(e) = (int32_t)budget;
    *expired(e) = 0;
}

uint64_t emu_count_stop(struct emu *e, uint64_t budget)
{
    if (e->count.tail)
        tail(e, false);
    return budget - (uint64_t)(int64_t)*counter(e);
}
