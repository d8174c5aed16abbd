// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The differences that are known: docs/cpu.md has a line for each, by the same name, with its reason.
 *
 * Concept: a row of the instruction table may name one. When a case has executed such an instruction, what it may leave
 * different is taken over from the host, so that everything else is still compared. Rules that leave a value different
 * end their case (table: END), lest the difference spreads.
 */
#include "tests/cpu/cpucheck.h"

#include <string.h>

#define ST(r, i)  ((r)->fxsave + 32 + 16 * (i))
#define XMM(r, i) ((r)->fxsave + 160 + 16 * (i))

const char *const check_known_names[NR_KNOWN] = {
    [KNOWN_NOTHING] = "",
    [KNOWN_APPROXIMATE] = "approximations",
    [KNOWN_MMX] = "mmx-in-x87",
    [KNOWN_CMPXCHG32] = "cmpxchg-32",
    [KNOWN_BSF32] = "bsf-zero-32",
    [KNOWN_X87] = "x87-status",
    [KNOWN_ADDRESS] = "fault-address",
    [KNOWN_SPLIT] = "split-access",
    [KNOWN_MASKMOV] = "maskmov-faults",
    [KNOWN_ENTER] = "enter-probe",
    [KNOWN_CMPS] = "cmps-order",
    [KNOWN_LIMIT] = "limit-4g",
    [KNOWN_PUSHA] = "pusha-faults",
};

/* Every result register is as good as any other: one instruction is all that changed them. */
static void approximate(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    for (unsigned int i = 0; i < 16; i++)
        for (unsigned int j = 0; j < 16; j += 4) {
            float a, b;

            memcpy(&a, XMM(n, i) + j, 4);
            memcpy(&b, XMM(g, i) + j, 4);
            /*
             * 1.5 * 2^-12 of each; denormal results may be flushed; NaNs are equal or differ in sign only where the
             * host says so
             */
            if (a == b || __builtin_fabsf(a - b) <= __builtin_fabsf(b) * 0x1.8p-11f || __builtin_fabsf(b) < 0x1p-125f ||
                __builtin_isinf(a))
                memcpy(XMM(g, i) + j, XMM(n, i) + j, 4);
        }
}

static const uint8_t *physical(const struct check_result *r, unsigned int i)
{
    return ST(r, (i - (r->fxsave[3] >> 3 & 7)) & 7);
}

/* MMX registers are the physical ones; which of them is ST0 is another matter, and so is what stands beside them. */
static void mmx(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    for (unsigned int i = 0; i < 8; i++)
        if (memcmp(physical(n, i), physical(g, i), 8))
            return;
    memcpy(g->fxsave + 2, n->fxsave + 2, 3);
    memcpy(ST(g, 0), ST(n, 0), 8 * 16);
}

static void upper_halves(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    for (unsigned int i = 0; i < 16; i++)
        if ((uint32_t)n->gpr[i] == (uint32_t)g->gpr[i])
            g->gpr[i] = n->gpr[i];
}

static bool is_fbstp(const struct check_insn *in)
{
    for (unsigned int i = 0; i + 1 < in->len; i++)
        if (in->bytes[i] == 0xdf)
            return (in->bytes[i + 1] >> 3 & 7) == 6 && in->bytes[i + 1] < 0xc0;
    return false;
}

/*
 * The status word tells less (but for TOP). The result is another one after an invalid operation (stack faults, SNaNs,
 * what does not fit into an integer; FYL2X and FYL2XP1 out of their range), and in the last places with less than
 * extended precision, of the transcendental functions and their neighbours, of constants, which are rounded as FCW
 * says, and of tiny numbers.
 */
static void x87(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    const uint8_t *last = c->insn[c->nr - 1].bytes + c->insn[c->nr - 1].len - 2;
    const bool inexact = (c->fxsave[1] & 3) != 3 || (last[0] == 0xd9 && last[1] >= 0xe8);
    const bool refused = (n->fxsave[3] & 4) && !(g->fxsave[3] & 4) && last[0] == 0xd9 && last[1] >= 0xf0; /* C2: 2^63 */
    const bool invalid = n->fxsave[2] & 0x01 || refused || (last[0] == 0xd9 && (last[1] == 0xf1 || last[1] == 0xf9));

    g->fxsave[2] = n->fxsave[2];
    g->fxsave[3] = (uint8_t)((g->fxsave[3] & 0x38) | (n->fxsave[3] & ~0x38));
    if (last[1] >= 0xd0 && last[1] < 0xe0) /* FST, FSTP of a register that was empty */
        g->fxsave[4] |= n->fxsave[4];
    if (is_fbstp(&c->insn[c->nr - 1])) /* forgets the sign of what it has rounded to 0 */
        memcpy(g->mem, n->mem, sizeof(g->mem));
    if (inexact || invalid)
        memcpy(ST(g, 0), ST(n, 0), 8 * 16);
    if (!invalid && !(n->fxsave[2] & 0x10)) /* underflow */
        return;
    memcpy(g->fxsave, n->fxsave, 24); /* not MXCSR */
    memcpy(g->mem, n->mem, sizeof(g->mem));
    g->rflags = n->rflags;
}

