// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations that are carried out in the processor's place, but for strings and XMM registers: a function each, and
 * a table that says of each opcode which.
 *
 * Invariants: see emulate.c. Each finds its places, reads, computes, writes, and then changes registers, in that order.
 *
 * Corresponds to the emulator of xen/arch/x86/x86_emulate/x86_emulate.c.
 *
 * Budget: over 400 lines: many small functions, and the table.
 *
 * Source: AMD APM volume 3, chapter 3.
 */
#include "vcpu/hvm/emulate.h"

#include <string.h>

static uint64_t source(const struct emul *e) { return emul_reg(e, INSN_REGISTER(&e->in), e->in.size); }
static void set_source(struct emul *e, uint64_t val) { emul_set_reg(e, INSN_REGISTER(&e->in), e->in.size, val); }

/* The operand of ModRM, as a number. */
static bool operand(struct emul *e, unsigned int size, bool write, struct emul_place *p, uint64_t *val)
{
    *val = 0;
    return emul_operand(e, size, write, p) && emul_read(e, p, val);
}

static bool load(struct emul *e, unsigned int size, uint64_t *val)
{
    struct emul_place p;

    return operand(e, size, false, &p, val);
}

static bool store(struct emul *e, unsigned int size, uint64_t val)
{
    struct emul_place p;

    return emul_operand(e, size, true, &p) && emul_write(e, &p, &val);
}

/* ---------------------------------------------------------------------------------------------------- arithmetic -- */

static bool unknown(struct emul *e)
{
    e->unknown = true;
    return false;
}

/* Memory op= src, or, of CMP, only its flags. */
static bool binary(struct emul *e, enum alu_binary op, uint64_t src)
{
    struct emul_place p;
    uint64_t val;

    if (!operand(e, e->in.size, op != ALU_CMP, &p, &val))
        return false;
    val = alu_binary(op, val, src, e->in.size, &e->flags);
    return op == ALU_CMP || emul_write(e, &p, &val);
}

/* Opcodes 00 to 3B: bit 1 says that memory is the source. */
static bool arithmetic(struct emul *e)
{
    const enum alu_binary op = e->in.op >> 3 & 7;
    uint64_t val;

    if (!(e->in.op & 2))
        return binary(e, op, source(e));
    if (!load(e, e->in.size, &val))
        return false;
    val = alu_binary(op, source(e), val, e->in.size, &e->flags);
    if (op != ALU_CMP)
        set_source(e, val);
    return true;
}

static bool group1(struct emul *e) { return binary(e, MODRM_REG(&e->in), e->in.imm); }

static bool test(struct emul *e, uint64_t with)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    alu_binary(ALU_AND, val, with, e->in.size, &e->flags);
    return true;
}

static bool test_reg(struct emul *e) { return test(e, source(e)); }

static bool shift(struct emul *e)
{
    const unsigned int count = e->in.op < 0xd0   ? (unsigned int)e->in.imm
                               : e->in.op < 0xd2 ? 1
                                                 : (unsigned int)e->r->rcx;
    struct emul_place p;
    uint64_t val;

    if (!operand(e, e->in.size, true, &p, &val))
        return false;
    val = alu_shift(MODRM_REG(&e->in), val, count & 0xff, e->in.size, &e->flags);
    return emul_write(e, &p, &val);
}

static bool shift_double(struct emul *e)
{
    const unsigned int count = e->in.op & 1 ? (unsigned int)e->r->rcx : (unsigned int)e->in.imm;
    struct emul_place p;
    uint64_t val;

    if (!operand(e, e->in.size, true, &p, &val))
        return false;
    val = alu_shift_double(e->in.op < 0xa8, val, source(e), count & 0xff, e->in.size, &e->flags);
    return emul_write(e, &p, &val);
}

/* NOT, NEG; INC, DEC. */
static bool unary(struct emul *e, bool f6)
{
    const unsigned int op = MODRM_REG(&e->in), size = e->in.size;
    struct emul_place p;
    uint64_t val;

    if (!operand(e, size, true, &p, &val))
        return false;
    if (f6)
        val = op == 2 ? ~val : alu_neg(val, size, &e->flags);
    else
        val = op == 0 ? alu_inc(val, size, &e->flags) : alu_dec(val, size, &e->flags);
    return emul_write(e, &p, &val);
}

static bool multiply_divide(struct emul *e, unsigned int op)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    if (op < 6)
        alu_multiply(op == 5, val, e->in.size, &e->r->rax, &e->r->rdx, &e->flags);
    else if (!alu_divide(op == 7, val, e->in.size, &e->r->rax, &e->r->rdx))
        return emul_fault(e, X86_EXC_DE, 0);
    return true;
}

