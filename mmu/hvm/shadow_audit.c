// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The invariants of shadow page tables (shadow.h), checked from what the guest's tables and the p2m say now.
 *
 * Concept: what each entry was made of is looked at again. It may say less (a right that the guest has given since is
 * added when it is used), never more: not another frame, not a right that an entry or the p2m withholds, nothing of an
 * entry whose A bit is clear. Under `drop`, and out of sync, the guest's tables may have changed since, and only where
 * the p2m leads to is looked at. And each entry that is present is in one chain: that of what it leads to.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct look {
    struct domain *d;
    struct shadow_domain *s;
    char *why;
    size_t len;
    bool wrong;
    uint64_t present, chained, used;
};

__attribute__((format(printf, 4, 5))) static void wrong(struct look *l, uint32_t page, unsigned int index,
                                                        const char *fmt, ...)
{
    const struct shadow_page *p = &l->s->page[page];
    va_list ap;
    int n;

    if (l->wrong)
        return;
    l->wrong = true;
    n = snprintf(l->why, l->len, "d%u: entry %u of a shadow of level %u (format %u, gfn %#lx) ", l->d->domain_id, index,
                 p->role.level, p->role.format, (unsigned long)p->gfn);
    va_start(ap, fmt);
    if (n > 0 && (size_t)n < l->len)
        vsnprintf(l->why + n, l->len - (size_t)n, fmt, ap);
    va_end(ap);
}

/* The guest's entry that this one is made of. False: of none. */
static bool guest_entry(const struct look *l, const struct shadow_page *p, unsigned int index, uint64_t *g)
{
    const uint8_t *t;

    if (mfn_eq(p->table, INVALID_MFN))
        return false;
    t = mfn_to_virt(l->d->xen->machine, p->table);
    *g = 0;
    if (p->role.format == SHADOW_LEGACY)
        memcpy(g, t + 4 * (p->role.level == 1 ? p->role.part * 512u + index : p->role.part * 256u + index / 2), 4);
    else
        memcpy(g, t + 8 * (p->role.format == SHADOW_PAE && p->role.level == 3 ? p->role.part * 4u + index : index), 8);
    return true;
}

static bool is_large(const struct shadow_page *p, uint64_t g)
{
    return p->role.level > 1 && p->role.level < 4 && g & _PAGE_PSE &&
           !(p->role.format == SHADOW_PAE && p->role.level == 3) &&
           (p->role.format != SHADOW_LEGACY || p->role.bits & SHADOW_PSE);
}

static void rights(struct look *l, uint32_t page, unsigned int index, uint64_t e, uint64_t g)
{
    if (!(g & _PAGE_PRESENT) ||
        (!(g & _PAGE_ACCESSED) && !(l->s->page[page].role.format == SHADOW_PAE && l->s->page[page].role.level == 3)))
        wrong(l, page, index, "is there, and the guest's is %#lx", (unsigned long)g);
    if (l->s->page[page].role.format == SHADOW_PAE && l->s->page[page].role.level == 3)
        return;
    if ((e & ~g & (_PAGE_RW | _PAGE_USER)) || (g & ~e & _PAGE_NX) || (g & ~e & _PAGE_USER))
        wrong(l, page, index, "has rights %#lx, and the guest's %#lx", (unsigned long)e, (unsigned long)g);
}

static void leaf(struct look *l, uint32_t page, unsigned int index, uint64_t e)
{
    const struct shadow_page *p = &l->s->page[page];
    const bool follows = l->s->policy != SHADOW_DROP && !p->oos;
    uint64_t gfn = p->gfn + index, g;
    p2m_type_t t;

    if (e & _PAGE_RW && shadow_guarded(l->s, pte_mfn(e)))
        wrong(l, page, index, "may be written, and leads to a table with a shadow");
    if (p->role.format != SHADOW_SPLIT) {
        guest_entry(l, p, index, &g);
        if (!follows)
            return;
        rights(l, page, index, e, g);
        if (e & _PAGE_RW && !(g & _PAGE_DIRTY))
            wrong(l, page, index, "may be written, and D is clear");
        gfn = PFN_DOWN(g & PTE_MFN_MASK);
    } else if (e & _PAGE_RW && !(p->role.bits & SHADOW_SPLIT_RW)) {
        wrong(l, page, index, "may be written, and D is clear");
    }
    if (!mfn_eq(p2m_get_entry(l->d, gfn, &t), pte_mfn(e)))
        wrong(l, page, index, "leads to frame %#lx, which is not what gfn %#lx is", (unsigned long)mfn_x(pte_mfn(e)),
              (unsigned long)gfn);
    else if (p2m_restrict(t, e) != e)
        wrong(l, page, index, "has rights that the p2m withholds");
}

