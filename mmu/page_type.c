// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types of frames: what a frame is being used as, and how often.
 *
 * Concept: this is the rule the whole of PV paging hangs on. A frame has one type at a time, and while its type count
 * is not zero the type cannot change. To be used as a page table of level n a frame must have been looked through and
 * found harmless (validated); from then on only Xen writes to it, since a writable mapping would need the type
 * `writable`. When the last use ends the references that its entries hold are given up, and the frame is free to become
 * something else.
 *
 *           get: other type, count 0               validated                put of the last
 *   (any) ---------------------------------> new type, count 1 ... n ------------------------------> count 0
 *                      |        ^ again                                        |        ^ again
 *           -ERESTART  v        |                                   -ERESTART  v        |
 *                    PGT_partial, count 1: nr_validated_ptes entries hold references
 *
 * Looking through a tree of tables is long work. When the vCPU's share is used up, the frame is left `partial`: it
 * keeps one type and one general reference for itself, and whoever comes next with the same type carries on. A tree
 * found bad half way is taken down the same way, later, from v->old_guest_table.
 *
 * Invariants: a page table is validated or partial exactly as long as its count is not 0; partial means count 1 and not
 * validated. (Writable and segment-descriptor frames stay validated at count 0: what they were checked for cannot
 * change.)
 *
 * Corresponds to _get_page_type(), _put_page_type() of xen/arch/x86/mm.c. Simplified: one thread, so nobody ever waits
 * for another CPU's validation, and -EINTR (preempted before anything was done) cannot happen: the first entry is
 * always done.
 */
#include "mmu/page_private.h"
#include "mmu/paging.h"

#include <errno.h>

/* The record is about the frame's owner, by the vCPU for which it happens if that is one of its own. */
static void trace_type(struct xen *xen, const struct vcpu *v, const struct page_info *pg, uint64_t old, uint64_t type,
                       unsigned int count, enum trace_page_why why)
{
    const mfn_t mfn = page_to_mfn(xen, pg);

    if (!TRACE_ON(xen->machine))
        return;
    TRACE(xen->machine, page_type, pg->owner ? pg->owner->domain_id : TRACE_NO_DOMAIN,
          v && v->domain == pg->owner ? v->vcpu_id : 0, mfn_x(mfn),
          xen->m2p_frames ? get_gpfn_from_mfn(xen, mfn) : TRACE_NONE, /* very early there is no M2P */
          (old & PGT_type_mask) >> 61, (type & PGT_type_mask) >> 61, count, why);
}

/*
 * pg, which has its type and the count 1, and is neither validated nor partial, is looked through by paging->promote(),
 * from nr_validated_ptes on, as the type that was asked for; -EINVAL if its owner has no paging (NULL) or that has no
 * promote(). Good: it is validated. To be gone on with (-ERESTART), or bad and left to v's next hypercall
 * (v->old_guest_table): it is partial, with a general reference of that state's own. Bad: its type_info is 0. Answers
 * what promote() did.
 */
static int validate(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    const struct paging_ops *paging = pg->owner->paging;
    int rc = paging && paging->promote ? paging->promote(xen, v, pg, type) : -EINVAL;

    if (!rc) {
        pg->type_info |= PGT_validated;
    } else if (rc == -ERESTART || (v && mfn_eq(v->old_guest_table, page_to_mfn(xen, pg)))) {
        pg->type_info |= PGT_partial;
        pg->count_info++; /* its own */
    } else {
        trace_type(xen, v, pg, type, PGT_none, 0, TRACE_PAGE_REFUSED);
        pg->type_info = 0;
    }
    return rc;
}

int _get_page_type(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    const uint64_t x = pg->type_info;
    int rc;

    if (!(x & PGT_count_mask)) {
        uint64_t nx = x;

        BUG_ON(x & (PGT_partial | PGT_pae_xen_l2));
        if ((x & PGT_type_mask) != type) {
            tlb_flush_stale(xen, pg->tlb_stamp);
            trace_type(xen, v, pg, x, type, 1, TRACE_PAGE_GET);
            nx = (x & ~(PGT_type_mask | PGT_validated)) | type;
            if (type == PGT_writable_page || type == PGT_shared_page)
                nx |= PGT_validated;
        }
        pg->type_info = nx + 1;
        if (nx & PGT_validated)
            return 0;
        pg->nr_validated_ptes = 0;
        pg->partial_flags = 0;
        pg->linear_pt_count = 0;
        return validate(xen, v, pg, type);
    }
    if ((x & (PGT_type_mask | PGT_pae_xen_l2)) != type || (x & PGT_count_mask) == PGT_count_mask) {
        if (type_is_table(type)) /* of others the entry that wants them tells */
            trace_type(xen, v, pg, x, type, (unsigned int)(x & PGT_count_mask), TRACE_PAGE_REFUSED);
        return -EINVAL;
    }
    if (x & PGT_validated) {
        pg->type_info++;
        return 0;
    }
    /* Carry on where it was left. The partial state's own type reference becomes the caller's. */
    BUG_ON(!(x & PGT_partial) || (x & PGT_count_mask) != 1);
    pg->type_info = x & ~PGT_partial;
    rc = validate(xen, v, pg, type);
    put_page(xen, pg);
    return rc;
}

int _put_page_type(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    const uint64_t x = pg->type_info;
    int rc = 0;

    BUG_ON(!(x & PGT_count_mask));
    if ((x & PGT_count_mask) > 1) {
        pg->type_info--;
        return 0;
    }
    if (type_is_table(x) && (x & (PGT_validated | PGT_partial))) {
        if (x & PGT_validated) {
            pg->nr_validated_ptes = PTES_PER_TABLE;
            pg->partial_flags = 0;
        }
        pg->type_info &= ~(PGT_validated | PGT_partial);
        rc = pg->owner->paging->demote(xen, v, pg);
        if (rc) {
            pg->type_info |= PGT_partial;
            pg->count_info++;
        }
    }
    if (!rc) {
        if (type_is_table(x))
            trace_type(xen, v, pg, x, x, 0, TRACE_PAGE_PUT);
        pg->type_info = (pg->type_info & ~PGT_pae_xen_l2) - 1;
        pg->tlb_stamp = xen->tlb_clock;
        if ((x & PGT_type_mask) == PGT_l4_page_table)
            machine_root_gone(xen->machine, page_to_mfn(xen, pg));
    }
    if (x & PGT_partial)
        put_page(xen, pg);
    return rc;
}
