// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the processor's arithmetic unit computes, flags and all.
 *
 * Concept: an addition's carry out of each bit is where two of the three bits (a, b, and the sum's complement) say so;
 * its top one is CF, that out of bit 3 is AF, and OF is whether both operands had a sign that the sum has not.
 * Subtraction is the same with borrows. Shifts go bit by bit: that is what they are.
 *
 * Flags that the manual leaves undefined are as in the processor shown, where that is simple, or stay.
 *
 * Source: AMD APM volume 3, chapter 3; volume 1, 3.1.4 (flags).
 */
#include "vcpu/hvm/emulate.h"

static uint64_t msb(unsigned int size) { return UINT64_C(1) << (8 * size - 1); }

static void set(uint64_t *flags, uint64_t flag, bool on) { *flags = on ? *flags | flag : *flags & ~flag; }

/* What follows from the result alone. */
static void result_flags(uint64_t *flags, uint64_t val, unsigned int size)
{
    set(flags, X86_EFLAGS_ZF, !val);
    set(flags, X86_EFLAGS_SF, val & msb(size));
    set(flags, X86_EFLAGS_PF, !__builtin_parity((unsigned int)val & 0xff));
}

static uint64_t add(uint64_t a, uint64_t b, unsigned int carry, unsigned int size, uint64_t *flags)
{
    const uint64_t sum = hvm_cut(a + b + carry, size), carries = (a & b) | ((a | b) & ~sum);

    result_flags(flags, sum, size);
    set(flags, X86_EFLAGS_CF, carries & msb(size));
    set(flags, X86_EFLAGS_AF, carries & 8);
    set(flags, X86_EFLAGS_OF, (a ^ sum) & (b ^ sum) & msb(size));
    return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, unsigned int borrow, unsigned int size, uint64_t *flags)
{
    const uint64_t diff = hvm_cut(a - b - borrow, size), borrows = (~a & b) | ((~a | b) & diff);

    result_flags(flags, diff, size);
    set(flags, X86_EFLAGS_CF, borrows & msb(size));
    set(flags, X86_EFLAGS_AF, borrows & 8);
    set(flags, X86_EFLAGS_OF, (a ^ b) & (a ^ diff) & msb(size));
    return diff;
}

static uint64_t logic(uint64_t val, unsigned int size, uint64_t *flags)
{
    *flags &= ~(uint64_t)X86_EFLAGS_ARITH_MASK;
    result_flags(flags, val, size);
    return val;
}

uint64_t alu_binary(enum alu_binary op, uint64_t a, uint64_t b, unsigned int size, uint64_t *flags)
{
    const bool carry = *flags & X86_EFLAGS_CF;

    a = hvm_cut(a, size);
    b = hvm_cut(b, size);
    switch (op) {
    case ALU_ADD: return add(a, b, 0, size, flags);
    case ALU_OR: return logic(a | b, size, flags);
    case ALU_ADC: return add(a, b, carry, size, flags);
    case ALU_SBB: return subtract(a, b, carry, size, flags);
    case ALU_AND: return logic(a & b, size, flags);
    case ALU_SUB:
    case ALU_CMP: return subtract(a, b, 0, size, flags);
    case ALU_XOR: return logic(a ^ b, size, flags);
    }
    BUG();
}

/* CF stays. */
uint64_t alu_inc(uint64_t a, unsigned int size, uint64_t *flags)
{
    const bool carry = *flags & X86_EFLAGS_CF;
    const uint64_t val = add(hvm_cut(a, size), 1, 0, size, flags);

    set(flags, X86_EFLAGS_CF, carry);
    return val;
}

uint64_t alu_dec(uint64_t a, unsigned int size, uint64_t *flags)
{
    const bool carry = *flags & X86_EFLAGS_CF;
    const uint64_t val = subtract(hvm_cut(a, size), 1, 0, size, flags);

    set(flags, X86_EFLAGS_CF, carry);
    return val;
}

uint64_t alu_neg(uint64_t a, unsigned int size, uint64_t *flags)
{
    return subtract(0, hvm_cut(a, size), 0, size, flags);
}

/* -------------------------------------------------------------------------------------------------------- shifts -- */

enum { ROL, ROR, RCL, RCR, SHL, SHR, SHL_TOO, SAR };

/* One bit further; in is what comes in where it is not the operation that says so. */
static uint64_t shift_one(unsigned int op, uint64_t a, unsigned int size, bool *carry)
{
    const bool top = a & msb(size), bottom = a & 1, left = op == ROL || op == RCL || op == SHL || op == SHL_TOO;
    const bool in = op == ROL ? top : op == ROR ? bottom : op == RCL || op == RCR ? *carry : op == SAR && top;

    *carry = left ? top : bottom;
    return left ? hvm_cut(a << 1, size) | in : a >> 1 | (in ? msb(size) : 0);
}

uint64_t alu_shift(unsigned int op, uint64_t a, unsigned int count, unsigned int size, uint64_t *flags)
{
    const uint64_t was = hvm_cut(a, size);
    bool carry = *flags & X86_EFLAGS_CF;
    uint64_t val = was;

    count &= size == 8 ? 63 : 31;
    if (!count)
        return was;
    for (unsigned int i = 0; i < count; i++)
        val = shift_one(op, val, size, &carry);
    set(flags, X86_EFLAGS_CF, carry);
    switch (op) {
    case ROL:
    case RCL: set(flags, X86_EFLAGS_OF, !(val & msb(size)) == carry); return val;
    case ROR:
    case RCR: set(flags, X86_EFLAGS_OF, (val ^ val << 1) & msb(size)); return val;
    case SHR: set(flags, X86_EFLAGS_OF, was & msb(size)); break;
    case SAR: set(flags, X86_EFLAGS_OF, false); break;
    default: set(flags, X86_EFLAGS_OF, !(val & msb(size)) == carry); break;
    }
    result_flags(flags, val, size);
    return val;
}

