// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writable page tables (ptwr): a plain store to a page table, made good.
 *
 * Concept: a guest maps its page tables read-only and is to change them with hypercalls. Some code does not know that
 * it writes to a page table: it stores, and faults. If the store hits an L1 entry, Xen carries it out on the guest's
 * behalf as it would an mmu_update: it decodes the instruction, works out the 64-bit entry that would result, checks
 * it, writes it, and moves RIP on. The guest asked for this with VMASST_TYPE_writable_pagetables. Higher levels are not
 * done: those stores stay faults.
 *
 * Conditions: present, write, by the guest's kernel (page_fault() in vcpu/pv/traps.c looks), to a live L1 table of the
 * domain, aligned, within the page of the fault, no more than eight bytes.
 *
 * Corresponds to xen/arch/x86/pv/ro-page-fault.c (ptwr_emulated_update). Simplified: the instructions that kernels use
 * for this, not a full emulator; no MMIO.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/private.h"
#include "sim/insn.h"

/*
 * An instruction in progress: what is there, what is to be there, and what happens to the registers if that is
 * accepted.
 */
struct ptwr {
    struct vcpu *v;
    const struct insn *insn;
    uint64_t old, val; /* of the store's own size */
    bool write;        /* a compare that failed writes nothing */
    uint64_t flags;    /* new arithmetic flags */
    bool set_flags;
    struct cpu_state after; /* registers once it is done */
};

static uint64_t size_mask(unsigned int size) { return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1; }

static bool operand_get(const struct cpu_state *r, const struct insn_operand *o, uint64_t *val)
{
    if (o->kind == INSN_IMM)
        *val = o->imm;
    else if (o->kind == INSN_REG && o->gpr >= 0)
        *val = r->gpr[o->gpr] >> (o->high_byte ? 8 : 0);
    else
        return false;
    *val &= size_mask(o->size);
    return true;
}

static void gpr_set(struct cpu_state *r, unsigned int gpr, unsigned int size, bool high_byte, uint64_t val)
{
    const unsigned int shift = high_byte ? 8 : 0;
    const uint64_t mask = size_mask(size) << shift;

    if (size >= 4)
        r->gpr[gpr] = val & size_mask(size);
    else
        r->gpr[gpr] = (r->gpr[gpr] & ~mask) | (val << shift & mask);
}

/* Flags of a result: all of them for an addition or subtraction, with CF and OF clear for a logical operation. */
static void flags_set(struct ptwr *p, unsigned int size, uint64_t a, uint64_t b, uint64_t res, int arith)
{
    const uint64_t sign = UINT64_C(1) << (8 * size - 1);
    uint64_t f = 0;

    res &= size_mask(size);
    f |= !res ? X86_EFLAGS_ZF : 0;
    f |= res & sign ? X86_EFLAGS_SF : 0;
    f |= __builtin_parity(res & 0xff) ? 0 : X86_EFLAGS_PF;
    if (arith) {
        f |= (a ^ b ^ res) & 0x10 ? X86_EFLAGS_AF : 0;
        if (arith > 0) {
            f |= res < a ? X86_EFLAGS_CF : 0;
            f |= ~(a ^ b) & (a ^ res) & sign ? X86_EFLAGS_OF : 0;
        } else {
            f |= a < b ? X86_EFLAGS_CF : 0;
            f |= (a ^ b) & (a ^ res) & sign ? X86_EFLAGS_OF : 0;
        }
    }
    p->flags = f;
    p->set_flags = true;
}

static bool bit_op(struct ptwr *p)
{
    const unsigned int size = p->insn->opnd[0].size;
    uint64_t n, bit;

    if (!operand_get(p->v->regs, &p->insn->opnd[1], &n))
        return false;
    bit = UINT64_C(1) << (n & (8 * size - 1));
    p->flags = (p->v->regs->rflags & X86_EFLAGS_ARITH_MASK & ~X86_EFLAGS_CF) | (p->old & bit ? X86_EFLAGS_CF : 0);
    p->set_flags = true;
    p->val = p->insn->op == INSN_BTS ? p->old | bit : p->insn->op == INSN_BTR ? p->old & ~bit : p->old ^ bit;
    return true;
}

static bool cmpxchg(struct ptwr *p, uint64_t src)
{
    const unsigned int size = p->insn->opnd[0].size;
    const uint64_t acc = p->v->regs->rax & size_mask(size);

    flags_set(p, size, acc, p->old, acc - p->old, -1);
    p->write = acc == p->old;
    p->val = src;
    if (!p->write)
        gpr_set(&p->after, 0, size, false, p->old);
    return true;
}

static bool cmpxchg8b(struct ptwr *p)
{
    const struct cpu_state *r = p->v->regs;

    if (p->insn->opnd[0].size != 8)
        return false;
    p->write = p->old == ((r->rdx << 32) | (uint32_t)r->rax);
    p->val = (r->rcx << 32) | (uint32_t)r->rbx;
    p->flags = (r->rflags & X86_EFLAGS_ARITH_MASK & ~X86_EFLAGS_ZF) | (p->write ? X86_EFLAGS_ZF : 0);
    p->set_flags = true;
    if (!p->write) {
        p->after.rax = (uint32_t)p->old;
        p->after.rdx = p->old >> 32;
    }
    return true;
}

/* STOS and MOVS: one element; with a REP prefix the instruction stays until RCX is used up. */
static bool string_op(struct ptwr *p)
{
    struct cpu_state *r = &p->after;
    const unsigned int size = p->insn->opnd[0].size;
    const int64_t step = r->rflags & X86_EFLAGS_DF ? -(int64_t)size : size;

    if (p->v->domain->abi->word < 8)
        return false; /* address size and wrap are not worth it */
    p->val = r->rax & size_mask(size);
    if (p->insn->op == INSN_MOVS) {
        p->val = 0;
        if (copy_from_guest(p->v, &p->val, r->rsi, size))
            return false;
        r->rsi += (uint64_t)step;
    }
    r->rdi += (uint64_t)step;
    if (p->insn->rep && --r->rcx)
        r->rip -= p->insn->len;
    return true;
}

