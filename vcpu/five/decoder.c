// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of an instruction behind its opcode: ModRM, SIB, displacement, immediate. See interp_decode.c. */
#include "vcpu/five/decoder.h"

#include <string.h>

uint64_t decoder_take(struct decoder *d, unsigned int size)
{
    uint64_t val = 0;

    if (d->at + size > d->n) {
        d->short_of = true;
        return 0;
    }
    memcpy(&val, d->bytes + d->at, size);
    d->at += size;
    return val;
}

static int64_t take_signed(struct decoder *d, unsigned int size)
{
    return (int64_t)(decoder_take(d, size) << (64 - 8 * size)) >> (64 - 8 * size);
}

void decoder_refuse(struct decoder *d, const char *text)
{
    d->in->op = OP_REFUSED;
    d->in->text = text;
}

/* A byte register by its number: without REX, 4 to 7 are AH CH DH BH. */
uint8_t decoder_byte_reg(const struct decoder *d, uint8_t reg)
{
    return !d->rex && reg >= 4 && reg < 8 ? (reg - 4) | INTERP_HIGH : reg;
}

/* ------------------------------------------------------------------------------------------------------ operands -- */

static void sib(struct decoder *d, uint8_t mod)
{
    const uint8_t b = (uint8_t)decoder_take(d, 1);
    struct interp_insn *in = d->in;

    in->scale = b >> 6;
    in->index = (uint8_t)((b >> 3 & 7) | (d->rex & 2) << 2);
    if (in->index == 4)
        in->index = INTERP_NONE;
    in->base = (uint8_t)((b & 7) | (d->rex & 1) << 3);
    if ((b & 7) == 5 && mod == 0) {
        in->base = INTERP_NONE;
        in->disp = take_signed(d, 4);
    }
}

static void modrm(struct decoder *d)
{
    const uint8_t b = (uint8_t)decoder_take(d, 1), mod = b >> 6;
    struct interp_insn *in = d->in;

    d->digit = b >> 3 & 7;
    in->reg = (uint8_t)(d->digit | (d->rex & 4) << 1);
    in->rm = (uint8_t)((b & 7) | (d->rex & 1) << 3);
    in->is_mem = mod != 3;
    if (!in->is_mem)
        return;
    in->base = in->rm;
    if ((b & 7) == 4) {
        sib(d, mod);
    } else if ((b & 7) == 5 && mod == 0) {
        in->base = d->code64 ? INTERP_RIP : INTERP_NONE;
        in->disp = take_signed(d, 4);
    }
    if (mod == 1)
        in->disp = take_signed(d, 1);
    else if (mod == 2)
        in->disp = take_signed(d, 4);
}

/* The operand's size by bit 0 of the opcode: a byte, or as prefixes say. */
static void sized(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    if (!(opcode & 1)) {
        in->size = 1;
        in->reg = decoder_byte_reg(d, in->reg);
        if (!in->is_mem)
            in->rm = decoder_byte_reg(d, in->rm);
    }
}

void decoder_immediate(struct decoder *d, unsigned int size)
{
    d->in->has_imm = true;
    d->in->imm = (uint64_t)take_signed(d, size < 4 ? size : 4);
}

void decoder_rm_reg(struct decoder *d, enum interp_op op, uint8_t opcode, bool to_reg)
{
    d->in->op = op;
    modrm(d);
    sized(d, opcode);
    d->in->to_reg = to_reg;
}

void decoder_to_rm(struct decoder *d, enum interp_op op, uint8_t size)
{
    d->in->op = op;
    modrm(d);
    if (size)
        d->in->size = size;
}

/* In 64-bit code it is of 64 bits whatever REX.W says: stack, near transfers. */
void decoder_wide(struct decoder *d)
{
    if (d->code64 && !d->p66)
        d->in->size = 8;
}

/* A register in the opcode's lowest bits. */
void decoder_in_opcode(struct decoder *d, enum interp_op op, uint8_t opcode)
{
    d->in->op = op;
    d->in->is_mem = false;
    d->in->rm = (uint8_t)((opcode & 7) | (d->rex & 1) << 3);
}
