// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When may a stale translation still exist?
 *
 * Concept: a guest that removes a mapping need not flush its TLB, so it may go on using the frame for a while. That is
 * its own affair until the frame gets another purpose: a frame that becomes a page table must not be writable through
 * an old TLB entry, and a freed frame must not be readable by its former owner. Flushing at every such change would be
 * safe and slow, so Xen keeps a clock. A frame is stamped with the clock when a use of it ends; a vCPU is stamped when
 * it flushes; and only vCPUs whose stamp is not later than the frame's have to flush when the frame is used for
 * something else. Mostly none.
 *
 * "Flush" here is a bit in the vCPU's registers that takes effect before its next instruction. When all are meant, one
 * number says so: the time since which every vCPU must have flushed before it is entered again.
 *
 * Invariant: tlb_flushed <= tlb_clock, so whoever flushes now has caught up.
 *
 * Corresponds to xen/arch/x86/flushtlb.c (tlbflush_filter, tlbflush_current_time); a clock of 64 bits need not wrap.
 */
#ifndef MMU_TLB_H
#define MMU_TLB_H

#include "mmu/page.h"
#include "mmu/pte.h"

/* v drops all translations before it executes another instruction. */
static inline void vcpu_flush_tlb(struct vcpu *v)
{
    if (v->regs) /* a native vCPU has no TLB */
        v->regs->dirty |= CPU_DIRTY_TLB;
    v->tlb_stamp = ++v->domain->xen->tlb_clock;
}

/* v drops the translation of one address, INVLPG. No stamp: the others stay. */
static inline void vcpu_flush_tlb_one(struct vcpu *v, uint64_t va)
{
    if (v->ctx)
        cpu_context_flush_page(v->ctx, va);
}

/*
 * All vCPUs that may have cached a way to a frame stamped `stamp`, or to an earlier one, flush. Nobody goes round to
 * tell them: each looks when it is entered, so this costs the same for one domain and for thousands.
 */
static inline void tlb_flush_stale(struct xen *xen, uint64_t stamp)
{
    if (stamp >= xen->tlb_flushed) {
        xen->tlb_clock++;
        xen->tlb_flushed = stamp + 1;
    }
}

/*
 * An L1 entry, or one of a table above, in use is about to be replaced: what it said may be in a TLB if the processor
 * ever used it.
 */
static inline void tlb_l1e_gone(struct xen *xen, uint64_t old)
{
    if (!(~old & (_PAGE_PRESENT | _PAGE_ACCESSED)))
        machine_mapping_gone(xen->machine, pte_mfn(old));
}

static inline void tlb_table_entry_gone(struct xen *xen, uint64_t old)
{
    if (!(~old & (_PAGE_PRESENT | _PAGE_ACCESSED)))
        machine_mappings_gone(xen->machine);
}

/* v is about to be entered: has it missed a flush? */
static inline void tlb_catch_up(struct vcpu *v)
{
    if (v->tlb_stamp < v->domain->xen->tlb_flushed)
        vcpu_flush_tlb(v);
}

#endif