/* Of words, behind the bits of b those of a come once more: a count may be as large as 31. */
uint64_t alu_shift_double(bool left, uint64_t a, uint64_t b, unsigned int count, unsigned int size, uint64_t *flags)
{
    const uint64_t was = hvm_cut(a, size), others = hvm_cut(b, size);
    const uint64_t in = size != 2 ? others : left ? others << 16 | was : was << 16 | others;
    const uint64_t in_msb = msb(size == 2 ? 4 : size);
    uint64_t val = was;
    bool carry = false;

    count &= size == 8 ? 63 : 31;
    if (!count)
        return was;
    for (unsigned int i = 0; i < count; i++) {
        carry = left ? val & msb(size) : val & 1;
        val = left ? hvm_cut(val << 1, size) | !!(in & in_msb >> i) : val >> 1 | (in >> i & 1 ? msb(size) : 0);
    }
    set(flags, X86_EFLAGS_CF, carry);
    set(flags, X86_EFLAGS_OF, (was ^ val) & msb(size));
    result_flags(flags, val, size);
    return val;
}

/* -------------------------------------------------------------------------------------- multiplying and dividing -- */

static __int128 wide(bool is_signed, uint64_t val, unsigned int size)
{
    const unsigned int shift = 64 - 8 * size;

    return is_signed ? (int64_t)(val << shift) >> shift : (__int128)hvm_cut(val, size);
}

static uint64_t replace(uint64_t reg, uint64_t val, unsigned int size)
{
    return size == 8 ? val : size == 4 ? (uint32_t)val : (reg & ~hvm_cut(~UINT64_C(0), size)) | hvm_cut(val, size);
}

void alu_multiply(bool is_signed, uint64_t b, unsigned int size, uint64_t *rax, uint64_t *rdx, uint64_t *flags)
{
    const unsigned __int128 product =
        (unsigned __int128)wide(is_signed, *rax, size) * (unsigned __int128)wide(is_signed, b, size);
    const uint64_t low = (uint64_t)product, high = size == 8 ? (uint64_t)(product >> 64) : low >> 8 * size;
    const bool spills = is_signed ? (__int128)product != wide(true, low, size) : hvm_cut(high, size) != 0;

    if (size == 1) {
        *rax = replace(*rax, low, 2);
    } else {
        *rax = replace(*rax, low, size);
        *rdx = replace(*rdx, high, size);
    }
    set(flags, X86_EFLAGS_CF, spills);
    set(flags, X86_EFLAGS_OF, spills);
}

uint64_t alu_imul(uint64_t a, uint64_t b, unsigned int size, uint64_t *flags)
{
    const __int128 product = wide(true, a, size) * wide(true, b, size);
    const bool spills = product != wide(true, (uint64_t)product, size);

    set(flags, X86_EFLAGS_CF, spills);
    set(flags, X86_EFLAGS_OF, spills);
    return hvm_cut((uint64_t)product, size);
}

/* Of the dividend, twice as wide as the divisor. */
static unsigned __int128 dividend(unsigned int size, uint64_t rax, uint64_t rdx)
{
    return size == 1 ? hvm_cut(rax, 2) : (unsigned __int128)hvm_cut(rdx, size) << 8 * size | hvm_cut(rax, size);
}

bool alu_divide(bool is_signed, uint64_t b, unsigned int size, uint64_t *rax, uint64_t *rdx)
{
    const unsigned __int128 a = dividend(size, *rax, *rdx);
    const unsigned int shift = 128 - 16 * size;
    unsigned __int128 quotient, rest;

    b = hvm_cut(b, size);
    if (!b)
        return false;
    if (is_signed) {
        const __int128 n = (__int128)(a << shift) >> shift, by = wide(true, b, size);

        if (by == -1 && n == (__int128)((unsigned __int128)1 << 127))
            return false;
        if (n / by != wide(true, (uint64_t)(n / by), size))
            return false;
        quotient = (unsigned __int128)(n / by);
        rest = (unsigned __int128)(n % by);
    } else {
        quotient = a / b;
        rest = a % b;
        if (quotient >> 8 * size)
            return false;
    }
    if (size == 1) {
        *rax = replace(*rax, ((uint64_t)rest & 0xff) << 8 | ((uint64_t)quotient & 0xff), 2);
    } else {
        *rax = replace(*rax, (uint64_t)quotient, size);
        *rdx = replace(*rdx, (uint64_t)rest, size);
    }
    return true;
}

bool alu_condition(unsigned int cc, uint64_t flags)
{
    const bool less = !(flags & X86_EFLAGS_SF) != !(flags & X86_EFLAGS_OF);
    bool yes = false;

    switch (cc >> 1 & 7) {
    case 0: yes = flags & X86_EFLAGS_OF; break;
    case 1: yes = flags & X86_EFLAGS_CF; break;
    case 2: yes = flags & X86_EFLAGS_ZF; break;
    case 3: yes = flags & (X86_EFLAGS_CF | X86_EFLAGS_ZF); break;
    case 4: yes = flags & X86_EFLAGS_SF; break;
    case 5: yes = flags & X86_EFLAGS_PF; break;
    case 6: yes = less; break;
    case 7: yes = less || flags & X86_EFLAGS_ZF; break;
    }
    return yes != (cc & 1);
}
