// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What instructions do that any program may execute.
 *
 * Concept: read operands, compute, write the result; what can fault comes before what changes. RIP is not moved here:
 * interp.next is where it will be if the instruction succeeds, and a transfer of control puts another address there.
 */
#include "vcpu/five/interp.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------- transfers -- */

/* To a new RIP: one that is not canonical is a fault of the transfer. */
static bool jump(struct interp *i, uint64_t to)
{
    i->next = interp_is_64(i->r) ? to : (uint32_t)to;
    i->transfers = true;
    return is_canonical(i->next) || interp_exception(i, X86_EXC_GP, 0);
}

static bool call(struct interp *i, const struct interp_insn *in, uint64_t to)
{
    const uint64_t back = i->next;

    return jump(i, to) && interp_push(i, in->size, back);
}

static bool ret(struct interp *i, const struct interp_insn *in)
{
    uint64_t to;

    if (!interp_top(i, in->size, &to) || !jump(i, to))
        return false;
    i->r->rsp = interp_stack_at(i, i->r->rsp + in->size + in->imm);
    return true;
}

/* ---------------------------------------------------------------------------------------------------- arithmetic -- */

static bool alu(struct interp *i, const struct interp_insn *in)
{
    uint64_t flags = i->r->rflags, a, b, res;

    if (in->sub == ALU_CMP || in->to_reg ? !interp_get_rm(i, in, in->size, &a) : !interp_modify_rm(i, in, &a))
        return false;
    b = in->has_imm ? in->imm : interp_reg(i, in->reg, in->size);
    res = in->to_reg ? interp_alu(&flags, in->sub, in->size, b, a) : interp_alu(&flags, in->sub, in->size, a, b);
    if (in->sub != ALU_CMP) {
        if (in->to_reg)
            interp_set_reg(i, in->reg, in->size, res);
        else if (!interp_set_rm(i, in, in->size, res))
            return false;
    }
    i->r->rflags = flags;
    return true;
}

static bool test(struct interp *i, const struct interp_insn *in)
{
    uint64_t a;

    if (!interp_get_rm(i, in, in->size, &a))
        return false;
    interp_alu(&i->r->rflags, ALU_AND, in->size, a, in->has_imm ? in->imm : interp_reg(i, in->reg, in->size));
    return true;
}

/* Of one operand. */
static bool unary(struct interp *i, const struct interp_insn *in)
{
    uint64_t flags = i->r->rflags, a;

    if (!interp_modify_rm(i, in, &a))
        return false;
    switch (in->op) {
    case OP_NOT: a = ~a; break;
    case OP_NEG: a = interp_alu(&flags, ALU_SUB, in->size, 0, a); break;
    case OP_INC: a = interp_inc(&flags, in->size, a, true); break;
    case OP_DEC: a = interp_inc(&flags, in->size, a, false); break;
    default: a = interp_shift(&flags, in->sub, in->size, a, (uint8_t)(in->has_imm ? in->imm : i->r->rcx)); break;
    }
    if (!interp_set_rm(i, in, in->size, a))
        return false;
    i->r->rflags = flags;
    return true;
}

static bool multiply_divide(struct interp *i, const struct interp_insn *in)
{
    uint64_t b;

    if (!interp_get_rm(i, in, in->size, &b))
        return false;
    if (in->op == OP_MUL || in->op == OP_IMUL)
        interp_mul(i->r, in->size, b, in->op == OP_IMUL);
    else if (!interp_div(i->r, in->size, b, in->op == OP_IDIV))
        return interp_exception(i, X86_EXC_DE, 0);
    return true;
}

static bool imul2(struct interp *i, const struct interp_insn *in)
{
    uint64_t a, b;

    if (!interp_get_rm(i, in, in->size, &a))
        return false;
    b = in->has_imm ? in->imm : interp_reg(i, in->reg, in->size);
    interp_set_reg(i, in->reg, in->size, interp_imul(&i->r->rflags, in->size, b, a));
    return true;
}

/* CBW, CWDE, CDQE: within RAX; CWD, CDQ, CQO: into RDX. */
static void sign(struct interp *i, const struct interp_insn *in)
{
    const unsigned int from = in->op == OP_SIGN_A ? in->size / 2 : in->size;
    const uint64_t a = i->r->rax & interp_mask(from);
    const bool minus = a >> (8 * from - 1);

    if (in->op == OP_SIGN_A)
        interp_set_reg(i, 0, in->size, minus ? a | ~interp_mask(from) : a);
    else
        interp_set_reg(i, 2, in->size, minus ? ~UINT64_C(0) : 0);
}

