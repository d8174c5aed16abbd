// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Single bits, and what is exchanged in one piece: BT and its kin, BSF, BSR, BSWAP, SHLD, SHRD, XADD, CMPXCHG.
 *
 * Concept: kernels lock and mark by these: a bit of a page-table entry, a word that is written if it is as it was. One
 * vCPU runs at a time, so that LOCK has nothing to do here. Flags that the manual leaves undefined stay as they are.
 *
 * Source: AMD APM volume 3, general-purpose instructions.
 */
#include "vcpu/five/interp.h"

enum { BIT_BT, BIT_BTS, BIT_BTR, BIT_BTC };

static void set_flag(struct interp *i, uint64_t flag, bool on)
{
    i->r->rflags = on ? i->r->rflags | flag : i->r->rflags & ~flag;
}

/* By its number in a register a bit of memory may be far from the operand's address, before it or behind it. */
static uint64_t bit_address(const struct interp *i, const struct interp_insn *in, uint64_t nr)
{
    const unsigned int unused = 64 - 8 * in->size;
    const int64_t words = (int64_t)(nr << unused) >> unused >> (in->size == 8 ? 6 : in->size == 4 ? 5 : 4);
    const uint64_t at = interp_offset(i, in) + (in->has_imm ? 0 : (uint64_t)words * in->size);

    return interp_linear(i, in, in->address_size == 8 ? at : (uint32_t)at);
}

static bool bit(struct interp *i, const struct interp_insn *in)
{
    const uint64_t nr = in->has_imm ? in->imm : interp_reg(i, in->reg, in->size),
                   one = UINT64_C(1) << (nr & (8u * in->size - 1)), at = in->is_mem ? bit_address(i, in, nr) : 0;
    const bool stack = interp_on_stack(in), was_read = in->sub == BIT_BT;
    uint64_t a = interp_reg(i, in->is_mem ? 0 : in->rm, in->size), res;

    if (in->is_mem && !(was_read ? interp_load(i, at, in->size, &a, stack) : interp_modify(i, at, in->size, &a, stack)))
        return false;
    res = in->sub == BIT_BTS ? a | one : in->sub == BIT_BTR ? a & ~one : a ^ one;
    if (!was_read && in->is_mem && !interp_store(i, at, in->size, res, stack))
        return false;
    if (!was_read && !in->is_mem)
        interp_set_reg(i, in->rm, in->size, res);
    set_flag(i, X86_EFLAGS_CF, a & one);
    return true;
}

/* BSF: the lowest bit that is set, BSR: the highest. Of 0 the register stays, as far as it is written. */
static bool scan(struct interp *i, const struct interp_insn *in)
{
    uint64_t a;

    if (!interp_get_rm(i, in, in->size, &a))
        return false;
    set_flag(i, X86_EFLAGS_ZF, !a);
    if (!a)
        a = interp_reg(i, in->reg, in->size);
    else
        a = (uint64_t)(in->sub ? 63 - __builtin_clzll(a) : __builtin_ctzll(a));
    interp_set_reg(i, in->reg, in->size, a);
    return true;
}

static bool lzcnt(struct interp *i, const struct interp_insn *in)
{
    const unsigned int bits = 8u * in->size;
    uint64_t a, n;

    if (!interp_get_rm(i, in, in->size, &a))
        return false;
    n = a ? (uint64_t)__builtin_clzll(a) - (64 - bits) : bits;
    set_flag(i, X86_EFLAGS_CF, !a);
    set_flag(i, X86_EFLAGS_ZF, !n);
    interp_set_reg(i, in->reg, in->size, n);
    return true;
}

