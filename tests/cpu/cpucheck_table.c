// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The instructions that cases are made of, and which flags they leave undefined.
 *
 * Concept: a row is an opcode, or a range of opcodes of one map with the prefixes that select an instruction there;
 * operands are random. Ranges include encodings that mean nothing, since #UD is an answer, too. Left out is what leaves
 * user mode or reads the world outside (SYSCALL, CPUID, RDTSC, IN, INT n, PAUSE), branches, segment registers, and what
 * stores or loads the x87 environment (FNSTENV, FNSAVE, FXSAVE).
 *
 * Budget: over 400 lines, half of them the table.
 *
 * The flags: AMD APM volume 3, "rFLAGS affected" of each instruction (letter U), collected in volume 3, appendix F
 * ("Instruction Effects on RFLAGS", table F-1). A flag that only some operands leave alone (shifts by CL) counts as
 * neither written nor kept.
 */
#include "tests/cpu/cpucheck.h"

#include <stdlib.h>
#include <string.h>

const char *const check_family_names[NR_FAMILIES] = { "int", "string", "bcd", "lock", "x87", "mmx", "sse" };

enum form {
    M = 1u << 0,      /* ModRM */
    B = 1u << 1,      /* bytes */
    V = 1u << 2,      /* 16, 32, 64 bits */
    I8 = 1u << 3,     /* immediate: a byte */
    IZ = 1u << 4,     /* 16 or 32 bits */
    IV = 1u << 5,     /* 16, 32, 64 bits */
    LK = 1u << 6,     /* may be locked when its operand is in memory */
    MEM = 1u << 7,    /* memory operand only */
    REG = 1u << 8,    /* register operand only */
    STR = 1u << 9,    /* string: may be repeated */
    O64 = 1u << 10,   /* 64-bit code only */
    O32 = 1u << 11,   /* 32-bit code only */
    D64 = 1u << 12,   /* 16 bits, or the code's own size */
    VEC = 1u << 13,   /* vector operands: mostly aligned */
    IMM2 = 1u << 14,  /* ENTER: 16 bits and 8 */
    MOFFS = 1u << 15, /* an address as immediate */
    SHIFT = 1u << 16, /* by imm8 (I8), 1, or CL (CL): flags depend on the count */
    ROTATE = 1u << 17,
    DOUBLE = 1u << 18, /* SHLD, SHRD */
    CL = 1u << 19,
    CTL = 1u << 20,   /* operand: the control words of CHECK_CONTROL, +8 for x87 */
    FLAGS = 1u << 21, /* POPF: what is popped is put there first */
    END = 1u << 23,   /* a difference that is known: ends its case */
};

/* Prefixes that select: bits of op.pfx. */
enum { NP = 1, P66 = 2, PF3 = 4, PF2 = 8, ANY = 15 };

struct op {
    uint8_t family, map, first, last;
    int8_t ext; /* /n, or -1 */
    uint8_t pfx, feature;
    uint32_t form;
    uint16_t reads, writes, undef;
};

#define OP(fam, map, op, ext, form, r, w, u)                                                                           \
    {                                                                                                                  \
        FAMILY_##fam, map, op, op, ext, NP, NEEDS_NOTHING, form, r, w, u                                               \
    }
#define RANGE(fam, map, first, last, pfx, need, form)                                                                  \
    {                                                                                                                  \
        FAMILY_##fam, map, first, last, -1, pfx, NEEDS_##need, form, 0, 0, 0                                           \
    }
#define ONE(fam, map, op, ext, pfx, need, form, r, w, u)                                                               \
    {                                                                                                                  \
        FAMILY_##fam, map, op, op, ext, pfx, NEEDS_##need, form, r, w, u                                               \
    }

#define C_  FLAG_C
#define P_  FLAG_P
#define A_  FLAG_A
#define Z_  FLAG_Z
#define S_  FLAG_S
#define O_  FLAG_O
#define ALL FLAG_ALL

/* The eight of the arithmetic block, in all their encodings. */
#define ALU(n, r, u)                                                                                                   \
    OP(INT, 0, 8 * n + 0, -1, M | B, r, ALL, u), OP(INT, 0, 8 * n + 1, -1, M | V, r, ALL, u),                          \
        OP(INT, 0, 8 * n + 2, -1, M | B, r, ALL, u), OP(INT, 0, 8 * n + 3, -1, M | V, r, ALL, u),                      \
        OP(INT, 0, 8 * n + 4, -1, B | I8, r, ALL, u), OP(INT, 0, 8 * n + 5, -1, V | IZ, r, ALL, u),                    \
        OP(INT, 0, 0x80, n, M | B | I8, r, ALL, u), OP(INT, 0, 0x81, n, M | V | IZ, r, ALL, u),                        \
        OP(INT, 0, 0x83, n, M | V | I8, r, ALL, u), OP(INT, 0, 0x82, n, M | B | I8 | O32, r, ALL, u)
#define ALU_LOCK(n, r, u)                                                                                              \
    OP(LOCK, 0, 8 * n + 0, -1, M | B | LK, r, ALL, u), OP(LOCK, 0, 8 * n + 1, -1, M | V | LK, r, ALL, u),              \
        OP(LOCK, 0, 0x80, n, M | B | I8 | LK, r, ALL, u), OP(LOCK, 0, 0x81, n, M | V | IZ | LK, r, ALL, u),            \
        OP(LOCK, 0, 0x83, n, M | V | I8 | LK, r, ALL, u), OP(LOCK, 0, 0x82, n, M | B | I8 | O32 | LK, r, ALL, u)
