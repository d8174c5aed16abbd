// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * struct paging_ops: what a kind of paging does when a frame becomes a table of it, and stops being one.
 *
 * Concept: types and their counts (mmu/page_type.c) are the same whatever a domain's paging is; what makes a frame a
 * harmless page table is not. So the files of mmu/ itself go through this table, which a domain is given when it is
 * made (d->paging) and keeps; a row is `static const` data of the folder that implements it, and mmu/ includes none of
 * them.
 *
 *      direct    mmu/pv/   the guest's own tables are what the processor loads (PV; a native domain stands for a PV kernel, so its
 *                          frames may be validated like one's)
 *      hap       mmu/hvm/  nested: the p2m alone is the hypervisor's; no frame of the guest's becomes a table
 *      shadow    mmu/hvm/  the same, and the hypervisor makes tables of the guest's own
 *      NULL                as well: system domains
 *
 * Corresponds to struct paging_mode of Xen's xen/arch/x86/include/asm/paging.h, and to the switch in its
 * _get_page_type().
 */
#ifndef MMU_PAGING_H
#define MMU_PAGING_H

#include "mmu/page.h"

/* How stores of a domain's vCPUs are made to leave, for mmu/log_dirty.c: to each frame the first one. */
struct log_dirty_ops {
    /* From here on. */
    void (*enable)(struct domain *d);
    /* No more. */
    void (*disable)(struct domain *d);
    /* Anew, to all frames. */
    void (*clean)(struct domain *d);
};

struct paging_ops {
    const char *name;
    /* NULL: nothing needs to leave (mmu/log_dirty.h). */
    const struct log_dirty_ops *log_dirty;
    /* Pages that its tables take of the hypervisor's memory; NULL: the tables are the guest's own. */
    uint64_t (*allocation)(const struct domain *d);
    /* So many, more than none, from now on: 0, -ENOMEM. NULL: they come as they are needed. */
    int (*set_allocation)(struct domain *d, uint64_t pages);
    /*
     * This and demote NULL: its frames never become tables.
     *
     * pg shall be a `type` (PGT_l1_page_table to PGT_seg_desc_page): look through it, and take the references that its
     * entries hold. v as for _get_page_type(). 0; -EINVAL; -ERESTART: v's share of work is done, and
     * pg->nr_validated_ptes says how far it came.
     */
    int (*promote)(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type);
    /* The page table pg is one no more: give these references up. 0 or -ERESTART, in the same way. */
    int (*demote)(struct xen *xen, struct vcpu *v, struct page_info *pg);
};

#endif