static bool group3(struct emul *e)
{
    const unsigned int op = MODRM_REG(&e->in);

    return op < 2 ? test(e, e->in.imm) : op < 4 ? unary(e, true) : multiply_divide(e, op);
}

static bool imul(struct emul *e)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    set_source(e, alu_imul(val, e->in.map == MAP_ONE ? e->in.imm : source(e), e->in.size, &e->flags));
    return true;
}

/* BT, BTS, BTR, BTC: a bit's number in a register reaches beyond the operand, an immediate one wraps. */
static bool bit_test(struct emul *e)
{
    const bool immediate = e->in.op == 0xba;
    const unsigned int op = immediate ? MODRM_REG(&e->in) & 3 : e->in.op >> 3 & 3, size = e->in.size;
    const uint64_t nr = immediate ? e->in.imm : source(e), mask = UINT64_C(1) << (nr & (8 * size - 1));
    struct emul_place p;
    uint64_t val;

    if (immediate && MODRM_REG(&e->in) < 4)
        return unknown(e);
    if (!immediate) {
        const int64_t bit = (int64_t)(nr << (64 - 8 * size)) >> (64 - 8 * size);

        e->in.offset = hvm_cut(e->in.offset + (uint64_t)(bit >> 3 & -(int64_t)size), e->in.addr_size);
    }
    if (!operand(e, size, op, &p, &val))
        return false;
    e->flags = (e->flags & ~(uint64_t)X86_EFLAGS_CF) | (val & mask ? X86_EFLAGS_CF : 0);
    val = op == 1 ? val | mask : op == 2 ? val & ~mask : val ^ mask;
    return !op || emul_write(e, &p, &val);
}

/*
 * BSF, BSR: of 0 only ZF, and as in this engine the upper half of a register of 32 bits is cleared. (With F3 BSF is
 * TZCNT, which this processor does not have: it ignores F3.)
 */
static bool bit_scan(struct emul *e)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    e->flags = (e->flags & ~(uint64_t)X86_EFLAGS_ZF) | (val ? 0 : X86_EFLAGS_ZF);
    if (!val)
        set_source(e, source(e));
    else
        set_source(e, e->in.op & 1 ? 63 - (unsigned int)__builtin_clzll(val) : (unsigned int)__builtin_ctzll(val));
    return true;
}

/* POPCNT, LZCNT. */
static bool bit_count(struct emul *e)
{
    const bool leading = e->in.op == 0xbd;
    const unsigned int bits = 8 * e->in.size;
    unsigned int n;
    uint64_t val;

    if (!e->in.p.rep)
        return leading ? bit_scan(e) : unknown(e);
    if (!load(e, e->in.size, &val))
        return false;
    n = leading ? (val ? (unsigned int)__builtin_clzll(val) - (64 - bits) : bits)
                : (unsigned int)__builtin_popcountll(val);
    e->flags &= ~(uint64_t)(leading ? X86_EFLAGS_CF | X86_EFLAGS_ZF : X86_EFLAGS_ARITH_MASK);
    e->flags |= (leading ? !n : !val) ? X86_EFLAGS_ZF : 0;
    e->flags |= leading && !val ? X86_EFLAGS_CF : 0;
    set_source(e, n);
    return true;
}

/* --------------------------------------------------------------------------------------------------------- moves -- */

static bool mov_to(struct emul *e) { return store(e, e->in.size, source(e)); }
static bool mov_imm(struct emul *e) { return MODRM_REG(&e->in) ? unknown(e) : store(e, e->in.size, e->in.imm); }

static bool mov_from(struct emul *e)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    set_source(e, val);
    return true;
}

/* A0 to A3: RAX, and an address in the instruction. */
static bool mov_offset(struct emul *e)
{
    uint64_t val;

    if (e->in.op & 2)
        return store(e, e->in.size, e->r->rax);
    if (!load(e, e->in.size, &val))
        return false;
    emul_set_reg(e, 0, e->in.size, val);
    return true;
}

/* To memory always 16 bits. */
static bool mov_segment(struct emul *e)
{
    return MODRM_REG(&e->in) < CPU_NR_SEGS ? store(e, 2, e->r->seg[MODRM_REG(&e->in)].sel) : unknown(e);
}

/* MOVZX, MOVSX from a byte or a word, MOVSXD. */
static bool extend(struct emul *e)
{
    const unsigned int size = e->in.map == MAP_ONE ? (e->in.size == 2 ? 2 : 4) : e->in.op & 1 ? 2 : 1;
    const unsigned int shift = 64 - 8 * size;
    uint64_t val;

    if (e->in.map == MAP_ONE && e->in.code_bits != 64)
        return unknown(e); /* ARPL */
    if (!load(e, size, &val))
        return false;
    if (e->in.map == MAP_ONE || e->in.op & 8)
        val = (uint64_t)((int64_t)(val << shift) >> shift);
    set_source(e, val);
    return true;
}