#define SHIFTS(n, kind, r)                                                                                             \
    OP(INT, 0, 0xc0, n, M | B | I8 | kind, r, 0, 0), OP(INT, 0, 0xc1, n, M | V | I8 | kind, r, 0, 0),                  \
        OP(INT, 0, 0xd0, n, M | B | kind, r, 0, 0), OP(INT, 0, 0xd1, n, M | V | kind, r, 0, 0),                        \
        OP(INT, 0, 0xd2, n, M | B | kind | CL, r, 0, 0), OP(INT, 0, 0xd3, n, M | V | kind | CL, r, 0, 0)
/* Conditions 2n and 2n + 1 read these flags. */
#define CONDITION(n, r)                                                                                                \
    { FAMILY_INT, 1, 0x40 + 2 * n, 0x41 + 2 * n, -1, NP, NEEDS_NOTHING, M | V, r, 0, 0 },                              \
    {                                                                                                                  \
        FAMILY_INT, 1, 0x90 + 2 * n, 0x91 + 2 * n, -1, NP, NEEDS_NOTHING, M | B, r, 0, 0                               \
    }

static const struct op ops[] = {
    ALU(0, 0, 0),
    ALU(1, 0, A_),
    ALU(2, C_, 0),
    ALU(3, C_, 0),
    ALU(4, 0, A_),
    ALU(5, 0, 0),
    ALU(6, 0, A_),
    ALU(7, 0, 0),
    SHIFTS(0, ROTATE, 0),
    SHIFTS(1, ROTATE, 0),
    SHIFTS(2, ROTATE, C_),
    SHIFTS(3, ROTATE, C_),
    SHIFTS(4, SHIFT, 0),
    SHIFTS(5, SHIFT, 0),
    SHIFTS(6, SHIFT, 0),
    SHIFTS(7, SHIFT, 0),
    CONDITION(0, O_),
    CONDITION(1, C_),
    CONDITION(2, Z_),
    CONDITION(3, C_ | Z_),
    CONDITION(4, S_),
    CONDITION(5, P_),
    CONDITION(6, S_ | O_),
    CONDITION(7, Z_ | S_ | O_),
    OP(INT, 0, 0x84, -1, M | B, 0, ALL, A_),
    OP(INT, 0, 0x85, -1, M | V, 0, ALL, A_),
    OP(INT, 0, 0xa8, -1, B | I8, 0, ALL, A_),
    OP(INT, 0, 0xa9, -1, V | IZ, 0, ALL, A_),
    OP(INT, 0, 0x86, -1, M | B, 0, 0, 0),
    OP(INT, 0, 0x87, -1, M | V, 0, 0, 0),
    { FAMILY_INT, 0, 0x88, 0x88, -1, NP, 0, M | B, 0, 0, 0 },
    { FAMILY_INT, 0, 0x89, 0x89, -1, NP, 0, M | V, 0, 0, 0 },
    OP(INT, 0, 0x8a, -1, M | B, 0, 0, 0),
    OP(INT, 0, 0x8b, -1, M | V, 0, 0, 0),
    OP(INT, 0, 0x8d, -1, M | V | MEM, 0, 0, 0),
    { FAMILY_INT, 0, 0x91, 0x97, -1, NP, 0, V, 0, 0, 0 },
    OP(INT, 0, 0x98, -1, V, 0, 0, 0),
    OP(INT, 0, 0x99, -1, V, 0, 0, 0),
    OP(INT, 0, 0x9e, -1, 0, 0, C_ | P_ | A_ | Z_ | S_, 0),
    OP(INT, 0, 0x9f, -1, 0, C_ | P_ | A_ | Z_ | S_, 0, 0),
    OP(INT, 0, 0x9c, -1, D64, ALL, 0, 0),
    OP(INT, 0, 0x9d, -1, FLAGS, 0, ALL, 0),
    { FAMILY_INT, 0, 0x50, 0x5f, -1, NP, 0, D64, 0, 0, 0 },
    OP(INT, 0, 0x68, -1, D64 | IZ, 0, 0, 0),
    OP(INT, 0, 0x6a, -1, D64 | I8, 0, 0, 0),
    OP(INT, 0, 0x8f, 0, M | D64, 0, 0, 0),
    OP(INT, 0, 0xff, 6, M | D64, 0, 0, 0),
    OP(INT, 0, 0x60, -1, D64 | O32, 0, 0, 0),
    OP(INT, 0, 0x61, -1, D64 | O32, 0, 0, 0),
    OP(INT, 0, 0xc8, -1, D64 | IMM2, 0, 0, 0),
    OP(INT, 0, 0xc9, -1, D64, 0, 0, 0),
    OP(INT, 0, 0x69, -1, M | V | IZ, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 0, 0x6b, -1, M | V | I8, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 1, 0xaf, -1, M | V, 0, ALL, P_ | A_ | Z_ | S_),
    { FAMILY_INT, 0, 0xb0, 0xb7, -1, NP, 0, B | I8, 0, 0, 0 },
    { FAMILY_INT, 0, 0xb8, 0xbf, -1, NP, 0, V | IV, 0, 0, 0 },
    OP(INT, 0, 0xc6, 0, M | B | I8, 0, 0, 0),
    OP(INT, 0, 0xc7, 0, M | V | IZ, 0, 0, 0),
    { FAMILY_INT, 0, 0xa0, 0xa3, -1, NP, 0, V | MOFFS, 0, 0, 0 },
    OP(INT, 0, 0xd7, -1, 0, 0, 0, 0),
    OP(INT, 0, 0xf5, -1, 0, C_, C_, 0),
    OP(INT, 0, 0xf8, -1, 0, 0, C_, 0),
    OP(INT, 0, 0xf9, -1, 0, 0, C_, 0),
    OP(INT, 0, 0xfc, -1, 0, 0, 0, 0),
    OP(INT, 0, 0xfd, -1, 0, 0, 0, 0),
    OP(INT, 0, 0xf6, 0, M | B | I8, 0, ALL, A_),
    OP(INT, 0, 0xf7, 0, M | V | IZ, 0, ALL, A_),
    OP(INT, 0, 0xf6, 1, M | B | I8, 0, ALL, A_),
    OP(INT, 0, 0xf7, 1, M | V | IZ, 0, ALL, A_),
    OP(INT, 0, 0xf6, 2, M | B, 0, 0, 0),
    OP(INT, 0, 0xf7, 2, M | V, 0, 0, 0),
    OP(INT, 0, 0xf6, 3, M | B, 0, ALL, 0),
    OP(INT, 0, 0xf7, 3, M | V, 0, ALL, 0),
    OP(INT, 0, 0xf6, 4, M | B, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 0, 0xf7, 4, M | V, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 0, 0xf6, 5, M | B, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 0, 0xf7, 5, M | V, 0, ALL, P_ | A_ | Z_ | S_),
    OP(INT, 0, 0xf6, 6, M | B, 0, ALL, ALL),
    OP(INT, 0, 0xf7, 6, M | V, 0, ALL, ALL),
    OP(INT, 0, 0xf6, 7, M | B, 0, ALL, ALL),
    OP(INT, 0, 0xf7, 7, M | V, 0, ALL, ALL),
    OP(INT, 0, 0xfe, 0, M | B, 0, ALL & ~C_, 0),
    OP(INT, 0, 0xff, 0, M | V, 0, ALL & ~C_, 0),
    OP(INT, 0, 0xfe, 1, M | B, 0, ALL & ~C_, 0),
    OP(INT, 0, 0xff, 1, M | V, 0, ALL & ~C_, 0),
    { FAMILY_INT, 0, 0x40, 0x4f, -1, NP, 0, V | O32, 0, ALL & ~C_, 0 },
    OP(INT, 0, 0x63, -1, M | V | O64, 0, 0, 0),
    OP(INT, 0, 0x63, -1, M | O32, 0, Z_, 0),
    OP(INT, 0, 0x62, -1, M | MEM | D64 | O32, 0, 0, 0),
    OP(INT, 0, 0xce, -1, O32, O_, 0, 0),
    OP(INT, 0, 0xd6, -1, O32, C_, 0, 0),
    OP(INT, 0, 0xcc, -1, 0, 0, 0, 0),
    OP(INT, 1, 0xa3, -1, M | V, 0, ALL, ALL & ~C_),
    OP(INT, 1, 0xab, -1, M | V, 0, ALL, ALL & ~C_),
    OP(INT, 1, 0xb3, -1, M | V, 0, ALL, ALL & ~C_),
    OP(INT, 1, 0xbb, -1, M | V, 0, ALL, ALL & ~C_),
    { FAMILY_INT, 1, 0xba, 0xba, 4, NP, 0, M | V | I8, 0, ALL, ALL & ~C_ },
    { FAMILY_INT, 1, 0xba, 0xba, 5, NP, 0, M | V | I8, 0, ALL, ALL & ~C_ },
    { FAMILY_INT, 1, 0xba, 0xba, 6, NP, 0, M | V | I8, 0, ALL, ALL & ~C_ },
    { FAMILY_INT, 1, 0xba, 0xba, 7, NP, 0, M | V | I8, 0, ALL, ALL & ~C_ },
    OP(INT, 1, 0xbc, -1, M | V, 0, ALL, ALL & ~Z_),
    OP(INT, 1, 0xbd, -1, M | V, 0, ALL, ALL & ~Z_),
    OP(INT, 1, 0xa4, -1, M | V | I8 | DOUBLE, 0, 0, 0),
    OP(INT, 1, 0xac, -1, M | V | I8 | DOUBLE, 0, 0, 0),
    OP(INT, 1, 0xa5, -1, M | V | DOUBLE | CL, 0, 0, 0),
    OP(INT, 1, 0xad, -1, M | V | DOUBLE | CL, 0, 0, 0),
    { FAMILY_INT, 1, 0xb6, 0xb7, -1, NP, 0, M | V, 0, 0, 0 },
    { FAMILY_INT, 1, 0xbe, 0xbf, -1, NP, 0, M | V, 0, 0, 0 },
    OP(INT, 1, 0xb0, -1, M | B, 0, ALL, 0),
    OP(INT, 1, 0xb1, -1, M | V, 0, ALL, 0),
    OP(INT, 1, 0xc0, -1, M | B, 0, ALL, 0),
    OP(INT, 1, 0xc1, -1, M | V, 0, ALL, 0),
    { FAMILY_INT, 1, 0xc8, 0xcf, -1, NP, 0, 0, 0, 0, 0 },
    OP(INT, 1, 0xc3, -1, M | MEM, 0, 0, 0),
    OP(INT, 1, 0x1f, -1, M | V, 0, 0, 0),
    OP(INT, 1, 0x0d, -1, M | MEM, 0, 0, 0),
    { FAMILY_INT, 1, 0x18, 0x18, -1, NP, 0, M | MEM, 0, 0, 0 },
    ONE(INT, 1, 0xb8, -1, PF3, POPCNT, M | V, 0, ALL, 0),
    ONE(INT, 1, 0xbd, -1, PF3, LZCNT, M | V, 0, ALL, ALL & ~(C_ | Z_)),
    { FAMILY_INT, 2, 0xf0, 0xf1, -1, NP, NEEDS_MOVBE, M | V | MEM, 0, 0, 0 },
    { FAMILY_INT, 2, 0xf0, 0xf1, -1, PF2, NEEDS_SSE42, M, 0, 0, 0 },
    ONE(INT, 2, 0xf6, -1, P66, ADX, M, C_, C_, 0),
    ONE(INT, 2, 0xf6, -1, PF3, ADX, M, O_, O_, 0),

    { FAMILY_STRING, 0, 0xa4, 0xa5, -1, NP, 0, V | STR, 0, 0, 0 },
    { FAMILY_STRING, 0, 0xaa, 0xad, -1, NP, 0, V | STR, 0, 0, 0 },
    { FAMILY_STRING, 0, 0xa6, 0xa7, -1, NP, 0, V | STR, ALL, 0, 0 },
    { FAMILY_STRING, 0, 0xae, 0xaf, -1, NP, 0, V | STR, ALL, 0, 0 },
    OP(STRING, 0, 0xfc, -1, 0, 0, 0, 0),
    OP(STRING, 0, 0xfd, -1, 0, 0, 0, 0),

    OP(BCD, 0, 0x27, -1, O32, C_ | A_, ALL, O_),
    OP(BCD, 0, 0x2f, -1, O32, C_ | A_, ALL, O_),
    OP(BCD, 0, 0x37, -1, O32, A_, ALL, ALL & ~(C_ | A_)),
    OP(BCD, 0, 0x3f, -1, O32, A_, ALL, ALL & ~(C_ | A_)),
    OP(BCD, 0, 0xd4, -1, I8 | O32, 0, ALL, C_ | A_ | O_),
    OP(BCD, 0, 0xd5, -1, I8 | O32, 0, ALL, C_ | A_ | O_),

    ALU_LOCK(0, 0, 0),
    ALU_LOCK(1, 0, A_),
    ALU_LOCK(2, C_, 0),
    ALU_LOCK(3, C_, 0),
    ALU_LOCK(4, 0, A_),
    ALU_LOCK(5, 0, 0),
    ALU_LOCK(6, 0, A_),
    OP(LOCK, 0, 0x86, -1, M | B | LK, 0, 0, 0),
    OP(LOCK, 0, 0x87, -1, M | V | LK, 0, 0, 0),
    OP(LOCK, 0, 0xf6, 2, M | B | LK, 0, 0, 0),
    OP(LOCK, 0, 0xf7, 2, M | V | LK, 0, 0, 0),
    OP(LOCK, 0, 0xf6, 3, M | B | LK, 0, ALL, 0),
    OP(LOCK, 0, 0xf7, 3, M | V | LK, 0, ALL, 0),
    OP(LOCK, 0, 0xfe, 0, M | B | LK, 0, ALL & ~C_, 0),
    OP(LOCK, 0, 0xff, 0, M | V | LK, 0, ALL & ~C_, 0),
    OP(LOCK, 0, 0xfe, 1, M | B | LK, 0, ALL & ~C_, 0),
    OP(LOCK, 0, 0xff, 1, M | V | LK, 0, ALL & ~C_, 0),
    OP(LOCK, 1, 0xab, -1, M | V | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xb3, -1, M | V | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xbb, -1, M | V | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xba, 5, M | V | I8 | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xba, 6, M | V | I8 | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xba, 7, M | V | I8 | LK, 0, ALL, ALL & ~C_),
    OP(LOCK, 1, 0xb0, -1, M | B | LK, 0, ALL, 0),
    OP(LOCK, 1, 0xb1, -1, M | V | LK, 0, ALL, 0),
    OP(LOCK, 1, 0xc0, -1, M | B | LK, 0, ALL, 0),
    OP(LOCK, 1, 0xc1, -1, M | V | LK, 0, ALL, 0),
    ONE(LOCK, 1, 0xc7, 1, NP, CX16, M | V | LK | VEC, 0, Z_, 0),

    { FAMILY_X87, 0, 0xd8, 0xd8, -1, NP, 0, M, 0, 0, 0 },
    { FAMILY_X87, 0, 0xda, 0xdf, -1, NP, 0, M, C_ | Z_ | P_, 0, 0 },
    { FAMILY_X87, 0, 0xd9, 0xd9, -1, NP, 0, M, 0, 0, 0 },
    { FAMILY_X87, 0, 0xd9, 0xd9, -1, NP, 0, M | REG, 0, 0, 0 },
    { FAMILY_X87, 0, 0xdb, 0xdb, -1, NP, 0, M, C_ | Z_ | P_, 0, 0 },
    { FAMILY_X87, 0, 0xdf, 0xdf, -1, NP, 0, M, 0, 0, 0 },
    OP(X87, 0, 0x9b, -1, 0, 0, 0, 0),
    OP(X87, 0, 0xd9, 5, M | MEM | CTL | B, 0, 0, 0),

    RANGE(MMX, 1, 0x60, 0x62, NP, NOTHING, M),
    RANGE(MMX, 1, 0x63, 0x6f, NP, NOTHING, M),
    RANGE(MMX, 1, 0x71, 0x73, NP, NOTHING, M | I8 | REG),
    RANGE(MMX, 1, 0x70, 0x70, NP, NOTHING, M | I8),
    RANGE(MMX, 1, 0x74, 0x76, NP, NOTHING, M),
    RANGE(MMX, 1, 0x7e, 0x7f, NP, NOTHING, M),
    RANGE(MMX, 1, 0xd1, 0xf6, NP, NOTHING, M),
    RANGE(MMX, 1, 0xf7, 0xf7, NP, NOTHING, M | REG),
    RANGE(MMX, 1, 0xf8, 0xfe, NP, NOTHING, M),
    OP(MMX, 1, 0x77, -1, 0, 0, 0, 0),
    RANGE(MMX, 1, 0xc4, 0xc5, NP, NOTHING, M | I8),
    RANGE(MMX, 2, 0x00, 0x0b, NP, SSSE3, M),
    RANGE(MMX, 2, 0x1c, 0x1e, NP, SSSE3, M),
    RANGE(MMX, 3, 0x0f, 0x0f, NP, SSSE3, M | I8),
    RANGE(MMX, 1, 0x2a, 0x2a, NP | P66, NOTHING, M | VEC),
    RANGE(MMX, 1, 0x2c, 0x2d, NP | P66, NOTHING, M | VEC),
    RANGE(MMX, 1, 0xd6, 0xd6, PF3 | PF2, NOTHING, M),

    RANGE(SSE, 1, 0x10, 0x17, NP | P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x10, 0x11, PF3 | PF2, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x12, 0x12, PF3 | PF2, SSE3, M | VEC),
    RANGE(SSE, 1, 0x16, 0x16, PF3, SSE3, M | VEC),
    RANGE(SSE, 1, 0x28, 0x29, NP | P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x2b, 0x2b, NP | P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x2a, 0x2a, PF3 | PF2, NOTHING, M | V),
    RANGE(SSE, 1, 0x2c, 0x2d, PF3 | PF2, NOTHING, M | V),
    { FAMILY_SSE, 1, 0x2e, 0x2f, -1, NP | P66, NEEDS_NOTHING, M | VEC, 0, ALL, 0 },
    RANGE(SSE, 1, 0x50, 0x50, NP | P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x51, 0x51, ANY, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x52, 0x53, NP | PF3, NOTHING, M | VEC | END),
    RANGE(SSE, 1, 0x54, 0x57, NP | P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x58, 0x59, ANY, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x5a, 0x5a, ANY, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x5b, 0x5b, NP | P66 | PF3, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x5c, 0x5f, ANY, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x60, 0x6f, P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x6f, 0x6f, PF3, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x70, 0x70, P66 | PF3 | PF2, NOTHING, M | VEC | I8),
    RANGE(SSE, 1, 0x71, 0x73, P66, NOTHING, M | REG | I8),
    RANGE(SSE, 1, 0x74, 0x76, P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0x7c, 0x7d, P66 | PF2, SSE3, M | VEC),
    RANGE(SSE, 1, 0x7e, 0x7f, P66 | PF3, NOTHING, M | VEC),
    RANGE(SSE, 1, 0xc2, 0xc2, ANY, NOTHING, M | VEC | I8),
    RANGE(SSE, 1, 0xc4, 0xc6, P66, NOTHING, M | VEC | I8),
    RANGE(SSE, 1, 0xc6, 0xc6, NP, NOTHING, M | VEC | I8),
    RANGE(SSE, 1, 0xd0, 0xd0, P66 | PF2, SSE3, M | VEC),
    RANGE(SSE, 1, 0xd1, 0xe5, P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0xe6, 0xe6, P66 | PF3 | PF2, NOTHING, M | VEC),
    RANGE(SSE, 1, 0xe7, 0xf6, P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0xf7, 0xf7, P66, NOTHING, M | REG),
    RANGE(SSE, 1, 0xf8, 0xfe, P66, NOTHING, M | VEC),
    RANGE(SSE, 1, 0xf0, 0xf0, PF2, SSE3, M | VEC),
    ONE(SSE, 1, 0xae, 2, NP, NOTHING, M | MEM | CTL, 0, 0, 0),
    ONE(SSE, 1, 0xae, 3, NP, NOTHING, M | MEM, 0, 0, 0),
    RANGE(SSE, 2, 0x00, 0x0b, P66, SSSE3, M | VEC),
    RANGE(SSE, 2, 0x1c, 0x1e, P66, SSSE3, M | VEC),
    RANGE(SSE, 3, 0x0f, 0x0f, P66, SSSE3, M | VEC | I8),
    RANGE(SSE, 2, 0x10, 0x10, P66, SSE41, M | VEC),
    RANGE(SSE, 2, 0x14, 0x15, P66, SSE41, M | VEC),
    { FAMILY_SSE, 2, 0x17, 0x17, -1, P66, NEEDS_SSE41, M | VEC, 0, ALL, 0 },
    RANGE(SSE, 2, 0x20, 0x25, P66, SSE41, M | VEC),
    RANGE(SSE, 2, 0x28, 0x2b, P66, SSE41, M | VEC),
    RANGE(SSE, 2, 0x30, 0x41, P66, SSE42, M | VEC),
    RANGE(SSE, 3, 0x08, 0x0e, P66, SSE41, M | VEC | I8),
    RANGE(SSE, 3, 0x14, 0x17, P66, SSE41, M | VEC | I8),
    RANGE(SSE, 3, 0x20, 0x22, P66, SSE41, M | VEC | I8),
    RANGE(SSE, 3, 0x40, 0x42, P66, SSE41, M | VEC | I8),
    { FAMILY_SSE, 3, 0x60, 0x63, -1, P66, NEEDS_SSE42, M | VEC | I8, 0, ALL, 0 },
    RANGE(SSE, 3, 0x44, 0x44, P66, PCLMUL, M | VEC | I8),
    RANGE(SSE, 2, 0xdb, 0xdf, P66, AES, M | VEC),
    RANGE(SSE, 3, 0xdf, 0xdf, P66, AES, M | VEC | I8),
};

