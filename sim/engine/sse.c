// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SSE arithmetic, done by the host's processor.
 *
 * Concept: Unicorn computes floating point numbers in software, and forgets what happened: the exception flags of MXCSR
 * are never set, unmasked exceptions never raised, and some instructions round or order their NaNs in their own way
 * (DPPS, HSUBPS, MAXPS of denormals). IEEE 754 and the manual define each bit of these results, so every x86-64
 * processor gives the same, and the host's can be asked: each helper here loads the guest's rounding mode and DAZ, FTZ,
 * executes the instruction of its own name with all exceptions masked, and merges the flags that this has raised into
 * the guest's MXCSR.
 *
 * What is not defined to the bit, RCPPS and RSQRTPS, stays with Unicorn: what a guest computes must not depend on the
 * host.
 *
 * Exceptions that the guest has unmasked are raised afterwards, with the destination as it was. An invalid, denormal or
 * divide-by-zero operand is found before anything is computed, so it hides the flags of the result (AMD APM volume 1,
 * 4.10). One thing is not had: underflow that is unmasked is not told when the tiny result is exact.
 *
 * Invariant: the host's own MXCSR is back when a helper returns or raises. The host has SSE4.1; emu_sse_init() refuses
 * one that has not.
 */
#include <immintrin.h>

#include "sim/engine/emu.h"
#include "sim/engine/private.h"

#define MXCSR_FLAGS      0x3fu
#define MXCSR_BEFORE     0x07u /* IE DE ZE: of the operands */
#define MXCSR_MASKS      0x1f80u
#define MXCSR_MASK_SHIFT 7
#define MXCSR_VALID      0xffffu

static uint32_t *mxcsr(struct CPUX86State *env)
{
    return (uint32_t *)(void *)((uint8_t *)env + emu_running->raw.at.mxcsr);
}

static uint64_t cr4(const struct CPUX86State *env)
{
    uint64_t val;

    memcpy(&val, (const uint8_t *)env + emu_running->raw.at.cr + 4 * sizeof(val), sizeof(val));
    return val;
}

static inline uint32_t host_enter(struct CPUX86State *env)
{
    const uint32_t host = _mm_getcsr();

    _mm_setcsr((*mxcsr(env) | MXCSR_MASKS) & ~MXCSR_FLAGS);
    return host;
}

/* Returns when the guest goes on. */
static inline void host_leave(struct CPUX86State *env, uint32_t host, uintptr_t retaddr)
{
    uint32_t raised = _mm_getcsr() & MXCSR_FLAGS, unmasked;

    _mm_setcsr(host);
    if (__builtin_expect(!raised, 0))
        return;
    unmasked = raised & ~(*mxcsr(env) >> MXCSR_MASK_SHIFT);
    if (unmasked & MXCSR_BEFORE)
        raised &= MXCSR_BEFORE;
    *mxcsr(env) |= raised;
    if (unmasked) /* a kernel that does not know #XM has it as #UD */
        raise_exception_err_ra_x86_64(env, cr4(env) & X86_CR4_OSXMMEXCPT ? TRAP_simd_error : TRAP_invalid_op, 0,
                                      retaddr);
}

static inline __m128 get(const struct xmm *x) { return _mm_loadu_ps((const float *)(const void *)x); }
static inline void put(struct xmm *x, __m128 v) { _mm_storeu_ps((float *)(void *)x, v); }
static inline __m128 low(const void *p) { return _mm_castsi128_ps(_mm_loadl_epi64(p)); }

/* d = d op s, or d = op s with the rest of d as it was. */
#define BINARY(name)                                                                                                   \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, struct xmm * s);                                       \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, struct xmm * s)                                        \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        __m128 r = get(d);                                                                                             \
                                                                                                                       \
        __asm__ volatile(#name " %1, %0" : "+x"(r) : "x"(get(s)));                                                     \
        host_leave(env, host, RETADDR);                                                                                \
        put(d, r);                                                                                                     \
    }