/* What would the instruction store? */
static bool compute(struct ptwr *p)
{
    const struct insn *in = p->insn;
    const unsigned int size = in->opnd[0].size;
    uint64_t src = 0;

    p->write = true;
    if (in->op == INSN_BTS || in->op == INSN_BTR || in->op == INSN_BTC)
        return bit_op(p);
    if (in->op == INSN_STOS || in->op == INSN_MOVS)
        return string_op(p);
    if (in->op == INSN_CMPXCHG8B)
        return cmpxchg8b(p);
    if (!operand_get(p->v->regs, &in->opnd[1], &src))
        return false;
    p->val = src;
    switch (in->op) {
    case INSN_MOV: return true;
    case INSN_XADD:
        p->val = p->old + src;
        flags_set(p, size, p->old, src, p->val, 1);
        gpr_set(&p->after, (unsigned int)in->opnd[1].gpr, size, in->opnd[1].high_byte, p->old);
        return true;
    case INSN_XCHG: gpr_set(&p->after, (unsigned int)in->opnd[1].gpr, size, in->opnd[1].high_byte, p->old); return true;
    case INSN_CMPXCHG: return cmpxchg(p, src);
    case INSN_AND: p->val = p->old & src; break;
    case INSN_OR: p->val = p->old | src; break;
    case INSN_XOR: p->val = p->old ^ src; break;
    case INSN_ADD:
        p->val = p->old + src;
        flags_set(p, size, p->old, src, p->val, 1);
        return true;
    case INSN_SUB:
        p->val = p->old - src;
        flags_set(p, size, p->old, src, p->val, -1);
        return true;
    default: return false;
    }
    flags_set(p, size, 0, 0, p->val, 0);
    return true;
}

/* Put the new entry in place, under the rules of mmu_update. */
static bool entry_update(struct vcpu *v, const uint64_t *ptr, uint64_t e, uint64_t addr, unsigned int size)
{
    struct domain *d = v->domain;
    const uint64_t old = *ptr;
    int rc = mod_l1_entry(ptr, e, MMU_NORMAL_PT_UPDATE, d, d);

    /*
     * A PAE kernel writes an entry in two halves, and the upper half first leaves a bad one for a moment. It can have
     * that, but not present.
     */
    if (rc && size == d->abi->word && (addr & 4))
        rc = mod_l1_entry(ptr, e & ~_PAGE_PRESENT, MMU_NORMAL_PT_UPDATE, d, d);
    TRACE_PTE(v, ptr, 1, old, e, TRACE_PTE_PTWR, rc);
    return !rc;
}

static bool ptwr_insn(struct vcpu *v, uint64_t fault_addr, const uint64_t *ptr, const struct insn *in)
{
    const struct insn_operand *dst = &in->opnd[0];
    struct ptwr p = { .v = v, .insn = in, .after = *v->regs };
    const uint64_t *entry;
    uint64_t mask;
    unsigned int shift;

    if (dst->kind != INSN_MEM || !dst->size || dst->size > 8 || (dst->addr & (dst->size - 1)) ||
        PFN_DOWN(dst->addr ^ fault_addr))
        return false;
    entry = ptr + PAGE_OFFSET(dst->addr) / 8;
    shift = (dst->addr & 7) * 8;
    mask = size_mask(dst->size) << shift;
    p.old = (*entry & mask) >> shift;
    p.after.rip += in->len;
    if (!compute(&p))
        return false;
    if (p.write && !entry_update(v, entry, (*entry & ~mask) | (p.val << shift & mask), dst->addr, dst->size))
        return false;
    if (p.set_flags)
        p.after.rflags = (p.after.rflags & ~(uint64_t)X86_EFLAGS_ARITH_MASK) | p.flags;
    if (p.after.rip != v->regs->rip) /* not in the middle of a REP */
        p.after.rflags &= ~(uint64_t)X86_EFLAGS_RF;
    p.after.dirty = v->regs->dirty;
    TRACE_VCPU(v, emulate, v->regs->rip, in->op, TRACE_VERDICT_FIXUP, TRACE_RULE_PAGE_TABLE, p.write ? p.val : p.old,
               dst->addr, v->pv.iopl);
    *v->regs = p.after;
    return true;
}

/* The page that va maps, if that is a live L1 table of the domain, mapped read-only. */
static const uint64_t *ro_l1_table(struct vcpu *v, uint64_t va)
{
    const uint64_t *l1e = map_guest_l1e(v, va);

    if (!l1e || (*l1e & (_PAGE_PRESENT | _PAGE_RW)) != _PAGE_PRESENT)
        return NULL;
    return pv_map_l1e_at(v->domain, mfn_x(pte_mfn(*l1e)) << PAGE_SHIFT);
}

bool pv_ro_page_fault(struct vcpu *v, uint64_t addr)
{
    uint8_t bytes[INSN_MAX_LEN];
    struct insn in;
    const uint64_t *ptr;
    size_t n;

    if (!VM_ASSIST(v->domain, writable_pagetables))
        return false;
    ptr = ro_l1_table(v, addr);
    if (!ptr)
        return false;
    n = guest_fetch_insn(v, insn_linear_rip(v->regs), bytes, sizeof(bytes));
    in = insn_decode(v->domain->xen->machine->edges->decoder, v->regs, bytes, n);
    return in.op != INSN_INVALID && ptwr_insn(v, addr, ptr, &in);
}
