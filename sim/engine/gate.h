// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Private to the gate (gate.c, gate_sse.c): an instruction, read from its start as far as a question about it asks.
 */
#ifndef SIM_ENGINE_GATE_H
#define SIM_ENGINE_GATE_H

#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/insn.h"

/* An instruction as far as it has been read. */
struct insn_head {
    struct emu *e;
    uint64_t pc;
    unsigned int len;
    struct insn_prefixes prefixes;
    bool code64, code16;
    bool vex, has_modrm;
    bool protected; /* neither real mode nor virtual-8086 mode */
    bool branches;  /* segment_code.c: its operand in memory, or what it pops, is where it goes to */
    uint8_t map, opcode, modrm;
};

/*
 * What the call in front of an instruction is told, if that is no check of an operand: a kind, and its argument, in 19
 * bits. The second word is its value.
 *
 *      CODE_REACH       value: an offset that is within the limit of CS, or the block is none
 *      CODE_TARGET      value: where it branches to
 *      CODE_CONDITION   the same, if the condition is true: that of Jcc, or LOOPNE, LOOPE, LOOP, JCXZ (16 to 19)
 *      CODE_REGISTER    it branches to where a register says
 *      CODE_SLOTS       so many words from there on are pushed or popped; value: from (E)SP on
 *      CODE_ENTER       argument: the level; value: bytes of room
 *      CODE_EXTRA_BITS  the operand that is checked next is so far from its address as the bit's number says
 *      CODE_EXTRA_AL    the same, as AL says
 */
enum code_check {
    CODE_REACH,
    CODE_TARGET,
    CODE_CONDITION,
    CODE_REGISTER,
    CODE_SLOTS,
    CODE_ENTER,
    CODE_EXTRA_BITS,
    CODE_EXTRA_AL
};
#define CODE_CHECK(kind, arg)       ((uint32_t)(kind) | (uint32_t)(arg) << 4)
#define CODE_SLOTS_ARG(n, v, write) ((unsigned int)(n) | ((v) == 4 ? 0x10u : 0) | ((write) ? 0x20u : 0))
#define CODE_WIDE                   0x20u /* of a CODE_CONDITION: ECX; of a CODE_ENTER: 32 bits */
#define CODE_OF_16                  8u    /* of a CODE_REGISTER */

static inline uint8_t gate_next_byte(struct insn_head *h)
{
    /* Past 15 bytes the translator raises #GP; until then it gets what it is shown. */
    if (h->len >= INSN_MAX_LEN)
        return 0;
    if (h->e->gate.limited)
        emu_code_limit(h->e, h->pc + h->len);
    return (uint8_t)h->e->real.cpu_ldub_code((struct CPUX86State *)(void *)h->e->raw.st, h->pc + h->len++);
}

static inline uint8_t gate_modrm(struct insn_head *h)
{
    if (!h->has_modrm) {
        h->has_modrm = true;
        h->modrm = gate_next_byte(h);
    }
    return h->modrm;
}

static inline bool gate_is_reg(struct insn_head *h) { return gate_modrm(h) >= 0xc0; }
static inline unsigned int gate_reg(struct insn_head *h) { return gate_modrm(h) >> 3 & 7; }

/* gate_sse.c: of map 1, what its mandatory prefix and operand decide. */
bool gate_sse_valid(struct insn_head *h);
/* Does CR0.EM make it #UD? */
bool gate_is_media(struct insn_head *h);
/*
 * segment.c: the checks that are due in front of it, into e->gate. Reads on behind what has been read, and is to be
 * asked last.
 */
void emu_segment_checks(struct insn_head *h);
/* Another check in front of it. */
void gate_check(struct insn_head *h, uint32_t what, int32_t value);
/* segment_code.c: where it branches to, of code whose segment has a limit; and what ENTER accesses. */
void gate_branch(struct insn_head *h);
/* What its operand needs, if that is in memory. */
enum emu_operand gate_sse_operand(const struct insn_head *h);
/* The instruction is valid, but the translator would misread it: note in e->gate what it is to be shown. */
void gate_rewrite(struct insn_head *h);
uint8_t gate_shown_prefix(const struct emu *e, uint8_t byte);

#endif