#define ARITHMETIC(op)                                                                                                 \
    BINARY(op##ps)                                                                                                     \
    BINARY(op##pd)                                                                                                     \
    BINARY(op##ss)                                                                                                     \
    BINARY(op##sd)

ARITHMETIC(add)
ARITHMETIC(sub)
ARITHMETIC(mul)
ARITHMETIC(div)
ARITHMETIC(min)
ARITHMETIC(max)
ARITHMETIC(sqrt)
ARITHMETIC(cmpeq)
ARITHMETIC(cmplt)
ARITHMETIC(cmple)
ARITHMETIC(cmpunord)
ARITHMETIC(cmpneq)
ARITHMETIC(cmpnlt)
ARITHMETIC(cmpnle)
ARITHMETIC(cmpord)
BINARY(haddps)
BINARY(haddpd)
BINARY(hsubps)
BINARY(hsubpd)
BINARY(addsubps)
BINARY(addsubpd)
BINARY(cvtpd2ps)
BINARY(cvtss2sd)
BINARY(cvtsd2ss)
BINARY(cvtdq2ps)
BINARY(cvtdq2pd)
BINARY(cvtps2dq)
BINARY(cvtpd2dq)
BINARY(cvttps2dq)
BINARY(cvttpd2dq)
BINARY(cvtps2pd)

/* With an immediate, which the processor has as a part of the code: a branch for each of its values that matter. */
#define ROUND_CASE(name, n)                                                                                            \
    case n:                                                                                                            \
        __asm__ volatile(#name " $" #n ", %1, %0" : "+x"(r) : "x"(get(s)));                                            \
        break;
#define ROUND(name)                                                                                                    \
    void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d, struct xmm * s, uint32_t mode);                  \
    __attribute__((target("sse4.1"))) void HELPER(name##_xmm)(struct CPUX86State * env, struct xmm * d,                \
                                                              struct xmm * s, uint32_t mode)                           \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        __m128 r = get(d);                                                                                             \
                                                                                                                       \
        switch (mode & 15) {                                                                                           \
            ROUND_CASE(name, 0)                                                                                        \
            ROUND_CASE(name, 1)                                                                                        \
            ROUND_CASE(name, 2)                                                                                        \
            ROUND_CASE(name, 3)                                                                                        \
        case 4:                                                                                                        \
        case 5:                                                                                                        \
        case 6:                                                                                                        \
            ROUND_CASE(name, 7)                                                                                        \
            ROUND_CASE(name, 8)                                                                                        \
            ROUND_CASE(name, 9)                                                                                        \
            ROUND_CASE(name, 10)                                                                                       \
            ROUND_CASE(name, 11)                                                                                       \
        default: __asm__ volatile(#name " $15, %1, %0" : "+x"(r) : "x"(get(s))); break;                                \
        }                                                                                                              \
        host_leave(env, host, RETADDR);                                                                                \
        put(d, r);                                                                                                     \
    }

ROUND(roundps)
ROUND(roundpd)
ROUND(roundss)
ROUND(roundsd)

/*
 * The dot products: which elements to multiply is decided by zeroing, which to store by merging, as the manual defines
 * them.
 */
void HELPER(dpps_xmm)(struct CPUX86State *env, struct xmm *d, struct xmm *s, uint32_t mask);
void HELPER(dpps_xmm)(struct CPUX86State *env, struct xmm *d, struct xmm *s, uint32_t mask)
{
    const __m128i bit = _mm_set_epi32(8, 4, 2, 1), zero = _mm_setzero_si128();
    const __m128 skip = _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32((int)(mask >> 4)), bit), zero));
    const __m128 none = _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32((int)mask), bit), zero));
    const uint32_t host = host_enter(env);
    __m128 r = _mm_andnot_ps(skip, get(d)), high;
    const __m128 b = _mm_andnot_ps(skip, get(s));

    __asm__ volatile("mulps %2, %0\n\t"
                     "movaps %0, %1\n\t"
                     "shufps $0xb1, %1, %1\n\t" /* 1 0 3 2 */
                     "addps %1, %0\n\t"
                     "movaps %0, %1\n\t"
                     "movhlps %1, %1\n\t"
                     "addss %1, %0\n\t" /* one sum: others would raise flags of their own */
                     "shufps $0, %0, %0"
                     : "+x"(r), "=&x"(high)
                     : "x"(b));
    host_leave(env, host, RETADDR);
    put(d, _mm_andnot_ps(none, r));
}

void HELPER(dppd_xmm)(struct CPUX86State *env, struct xmm *d, struct xmm *s, uint32_t mask);
void HELPER(dppd_xmm)(struct CPUX86State *env, struct xmm *d, struct xmm *s, uint32_t mask)
{
    const __m128 skip = _mm_castsi128_ps(_mm_set_epi64x(mask & 0x20 ? 0 : -1, mask & 0x10 ? 0 : -1));
    const __m128 none = _mm_castsi128_ps(_mm_set_epi64x(mask & 2 ? 0 : -1, mask & 1 ? 0 : -1));
    const uint32_t host = host_enter(env);
    __m128 r = _mm_andnot_ps(skip, get(d)), high;
    const __m128 b = _mm_andnot_ps(skip, get(s));

    __asm__ volatile("mulpd %2, %0\n\t"
                     "movapd %0, %1\n\t"
                     "shufpd $1, %1, %1\n\t"
                     "addpd %1, %0\n\t"
                     "unpcklpd %0, %0"
                     : "+x"(r), "=&x"(high)
                     : "x"(b));
    host_leave(env, host, RETADDR);
    put(d, _mm_andnot_ps(none, r));
}

/* Between MMX and SSE registers: done in the lower half of an SSE register. */
#define TO_MMX(name, instruction, source)                                                                              \
    void HELPER(name)(struct CPUX86State * env, uint64_t * d, struct xmm * s);                                         \
    void HELPER(name)(struct CPUX86State * env, uint64_t * d, struct xmm * s)                                          \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        __m128 r;                                                                                                      \
                                                                                                                       \
        __asm__ volatile(#instruction " %1, %0" : "=x"(r) : "x"(source(s)));                                           \
        host_leave(env, host, RETADDR);                                                                                \
        _mm_storel_pi((__m64 *)(void *)d, r);                                                                          \
    }

