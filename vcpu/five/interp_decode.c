// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From bytes to an instruction.
 *
 *      prefixes [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 *
 *      REX    0100 W R X B        W: 64 bits; R X B: the fourth bit of a register's number in
 *      ModRM  mod  reg  r/m       mod 3: r/m is a register, else a base; r/m 4: a SIB; mod 0, r/m 5: RIP + 32 bits
 *      SIB    scale index base    index 4: none; mod 0, base 5: no base, 32 bits
 *
 * Concept: an opcode's row says which operands it has; the rest of the bytes is the same for all. Opcodes of which
 * many are alike (00 to 3F: eight operations in six forms each; 40 to 4F, 50 to 5F, 70 to 7F, B0 to BF) are taken by
 * their pattern, as the processor does.
 *
 * Budget: the opcode maps, which one reads side by side with the manual's.
 *
 * Source: AMD APM volume 3, 1.2 to 1.5, and appendix A, the opcode maps.
 */
#include "vcpu/five/decoder.h"

#include <string.h>

static void alu(struct decoder *d, uint8_t opcode)
{
    d->in->sub = opcode >> 3;
    if ((opcode & 7) < 4) {
        decoder_rm_reg(d, OP_ALU, opcode, opcode & 2);
        return;
    }
    decoder_in_opcode(d, OP_ALU, 0);
    d->in->rm = 0; /* the accumulator */
    if (!(opcode & 1))
        d->in->size = 1;
    decoder_immediate(d, d->in->size);
}

/* ------------------------------------------------------------------------------------------ groups: a digit more -- */

static void group3(struct decoder *d, uint8_t opcode)
{
    static const uint8_t ops[] = { OP_TEST, OP_TEST, OP_NOT, OP_NEG, OP_MUL, OP_IMUL, OP_DIV, OP_IDIV };

    decoder_rm_reg(d, OP_TEST, opcode, false);
    d->in->op = ops[d->digit];
    if (d->in->op == OP_TEST)
        decoder_immediate(d, d->in->size);
}

static void group5(struct decoder *d, uint8_t opcode)
{
    decoder_rm_reg(d, OP_INC, opcode, false);
    switch (d->digit) {
    case 0: break;
    case 1: d->in->op = OP_DEC; break;
    case 2: d->in->op = OP_CALL_RM; break;
    case 3:
    case 5: d->in->op = !d->in->is_mem ? OP_UD2 : d->digit == 3 ? OP_CALLF_RM : OP_JMPF_RM; return;
    case 4: d->in->op = OP_JMP_RM; break;
    case 6: d->in->op = OP_PUSH; break;
    case 7: d->in->op = OP_UD2; return;
    }
    if (d->in->op > OP_DEC)
        decoder_wide(d);
}

static void shift(struct decoder *d, uint8_t opcode)
{
    decoder_rm_reg(d, OP_SHIFT, opcode, false);
    d->in->sub = d->digit;
    if (opcode < 0xc2) {
        decoder_immediate(d, 1);
    } else if (opcode < 0xd2) {
        d->in->has_imm = true;
        d->in->imm = 1;
    }
}

/* 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW. 0F 01: the tables, INVLPG, SMSW, LMSW, VMMCALL, SWAPGS. */
static void group6_7(struct decoder *d, uint8_t opcode)
{
    static const uint8_t six[8] = { OP_SLDT, OP_STR, OP_LLDT, OP_LTR, OP_VERR, OP_VERW },
                         seven[8] = { OP_SGDT, OP_SIDT, OP_LGDT, OP_LIDT, OP_SMSW, 0, OP_LMSW, OP_INVLPG };
    struct interp_insn *in = d->in;

    decoder_to_rm(d, OP_REFUSED, 0);
    in->op = opcode ? seven[d->digit] : six[d->digit];
    if (!opcode && in->op != OP_STR && in->op != OP_SLDT)
        in->size = 2;
    if (opcode == 1 && !in->is_mem && in->op != OP_SMSW && in->op != OP_LMSW)
        in->op = d->digit == 3 && (in->rm & 7) == 1                ? OP_VMMCALL
                 : d->digit == 7 && (in->rm & 7) == 0 && d->code64 ? OP_SWAPGS
                                                                   : OP_REFUSED;
    if (in->op == OP_REFUSED)
        decoder_refuse(d, KNOWS_NO "such instruction of groups 6 and 7");
}

/* ---------------------------------------------------------------------------------------------------------- maps -- */

static void cr_or_dr(struct decoder *d, uint8_t opcode)
{
    decoder_to_rm(d, opcode == 0x20 ? OP_MOV_FROM_CR : opcode == 0x22 ? OP_MOV_TO_CR : OP_MOV_DR, d->code64 ? 8 : 4);
    d->in->sub = opcode & 2;
    if (d->in->is_mem) /* mod is not looked at: it is a register */
        decoder_refuse(d, KNOWS_NO "MOV of a control register with an odd ModRM");
}

/* Some of 0F A0 to C7: FS and GS, bits, and what is done in one piece. */
static void bits(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    switch (opcode) {
    case 0xa0 ... 0xa1:
    case 0xa8 ... 0xa9:
        in->op = opcode & 1 ? OP_POP_SEG : OP_PUSH_SEG;
        in->reg = opcode < 0xa8 ? CPU_SEG_FS : CPU_SEG_GS;
        decoder_wide(d);
        return;
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
        decoder_to_rm(d, OP_BIT, 0);
        in->sub = opcode >> 3 & 3; /* A3 AB B3 BB */
        return;
    case 0xae:
        decoder_to_rm(d, OP_NOP, 0);
        if (in->is_mem || d->digit < 5 || in->rep || d->p66) /* LFENCE, MFENCE, SFENCE */
            decoder_refuse(d, KNOWS_NO "such instruction of group 15");
        return;
    case 0xba:
        decoder_to_rm(d, OP_BIT, 0);
        in->sub = d->digit & 3;
        decoder_immediate(d, 1);
        if (d->digit < 4)
            in->op = OP_UD2;
        return;
    case 0xa4 ... 0xa5:
    case 0xac ... 0xad:
        decoder_to_rm(d, OP_SHIFT2, 0);
        in->sub = opcode >= 0xac;
        if (!(opcode & 1))
            decoder_immediate(d, 1);
        return;
    case 0xbc ... 0xbd:
        decoder_to_rm(d, OP_SCAN, 0);
        in->sub = opcode & 1;
        if (in->rep && in->sub)
            in->op = OP_LZCNT; /* F3 BSF is TZCNT where there is BMI1, which guests are not offered: BSF here */
        return;
    case 0xb0 ... 0xb1: decoder_rm_reg(d, OP_CMPXCHG, opcode, false); return;
    case 0xc0 ... 0xc1: decoder_rm_reg(d, OP_XADD, opcode, false); return;
    default:
        decoder_to_rm(d, OP_CMPXCHG2, d->rex & 8 ? 8 : 4);
        if (!in->is_mem && d->digit < 6)
            in->op = OP_UD2;
        else if (d->digit != 1)
            decoder_refuse(d, KNOWS_NO "such instruction of group 9");
        return;
    }
}

/* Behind 0F. */
static void two_bytes(struct decoder *d)
{
    const uint8_t opcode = (uint8_t)decoder_take(d, 1);
    struct interp_insn *in = d->in;

    switch (opcode) {
    case 0x00:
    case 0x01: group6_7(d, opcode); return;
    case 0x02 ... 0x03: decoder_to_rm(d, opcode == 2 ? OP_LAR : OP_LSL, 0); return;
    case 0x05: in->op = OP_SYSCALL; return;
    case 0x06: in->op = OP_CLTS; return;
    case 0x07: in->op = OP_SYSRET; return;
    case 0x08 ... 0x09: in->op = OP_WBINVD; return; /* and INVD */
    case 0x0b:
    case 0xb9:
    case 0xff: in->op = OP_UD2; return; /* and UD1, UD0 */
    case 0x0d:                          /* prefetches, and other hints */
    case 0x18 ... 0x1f: decoder_to_rm(d, OP_NOP, 0); return;
    case 0x20 ... 0x23: cr_or_dr(d, opcode); return;
    case 0x30: in->op = OP_WRMSR; return;
    case 0x31: in->op = OP_RDTSC; return;
    case 0x32: in->op = OP_RDMSR; return;
    case 0x40 ... 0x4f:
        in->sub = opcode & 15;
        decoder_to_rm(d, OP_CMOV, 0);
        return;
    case 0x80 ... 0x8f:
        in->op = OP_JCC;
        in->sub = opcode & 15;
        decoder_immediate(d, 4);
        return;
    case 0x90 ... 0x9f:
        in->sub = opcode & 15;
        decoder_rm_reg(d, OP_SETCC, 0, false);
        return;
    case 0xa2: in->op = OP_CPUID; return;
    case 0xa0 ... 0xa1:
    case 0xa3 ... 0xa5:
    case 0xae:
    case 0xa8 ... 0xa9:
    case 0xab ... 0xad:
    case 0xb0 ... 0xb1:
    case 0xb3:
    case 0xba ... 0xbd:
    case 0xc0 ... 0xc1:
    case 0xc7: bits(d, opcode); return;
    case 0xc8 ... 0xcf: decoder_in_opcode(d, OP_BSWAP, opcode); return;
    case 0xaf: decoder_to_rm(d, OP_IMUL2, 0); return;
    case 0xb6 ... 0xb7:
    case 0xbe ... 0xbf:
        decoder_to_rm(d, opcode < 0xb8 ? OP_MOVZX : OP_MOVSX, 0);
        in->from = opcode & 1 ? 2 : 1;
        if (in->from == 1 && !in->is_mem)
            in->rm = decoder_byte_reg(d, in->rm);
        return;
    default: decoder_refuse(d, KNOWS_NO "such opcode behind 0F"); return;
    }
}

/* The accumulator, and an address of all bits. */
static void mov_absolute(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    in->op = OP_MOV;
    in->to_reg = opcode < 0xa2;
    in->is_mem = true;
    in->size = opcode & 1 ? in->size : 1;
    in->disp = (int64_t)decoder_take(d, in->address_size);
}

/* What 64-bit code has not, and others have, but not here. */
static void only_32(struct decoder *d, const char *text)
{
    if (d->code64)
        d->in->op = OP_UD2;
    else
        decoder_refuse(d, text);
}

static void far_jump(struct decoder *d)
{
    d->in->op = OP_JMPF;
    d->in->imm = decoder_take(d, 4);
    d->in->disp = (int64_t)decoder_take(d, 2);
}

/* Of one byte: 80 to BF. */
static void third_quarter(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
        decoder_rm_reg(d, OP_ALU, opcode, false);
        in->sub = d->digit;
        decoder_immediate(d, opcode == 0x83 ? 1 : in->size);
        return;
    case 0x84 ... 0x85: decoder_rm_reg(d, OP_TEST, opcode, false); return;
    case 0x86 ... 0x87: decoder_rm_reg(d, OP_XCHG, opcode, false); return;
    case 0x88 ... 0x8b: decoder_rm_reg(d, OP_MOV, opcode, opcode & 2); return;
    case 0x8c: decoder_to_rm(d, OP_MOV_FROM_SEG, 0); return;
    case 0x8d:
        decoder_to_rm(d, OP_LEA, 0);
        if (!d->in->is_mem)
            d->in->op = OP_UD2;
        return;
    case 0x8e: decoder_to_rm(d, OP_MOV_TO_SEG, 2); return;
    case 0x8f: decoder_to_rm(d, OP_POP, 0), decoder_wide(d); return;
    case 0x90:
        in->op = in->rep ? OP_PAUSE : OP_NOP;
        if (d->rex & 1)
            decoder_in_opcode(d, OP_XCHG, opcode);
        return;
    case 0x91 ... 0x97: decoder_in_opcode(d, OP_XCHG, opcode); return;
    case 0x98: in->op = OP_SIGN_A; return;
    case 0x99: in->op = OP_SIGN_D; return;
    case 0x9a: only_32(d, KNOWS_NO "far CALL to an address in it"); return;
    case 0x9c: in->op = OP_PUSHF, decoder_wide(d); return;
    case 0x9d: in->op = OP_POPF, decoder_wide(d); return;
    case 0xa0 ... 0xa3: mov_absolute(d, opcode); return;
    case 0xa4 ... 0xa5:
    case 0xaa ... 0xab:
        in->op = opcode < 0xa8 ? OP_MOVS : OP_STOS;
        in->size = opcode & 1 ? in->size : 1;
        return;
    case 0xa8 ... 0xa9:
        decoder_in_opcode(d, OP_TEST, 0);
        in->rm = 0;
        in->size = opcode & 1 ? in->size : 1;
        decoder_immediate(d, in->size);
        return;
    case 0xb0 ... 0xb7:
        decoder_in_opcode(d, OP_MOV, opcode);
        in->size = 1;
        in->rm = decoder_byte_reg(d, in->rm);
        decoder_immediate(d, 1);
        return;
    case 0xb8 ... 0xbf:
        decoder_in_opcode(d, OP_MOV, opcode);
        in->has_imm = true;
        in->imm = decoder_take(d, in->size);
        return;
    default: decoder_refuse(d, KNOWS_NO "such opcode"); return;
    }
}

