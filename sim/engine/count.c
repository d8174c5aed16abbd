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
 * also computes how many, if told that the block is a counting one. So the count is exact at every exit. A block that
 * claims an N beyond every budget leaves at once, always: so a breakpoint stops (debug.c).
 *
 * What becomes of a block that does not fit (struct pcpu_budget says what the ends of budgets are):
 *
 *      at the end of the budget, or where an observer stops     the run ends
 *      an exact end, or the observer's, is in it                blocks of one instruction from here on, until the end: another
 *                                                               family of translations, told apart by a bit of hflags
 *                                                               (debug.c has the drawing), and kept like the others
 *      neither: the budget is not exact                         it is given the N that it wants. If it ends with a transfer of
 *                                                               control, which `expired` tells beside N, the budget
 *                                                               ends behind it; else (it was too long, or ends at a
 *                                                               page's end or in front of a breakpoint) this is asked
 *                                                               again
 *
 * A block that was given N and is left in its middle, since it overwrites itself, is not what was given N: but the one
 * instruction is that it goes on with (restore_state_to_opc()).
 *
 * By CPL they are counted where that changes, and not in each block: an instruction that changes it is the last of its
 * block, and the way from there leads through the main loop or a hook of ours. What was executed since the last change
 * belongs to the CPL before, that instruction included.
 *
 * The counter lies in DR4, which the processor does not have, so that the translated code reaches it from its base
 * register; `expired` lies in DR5. A repeated string instruction counts as one instruction an iteration, and one for
 * the look at the count that ends it.
 */
#include "sim/engine/block.h"
#include "sim/engine/pcpu_private.h"

static int32_t *counter(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, COUNTER_DR); }
static int32_t *expired(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, EXPIRED_DR); }

#define NEVER    UINT64_MAX
#define CODE_SEG 1

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Instructions since the run began, as all positions here are. */
static uint64_t done(struct emu *e) { return e->count.given - (uint64_t)(int64_t)*counter(e); }

/* Blocks that end beyond this position do not fit. */
static void give(struct emu *e, uint64_t to)
{
    const uint64_t at = done(e);

    e->count.given = least(to, at + EMU_MAX_BUDGET);
    *counter(e) = (int32_t)(e->count.given - at);
}

/* All that was executed since the last change of CPL was so at that before. */
static void account(struct emu *e)
{
    const uint64_t at = done(e);

    if (e->loaded)
        e->loaded->state.insns_in[e->count.cpl] += at - e->count.cpl_since;
    e->count.cpl_since = at;
}

void emu_count_cpl(struct emu *e)
{
    const uint32_t cpl = raw_get(&e->raw, hflags, uint32_t) & RAW_HF_CPL;

    if (__builtin_expect(cpl == e->count.cpl, 1))
        return;
    account(e);
    e->count.cpl = cpl;
}

static uint64_t first_end(const struct emu_count *c) { return least(c->asked.insns, c->asked.stop_after); }

/* From here on: blocks of one instruction; quiet: those in which nothing breaks. No guest's breakpoints are loaded. */
static void tail(struct emu *e, bool on, bool quiet)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t) & ~(RAW_HF_SINGLE | (e->count.quiet ? RAW_HF_FAMILY : 0));

    e->count.tail = on;
    e->count.quiet = quiet;
    raw_set(&e->raw, hflags, uint32_t, hf | (on ? RAW_HF_SINGLE : 0) | (quiet ? RAW_HF_FAMILY : 0));
}

/* ------------------------------------------------------------------------------------------------ running blocks -- */

/* The run is to be interrupted. The block that would be entered now leaves at once. */
static void interrupt(struct emu *e, enum emu_stop cause)
{
    give(e, done(e));
    emu_stop(e, cause);
}

/* In front of an instruction where somebody breaks. */
static void breaks(struct emu *e)
{
    const uint64_t pc = raw_get(&e->raw, eip, uint64_t) + raw_seg(&e->raw, CODE_SEG)->base;

    if (emu_observe_breaks(e, pc) && !((e->count.asked.resume || e->count.asked.resume_break) && !done(e)))
        emu_stop(e, EMU_STOP_BREAK);
    else if (e->debug.loaded_family)
        emu_stop(e, EMU_STOP_DEBUG);
    else
        interrupt(e, EMU_STOP_QUIET);
}

