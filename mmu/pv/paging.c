// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct paging's row of struct paging_ops.
 *
 * Concept: what is done to a frame depends on what it becomes, and each of the three has its file: L1 tables (l1.c),
 * those above (validate.c), descriptor tables (descriptor.c).
 */
#include "mmu/paging.h"
#include "mmu/pv/private.h"

static int pv_promote(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    if (type == PGT_l1_page_table)
        return promote_l1_table(xen, pg);
    if (type == PGT_seg_desc_page)
        return validate_segdesc_page(xen, pg);
    return pv_promote_table(xen, v, pg, type);
}

static int pv_demote(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    if ((pg->type_info & PGT_type_mask) != PGT_l1_page_table)
        return pv_demote_table(xen, v, pg);
    demote_l1_table(xen, pg);
    return 0;
}

const struct paging_ops pv_paging_ops = {
    .name = "direct",
    .promote = pv_promote,
    .demote = pv_demote,
};