/* Those that are out of sync are in the list, and what is in the list may be so. */
static void oos(struct look *l)
{
    const struct shadow_domain *s = l->s;
    uint32_t listed = 0;

    for (unsigned int i = 0; i < s->nr_oos; i++)
        for (uint32_t page = s->frame[mfn_x(s->oos[i].table)].tables; page; page = s->page[page].same_table, listed++)
            if (!s->page[page].oos || s->page[page].role.level != 1)
                wrong(l, page, 0, "and others: its table is said to be out of sync");
    for (uint32_t page = 1; page <= s->nr_pages; page++)
        listed -= s->page[page].used && s->page[page].oos;
    if (listed)
        wrong(l, 0, 0, "and others: not so many are out of sync");
}

static void table(struct look *l, uint32_t page, unsigned int index, uint64_t e)
{
    const struct shadow_page *p = &l->s->page[page], *c;
    const uint32_t child = l->s->frame[mfn_x(pte_mfn(e))].tables;
    uint64_t g, gfn = p->gfn;

    c = &l->s->page[child];
    if (!child || child > l->s->nr_pages || !c->used || !mfn_eq(c->mfn, pte_mfn(e)) ||
        c->role.level != p->role.level - 1) {
        wrong(l, page, index, "leads to frame %#lx, which is no shadow for it", (unsigned long)mfn_x(pte_mfn(e)));
        return;
    }
    if (l->s->policy == SHADOW_DROP)
        return;
    if (p->role.format == SHADOW_SPLIT) {
        gfn += (uint64_t)index << 9 * (p->role.level - 1);
    } else if (guest_entry(l, p, index, &g)) {
        rights(l, page, index, e, g);
        gfn = PFN_DOWN(g & PTE_MFN_MASK);
        if (is_large(p, g) != (c->role.format == SHADOW_SPLIT))
            wrong(l, page, index, "and the guest's (%#lx) disagree on whether it is a large page", (unsigned long)g);
        if (c->role.format == SHADOW_SPLIT && p->role.format == SHADOW_LEGACY) /* 4 MiB, in two halves */
            gfn = (g >> 22 << 10 & 0xfffff) + (g >> 13 & 0xff) * (UINT64_C(1) << 20) + (index & 1) * 512;
        else if (c->role.format == SHADOW_SPLIT)
            gfn &= ~((UINT64_C(1) << 9 * (p->role.level - 1)) - 1);
        if (c->role.format == SHADOW_SPLIT && c->role.bits && !(g & _PAGE_DIRTY))
            wrong(l, page, index, "may be written, and D is clear");
    }
    if (c->gfn != gfn)
        wrong(l, page, index, "leads to the shadow of gfn %#lx, not %#lx", (unsigned long)c->gfn, (unsigned long)gfn);
}

/* How many entries are in a chain, each of which leads to mfn. */
static void chain(struct look *l, uint32_t at, mfn_t mfn)
{
    for (; at && !l->wrong; at = l->s->page[at >> 9].next[at & 511]) {
        if (!mfn_eq(pte_mfn(shadow_entry(l->d, at >> 9, at & 511)), mfn))
            wrong(l, at >> 9, at & 511, "is in the chain of frame %#lx", (unsigned long)mfn_x(mfn));
        l->chained++;
    }
}

bool shadow_audit(struct domain *d, char *why, size_t len)
{
    struct shadow_domain *s = d->p2m->shadow;
    struct look l = { .d = d, .s = s, .why = why, .len = len };
    struct machine *m = d->xen->machine;

    if (m->shadowed->nr || s->lost != m->shadowed->lost || s->nr_shared)
        return true; /* what was written is looked at when a vCPU is entered */
    for (uint32_t i = 1; i <= s->nr_pages && !l.wrong; i++) {
        uint32_t present = 0;

        for (unsigned int n = 0; s->page[i].used && n < PTES_PER_TABLE; n++) {
            const uint64_t e = shadow_entry(d, i, n);

            if (!(e & _PAGE_PRESENT) || shadow_is_monitors(s, s->page[i].role, n))
                continue;
            present++;
            (s->page[i].role.level == 1 ? leaf : table)(&l, i, n, e);
        }
        if (s->page[i].used && present != s->page[i].nr_present)
            wrong(&l, i, 0, "and others: %u are present, not %u", present, s->page[i].nr_present);
        if (s->page[i].used)
            chain(&l, s->page[i].parents, s->page[i].mfn);
        l.present += present;
        l.used += s->page[i].used;
    }
    for (uint64_t i = 0; i < m->nr_frames && !l.wrong; i++)
        chain(&l, s->frame[i].maps, _mfn(i));
    oos(&l);
    if (l.used != s->count.used)
        wrong(&l, 0, 0, "and others: %lu are used, and not %u", (unsigned long)l.used, s->count.used);
    if (l.present != l.chained)
        wrong(&l, 0, 0, "and others: %lu are present, %lu in chains", (unsigned long)l.present,
              (unsigned long)l.chained);
    return !l.wrong;
}
