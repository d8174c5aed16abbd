// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pinning: a table stays one although nobody uses it.
 *
 * Concept: without pins every change of address space would look through all tables again. A guest pins the roots of
 * its processes, each once; that validates the tree, and keeps it so whether a CR3 points to it or not. A pin is a use
 * like any other: a type reference and a general one, and a bit that says that they are there.
 *
 *      pin:    references, preemptible ---> bit set
 *                |      already pinned, or its owner is dying: both are given up again
 *      unpin:  bit clear ---> references given up, preemptible: what is left to do is the next hypercall's
 *
 * Invariant: PGT_pinned holds one of both counts, and only tables have it.
 *
 * Corresponds to MMUEXT_PIN_L1_TABLE to MMUEXT_UNPIN_TABLE in do_mmuext_op() of xen/arch/x86/mm.c.
 */
#include "mmu/pv/private.h"

/*
 * A level above d's root: 0, ignored. -EINVAL: not d's frame, no such table, pinned already; -ERESTART: make the call
 * again. Too late (d is dying): 0, and it is not pinned. Unless it is pinned now, this call keeps no reference to the
 * frame (a partial one has its own), but for one left in curr->old_guest_table: its general reference goes with that.
 */
int pv_pin_table(struct vcpu *curr, struct domain *d, mfn_t mfn, unsigned int level)
{
    struct page_info *pg;
    int rc;

    if (level > d->abi->root_level)
        return 0; /* ignored: such a guest has no L4 */
    pg = get_page_from_mfn(d->xen, mfn, d);
    if (!pg)
        return -EINVAL;
    rc = get_page_type_preemptible(curr, pg, level_type(level));
    if (rc) {
        if (!mfn_eq(curr->old_guest_table, mfn))
            put_page(d->xen, pg);
        return rc;
    }
    if (!(pg->type_info & PGT_pinned) && !d->is_dying) {
        pg->type_info |= PGT_pinned;
        return 0;
    }
    rc = pg->type_info & PGT_pinned ? -EINVAL : 0; /* already pinned; or too late, and quietly so */
    if (put_page_and_type_preemptible(curr, pg))
        page_put_later(curr, pg);
    return rc;
}

/* -EINVAL: not d's frame, or not pinned. What is still to do is left in curr->old_guest_table, and the answer is 0. */
int pv_unpin_table(struct vcpu *curr, struct domain *d, mfn_t mfn)
{
    struct page_info *pg = get_page_from_mfn(d->xen, mfn, d);
    bool pinned;

    if (!pg)
        return -EINVAL;
    pinned = pg->type_info & PGT_pinned;
    if (pinned) {
        pg->type_info &= ~PGT_pinned;
        if (put_page_and_type_preemptible(curr, pg))
            page_put_later(curr, pg);
    }
    put_page(d->xen, pg);
    return pinned ? 0 : -EINVAL;
}
