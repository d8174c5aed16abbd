// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate's rules for SSE and MMX, and for valid instructions that the translator misreads.
 *
 * Concept: in these opcodes 66, F2 and F3 are no prefixes but a part of the opcode; of several, F2 and F3 count before
 * 66, and the last of those two. Which of the four (none, 66, F3, F2) exist is in a table. The translator takes many of
 * those that do not exist for one that does. (What it refuses by itself is not all repeated here.)
 *
 * Conversely it reads some that exist wrongly. These are shown to it in a form that it reads as the processor does:
 *
 *      F6 /1, F7 /1         another TEST: with reg 0
 *      LAHF, SAHF with REX  would be of SPL: DS in place of REX
 *      LOCK NEG             flags of the number before it is negated: without LOCK, which nobody here can tell
 *      CMPPS and its kind   only three bits of the predicate count
 *      0F 18 /4.., or of a register     a NOP: 0F 1F
 *      REX in front of MMX  of SSSE3: there are eight registers, and behind the eighth the translator finds other state
 *      REX.R in front of C6, C7   where reg is a part of the opcode: it takes 8 for a reg that does not exist
 *      F3 0F BC             BSF, for there is no TZCNT
 *      66 beside F3 or F2   it would prefer 66; F3 beside F2, it would prefer F3: shown as the one that counts
 *
 * Sources: AMD APM volume 3, 1.2.1 (the order of prefixes) and appendix A, tables; volumes 4 and 5.
 */
#include "sim/engine/gate.h"

enum { NP = 1, P66 = 2, PF3 = 4, PF2 = 8, MEM = 16, REG = 32, BOTH = MEM | REG };

/* clang-format off */
/* By opcode: the forms there are, and what their operand may be. 0: the prefixes have their ordinary meaning. */
static const uint8_t sse[256] = {
    [0x10 ... 0x11] = NP | P66 | PF3 | PF2 | BOTH, [0x12] = NP | P66 | PF3 | PF2 | BOTH, [0x13] = NP | P66 | MEM,
    [0x14 ... 0x15] = NP | P66 | BOTH,             [0x16] = NP | P66 | PF3 | BOTH,       [0x17] = NP | P66 | MEM,
    [0x28 ... 0x29] = NP | P66 | BOTH,             [0x2a] = NP | P66 | PF3 | PF2 | BOTH, [0x2b] = NP | P66 | MEM,
    [0x2c ... 0x2d] = NP | P66 | PF3 | PF2 | BOTH, [0x2e ... 0x2f] = NP | P66 | BOTH,    [0x50] = NP | P66 | REG,
    [0x51] = NP | P66 | PF3 | PF2 | BOTH,          [0x52 ... 0x53] = NP | PF3 | BOTH,    [0x54 ... 0x57] = NP | P66 | BOTH,
    [0x58 ... 0x5a] = NP | P66 | PF3 | PF2 | BOTH, [0x5b] = NP | P66 | PF3 | BOTH,
    [0x5c ... 0x5f] = NP | P66 | PF3 | PF2 | BOTH, [0x60 ... 0x6b] = NP | P66 | BOTH,    [0x6c ... 0x6d] = P66 | BOTH,
    [0x6e] = NP | P66 | BOTH,                      [0x6f] = NP | P66 | PF3 | BOTH,
    [0x70] = NP | P66 | PF3 | PF2 | BOTH,          [0x71 ... 0x73] = NP | P66 | REG,     [0x74 ... 0x76] = NP | P66 | BOTH,
    [0x77] = NP | BOTH,                            [0x7c ... 0x7d] = P66 | PF2 | BOTH,
    [0x7e ... 0x7f] = NP | P66 | PF3 | BOTH,       [0xc2] = NP | P66 | PF3 | PF2 | BOTH, [0xc3] = NP | MEM,
    [0xc4] = NP | P66 | BOTH,                      [0xc5] = NP | P66 | REG,              [0xc6] = NP | P66 | BOTH,
    [0xd0] = P66 | PF2 | BOTH,                     [0xd1 ... 0xd5] = NP | P66 | BOTH,    [0xd6] = P66 | PF3 | PF2 | BOTH,
    [0xd7] = NP | P66 | REG,                       [0xd8 ... 0xe5] = NP | P66 | BOTH,    [0xe6] = P66 | PF3 | PF2 | BOTH,
    [0xe7] = NP | P66 | MEM,                       [0xe8 ... 0xef] = NP | P66 | BOTH,    [0xf0] = PF2 | MEM,
    [0xf1 ... 0xf6] = NP | P66 | BOTH,             [0xf7] = NP | P66 | REG,              [0xf8 ... 0xfe] = NP | P66 | BOTH,
};
/* clang-format on */

