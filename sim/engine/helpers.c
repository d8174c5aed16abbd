// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that Unicorn computes wrongly, computed rightly.
 *
 * Concept: what an instruction does beyond moving and adding is a function of the library, helper_NAME().
 * tests/cpu/cpucheck.c compares them all with the host's processor; those that it found wrong are here. (Floating
 * point: sse.c.)
 */
#include <stdlib.h>
#include <tmmintrin.h>

#include "sim/engine/emu.h"
#include "sim/engine/private.h"

/* ------------------------------------------------------------------------------------------------------ division -- */

/*
 * IDIV of 16 and 32 bits (AMD APM volume 3): the library lets the host divide, which ends the program for -2^31 and
 * -2^63 by -1.
 */
static lldiv_t divide(struct CPUX86State *env, int64_t dividend, int64_t divisor, unsigned int bits, uintptr_t host_pc)
{
    const int64_t limit = INT64_C(1) << (bits - 1);
    lldiv_t r;

    if (divisor == 0 || (divisor == -1 && dividend == INT64_MIN))
        raise_exception_err_ra_x86_64(env, TRAP_divide_error, 0, host_pc);
    r = lldiv(dividend, divisor);
    if (r.quot < -limit || r.quot >= limit)
        raise_exception_err_ra_x86_64(env, TRAP_divide_error, 0, host_pc);
    return r;
}

void HELPER(idivw_AX)(struct CPUX86State *env, uint64_t divisor);
void HELPER(idivw_AX)(struct CPUX86State *env, uint64_t divisor)
{
    uint64_t *gpr = raw_gprs(&emu_running->raw);
    const int32_t dividend = (int32_t)((gpr[2] & 0xffff) << 16 | (gpr[0] & 0xffff));
    const lldiv_t r = divide(env, dividend, (int16_t)divisor, 16, RETADDR);

    gpr[0] = (gpr[0] & ~UINT64_C(0xffff)) | (uint16_t)r.quot;
    gpr[2] = (gpr[2] & ~UINT64_C(0xffff)) | (uint16_t)r.rem;
}

void HELPER(idivl_EAX)(struct CPUX86State *env, uint64_t divisor);
void HELPER(idivl_EAX)(struct CPUX86State *env, uint64_t divisor)
{
    uint64_t *gpr = raw_gprs(&emu_running->raw);
    const int64_t dividend = (int64_t)(gpr[2] << 32 | (uint32_t)gpr[0]);
    const lldiv_t r = divide(env, dividend, (int32_t)divisor, 32, RETADDR);

    gpr[0] = (uint32_t)r.quot;
    gpr[2] = (uint32_t)r.rem;
}

/* ---------------------------------------------------------------------------------------- -- horizontal sums -- */

