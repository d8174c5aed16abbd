// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * L1 tables: where guests map data, and where the rules are applied most often.
 *
 * Concept: a present L1 entry is a claim on a frame. A read-only one takes a general reference, which any frame of the
 * domain has to give (page tables included: that is how a guest reads its own). A writable one takes the type
 * `writable` as well, which a live page table or descriptor table refuses. Frames of others cannot be had this way:
 * they come through grants, whose code takes the references itself, or are mapped by who controls the other domain.
 *
 * Invariants: every present entry of a validated L1 table holds exactly those references (none for frames outside RAM,
 * which only a dom0 that is a guest gets: devices' memory).
 *
 * Corresponds to get_page_from_l1e(), put_page_from_l1e(), promote_l1_table() of xen/arch/x86/mm.c. Simplified: I/O
 * ranges (iomem_caps) are dom0's, all or none, no shared (dom_cow) pages, cache attributes are always write-back.
 */
#include "mmu/m2p.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

/*
 * The slow and rare ways: another domain's frame, no RAM, a refusal. Has all rules, and takes nothing if it refuses. Of
 * two that refuse the upper one answers.
 *
 *      a bit of l1_disallow_mask()                    -EINVAL
 *      devices' memory, and d has the devices         taken, and nothing is counted
 *      the M2P, asked for as DOMID_XEN's, to read     the same
 *      no RAM (mfn_valid()), or the firmware's        -EPERM; -EINVAL for PTE_MFN_MASK, the number that is all ones
 *      (below FIRMWARE_FRAMES)
 *      not pg_owner's                                 -EBUSY, but if d asks in the name of a third domain that controls the
 *                                                     owner (xsm_priv_mapping() is 0)
 *      Xen's, or free: it has no owner, no reference  -EBUSY
 *      RW, and it cannot be writable                  -EBUSY
 */
static int get_page_from_l1e_slow(uint64_t e, struct domain *d, struct domain *pg_owner)
{
    struct xen *xen = d->xen;
    const mfn_t mfn = pte_mfn(e);
    struct domain *owner;
    struct page_info *pg;

    if (e & l1_disallow_mask(d)) {
        pv_refused(d, "bad L1 flags in %016lx", e);
        return -EINVAL;
    }
    if (iomem_access_permitted(d, mfn))
        return 0;
    if (!mfn_valid(xen->machine, mfn) || mfn_x(mfn) < FIRMWARE_FRAMES) {
        pv_refused(d, "may not map I/O memory at frame %lx", mfn_x(mfn));
        return mfn_x(mfn) == PTE_MFN_MASK >> PAGE_SHIFT ? -EINVAL : -EPERM;
    }
    if (pg_owner == xen->dom_xen && !(e & _PAGE_RW) && m2p_frame_open(xen, mfn))
        return 0;
    pg = mfn_to_page(xen, mfn);
    owner = pg->owner;
    if (owner != pg_owner && (!owner || pg_owner == d || xsm_priv_mapping(pg_owner, owner)))
        goto refused;
    if (!owner || !get_page(pg, owner))
        goto refused;
    /*
     * A foreign frame of a translated domain is not counted as writable: such domains have no page tables to protect.
     */
    if ((e & _PAGE_RW) && (d == owner || !paging_mode_translate(owner)) && !page_get_writable(xen, pg)) {
        put_page(xen, pg);
        goto refused;
    }
    return 0;

refused:
    pv_refused(d, "L1 entry %016lx: frame %lx of d%d has count %lx, type %lx", e, mfn_x(mfn),
               pg->owner ? pg->owner->domain_id : -1, pg->count_info & PGC_count_mask, pg->type_info);
    return -EBUSY;
}

/* As above; first what nearly all entries are, present, legal, for a frame of d's own. */
static inline int l1e_get(struct xen *xen, uint64_t e, struct domain *d, struct domain *pg_owner)
{
    if (!(e & L1_DISALLOW_MASK) && mfn_valid(xen->machine, pte_mfn(e)) && d == pg_owner) {
        struct page_info *pg = mfn_to_page(xen, pte_mfn(e));

        if (get_page(pg, d)) {
            if (!(e & _PAGE_RW) || page_get_writable(xen, pg))
                return 0;
            put_page(xen, pg);
        }
    }
    return get_page_from_l1e_slow(e, d, pg_owner);
}

/* What present entry e of a table of d's holds is given up: the type if it is writable, the reference. */
static inline void l1e_put(struct xen *xen, uint64_t e, struct domain *d)
{
    struct page_info *pg = mfn_to_page(xen, pte_mfn(e));

    if (mfn_is_iomem(xen, pte_mfn(e)) || is_m2p_frame(xen, pte_mfn(e)))
        return;
    if (e & _PAGE_RW) {
        if (pg->owner == d || !paging_mode_translate(pg->owner))
            page_put_writable(xen, pg);
    } else if ((pg->type_info & PGT_type_mask) == PGT_seg_desc_page && (pg->type_info & PGT_count_mask) &&
               pg->owner == d) {
        /* Perhaps it was a page of an LDT. Rare, so all that was faulted in of every LDT goes. */
        for_each_vcpu (d, v)
            if (pv_destroy_ldt(v))
                vcpu_flush_tlb(v);
    }
    put_page(xen, pg);
}

int get_page_from_l1e(uint64_t e, struct domain *d, struct domain *pg_owner) { return l1e_get(d->xen, e, d, pg_owner); }

void put_page_from_l1e(uint64_t e, struct domain *d)
{
    if (e & _PAGE_PRESENT)
        l1e_put(d->xen, e, d);
}

/*
 * All present entries are taken, and adjusted (adjust_guest_l1e() for the ring d->abi->kernel_ring, d being the owner
 * of pg), or none: the answer is that of the first one that is refused, and what those before it hold is given up.
 */
int promote_l1_table(struct xen *xen, struct page_info *pg)
{
    const mfn_t mfn = page_to_mfn(xen, pg);
    uint64_t *l1 = frame_write_begin(xen->machine, mfn);
    struct domain *d = pg->owner;
    const unsigned int ring = d->abi->kernel_ring;
    int rc = 0;

    for (unsigned int i = next_present(l1, 0); i < PTES_PER_TABLE; i = next_present(l1, i + 1)) {
        rc = l1e_get(xen, l1[i], d, d);

        if (rc) {
            pv_refused(d, "frame %lx cannot be an L1 table: slot %u", mfn_x(mfn), i);
            while (i-- > 0)
                if (l1[i] & _PAGE_PRESENT)
                    l1e_put(xen, l1[i], d);
            break;
        }
        l1[i] = adjust_guest_l1e(l1[i], ring);
    }
    frame_write_end(xen->machine, mfn);
    return rc;
}

/* What all present entries hold is given up. */
void demote_l1_table(struct xen *xen, struct page_info *pg)
{
    const uint64_t *l1 = table_map(xen, page_to_mfn(xen, pg));
    struct domain *d = pg->owner;

    for (unsigned int i = next_present(l1, 0); i < PTES_PER_TABLE; i = next_present(l1, i + 1))
        l1e_put(xen, l1[i], d);
}