static unsigned int form(const struct insn_head *h)
{
    return h->prefixes.repne ? PF2 : h->prefixes.rep ? PF3 : h->prefixes.p66 ? P66 : NP;
}

/* Shifts by a constant: left, right, and of words and doublewords right with the sign; of 16 bytes only with 66. */
static bool shift_valid(struct insn_head *h)
{
    switch (gate_reg(h)) {
    case 2:
    case 6: return true;
    case 4: return h->opcode != 0x73;
    case 3:
    case 7: return h->opcode == 0x73 && h->prefixes.p66;
    default: return false;
    }
}

bool gate_sse_valid(struct insn_head *h)
{
    const uint8_t may = sse[h->opcode];
    const unsigned int f = form(h);

    if (!may)
        return true;
    if (!(may & f) || h->opcode == 0x77) /* EMMS has no operand */
        return may & f;
    if (!(may & (gate_is_reg(h) ? REG : MEM)))
        return false;
    switch (h->opcode) {
    case 0x12:
    case 0x16: return f != P66 || !gate_is_reg(h); /* MOVLPD MOVHPD; MOVHLPS and MOVLHPS have no prefix */
    case 0x71 ... 0x73: return shift_valid(h);
    case 0xd6: return f == P66 || gate_is_reg(h); /* MOVQ2DQ MOVDQ2Q */
    default: return true;
    }
}

bool gate_is_media(struct insn_head *h)
{
    if (h->map == 1 && h->opcode == 0xae) /* LDMXCSR, STMXCSR */
        return !gate_is_reg(h) && (gate_reg(h) == 2 || gate_reg(h) == 3);
    return h->map == 1 ? sse[h->opcode] && h->opcode != 0xc3 : h->map == 3 || (h->map == 2 && h->opcode < 0xf0);
}

/*
 * ------------------------------------------------------------------------------------------------ operands in memory
 * --
 */

/* clang-format off */
/* By opcode: the forms whose operand has sixteen bytes and must be aligned. */
static const uint8_t aligned[256] = {
    [0x12] = PF3,                [0x14 ... 0x15] = NP | P66, [0x16] = PF3,                [0x28 ... 0x29] = NP | P66,
    [0x2b] = NP | P66,           [0x2c ... 0x2d] = P66,      [0x51] = NP | P66,           [0x52 ... 0x53] = NP,
    [0x54 ... 0x59] = NP | P66,  [0x5a] = P66,               [0x5b] = NP | P66 | PF3,     [0x5c ... 0x5f] = NP | P66,
    [0x60 ... 0x6d] = P66,       [0x6f] = P66,               [0x70] = P66 | PF3 | PF2,    [0x74 ... 0x76] = P66,
    [0x7c ... 0x7d] = P66 | PF2, [0x7f] = P66,               [0xc2] = NP | P66,           [0xc6] = NP | P66,
    [0xd0] = P66 | PF2,          [0xd1 ... 0xd5] = P66,      [0xd8 ... 0xe5] = P66,       [0xe6] = P66 | PF2,
    [0xe7 ... 0xef] = P66,       [0xf1 ... 0xf6] = P66,      [0xf8 ... 0xfe] = P66,
};
/* clang-format on */

/* Maps 2 and 3, of XMM registers: all but what reads less than sixteen bytes, and PCMPESTRI and its kind. */
static bool aligned_38(uint8_t opcode)
{
    return !(opcode >= 0x20 && opcode <= 0x25) && !(opcode >= 0x30 && opcode <= 0x35);
}
static bool aligned_3a(uint8_t opcode)
{
    return !(opcode >= 0x14 && opcode <= 0x22) && !(opcode >= 0x60 && opcode <= 0x63);
}

enum emu_operand gate_sse_operand(const struct insn_head *h)
{
    const unsigned int f = form(h);