/* Of a register with itself: the library reads elements that it has written already. */
#define HORIZONTAL(name, intrinsic)                                                                                    \
    void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d, const struct xmm *s);                            \
    __attribute__((target("ssse3"))) void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d,                 \
                                                             const struct xmm *s)                                      \
    {                                                                                                                  \
        const __m128i r = intrinsic(_mm_loadu_si128((const void *)d), _mm_loadu_si128((const void *)s));               \
                                                                                                                       \
        _mm_storeu_si128((void *)d, r);                                                                                \
    }                                                                                                                  \
    void HELPER(name##_mmx)(struct CPUX86State * env, uint64_t * d, const uint64_t *s);                                \
    __attribute__((target("ssse3"))) void HELPER(name##_mmx)(struct CPUX86State * env, uint64_t * d,                   \
                                                             const uint64_t *s)                                        \
    {                                                                                                                  \
        const __m128i both = _mm_set_epi64x((int64_t)*s, (int64_t)*d);                                                 \
                                                                                                                       \
        _mm_storel_epi64((void *)d, intrinsic(both, both));                                                            \
    }

HORIZONTAL(phaddw, _mm_hadd_epi16)
HORIZONTAL(phaddd, _mm_hadd_epi32)
HORIZONTAL(phaddsw, _mm_hadds_epi16)
HORIZONTAL(phsubw, _mm_hsub_epi16)
HORIZONTAL(phsubd, _mm_hsub_epi32)
HORIZONTAL(phsubsw, _mm_hsubs_epi16)

/* ------------------------------------------------------------------------------------------------------- strings -- */

/*
 * PCMPESTRI and its kind (AMD APM volume 4). The library makes -2^31, and most lengths of 64 bits, a negative length,
 * and misses a string of which only the beginning is at the end of the other. control: the immediate; bit 8: lengths
 * are of 64 bits.
 */
struct strings {
    const struct xmm *a, *b; /* the first operand, the second */
    unsigned int len_a, len_b, max;
    uint32_t control;
};

static int element(const struct strings *t, const struct xmm *x, unsigned int i)
{
    const uint8_t *p = (const void *)x;

    switch (t->control & 3) {
    case 0: return p[i];
    case 1: return p[2 * i] | p[2 * i + 1] << 8;
    case 2: return (int8_t)p[i];
    default: return (int16_t)(p[2 * i] | p[2 * i + 1] << 8);
    }
}

/* Of element j of b: does it equal any of a, lie in one of a's ranges, equal its partner, begin with a? */
static bool matches(const struct strings *t, unsigned int j)
{
    switch (t->control >> 2 & 3) {
    case 0:
        for (unsigned int i = 0; i < t->len_a; i++)
            if (j < t->len_b && element(t, t->a, i) == element(t, t->b, j))
                return true;
        return false;
    case 1:
        for (unsigned int i = 0; i + 1 < t->len_a; i += 2)
            if (j < t->len_b && element(t, t->a, i) <= element(t, t->b, j) &&
                element(t, t->b, j) <= element(t, t->a, i + 1))
                return true;
        return false;
    case 2:
        return j >= t->len_a || j >= t->len_b ? j >= t->len_a && j >= t->len_b
                                              : element(t, t->a, j) == element(t, t->b, j);
    default:
        for (unsigned int i = 0; i < t->len_a && i + j < t->max; i++)
            if (i + j >= t->len_b || element(t, t->a, i) != element(t, t->b, i + j))
                return false;
        return true;
    }
}

/* The bit mask, inverted as the control says; the flags go where CC_OP_EFLAGS means. */
static uint32_t compare(const struct strings *t)
{
    uint32_t mask = 0;
    uint64_t flags;

    for (unsigned int j = 0; j < t->max; j++)
        mask |= (uint32_t)matches(t, j) << j;
    if (t->control & 0x10)
        mask ^= t->control & 0x20 ? (1u << t->len_b) - 1 : (1u << t->max) - 1;
    flags =
        (mask ? 0x001 : 0) | (t->len_b < t->max ? 0x040 : 0) | (t->len_a < t->max ? 0x080 : 0) | (mask & 1 ? 0x800 : 0);
    raw_set(&emu_running->raw, cc_src, uint64_t, flags);
    return mask;
}

static void store_index(const struct strings *t, uint32_t mask)
{
    raw_gprs(&emu_running->raw)[1] = !mask               ? t->max
                                     : t->control & 0x40 ? 31u - (unsigned int)__builtin_clz(mask)
                                                         : (unsigned int)__builtin_ctz(mask);
}

/*
 * To XMM0, as bits or as elements. The library's registers are 64 bytes apart; helpers are told where, but not of this
 * one.
 */
static void store_mask(struct CPUX86State *env, const struct strings *t, uint32_t mask)
{
    uint8_t *xmm0 = (uint8_t *)env + emu_running->raw.at.xmm0, out[16] = { 0 };

    if (!(t->control & 0x40))
        memcpy(out, &mask, 2);
    else
        for (unsigned int i = 0; i < 16; i++)
            out[i] = mask >> (t->control & 1 ? i / 2 : i) & 1 ? 0xff : 0;
    memcpy(xmm0, out, sizeof(out));
}

/* The absolute value, at most as many as there are. */
static unsigned int explicit_length(uint64_t reg, uint32_t control, unsigned int max)
{
    const int64_t value = control & 0x100 ? (int64_t)reg : (int32_t)reg;
    const uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    return magnitude < max ? (unsigned int)magnitude : max;
}

static struct strings explicit_strings(const struct xmm *d, const struct xmm *s, uint32_t control)
{
    const uint64_t *gpr = raw_gprs(&emu_running->raw);
    const unsigned int max = control & 1 ? 8 : 16;

    return (struct strings){ d,   s,      explicit_length(gpr[0], control, max), explicit_length(gpr[2], control, max),
                             max, control };
}

static struct strings implicit_strings(const struct xmm *d, const struct xmm *s, uint32_t control)
{
    struct strings t = { .a = d, .b = s, .max = control & 1 ? 8 : 16, .control = control };

    while (t.len_a < t.max && element(&t, d, t.len_a))
        t.len_a++;
    while (t.len_b < t.max && element(&t, s, t.len_b))
        t.len_b++;
    return t;
}

#define STRINGS(name, lengths, store)                                                                                  \
    void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d, struct xmm * s, uint32_t control);               \
    void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d, struct xmm * s, uint32_t control)                \
    {                                                                                                                  \
        const struct strings t = lengths(d, s, control);                                                               \
        const uint32_t mask = compare(&t);                                                                             \
                                                                                                                       \
        store;                                                                                                         \
    }

