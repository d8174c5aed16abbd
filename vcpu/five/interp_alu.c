// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arithmetic, and the flags that it leaves.
 *
 *      CF  carry out of the top bit, or borrow          ZF  the result is 0
 *      PF  its low byte has an even number of ones      SF  its top bit
 *      AF  carry out of bit 3                           OF  the signed result does not fit
 *
 * What the manual leaves undefined is here as the engine has it, where that is simple: AF behind logic and shifts is 0,
 * OF behind a shift by more than one is that of its last step.
 *
 * Source: AMD APM volume 3, each instruction; volume 1, 3.1.4.
 */
#include "vcpu/five/interp.h"

static uint64_t sign_bit(unsigned int size) { return UINT64_C(1) << (8 * size - 1); }

static int64_t extend(uint64_t val, unsigned int size) { return (int64_t)(val << (64 - 8 * size)) >> (64 - 8 * size); }

/* ZF, SF, PF of a result. */
static uint64_t of_result(uint64_t res, unsigned int size)
{
    return (res ? 0 : X86_EFLAGS_ZF) | (res & sign_bit(size) ? X86_EFLAGS_SF : 0) |
           (__builtin_parity((uint8_t)res) ? 0 : X86_EFLAGS_PF);
}

static void set_flags(uint64_t *rflags, uint64_t set) { *rflags = (*rflags & ~(uint64_t)X86_EFLAGS_ARITH_MASK) | set; }

/* carries: bit n: a carry, or borrow, came out of bit n of the sum. */
static uint64_t of_carries(uint64_t carries, uint64_t overflow, unsigned int size)
{
    return (carries & sign_bit(size) ? X86_EFLAGS_CF : 0) | (overflow & sign_bit(size) ? X86_EFLAGS_OF : 0) |
           (carries & 8 ? X86_EFLAGS_AF : 0);
}

uint64_t interp_alu(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, uint64_t b)
{
    const uint64_t mask = interp_mask(size), carry = *rflags & X86_EFLAGS_CF;
    uint64_t res, carries = 0, overflow = 0;

    a &= mask;
    b &= mask;
    switch (op) {
    case ALU_OR: res = a | b; break;
    case ALU_AND: res = a & b; break;
    case ALU_XOR: res = a ^ b; break;
    case ALU_ADD:
    case ALU_ADC:
        res = (a + b + (op == ALU_ADC ? carry : 0)) & mask;
        carries = (a & b) | ((a | b) & ~res);
        overflow = (a ^ res) & (b ^ res);
        break;
    default:
        res = (a - b - (op == ALU_SBB ? carry : 0)) & mask;
        carries = (~a & b) | ((~a | b) & res);
        overflow = (a ^ b) & (a ^ res);
        break;
    }
    set_flags(rflags, of_result(res, size) | of_carries(carries, overflow, size));
    return res;
}

/* INC and DEC leave CF alone. */
uint64_t interp_inc(uint64_t *rflags, unsigned int size, uint64_t a, bool up)
{
    const uint64_t carry = *rflags & X86_EFLAGS_CF, res = interp_alu(rflags, up ? ALU_ADD : ALU_SUB, size, a, 1);

    *rflags = (*rflags & ~(uint64_t)X86_EFLAGS_CF) | carry;
    return res;
}

/* Rotations change CF and OF only. */
static uint64_t rotate(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, unsigned int n)
{
    const unsigned int bits = 8 * size, by = n % bits;
    const uint64_t mask = interp_mask(size), sign = sign_bit(size);
    uint64_t res = a, cf, of;

    if (by)
        res = op == SHIFT_ROL ? (a << by | a >> (bits - by)) & mask : (a >> by | a << (bits - by)) & mask;
    cf = op == SHIFT_ROL ? res & 1 : !!(res & sign);
    of = op == SHIFT_ROL ? !!(res & sign) ^ cf : !!(res & sign) ^ !!(res & sign >> 1);
    *rflags =
        (*rflags & ~(uint64_t)(X86_EFLAGS_CF | X86_EFLAGS_OF)) | (cf ? X86_EFLAGS_CF : 0) | (of ? X86_EFLAGS_OF : 0);
    return res;
}

/* RCL, RCR: through CF, a bit at a time. */
static uint64_t rotate_carry(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, unsigned int n)
{
    const uint64_t mask = interp_mask(size), sign = sign_bit(size);
    uint64_t cf = *rflags & X86_EFLAGS_CF, of;

    for (n %= 8 * size + 1; n; n--) {
        const uint64_t out = op == SHIFT_RCL ? !!(a & sign) : a & 1;

        a = op == SHIFT_RCL ? (a << 1 | cf) & mask : a >> 1 | (cf ? sign : 0);
        cf = out;
    }
    of = op == SHIFT_RCL ? !!(a & sign) ^ cf : !!(a & sign) ^ !!(a & sign >> 1);
    *rflags =
        (*rflags & ~(uint64_t)(X86_EFLAGS_CF | X86_EFLAGS_OF)) | (cf ? X86_EFLAGS_CF : 0) | (of ? X86_EFLAGS_OF : 0);
    return a;
}

