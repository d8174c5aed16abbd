// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counting guest instructions, and stopping when the budget is used up.
 *
 * Concept: virtual time is counted in instructions, so the count must be exact, cheap, and a function of the guest alone. The
 * translator opens each block with a test of a flag, "has anybody asked to stop?". The test is replaced by a
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
 * N is known only when the block has been translated, so the constant is filled in at the end. A block that faults in its
 * middle has counted instructions that did not execute: when the emulator restores the registers from its tables it also
 * computes how many, if told that the block is a counting one. So the count is exact at every exit.
 * A budget that ends inside a block is stretched to the end of that block. A block that claims an N beyond every budget leaves at
 * once, always: so a breakpoint stops (debug.c).
 *
 * The counter lies in DR4, which the processor does not have, so that the translated code reaches it from its base register;
 * `expired` lies in DR5. A repeated string instruction counts as one instruction an iteration, and one for the
 * look at the count that ends it.
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"

/* Known of Unicorn 2.1.1's translator; emu_private_find() lets no other version come here. */
enum {
    TCG_OP_MOVI_I32 = 6,
    TCG_OP_LD_I32 = 13,
    TCG_OP_ST_I32 = 16,
    TCG_OP_ADD_I32 = 17,
    TCG_OP_SUB_I32 = 18,
    TCG_OP_ARG_0 = 0x18, /* in an operation: its first argument */
    TCG_OP_ARG_1 = 0x20,
    STOP_FLAG = -16, /* from the processor's state; its lower half is where a restore reports to */
    EXIT_REQUESTED = 3,
    BLOCK_PC_NEXT = 0x10, /* in struct DisasContextBase */
    BLOCK_IS_JMP = 0x18,
    BLOCK_NUM_INSNS = 0x1c,
    IS_JMP_NEXT = 0, /* values of is_jmp: go on; the block ends in front of pc_next */
    IS_JMP_TOO_MANY = 1,
    TCG_NR_TEMPS = 0x30, /* in struct TCGContext */
    TCG_MAX_TEMPS = 512,
    TCG_TEMPS_SPARE = 128, /* more than any one instruction uses */
    TB_FLAGS = 0x1a,       /* in struct TranslationBlock */
    TB_FLAG_COUNTING = 0x02,
};

/* What the translator is told to do with a block; beyond these it calls nothing. */
struct translator_ops {
    void *init_disas_context, *tb_start, *insn_start, *breakpoint_check;
    void (*translate_insn)(struct DisasContextBase *db, struct CPUState *cpu);
    void *tb_stop;
};

static int32_t *counter(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, 4); }
static int32_t *expired(struct emu *e) { return (int32_t *)(void *)raw_dr(&e->raw, 5); }
static intptr_t counter_offset(struct emu *e) { return e->raw.at.dr + 4 * 8; }
static intptr_t note_offset(struct emu *e) { return e->raw.at.dr + 4 * 8 + 4; }
static intptr_t expired_offset(struct emu *e) { return e->raw.at.dr + 5 * 8; }

/* -------------------------------------------------------------------------------------------- translating a block -- */

static int32_t *block_is_jmp(struct DisasContextBase *db) { return (int32_t *)(void *)((uint8_t *)db + BLOCK_IS_JMP); }
static int32_t *block_num_insns(struct DisasContextBase *db)
{
    return (int32_t *)(void *)((uint8_t *)db + BLOCK_NUM_INSNS);
}

/* Temporaries are never given back within a block by some instructions (x87, PUSHF), and nothing stops the translator. */
static bool temps_run_out(const struct emu *e)
{
    int32_t n;

    memcpy(&n, (const uint8_t *)e->count.tcg + TCG_NR_TEMPS, sizeof(n));
    BUG_ON(n < 0 || n > TCG_MAX_TEMPS);
    return n > TCG_MAX_TEMPS - TCG_TEMPS_SPARE;
}

/* temp = immediate; the operation is returned so that the immediate can be filled in later. */
static uint8_t *emit_movi(struct TCGContext *tcg, struct TCGTemp *temp, uint64_t value)
{
    uint8_t *op = (uint8_t *)tcg_emit_op_x86_64(tcg, TCG_OP_MOVI_I32);

    memcpy(op + TCG_OP_ARG_0, &temp, 8);
    memcpy(op + TCG_OP_ARG_1, &value, 8);
    return op;
}

