// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an instruction is that has reached for memory where there is none: its operation, sizes, and where its operand
 * is.
 *
 * Concept: a table says of each opcode what follows it, and the rest is arithmetic: how wide an operand is follows from
 * the code segment, prefix 66 and REX.W, or from the opcode's bit 0; where it is from ModRM, SIB and the displacement.
 * (Capstone, behind sim/insn.h, writes each instruction as text on its way. That takes longer than the access.)
 *
 * Invariant: nothing is read behind the n bytes that could be fetched.
 *
 * Corresponds to the decoder of xen/arch/x86/x86_emulate/x86_emulate.c.
 */
#include "vcpu/hvm/emulate.h"

#include <string.h>

/* What follows an opcode, and how wide it is. */
enum {
    KNOWN = 1,
    MODRM = 2 | KNOWN,
    IMM8 = 4 | KNOWN,   /* an immediate of a byte */
    IMM = 8 | KNOWN,    /* of the operation's size, at most 4 bytes */
    MOFFS = 16 | KNOWN, /* an address of addr_size */
    SIZED = 32 | KNOWN, /* bit 0 of the opcode clear: bytes */
    STACK = 64 | KNOWN, /* in 64-bit code 8 bytes wide without being told */
};

static const uint8_t one[256] = {
    [0x00 ... 0x03] = MODRM | SIZED, /* ADD */
    [0x08 ... 0x0b] = MODRM | SIZED, /* OR */
    [0x10 ... 0x13] = MODRM | SIZED, /* ADC */
    [0x18 ... 0x1b] = MODRM | SIZED, /* SBB */
    [0x20 ... 0x23] = MODRM | SIZED, /* AND */
    [0x28 ... 0x2b] = MODRM | SIZED, /* SUB */
    [0x30 ... 0x33] = MODRM | SIZED, /* XOR */
    [0x38 ... 0x3b] = MODRM | SIZED, /* CMP */
    [0x63] = MODRM,                  /* MOVSXD */
    [0x69] = MODRM | IMM,            /* IMUL */
    [0x6b] = MODRM | IMM8,
    [0x80] = MODRM | IMM8 | SIZED,
    [0x81] = MODRM | IMM,
    [0x82 ... 0x83] = MODRM | IMM8 | SIZED,
    [0x84 ... 0x8b] = MODRM | SIZED, /* TEST, XCHG, MOV */
    [0x8c] = MODRM,                  /* MOV from a segment register */
    [0x8f] = MODRM | STACK,          /* POP */
    [0xa0 ... 0xa3] = MOFFS | SIZED, /* MOV */
    [0xa4 ... 0xa7] = SIZED,         /* MOVS, CMPS */
    [0xaa ... 0xaf] = SIZED,         /* STOS, LODS, SCAS */
    [0xc0 ... 0xc1] = MODRM | IMM8 | SIZED,
    [0xc6 ... 0xc7] = MODRM | IMM | SIZED, /* MOV */
    [0xd0 ... 0xd3] = MODRM | SIZED,       /* shifts */
    [0xd7] = KNOWN,                        /* XLAT */
    [0xd8 ... 0xdf] = MODRM,               /* x87 */
    [0xf6 ... 0xf7] = MODRM | SIZED,
    [0xfe ... 0xff] = MODRM | SIZED,
};

