// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building a PV guest: the initial page tables.
 *
 * Concept: they are made of machine frame numbers, by pfn through the p2m list. All tables lie in a row of pfns, the
 * root first, and each next one is taken from the row when an entry needs one; their number is known from the layout.
 * While they are written dom0 has them mapped, and as long as that is so, Xen accepts none of them as a page table: so
 * they are unmapped before the root is pinned, which has Xen look through them all. In what they map they are
 * themselves read-only.
 *
 * Corresponds to setup_pgtables_x86_64() of tools/libs/guest/xg_dom_x86.c.
 */
#include "tools/build/build_pv_private.h"

#include <errno.h>
#include <xen/xen.h>

#define TABLE_FLAGS    (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define PAE_LAST_L3_VA UINT32_C(0xc0000000)

#define OPEN_TABLES 16 /* how many are mapped, or unmapped, in a step */

/* Tables of one level (shift: the bits a table of that level spans) that [from, to) needs. */
static uint64_t tables_for(uint64_t from, uint64_t to, unsigned int shift)
{
    return ((to - 1) >> shift) - (from >> shift) + 1;
}

uint64_t build_pv_count_tables(const struct builder *w, uint64_t end_va)
{
    uint64_t from = w->img->virt_base & (w->is64 ? UINT64_C(0xffffffffffff) : UINT32_MAX);
    uint64_t to = from + (end_va - w->img->virt_base), n;

    if (!w->is64) {
        n = 1 + tables_for(from, to, 30) + tables_for(from, to, 21);
        return n + (to <= PAE_LAST_L3_VA || from >= UINT64_C(0x100000000)); /* Xen wants an L2 in the last slot */
    }
    n = 1 + tables_for(from, to, 39) + tables_for(from, to, 30) + tables_for(from, to, 21);
    if (w->p2m_apart) {
        uint64_t p = w->img->p2m_base & UINT64_C(0xffffffffffff), p_end = p + (w->l.p2m_pages << PAGE_SHIFT);

        n += tables_for(p, p_end, 39) + tables_for(p, p_end, 30) + tables_for(p, p_end, 21);
    }
    return n;
}

static uint64_t *table_host(struct builder *w, uint64_t index)
{
    if (!w->table[index])
        w->table[index] = xc_map_foreign(w->xc, w->b->domid, _mfn(w->p2m[w->l.tables + index]));
    return w->table[index];
}

/* The index of the table that entry `slot` of table `index` points to, made when there is none. */
static uint64_t table_below(struct builder *w, uint64_t index, unsigned int slot, uint64_t flags)
{
    uint64_t *entry = &table_host(w, index)[slot];

    if (!(*entry & _PAGE_PRESENT)) {
        BUG_ON(w->tables_used >= w->l.nr_tables);
        *entry = w->p2m[w->l.tables + w->tables_used] << PAGE_SHIFT | flags;
        return w->tables_used++;
    }
    for (uint64_t i = 0; i < w->tables_used; i++)
        if (w->p2m[w->l.tables + i] == (*entry & UINT64_C(0xffffffffff000)) >> PAGE_SHIFT)
            return i;
    BUG();
}

static bool is_table(const struct builder *w, uint64_t pfn)
{
    return pfn >= w->l.tables && pfn < w->l.tables + w->l.nr_tables;
}

int build_pv_tables_open(struct builder *w)
{
    for (unsigned int n = 0; n < OPEN_TABLES && w->tables_open < w->l.nr_tables; n++)
        if (!table_host(w, w->tables_open++))
            return build_pv_fail(w, "a page table", -EINVAL);
    if (w->tables_open < w->l.nr_tables)
        return MORE;
    w->tables_used = 1; /* the root */
    w->maps[0] = (struct mapping){ w->img->virt_base, 0, w->l.end };
    if (w->p2m_apart)
        w->maps[1] = (struct mapping){ w->img->p2m_base, w->l.p2m, w->l.p2m_pages };
    return 0;
}

/* The L1 for va. Walks from the root. */
static uint64_t *l1_for(struct builder *w, uint64_t va)
{
    uint64_t t = 0;

    if (w->is64)
        t = table_below(w, t, va >> 39 & 511, TABLE_FLAGS);
    t = table_below(w, t, w->is64 ? va >> 30 & 511 : va >> 30 & 3, w->is64 ? TABLE_FLAGS : _PAGE_PRESENT);
    return table_host(w, table_below(w, t, va >> 21 & 511, TABLE_FLAGS));
}

/* One L1 a step. */
int build_pv_tables_fill(struct builder *w)
{
    struct mapping *m = w->maps[0].nr ? &w->maps[0] : &w->maps[1];
    uint64_t *l1 = m->nr ? l1_for(w, m->va) : NULL;

    while (m->nr) {
        l1[m->va >> 12 & 511] = w->p2m[m->pfn] << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED |
                                _PAGE_DIRTY | (is_table(w, m->pfn) ? 0 : _PAGE_RW);
        *m = (struct mapping){ m->va + PAGE_SIZE, m->pfn + 1, m->nr - 1 };
        if ((m->va & ((1u << 21) - 1)) == 0)
            break;
    }
    if (w->maps[0].nr || w->maps[1].nr)
        return MORE;
    if (!w->is64)
        table_below(w, 0, 3, _PAGE_PRESENT);
    return 0;
}

int build_pv_tables_close(struct builder *w)
{
    for (unsigned int n = 0; n < OPEN_TABLES && w->tables_open > 0; n++) {
        xc_unmap(w->xc, w->table[--w->tables_open]); /* while we can write it, it cannot become a page table */
        w->table[w->tables_open] = NULL;
    }
    return w->tables_open ? MORE : 0;
}

int build_pv_pin(struct builder *w)
{
    int rc = xc_pin_table_step(w->xc, w->b->domid, w->is64 ? MMUEXT_PIN_L4_TABLE : MMUEXT_PIN_L3_TABLE,
                               _mfn(w->p2m[w->l.tables]));

    if (rc == -ERESTART)
        return MORE;
    return rc ? build_pv_fail(w, "the initial page tables are refused", rc) : 0;
}