/* What the call that follows is to know. */
static void emit_note(struct emu *e, uint32_t value)
{
    struct TCGContext *tcg = e->count.tcg;
    struct TCGTemp *temp = tcg_temp_new_internal_x86_64(tcg, 0, false);

    emit_movi(tcg, temp, value);
    e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, (uintptr_t)temp, (uintptr_t)e->count.env_temp, (uintptr_t)note_offset(e));
    tcg_temp_free_internal_x86_64(tcg, temp);
}

static void call(struct emu *e, void (*helper)(struct CPUX86State *env))
{
    void *function;

    memcpy(&function, &helper, sizeof(function));
    tcg_gen_callN_x86_64(e->count.tcg, function, NULL, 1, (struct TCGTemp **)&e->count.env_temp);
}

/*
 * One instruction, if the gate lets it pass (gate.c). Under the mark of a counting block the translator ends a block where
 * the next instruction might reach into the next page; otherwise a fault on that page would be reported in front of the
 * whole block.
 */
static void translate_insn(struct DisasContextBase *db, struct CPUState *cpu)
{
    struct emu *e = emu_running;
    uint8_t *flags = (uint8_t *)e->count.tb + TB_FLAGS;
    enum gate_answer answer;
    uint64_t next;

    memcpy(&e->gate.pc, (uint8_t *)db + BLOCK_PC_NEXT, sizeof(e->gate.pc));
    answer = emu_gate(e, e->gate.pc);
    if ((answer == GATE_OPENS || answer == GATE_FLAGS) && *block_num_insns(db) > 1) {
        --*block_num_insns(db); /* it was counted already; as nothing was translated, the block ends in front of it */
        *block_is_jmp(db) = IS_JMP_TOO_MANY;
        return;
    }
    e->gate.refused = answer == GATE_INVALID;
    if (answer == GATE_FLAGS)
        call(e, helper_clac_x86_64);
    if (answer == GATE_FRAME)
        call(e, helper_stac_x86_64);
    if (answer == GATE_STRING) {
        emit_note(e, e->gate.string);
        call(e, helper_clgi_x86_64);
    }
    *flags |= TB_FLAG_COUNTING;
    e->count.translate_insn(db, cpu);
    *flags &= (uint8_t)~TB_FLAG_COUNTING;
    e->gate.refused = false;
    if (answer == GATE_FRAME && *block_is_jmp(db) == IS_JMP_NEXT)
        call(e, helper_stgi_x86_64);
    memcpy(&next, (uint8_t *)db + BLOCK_PC_NEXT, sizeof(next));
    if (*block_is_jmp(db) == IS_JMP_NEXT && (temps_run_out(e) || emu_debug_breaks(e, next)))
        *block_is_jmp(db) = IS_JMP_TOO_MANY;
}

void translator_loop_x86_64(const struct TranslatorOps *ops, struct DisasContextBase *db, struct CPUState *cpu,
                            struct TranslationBlock *tb, int max_insns)
{
    struct emu *e = emu_running;
    struct translator_ops own;

    BUG_ON(!e);
    e->smc.cpu = cpu;
    emu_smc_note_block(e, (uintptr_t)tb);
    memcpy(&own, ops, sizeof(own));
    e->count.translate_insn = own.translate_insn;
    own.translate_insn = translate_insn;
    max_insns = emu_debug_block(e, tb, max_insns);
    e->count.block = db;
    e->count.tb = tb;
    e->count.armed = true;
    e->gate.refused = false;
    e->real.translator_loop((const struct TranslatorOps *)&own, db, cpu, tb, max_insns);
    e->count.block = NULL;
}