#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

/* ---------------------------------------------------------------------------------------------------- encoding -- */

struct coder {
    struct check_insn *in;
    uint64_t *s;
    unsigned int bits, size; /* of the code; of the operand, in bytes */
    bool edge;
    uint8_t rex;
    bool reg_operand, addr16;
};

static unsigned int below(uint64_t *s, unsigned int n) { return (unsigned int)((check_random(s) >> 16) % n); }

static void byte(struct coder *k, unsigned int b) { k->in->bytes[k->in->len++] = (uint8_t)b; }

static void bytes(struct coder *k, uint64_t v, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        byte(k, (unsigned int)(v >> 8 * i & 0xff));
}

/* RSP, RBX, RSI, RDI, R14, R15 start as pointers, R12 as a small index: seldom a destination, so that they stay so. */
static unsigned int any_reg(struct coder *k)
{
    const unsigned int n = k->bits == 64 ? 16 : 8;
    unsigned int r = below(k->s, n);

    if (below(k->s, 8) && (0xd0f8u >> r & 1))
        r = below(k->s, 3);
    return r;
}

static int displacement(struct coder *k, uint32_t form)
{
    int d = (int)below(k->s, 512) - 256;

    if (form & VEC ? below(k->s, 6) : below(k->s, 2))
        d &= ~15;
    return d;
}

