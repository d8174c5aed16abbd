// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making cases: registers, memory, and a few instructions.
 *
 * Concept: values at random hit nothing: pointers would point nowhere, every floating point number would be of a
 * strange magnitude, and no BCD digit would be one. So registers and memory are filled from lists of interesting
 * values, with random ones between.
 */
#include "tests/cpu/cpucheck.h"

#include <cpuid.h>
#include <string.h>

uint64_t check_random(uint64_t *s)
{
    uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const uint64_t integers[] = {
    0,
    1,
    2,
    8,
    0x10,
    0x20,
    0x40,
    0x7f,
    0x80,
    0xff,
    0x99,
    0x1234,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    UINT64_C(0x7fffffffffffffff),
    UINT64_C(0x8000000000000000),
    UINT64_C(0xffffffffffffffff),
    UINT64_C(0xfffffffffffffff8),
    UINT64_C(0x0000800000000000),
    UINT64_C(0xffff7fffffffffff),
    CHECK_DATA,
    CHECK_DATA + 0x1ff0,
    CHECK_RO,
    CHECK_STACK + 0x800,
};

static const uint32_t singles[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x40490fdb, 0x7f800000, 0xff800000,
    0x7fc00000, 0x7f800001, 0xffc12345, 0xff812345, 0x00000001, 0x807fffff, 0x00800000,
    0x7f7fffff, 0x4f000000, 0xcf000000, 0x5f000000, 0x3f000000, 0x3fc00000, 0x40200000,
};

static const uint64_t doubles[] = {
    0,
    UINT64_C(0x8000000000000000),
    UINT64_C(0x3ff0000000000000),
    UINT64_C(0xbff0000000000000),
    UINT64_C(0x400921fb54442d18),
    UINT64_C(0x7ff0000000000000),
    UINT64_C(0xfff0000000000000),
    UINT64_C(0x7ff8000000000000),
    UINT64_C(0x7ff0000000000001),
    UINT64_C(0xfff8123456789abc),
    UINT64_C(0xfff0123456789abc),
    UINT64_C(0x0000000000000001),
    UINT64_C(0x800fffffffffffff),
    UINT64_C(0x0010000000000000),
    UINT64_C(0x7fefffffffffffff),
    UINT64_C(0x41e0000000000000),
    UINT64_C(0xc3e0000000000000),
    UINT64_C(0x3fe0000000000000),
    UINT64_C(0x4004000000000000),
    UINT64_C(0x36a0000000000000),
    UINT64_C(0x47efffffe0000000),
};

#define PICK(list, s) list[(check_random(s) >> 20) % (sizeof(list) / sizeof(list[0]))]

/* 16 bytes that mean something as one of the formats. */
static void value_make(uint8_t v[16], uint64_t *s)
{
    uint64_t q[2];
    uint32_t d[4];

    switch (check_random(s) >> 8 & 3) {
    case 0:
        q[0] = PICK(integers, s);
        q[1] = PICK(integers, s);
        break;
    case 1:
        q[0] = PICK(doubles, s);
        q[1] = PICK(doubles, s);
        break;
    case 2:
        for (unsigned int i = 0; i < 4; i++)
            d[i] = PICK(singles, s);
        memcpy(q, d, 16);
        break;
    default:
        q[0] = check_random(s);
        q[1] = check_random(s);
        break;
    }
    memcpy(v, q, 16);
}

/* An extended number as the x87 unit makes them. */
static void extended_make(uint8_t v[16], uint64_t *s)
{
    static const uint16_t exponents[] = { 0,      1,      0x3ffe, 0x3fff, 0x4000, 0x403d, 0x403e,
                                          0x403f, 0x7ffe, 0x7fff, 0x3f81, 0x43fe, 0x3c01 };
    static const uint64_t fractions[] = { 0, 1, UINT64_C(0x4000000000000000), UINT64_C(0x490fdaa22168c235),
                                          UINT64_C(0x7fffffffffffffff) };
    const uint64_t kind = check_random(s);
    uint16_t e = kind & 3 ? PICK(exponents, s) : (uint16_t)(0x3fff - 40 + (kind >> 8) % 80);
    uint64_t f = kind & 4 ? PICK(fractions, s) : check_random(s) >> 1;

    if (e == 0 && (kind & 0x70) == 0)
        f = 0;
    else if (e)
        f |= UINT64_C(1) << 63;
    if (kind & 0x80)
        e |= 0x8000;
    memset(v, 0, 16);
    memcpy(v, &f, 8);
    memcpy(v + 8, &e, 2);
}

static void fxsave_make(uint8_t img[512], uint64_t *s)
{
    static const uint16_t fcws[] = { 0x37f, 0x37f, 0x37f, 0x37f, 0x07f, 0xf7f, 0xb7f, 0x77f };
    static const uint32_t mxcsrs[] = { 0x1f80, 0x1f80, 0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0, 0x1fc0, 0x9f80, 0x1fbf };
    const uint64_t kind = check_random(s);
    const uint16_t fcw = PICK(fcws, s), fsw = (uint16_t)(kind & 7) << 11 | (uint16_t)(kind & 0x4700 & kind >> 16);
    const uint32_t mxcsr = PICK(mxcsrs, s), mask = 0xffff;

    memset(img, 0, 512);
    memcpy(img, &fcw, 2);
    memcpy(img + 2, &fsw, 2);
    img[4] = (uint8_t) ~(1u << ((kind + 6) & 7) | 1u << ((kind + 7) & 7)); /* ST6 and ST7 are empty */
    memcpy(img + 24, &mxcsr, 4);
    memcpy(img + 28, &mask, 4);
    for (unsigned int i = 0; i < 8; i++)
        extended_make(img + 32 + 16 * i, s);
    for (unsigned int i = 0; i < 16; i++)
        value_make(img + 160 + 16 * i, s);
}

void check_memory_make(uint8_t mem[CHECK_PAGES][CHECK_PAGE], uint64_t seed)
{
    static const uint32_t mxcsrs[] = { 0x1f80, 0x3f80, 0x5f80, 0x7fc0, 0x9f80 };
    uint32_t mxcsr;
    uint16_t fcw;

    for (unsigned int p = 0; p < CHECK_PAGES; p++)
        for (unsigned int i = 0; i < CHECK_PAGE; i += 16) {
            if (check_random(&seed) & 3)
                value_make(&mem[p][i], &seed);
            else
                extended_make(&mem[p][i], &seed);
        }
    mxcsr = PICK(mxcsrs, &seed);
    fcw = (uint16_t)(0x7f | (check_random(&seed) & 0xf00));
    memcpy((uint8_t *)mem + (CHECK_CONTROL - CHECK_DATA), &mxcsr, 4);
    memcpy((uint8_t *)mem + (CHECK_CONTROL - CHECK_DATA) + 8, &fcw, 2);
}

/*
 * Pointers into DATA, most of them aligned, some close to its end, some into RO. At the edge: up to 16 bytes before its
 * end.
 */
static uint64_t pointer_make(bool edge, uint64_t *s)
{
    const uint64_t r = check_random(s);

    if (edge)
        return CHECK_DATA + 2 * CHECK_PAGE - 1 - (r >> 8 & 15);
    if ((r & 0x0f) == 0)
        return CHECK_RO + (r >> 8 & 0xff0);
    if ((r & 0x70) == 0)
        return CHECK_DATA + 2 * CHECK_PAGE - (r >> 8 & 0x7f);
    if ((r & 0x700) == 0)
        return CHECK_DATA + (r >> 12 & 0xff);
    return CHECK_DATA + 0x200 + (r >> 16 & 0x17f0);
}

/* The ends of the ranges of each size: what overflows does it with these. */
static const uint64_t extremes[] = {
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    1u << 31,
    0xffffffff,
    UINT64_C(0x7fffffffffffffff),
    UINT64_C(1) << 63,
    ~UINT64_C(0),
};
#define NR_EXTREMES (sizeof(extremes) / sizeof(extremes[0]))

/* Division and multiplication of every size, of every extreme by every other: RDX:RAX by RCX. */
unsigned int check_division_make(struct check_case *c, unsigned int i)
{
    const unsigned int op = i % 16;
    uint8_t *b = c->insn[0].bytes;

    i /= 16;
    memset(c, 0, sizeof(*c));
    c->seed = i;
    c->bits = 64;
    c->nr = 1;
    c->rflags = 0x202;
    c->gpr[0] = extremes[i % NR_EXTREMES];
    c->gpr[2] = extremes[i / NR_EXTREMES % NR_EXTREMES];
    c->gpr[1] = extremes[i / (NR_EXTREMES * NR_EXTREMES) % NR_EXTREMES];
    memcpy(c->fxsave, "\x7f\x03", 2);
    memcpy(c->fxsave + 24, "\x80\x1f", 2);
    switch (op & 3) { /* the size */
    case 1: *b++ = 0x66; break;
    case 3: *b++ = 0x48; break;
    }
    *b++ = op & 3 ? 0xf7 : 0xf6;
    *b++ = (uint8_t)(0xe1 + 8 * (op >> 2)); /* MUL IMUL DIV IDIV */
    c->insn[0].len = (uint8_t)(b - c->insn[0].bytes);
    c->insn[0].undef = op >= 8 ? FLAG_ALL : FLAG_P | FLAG_A | FLAG_Z | FLAG_S;
    return 16 * NR_EXTREMES * NR_EXTREMES * NR_EXTREMES;
}

static void registers_make(struct check_case *c, bool edge, uint64_t *s)
{
    static const uint8_t pointers[] = { 3, 6, 7, 14, 15 };
    const bool extreme = (check_random(s) & 0x70) == 0;

    for (unsigned int i = 0; i < 16; i++)
        c->gpr[i] = extreme ? PICK(extremes, s) : check_random(s) & 3 ? PICK(integers, s) : check_random(s);
    if (check_random(s) & 3)
        c->gpr[1] = check_random(s) >> 8 & 0x3f; /* a count */
    for (unsigned int i = 0; i < sizeof(pointers); i++)
        c->gpr[pointers[i]] = pointer_make(edge, s);
    c->gpr[12] = check_random(s) & 0x38;
    c->gpr[4] = CHECK_STACK + 0x400 + (check_random(s) & 0x7f8);
    c->gpr[5] = CHECK_STACK + 0x400 + (check_random(s) & 0x7f8);
    if (c->bits == 32)
        for (unsigned int i = 0; i < 16; i++)
            c->gpr[i] = (uint32_t)c->gpr[i];
    c->rflags = 0x202 | (check_random(s) & (FLAG_ALL | (check_random(s) & 3 ? 0 : FLAG_D)));
}

static uint16_t undefined_after(uint16_t undef, const struct check_insn *in)
{
    return (uint16_t)((undef & ~in->writes) | in->undef);
}

void check_case_make(struct check_case *c, const struct check_options *o, uint64_t seed)
{
    struct check_options may = *o;
    uint64_t s = seed;
    uint16_t undef = 0;

    memset(c, 0, sizeof(*c));
    c->seed = seed;
    c->bits = o->bits ? (uint8_t)o->bits : check_random(&s) & 1 ? 64 : 32;
    if (o->families == 1u << FAMILY_BCD) /* which 64-bit code has not */
        c->bits = 32;
    c->nr = (uint8_t)(1 + (check_random(&s) >> 9) % CHECK_MAX_INSNS);
    may.edge |= (check_random(&s) & 0xf00) == 0;
    registers_make(c, may.edge, &s);
    fxsave_make(c->fxsave, &s);
    for (unsigned int i = 0; i < c->nr; i++) {
        check_insn_make(&c->insn[i], &may, c->bits, undef, &s);
        undef = undefined_after(undef, &c->insn[i]);
        if (c->insn[i].family == FAMILY_MMX) /* what x87 instructions would make of its registers is "mmx-in-x87" */
            may.families &= ~(1u << FAMILY_X87);
        if (c->insn[i].end || !may.families)
            c->nr = (uint8_t)(i + 1);
    }
}

bool check_case_valid(const struct check_case *c)
{
    uint16_t undef = 0;

    for (unsigned int i = 0; i < c->nr; i++) {
        if (c->insn[i].reads & undef)
            return false;
        undef = undefined_after(undef, &c->insn[i]);
    }
    return true;
}

size_t check_case_code(const struct check_case *c, uint8_t *code)
{
    size_t n = 0;

    for (unsigned int i = 0; i < c->nr; i++) {
        memcpy(code + n, c->insn[i].bytes, c->insn[i].len);
        n += c->insn[i].len;
    }
    code[n++] = 0x0f;
    code[n++] = 0x0b;
    return n;
}

/* CPUID: leaf, register (EAX 0, EBX 1...), bit. */
static const struct {
    const char *name;
    uint32_t leaf;
    uint8_t reg, bit;
} features[NR_NEEDS] = {
    [NEEDS_NOTHING] = { "", 0, 0, 0 },         [NEEDS_SSE3] = { "SSE3", 1, 2, 0 },
    [NEEDS_SSSE3] = { "SSSE3", 1, 2, 9 },      [NEEDS_SSE41] = { "SSE4.1", 1, 2, 19 },
    [NEEDS_SSE42] = { "SSE4.2", 1, 2, 20 },    [NEEDS_AES] = { "AES", 1, 2, 25 },
    [NEEDS_PCLMUL] = { "PCLMULQDQ", 1, 2, 1 }, [NEEDS_POPCNT] = { "POPCNT", 1, 2, 23 },
    [NEEDS_MOVBE] = { "MOVBE", 1, 2, 22 },     [NEEDS_LZCNT] = { "LZCNT", 0x80000001, 2, 5 },
    [NEEDS_CX16] = { "CMPXCHG16B", 1, 2, 13 }, [NEEDS_ADX] = { "ADX", 7, 1, 19 },
};

void check_features_choose(bool has[NR_NEEDS], FILE *f)
{
    has[NEEDS_NOTHING] = true;
    for (unsigned int i = 1; i < NR_NEEDS; i++) {
        unsigned int r[4] = { 0 };

        __get_cpuid_count(features[i].leaf, 0, &r[0], &r[1], &r[2], &r[3]);
        has[i] = r[features[i].reg] >> features[i].bit & 1;
        if (!has[i])
            fprintf(f, "this host has no %s: skipped\n", features[i].name);
    }
}
