// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translating a block: what is put into it, and into its instructions' way.
 *
 * Concept: the translator is Unicorn's. It is watched at the three points where it calls its own functions: where a
 * block begins (translator_loop()), at each instruction (translate_insn()), and where it writes operations down
 * (tcg_gen_...()). There the rest of the engine is asked: whether the instruction is one (gate.c), whether somebody
 * breaks there (debug.c); and operations are put in: the count (count.c says how it works), and calls in front of
 * instructions, of functions that a GATE_ answer stands for. These are helpers of instructions that guests do not have
 * (CLAC, STAC, STGI, CLGI), for the translator calls only functions that it knows.
 *
 * Invariant: a block has fewer instructions than use up the translator's temporaries (temps_run_out()).
 */
#include "sim/engine/block.h"
#include "sim/engine/gate.h"
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
    EXIT_REQUESTED = 3,
    BLOCK_PC_NEXT = 0x10, /* in struct DisasContextBase */
    BLOCK_IS_JMP = 0x18,
    BLOCK_NUM_INSNS = 0x1c,
    IS_JMP_NEXT = 0, /* values of is_jmp: go on; the block ends in front of pc_next */
    IS_JMP_TOO_MANY = 1,
    TCG_NR_TEMPS = 0x30, /* in struct TCGContext */
    TCG_MAX_TEMPS = 512,
    TCG_TEMPS_SPARE = 128, /* more than any one instruction uses */
};

/* What the translator is told to do with a block; beyond these it calls nothing. */
struct translator_ops {
    void *init_disas_context, *tb_start, *insn_start, *breakpoint_check;
    void (*translate_insn)(struct DisasContextBase *db, struct CPUState *cpu);
    void *tb_stop;
};

/* Of what count.c counts with, from the processor's state. */
static intptr_t counter_offset(struct emu *e) { return e->raw.at.dr + COUNTER_DR * 8; }
static intptr_t note_offset(struct emu *e) { return counter_offset(e) + 4; }
static intptr_t expired_offset(struct emu *e) { return e->raw.at.dr + EXPIRED_DR * 8; }
static intptr_t note2_offset(struct emu *e) { return expired_offset(e) + 4; }

static int32_t *block_is_jmp(struct DisasContextBase *db) { return (int32_t *)(void *)((uint8_t *)db + BLOCK_IS_JMP); }
static int32_t *block_num_insns(struct DisasContextBase *db)
{
    return (int32_t *)(void *)((uint8_t *)db + BLOCK_NUM_INSNS);
}

/*
 * Temporaries are never given back within a block by some instructions (x87, PUSHF), and nothing stops the translator.
 */
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
static uint8_t *emit_note(struct emu *e, intptr_t where, uint32_t value)
{
    struct TCGContext *tcg = e->count.tcg;
    struct TCGTemp *temp = tcg_temp_new_internal_x86_64(tcg, 0, false);
    uint8_t *op = emit_movi(tcg, temp, value);

    e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, (uintptr_t)temp, (uintptr_t)e->count.env_temp, (uintptr_t)where);
    tcg_temp_free_internal_x86_64(tcg, temp);
    return op;
}

static void call(struct emu *e, void (*helper)(struct CPUX86State *env))
{
    void *function;

    memcpy(&function, &helper, sizeof(function));
    tcg_gen_callN_x86_64(e->count.tcg, function, NULL, 1, (struct TCGTemp **)&e->count.env_temp);
}

/* Returned: the operation with the value. */
static uint8_t *emit_check(struct emu *e, uint32_t what, uint32_t value)
{
    uint8_t *op;

    emit_note(e, note_offset(e), what);
    op = emit_note(e, note2_offset(e), value);
    call(e, helper_rsm_x86_64);
    return op;
}

/*
 * One instruction, if the gate lets it pass (gate.c). Under the mark of a counting block the translator ends a block
 * where the next instruction might reach into the next page; otherwise a fault on that page would be reported in front
 * of the whole block.
 */
static void translate_insn(struct DisasContextBase *db, struct CPUState *cpu)
{
    struct emu *e = emu_running;
    uint8_t *flags = (uint8_t *)e->count.tb + TB_HOW;
    const bool first = *block_num_insns(db) == 1;
    enum gate_answer answer = GATE_OPENS;
    uint64_t next;

    memcpy(&e->gate.pc, (uint8_t *)db + BLOCK_PC_NEXT, sizeof(e->gate.pc));
    if (!emu_code_ends(e, e->gate.pc, first))
        answer = emu_gate(e, e->gate.pc);
    if ((answer == GATE_OPENS || answer == GATE_FLAGS) && !first) {
        --*block_num_insns(db); /* it was counted already; as nothing was translated, the block ends in front of it */
        *block_is_jmp(db) = IS_JMP_TOO_MANY;
        return;
    }
    e->gate.refused = answer == GATE_INVALID;
    if (first && e->gate.limited)
        e->gate.reach_op = emit_check(e, CODE_CHECK(CODE_REACH, 0), 0);
    for (unsigned int i = 0; i < e->gate.nr_checks; i++)
        emit_check(e, e->gate.check[i].what, (uint32_t)e->gate.check[i].disp);
    if (answer == GATE_FLAGS)
        call(e, helper_clac_x86_64);
    if (answer == GATE_FRAME)
        call(e, helper_stac_x86_64);
    if (answer == GATE_STRING) {
        emit_note(e, note_offset(e), e->gate.string);
        call(e, helper_clgi_x86_64);
    }
    *flags |= TB_HOW_COUNTING;
    e->count.translate_insn(db, cpu);
    *flags &= (uint8_t)~TB_HOW_COUNTING;
    e->gate.refused = false;
    if (answer == GATE_FRAME && *block_is_jmp(db) == IS_JMP_NEXT)
        call(e, helper_stgi_x86_64);
    e->count.closed = e->gate.transfers;
    memcpy(&next, (uint8_t *)db + BLOCK_PC_NEXT, sizeof(next));
    emu_code_reaches(e, next);
    if (*block_is_jmp(db) == IS_JMP_NEXT &&
        (e->count.closed || e->gate.ends || temps_run_out(e) || emu_debug_breaks(e, next)))
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
    e->count.closed = false;
    e->gate.refused = false;
    e->gate.reach_op = NULL;
    e->gate.reach = 0;
    e->real.translator_loop((const struct TranslatorOps *)&own, db, cpu, tb, max_insns);
    e->count.block = NULL;
    e->gate.limited = false;
    if (e->gate.reach_op) {
        const uint64_t reach = e->gate.reach;

        memcpy(e->gate.reach_op + TCG_OP_ARG_1, &reach, sizeof(reach));
    }
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
 * The way out at `leave`, the last operation of a block: N is known now. Or the way out behind a SYSCALL, which is none
 * if where to go on can be found from within (lookup.c).
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
        if (e->count.closed && !e->debug.leaves)
            emit_movi(tcg, n, num_insns | EXPIRED_CLOSED);
        e->real.tcg_gen_op3(tcg, TCG_OP_ST_I32, (uintptr_t)n, env, (uintptr_t)expired_offset(e));
        tcg_temp_free_internal_x86_64(tcg, n);
        tcg_temp_free_internal_x86_64(tcg, left);
    }
    e->real.tcg_gen_exit_tb(tcg, tb, idx);
}

/*
 * Tests of the flag in a block's middle would leave through the same exit: none. Nothing stops a block in its middle.
 */
void check_exit_request_x86_64(struct TCGContext *tcg) {}
