// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An instruction that the hypervisor carries out in the processor's place: what it is (decode.c), what it computes
 * (alu.c), and doing it (emulate_op.c, emulate_string.c, emulate_move.c; emulate_memory.c what they stand on).
 *
 *      prefixes   [REX]  opcode           ModRM        SIB          displacement  immediate
 *      0..        64-bit 1 byte, 0F .,    |mod|reg|rm| |scl|idx|bas| 0, 1, 2, 4   0, 1, 2, 4, 8
 *                 code   0F 38 .           2   3   3    2   3   3
 *
 * Source: AMD APM volume 3, chapter 1 and appendix A.
 */
#ifndef VCPU_HVM_EMULATE_H
#define VCPU_HVM_EMULATE_H

#include "sim/insn.h"
#include "vcpu/hvm/hvm.h"

/* --- decode.c --- */

enum hvm_opcode_map { MAP_ONE, MAP_0F, MAP_0F38 };

struct hvm_insn {
    struct insn_prefixes p;
    uint8_t map; /* enum hvm_opcode_map */
    uint8_t op, modrm, len;
    uint8_t code_bits;
    uint8_t size;      /* bytes of the operation: 1, 2, 4, 8 */
    uint8_t addr_size; /* of offsets, RCX, RSI, RDI: 2, 4, 8 */
    uint8_t seg;       /* of the memory operand, or RSI's */
    uint64_t offset;   /* of the memory operand in it, cut to addr_size */
    uint64_t imm;      /* sign-extended */
};

#define MODRM_REG(in) ((in)->modrm >> 3 & 7u)
/* The register that ModRM.reg names. */
#define INSN_REGISTER(in) (MODRM_REG(in) | ((in)->p.rex & 4u) << 1)

/* n bytes at RIP. False: they are no whole instruction, or none that is known here. */
bool hvm_decode(const struct cpu_state *r, const uint8_t *code, size_t n, struct hvm_insn *in);
/* Bits 0 to 8 * size - 1. */
static inline uint64_t hvm_cut(uint64_t val, unsigned int size)
{
    return size >= 8 ? val : val & ((UINT64_C(1) << 8 * size) - 1);
}

/* --- alu.c: results, cut to size; of *flags the arithmetic ones change as the instruction changes them --- */

/* As ModRM.reg numbers them in opcodes 80 to 83, and bits 3 to 5 of opcodes 00 to 3F. */
enum alu_binary { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
uint64_t alu_binary(enum alu_binary op, uint64_t a, uint64_t b, unsigned int size, uint64_t *flags);
uint64_t alu_inc(uint64_t a, unsigned int size, uint64_t *flags);
uint64_t alu_dec(uint64_t a, unsigned int size, uint64_t *flags);
uint64_t alu_neg(uint64_t a, unsigned int size, uint64_t *flags);
/* As ModRM.reg numbers them in opcodes C0, C1, D0 to D3; count as in CL. */
uint64_t alu_shift(unsigned int op, uint64_t a, unsigned int count, unsigned int size, uint64_t *flags);
/* SHLD, SHRD: bits of b come in. */
uint64_t alu_shift_double(bool left, uint64_t a, uint64_t b, unsigned int count, unsigned int size, uint64_t *flags);
/* MUL, IMUL of RAX; RDX (AH) gets the upper half. */
void alu_multiply(bool is_signed, uint64_t b, unsigned int size, uint64_t *rax, uint64_t *rdx, uint64_t *flags);
/* DIV, IDIV of RDX:RAX (AX). False: #DE. */
bool alu_divide(bool is_signed, uint64_t b, unsigned int size, uint64_t *rax, uint64_t *rdx);
/* IMUL with two or three operands. */
uint64_t alu_imul(uint64_t a, uint64_t b, unsigned int size, uint64_t *flags);
/* A condition of Jcc, SETcc, CMOVcc: the opcode's lower four bits. */
bool alu_condition(unsigned int cc, uint64_t flags);

/* --- emulate_memory.c --- */

struct emul {
    struct vcpu *v;
    struct cpu_state *r;
    struct hvm_insn in;
    uint64_t flags; /* RFLAGS as they will be */
    bool unknown;   /* it is none that is carried out here */
};

/* Bytes of memory, found and allowed: those of up to two pages, each of which is RAM, or somebody's who answers. */
struct emul_place {
    unsigned int nr, n;
    struct emul_part {
        enum { PART_RAM, PART_MMIO, PART_LOST } kind; /* LOST: what is written has no effect */
        uint64_t at;                                  /* machine address, or guest-physical */
        unsigned int n;
    } part[2];
};

/*
 * These are false when there is nothing more to do: a fault was delivered, or an answer is waited for. A place is
 * asked for with the rights of the access; to read and to write: write.
 */
bool emul_place(struct emul *e, unsigned int seg, uint64_t offset, unsigned int n, bool write, struct emul_place *p);
bool emul_read(struct emul *e, const struct emul_place *p, void *buf);
bool emul_write(struct emul *e, const struct emul_place *p, const void *buf);
bool emul_fault(struct emul *e, unsigned int vector, uint32_t error_code);
/* The operand of ModRM. */
bool emul_operand(struct emul *e, unsigned int n, bool write, struct emul_place *p);

uint64_t emul_reg(const struct emul *e, unsigned int nr, unsigned int size);
void emul_set_reg(struct emul *e, unsigned int nr, unsigned int size, uint64_t val);

/* The linear address. */
uint64_t emul_linear(const struct emul *e, unsigned int seg, uint64_t offset);

/* emulate_string.c: MOVS, CMPS, STOS, LODS, SCAS, with or without REP. It steps over the instruction itself. */
void emul_string(struct emul *e);
/* emulate_move.c: moves from and to MMX and XMM registers. */
bool emul_sse_move(struct emul *e);
/* emulate_x87.c: opcodes D8 to DF. */
bool emul_x87(struct emul *e);

/* emulate_op.c: e->in, but for RIP and flags, which are to be e->flags. False as above, or e->unknown. */
bool emul_operation(struct emul *e);
/*
 * emulate.c: the instruction at RIP, all of it, or again from its beginning. *string: it is one of a string. False: it
 * is none that is known here, and nothing was done.
 */
bool hvm_emulate_at(struct vcpu *v, bool *string);
/* The same, and #GP for what is not known; there is no memory at gpa. */
void hvm_emulate(struct vcpu *v, uint64_t gpa);

#endif