TO_MMX(cvtps2pi, cvtps2dq, low)
TO_MMX(cvttps2pi, cvttps2dq, low)
TO_MMX(cvtpd2pi, cvtpd2dq, get)
TO_MMX(cvttpd2pi, cvttpd2dq, get)

void HELPER(cvtpi2ps)(struct CPUX86State *env, struct xmm *d, uint64_t *s);
void HELPER(cvtpi2ps)(struct CPUX86State *env, struct xmm *d, uint64_t *s)
{
    const uint32_t host = host_enter(env);
    __m128 r;

    __asm__ volatile("cvtdq2ps %1, %0" : "=x"(r) : "x"(low(s)));
    host_leave(env, host, RETADDR);
    _mm_storel_pi((__m64 *)(void *)d, r);
}

void HELPER(cvtpi2pd)(struct CPUX86State *env, struct xmm *d, uint64_t *s);
void HELPER(cvtpi2pd)(struct CPUX86State *env, struct xmm *d, uint64_t *s)
{
    __m128 r;

    __asm__ volatile("cvtdq2pd %1, %0" : "=x"(r) : "x"(low(s)));
    put(d, r);
}

/* Between general and SSE registers. */
#define TO_GPR(name, instruction, type)                                                                                \
    type HELPER(name)(struct CPUX86State * env, struct xmm * s);                                                       \
    type HELPER(name)(struct CPUX86State * env, struct xmm * s)                                                        \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        type r;                                                                                                        \
                                                                                                                       \
        __asm__ volatile(instruction " %1, %0" : "=r"(r) : "x"(get(s)));                                               \
        host_leave(env, host, RETADDR);                                                                                \
        return r;                                                                                                      \
    }

TO_GPR(cvtss2si, "cvtss2si", int32_t)
TO_GPR(cvtsd2si, "cvtsd2si", int32_t)
TO_GPR(cvtss2sq, "cvtss2si", int64_t)
TO_GPR(cvtsd2sq, "cvtsd2si", int64_t)
TO_GPR(cvttss2si, "cvttss2si", int32_t)
TO_GPR(cvttsd2si, "cvttsd2si", int32_t)
TO_GPR(cvttss2sq, "cvttss2si", int64_t)
TO_GPR(cvttsd2sq, "cvttsd2si", int64_t)

#define FROM_GPR(name, instruction, type)                                                                              \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, type value);                                           \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, type value)                                            \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        __m128 r = get(d);                                                                                             \
                                                                                                                       \
        __asm__ volatile(instruction " %1, %0" : "+x"(r) : "r"(value));                                                \
        host_leave(env, host, RETADDR);                                                                                \
        put(d, r);                                                                                                     \
    }

FROM_GPR(cvtsi2ss, "cvtsi2ssl", uint32_t)
FROM_GPR(cvtsi2sd, "cvtsi2sdl", uint32_t)
FROM_GPR(cvtsq2ss, "cvtsi2ssq", uint64_t)
FROM_GPR(cvtsq2sd, "cvtsi2sdq", uint64_t)

/* The translator takes the flags from where it keeps all six, which CC_OP_EFLAGS means. */
#define COMPARE(name)                                                                                                  \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, struct xmm * s);                                       \
    void HELPER(name)(struct CPUX86State * env, struct xmm * d, struct xmm * s)                                        \
    {                                                                                                                  \
        const uint32_t host = host_enter(env);                                                                         \
        uint64_t flags;                                                                                                \
                                                                                                                       \
        __asm__ volatile(#name " %2, %1\n\tlahf\n\tmovzbl %%ah, %%eax" : "=a"(flags) : "x"(get(d)), "x"(get(s)));      \
        host_leave(env, host, RETADDR);                                                                                \
        flags &= 0x45; /* ZF PF CF */                                                                                  \
        memcpy((uint8_t *)env + emu_running->raw.at.cc_src, &flags, sizeof(flags));                                    \
    }

COMPARE(comiss)
COMPARE(ucomiss)
COMPARE(comisd)
COMPARE(ucomisd)

/* Reserved bits are not for storing. */
void HELPER(ldmxcsr)(struct CPUX86State *env, uint32_t value);
void HELPER(ldmxcsr)(struct CPUX86State *env, uint32_t value)
{
    if (value & ~MXCSR_VALID)
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    *mxcsr(env) = value;
    update_mxcsr_status_x86_64(env); /* for what is still computed in software */
}

/* Nor are they for FXRSTOR, whose faults on the way to MXCSR come first. */
void HELPER(fxrstor)(struct CPUX86State *env, uint64_t addr)
{
    if (!(addr & 15)) {
        cpu_ldub_data_ra_x86_64(env, addr, RETADDR);
        if (cpu_ldl_data_ra_x86_64(env, addr + 24, RETADDR) & ~MXCSR_VALID)
            raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    }
    emu_running->real.fxrstor(env, addr);
}

bool emu_sse_init(void) { return __builtin_cpu_supports("sse4.1"); }
