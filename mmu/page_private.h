// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References as the paging code itself takes them, preemptible or not: the short ways inline, the rest in mmu/page.c
 * and mmu/page_type.c.
 */
#ifndef MMU_PAGE_PRIVATE_H
#define MMU_PAGE_PRIVATE_H

#include "mmu/pte.h"
#include "mmu/tlb.h"

/*
 * A type reference. v is the vCPU whose hypercall this is, so that long work can be preempted and failed work undone in
 * pieces (-ERESTART, v->old_guest_table); NULL: all at once. -EINVAL when the frame is in use as something else or is
 * no valid table.
 */
int _get_page_type(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type);
/*
 * Give one up. The last one of a page table gives up what its entries refer to: -ERESTART when v's share of work is
 * done.
 */
int _put_page_type(struct xen *xen, struct vcpu *v, struct page_info *pg);
/*
 * The same for who only noted that pg was partial: the type reference is the partial state's own. If somebody has
 * finished the work since (either way), there is nothing to do.
 */
static inline int page_type_put_partial(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    return pg->type_info & PGT_partial ? _put_page_type(xen, v, pg) : 0;
}

/* The common case of the above: the frame is writable data already. */
static inline bool page_get_writable(struct xen *xen, struct page_info *pg)
{
    const uint64_t writable = PGT_writable_page | PGT_validated;

    if (__builtin_expect((pg->type_info & (PGT_type_mask | PGT_validated)) == writable, 1)) {
        pg->type_info++;
        return true;
    }
    return get_page_type(xen, pg, PGT_writable_page);
}

static inline void page_put_writable(struct xen *xen, struct page_info *pg)
{
    if (!(--pg->type_info & PGT_count_mask))
        pg->tlb_stamp = xen->tlb_clock;
}

/* Frame mfn of d as a `type`, with both references. -EINVAL, -ERESTART; 0 taken. */
#define PTF_retain_ref 2u /* with -ERESTART keep the general reference (the caller notes that it has a partial entry) */
int get_page_and_type_from_mfn(struct vcpu *v, mfn_t mfn, uint64_t type, struct domain *d, unsigned int flags);

/*
 * pg is partial: let the next hypercall of v take it apart, and give up the general reference that comes with this
 * call.
 */
static inline void page_put_later(struct vcpu *v, struct page_info *pg)
{
    v->old_guest_table = page_to_mfn(v->domain->xen, pg);
}
static inline bool old_guest_table_pending(const struct vcpu *v) { return !mfn_eq(v->old_guest_table, INVALID_MFN); }
/* Finish what page_put_later() left: 0 or -ERESTART. First thing that every paging hypercall does. */
int put_old_guest_table(struct vcpu *v);

#endif
