// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct paging: the hypervisor looks through the guest's own page tables, once, and then guards them.
 *
 * Concept: a PV guest's CR3 holds its own table, with machine frame numbers in it; there is no second translation. What
 * keeps the guest inside its memory is that the processor only ever sees tables that were validated here:
 *
 *      L4  an entry needs   a frame of the same domain, as a validated L3 table
 *      L3                   ... as a validated L2 table
 *      L2                   ... as a validated L1 table (large pages are refused)
 *      L1                   see mmu/pv/l1.c
 *
 * and in each L4 the slots 256 to 271 are Xen's. Validating a table takes a type reference on each table below, so
 * promoting an L4 promotes the whole tree, and a table stays valid as long as anything refers to it. Entries are
 * changed later through mmu/pv/mod.c only, one at a time, under the same rules.
 *
 * Linear page tables: many kernels map a table into itself (an L4 entry that points to the L4), so that all entries
 * appear as an array. Such an entry would need the L4 to be an L3. Xen allows it, read-only: to the table itself
 * without any reference, or to another validated table of the same level, if that has no linear entries and this one is
 * not the target of any, so that no cycle arises (linear_pt_count).
 *
 * What differs for 32 bits is in struct pt_level (vcpu/noun/guest_abi.h): no L4, and an L3 of four entries. The last of
 * these is required, and its L2 is special (PGT_pae_xen_l2), since the hole at 0xf5800000, with the 32-bit M2P in it,
 * is there.
 *
 * Invariants: of a partial table the first nr_validated_ptes entries hold references, and with PTF_partial_set the next
 * one holds a general reference to a table that is partial itself.
 *
 * Corresponds to promote_l2/l3/l4_table(), demote_*(), get_page_from_l*e() of xen/arch/x86/mm.c; one function for
 * three levels. Lab 05.
 */
#include "mmu/m2p.h"
#include "mmu/pv/private.h"

#include <string.h>

bool pv_is_guest_slot(const struct domain *d, uint64_t type, unsigned int slot)
{
    if ((type & PGT_type_mask) == PGT_l4_page_table)
        return slot < ROOT_PAGETABLE_FIRST_XEN_SLOT || slot > ROOT_PAGETABLE_LAST_XEN_SLOT;
    return !(type & PGT_pae_xen_l2) || slot < COMPAT_M2P_FIRST_SLOT;
}

/* --- linear entries --- */

static bool linear_entry_get(struct domain *d, mfn_t table, unsigned int level, uint64_t e)
{
    struct xen *xen = d->xen;
    struct page_info *from = mfn_to_page(xen, table), *to;

    if (e & _PAGE_RW) {
        pv_refused(d, "linear page table with write permission: %016lx", e);
        return false;
    }
    if (mfn_eq(pte_mfn(e), table))
        return true;
    to = from->owner == d ? get_page_from_mfn(xen, pte_mfn(e), d) : NULL;
    if (!to)
        return false;
    if (from->linear_pt_count > 0 || from->linear_pt_count == INT16_MIN || to->linear_pt_count < 0 ||
        to->linear_pt_count == INT16_MAX ||
        (to->type_info & (PGT_type_mask | PGT_validated)) != (level_type(level) | PGT_validated) ||
        !(to->type_info & PGT_count_mask)) {
        put_page(xen, to);
        return false;
    }
    from->linear_pt_count--;
    to->linear_pt_count++;
    to->type_info++;
    return true;
}

/* --- one entry --- */

int get_page_from_table_entry(struct vcpu *v, struct domain *d, mfn_t table, unsigned int level, unsigned int slot,
                              uint64_t e, unsigned int flags)
{
    const struct pt_level *l = &d->abi->level[level];
    uint64_t type = level_type(level - 1);
    int rc;

    if (e & l->disallow) {
        pv_refused(d, "bad L%u flags in %016lx", level, e);
        return -EINVAL;
    }
    if (slot == l->xen_l2_slot)
        type |= PGT_pae_xen_l2;
    rc = get_page_and_type_from_mfn(v, pte_mfn(e), type, d, flags);
    if (rc == -EINVAL && l->slots == PTES_PER_TABLE && !(flags & PTF_partial_set) &&
        linear_entry_get(d, table, level, e))
        rc = 0;
    return rc;
}

int put_page_from_table_entry(struct xen *xen, struct vcpu *v, mfn_t table, uint64_t e, unsigned int flags)
{
    struct page_info *from = mfn_to_page(xen, table), *to = mfn_to_page(xen, pte_mfn(e));
    int rc;

    if (!(e & _PAGE_PRESENT) || from == to)
        return 0;
    if (flags & PTF_partial_set) {
        rc = page_type_put_partial(xen, v, to);
    } else {
        if (!((from->type_info ^ to->type_info) & PGT_type_mask)) {
            from->linear_pt_count++;
            to->linear_pt_count--;
        }
        rc = _put_page_type(xen, v, to);
    }
    if (!rc)
        put_page(xen, to);
    return rc;
}

/* --- whole tables --- */