static const uint8_t two[256] = {
    [0x10 ... 0x13] = MODRM, /* MOVUPS, MOVSS, MOVLPS... */
    [0x16 ... 0x17] = MODRM, /* MOVHPS */
    [0x28 ... 0x29] = MODRM, /* MOVAPS */
    [0x2b] = MODRM,          /* MOVNTPS */
    [0x40 ... 0x4f] = MODRM, /* CMOVcc */
    [0x6e ... 0x6f] = MODRM, /* MOVD, MOVQ, MOVDQA */
    [0x7e ... 0x7f] = MODRM,
    [0x90 ... 0x9f] = MODRM, /* SETcc */
    [0xa3 ... 0xa3] = MODRM, /* BT */
    [0xa4] = MODRM | IMM8,   /* SHLD */
    [0xa5] = MODRM,
    [0xab] = MODRM,        /* BTS */
    [0xac] = MODRM | IMM8, /* SHRD */
    [0xad] = MODRM,
    [0xaf] = MODRM,                  /* IMUL */
    [0xb0 ... 0xb1] = MODRM | SIZED, /* CMPXCHG */
    [0xb3] = MODRM,                  /* BTR */
    [0xb6 ... 0xb8] = MODRM,         /* MOVZX, POPCNT */
    [0xba] = MODRM | IMM8,
    [0xbb ... 0xbf] = MODRM,         /* BTC, BSF, BSR, MOVSX */
    [0xc0 ... 0xc1] = MODRM | SIZED, /* XADD */
    [0xc3] = MODRM,                  /* MOVNTI */
    [0xc7] = MODRM,                  /* CMPXCHG8B */
    [0xd6] = MODRM,                  /* MOVQ */
    [0xe7] = MODRM,                  /* MOVNTDQ */
};

static uint8_t three(uint8_t op) { return op == 0x2a || op == 0xf0 || op == 0xf1 ? MODRM : 0; } /* MOVNTDQA, MOVBE */

/* ----------------------------------------------------------------------------------------------------- the bytes -- */

struct bytes {
    const uint8_t *code;
    size_t n, at;
    bool short_of; /* it would have been more than there are */
};

/* The next size bytes, sign-extended. */
static uint64_t take(struct bytes *b, unsigned int size)
{
    uint64_t val = 0;
    const unsigned int shift = 64 - 8 * size;

    if (!size)
        return 0;
    if (b->n - b->at < size) {
        b->short_of = true;
        return 0;
    }
    memcpy(&val, b->code + b->at, size);
    b->at += size;
    return (uint64_t)((int64_t)(val << shift) >> shift);
}

/* The segment that a prefix names; in 64-bit code only FS and GS count. */
static int override(const uint8_t *code, unsigned int nr, bool code64)
{
    int seg = -1;

    for (unsigned int i = 0; i < nr; i++)
        switch (code[i]) {
        case 0x26: seg = code64 ? seg : CPU_SEG_ES; break;
        case 0x2e: seg = code64 ? seg : CPU_SEG_CS; break;
        case 0x36: seg = code64 ? seg : CPU_SEG_SS; break;
        case 0x3e: seg = code64 ? seg : CPU_SEG_DS; break;
        case 0x64: seg = CPU_SEG_FS; break;
        case 0x65: seg = CPU_SEG_GS; break;
        }
    return seg;
}

/* ------------------------------------------------------------------------------------------ where the operand is -- */

/* Addresses of 16 bits: eight pairs of registers. */
static uint64_t offset16(const struct cpu_state *r, struct hvm_insn *in, struct bytes *b)
{
    const unsigned int mod = in->modrm >> 6, rm = in->modrm & 7;
    const uint64_t base[] = { r->rbx + r->rsi, r->rbx + r->rdi, r->rbp + r->rsi, r->rbp + r->rdi,
                              r->rsi,          r->rdi,          r->rbp,          r->rbx };

    if (rm == 2 || rm == 3 || (rm == 6 && mod))
        in->seg = CPU_SEG_SS;
    if (rm == 6 && !mod)
        return take(b, 2);
    return base[rm] + take(b, mod == 1 ? 1 : mod == 2 ? 2 : 0);
}

/* POP counts from the stack pointer as it is behind it. */
static uint64_t base_value(const struct cpu_state *r, const struct hvm_insn *in, unsigned int reg)
{
    return r->gpr[reg] + (reg == 4 && in->map == MAP_ONE && in->op == 0x8f ? in->size : 0);
}