/* Three-operand operations pass here; the first load of a block is the one of the flag. */
void tcg_gen_op3_x86_64(struct TCGContext *tcg, int opc, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
    struct emu *e = emu_running;
    struct TCGTemp *n;

    if (!e->count.armed || opc != TCG_OP_LD_I32 || (intptr_t)a3 != STOP_FLAG) {
        e->real.tcg_gen_op3(tcg, opc, a1, a2, a3);
        return;
    }
    e->count.armed = false;
    e->count.tcg = tcg;
    e->count.env_temp = (void *)a2;
    e->real.tcg_gen_op3(tcg, TCG_OP_LD_I32, a1, a2, (uintptr_t)counter_offset(e));
    n = tcg_temp_new_internal_x86_64(tcg, 0, false);
    e->count.patch = emit_movi(tcg, n, 0);
    e->real.tcg_gen_op3(tcg, TCG_OP_SUB_I32, a1, a1, (uintptr_t)n);
    e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, a1, a2, (uintptr_t)counter_offset(e));
    tcg_temp_free_internal_x86_64(tcg, n);
}

/*
 * The way out at `leave`, the last operation of a block: N is known now. Or the way out behind a SYSCALL, which is none if where to
 * go on can be found from within (lookup.c).
 */
void tcg_gen_exit_tb_x86_64(struct TCGContext *tcg, struct TranslationBlock *tb, unsigned int idx)
{
    struct emu *e = emu_running;

    if (!tb && !idx && e->gate.syscall && e->lookup.slots) {
        tcg_gen_lookup_and_goto_ptr_x86_64(tcg);
        return;
    }
    if (idx == EXIT_REQUESTED && e->count.block && e->count.patch) {
        const uintptr_t env = (uintptr_t)e->count.env_temp;
        struct TCGTemp *left = tcg_temp_new_internal_x86_64(tcg, 0, false);
        struct TCGTemp *n = tcg_temp_new_internal_x86_64(tcg, 0, false);
        uint64_t num_insns = 0;

        memcpy(&num_insns, (uint8_t *)e->count.block + BLOCK_NUM_INSNS, 4);
        if (e->debug.leaves)
            num_insns = EMU_DEBUG_LEAVE;
        memcpy((uint8_t *)e->count.patch + TCG_OP_ARG_1, &num_insns, 8);
        e->count.patch = NULL;
        emit_movi(tcg, n, num_insns);
        e->real.tcg_gen_op3(tcg, TCG_OP_LD_I32, (uintptr_t)left, env, (uintptr_t)counter_offset(e));
        e->real.tcg_gen_op3(tcg, TCG_OP_ADD_I32, (uintptr_t)left, (uintptr_t)left, (uintptr_t)n);
        e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, (uintptr_t)left, env, (uintptr_t)counter_offset(e));
        e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, (uintptr_t)n, env, (uintptr_t)expired_offset(e));
        tcg_temp_free_internal_x86_64(tcg, n);
        tcg_temp_free_internal_x86_64(tcg, left);
    }
    e->real.tcg_gen_exit_tb(tcg, tb, idx);
}

/* Tests of the flag in a block's middle would leave through the same exit: none. Nothing stops a block in its middle. */
void check_exit_request_x86_64(struct TCGContext *tcg) {}

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
    if (n) {
        e->count.extra += (uint64_t)(n - *counter(e));
        *counter(e) = n;
    }
    if (__builtin_expect(e->smc.buffer_full && e->stop == EMU_STOP_NONE, 0)) {
        e->count.held = *counter(e); /* no budget: the block that would be entered now leaves at once */
        *counter(e) = 0;
        emu_stop(e, EMU_STOP_FLUSH);
    }
}

void emu_count_resume(struct emu *e)
{
    *counter(e) = e->count.held;
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
        ((uint8_t *)tb)[TB_FLAGS] |= TB_FLAG_COUNTING;
        e->count.marked = tb;
    }
    return tb;
}

void emu_count_unmark(struct emu *e)
{
    if (e->count.marked)
        ((uint8_t *)e->count.marked)[TB_FLAGS] &= (uint8_t)~TB_FLAG_COUNTING;
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
    e->count.extra = 0;
    *counter(e) = (int32_t)budget;
    *expired(e) = 0;
}

uint64_t emu_count_stop(struct emu *e, uint64_t budget)
{
    return budget + e->count.extra - (uint64_t)(int64_t)*counter(e);
}