/* SHLD, SHRD: bits move in from the register. By more than 16 of 16 bits: undefined, and what a processor does. */
static bool shift2(struct interp *i, const struct interp_insn *in)
{
    const unsigned int bits = 8u * in->size,
                       n = (unsigned int)(in->has_imm ? in->imm : i->r->rcx) & (bits == 64 ? 63 : 31);
    const uint64_t sign = UINT64_C(1) << (bits - 1), from = interp_reg(i, in->reg, in->size);
    const bool right = in->sub;
    uint64_t a, res, flags = i->r->rflags;
    bool out;

    if (!interp_modify_rm(i, in, &a))
        return false;
    if (n > bits)
        return interp_refuse(i, KNOWS_NO "SHLD or SHRD of 16 bits by more than 16");
    if (!n)
        return interp_set_rm(i, in, in->size, a);
    if (n == bits)
        res = from;
    else
        res = (right ? a >> n | from << (bits - n) : a << n | from >> (bits - n)) & interp_mask(in->size);
    out = right ? a >> (n - 1) & 1 : a >> (bits - n) & 1;
    if (!interp_set_rm(i, in, in->size, res))
        return false;
    interp_alu(&flags, ALU_OR, in->size, res, 0);
    i->r->rflags = (flags & ~(uint64_t)(X86_EFLAGS_CF | X86_EFLAGS_OF)) | (out ? X86_EFLAGS_CF : 0) |
                   ((a ^ res) & sign ? X86_EFLAGS_OF : 0);
    return true;
}

static bool bswap(struct interp *i, const struct interp_insn *in)
{
    const uint64_t a = __builtin_bswap64(interp_reg(i, in->rm, in->size));

    if (in->size == 2)
        return interp_refuse(i, KNOWS_NO "BSWAP of 16 bits");
    interp_set_reg(i, in->rm, in->size, a >> (64 - 8 * in->size));
    return true;
}

static bool xadd(struct interp *i, const struct interp_insn *in)
{
    const uint64_t b = interp_reg(i, in->reg, in->size);
    uint64_t flags = i->r->rflags, a, sum;

    if (!interp_modify_rm(i, in, &a))
        return false;
    sum = interp_alu(&flags, ALU_ADD, in->size, a, b);
    if (in->is_mem && !interp_set_rm(i, in, in->size, sum))
        return false;
    interp_set_reg(i, in->reg, in->size, a);
    if (!in->is_mem)
        interp_set_reg(i, in->rm, in->size, sum);
    i->r->rflags = flags;
    return true;
}

/* The operand is written in each case, and so is the accumulator, as in the engine (docs/cpu.md, cmpxchg-32). */
static bool cmpxchg(struct interp *i, const struct interp_insn *in)
{
    const uint64_t acc = interp_reg(i, 0, in->size);
    uint64_t flags = i->r->rflags, a, val;

    if (!interp_modify_rm(i, in, &a))
        return false;
    val = a == acc ? interp_reg(i, in->reg, in->size) : a;
    interp_alu(&flags, ALU_CMP, in->size, acc, a);
    if (in->is_mem && !interp_set_rm(i, in, in->size, val))
        return false;
    interp_set_reg(i, 0, in->size, a);
    if (!in->is_mem)
        interp_set_reg(i, in->rm, in->size, val);
    i->r->rflags = flags;
    return true;
}

/* CMPXCHG8B, CMPXCHG16B: RDX:RAX with memory, RCX:RBX to it. */
static bool cmpxchg2(struct interp *i, const struct interp_insn *in)
{
    const uint64_t at = interp_address(i, in), size = in->size, ax = interp_reg(i, 0, in->size),
                   dx = interp_reg(i, 2, in->size);
    const bool stack = interp_on_stack(in);
    uint64_t low, high;
    bool same;

    if (size == 8 && at & 15)
        return interp_exception(i, X86_EXC_GP, 0);
    if (!interp_modify(i, at, in->size, &low, stack) || !interp_modify(i, at + size, in->size, &high, stack))
        return false;
    same = low == ax && high == dx;
    if (!interp_store(i, at, in->size, same ? interp_reg(i, 3, in->size) : low, stack) ||
        !interp_store(i, at + size, in->size, same ? interp_reg(i, 1, in->size) : high, stack))
        return false;
    if (!same) {
        interp_set_reg(i, 0, in->size, low);
        interp_set_reg(i, 2, in->size, high);
    }
    set_flag(i, X86_EFLAGS_ZF, same);
    return true;
}

bool interp_execute_bits(struct interp *i, const struct interp_insn *in)
{
    switch (in->op) {
    case OP_BIT: return bit(i, in);
    case OP_SCAN: return scan(i, in);
    case OP_LZCNT: return lzcnt(i, in);
    case OP_SHIFT2: return shift2(i, in);
    case OP_BSWAP: return bswap(i, in);
    case OP_XADD: return xadd(i, in);
    case OP_CMPXCHG: return cmpxchg(i, in);
    case OP_CMPXCHG2: return cmpxchg2(i, in);
    default: BUG();
    }
}
