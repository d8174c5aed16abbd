// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction decoding: the only user of Capstone.
 *
 * Concept: a hypervisor decodes guest instructions for three reasons: to emulate a privileged one, to carry out a write
 * that hit a read-only page table, and to show the student what faulted. All start from a few bytes fetched at rip.
 */
#ifndef SIM_INSN_H
#define SIM_INSN_H

#include "sim/types.h"

struct cpu_state;

/* clang-format off */
/* Privileged or sensitive instructions that a PV kernel may have emulated (Xen arch/x86/pv/emul-priv-op.c). */
enum insn_op {
    INSN_OTHER, /* decoded, but none of those below */
    INSN_INVALID,
    INSN_CLI, INSN_STI, INSN_HLT, INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
    INSN_RDMSR, INSN_WRMSR, INSN_RDTSC, INSN_RDTSCP, INSN_RDPMC, INSN_CPUID,
    INSN_MOV_FROM_CR, INSN_MOV_TO_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_DR,
    INSN_CLTS, INSN_LMSW, INSN_SMSW, INSN_INVLPG, INSN_WBINVD, INSN_INVD, INSN_XSETBV, INSN_SWAPGS,
    INSN_WRFSGSBASE, INSN_MOV, INSN_XCHG, INSN_CMPXCHG, INSN_CMPXCHG8B, INSN_AND, INSN_OR, INSN_BTS, INSN_BTR, INSN_BTC,
    INSN_XOR, INSN_ADD, INSN_SUB, INSN_XADD, INSN_STOS, INSN_MOVS, INSN_INT3,
};
/* clang-format on */

struct insn_operand {
    enum { INSN_NONE, INSN_REG, INSN_MEM, INSN_IMM } kind;
    uint8_t size;   /* bytes */
    int8_t gpr;     /* INSN_REG: index into cpu_state.gpr; -1: not a general register */
    bool high_byte; /* INSN_REG: AH CH DH BH */
    uint64_t imm;   /* INSN_IMM: sign-extended to the size of the destination, then cut to it */
    uint64_t addr;  /* INSN_MEM: linear address, computed from the registers; BTS/BTR/BTC: of the unit with the bit */
};

struct insn {
    enum insn_op op;
    uint8_t len;
    uint8_t nr_operands;
    uint8_t sys_reg; /* MOV CR/DR: which; WRFSBASE/WRGSBASE: CPU_SEG_FS or CPU_SEG_GS */
    bool rep, lock;
    struct insn_operand opnd[3]; /* destination first */
    char text[96];               /* "mov qword ptr [rax], rbx" */
};

#define INSN_MAX_LEN 15 /* bytes; a longer one is #GP */

/*
 * What stands in front of an opcode: the legacy prefixes, in any order, and in 64-bit code REX, which counts only right
 * in front of it. AMD APM volume 3, 1.2.
 */
struct insn_prefixes {
    uint8_t nr;      /* bytes */
    uint8_t rex;     /* 0: none */
    bool lock;       /* F0 */
    bool rep, repne; /* F3, F2: of both the last counts */
    bool p66, p67;
    bool fs_or_gs; /* in 64-bit code the other segments' prefixes do nothing */
};

/*
 * Take byte as the next of the prefixes p; false: it is none. Is used byte by byte by those who must not read too far.
 */
static inline bool insn_prefix(struct insn_prefixes *p, uint8_t byte, bool code64)
{
    uint8_t rex = 0;

    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e: break;
    case 0x64:
    case 0x65: p->fs_or_gs = true; break;
    case 0x66: p->p66 = true; break;
    case 0x67: p->p67 = true; break;
    case 0xf0: p->lock = true; break;
    case 0xf2: p->repne = true, p->rep = false; break;
    case 0xf3: p->rep = true, p->repne = false; break;
    default:
        if (!code64 || (byte & 0xf0) != 0x40)
            return false;
        rex = byte;
    }
    p->rex = rex;
    p->nr++;
    return true;
}

/* The prefixes at the start of n bytes; .nr == n: there is nothing behind them. */
static inline struct insn_prefixes insn_prefixes(const uint8_t *bytes, size_t n, bool code64)
{
    struct insn_prefixes p = { 0 };

    for (size_t i = 0; i < n && insn_prefix(&p, bytes[i], code64); i++)
        ;
    return p;
}

/* Decoder handle: one a machine. */
struct insn_decoder;
struct insn_decoder *insn_decoder_create(void);
void insn_decoder_destroy(struct insn_decoder *dec);

/* Decode n bytes fetched at st->rip under st's code size. op INSN_INVALID, len 0 when they are no whole instruction. */
struct insn insn_decode(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n);

/*
 * Is the access to linear address addr, which the instruction of n bytes fetched at st->rip makes, one through the
 * stack segment? For 64-bit code.
 */
bool insn_uses_stack(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n,
                     uint64_t addr);

/* Code size of the segment that st executes: 16, 32 or 64. */
unsigned int insn_code_bits(const struct cpu_state *st);
/* Linear address of the instruction at st->rip: outside 64-bit code from the segment's base on, and of 32 bits. */
uint64_t insn_linear_rip(const struct cpu_state *st);

/*
 * Disassemble n bytes fetched at addr, one line an instruction, "=>" before the one at st->rip; undecodable bytes print
 * as ".byte". Cut to len; returns the length of the text in buf.
 */
size_t insn_disassemble(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n,
                        uint64_t addr, char *buf, size_t len);

#endif