/* --------------------------------------------------------------------------------------------------------- moves -- */

static bool mov(struct interp *i, const struct interp_insn *in)
{
    uint64_t val;

    if (!in->to_reg)
        return interp_set_rm(i, in, in->size, in->has_imm ? in->imm : interp_reg(i, in->reg, in->size));
    if (!interp_get_rm(i, in, in->size, &val))
        return false;
    interp_set_reg(i, in->reg, in->size, val);
    return true;
}

static bool mov_extended(struct interp *i, const struct interp_insn *in)
{
    uint64_t val;

    if (!interp_get_rm(i, in, in->from, &val))
        return false;
    if (in->op == OP_MOVSX && val >> (8 * in->from - 1))
        val |= ~interp_mask(in->from);
    interp_set_reg(i, in->reg, in->size, val);
    return true;
}

static bool xchg(struct interp *i, const struct interp_insn *in)
{
    const uint64_t reg = interp_reg(i, in->reg, in->size);
    uint64_t val;

    if (!interp_modify_rm(i, in, &val) || !interp_set_rm(i, in, in->size, reg))
        return false;
    interp_set_reg(i, in->reg, in->size, val);
    return true;
}

/* POP to memory reckons its address with the RSP that is behind it. */
static bool pop(struct interp *i, const struct interp_insn *in)
{
    const uint64_t before = i->r->rsp;
    uint64_t val;

    if (!interp_top(i, in->size, &val))
        return false;
    i->r->rsp = interp_stack_at(i, before + in->size);
    if (interp_set_rm(i, in, in->size, val))
        return true;
    i->r->rsp = before;
    return false;
}

static bool push(struct interp *i, const struct interp_insn *in)
{
    uint64_t val = in->imm;

    return (in->has_imm || interp_get_rm(i, in, in->size, &val)) && interp_push(i, in->size, val);
}

/* All eight of 32 bits; RSP as it was before. */
static bool pusha(struct interp *i, const struct interp_insn *in)
{
    const uint64_t was = i->r->rsp, to = interp_stack_at(i, was - 8u * in->size);

    if (!interp_page(i, to, INTERP_WRITE, true))
        return false;
    for (unsigned int n = 0; n < 8; n++)
        if (!interp_store(i, interp_stack_at(i, was - (n + 1) * in->size), in->size,
                          interp_mask(in->size) & i->r->gpr[n], true))
            return false;
    i->r->rsp = to;
    return true;
}

/* And back, but RSP, whose word is skipped. */
static bool popa(struct interp *i, const struct interp_insn *in)
{
    uint64_t vals[8];

    for (unsigned int n = 0; n < 8; n++)
        if (!interp_load(i, interp_stack_at(i, i->r->rsp + n * in->size), in->size, &vals[n], true))
            return false;
    for (unsigned int n = 0; n < 8; n++)
        if (n != 3)
            interp_set_reg(i, 7 - n, in->size, vals[n]);
    i->r->rsp = interp_stack_at(i, i->r->rsp + 8u * in->size);
    return true;
}

static bool leave(struct interp *i, const struct interp_insn *in)
{
    uint64_t rbp;

    if (!interp_load(i, interp_stack_at(i, i->r->rbp), in->size, &rbp, true))
        return false;
    i->r->rsp = interp_stack_at(i, i->r->rbp + in->size);
    interp_set_reg(i, 5, in->size, rbp);
    return true;
}

/* A condition decides what is written; the operand is read in any case. */
static bool cmov(struct interp *i, const struct interp_insn *in)
{
    uint64_t val;

    if (!interp_get_rm(i, in, in->size, &val))
        return false;
    if (!interp_condition(i->r->rflags, in->sub))
        val = interp_reg(i, in->reg, in->size);
    interp_set_reg(i, in->reg, in->size, val);
    return true;
}

/*
 * MOVS, STOS. One iteration of REP is an instruction, which begins again as long as RCX is not 0; a last look at RCX is
 * one, too.
 */
static bool string(struct interp *i, const struct interp_insn *in)
{
    const uint64_t mask = interp_mask(in->address_size),
                   by = i->r->rflags & X86_EFLAGS_DF ? -(uint64_t)in->size : in->size;
    uint64_t val = i->r->rax;

    if (in->rep && !(i->r->rcx & mask))
        return true;
    if (in->op == OP_MOVS && !interp_load(i, interp_linear(i, in, i->r->rsi & mask), in->size, &val, false))
        return false;
    if (!interp_store(i, i->r->rdi & mask, in->size, val, false))
        return false;
    if (in->op == OP_MOVS)
        i->r->rsi = (i->r->rsi + by) & mask;
    i->r->rdi = (i->r->rdi + by) & mask;
    if (in->rep) {
        i->r->rcx = (i->r->rcx - 1) & mask;
        i->counts_twice = !(i->r->rcx & mask);
        i->next = i->counts_twice ? i->next : i->r->rip;
        i->transfers = true;
    }
    return true;
}

