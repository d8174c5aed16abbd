// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadows: which there are, where they are, and what leads to them (see shadow.h).
 *
 * Concept: a place for each frame of the pool, found by its key through a hash table. Two kinds of chains go through
 * the entries of shadows, both made of links that name an entry, the number of its page and its index:
 *
 *      frame[mfn].maps      -> entry -> entry -> ...     of level 1, which map the frame
 *      page[child].parents  -> entry -> entry -> ...     of the levels above, which lead to the shadow `child`
 *
 * Invariants: an entry that is present is in one chain, an empty one in none. Whatever is taken from an entry is told
 * to the TLB.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <string.h>

#define LINK(page, index) ((page) << 9 | (index))
#define LINK_PAGE(link)   ((link) >> 9)
#define LINK_INDEX(link)  ((link)&511)

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

static const uint64_t *entries(const struct domain *d, uint32_t page)
{
    return mfn_to_virt(d->xen->machine, shadow_of(d)->page[page].mfn);
}

uint64_t shadow_entry(const struct domain *d, uint32_t page, unsigned int index) { return entries(d, page)[index]; }

/* ------------------------------------------------------------------------------------------------------- chains -- */

static void chain_add(struct shadow_domain *s, uint32_t *head, uint32_t page, unsigned int index)
{
    s->page[page].next[index] = *head;
    *head = LINK(page, index);
}

static void chain_remove(struct shadow_domain *s, uint32_t *head, uint32_t page, unsigned int index)
{
    uint32_t *at = head;

    while (*at != LINK(page, index)) {
        BUG_ON(!*at);
        at = &s->page[LINK_PAGE(*at)].next[LINK_INDEX(*at)];
    }
    *at = s->page[page].next[index];
}

uint32_t shadow_child(const struct domain *d, uint32_t page, unsigned int index)
{
    const uint64_t e = shadow_entry(d, page, index);

    return e & _PAGE_PRESENT ? shadow_of(d)->frame[mfn_x(pte_mfn(e))].tables : 0;
}

/* ------------------------------------------------------------------------------------------------------ entries -- */

static void entry_write(struct domain *d, uint32_t page, unsigned int index, uint64_t entry)
{
    struct shadow_page *p = &shadow_of(d)->page[page];

    p->nr_present += (entry != 0) - (entries(d, page)[index] != 0);
    frame_write_u64(d->xen->machine, &entries(d, page)[index], entry);
}

void shadow_clear(struct domain *d, uint32_t page, unsigned int index)
{
    struct shadow_domain *s = shadow_of(d);
    uint64_t was;

    BUG_ON(index >= PTES_PER_TABLE);
    was = entries(d, page)[index];
    if (!was || shadow_is_monitors(s, s->page[page].role, index))
        return;
    if (s->page[page].role.level == 1) {
        chain_remove(s, &s->frame[mfn_x(pte_mfn(was))].maps, page, index);
        entry_write(d, page, index, 0);
        machine_mapping_gone(d->xen->machine, pte_mfn(was));
    } else {
        chain_remove(s, &s->page[shadow_child(d, page, index)].parents, page, index);
        entry_write(d, page, index, 0);
        machine_mappings_gone(d->xen->machine);
    }
}

void shadow_set_leaf(struct domain *d, uint32_t page, unsigned int index, uint64_t entry)
{
    struct shadow_domain *s = shadow_of(d);

    shadow_clear(d, page, index);
    if (entry)
        chain_add(s, &s->frame[mfn_x(pte_mfn(entry))].maps, page, index);
    entry_write(d, page, index, entry);
}

void shadow_set_table(struct domain *d, uint32_t page, unsigned int index, uint32_t child, uint64_t rights)
{
    struct shadow_domain *s = shadow_of(d);

    BUG_ON(!(rights & _PAGE_PRESENT));
    shadow_clear(d, page, index);
    chain_add(s, &s->page[child].parents, page, index);
    entry_write(d, page, index, mfn_x(s->page[child].mfn) << PAGE_SHIFT | rights);
}