static uint64_t offset32(const struct cpu_state *r, struct hvm_insn *in, struct bytes *b, bool *rip_relative)
{
    const unsigned int mod = in->modrm >> 6, rex_b = (in->p.rex & 1u) << 3;
    unsigned int base = in->modrm & 7;
    uint64_t at = 0;

    if (base == 4) {
        const uint8_t sib = (uint8_t)take(b, 1);
        const unsigned int index = (sib >> 3 & 7) | (in->p.rex & 2u) << 2;

        base = sib & 7;
        if (index != 4)
            at = r->gpr[index] << (sib >> 6);
    } else if (base == 5 && !mod) {
        *rip_relative = in->code_bits == 64;
    }
    if (base == 5 && !mod)
        return at + take(b, 4);
    if (base == 4 || base == 5)
        in->seg = (base | rex_b) < 8 ? CPU_SEG_SS : CPU_SEG_DS;
    return at + base_value(r, in, base | rex_b) + take(b, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* ----------------------------------------------------------------------------------------------------- the whole -- */

static uint8_t opcode(struct hvm_insn *in, struct bytes *b)
{
    in->op = (uint8_t)take(b, 1);
    if (in->op != 0x0f)
        return one[in->op];
    in->map = MAP_0F;
    in->op = (uint8_t)take(b, 1);
    if (in->op != 0x38)
        return two[in->op];
    in->map = MAP_0F38;
    in->op = (uint8_t)take(b, 1);
    return three(in->op);
}

static void sizes(struct hvm_insn *in, uint8_t what)
{
    const unsigned int bits = in->code_bits;

    in->size = in->p.rex & 8 ? 8 : (bits == 16) == in->p.p66 ? 4 : 2;
    in->addr_size = bits == 64 ? (in->p.p67 ? 4 : 8) : (bits == 16) == in->p.p67 ? 4 : 2;
    if ((what & SIZED) == SIZED && !(in->op & 1))
        in->size = 1;
    if (in->map == MAP_0F && in->op == 0xc3 && in->size == 2) /* MOVNTI */
        in->size = 4;
    if ((what & STACK) == STACK && bits == 64)
        in->size = in->p.p66 && !(in->p.rex & 8) ? 2 : 8;
}

/* CALL, JMP and PUSH share an opcode with INC and DEC, which are not as wide; TEST has an immediate, NOT none. */
static uint8_t by_group(const struct hvm_insn *in, uint8_t what)
{
    if (in->map != MAP_ONE || in->op < 0xf6)
        return what;
    if (in->op <= 0xf7 && MODRM_REG(in) < 2)
        return what | IMM;
    return in->op == 0xff && MODRM_REG(in) >= 2 ? (uint8_t)(what | STACK) : what;
}

bool hvm_decode(const struct cpu_state *r, const uint8_t *code, size_t n, struct hvm_insn *in)
{
    const unsigned int bits = insn_code_bits(r);
    struct bytes b = { .code = code, .n = n };
    bool rip_relative = false;
    uint8_t what;
    int seg;

    *in = (struct hvm_insn){ .code_bits = (uint8_t)bits, .seg = CPU_SEG_DS, .p = insn_prefixes(code, n, bits == 64) };
    b.at = in->p.nr;
    what = opcode(in, &b);
    sizes(in, what);
    if ((what & MODRM) == MODRM) {
        in->modrm = (uint8_t)take(&b, 1);
        what = by_group(in, what);
        sizes(in, what);
        if (in->modrm >> 6 == 3)
            return false;
        in->offset = in->addr_size == 2 ? offset16(r, in, &b) : offset32(r, in, &b, &rip_relative);
    } else if ((what & MOFFS) == MOFFS) {
        in->offset = take(&b, in->addr_size);
    }
    if ((what & IMM8) == IMM8)
        in->imm = take(&b, 1);
    else if ((what & IMM) == IMM)
        in->imm = take(&b, in->size < 4 ? in->size : 4);
    in->len = (uint8_t)b.at;
    if (rip_relative)
        in->offset += r->rip + in->len;
    in->offset = hvm_cut(in->offset, in->addr_size);
    seg = override(code, in->p.nr, bits == 64);
    if (seg >= 0)
        in->seg = (uint8_t)seg;
    return what && !b.short_of;
}
