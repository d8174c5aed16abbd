// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault of a guest under shadow page tables, and what is to be shadowed of a table (see shadow.h).
 *
 * Concept: the guest's own walk, in two dimensions (sim/nested.h), says what is behind the address, and each entry that
 * it read. Then down the shadow, level by level: which shadow has the next table, with which rights? What is not there,
 * or is another, is made. The lowest entry leads to the frame.
 *
 *      level    LONG            PAE              LEGACY                 SPLIT
 *        4      guest's L4      (its only one    (its only one          (the region of the page
 *        3      guest's L3       leads to L3)     leads on)              or of all memory that
 *        2      guest's L2      guest's L2       guest's L2, a quarter   the address is in)
 *        1      guest's L1      guest's L1       guest's L1, a half
 *
 * Corresponds to sh_page_fault(), sh_propagate() and sh_validate_guest_entry() of xen/arch/x86/mm/shadow/multi.c.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <stdio.h>
#include <string.h>

#define ALL_RIGHTS (_PAGE_RW | _PAGE_USER)
/* In a row to one table: it is filled or copied as a whole, or is data by now; that goes faster without. */
#define STORES 4

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

/* -------------------------------------------------------------------------------------------------- the way down -- */

struct way {
    struct domain *d;
    const struct nested_walk *w;
    const struct nested_regs *r;
    uint64_t va, gfn; /* gfn: of the page */
};

/* The guest's entry that our level is made of; NULL: there is none. */
static const struct nested_step *step_of(const struct way *way, unsigned int level)
{
    const unsigned int top = way->w->nr ? way->w->step[0].level : 0;

    return level <= top && top - level < way->w->nr ? &way->w->step[top - level] : NULL;
}

static bool is_last(const struct way *way, const struct nested_step *s) { return s == &way->w->step[way->w->nr - 1]; }

static uint64_t rights(uint64_t entry) { return entry & (ALL_RIGHTS | _PAGE_NX); }

/* Where the shadow of what is below `level` is, and which rights the way to it gives. */
static uint64_t child_key(const struct way *way, struct shadow_role above, struct shadow_role *role, uint64_t *flags)
{
    const struct nested_step *s = step_of(way, above.level);
    const unsigned int below = above.level - 1u;
    const uint64_t region = way->gfn & ~((UINT64_C(1) << 9 * below) - 1);

    *flags = ALL_RIGHTS;
    *role = above;
    role->level = (uint8_t)below;
    role->part = 0;
    if (above.format == SHADOW_SPLIT)
        return region;
    if (above.format == SHADOW_PAE && above.level == 4) {
        role->part = above.part;
        return PFN_DOWN((uint32_t)way->r->cr3);
    }
    if (above.format == SHADOW_LEGACY && above.level > 2) {
        role->part = above.level == 3 ? (uint8_t)(way->va >> 30 & 3) : 0;
        return PFN_DOWN((uint32_t)way->r->cr3);
    }
    if (!(above.format == SHADOW_PAE && above.level == 3))
        *flags = rights(s->entry);
    if (is_last(way, s)) {
        role->format = SHADOW_SPLIT;
        role->bits = (s->entry | s->set) & _PAGE_DIRTY ? SHADOW_SPLIT_RW : 0;
        return region;
    }
    if (above.format == SHADOW_LEGACY)
        role->part = (uint8_t)(way->va >> 21 & 1);
    return PFN_DOWN(s->entry & PTE_MFN_MASK);
}

/* The lowest entry: what the guest's says, less what the p2m and a table behind it take. */
static uint64_t leaf_entry(const struct way *way, struct shadow_role role)
{
    struct shadow_domain *s = shadow_of(way->d);
    const struct nested_step *step = role.format == SHADOW_SPLIT ? NULL : step_of(way, 1);
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(way->d, way->gfn, &t);
    uint64_t e = step ? rights(step->entry) : ALL_RIGHTS;

    if (step ? !((step->entry | step->set) & _PAGE_DIRTY) : !(role.bits & SHADOW_SPLIT_RW))
        e &= ~(uint64_t)_PAGE_RW;
    e = p2m_restrict(t, e);
    if (shadow_guarded(s, mfn))
        e &= ~(uint64_t)_PAGE_RW;
    return mfn_x(mfn) << PAGE_SHIFT | e | SHADOW_ALWAYS;
}

/*
 * From the root `page` down: make what is missing, or is another; at the end, the entry for way->va. False: no memory.
 * (A shadow may go while another one is made, where the pool is that small: its `life` says whether it is the same.)
 */
static bool fill(const struct way *way, uint32_t page)
{
    struct domain *d = way->d;
    struct shadow_domain *s = shadow_of(d);
    struct shadow_role role;
    unsigned int index;
    uint64_t e;

    while (s->page[page].role.level > 1) {
        uint64_t flags;
        const uint64_t gfn = child_key(way, s->page[page].role, &role, &flags);
        const uint32_t life = s->page[page].life;
        uint32_t child = shadow_get(d, gfn, role);

        index = (unsigned int)pte_index(way->va, s->page[page].role.level);
        if (child && s->page[page].life == life && s->page[child].oos && shadow_child(d, page, index) != child) {
            shadow_unshadow(d, s->page[child].table); /* here nobody has used what it is behind with */
            child = shadow_get(d, gfn, role);
        }
        if (!child || s->page[page].life != life) /* the pool is that small */
            return child;
        e = mfn_x(s->page[child].mfn) << PAGE_SHIFT | flags | SHADOW_ALWAYS;
        if (shadow_entry(d, page, index) != e)
            shadow_set_table(d, page, index, child, flags | SHADOW_ALWAYS);
        page = child;
    }
    index = (unsigned int)pte_index(way->va, 1);
    e = leaf_entry(way, s->page[page].role);
    if (shadow_entry(d, page, index) != e)
        shadow_set_leaf(d, page, index, e);
    return true;
}