/*
 * ModRM, SIB and displacement of a memory operand, and the REX bits it needs. rm_at: where the opcode is still to be
 * put.
 */
static void modrm_memory(struct coder *k, uint32_t form, unsigned int reg, uint8_t *out, unsigned int *n)
{
    static const uint8_t pointers64[] = { 3, 4, 5, 6, 7, 14, 15 }, pointers32[] = { 3, 4, 5, 6, 7 };
    const bool wide = k->bits == 64;
    const unsigned int kind = k->edge ? 7 : below(k->s, 8);
    unsigned int base = wide ? pointers64[below(k->s, 7)] : pointers32[below(k->s, 5)];
    const unsigned int index = below(k->s, 8) ? (wide ? 12 : 1) : below(k->s, wide ? 16 : 8);
    int32_t disp = k->edge ? 0 : displacement(k, form);

    reg = (reg & 7) << 3;
    if (form & CTL || kind == 0) { /* absolute: a SIB byte without base and index, or disp32 */
        disp = form & CTL ? (int)CHECK_CONTROL + (form & B ? 8 : 0) : (int)CHECK_DATA + disp + 0x800;
        out[(*n)++] = (uint8_t)(reg | (wide ? 4 : 5));
        if (wide)
            out[(*n)++] = 0x25;
        goto disp32;
    }
    if (!below(k->s, 40))
        base = below(k->s, wide ? 16 : 8);
    if (base & 8)
        k->rex |= 1;
    if (kind == 1 && (index & 15) != 4) { /* base and index */
        if (index & 8)
            k->rex |= 2;
        out[(*n)++] = (uint8_t)(0x44 | reg);
        out[(*n)++] = (uint8_t)(below(k->s, 4) << 6 | (index & 7) << 3 | (base & 7));
        out[(*n)++] = (uint8_t)disp;
        return;
    }
    if (kind == 2 || disp > 127 || disp < -128) {
        out[(*n)++] = (uint8_t)(0x80 | reg | (base & 7));
        if ((base & 7) == 4)
            out[(*n)++] = 0x24;
        goto disp32;
    }
    out[(*n)++] = (uint8_t)(0x40 | reg | (base & 7));
    if ((base & 7) == 4)
        out[(*n)++] = 0x24;
    out[(*n)++] = (uint8_t)disp;
    return;
disp32:
    memcpy(out + *n, &disp, 4);
    *n += 4;
}