/* IN, OUT: the port is a byte, or DX. */
static void port_io(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    in->op = OP_IO;
    in->size = !(opcode & 1) ? 1 : d->p66 ? 2 : 4;
    in->sub = opcode & 2; /* OUT */
    in->has_imm = opcode < 0xe8;
    in->imm = in->has_imm ? decoder_take(d, 1) : 0;
}

/* C0 to FF. */
static void fourth_quarter(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    switch (opcode) {
    case 0xc0 ... 0xc1:
    case 0xd0 ... 0xd3: shift(d, opcode); return;
    case 0xc2: in->imm = decoder_take(d, 2); /* fallthrough */
    case 0xc3: in->op = OP_RET, decoder_wide(d); return;
    case 0xc6 ... 0xc7:
        decoder_rm_reg(d, OP_MOV, opcode, false);
        decoder_immediate(d, in->size);
        return;
    case 0xc9: in->op = OP_LEAVE, decoder_wide(d); return;
    case 0xcb: in->op = OP_RETF; return;
    case 0xcc:
        in->op = OP_INT;
        in->sub = X86_EXC_BP;
        return;
    case 0xcd:
        in->op = OP_INT;
        in->sub = (uint8_t)decoder_take(d, 1);
        return;
    case 0xcf: in->op = OP_IRET; return;
    case 0xd8 ... 0xdf: decoder_refuse(d, KNOWS_NO "x87 instruction"); return;
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef: port_io(d, opcode); return;
    case 0xe8: in->op = OP_CALL, decoder_immediate(d, 4), decoder_wide(d); return;
    case 0xe9: in->op = OP_JMP, decoder_immediate(d, 4); return;
    case 0xea:
        if (d->code64)
            in->op = OP_UD2;
        else
            far_jump(d);
        return;
    case 0xeb: in->op = OP_JMP, decoder_immediate(d, 1); return;
    case 0xf1: in->op = OP_ICEBP; return;
    case 0xf4: in->op = OP_HLT; return;
    case 0xf5:
    case 0xf8 ... 0xf9:
    case 0xfc ... 0xfd:
        in->op = OP_FLAG;
        in->sub = opcode;
        return;
    case 0xf6 ... 0xf7: group3(d, opcode); return;
    case 0xce: /* INTO */
    case 0xd4 ... 0xd6: /* AAM, AAD, SALC */ only_32(d, KNOWS_NO "decimal arithmetic, and INTO"); return;
    case 0xfa: in->op = OP_CLI; return;
    case 0xfb: in->op = OP_STI; return;
    case 0xfe ... 0xff: group5(d, opcode); return;
    default: decoder_refuse(d, KNOWS_NO "such opcode"); return;
    }
}