STRINGS(pcmpestri, explicit_strings, store_index(&t, mask))
STRINGS(pcmpistri, implicit_strings, store_index(&t, mask))
STRINGS(pcmpestrm, explicit_strings, store_mask(env, &t, mask))
STRINGS(pcmpistrm, implicit_strings, store_mask(env, &t, mask))

/* ------------------------------------------------------------------------------------------------ RFLAGS, whole -- */

/*
 * Called in front of an instruction of the kind GATE_FLAGS: put together the six flags from what the last one left to
 * compute them from. (CLAC itself is never translated: the gate refuses it. The translator calls only functions that it
 * knows, and this is one.)
 */
void helper_clac_x86_64(struct CPUX86State *env)
{
    struct emu *e = emu_running;

    e->gate.flags = cpu_cc_compute_all_x86_64(env, (int)raw_get(&e->raw, cc_op, uint32_t));
    raw_set(&e->raw, cc_src, uint64_t, e->gate.flags);
    raw_set(&e->raw, cc_op, uint32_t, RAW_CC_OP_EFLAGS);
}

/* ------------------------------------------------------------------------------------------------ ENTER, 16 bits -- */

/* In front of an instruction of the kind GATE_FRAME, and behind it. (STAC and STGI, too, are never translated.) */
void helper_stac_x86_64(struct CPUX86State *env) { emu_running->gate.frame = raw_gprs(&emu_running->raw)[5]; }

void helper_stgi_x86_64(struct CPUX86State *env)
{
    uint64_t *rbp = &raw_gprs(&emu_running->raw)[5];

    *rbp = (emu_running->gate.frame & ~UINT64_C(0xffff)) | (*rbp & 0xffff);
}

/* ----------------------------------------------------------------------------------------------------------- x87 -- */

/* FCOMI clears what it does not set: OF, SF and AF. */
#define COMPARE(name, function)                                                                                        \
    void function(struct CPUX86State *env)                                                                             \
    {                                                                                                                  \
        struct emu *e = emu_running;                                                                                   \
                                                                                                                       \
        e->real.name(env);                                                                                             \
        raw_set(&e->raw, cc_src, uint64_t, raw_get(&e->raw, cc_src, uint64_t) & 0x45);                                 \
    }

COMPARE(fcomi, helper_fcomi_ST0_FT0_x86_64)
COMPARE(fucomi, helper_fucomi_ST0_FT0_x86_64)

/* EMMS is an MMX instruction like others: TOP becomes 0. */
void helper_emms_x86_64(struct CPUX86State *env)
{
    helper_enter_mmx_x86_64(env);
    emu_running->real.emms(env);
}

/* Of FCW seven bits are for storing besides the masks, and one of the others is always set. */
void helper_fldcw_x86_64(struct CPUX86State *env, uint32_t value)
{
    emu_running->real.fldcw(env, (value & 0x1f3f) | 0x40);
}
