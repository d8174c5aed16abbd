// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where code of limited segments may lie and go to, in a machine with exact segments; and what a stack is accessed for.
 *
 * Concept: a block is translated with the limit of CS that counts at that moment, and a block that obeys one limit
 * obeys all larger ones. So the first thing that a block does is to compare the last offset that it reaches, by its
 * own bytes and the targets of its branches, with the limit that counts now. If that is less, the block is given up and
 * translated anew, under that limit; it ends earlier then, so this happens once a limit at most. While a block is
 * translated:
 *
 *      an instruction that may lie beyond the limit     is the first of a block
 *      a byte of it does                                #GP, before anybody asks whether there is a page
 *      a branch goes beyond it                          it is checked when it is executed (a conditional one opens a block,
 *                                                       so that its flags are known), and the block does not count it
 *      a branch by a register, by memory, RET           it is always checked when it is executed
 *
 * Far transfers of protected mode are in segment_far.c.
 *
 * Sources: AMD APM volume 2, 4.12 (limits), volume 3 (ENTER, PUSHA, each branch); Intel SDM volume 3, 5.3.
 */
#include "sim/engine/gate.h"
#include "sim/engine/pcpu_private.h"

#define TYPE_WRITE  0x200u /* of data; of code: may be read */
#define TYPE_EXPAND 0x400u
#define TYPE_CODE   0x800u

/* -------------------------------------------------------------------------------------------- what they allow -- */

static bool is_flat(const struct raw_segment *s)
{
    return !s->base && s->limit == ~0u &&
           (s->flags & (_SEGMENT_P | TYPE_CODE | TYPE_EXPAND | TYPE_WRITE)) == (_SEGMENT_P | TYPE_WRITE);
}

bool emu_segments_flat(const struct emu *e, const struct raw_segment *seg)
{
    const struct raw_segment *cs = &seg[CPU_SEG_CS];

    return is_flat(&seg[CPU_SEG_DS]) && is_flat(&seg[CPU_SEG_ES]) && is_flat(&seg[CPU_SEG_SS]) &&
           (!e->m->exact_segments || (!cs->base && cs->limit == ~0u));
}

void emu_segments_changed(struct emu *e)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t);

    if (emu_segments_count(e, e->nested.on) && !(hf & (RAW_HF_CS64 | RAW_HF_ADDSEG)) &&
        !emu_segments_flat(e, raw_seg(&e->raw, 0)))
        raw_set(&e->raw, hflags, uint32_t, hf | RAW_HF_ADDSEG);
}

static bool within(const struct raw_segment *s, uint64_t first, uint64_t last, bool write, bool typed)
{
    if (typed) {
        if (!(s->flags & _SEGMENT_P) || (write && (s->flags & (TYPE_CODE | TYPE_WRITE)) != TYPE_WRITE) ||
            (s->flags & (TYPE_CODE | TYPE_WRITE)) == TYPE_CODE)
            return false;
        if ((s->flags & (TYPE_CODE | TYPE_EXPAND)) == TYPE_EXPAND)
            return first > s->limit && last <= (s->flags & _SEGMENT_DB ? UINT32_MAX : 0xffff);
    }
    return last <= s->limit || s->limit == UINT32_MAX;
}

bool emu_segment_allows(struct emu *e, const struct raw_segment *s, uint64_t at, unsigned int size, bool write)
{
    const bool typed =
        raw_get(&e->raw, hflags, uint32_t) & RAW_HF_PE && !(raw_get(&e->raw, eflags, uint64_t) & X86_EFLAGS_VM);

    return within(s, at, at + size - 1, write, typed);
}

/* ------------------------------------------------------------------------------------------------ at translation -- */

void gate_check(struct insn_head *h, uint32_t what, int32_t value)
{
    struct emu_gate *g = &h->e->gate;

    BUG_ON(g->nr_checks == ARRAY_SIZE(g->check));
    g->check[g->nr_checks].what = what;
    g->check[g->nr_checks++].disp = value;
}

static struct CPUX86State *env_of(struct emu *e) { return (struct CPUX86State *)(void *)e->raw.st; }

bool emu_code_ends(struct emu *e, uint64_t pc, bool first)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t);
    const struct raw_segment *cs = raw_seg(&e->raw, CPU_SEG_CS);
    const uint32_t at = (uint32_t)(pc - cs->base);

    e->gate.limited = e->m->exact_segments && (hf & RAW_HF_GUEST) && (hf & RAW_HF_ADDSEG) && !(hf & RAW_HF_CS64);
    if (!e->gate.limited)
        return false;
    e->gate.code_base = cs->base;
    e->gate.limit = cs->limit;
    if (at <= cs->limit && cs->limit - at >= INSN_MAX_LEN - 1)
        return false;
    if (first)
        emu_code_limit(e, pc);
    return !first;
}

