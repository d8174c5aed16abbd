// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nested page tables: the p2m (see p2m.h) in the form in which the processor walks it.
 *
 * Concept: four levels of 512 entries, made as they are needed, and kept until the domain dies. The hypervisor walks
 * them for itself as the processor does for the guest.
 */
#include "mmu/hvm/p2m.h"

#include "mmu/pte.h"
#include "sim/frame.h"

#include <errno.h>

#define TYPE_SHIFT   55
#define TYPE_MASK    (UINT64_C(0xf) << TYPE_SHIFT)
#define TABLE_RIGHTS (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)

/* What the processor may do with a page of this type, as bits of its entry; 0: nothing, no frame is there. */
static uint64_t rights_of(p2m_type_t t)
{
    switch (t) {
    case p2m_mmio_dm:
    case p2m_populate_on_demand: break;
    case p2m_ram_rw: return _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
    case p2m_ram_ro:
    case p2m_ram_logdirty: return _PAGE_PRESENT | _PAGE_USER;
    case p2m_grant_map_rw:
    case p2m_map_foreign: return _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_NX;
    case p2m_grant_map_ro:
    case p2m_mmio_direct: return _PAGE_PRESENT | _PAGE_USER | _PAGE_NX;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- tables -- */

static mfn_t table_alloc(struct domain *d)
{
    struct page_info *pg = alloc_xenheap_pages(d->xen, 0);

    if (!pg)
        return INVALID_MFN;
    d->p2m->nr_tables++;
    return page_to_mfn(d->xen, pg);
}

/* The tables below this one, and itself; what the entries of level 1 lead to is nobody's here. */
static void table_free(struct domain *d, mfn_t table, unsigned int level)
{
    const uint64_t *entry = mfn_to_virt(d->xen->machine, table);

    for (unsigned int i = 0; level > 1 && i < PTES_PER_TABLE; i++)
        if (entry[i] & _PAGE_PRESENT)
            table_free(d, pte_mfn(entry[i]), level - 1);
    free_xenheap_pages(d->xen, mfn_to_page(d->xen, table), 0);
}

int p2m_init(struct domain *d)
{
    d->p2m = xzalloc(d->xen->machine->arena, struct p2m_domain);
    if (!d->p2m)
        return -ENOMEM;
    d->p2m->root = table_alloc(d);
    return mfn_eq(d->p2m->root, INVALID_MFN) ? -ENOMEM : 0;
}

void p2m_teardown(struct domain *d)
{
    if (!d->p2m)
        return;
    machine_mappings_gone(d->xen->machine);
    if (!mfn_eq(d->p2m->root, INVALID_MFN))
        table_free(d, d->p2m->root, 4);
    xfree(d->p2m->pod.cache);
    xfree(d->p2m);
    d->p2m = NULL;
}

/* ------------------------------------------------------------------------------------------------------ entries -- */

/* The entry of gfn; NULL: there is no table for it. */
static const uint64_t *entry_of(const struct domain *d, uint64_t gfn)
{
    const uint64_t *table = mfn_to_virt(d->xen->machine, d->p2m->root);

    for (unsigned int level = 4; level > 1; level--) {
        const uint64_t e = table[pte_index(gfn << PAGE_SHIFT, level)];

        if (!(e & _PAGE_PRESENT))
            return NULL;
        table = mfn_to_virt(d->xen->machine, pte_mfn(e));
    }
    return &table[pte_index(gfn << PAGE_SHIFT, 1)];
}

/* Likewise, with tables that are made for it; NULL: no memory. */
static const uint64_t *entry_make(struct domain *d, uint64_t gfn)
{
    const uint64_t *table = mfn_to_virt(d->xen->machine, d->p2m->root);

    for (unsigned int level = 4; level > 1; level--) {
        const uint64_t *e = &table[pte_index(gfn << PAGE_SHIFT, level)];

        if (!(*e & _PAGE_PRESENT)) {
            const mfn_t below = table_alloc(d);

            if (mfn_eq(below, INVALID_MFN))
                return NULL;
            frame_write_u64(d->xen->machine, e, mfn_x(below) << PAGE_SHIFT | TABLE_RIGHTS);
        }
        table = mfn_to_virt(d->xen->machine, pte_mfn(*e));
    }
    return &table[pte_index(gfn << PAGE_SHIFT, 1)];
}

/* What both allow: to write, if the entry and the type do; to fetch, unless one of them forbids it. */
uint64_t p2m_restrict(p2m_type_t t, uint64_t entry)
{
    return (rights_of(t) & _PAGE_RW ? entry : entry & ~(uint64_t)_PAGE_RW) | (rights_of(t) & _PAGE_NX);
}

static p2m_type_t type_of(uint64_t e) { return (p2m_type_t)((e & TYPE_MASK) >> TYPE_SHIFT); }

mfn_t p2m_get_entry(const struct domain *d, uint64_t gfn, p2m_type_t *t)
{
    const uint64_t *e = gfn <= P2M_MAX_GFN ? entry_of(d, gfn) : NULL;

    *t = e ? type_of(*e) : p2m_mmio_dm;
    return e && (*e & _PAGE_PRESENT) ? pte_mfn(*e) : INVALID_MFN;
}

int p2m_set_entry(struct domain *d, uint64_t gfn, mfn_t mfn, p2m_type_t t)
{
    const uint64_t rights = rights_of(t), *e;
    uint64_t was;

    if (gfn > P2M_MAX_GFN)
        return -EINVAL;
    e = t == p2m_mmio_dm ? entry_of(d, gfn) : entry_make(d, gfn);
    if (!e)
        return t == p2m_mmio_dm ? 0 : -ENOMEM;
    was = *e;
    frame_write_u64(d->xen->machine, e, (rights ? mfn_x(mfn) << PAGE_SHIFT | rights : 0) | (uint64_t)t << TYPE_SHIFT);
    d->p2m->pod.entries += (t == p2m_populate_on_demand) - (type_of(was) == p2m_populate_on_demand);
    if (was & _PAGE_PRESENT)
        machine_mapping_gone(d->xen->machine, pte_mfn(was));
    if (was & _PAGE_PRESENT && d->p2m->gone)
        d->p2m->gone(d, pte_mfn(was));
    if (t != p2m_mmio_dm && gfn > d->p2m->max_mapped_gfn)
        d->p2m->max_mapped_gfn = gfn;
    return 0;
}
