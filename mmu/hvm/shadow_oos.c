// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables that are out of sync: the guest stores to them as it likes, and their shadows follow later (see shadow.h).
 *
 * Concept: a processor without shadows does not follow at once, either. Its TLB keeps what it has read, and a guest
 * that changes an entry says so, with INVLPG or by loading CR3; until then either the old entry or the new one may be
 * used. So may a shadow:
 *
 *      store to an L1 table      a fault; the table gets the right to be written, and is out of sync. All further
 *                                stores cost nothing
 *      INVLPG                    the shadow's entry for that address is looked at again
 *      CR3 is loaded             all such tables are brought into sync: each entry that says more than the guest's
 *                                does now is emptied, and the right to write is taken back
 *
 * Of an entry that says too little (the guest's was empty, or read-only) no processor keeps anything that counts:
 * the access is a fault, and the fault reads the guest's table.
 *
 * Only L1 tables go: an entry of a higher one stands for a whole shadow. And no more than two a vCPU, the older of
 * which gives way: two, since one store may lie across the border of two tables, which must both let it pass.
 *
 * All vCPUs share the shadows, so a flush on one is one for all: more than a processor does, which is allowed.
 *
 * Corresponds to what of xen/arch/x86/mm/shadow/ is for SHOPT_OUT_OF_SYNC. There a copy of the
 * table as it was in sync says which entries have changed; here each is compared with what it would be made of now.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <string.h>

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

/* The guest's entry that this one of an L1 table's shadow is made of. */
static uint64_t guest_entry(const struct domain *d, const struct shadow_page *p, unsigned int index)
{
    const uint8_t *table = mfn_to_virt(d->xen->machine, p->table);
    uint64_t g = 0;

    if (p->role.format == SHADOW_LEGACY)
        memcpy(&g, table + 4 * (p->role.part * (unsigned int)PTES_PER_TABLE + index), 4);
    else
        memcpy(&g, table + 8 * index, 8);
    return g;
}

/* Would an entry that is made now say as much, or more? */
static bool stands(const struct domain *d, const struct shadow_page *p, unsigned int index, uint64_t e)
{
    const uint64_t g = guest_entry(d, p, index);
    const uint64_t reserved = p->role.format == SHADOW_PAE ? UINT64_C(0x7ff) << 52 : 0;
    p2m_type_t t;
    uint64_t most;
    mfn_t mfn;

    if (!(g & _PAGE_PRESENT) || !(g & _PAGE_ACCESSED) || g & reserved)
        return false;
    mfn = p2m_get_entry(d, PFN_DOWN(g & PTE_MFN_MASK), &t);
    most = g & (_PAGE_USER | _PAGE_NX | (g & _PAGE_DIRTY ? _PAGE_RW : 0));
    most = mfn_x(mfn) << PAGE_SHIFT | p2m_restrict(t, most) | SHADOW_ALWAYS;
    return e == most || e == (most & ~(uint64_t)_PAGE_RW);
}

/* Of the table's first shadow in the chain of them: are all of them of level 1? */
static bool may_go(const struct shadow_domain *s, uint32_t page)
{
    for (; page; page = s->page[page].same_table)
        if (s->page[page].role.level != 1)
            return false;
    return true;
}

static void mark(struct shadow_domain *s, mfn_t mfn, bool oos)
{
    for (uint32_t page = s->frame[mfn_x(mfn)].tables; page; page = s->page[page].same_table)
        s->page[page].oos = oos;
}

/* It is in sync again, or has no shadow any more. */
static void resync(struct domain *d, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);
    uint32_t left = 0;

    s->count.syncs++;
    for (uint32_t page = s->frame[mfn_x(mfn)].tables; page; page = s->page[page].same_table) {
        for (unsigned int i = 0; i < PTES_PER_TABLE && s->page[page].nr_present; i++) {
            const uint64_t e = shadow_entry(d, page, i);

            if (e && !stands(d, &s->page[page], i, e))
                shadow_clear(d, page, i);
        }
        left += s->page[page].nr_present;
    }
    if (!left) { /* it may well be none any more */
        shadow_unshadow(d, mfn);
        return;
    }
    shadow_oos_forget(s, mfn);
    mark(s, mfn, false);
    shadow_remove_write_access(d, mfn);
}

bool shadow_oos_begin(struct domain *d, const struct shadow_vcpu *sv, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);
    mfn_t oldest = INVALID_MFN;
    unsigned int nr = 0;

    BUG_ON(!s->frame[mfn_x(mfn)].tables);
    if (s->policy != SHADOW_OOS || !may_go(s, s->frame[mfn_x(mfn)].tables))
        return false;
    for (unsigned int i = s->nr_oos; i > 0; i--)
        if (s->oos[i - 1].by == sv) {
            oldest = s->oos[i - 1].table;
            nr++;
        }
    if (nr == SHADOW_OOS_TABLES)
        resync(d, oldest);
    s->oos[s->nr_oos++] = (struct shadow_oos){ .table = mfn, .by = sv };
    mark(s, mfn, true);
    return true;
}

void shadow_flush(struct domain *d)
{
    struct shadow_domain *s = shadow_of(d);

    if (s && s->policy == SHADOW_DROP)
        shadow_blow_tables(d);
    while (s && s->nr_oos)
        resync(d, s->oos[0].table);
}

void shadow_invlpg(struct domain *d, const struct shadow_vcpu *sv, uint64_t va)
{
    struct shadow_domain *s = shadow_of(d);
    uint32_t page = sv->root;

    if (s->policy == SHADOW_DROP)
        shadow_flush(d);
    if (!s->nr_oos || page > s->nr_pages || s->page[page].life != sv->life)
        return;
    while (page && s->page[page].role.level > 1)
        page = shadow_child(d, page, (unsigned int)pte_index(va, s->page[page].role.level));
    if (!page)
        shadow_flush(d); /* it may be reached by another way that is there, and will be by this one */
    if (page && s->page[page].oos) {
        const unsigned int index = (unsigned int)pte_index(va, 1);
        const uint64_t e = shadow_entry(d, page, index);

        if (e && !stands(d, &s->page[page], index, e))
            shadow_clear(d, page, index);
    }
}