static bool xchg(struct emul *e)
{
    const uint64_t src = source(e);
    struct emul_place p;
    uint64_t val;

    if (!operand(e, e->in.size, true, &p, &val) || !emul_write(e, &p, &src))
        return false;
    set_source(e, val);
    return true;
}

static bool xadd(struct emul *e)
{
    struct emul_place p;
    uint64_t val, sum;

    if (!operand(e, e->in.size, true, &p, &val))
        return false;
    sum = alu_binary(ALU_ADD, val, source(e), e->in.size, &e->flags);
    if (!emul_write(e, &p, &sum))
        return false;
    set_source(e, val);
    return true;
}

/* What was there is written back if it was not what was expected. */
static bool cmpxchg(struct emul *e)
{
    struct emul_place p;
    uint64_t val, to;

    if (!operand(e, e->in.size, true, &p, &val))
        return false;
    alu_binary(ALU_CMP, e->r->rax, val, e->in.size, &e->flags);
    to = e->flags & X86_EFLAGS_ZF ? source(e) : val;
    if (!emul_write(e, &p, &to))
        return false;
    if (!(e->flags & X86_EFLAGS_ZF))
        emul_set_reg(e, 0, e->in.size, val);
    return true;
}

/* CMPXCHG8B, CMPXCHG16B: RDX:RAX with memory, RCX:RBX into it. */
static bool cmpxchg_double(struct emul *e)
{
    struct cpu_state *r = e->r;
    const unsigned int half = e->in.p.rex & 8 ? 8 : 4;
    uint8_t val[16], to[16];
    struct emul_place p;
    bool same;

    if (MODRM_REG(&e->in) != 1)
        return unknown(e);
    if (half == 8 && emul_linear(e, e->in.seg, e->in.offset) & 15)
        return emul_fault(e, X86_EXC_GP, 0);
    if (!emul_operand(e, 2 * half, true, &p) || !emul_read(e, &p, val))
        return false;
    same = !memcmp(val, &r->rax, half) && !memcmp(val + half, &r->rdx, half);
    memcpy(to, same ? (const void *)&r->rbx : val, half);
    memcpy(to + half, same ? (const void *)&r->rcx : val + half, half);
    if (!emul_write(e, &p, to))
        return false;
    e->flags = (e->flags & ~(uint64_t)X86_EFLAGS_ZF) | (same ? X86_EFLAGS_ZF : 0);
    if (!same) {
        r->rax = r->rdx = 0;
        memcpy(&r->rax, val, half);
        memcpy(&r->rdx, val + half, half);
    }
    return true;
}

static bool setcc(struct emul *e) { return store(e, 1, alu_condition(e->in.op, e->flags)); }

/* It reads whether it moves or not, and clears the upper half if it does not. */
static bool cmov(struct emul *e)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    set_source(e, alu_condition(e->in.op, e->flags) ? val : source(e));
    return true;
}

static uint64_t swap(uint64_t val, unsigned int size)
{
    return size == 8   ? __builtin_bswap64(val)
           : size == 4 ? __builtin_bswap32((uint32_t)val)
                       : __builtin_bswap16((uint16_t)val);
}

static bool movbe(struct emul *e)
{
    uint64_t val;

    if (e->in.op & 1)
        return store(e, e->in.size, swap(source(e), e->in.size));
    if (!load(e, e->in.size, &val))
        return false;
    set_source(e, swap(val, e->in.size));
    return true;
}

static bool xlat(struct emul *e)
{
    uint64_t val;

    e->in.offset = hvm_cut(e->r->rbx + (e->r->rax & 0xff), e->in.addr_size);
    if (!load(e, 1, &val))
        return false;
    emul_set_reg(e, 0, 1, val);
    return true;
}

/* ----------------------------------------------------------------------------------------------------- the stack -- */

/* By which SS counts. */
static unsigned int stack_size(const struct emul *e)
{
    return e->in.code_bits == 64 ? 8 : e->r->seg[CPU_SEG_SS].attr & SEG_ATTR_D ? 4 : 2;
}

static void move_stack(struct emul *e, unsigned int by)
{
    const unsigned int size = stack_size(e);
    const uint64_t rsp = e->r->rsp + (uint64_t)(int64_t)(int)by;

    e->r->rsp = size == 2 ? (e->r->rsp & ~UINT64_C(0xffff)) | (rsp & 0xffff) : hvm_cut(rsp, size);
}