static void lower_half(struct decoder *d, uint8_t opcode)
{
    struct interp_insn *in = d->in;

    switch (opcode) {
    case 0x00 ... 0x3f:
        if ((opcode & 7) < 6) {
            alu(d, opcode);
        } else if (d->code64) {
            in->op = OP_UD2;
        } else if (opcode >= 0x20) {
            decoder_refuse(d, KNOWS_NO "decimal arithmetic");
        } else {
            in->op = opcode & 1 ? OP_POP_SEG : OP_PUSH_SEG;
            in->reg = opcode >> 3; /* ES CS SS DS, as they are numbered */
        }
        return;
    case 0x40 ... 0x4f: decoder_in_opcode(d, opcode < 0x48 ? OP_INC : OP_DEC, opcode); return; /* in 64-bit code: REX */
    case 0x50 ... 0x5f: decoder_in_opcode(d, opcode < 0x58 ? OP_PUSH : OP_POP, opcode), decoder_wide(d); return;
    case 0x60 ... 0x61: in->op = d->code64 ? OP_UD2 : opcode & 1 ? OP_POPA : OP_PUSHA; return;
    case 0x63:
        decoder_to_rm(d, OP_MOVSX, 0);
        in->from = 4;
        if (!d->code64)
            decoder_refuse(d, KNOWS_NO "ARPL");
        return;
    case 0x68: in->op = OP_PUSH, decoder_wide(d), decoder_immediate(d, in->size); return;
    case 0x6a: in->op = OP_PUSH, decoder_immediate(d, 1), decoder_wide(d); return;
    case 0x69:
    case 0x6b: decoder_to_rm(d, OP_IMUL2, 0), decoder_immediate(d, opcode == 0x69 ? in->size : 1); return;
    case 0x70 ... 0x7f:
        in->op = OP_JCC;
        in->sub = opcode & 15;
        decoder_immediate(d, 1);
        return;
    default: decoder_refuse(d, KNOWS_NO "such opcode"); return;
    }
}