/*
 * 16-bit addresses reach none of the pages: LEA tells what was computed, and so does the address of the fault of all
 * others (AMD APM volume 3, table A-33).
 */
static void modrm_memory16(struct coder *k, unsigned int reg, uint8_t *out, unsigned int *n)
{
    const unsigned int mod = below(k->s, 3), rm = below(k->s, 8), disp = (unsigned int)check_random(k->s);
    const unsigned int size = mod == 0 && rm == 6 ? 2 : mod;

    out[(*n)++] = (uint8_t)(mod << 6 | (reg & 7) << 3 | rm);
    memcpy(out + *n, &disp, size);
    *n += size;
}

static void modrm(struct coder *k, const struct op *op, uint8_t *out, unsigned int *n)
{
    const unsigned int reg = op->ext >= 0 ? (unsigned int)op->ext : any_reg(k);

    if (reg & 8)
        k->rex |= 4;
    k->reg_operand = op->form & REG || (!(op->form & MEM) && below(k->s, 2));
    if (k->reg_operand) {
        const unsigned int rm = any_reg(k);

        if (rm & 8)
            k->rex |= 1;
        out[(*n)++] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    } else if (k->addr16) {
        modrm_memory16(k, reg, out, n);
    } else {
        modrm_memory(k, op->form, reg, out, n);
    }
}

