// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References to frames.
 *
 * Concept: whoever uses a frame (a page-table entry, a grant, the hypervisor for the length of a hypercall) holds a
 * general reference, so that the frame cannot be freed and re-used under its hands. A reference is only given on a
 * frame that has one already: count 0 means free, and free frames come to life through the heap alone. So a guest may
 * name any number it likes.
 *
 * Invariants: count_info's count >= type_info's count for frames owned by domains (except the hypervisor's shared ones,
 * whose type is held for ever); what a type reference adds is in mmu/page_type.c.
 *
 * Corresponds to get_page(), put_page() of xen/arch/x86/mm.c (inline, in page.h). No cmpxchg loops: one host thread.
 */
#include "mmu/page_private.h"
#include "sim/frame.h"

#include <errno.h>

struct page_info *get_page_from_mfn(struct xen *xen, mfn_t mfn, struct domain *d)
{
    struct page_info *pg = mfn_valid(xen->machine, mfn) ? mfn_to_page(xen, mfn) : NULL;

    return pg && get_page(pg, d) ? pg : NULL;
}

bool get_page_type(struct xen *xen, struct page_info *pg, uint64_t type)
{
    if (type == PGT_writable_page)
        frame_opened(xen->machine, page_to_mfn(xen, pg));
    return !_get_page_type(xen, NULL, pg, type);
}

int get_page_type_preemptible(struct vcpu *v, struct page_info *pg, uint64_t type)
{
    return _get_page_type(v->domain->xen, v, pg, type);
}

void put_page_type(struct xen *xen, struct page_info *pg) { BUG_ON(_put_page_type(xen, NULL, pg)); }

bool get_page_and_type(struct xen *xen, struct page_info *pg, struct domain *d, uint64_t type)
{
    if (!get_page(pg, d))
        return false;
    if (!get_page_type(xen, pg, type)) {
        put_page(xen, pg);
        return false;
    }
    return true;
}

void put_page_and_type(struct xen *xen, struct page_info *pg)
{
    put_page_type(xen, pg);
    put_page(xen, pg);
}

int put_page_and_type_preemptible(struct vcpu *v, struct page_info *pg)
{
    int rc = _put_page_type(v->domain->xen, v, pg);

    if (!rc)
        put_page(v->domain->xen, pg);
    return rc;
}

int get_page_and_type_from_mfn(struct vcpu *v, mfn_t mfn, uint64_t type, struct domain *d, unsigned int flags)
{
    struct xen *xen = d->xen;
    struct page_info *pg;
    int rc;

    if (!mfn_valid(xen->machine, mfn))
        return -EINVAL;
    pg = mfn_to_page(xen, mfn);
    if (!(flags & PTF_partial_set) && !get_page(pg, d))
        return -EINVAL;
    rc = _get_page_type(xen, v, pg, type);
    if (!rc || (flags & PTF_partial_set) || (rc == -ERESTART && (flags & PTF_retain_ref)))
        return rc;
    /* Failed, and pg is a half-validated table that is still to be taken apart: the reference goes with that. */
    if (v && mfn_eq(v->old_guest_table, mfn))
        return rc;
    put_page(xen, pg);
    return rc;
}

int put_old_guest_table(struct vcpu *v)
{
    struct xen *xen = v->domain->xen;
    struct page_info *pg;

    if (!old_guest_table_pending(v))
        return 0;
    pg = mfn_to_page(xen, v->old_guest_table);
    if (page_type_put_partial(xen, v, pg))
        return -ERESTART;
    v->old_guest_table = INVALID_MFN;
    put_page(xen, pg);
    return 0;
}