    switch (h->map << 8 | h->opcode) {
    case 0x12c:
    case 0x12d: /* CVTTPS2PI CVTPS2PI, CVTPS2PD */
    case 0x15a:
        if (f == NP)
            return OPERAND_8;
        break;
    case 0x1e6: /* CVTDQ2PD */
        if (f == PF3)
            return OPERAND_8;
        break;
    case 0x160 ... 0x162: /* PUNPCKLBW PUNPCKLWD PUNPCKLDQ of MMX */
        if (f == NP)
            return OPERAND_4;
        break;
    case 0x30a: return OPERAND_4; /* ROUNDSS ROUNDSD */
    case 0x30b: return OPERAND_8;
    }
    switch (h->map) {
    case 1: return aligned[h->opcode] & f ? OPERAND_ALIGNED : OPERAND_WHOLE;
    case 2: return f == P66 && h->opcode < 0xf0 && aligned_38(h->opcode) ? OPERAND_ALIGNED : OPERAND_WHOLE;
    case 3: return f == P66 && aligned_3a(h->opcode) ? OPERAND_ALIGNED : OPERAND_WHOLE;
    default: return OPERAND_WHOLE;
    }
}

/*
 * -------------------------------------------------------------------------------------------- what is shown otherwise
 * --
 */

/* A byte of the instruction reads as another. */
static void show(struct insn_head *h, unsigned int at, uint8_t byte)
{
    h->e->gate.has_byte = true;
    h->e->gate.byte_at = (uint8_t)at;
    h->e->gate.byte = byte;
}

/* Read on behind the ModRM byte, to the immediate byte. */
static uint8_t read_imm8(struct insn_head *h)
{
    const unsigned int mod = gate_modrm(h) >> 6, rm = h->modrm & 7;
    const bool wide = h->code64 || h->code16 == h->prefixes.p67; /* 32-bit addresses, or 64-bit ones */
    unsigned int skip = mod == 1 ? 1 : mod == 2 ? (wide ? 4 : 2) : 0;

    if (mod == 0 && rm == (wide ? 5 : 6))
        skip = wide ? 4 : 2;
    if (mod != 3 && wide && rm == 4 && (gate_next_byte(h) & 7) == 5 && mod == 0)
        skip = 4;
    while (skip--)
        gate_next_byte(h);
    return gate_next_byte(h);
}

/*
 * BSF, in front of which F3 means nothing here; the translator would take it for BMI1's TZCNT, and pays no heed to F2.
 */
static bool is_bsf(const struct insn_head *h) { return h->map == 1 && h->opcode == 0xbc; }

void gate_rewrite(struct insn_head *h)
{
    const bool is_sse = h->map == 1 && sse[h->opcode];

    if (h->prefixes.repne || h->prefixes.rep) {
        h->e->gate.nr_prefixes = h->prefixes.nr;
        h->e->gate.rep = h->prefixes.repne || is_bsf(h) ? 0xf2 : 0xf3;
        h->e->gate.hides_66 = is_sse;
    }
    if (h->prefixes.rex && h->map >= 2 && !h->prefixes.p66 && !h->prefixes.rep && !h->prefixes.repne &&
        h->opcode < 0x20) /* R, and B of a register */
        show(h, h->prefixes.nr - 1, h->prefixes.rex & (gate_is_reg(h) ? 0xfa : 0xfb));
    if (h->prefixes.rex && h->map == 0 && (h->opcode & 0xfe) == 0xc6)
        show(h, h->prefixes.nr - 1, h->prefixes.rex & 0xfb);
    if (h->map == 0 && (h->opcode & 0xfe) == 0xf6 && gate_reg(h) == 1)
        show(h, h->len - 1, h->modrm & 0xc7);
    if (h->map == 0 && (h->opcode & 0xfe) == 0x9e && h->prefixes.rex)
        show(h, h->prefixes.nr - 1, 0x3e);
    if (h->map == 0 && (h->opcode & 0xfe) == 0xf6 && gate_reg(h) == 3 && h->prefixes.lock) {
        h->e->gate.nr_prefixes = h->prefixes.nr;
        h->e->gate.hides_lock = true;
    }
    if (h->map == 1 && h->opcode == 0x18)
        show(h, h->len - 1, 0x1f);
    if (h->map == 1 && h->opcode == 0xc2) {
        const uint8_t predicate = read_imm8(h);

        show(h, h->len - 1, predicate & 7);
    }
}

uint8_t gate_shown_prefix(const struct emu *e, uint8_t byte)
{
    if (byte == 0xf0 && e->gate.hides_lock)
        return 0xf2; /* nothing to NEG */
    return byte == 0xf2 || byte == 0xf3 || (byte == 0x66 && e->gate.hides_66) ? e->gate.rep : byte;
}