static uint64_t immediate(uint64_t *s)
{
    static const uint64_t some[] = { 0,  1,  2,    7,    8,    15,         16,         31,          32,
                                     63, 64, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, ~UINT64_C(0) };

    return below(s, 2) ? some[below(s, sizeof(some) / sizeof(some[0]))] : check_random(s);
}

/* Flags of a shift depend on its count (AMD APM volume 3: SHL, RCL, SHLD...). false: the result would be undefined. */
static bool count_flags(struct check_insn *in, const struct op *op, unsigned int size, unsigned int imm)
{
    const unsigned int count = (op->form & I8 ? imm : 1) & (size == 8 ? 63 : 31), bits = 8 * size;

    if (op->form & CL) {
        if (op->form & DOUBLE && size == 2)
            return false;
        in->undef = op->form & ROTATE ? FLAG_O : FLAG_O | FLAG_A | (size < 4 ? FLAG_C : 0);
        return true;
    }
    if (op->form & DOUBLE && count > bits)
        return false;
    if (count == 0)
        return true;
    in->writes = op->form & ROTATE ? FLAG_C | FLAG_O : FLAG_ALL;
    in->undef = (uint16_t)((count > 1 ? FLAG_O : 0) | (op->form & ROTATE ? 0 : FLAG_A));
    if (op->form & SHIFT && count >= bits)
        in->undef |= FLAG_C;
    return true;
}