/* Nobody may write to this frame by his own: its table is about to get a shadow (Xen: sh_remove_write_access()). */
void shadow_remove_write_access(struct domain *d, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);

    for (uint32_t at = s->frame[mfn_x(mfn)].maps; at; at = s->page[LINK_PAGE(at)].next[LINK_INDEX(at)]) {
        const uint64_t e = entries(d, LINK_PAGE(at))[LINK_INDEX(at)];

        if (e & _PAGE_RW)
            entry_write(d, LINK_PAGE(at), LINK_INDEX(at), e & ~(uint64_t)_PAGE_RW);
    }
    machine_mapping_gone(d->xen->machine, mfn);
}

/* --------------------------------------------------------------------------------------------------- by use, key -- */

static uint32_t *hash_list(struct shadow_domain *s, uint64_t gfn, struct shadow_role role)
{
    uint32_t r;

    memcpy(&r, &role, sizeof(r));
    return &s->hash[(gfn ^ gfn >> 10 ^ r ^ r >> 7) % SHADOW_HASH];
}

static void use_remove(struct shadow_domain *s, uint32_t page)
{
    struct shadow_page *p = &s->page[page];

    *(p->newer ? &s->page[p->newer].older : &s->newest) = p->older;
    *(p->older ? &s->page[p->older].newer : &s->oldest) = p->newer;
}

static void use_note(struct shadow_domain *s, uint32_t page)
{
    s->page[page].older = s->newest;
    s->page[page].newer = 0;
    *(s->newest ? &s->page[s->newest].newer : &s->oldest) = page;
    s->newest = page;
}

/* ------------------------------------------------------------------------------------------------------ a shadow -- */

/* In PAE's uppermost table A and D are reserved, and to set them, in a table that is read in two ways, is a change. */
void shadow_mark(struct domain *d, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);
    uint8_t mark = s->frame[mfn_x(mfn)].text ? SHADOWED : 0;

    for (uint32_t page = s->frame[mfn_x(mfn)].tables; page; page = s->page[page].same_table) {
        const struct shadow_role *r = &s->page[page].role;

        mark |= SHADOWED | (r->format == SHADOW_PAE && r->level == 3 ? SHADOWED_BITS : 0);
    }
    d->xen->machine->shadowed->mark[mfn_x(mfn)] = mark;
}

void shadow_text_end(struct domain *d, mfn_t mfn)
{
    shadow_of(d)->frame[mfn_x(mfn)].text = false;
    shadow_mark(d, mfn);
}

void shadow_text_written(struct domain *d, mfn_t mfn)
{
    if (!shadow_of(d)->frame[mfn_x(mfn)].text)
        return;
    shadow_text_end(d, mfn);
    shadow_of(d)->text_lost = true;
}

/* Another guest has it mapped to be written: for that a frame has a type; its own guest's tables give it none. */
static bool is_open(const struct domain *d, mfn_t mfn) { return mfn_to_page(d->xen, mfn)->type_info & PGT_count_mask; }

/* It is the shadow of a table: which is that, and who else is? */
static void table_attach(struct domain *d, uint32_t page)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadow_page *p = &s->page[page];
    p2m_type_t t;

    p->table = p->role.format == SHADOW_SPLIT || p->role.level > (p->role.format == SHADOW_LONG  ? 4
                                                                  : p->role.format == SHADOW_PAE ? 3
                                                                                                 : 2)
                   ? INVALID_MFN
                   : p2m_get_entry(d, p->gfn, &t);
    if (mfn_eq(p->table, INVALID_MFN))
        return;
    p->shared = d->xen->machine->shares[mfn_x(p->table)] || is_open(d, p->table) || !p2m_is_ram(t);
    s->nr_shared += p->shared;
    if (s->page[s->frame[mfn_x(p->table)].tables].oos) /* this one cannot be behind */
        shadow_unshadow(d, p->table);
    if (!s->frame[mfn_x(p->table)].tables && s->policy != SHADOW_DROP)
        shadow_remove_write_access(d, p->table);
    p->same_table = s->frame[mfn_x(p->table)].tables;
    s->frame[mfn_x(p->table)].tables = page;
    shadow_mark(d, p->table);
}

void shadow_oos_forget(struct shadow_domain *s, mfn_t mfn)
{
    unsigned int left = 0;

    for (unsigned int i = 0; i < s->nr_oos; i++)
        if (!mfn_eq(s->oos[i].table, mfn))
            s->oos[left++] = s->oos[i];
    s->nr_oos = left;
}

