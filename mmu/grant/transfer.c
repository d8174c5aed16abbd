// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GNTTABOP_transfer: give a frame away.
 *
 * Concept: the oldest use of grants, from when network backends flipped pages instead of copying: domain B writes an
 * entry "I accept a frame from domain A" (GTF_accept_transfer), and A hands one over. The frame must be A's alone:
 * nothing may map it and no page table may be made of it, so that it can change owner without anybody noticing. B finds
 * in the entry which frame it got, with GTF_transfer_completed set.
 *
 * The frame is taken from A before B is looked at. If B will not have it the frame is nobody's and goes back to the
 * heap: A keeps it only when the answer is GNTST_bad_page. PV only: a translated guest's physical map would have to
 * change as well.
 *
 * Corresponds to gnttab_transfer() of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"

#include "mmu/compat.h"
#include "mmu/pv/pv.h"

#include <errno.h>

/* Does e's entry accept a frame from ld? If so e sees that we are at it. */
static bool transfer_commit(struct domain *e, struct domain *ld, grant_ref_t ref)
{
    grant_entry_header_t *entry;

    if (ref >= nr_grant_entries(e->grant_table))
        return false;
    entry = shared_entry_header(e->grant_table, ref);
    if (entry->flags != GTF_accept_transfer || entry->domid != ld->domain_id)
        return false;
    entry->flags |= GTF_transfer_committed;
    return true;
}

/* The frame is e's. Tell it which, and enter the frame number that e meant it for into the M2P. */
static void transfer_complete(struct domain *e, grant_ref_t ref, mfn_t mfn)
{
    struct grant_table *gt = e->grant_table;

    if (gt->version == 1) {
        set_gpfn_from_mfn(e->xen, mfn, shared_entry_v1(gt, ref)->frame);
        shared_entry_v1(gt, ref)->frame = mfn_x(mfn);
    } else {
        set_gpfn_from_mfn(e->xen, mfn, shared_entry_v2(gt, ref)->full_page.frame);
        shared_entry_v2(gt, ref)->full_page.frame = mfn_x(mfn);
    }
    shared_entry_header(gt, ref)->flags |= GTF_transfer_completed;
}

/* Give nobody's page to the domain that is meant to have it. */
static int transfer_to(struct vcpu *v, struct page_info *pg, const struct gnttab_transfer *op)
{
    struct domain *e = get_domain_by_id(v->domain->xen, op->domid);
    int rc = GNTST_general_error;

    if (!e)
        return GNTST_bad_domain;
    if (!e->is_dying && e->tot_pages < e->max_pages && !paging_mode_translate(e) &&
        transfer_commit(e, v->domain, op->ref)) {
        BUG_ON(assign_page(pg, 0, e, 0));
        transfer_complete(e, op->ref, page_to_mfn(e->xen, pg));
        rc = GNTST_okay;
    }
    put_domain(e);
    return rc;
}

static int transfer_one(struct vcpu *v, const struct gnttab_transfer *op)
{
    struct domain *ld = v->domain;
    struct page_info *pg;
    int rc;

    if (!mfn_valid(ld->xen->machine, _mfn(op->mfn)))
        return GNTST_bad_page;
    pg = mfn_to_page(ld->xen, _mfn(op->mfn));
    rc = steal_page(ld, pg);
    if (rc)
        return rc == -EINVAL ? GNTST_bad_page : GNTST_general_error;
    if (is_pv_domain(ld))
        pv_flush_tlb(ld);
    rc = transfer_to(v, pg, op);
    if (rc != GNTST_okay)
        free_domheap_pages(ld->xen, pg, 0);
    return rc;
}

long gnttab_transfer(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    const size_t size = compat_size(v->domain, COMPAT_gnttab_transfer);
    struct gnttab_transfer op;

    for (unsigned int i = 0; i < count; i++, uop += size) {
        if (i && hypercall_preempt_check(v))
            return i;
        if (compat_from_guest(v, &op, uop, COMPAT_gnttab_transfer))
            return -EFAULT;
        op.status = transfer_one(v, &op);
        if (copy_field_to_guest(v, uop, COMPAT_gnttab_transfer, &op, status))
            return -EFAULT;
    }
    return 0;
}