/* --------------------------------------------------------------------------------------------------------- flags -- */

static void flag(struct interp *i, uint8_t opcode)
{
    uint64_t *f = &i->r->rflags;

    switch (opcode) {
    case 0xf5: *f ^= X86_EFLAGS_CF; break;
    case 0xf8: *f &= ~(uint64_t)X86_EFLAGS_CF; break;
    case 0xf9: *f |= X86_EFLAGS_CF; break;
    case 0xfc: *f &= ~(uint64_t)X86_EFLAGS_DF; break;
    default: *f |= X86_EFLAGS_DF; break;
    }
}

/* IF is changed by who may (CPL <= IOPL), IOPL by ring 0: for others POPF leaves them, and does not trap. */
static bool popf(struct interp *i, const struct interp_insn *in)
{
    struct cpu_state *r = i->r;
    uint64_t may = X86_EFLAGS_ARITH_MASK | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC | 1u << 21,
             val;

    if (r->cpl == 0)
        may |= X86_EFLAGS_IOPL;
    if (r->cpl <= (r->rflags & X86_EFLAGS_IOPL) >> 12)
        may |= X86_EFLAGS_IF;
    if (in->size == 2)
        may &= 0xffff;
    if (!interp_top(i, in->size, &val))
        return false;
    r->rsp = interp_stack_at(i, r->rsp + in->size);
    r->rflags = (r->rflags & ~may) | (val & may);
    return true;
}

bool interp_execute(struct interp *i, const struct interp_insn *in)
{
    const uint64_t here = i->next + in->imm; /* of relative transfers */

    switch ((enum interp_op)in->op) {
    case OP_REFUSED: return interp_refuse(i, in->text);
    case OP_ALU: return alu(i, in);
    case OP_TEST: return test(i, in);
    case OP_NOT:
    case OP_NEG:
    case OP_INC:
    case OP_DEC:
    case OP_SHIFT: return unary(i, in);
    case OP_MUL:
    case OP_IMUL:
    case OP_DIV:
    case OP_IDIV: return multiply_divide(i, in);
    case OP_IMUL2: return imul2(i, in);
    case OP_MOV: return mov(i, in);
    case OP_MOVZX:
    case OP_MOVSX: return mov_extended(i, in);
    case OP_LEA: interp_set_reg(i, in->reg, in->size, interp_offset(i, in)); return true;
    case OP_XCHG: return xchg(i, in);
    case OP_PUSH: return push(i, in);
    case OP_POP: return pop(i, in);
    case OP_PUSHA: return pusha(i, in);
    case OP_POPA: return popa(i, in);
    case OP_LEAVE: return leave(i, in);
    case OP_SIGN_A:
    case OP_SIGN_D: sign(i, in); return true;
    case OP_NOP: return true;
    case OP_JCC: i->transfers = true; return !interp_condition(i->r->rflags, in->sub) || jump(i, here);
    case OP_JMP: return jump(i, here);
    case OP_CALL: return call(i, in, here);
    case OP_JMP_RM:
    case OP_CALL_RM: {
        uint64_t to;

        return interp_get_rm(i, in, in->size, &to) && (in->op == OP_JMP_RM ? jump(i, to) : call(i, in, to));
    }
    case OP_RET: return ret(i, in);
    case OP_SETCC: return interp_set_rm(i, in, 1, interp_condition(i->r->rflags, in->sub));
    case OP_CMOV: return cmov(i, in);
    case OP_MOVS:
    case OP_STOS: return string(i, in);
    case OP_FLAG: flag(i, in->sub); return true;
    case OP_PUSHF: return interp_push(i, in->size, i->r->rflags & ~(uint64_t)(X86_EFLAGS_RF | X86_EFLAGS_VM));
    case OP_POPF: return popf(i, in);
    case OP_BIT:
    case OP_SCAN:
    case OP_LZCNT:
    case OP_BSWAP:
    case OP_XADD:
    case OP_CMPXCHG:
    case OP_CMPXCHG2:
    case OP_SHIFT2: return interp_execute_bits(i, in);
    default: return interp_execute_system(i, in);
    }
}
