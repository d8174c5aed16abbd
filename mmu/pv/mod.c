// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changing one entry of a live page table.
 *
 * Concept: a guest never writes to a validated table itself; it asks, entry by entry. The answer follows one pattern at
 * every level: take the references that the new entry needs (which may be refused), write it, and give up what the old
 * entry held. In this order, so that nothing is free in between, and a refused request leaves everything as it was. A
 * change that concerns neither the frame nor the right to write (accessed, dirty, NX, the guest's own bits) moves no
 * references.
 *
 * Invariants: as of l1.c and validate.c. The processor sets A and D in the same words, but not while this runs.
 *
 * Corresponds to mod_l1_entry() ... mod_l4_entry() of xen/arch/x86/mm.c and map_guest_l1e().
 */
#include "mmu/guest_access.h"
#include "mmu/pv/private.h"
#include "sim/walk.h"

static inline void entry_write(struct xen *xen, const uint64_t *ptr, uint64_t e, unsigned int cmd)
{
    if (cmd == MMU_PT_UPDATE_PRESERVE_AD)
        e |= *ptr & (_PAGE_ACCESSED | _PAGE_DIRTY);
    frame_write_u64(xen->machine, ptr, e);
}

static inline bool same_references(uint64_t old, uint64_t e) { return !((old ^ e) & ~FASTPATH_FLAG_WHITELIST); }

int mod_l1_entry(const uint64_t *ptr, uint64_t e, unsigned int cmd, struct domain *d, struct domain *pg_owner)
{
    const unsigned int ring = d->abi->kernel_ring;
    const uint64_t old = *ptr;
    int rc;

    tlb_l1e_gone(d->xen, old);
    if (e & _PAGE_PRESENT) {
        if (e & l1_disallow_mask(d)) {
            pv_refused(d, "bad L1 flags in %016lx", e);
            return -EINVAL;
        }
        if (same_references(old, e)) {
            entry_write(d->xen, ptr, adjust_guest_l1e(e, ring), cmd);
            return 0;
        }
        rc = get_page_from_l1e(e, d, pg_owner);
        if (rc)
            return rc;
        e = adjust_guest_l1e(e, ring);
    }
    entry_write(d->xen, ptr, e, cmd);
    put_page_from_l1e(old, d);
    return 0;
}

/* Slots that the guest must not change. */
static int slot_check(const struct domain *d, uint64_t type, unsigned int slot)
{
    const unsigned int level = type_level(type);

    if (pv_is_guest_slot(d, type, slot) && slot < d->abi->level[level].xen_l2_slot)
        return 0;
    pv_refused(d, "L%u slot %u is Xen's", level, slot);
    return level == 2 ? -EPERM : -EINVAL;
}

int mod_table_entry(struct vcpu *curr, struct domain *d, mfn_t table, const uint64_t *ptr, uint64_t e, unsigned int cmd)
{
    struct xen *xen = d->xen;
    const uint64_t type = mfn_to_page(xen, table)->type_info, old = *ptr;
    const unsigned int level = type_level(type), slot = ((uintptr_t)ptr & ~PAGE_MASK) / sizeof(*ptr);
    const struct pt_level *l = &d->abi->level[level];
    int rc = slot_check(d, type, slot);

    if (rc)
        return rc;
    tlb_table_entry_gone(xen, old);
    if (e & _PAGE_PRESENT) {
        if (e & l->disallow) {
            pv_refused(d, "bad L%u flags in %016lx", level, e);
            return -EINVAL;
        }
        if (same_references(old, e)) {
            entry_write(xen, ptr, e | l->set, cmd);
            return 0;
        }
        rc = get_page_from_table_entry(curr, d, table, level, slot, e, 0);
        if (rc)
            return rc;
        e |= l->set;
    }
    entry_write(xen, ptr, e, cmd);
    if (put_page_from_table_entry(xen, curr, table, old, 0))
        page_put_later(curr, mfn_to_page(xen, pte_mfn(old)));
    return 0;
}

static bool is_live_l1_table(const struct xen *xen, const struct domain *d, mfn_t mfn)
{
    const struct page_info *pg = mfn_valid(xen->machine, mfn) ? mfn_to_page(xen, mfn) : NULL;

    return pg && pg->owner == d && (pg->type_info & PGT_count_mask) &&
           (pg->type_info & (PGT_type_mask | PGT_validated)) == (PGT_l1_page_table | PGT_validated);
}

const uint64_t *map_guest_l1e(struct vcpu *v, uint64_t va)
{
    struct domain *d = v->domain;
    struct page_walk w;

    if (!guest_handle_okay(v, va, 1))
        return NULL;
    machine_walk(d->xen->machine, v->pv.guest_table, va, &w); /* the entry that it ends at need not be present */
    return w.level == 1 && is_live_l1_table(d->xen, d, _mfn(PFN_DOWN(w.table))) ? w.entry : NULL;
}

const uint64_t *pv_map_l1e_at(struct domain *d, uint64_t ma)
{
    if ((ma & 7) || !is_live_l1_table(d->xen, d, _mfn(PFN_DOWN(ma))))
        return NULL;
    return &table_map(d->xen, _mfn(PFN_DOWN(ma)))[PAGE_OFFSET(ma) / 8];
}