/* One that changes nothing where it stands here: of these segments in 32-bit code bases and limits are alike. */
static unsigned int plain_prefix(struct coder *k, const struct op *op)
{
    static const uint8_t segments[] = { 0x26, 0x36, 0x3e };

    return k->bits == 64 || op->form & STR ? 0x67 : segments[below(k->s, 3)];
}

static void prefixes(struct coder *k, const struct op *op, unsigned int pfx)
{
    if (op->form & STR && below(k->s, 3))
        byte(k, below(k->s, 3) ? 0xf3 : 0xf2);
    if (k->addr16)
        byte(k, 0x67);
    else if (!below(k->s, 24) && !(op->form & (MOFFS | FLAGS)))
        byte(k, plain_prefix(k, op));
    if (k->size == 2 && op->form & (V | D64))
        byte(k, 0x66);
    if (pfx == P66)
        byte(k, 0x66);
    if (pfx == PF3 || pfx == PF2)
        byte(k, pfx == PF3 ? 0xf3 : 0xf2);
    if (op->form & LK && below(k->s, k->reg_operand ? 24 : 4))
        if (!k->reg_operand || !below(k->s, 4))
            byte(k, 0xf0);
    if (k->bits == 64 && (k->rex || !below(k->s, 8)))
        byte(k, 0x40u | k->rex);
    if (op->map)
        byte(k, 0x0f);
    if (op->map >= 2)
        byte(k, op->map == 2 ? 0x38 : 0x3a);
}

static bool encode(struct check_insn *in, const struct op *op, const struct check_options *o, unsigned int bits,
                   uint64_t *s)
{
    struct coder k = { .in = in, .s = s, .bits = bits, .edge = o->edge };
    uint8_t tail[16];
    unsigned int n = 0, pfx;
    const uint64_t imm = immediate(s);

    *in = (struct check_insn){ .family = op->family, .reads = op->reads, .writes = op->writes, .undef = op->undef };
    do
        pfx = 1u << below(s, 4);
    while (!(op->pfx & pfx));
    k.size = op->form & B ? 1 : below(s, 4) == 0 && op->form & (V | D64) && op->pfx == NP ? 2 : 4;
    if (bits == 64 && op->form & D64 && k.size == 4)
        k.size = 8;
    if (bits == 64 && !(op->form & (B | D64)) && k.size == 4 && (op->form & V || !op->map) && below(s, 2)) {
        k.size = 8;
        k.rex |= 8;
    }
    if (bits == 32 && op->form & (M | MOFFS) && !(op->form & CTL))
        k.addr16 = !below(s, op->first == 0x8d && !op->map ? 2 : 64);
    if (op->form & M)
        modrm(&k, op, tail, &n);
    if (op->form & (SHIFT | ROTATE | DOUBLE) && !count_flags(in, op, k.size, (unsigned int)imm & 0xff))
        return false;
    prefixes(&k, op, pfx);
    byte(&k, op->first + below(s, op->last - op->first + 1u));
    for (unsigned int i = 0; i < n; i++)
        byte(&k, tail[i]);
    if (op->form & IMM2)
        bytes(&k, below(s, 64) | (uint64_t)below(s, below(s, 4) ? 3 : 256) << 16, 3);
    if (op->form & MOFFS)
        bytes(&k, CHECK_DATA + below(s, 0x1000), k.addr16 ? 2 : bits / 8);
    if (op->form & I8)
        bytes(&k, imm, 1);
    if (op->form & IZ)
        bytes(&k, imm, k.size == 2 ? 2 : 4);
    if (op->form & IV)
        bytes(&k, imm, k.size);
    return true;
}