/* Sixteen bytes that cross into a page that is not there: the half before it has been moved. */
static void split(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    if (n->vector != 14 || g->vector != 14 || n->rip != g->rip || n->addr & (CHECK_PAGE - 1))
        return;
    memcpy(XMM(g, 0), XMM(n, 0), 16 * 16);
    memcpy(g->mem, n->mem, sizeof(g->mem));
}

/* MASKMOVQ, MASKMOVDQU: whether bytes that are masked out fault is the processor's to choose. */
static void maskmov(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    if (n->vector == 14 || n->vector == 13)
        *g = *n;
}

/* ENTER: the processor looks whether it could write where RSP will be. */
static void enter(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    if (n->vector == 14 && n->rip != g->rip)
        *g = *n;
}

static const struct check_insn *insn_at(const struct check_case *c, uint64_t rip)
{
    uint64_t at = CHECK_CODE;

    for (unsigned int i = 0; i < c->nr; i++) {
        if (at == rip)
            return &c->insn[i];
        at += c->insn[i].len;
    }
    return NULL;
}

/* CMPS with two operands that fault: the processor names RSI's, the emulator RDI's. */
static void cmps(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    const bool first = n->vector == 13 || n->vector == 14, second = g->vector == 13 || g->vector == 14;
    const struct check_insn *in = insn_at(c, n->rip);

    if (!first || !second || n->rip != g->rip || !in || !(in->known >> KNOWN_CMPS & 1))
        return;
    g->vector = n->vector;
    g->error_code = n->error_code;
    g->addr = n->addr;
}

/*
 * 32-bit code, an operand that passes 4 GiB: a processor may find the segment's limit (#GP, #SS) or the page (#PF), or
 * go on at address 0. Nothing is there in either place.
 */
static void limit(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    const bool refused = n->vector == 12 || n->vector == 13;

    if (!refused && n->vector != 14)
        return;
    if (n->rip != g->rip || g->vector != 14 || g->addr - 0xfffffff1u > 30)
        return;
    g->vector = n->vector;
    g->error_code = n->error_code;
    g->addr = n->addr;
}

/* PUSHA and POPA whose eight pushes or pops do not all succeed: some of them may have been done. */
static void pusha(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    const struct check_insn *in = insn_at(c, n->rip);

    if (n->vector != 14 || g->vector != 14 || n->rip != g->rip || !in || !(in->known >> KNOWN_PUSHA & 1))
        return;
    g->error_code = n->error_code;
    g->addr = n->addr;
    memcpy(g->gpr, n->gpr, sizeof(g->gpr));
    memcpy(g->mem, n->mem, sizeof(g->mem));
}

/* Of an operand that is written piece by piece another piece may be named. */
static void address(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    if (n->vector != 14 || g->vector != 14 || n->rip != g->rip || g->addr - n->addr >= 16)
        return;
    if (!(g->addr & (CHECK_PAGE - 1)) && g->addr != n->addr) /* the pages of the two may be absent and read only */
        g->error_code = n->error_code;
    g->addr = n->addr;
}

static void (*const rules[NR_KNOWN])(const struct check_case *c, const struct check_result *n,
                                     struct check_result *g) = {
    [KNOWN_APPROXIMATE] = approximate,
    [KNOWN_MMX] = mmx,
    [KNOWN_CMPXCHG32] = upper_halves,
    [KNOWN_BSF32] = upper_halves,
    [KNOWN_X87] = x87,
    [KNOWN_ADDRESS] = address,
    [KNOWN_SPLIT] = split,
    [KNOWN_MASKMOV] = maskmov,
    [KNOWN_ENTER] = enter,
    [KNOWN_CMPS] = cmps,
    [KNOWN_LIMIT] = limit,
    [KNOWN_PUSHA] = pusha,
};

unsigned int check_known(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    uint64_t at = CHECK_CODE;
    unsigned int used = 0;

    for (unsigned int i = 0; i < c->nr && at <= n->rip; i++) {
        for (unsigned int k = 1; k < NR_KNOWN; k++)
            if (c->insn[i].known >> k & 1 && !(used >> k & 1)) {
                used |= 1u << k;
                rules[k](c, n, g);
            }
        at += c->insn[i].len;
    }
    return used;
}
