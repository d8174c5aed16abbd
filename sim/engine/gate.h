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
    uint8_t map, opcode, modrm;
};

static inline uint8_t gate_next_byte(struct insn_head *h)
{
    /* Past 15 bytes the translator raises #GP; until then it gets what it is shown. */
    return h->len < INSN_MAX_LEN
               ? (uint8_t)h->e->real.cpu_ldub_code((struct CPUX86State *)(void *)h->e->raw.st, h->pc + h->len++)
               : 0;
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
/* What its operand needs, if that is in memory. */
enum emu_operand gate_sse_operand(const struct insn_head *h);
/* The instruction is valid, but the translator would misread it: note in e->gate what it is to be shown. */
void gate_rewrite(struct insn_head *h);
uint8_t gate_shown_prefix(const struct emu *e, uint8_t byte);

#endif