static void does_not_fit(struct emu *e, uint32_t what)
{
    struct emu_count *c = &e->count;
    const uint64_t at = done(e), end = at + (what & (EXPIRED_CLOSED - 1));

    if (at >= c->end) {
        emu_stop(e, EMU_STOP_BUDGET);
    } else if (at >= c->asked.stop_after) {
        c->was_tail = c->tail && !c->quiet;
        emu_leave(e, EMU_STOP_LIMIT);
    } else if (what == EMU_DEBUG_LEAVE) {
        breaks(e);
    } else if (c->quiet && at > 0) {
        interrupt(e, EMU_STOP_USUAL);
    } else if (end > least(c->end, c->asked.stop_after)) {
        interrupt(e, EMU_STOP_TAIL);
    } else {
        if (end > c->asked.insns && (what & EXPIRED_CLOSED))
            c->end = end;
        give(e, c->quiet ? end : most(end, first_end(c)));
    }
}

/* Unicorn's main loop passes here before each block that it enters: did the last one not fit? */
void tb_exec_lock_x86_64(void *tcg)
{
    struct emu *e = emu_running;
    uint32_t what;

    if (!e)
        return;
    what = (uint32_t)*expired(e);
    *expired(e) = 0;
    emu_count_cpl(e);
    e->debug.inside = false; /* an access may have been left by a fault */
    if (__builtin_expect(!what && !e->smc.buffer_full, 1))
        return;
    if (e->stop != EMU_STOP_NONE)
        emu_stop(e, e->stop); /* in front of the first block of a run the library does not hear it */
    else if (what)
        does_not_fit(e, what);
    if (e->smc.buffer_full && e->stop == EMU_STOP_NONE)
        interrupt(e, EMU_STOP_FLUSH);
}

void emu_count_resume(struct emu *e)
{
    struct emu_count *c = &e->count;

    if (c->end > c->asked.insns && done(e) < c->end)
        c->end = NEVER; /* another block may be where one was given what it wanted */
    if (e->stop != EMU_STOP_FLUSH)
        tail(e, e->stop != EMU_STOP_USUAL, e->stop == EMU_STOP_QUIET);
    give(e, c->quiet ? done(e) : most(done(e), first_end(c)));
    *expired(e) = 0;
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
    const bool found = e->real.cpu_restore_state(cpu, e->count.helper_pc ?: host_pc, will_exit);

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
    e->count.undone = undone;
    if (e->count.peek)
        return;
    e->count.helper_pc = 0; /* it is left */
    *counter(e) += undone;
    if (undone > 1 && e->count.given > first_end(&e->count)) {
        e->count.end = NEVER;
        give(e, most(done(e) + 1, first_end(&e->count)));
    }
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
uint32_t emu_count_note2(struct emu *e) { return (uint32_t)expired(e)[1]; }
uint32_t emu_count_left(struct emu *e) { return *counter(e) > 0 ? (uint32_t)*counter(e) : 0; }
void emu_count_spend(struct emu *e, uint32_t n) { *counter(e) -= (int32_t)n; }

void emu_count_start(struct emu *e, const struct pcpu_budget *b)
{
    struct emu_count *c = &e->count;
    const uint64_t given = least(least(b->insns, b->stop_after), EMU_MAX_BUDGET);
    int32_t *left = counter(e), *out = expired(e);

    c->asked = *b;
    c->end = b->exact ? b->insns : NEVER;
    c->given = given;
    c->cpl = raw_get(&e->raw, hflags, uint32_t) & RAW_HF_CPL;
    c->cpl_since = c->helper_pc = 0;
    *left = (int32_t)given;
    *out = 0;
}

uint64_t emu_count_stop(struct emu *e)
{
    account(e);
    if (__builtin_expect(e->count.tail, 0))
        tail(e, false, false);
    return done(e);
}

#define FEW 4 /* instructions that are not worth another kind of blocks */

bool emu_count_steps(struct emu *e, const struct pcpu_budget *b)
{
    if (!e->count.was_tail || !b->stop_after || b->stop_after > FEW)
        return false;
    emu_count_start(e, b);
    tail(e, true, false);
    return true;
}

bool emu_count_resumes(struct emu *e, uintptr_t host_pc)
{
    return e->count.asked.resume && done(e) == emu_count_undone(e, host_pc);
}

uint64_t emu_count_undone(struct emu *e, uintptr_t host_pc)
{
    e->count.undone = 0;
    if (host_pc)
        emu_insn_at(e, host_pc);
    return e->count.undone;
}

uint64_t emu_count_block_end(struct emu *e) { return done(e); }

enum emu_stop emu_count_end(const struct emu *e, uint64_t at)
{
    return at >= e->count.end ? EMU_STOP_BUDGET : at >= e->count.asked.stop_after ? EMU_STOP_LIMIT : EMU_STOP_NONE;
}