/* PUSH, CALL: memory is read, something goes to the stack. */
static bool push_from(struct emul *e, bool call)
{
    const unsigned int size = e->in.size;
    struct emul_place p, stack;
    uint64_t val = 0, word;

    if (!emul_operand(e, size, false, &p) ||
        !emul_place(e, CPU_SEG_SS, hvm_cut(e->r->rsp - size, stack_size(e)), size, true, &stack) ||
        !emul_read(e, &p, &val))
        return false;
    word = call ? e->r->rip + e->in.len : val;
    if (!emul_write(e, &stack, &word))
        return false;
    move_stack(e, 0u - size);
    if (call)
        e->r->rip = val - e->in.len; /* it is stepped over yet */
    return true;
}

static bool jmp(struct emul *e)
{
    uint64_t val;

    if (!load(e, e->in.size, &val))
        return false;
    e->r->rip = val - e->in.len;
    return true;
}

static bool pop(struct emul *e)
{
    const unsigned int size = e->in.size;
    struct emul_place p, stack;
    uint64_t val = 0;

    if (MODRM_REG(&e->in))
        return unknown(e);
    if (!emul_place(e, CPU_SEG_SS, hvm_cut(e->r->rsp, stack_size(e)), size, false, &stack) ||
        !emul_operand(e, size, true, &p) || !emul_read(e, &stack, &val) || !emul_write(e, &p, &val))
        return false;
    move_stack(e, size);
    return true;
}

static bool group5(struct emul *e)
{
    switch (MODRM_REG(&e->in)) {
    case 0:
    case 1: return unary(e, false);
    case 2: return push_from(e, true);
    case 4: return jmp(e);
    case 6: return push_from(e, false);
    default: return unknown(e);
    }
}

/* ------------------------------------------------------------------------------------------------ all operations -- */

typedef bool operation(struct emul *e);

static operation *const one[256] = {
    [0x00 ... 0x03] = arithmetic,
    [0x08 ... 0x0b] = arithmetic,
    [0x10 ... 0x13] = arithmetic,
    [0x18 ... 0x1b] = arithmetic,
    [0x20 ... 0x23] = arithmetic,
    [0x28 ... 0x2b] = arithmetic,
    [0x30 ... 0x33] = arithmetic,
    [0x38 ... 0x3b] = arithmetic,
    [0x63] = extend,
    [0x69] = imul,
    [0x6b] = imul,
    [0x80 ... 0x83] = group1,
    [0x84 ... 0x85] = test_reg,
    [0x86 ... 0x87] = xchg,
    [0x88 ... 0x89] = mov_to,
    [0x8a ... 0x8b] = mov_from,
    [0x8c] = mov_segment,
    [0x8f] = pop,
    [0xa0 ... 0xa3] = mov_offset,
    [0xc0 ... 0xc1] = shift,
    [0xc6 ... 0xc7] = mov_imm,
    [0xd0 ... 0xd3] = shift,
    [0xd7] = xlat,
    [0xd8 ... 0xdf] = emul_x87,
    [0xf6 ... 0xf7] = group3,
    [0xfe ... 0xff] = group5,
};

static operation *const two[256] = {
    [0x10 ... 0x13] = emul_sse_move,
    [0x16 ... 0x17] = emul_sse_move,
    [0x28 ... 0x29] = emul_sse_move,
    [0x2b] = emul_sse_move,
    [0x40 ... 0x4f] = cmov,
    [0x6e ... 0x6f] = emul_sse_move,
    [0x7e ... 0x7f] = emul_sse_move,
    [0x90 ... 0x9f] = setcc,
    [0xa3] = bit_test,
    [0xa4 ... 0xa5] = shift_double,
    [0xab] = bit_test,
    [0xac ... 0xad] = shift_double,
    [0xaf] = imul,
    [0xb0 ... 0xb1] = cmpxchg,
    [0xb3] = bit_test,
    [0xb6 ... 0xb7] = extend,
    [0xb8] = bit_count,
    [0xba ... 0xbb] = bit_test,
    [0xbc] = bit_scan,
    [0xbd] = bit_count,
    [0xbe ... 0xbf] = extend,
    [0xc0 ... 0xc1] = xadd,
    [0xc3] = mov_to,
    [0xc7] = cmpxchg_double,
    [0xd6] = emul_sse_move,
    [0xe7] = emul_sse_move,
};

bool emul_operation(struct emul *e)
{
    const struct hvm_insn *in = &e->in;
    operation *op = in->map == MAP_ONE  ? one[in->op]
                    : in->map == MAP_0F ? two[in->op]
                    : in->op == 0x2a    ? emul_sse_move
                                        : movbe;

    return op ? op(e) : unknown(e);
}