/*
 * Put a value that POPF may take where it takes it from, first: no AC, TF seldom; no NT, which some hosts lose on an
 * interrupt.
 */
static bool encode_popf(struct check_insn *in, unsigned int bits, uint64_t *s)
{
    struct coder k = { .in = in, .s = s, .bits = bits };
    uint32_t flags = (uint32_t)check_random(s) & (FLAG_ALL | FLAG_D | 0x200200u); /* ID, IF */

    *in = (struct check_insn){ .family = FAMILY_INT, .writes = FLAG_ALL };
    if (!below(s, 8))
        flags |= 0x100;
    byte(&k, 0xc7); /* movl $flags, (%rsp) */
    byte(&k, 0x04);
    byte(&k, 0x24);
    bytes(&k, flags, 4);
    byte(&k, 0x9d);
    return true;
}

#define KNOWN(name) (1u << KNOWN_##name)
static uint16_t known_of(const struct op *op)
{
    if (op->family == FAMILY_X87)
        return KNOWN(X87) | KNOWN(ADDRESS) | KNOWN(SPLIT);
    if (op->map == 1 && op->first == 0xf7 && op->form & REG)
        return KNOWN(MASKMOV) | (op->family == FAMILY_MMX ? KNOWN(MMX) : 0);
    if (op->family == FAMILY_MMX)
        return KNOWN(MMX) | KNOWN(SPLIT);
    if (op->family == FAMILY_SSE)
        return KNOWN(SPLIT) | (op->form & END ? KNOWN(APPROXIMATE) : 0);
    if (op->map == 1 && op->first == 0xb1)
        return KNOWN(CMPXCHG32) | KNOWN(ADDRESS);
    if (op->map == 1 && (op->first & 0xfe) == 0xbc && op->pfx == NP)
        return KNOWN(BSF32);
    if (op->family == FAMILY_STRING && op->first == 0xa6)
        return KNOWN(CMPS);
    if (op->form & IMM2)
        return KNOWN(ENTER);
    if (op->form & O32 && (op->first & 0xfe) == 0x60)
        return KNOWN(PUSHA);
    return op->form & M ? KNOWN(ADDRESS) : 0;
}

/* Upper halves of registers are not compared in 32-bit code. */
static uint16_t known_in(const struct op *op, unsigned int bits)
{
    return bits == 32 ? (known_of(op) & ~(KNOWN(CMPXCHG32) | KNOWN(BSF32))) | KNOWN(LIMIT) : known_of(op);
}

/* Encodings inside the ranges that are not asked for. */
static bool unwanted(const struct op *op, const struct check_insn *in, unsigned int bits)
{
    unsigned int i = 0;

    while (i < in->len && (in->bytes[i] == 0x66 || in->bytes[i] == 0x67 || (in->bytes[i] & 0xe7) == 0x26 ||
                           (bits == 64 && (in->bytes[i] & 0xf0) == 0x40)))
        i++;
    if (op->family == FAMILY_X87 && i + 1 < in->len && in->bytes[i] != 0x9b && in->bytes[i + 1] < 0xc0) {
        const unsigned int ext = in->bytes[i + 1] >> 3 & 7, esc = in->bytes[i];

        return (esc == 0xd9 && (ext == 4 || ext == 6 || (ext == 5 && !(op->form & CTL)))) ||
               (esc == 0xdd && (ext == 4 || ext == 6));
    }
    return in->len > 15;
}

static bool can_be(const struct op *op, const struct check_options *o, unsigned int bits, uint16_t undef)
{
    return o->families >> op->family & 1 && o->features[op->feature] && !(op->reads & undef) &&
           !(op->form & O32 && bits == 64) && !(op->form & O64 && bits == 32);
}

void check_insn_make(struct check_insn *in, const struct check_options *o, unsigned int bits, uint16_t undef,
                     uint64_t *s)
{
    for (;;) {
        const unsigned int family = below(s, NR_FAMILIES);
        const struct op *op = &ops[below(s, NR_OPS)];

        if (op->family != family || !can_be(op, o, bits, undef))
            continue;
        if (op->form & FLAGS ? encode_popf(in, bits, s) : encode(in, op, o, bits, s) && !unwanted(op, in, bits)) {
            in->known = known_in(op, bits);
            in->end = op->form & END || op->family == FAMILY_X87 || in->known & (KNOWN(CMPXCHG32) | KNOWN(BSF32));
            return;
        }
    }
}