/* By n modulo 32, or 64: by 0 nothing changes, not even flags. */
uint64_t interp_shift(uint64_t *rflags, unsigned int op, unsigned int size, uint64_t a, unsigned int n)
{
    const uint64_t mask = interp_mask(size), sign = sign_bit(size);
    uint64_t before, res, cf;

    n &= size == 8 ? 63 : 31;
    a &= mask;
    if (!n)
        return a;
    if (op == SHIFT_ROL || op == SHIFT_ROR)
        return rotate(rflags, op, size, a, n);
    if (op == SHIFT_RCL || op == SHIFT_RCR)
        return rotate_carry(rflags, op, size, a, n);
    switch (op) { /* the last step is one by 1: before it, and its result */
    case SHIFT_SAR: before = (uint64_t)(extend(a, size) >> (n - 1)) & mask; break;
    case SHIFT_SHR: before = a >> (n - 1); break;
    default: before = a << (n - 1) & mask; break;
    }
    switch (op) {
    case SHIFT_SAR: res = (uint64_t)(extend(before, size) >> 1) & mask; break;
    case SHIFT_SHR: res = before >> 1; break;
    default: res = before << 1 & mask; break;
    }
    cf = op == SHIFT_SAR || op == SHIFT_SHR ? before & 1 : !!(before & sign);
    set_flags(rflags, of_result(res, size) | (cf ? X86_EFLAGS_CF : 0) | ((before ^ res) & sign ? X86_EFLAGS_OF : 0));
    return res;
}

/* -------------------------------------------------------------------------------------- multiplication, division -- */

/* CF and OF: the upper half says more than the lower one's sign. The rest is undefined. */
static void set_mul_flags(uint64_t *rflags, uint64_t low, unsigned int size, bool more)
{
    set_flags(rflags, of_result(low & interp_mask(size), size) | (more ? X86_EFLAGS_CF | X86_EFLAGS_OF : 0));
}

uint64_t interp_imul(uint64_t *rflags, unsigned int size, uint64_t a, uint64_t b)
{
    const __int128 p = (__int128)extend(a, size) * extend(b, size);

    set_mul_flags(rflags, (uint64_t)p, size, p != extend((uint64_t)p, size));
    return (uint64_t)p & interp_mask(size);
}

static void set_low(uint64_t *reg, unsigned int size, uint64_t val)
{
    *reg = size >= 4 ? val & interp_mask(size) : (*reg & ~interp_mask(size)) | (val & interp_mask(size));
}

/* RDX:RAX, or AX, as one number. */
static unsigned __int128 get_pair(const struct cpu_state *r, unsigned int size)
{
    if (size == 1)
        return (uint16_t)r->rax;
    return (unsigned __int128)(r->rdx & interp_mask(size)) << (8 * size) | (r->rax & interp_mask(size));
}

static void set_pair(struct cpu_state *r, unsigned int size, uint64_t low, uint64_t high)
{
    if (size == 1) {
        set_low(&r->rax, 2, (low & 0xff) | (high & 0xff) << 8);
        return;
    }
    set_low(&r->rax, size, low);
    set_low(&r->rdx, size, high);
}

void interp_mul(struct cpu_state *r, unsigned int size, uint64_t b, bool is_signed)
{
    const uint64_t a = r->rax & interp_mask(size);
    uint64_t low, high;

    b &= interp_mask(size);
    if (is_signed) {
        const __int128 p = (__int128)extend(a, size) * extend(b, size);

        low = (uint64_t)p & interp_mask(size);
        high = (uint64_t)(p >> (8 * size));
        set_mul_flags(&r->rflags, low, size, p != extend(low, size));
    } else {
        const unsigned __int128 p = (unsigned __int128)a * b;

        low = (uint64_t)p & interp_mask(size);
        high = (uint64_t)(p >> (8 * size));
        set_mul_flags(&r->rflags, low, size, high);
    }
    set_pair(r, size, low, high);
}

bool interp_div(struct cpu_state *r, unsigned int size, uint64_t b, bool is_signed)
{
    const unsigned int bits = 16 * size;
    const unsigned __int128 u = get_pair(r, size);

    b &= interp_mask(size);
    if (!b)
        return false;
    if (is_signed) {
        const __int128 a = (__int128)(u << (128 - bits)) >> (128 - bits), by = extend(b, size);
        __int128 q;

        if (by == -1 && u == (unsigned __int128)1 << (bits - 1)) /* of all that is the one that overflows in C */
            return false;
        q = a / by;
        if (q != extend((uint64_t)q, size))
            return false;
        set_pair(r, size, (uint64_t)q, (uint64_t)(a % by));
    } else {
        const unsigned __int128 q = u / b;

        if (q > interp_mask(size))
            return false;
        set_pair(r, size, (uint64_t)q, (uint64_t)(u % b));
    }
    return true;
}

/* The sixteen conditions of Jcc, SETcc, CMOVcc: pairs, of which the odd one is the opposite. */
bool interp_condition(uint64_t f, unsigned int cc)
{
    const bool less = !!(f & X86_EFLAGS_SF) != !!(f & X86_EFLAGS_OF);
    bool is;

    switch (cc / 2) {
    case 0: is = f & X86_EFLAGS_OF; break;
    case 1: is = f & X86_EFLAGS_CF; break;
    case 2: is = f & X86_EFLAGS_ZF; break;
    case 3: is = f & (X86_EFLAGS_CF | X86_EFLAGS_ZF); break;
    case 4: is = f & X86_EFLAGS_SF; break;
    case 5: is = f & X86_EFLAGS_PF; break;
    case 6: is = less; break;
    default: is = less || f & X86_EFLAGS_ZF; break;
    }
    return is ^ (cc & 1);
}