static void opcode_decode(struct decoder *d)
{
    const uint8_t opcode = (uint8_t)decoder_take(d, 1);

    if (opcode == 0x0f)
        two_bytes(d);
    else if (opcode < 0x80)
        lower_half(d, opcode);
    else if (opcode < 0xc0)
        third_quarter(d, opcode);
    else
        fourth_quarter(d, opcode);
}

static void prefixes(struct decoder *d)
{
    for (;;) {
        const uint8_t b = (uint8_t)decoder_take(d, 1);

        switch (b) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e: break; /* flat segments */
        case 0x64: d->in->segment = CPU_SEG_FS; break;
        case 0x65: d->in->segment = CPU_SEG_GS; break;
        case 0x66: d->p66 = true; break;
        case 0x67: d->p67 = true; break;
        case 0xf0: d->lock = true; break;
        case 0xf2: d->repne = true; break;
        case 0xf3: d->in->rep = true; break;
        default:
            if (!d->code64 || (b & 0xf0) != 0x40) {
                d->at -= !d->short_of;
                return;
            }
        }
        d->rex = (b & 0xf0) == 0x40 ? b : 0; /* only right in front of the opcode */
    }
}

static bool lockable(const struct interp_insn *in)
{
    static const uint8_t ops[] = { OP_ALU, OP_XCHG, OP_INC,  OP_DEC,     OP_NOT,
                                   OP_NEG, OP_BIT,  OP_XADD, OP_CMPXCHG, OP_CMPXCHG2 };

    return memchr(ops, in->op, sizeof(ops));
}

void interp_decode(const uint8_t *bytes, size_t n, bool code64, struct interp_insn *in)
{
    struct decoder d = { .bytes = bytes, .n = n, .code64 = code64, .in = in };

    *in = (struct interp_insn){ .base = INTERP_NONE, .index = INTERP_NONE, .code64 = code64 };
    prefixes(&d);
    in->size = d.rex & 8 ? 8 : d.p66 ? 2 : 4;
    in->address_size = code64 ? (d.p67 ? 4 : 8) : 4;
    opcode_decode(&d);
    if (d.p67 && !code64)
        decoder_refuse(&d, KNOWS_NO "16-bit addresses");
    if (d.repne)
        decoder_refuse(&d, KNOWS_NO "REPNE");
    if (d.lock && in->op != OP_REFUSED &&
        (!lockable(in) || !in->is_mem || in->to_reg || (in->op == OP_ALU && in->sub == ALU_CMP) ||
         (in->op == OP_BIT && in->sub == 0)))
        in->op = OP_UD2;
    in->len = d.short_of ? 0 : (uint8_t)d.at;
}
