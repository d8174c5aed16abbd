// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HVM guests without nested paging: what an exit does to their shadow page tables (mmu/hvm/shadow.h).
 *
 * Concept: every page fault is an exit, and there are three sorts of them. The guest's tables withhold the page: the
 * fault is delivered to it. They do not: the shadow is filled, and the access made again. Or it is an access that the
 * guest may make, and the shadow never allows: to a device, to a table that has a shadow, to a page that only its
 * kernel may write, since CR0.WP is clear. Then the instruction is carried out here.
 *
 * Corresponds to sh_page_fault() of xen/arch/x86/mm/shadow/multi.c, and hvm_set_cr3() of xen/arch/x86/hvm/hvm.c.
 */
#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "vcpu/hvm/emulate.h"

static struct nested_regs regs_of(const struct vcpu *v)
{
    const struct cpu_state *r = v->regs;

    return (struct nested_regs){ r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };
}

void hvm_shadow_enter(struct vcpu *v)
{
    const struct nested_regs r = regs_of(v);
    const uint64_t root = shadow_root(v->domain, &v->hvm->shadow, &r);

    if (!root) {
        domain_crash(v, "there is no memory for its shadow page tables");
    } else if (root != v->regs->shadow_cr3) {
        v->regs->shadow_cr3 = root;
        v->regs->dirty |= CPU_DIRTY_CR3;
    }
}

void hvm_shadow_invlpg(struct vcpu *v)
{
    uint8_t code[INSN_MAX_LEN];
    const size_t n = guest_fetch_insn(v, insn_linear_rip(v->regs), code, sizeof(code));
    const struct insn in = insn_decode(v->domain->xen->machine->edges->decoder, v->regs, code, n);

    if (in.op == INSN_INVLPG && in.opnd[0].kind == INSN_MEM)
        shadow_invlpg(v->domain, &v->hvm->shadow, in.opnd[0].addr);
    else
        shadow_flush(v->domain);
    hvm_insn_done(v, in.len);
}

/*
 * The guest stores to a table that has a shadow, to text, or where its tables would forbid it, if CR0.WP were set. An
 * instruction that is not known here the guest may carry out itself, in a frame that has no shadow any more; if it
 * needs that frame's table to come there at all it has one again at once, and that would go on for ever.
 */
static void store(struct vcpu *v, const struct nested_walk *w)
{
    struct domain *d = v->domain;
    const uint64_t page = w->phys & PAGE_MASK;
    const bool text = shadow_is_text(d, _mfn(PFN_DOWN(page)));
    bool string;

    if (text)
        shadow_text_written(d, _mfn(PFN_DOWN(page)));
    if (!shadow_is_table(d, w->phys) && !text) {
        hvm_emulate(v, w->gpa);
        return;
    }
    if (!shadow_store_begin(d, w->phys))
        return;
    if (hvm_emulate_at(v, &string)) {
        v->hvm->shadow.unknown_at = 0;
        shadow_store_end(d, string ? page : w->phys, string ? PAGE_SIZE : SHADOW_STORE_BYTES);
        return;
    }
    shadow_store_end(d, page, PAGE_SIZE);
    if (v->hvm->shadow.unknown_at == v->regs->rip)
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
    v->hvm->shadow.unknown_at = v->regs->rip;
    shadow_unshadow(d, _mfn(PFN_DOWN(w->phys)));
}

bool hvm_shadow_fault(struct vcpu *v, const struct sim_exit *e, struct sim_exit *npf)
{
    const uint32_t access = e->exception.error_code & (PFEC_write_access | PFEC_user_mode | PFEC_insn_fetch);
    const struct nested_regs r = regs_of(v);
    struct nested_walk w;

    switch (shadow_fault(v->domain, &v->hvm->shadow, &r, e->exception.addr, access, &w)) {
    case SHADOW_FILLED: return true;
    case SHADOW_TRUE: hvm_inject_page_fault(v, e->exception.addr, w.error_code); return true;
    case SHADOW_STORE: store(v, &w); return true;
    case SHADOW_TAKEN:
        domain_crash(v, "it has memory at %#lx, where the monitor that runs it is", (unsigned long)e->exception.addr);
        return true;
    case SHADOW_NPF: break;
    }
    *npf = (struct sim_exit){ .kind = EXIT_NPF, .npf = { w.gpa, w.error_code, w.table } };
    return false;
}