/* A right to write that the guest's tables give to its kernel alone, since CR0.WP is clear: no entry has that. */
static bool needs_wp(const struct nested_regs *r, const struct nested_walk *w, uint32_t access)
{
    uint64_t all = _PAGE_RW;

    for (unsigned int i = 0; i < w->nr; i++)
        if (w->step[i].size == 4 || r->efer & EFER_LMA || w->step[i].level < 3)
            all &= w->step[i].entry;
    return access & PFEC_write_access && !(access & PFEC_user_mode) && r->cr0 & X86_CR0_PG && !all;
}

/* (After bits were set the walk is made again: an entry that is read in two ways may say something else by then.) */
enum shadow_result shadow_fault(struct domain *d, struct shadow_vcpu *sv, const struct nested_regs *r, uint64_t va,
                                uint32_t access, struct nested_walk *w)
{
    struct machine *m = d->xen->machine;
    struct shadow_domain *s = shadow_of(d);
    struct way way = { d, w, r, va, 0 };
    mfn_t mfn;

    do {
        w->nr = 0;
        switch (nested_walk(r, va, access, machine_table, m, w)) {
        case NESTED_PF: s->count.true_faults++; return SHADOW_TRUE;
        case NESTED_NPF: return SHADOW_NPF;
        case NESTED_OK: break;
        }
    } while (nested_set_bits(m, w));
    way.gfn = PFN_DOWN(w->gpa);
    mfn = _mfn(PFN_DOWN(w->phys));
    if (shadow_is_monitors(s, shadow_role_of(r, 4), (unsigned int)pte_index(va, 4)))
        return SHADOW_TAKEN;
    if ((access & PFEC_write_access) && (needs_wp(r, w, access) || s->frame[mfn_x(mfn)].text ||
                                         (shadow_guarded(s, mfn) && !shadow_oos_begin(d, sv, mfn))))
        return SHADOW_STORE;
    s->count.fills++;
    if (sv->root && sv->root <= s->nr_pages && s->page[sv->root].life == sv->life)
        fill(&way, sv->root);
    sv->filled = true;
    return SHADOW_FILLED;
}

/* ---------------------------------------------------------------------------------------------- stores to tables -- */

bool shadow_is_table(const struct domain *d, uint64_t phys) { return shadow_of(d)->frame[PFN_DOWN(phys)].tables; }

bool shadow_store_begin(struct domain *d, uint64_t phys)
{
    struct shadow_domain *s = shadow_of(d);
    const mfn_t mfn = _mfn(PFN_DOWN(phys));

    if (!s->frame[mfn_x(mfn)].tables)
        return true;
    s->writes = mfn_eq(mfn, s->last_written) ? s->writes + 1 : 1;
    s->last_written = mfn;
    if (s->writes >= STORES) {
        s->writes = 0;
        shadow_unshadow(d, mfn);
        return false;
    }
    d->xen->machine->shadowed->mark[mfn_x(mfn)] = 0;
    return true;
}

/* The entries of `page` that are made of n bytes at offset of its table are empty. */
static void entries_written(struct domain *d, uint32_t page, unsigned int offset, unsigned int n)
{
    const struct shadow_role role = shadow_of(d)->page[page].role;
    const unsigned int size = role.format == SHADOW_LEGACY ? 4 : 8;

    const unsigned int last = offset + n > PAGE_SIZE ? PAGE_SIZE - 1 : offset + n - 1;

    for (unsigned int i = offset / size; i <= last / size; i++) {
        if (role.format == SHADOW_PAE && role.level == 3) {
            if (i / 4 == role.part)
                shadow_clear(d, page, i % 4);
        } else if (role.format != SHADOW_LEGACY) {
            shadow_clear(d, page, i);
        } else if (role.level == 1 && i / PTES_PER_TABLE == role.part) {
            shadow_clear(d, page, i % PTES_PER_TABLE);
        } else if (role.level == 2 && i / 256 == role.part) {
            shadow_clear(d, page, i % 256 * 2);
            shadow_clear(d, page, i % 256 * 2 + 1);
        }
    }
}

void shadow_store_end(struct domain *d, uint64_t phys, unsigned int n)
{
    struct shadow_domain *s = shadow_of(d);
    const mfn_t mfn = _mfn(PFN_DOWN(phys));
    uint32_t page = s->frame[mfn_x(mfn)].tables;

    if (!page)
        return;
    shadow_mark(d, mfn);
    s->count.stores++;
    for (; page; page = s->page[page].same_table)
        entries_written(d, page, (unsigned int)PAGE_OFFSET(phys), n);
}