static void table_detach(struct domain *d, uint32_t page)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadow_page *p = &s->page[page];
    uint32_t *at;

    if (mfn_eq(p->table, INVALID_MFN))
        return;
    for (at = &s->frame[mfn_x(p->table)].tables; *at != page; at = &s->page[*at].same_table)
        BUG_ON(!*at);
    *at = p->same_table;
    s->nr_shared -= p->shared;
    if (p->oos && !s->frame[mfn_x(p->table)].tables)
        shadow_oos_forget(s, p->table);
    shadow_mark(d, p->table);
}

static void page_count(struct shadow_domain *s, struct shadow_role role, bool more)
{
    struct shadow_counters *c = &s->count;

    c->pages[role.format == SHADOW_SPLIT ? 0 : role.level] += more ? 1 : -1u;
    c->used += more ? 1 : -1u;
    c->most = c->used > c->most ? c->used : c->most;
}

/* It is a shadow no more: whatever it maps, and whatever leads to it, goes. */
static void page_free(struct domain *d, uint32_t page)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadow_page *p = &s->page[page];
    uint32_t *at = hash_list(s, p->gfn, p->role);

    while (p->parents)
        shadow_clear(d, LINK_PAGE(p->parents), LINK_INDEX(p->parents));
    for (unsigned int i = 0; p->nr_present; i++)
        shadow_clear(d, page, i);
    table_detach(d, page);
    while (*at != page)
        at = &s->page[*at].hash_next;
    *at = p->hash_next;
    use_remove(s, page);
    s->frame[mfn_x(p->mfn)].tables = 0;
    free_xenheap_pages(d->xen, mfn_to_page(d->xen, p->mfn), 0);
    if (p->pinned)
        machine_mappings_gone(d->xen->machine);
    page_count(s, p->role, false);
    p->used = p->pinned = p->oos = false;
    p->life++;
    p->hash_next = s->free;
    s->free = page;
}

static bool evict(struct domain *d)
{
    struct shadow_domain *s = shadow_of(d);
    uint32_t page = s->oldest;

    while (page && s->page[page].pinned)
        page = s->page[page].newer;
    if (!page)
        return false;
    s->count.evictions++;
    page_free(d, page);
    return true;
}

uint32_t shadow_get(struct domain *d, uint64_t gfn, struct shadow_role role)
{
    struct shadow_domain *s = shadow_of(d);
    uint32_t *list = hash_list(s, gfn, role), page;
    struct page_info *pg;

    for (page = *list; page; page = s->page[page].hash_next)
        if (s->page[page].gfn == gfn && !memcmp(&s->page[page].role, &role, sizeof(role))) {
            use_remove(s, page);
            use_note(s, page);
            return page;
        }
    if (!s->free && !evict(d))
        return 0;
    pg = alloc_xenheap_pages(d->xen, 0);
    if (!pg)
        return 0;
    page = s->free;
    s->free = s->page[page].hash_next;
    s->page[page].gfn = gfn;
    s->page[page].role = role;
    s->page[page].mfn = page_to_mfn(d->xen, pg);
    s->page[page].used = true;
    s->frame[mfn_x(s->page[page].mfn)].tables = page;
    s->page[page].hash_next = *list;
    *list = page;
    use_note(s, page);
    page_count(s, role, true);
    table_attach(d, page);
    if (shadow_is_monitors(s, role, s->monitor_slot))
        frame_write_u64(d->xen->machine, &entries(d, page)[s->monitor_slot], s->monitor);
    return page;
}

/* ---------------------------------------------------------------------------------------- what happens to frames -- */

void shadow_unshadow(struct domain *d, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);

    s->count.unshadowed++;
    while (s->frame[mfn_x(mfn)].tables)
        page_free(d, s->frame[mfn_x(mfn)].tables);
}

void shadow_frame_gone(struct domain *d, mfn_t mfn)
{
    struct shadow_domain *s = shadow_of(d);
    struct shadow_frame *f = &s->frame[mfn_x(mfn)];

    while (f->maps)
        shadow_clear(d, LINK_PAGE(f->maps), LINK_INDEX(f->maps));
    shadow_text_written(d, mfn);
    if (f->tables)
        shadow_unshadow(d, mfn);
}

void shadow_blow_tables(struct domain *d)
{
    struct shadow_domain *s = shadow_of(d);

    while (s->newest)
        page_free(d, s->newest);
}