void emu_code_limit(struct emu *e, uint64_t addr)
{
    if ((uint32_t)(addr - e->gate.code_base) > e->gate.limit)
        raise_exception_err_ra_x86_64(env_of(e), TRAP_gp_fault, 0, 0);
}

void emu_code_reaches(struct emu *e, uint64_t next)
{
    const uint32_t last = (uint32_t)(next - 1 - e->gate.code_base);

    if (e->gate.limited && last > e->gate.reach)
        e->gate.reach = last;
    if (e->gate.limited && e->gate.branch > e->gate.reach)
        e->gate.reach = e->gate.branch;
}

static uint32_t immediate(struct insn_head *h, unsigned int n)
{
    uint32_t val = 0;

    for (unsigned int i = 0; i < n; i++)
        val |= (uint32_t)gate_next_byte(h) << 8 * i;
    return n == 1 ? (uint32_t)(int8_t)val : val;
}

static bool is_wide(const struct insn_head *h) { return h->prefixes.p66 == h->code16; }

/* condition: CODE_CONDITION's, or -1. */
static void branch_to(struct insn_head *h, uint32_t target, int condition)
{
    struct emu *e = h->e;
    const uint32_t wide = h->prefixes.p67 == h->code16 ? CODE_WIDE : 0;

    if (target <= e->gate.limit) {
        e->gate.branch = target;
    } else if (condition < 0) {
        gate_check(h, CODE_CHECK(CODE_TARGET, 0), (int32_t)target);
    } else {
        e->gate.opens = true;
        gate_check(h, CODE_CHECK(CODE_CONDITION, (uint32_t)condition | wide), (int32_t)target);
    }
}

static void branch_relative(struct insn_head *h, unsigned int size, int condition)
{
    const uint32_t disp = immediate(h, size);
    const uint32_t target =
        (uint32_t)(h->pc + h->len - h->e->gate.code_base) + (size == 2 ? (uint32_t)(int16_t)disp : disp);

    branch_to(h, is_wide(h) ? target : target & 0xffff, condition);
}

static void branch_indirect(struct insn_head *h)
{
    const unsigned int reg = gate_reg(h);
    const bool near = reg == 2 || reg == 4, far = (reg == 3 || reg == 5) && !h->protected;

    if (near && gate_is_reg(h))
        gate_check(h, CODE_CHECK(CODE_REGISTER, (h->modrm & 7u) | (is_wide(h) ? 0 : CODE_OF_16)), 0);
    else
        h->branches = near || far;
}

void gate_branch(struct insn_head *h)
{
    const unsigned int word = is_wide(h) ? 4 : 2;

    if (h->map == 1 && (h->opcode & 0xf0) == 0x80)
        branch_relative(h, word, h->opcode & 15);
    if (h->map)
        return;
    switch (h->opcode) {
    case 0x70 ... 0x7f: branch_relative(h, 1, h->opcode & 15); break;
    case 0xe0 ... 0xe3: branch_relative(h, 1, 16 + (h->opcode & 3)); break;
    case 0xe8 ... 0xe9: branch_relative(h, word, -1); break;
    case 0xeb: branch_relative(h, 1, -1); break;
    case 0x9a:
    case 0xea:
        if (!h->protected)
            branch_to(h, immediate(h, word), -1);
        break;
    case 0xc2 ... 0xc3: h->branches = true; break;
    case 0xca ... 0xcb:
    case 0xcf: h->branches = !h->protected; break;
    case 0xff: branch_indirect(h); break;
    case 0xc8: {
        const int32_t room = (int32_t)immediate(h, 2);

        gate_check(h, CODE_CHECK(CODE_ENTER, (gate_next_byte(h) & 31u) | (word == 4 ? CODE_WIDE : 0)), room);
        break;
    }
    }
}

/* --------------------------------------------------------------------------------------------------- at run time -- */

void emu_code_target(struct emu *e, struct CPUX86State *env, uint32_t offset, uintptr_t host_pc)
{
    if (offset > raw_seg(&e->raw, CPU_SEG_CS)->limit)
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, host_pc);
}

/* The block goes beyond the limit that counts now: it is translated anew. Does not return. */
static void give_up(struct emu *e, uintptr_t host_pc)
{
    struct TranslationBlock *tb = e->real.tcg_tb_lookup(e->count.tcg, host_pc);

    BUG_ON(!tb);
    cpu_restore_state_x86_64(e->smc.cpu, host_pc, true);
    tb_phys_invalidate_x86_64(e->count.tcg, tb, UINT64_MAX);
    cpu_loop_exit_noexc_x86_64(e->smc.cpu);
}

