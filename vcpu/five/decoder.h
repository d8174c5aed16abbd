// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands behind an opcode (decoder.c), for the opcode maps of interp_decode.c. */
#ifndef VCPU_FIVE_DECODER_H
#define VCPU_FIVE_DECODER_H

#include "vcpu/five/interp.h"

struct decoder {
    const uint8_t *bytes;
    size_t n, at;
    bool code64, short_of; /* bytes are missing */
    bool p66, p67, repne, lock;
    uint8_t rex, digit; /* ModRM.reg, where it is a part of the opcode */
    struct interp_insn *in;
};

/* The next bytes; 0, and short_of, if there are too few. */
uint64_t decoder_take(struct decoder *d, unsigned int size);
void decoder_refuse(struct decoder *d, const char *text);
/* A byte register by its number: without REX, 4 to 7 are AH CH DH BH. */
uint8_t decoder_byte_reg(const struct decoder *d, uint8_t reg);
/* An immediate operand, sign-extended: of 1, 2, or else 4 bytes. */
void decoder_immediate(struct decoder *d, unsigned int size);
/* ModRM, with two operands of the size that bit 0 of the opcode says; */
void decoder_rm_reg(struct decoder *d, enum interp_op op, uint8_t opcode, bool to_reg);
/* with one of that size, 0: as prefixes say. */
void decoder_to_rm(struct decoder *d, enum interp_op op, uint8_t size);
/* In 64-bit code it is of 64 bits whatever REX.W says: stack, near transfers. */
void decoder_wide(struct decoder *d);
/* The operand is a register in the opcode's lowest bits. */
void decoder_in_opcode(struct decoder *d, enum interp_op op, uint8_t opcode);

#endif
