// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MOVS, CMPS, STOS, LODS and SCAS whose memory is nobody's, or a device's.
 *
 * Concept: an element at a time, each of which is an instruction of its own: registers are as far as it has come
 * before the next one begins, so a fault, a device that has to be asked, or the end of the vCPU's share of work leaves
 * it in front of the same instruction, to be executed again for what is left.
 *
 * Source: AMD APM volume 3, 1.2.6 (REP, REPE, REPNE).
 */
#include "vcpu/hvm/emulate.h"
#include "vcpu/hypercall.h"

#include <string.h>

enum { MOVS = 0xa4, CMPS = 0xa6, STOS = 0xaa, LODS = 0xac, SCAS = 0xae };

static void advance(struct emul *e, uint64_t *reg, int64_t by)
{
    const uint64_t val = *reg + (uint64_t)by;

    *reg = e->in.addr_size == 2 ? (*reg & ~UINT64_C(0xffff)) | (val & 0xffff) : hvm_cut(val, e->in.addr_size);
}

/* False: it has not been done. */
static bool element(struct emul *e)
{
    struct cpu_state *r = e->r;
    const unsigned int op = e->in.op & ~1u, size = e->in.size;
    const int64_t step = r->rflags & X86_EFLAGS_DF ? -(int64_t)size : (int64_t)size;
    const bool from = op == MOVS || op == CMPS || op == LODS, to = op != LODS, writes = op == MOVS || op == STOS;
    uint64_t a = r->rax, b = 0;
    struct emul_place src, dst;

    if ((from && !emul_place(e, e->in.seg, hvm_cut(r->rsi, e->in.addr_size), size, false, &src)) ||
        (to && !emul_place(e, CPU_SEG_ES, hvm_cut(r->rdi, e->in.addr_size), size, writes, &dst)))
        return false;
    if ((from && !emul_read(e, &src, &a)) || (to && !writes && !emul_read(e, &dst, &b)) ||
        (writes && !emul_write(e, &dst, &a)))
        return false;
    if (to && !writes)
        alu_binary(ALU_CMP, a, b, size, &e->flags);
    if (op == LODS)
        emul_set_reg(e, 0, size, a);
    if (from)
        advance(e, &r->rsi, step);
    if (to)
        advance(e, &r->rdi, step);
    r->rflags = e->flags;
    return true;
}

/* Of a repeated one: is there nothing left to do? */
static bool is_over(const struct emul *e)
{
    const bool compares = (e->in.op & ~1u) == CMPS || (e->in.op & ~1u) == SCAS, equal = e->flags & X86_EFLAGS_ZF;

    return !hvm_cut(e->r->rcx, e->in.addr_size) || (compares && (e->in.p.rep ? !equal : equal));
}

void emul_string(struct emul *e)
{
    struct cpu_state *r = e->r;

    if (!e->in.p.rep && !e->in.p.repne) {
        if (element(e))
            hvm_insn_done(e->v, e->in.len);
        return;
    }
    while (hvm_cut(r->rcx, e->in.addr_size)) {
        if (!element(e))
            return;
        advance(e, &r->rcx, -1);
        if (is_over(e))
            break;
        hvm_io_forget(e->v);
        if (r->rflags & X86_EFLAGS_TF) {
            hvm_insn_done(e->v, 0);
            return;
        }
        if (hypercall_preempt_check(e->v))
            return;
    }
    hvm_insn_done(e->v, e->in.len);
}