/* Of Jcc, by the opcode's lower four bits: APM volume 3, table A-6 (rFLAGS condition codes). */
static bool condition_holds(uint64_t flags, unsigned int cond)
{
    const bool cf = flags & X86_EFLAGS_CF, zf = flags & X86_EFLAGS_ZF, sf = flags & X86_EFLAGS_SF,
               of = flags & X86_EFLAGS_OF, pf = flags & X86_EFLAGS_PF;
    const bool holds[8] = { of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of };

    return holds[cond >> 1] != (cond & 1);
}

static bool is_taken(struct emu *e, uint32_t arg)
{
    const uint64_t flags = raw_get_rflags(&e->raw, true);
    const unsigned int cond = arg & 0x1f;
    uint32_t count = (uint32_t)raw_gprs(&e->raw)[1];

    if (cond < 16)
        return condition_holds(flags, cond);
    if (!(arg & CODE_WIDE))
        count &= 0xffff;
    if (cond == 19) /* JCXZ */
        return !count;
    return count != 1 && (cond == 18 || !(flags & X86_EFLAGS_ZF) == (cond == 16));
}

/* A word of the stack, at an offset in it. */
static void stack_word(struct emu *e, struct CPUX86State *env, uint32_t offset, unsigned int size, bool write,
                       uintptr_t host_pc)
{
    if (!(raw_get(&e->raw, hflags, uint32_t) & RAW_HF_SS32))
        offset &= 0xffff;
    if (!emu_segment_allows(e, raw_seg(&e->raw, CPU_SEG_SS), offset, size, write))
        raise_exception_err_ra_x86_64(env, TRAP_stack_fault, 0, host_pc);
}

static void slots(struct emu *e, struct CPUX86State *env, uint32_t arg, uint32_t from, uintptr_t host_pc)
{
    const uint32_t sp = (uint32_t)raw_gprs(&e->raw)[4] + from;
    const unsigned int n = arg & 15, size = arg & 0x10 ? 4 : 2;

    for (unsigned int i = 0; i < n; i++)
        if (n != 8 || arg & 0x20 || i != 3) /* POPA passes over SP */
            stack_word(e, env, sp + i * size, size, arg & 0x20, host_pc);
}

/* It reads the outer frames' addresses, pushes as many words as its level says and one more, and tries the new top. */
static void enter(struct emu *e, struct CPUX86State *env, uint32_t arg, uint32_t room, uintptr_t host_pc)
{
    const uint32_t sp = (uint32_t)raw_gprs(&e->raw)[4], bp = (uint32_t)raw_gprs(&e->raw)[5];
    const unsigned int level = arg & 31, size = arg & CODE_WIDE ? 4 : 2, nr_pushed = level + 1;

    for (unsigned int i = 1; i < level; i++)
        stack_word(e, env, bp - i * size, size, false, host_pc);
    for (unsigned int i = 1; i <= nr_pushed; i++)
        stack_word(e, env, sp - i * size, size, true, host_pc);
    stack_word(e, env, sp - nr_pushed * size - room, size, true, host_pc);
}

void emu_code_check(struct emu *e, struct CPUX86State *env, uint32_t what, uint32_t value, uintptr_t host_pc)
{
    const uint32_t arg = what >> 4;
    const uint64_t *gpr = raw_gprs(&e->raw);
    const bool wide = arg & 8;

    switch ((enum code_check)(what & 15)) {
    case CODE_REACH:
        if (value > raw_seg(&e->raw, CPU_SEG_CS)->limit)
            give_up(e, host_pc);
        break;
    case CODE_TARGET: emu_code_target(e, env, value, host_pc); break;
    case CODE_CONDITION:
        if (is_taken(e, arg))
            emu_code_target(e, env, value, host_pc);
        break;
    case CODE_REGISTER:
        emu_code_target(e, env, (uint32_t)gpr[arg & 7] & (arg & CODE_OF_16 ? 0xffff : UINT32_MAX), host_pc);
        break;
    case CODE_SLOTS: slots(e, env, arg, value, host_pc); break;
    case CODE_ENTER: enter(e, env, arg, value, host_pc); break;
    case CODE_EXTRA_BITS:
        e->gate.extra_offset = (uint32_t)(wide ? ((int32_t)gpr[arg & 7] >> 5) * 4 : ((int16_t)gpr[arg & 7] >> 4) * 2);
        break;
    case CODE_EXTRA_AL: e->gate.extra_offset = (uint8_t)gpr[0]; break;
    }
}