/*
 * The table was found bad at slot i; partial: PTF_partial_set if that was a partial entry, else 0. What the entries
 * before it hold is given up, and what a partial one holds: now, or for a vCPU when it next has time.
 */
static void promote_failed(struct xen *xen, struct vcpu *v, struct page_info *pg, unsigned int i, unsigned int partial)
{
    if (v && old_guest_table_pending(v))
        partial = PTF_partial_set; /* the table below is half done, too, and this entry refers to it */
    if (!i && !partial)
        return;
    pg->nr_validated_ptes = (uint16_t)i;
    pg->partial_flags = (uint8_t)partial;
    if (v)
        page_put_later(v, pg);
    else
        BUG_ON(pv_demote_table(xen, NULL, pg));
}

/* All entries are good: what is Xen's in this table is filled in. */
static void promote_done(struct xen *xen, struct page_info *pg, uint64_t type)
{
    const mfn_t mfn = page_to_mfn(xen, pg);
    uint64_t *table = frame_write_begin(xen->machine, mfn);
    struct domain *d = pg->owner;

    if (type == PGT_l4_page_table)
        init_xen_l4_slots(d, table, VM_ASSIST(d, m2p_strict));
    if (type & PGT_pae_xen_l2)
        memcpy(&table[COMPAT_M2P_FIRST_SLOT], &table_map(xen, xen->m2p_compat_l2)[COMPAT_M2P_FIRST_SLOT],
               COMPAT_M2P_NR_SLOTS * sizeof(*table));
    frame_write_end(xen->machine, mfn);
    pg->nr_validated_ptes = PTES_PER_TABLE;
    pg->partial_flags = 0;
}

/*
 * Look through pg, whose type is set and counted, from entry nr_validated_ptes on: each present entry of the guest's
 * gets its references (PTF_retain_ref: a table that is preempted keeps the general one), and the level's `set` bits.
 * With PTF_partial_set the first of them has its general reference already. For a v, before each but the first one of
 * the call, hypercall_preempt_check() may say that it is time to stop.
 *
 * 0; -ERESTART, and nr_validated_ptes, partial_flags say where; -EINVAL, or what was said of an entry: bad, and what
 * its entries hold is given up: at once, or for a v later (page_put_later()).
 */
int pv_promote_table(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    const mfn_t mfn = page_to_mfn(xen, pg);
    const unsigned int level = type_level(type);
    struct domain *d = pg->owner;
    const struct pt_level *l = &d->abi->level[level];
    const uint64_t *table = table_map(xen, mfn);
    unsigned int i, partial = pg->partial_flags, done = 0;
    int rc = 0;

    if (!l->slots || (l->xen_l2_slot < l->slots && !(table[l->xen_l2_slot] & _PAGE_PRESENT)))
        return -EINVAL;
    if (l->slots < PTES_PER_TABLE) { /* the processor is going to look at all */
        memset((uint64_t *)frame_write_begin(xen->machine, mfn) + l->slots, 0,
               (PTES_PER_TABLE - l->slots) * sizeof(*table));
        frame_write_end(xen->machine, mfn);
    }
    for (i = next_present(table, pg->nr_validated_ptes); i < PTES_PER_TABLE;
         i = next_present(table, i + 1), partial = 0) {
        if (!pv_is_guest_slot(d, type, i))
            continue;
        if (v && done++ && hypercall_preempt_check(v)) {
            pg->nr_validated_ptes = (uint16_t)i;
            pg->partial_flags = 0;
            return -ERESTART;
        }
        rc = get_page_from_table_entry(v, d, mfn, level, i, table[i], partial | PTF_retain_ref);
        if (rc)
            break;
        frame_write_u64(xen->machine, &table[i], table[i] | l->set);
    }
    if (!rc) {
        promote_done(xen, pg, type);
    } else if (rc == -ERESTART) {
        pg->nr_validated_ptes = (uint16_t)i;
        pg->partial_flags = PTF_partial_set;
    } else {
        pv_refused(d, "frame %lx cannot be an L%u table: slot %u", mfn_x(mfn), level, i);
        promote_failed(xen, v, pg, i, partial);
    }
    return rc;
}

/*
 * Give up what the first nr_validated_ptes entries hold, and the partial one behind them if there is one, the last one
 * first. Preempted in the same way; nothing can be bad here.
 */
int pv_demote_table(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    const mfn_t mfn = page_to_mfn(xen, pg);
    const uint64_t *table = table_map(xen, mfn);
    unsigned int partial = pg->partial_flags, done = 0;

    for (int i = prev_present(table, pg->nr_validated_ptes + !!partial); i >= 0;
         i = prev_present(table, i), partial = 0) {
        if (!pv_is_guest_slot(pg->owner, pg->type_info, (unsigned int)i))
            continue;
        if (v && done++ && hypercall_preempt_check(v)) {
            pg->nr_validated_ptes = (uint16_t)(i + 1);
            pg->partial_flags = 0;
            return -ERESTART;
        }
        if (put_page_from_table_entry(xen, v, mfn, table[i], partial)) {
            pg->nr_validated_ptes = (uint16_t)i;
            pg->partial_flags = PTF_partial_set;
            return -ERESTART;
        }
    }
    return 0;
}
