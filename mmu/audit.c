// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The invariant checker.
 *
 * Concept: reference counts are a summary, kept up to date a step at a time by everything in mmu/. Here they are
 * computed a second time, from what they summarise: all page tables, pins, roots, descriptor tables, grants. If a count
 * and its sum differ, some step was wrong, and sooner or later a guest will hold a writable page table or read a
 * stranger's memory.
 *
 * What must hold, between hypercalls:
 *   1. count_info of an owned frame = its allocation + entries that map it + pins + roots + ... ; a free frame has
 *      none, and nothing refers to the hypervisor's own.
 *   2. type_info's count = uses of that very type. So no frame is writable and a page table at once.
 *   3. A table in use is validated, or partial with count 1; one that is not is neither, and only tables are pinned or
 *      partial. Present entries have no forbidden bits, no linear one is writable (through it, all tables below would
 *      be), and the slots that are Xen's hold what Xen put there.
 *   4. An L1 entry maps a frame of another domain only with a live grant, or when the domain controls the other.
 *   5. linear_pt_count is what the tables' same-level entries make it.
 *   6. Every frame of a domain is on one list of it, and the lists' lengths are the domain's page counts.
 *   7. The windows with a vCPU's descriptor tables are the hypervisor's: no user entries, and Xen's own page is Xen's.
 *   8. Free frames, frames in use and claims add up, and a free frame has no pfn.
 *
 * Frames in runs that the heap never opened are not looked at: nothing was ever there, and nothing may refer to them.
 * What is expected of frames is all zero between two checks, so that none begins with clearing an array for the whole
 * machine. tests/mmu/test_audit.c breaks each rule; a new message here needs a new line there.
 *
 * Budget: eight rules, and nothing that can be understood apart from them.
 */
#include "mmu/audit.h"

#include "mmu/grant/private.h"
#include "mmu/heap.h"
#include "mmu/hvm/p2m.h"
#include "mmu/hvm/shadow.h"
#include "mmu/m2p.h"
#include "mmu/memory/foreign.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is expected of a frame. */
struct audit_expected {
    uint32_t refs, types;
    int32_t linear;
};

struct audit {
    struct xen *xen;
    struct audit_expected *frames;
    char *why;
    size_t len;
    bool wrong; /* the first difference is in why */
    uint64_t claims, used;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct audit *a, const char *fmt, ...)
{
    va_list ap;

    if (a->wrong)
        return;
    a->wrong = true;
    va_start(ap, fmt);
    vsnprintf(a->why, a->len, fmt, ap);
    va_end(ap);
}

void audit_ref(struct audit *a, mfn_t mfn, uint64_t type)
{
    const struct page_info *pg;

    if (!mfn_valid(a->xen->machine, mfn)) {
        wrong(a, "a reference to frame %lx, which there is not", mfn_x(mfn));
        return;
    }
    if (mfn_x(mfn) < heap_first_frame(a->xen) || !m2p_is_open(a->xen, mfn)) {
        wrong(a, "a reference to frame %lx, which nobody was ever given", mfn_x(mfn));
        return;
    }
    pg = mfn_to_page(a->xen, mfn);
    a->frames[mfn_x(mfn)].refs++;
    if (type == PGT_none)
        return;
    a->frames[mfn_x(mfn)].types++;
    if (((pg->type_info ^ type) & (PGT_type_mask | (type & PGT_pae_xen_l2))))
        wrong(a, "frame %lx is used as type %u but has type_info %016lx", mfn_x(mfn), type_level(type), pg->type_info);
}

/* --- page tables --- */

static void l1_entry(struct audit *a, const struct domain *d, mfn_t table, uint64_t e)
{
    struct xen *xen = a->xen;
    const struct domain *owner;
    mfn_t mfn = pte_mfn(e);

    if (iomem_access_permitted(d, mfn) || (is_m2p_frame(xen, mfn) && !(e & _PAGE_RW)))
        return;
    if (!mfn_valid(xen->machine, mfn)) {
        wrong(a, "L1 table %lx maps frame %lx", mfn_x(table), mfn_x(mfn));
        return;
    }
    if ((e & l1_disallow_mask(d)) || (has_user_root(d) && !(e & _PAGE_USER)))
        wrong(a, "L1 table %lx has entry %016lx", mfn_x(table), e);
    owner = mfn_to_page(xen, mfn)->owner;
    audit_ref(a, mfn,
              (e & _PAGE_RW) && (owner == d || !owner || !paging_mode_translate(owner)) ? PGT_writable_page : PGT_none);
    if (!owner || d->is_dying || !xsm_priv_mapping(d, owner))
        return;
    if (!gnttab_mappings_of(d, mfn, e & _PAGE_RW))
        wrong(a, "L1 table %lx of d%u maps frame %lx of d%u without a grant", mfn_x(table), d->domain_id, mfn_x(mfn),
              owner->domain_id);
}

static void table_entry(struct audit *a, const struct domain *d, mfn_t table, unsigned int level, unsigned int slot,
                        uint64_t e)
{
    const struct pt_level *l = &d->abi->level[level];
    mfn_t mfn = pte_mfn(e);
    uint64_t type = level_type(level - 1);

    if ((e & l->disallow) || (e & l->set) != l->set || !mfn_valid(a->xen->machine, mfn)) {
        wrong(a, "L%u table %lx has entry %016lx", level, mfn_x(table), e);
        return;
    }
    if ((mfn_to_page(a->xen, mfn)->type_info & PGT_type_mask) == level_type(level)) {
        if (e & _PAGE_RW) /* as all entries of an L3 of four have */
            wrong(a, "L%u table %lx has a linear entry that it must not have: %016lx", level, mfn_x(table), e);
        if (mfn_eq(mfn, table))
            return;
        type = level_type(level);
        a->frames[mfn_x(table)].linear--;
        a->frames[mfn_x(mfn)].linear++;
    } else if (slot == l->xen_l2_slot) {
        type |= PGT_pae_xen_l2;
    }
    audit_ref(a, mfn, type);
    if (mfn_to_page(a->xen, mfn)->owner != d)
        wrong(a, "L%u table %lx of d%u refers to frame %lx of another domain", level, mfn_x(table), d->domain_id,
              mfn_x(mfn));
}

static void xen_slots(struct audit *a, const struct domain *d, mfn_t table, const uint64_t *l4)
{
    const uint64_t m2p = pte_make(a->xen->m2p_l3, _PAGE_PRESENT | _PAGE_USER),
                   perdomain = pte_make(d->pv.perdomain_l3, _PAGE_PRESENT | _PAGE_RW);

    for (unsigned int i = ROOT_PAGETABLE_FIRST_XEN_SLOT; i <= ROOT_PAGETABLE_LAST_XEN_SLOT; i++) {
        uint64_t e = l4[i] & ~_PAGE_ACCESSED;

        if (i == PERDOMAIN_SLOT ? e != perdomain : i == RO_MPT_SLOT ? e && e != m2p : e)
            wrong(a, "L4 table %lx has %016lx in Xen's slot %u", mfn_x(table), l4[i], i);
    }
}

/* PV32: the slots of the last L2 that are Xen's show the M2P, and of an L3 only four are looked at. */
static void compat_slots(struct audit *a, const struct domain *d, mfn_t table, uint64_t type, const uint64_t *t)
{
    const uint64_t *m2p = table_map(a->xen, a->xen->m2p_compat_l2);
    const unsigned int level = type_level(type);

    if (type & PGT_pae_xen_l2)
        for (unsigned int i = COMPAT_M2P_FIRST_SLOT; i < PTES_PER_TABLE; i++)
            if ((t[i] ^ m2p[i]) & ~_PAGE_ACCESSED)
                wrong(a, "L2 table %lx has %016lx in Xen's slot %u", mfn_x(table), t[i], i);
    if (level > 1)
        for (unsigned int i = d->abi->level[level].slots; i < PTES_PER_TABLE; i++)
            if (t[i])
                wrong(a, "L%u table %lx of %u entries has %016lx in slot %u", level, mfn_x(table),
                      d->abi->level[level].slots, t[i], i);
}

static void table(struct audit *a, const struct page_info *pg)
{
    const mfn_t mfn = page_to_mfn(a->xen, pg);
    const unsigned int level = type_level(pg->type_info);
    const unsigned int nr = pg->type_info & PGT_validated ? PTES_PER_TABLE
                            : pg->type_info & PGT_partial ? pg->nr_validated_ptes
                                                          : 0;
    const uint64_t *t = table_map(a->xen, mfn);
    const struct domain *d = pg->owner;

    if (!nr && !(pg->type_info & PGT_partial) && !d->is_dying)
        wrong(a, "table %lx is in use, but neither validated nor partial: %016lx", mfn_x(mfn), pg->type_info);
    for (unsigned int i = 0; i < nr; i++) {
        if (!(t[i] & _PAGE_PRESENT))
            continue;
        if (level == 1)
            l1_entry(a, d, mfn, t[i]);
        else if (pv_is_guest_slot(d, pg->type_info, i))
            table_entry(a, d, mfn, level, i, t[i]);
    }
    if ((pg->type_info & PGT_partial) && (pg->partial_flags & PTF_partial_set))
        audit_ref(a, pte_mfn(t[pg->nr_validated_ptes]), PGT_none);
    if (!(pg->type_info & PGT_validated))
        return;
    if (level == 4)
        xen_slots(a, d, mfn, t);
    compat_slots(a, d, mfn, pg->type_info, t);
}

/* The bits beside a type. */
static void type_bits(struct audit *a, const struct page_info *pg)
{
    const uint64_t t = pg->type_info, count = t & PGT_count_mask;
    const bool l2_of_pv32 = (t & PGT_type_mask) == PGT_l2_page_table && pg->owner->abi->root_level == 3;

    if (type_is_table(t) ? !count && (t & (PGT_validated | PGT_partial)) : !!(t & (PGT_pinned | PGT_partial)))
        wrong(a, "frame %lx is no table in use, but has type_info %016lx", mfn_x(page_to_mfn(a->xen, pg)), t);
    if ((t & PGT_partial) && (count != 1 || (t & PGT_validated)))
        wrong(a, "table %lx is partial, but has type_info %016lx", mfn_x(page_to_mfn(a->xen, pg)), t);
    if ((t & PGT_pae_xen_l2) && !(l2_of_pv32 && count))
        wrong(a, "frame %lx has no entries of Xen's, but type_info %016lx", mfn_x(page_to_mfn(a->xen, pg)), t);
}

/* --- who else holds references --- */

static void windows(struct audit *a, const struct vcpu *v)
{
    const struct domain *d = v->domain;
    const mfn_t gdt = pv_xen_gdt_mfn(d);
    const uint64_t *ptes = pv_gdt_ptes(v);
    unsigned int nr_ldt = 0;

    for (unsigned int i = 0; ptes && i < 32; i++) {
        const bool xens = i == FIRST_RESERVED_GDT_PAGE;

        if (xens ? !mfn_eq(pte_mfn(ptes[i]), gdt) || (ptes[i] & (_PAGE_RW | _PAGE_USER)) : !!(ptes[i] & _PAGE_USER))
            wrong(a, "the descriptor window of d%uv%u has %016lx in slot %u", d->domain_id, v->vcpu_id, ptes[i], i);
        if (xens || !(ptes[i] & _PAGE_PRESENT) || mfn_eq(pte_mfn(ptes[i]), a->xen->zero_mfn))
            continue;
        audit_ref(a, pte_mfn(ptes[i]), PGT_seg_desc_page);
        nr_ldt += i >= 16;
    }
    if (ptes && nr_ldt != v->pv.shadow_ldt_mapcnt)
        wrong(a, "d%uv%u has %u pages of its LDT mapped, and %u noted", d->domain_id, v->vcpu_id, nr_ldt,
              v->pv.shadow_ldt_mapcnt);
}

/* PV32: the L4 of Xen's that is above the guest's L3. */
static void compat_l4(struct audit *a, const struct vcpu *v)
{
    const uint64_t *l4 = table_map(a->xen, v->pv.guest_table);

    xen_slots(a, v->domain, v->pv.guest_table, l4);
    if ((l4[0] & _PAGE_PRESENT) && !mfn_eq(pte_mfn(l4[0]), v->pv.compat_l3))
        wrong(a, "d%uv%u has another root than its L3: %016lx", v->domain->domain_id, v->vcpu_id, l4[0]);
}

static void pv_vcpu(struct audit *a, const struct vcpu *v)
{
    const unsigned int root_level = v->domain->abi->root_level;

    if (!mfn_eq(pv_guest_root(v), INVALID_MFN))
        audit_ref(a, pv_guest_root(v), level_type(root_level));
    if (!mfn_eq(v->pv.guest_table_user, INVALID_MFN))
        audit_ref(a, v->pv.guest_table_user, PGT_l4_page_table);
    if (!mfn_eq(v->domain->pv.perdomain_l3, INVALID_MFN))
        windows(a, v);
    if (root_level == 3 && !mfn_eq(v->pv.guest_table, INVALID_MFN))
        compat_l4(a, v);
}

static void vcpu(struct audit *a, const struct vcpu *v)
{
    if (!mfn_eq(v->old_guest_table, INVALID_MFN))
        audit_ref(a, v->old_guest_table, PGT_none);
    if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN) && mfn_x(v->vcpu_info_mfn))
        audit_ref(a, v->vcpu_info_mfn, PGT_writable_page);
    if (is_pv_domain(v->domain))
        pv_vcpu(a, v);
}

/* A grant mapping holds references itself, except for those of a PV guest's page-table entry. */
static void grants(struct audit *a, const struct domain *d)
{
    const struct grant_table *gt = d->grant_table;

    for (grant_handle_t h = 0; gt && gt->nr_mappings && h < gt->maptrack_limit; h++) {
        const struct grant_mapping *map = &gt->maptrack[h];
        const uint64_t type = map->flags & GNTMAP_readonly ? PGT_none : PGT_writable_page;

        if (map->flags & GNTMAP_device_map)
            audit_ref(a, map->rd->grant_table->active[map->ref].mfn, type);
        if ((map->flags & GNTMAP_host_map) && !is_pv_domain(d))
            audit_ref(a, map->rd->grant_table->active[map->ref].mfn, type);
    }
}

/* Nobody refers to the hypervisor's own table. */
static void foreign_frames(struct audit *a, const struct domain *d)
{
    for (size_t i = 0; is_native_domain(d) && i < d->native.physmap.nr; i++) {
        const struct foreign_mapping *map = &d->native.physmap.map[i];

        for (unsigned int n = is_m2p_frame(a->xen, foreign_mfn(map)) ? 0 : map->uses; n; n--)
            audit_ref(a, foreign_mfn(map), foreign_is_read_only(map) ? PGT_none : PGT_writable_page);
    }
}

static void grant_report(void *data, const char *what) { wrong(data, "%s", what); }

/* --- frames --- */

static void collect(struct audit *a, const struct page_info *pg)
{
    const uint64_t t = pg->type_info;

    if (!pg->owner || (pg->count_info & PGC_state) == PGC_state_free)
        return;
    type_bits(a, pg);
    if (type_is_table(t) && (t & PGT_count_mask))
        table(a, pg);
    if (t & PGT_pinned)
        audit_ref(a, page_to_mfn(a->xen, pg), t & PGT_type_mask);
    if (t & PGT_partial)
        audit_ref(a, page_to_mfn(a->xen, pg), t & PGT_type_mask);
}

/* Free, or the hypervisor's own. */
static void compare_nobodys(struct audit *a, const struct page_info *pg, const struct audit_expected *want)
{
    const mfn_t mfn = page_to_mfn(a->xen, pg);

    if ((pg->count_info & PGC_count_mask) || want->refs ||
        ((pg->count_info & PGC_state) != PGC_state_free && pg->type_info))
        wrong(a, "frame %lx is nobody's, but has count_info %016lx, type_info %016lx and %u references", mfn_x(mfn),
              pg->count_info, pg->type_info, want->refs);
    if (!(pg->count_info & PGC_xen_heap) && get_gpfn_from_mfn(a->xen, mfn) != INVALID_M2P_ENTRY)
        wrong(a, "frame %lx is free, but somebody's pfn %lx", mfn_x(mfn), get_gpfn_from_mfn(a->xen, mfn));
}

static void compare(struct audit *a, const struct page_info *pg)
{
    const uint64_t mfn = mfn_x(page_to_mfn(a->xen, pg));
    const struct audit_expected found = a->frames[mfn], *want = &found;
    const uint64_t refs = pg->count_info & PGC_count_mask, types = pg->type_info & PGT_count_mask;
    const bool shared = pg->list == PAGE_LIST_xenpage;

    a->frames[mfn] = (struct audit_expected){ 0 }; /* for the next time */
    a->used += pg->owner || (pg->count_info & PGC_xen_heap);
    if (!pg->owner) {
        compare_nobodys(a, pg, want);
        return;
    }
    if (refs != want->refs + !!(pg->count_info & PGC_allocated))
        wrong(a, "frame %lx of d%u (type %016lx) has count %lu, found are %u%s", mfn, pg->owner->domain_id,
              pg->type_info, refs, want->refs, pg->count_info & PGC_allocated ? " and the allocation" : "");
    if (types != want->types + (shared ? 1 : 0))
        wrong(a, "frame %lx of d%u (type %016lx) has type count %lu, found are %u", mfn, pg->owner->domain_id,
              pg->type_info, types, want->types);
    if (type_is_table(pg->type_info) && types && !pg->owner->is_dying && pg->linear_pt_count != want->linear)
        wrong(a, "table %lx has linear count %d, found is %d", mfn, pg->linear_pt_count, want->linear);
    if (pg->list == PAGE_LIST_none)
        wrong(a, "frame %lx of d%u is on no list", mfn, pg->owner->domain_id);
}

/* Every frame that the heap may have given out. */
static void each_frame(struct audit *a, void (*fn)(struct audit *a, const struct page_info *pg))
{
    const uint64_t end = a->xen->machine->nr_frames, run = PAGE_SIZE / sizeof(uint64_t);

    for (uint64_t n = heap_first_frame(a->xen); n < end && !a->wrong; n++) {
        if (n % run == 0 && !m2p_is_open(a->xen, _mfn(n)))
            n += run - 1;
        else
            fn(a, &a->xen->frame_table[n]);
    }
}

/* Returns how many of the frames are extra ones. */
static uint64_t list_check(struct audit *a, const struct domain *d, const struct page_list *l, enum page_list_id id)
{
    const struct page_info *prev = NULL;
    uint64_t nr = 0, extra = 0;

    for (const struct page_info *pg = page_list_first(a->xen, l); pg; pg = page_list_next(a->xen, pg), nr++) {
        if (pg->owner != d || pg->list != id || (prev && pg->prev != prev - a->xen->frame_table) || nr > l->nr) {
            wrong(a, "frame %lx does not belong on list %d of d%u", mfn_x(page_to_mfn(a->xen, pg)), id, d->domain_id);
            return 0;
        }
        extra += !!(pg->count_info & PGC_extra);
        prev = pg;
    }
    if (nr != l->nr)
        wrong(a, "list %d of d%u has %lu frames, not %lu", id, d->domain_id, nr, l->nr);
    return extra;
}

static void domain(struct audit *a, const struct domain *d)
{
    const uint64_t nr = d->page_list.nr + d->arch_relmem.nr;
    uint64_t extra;

    for_each_vcpu (d, v)
        vcpu(a, v);
    grants(a, d);
    foreign_frames(a, d);
    extra = list_check(a, d, &d->page_list, PAGE_LIST_page) + list_check(a, d, &d->arch_relmem, PAGE_LIST_relmem);
    list_check(a, d, &d->xenpage_list, PAGE_LIST_xenpage);
    if (d->tot_pages + extra != nr || d->extra_pages != extra)
        wrong(a, "d%u has %lu and %lu extra pages, but %lu on its lists, %lu of them extra", d->domain_id, d->tot_pages,
              d->extra_pages, nr, extra);
    a->claims += d->outstanding_pages;
}

/* After each_frame(compare). */
static void sums(struct audit *a)
{
    uint64_t nr_free = 0;

    for (unsigned int order = 0; order <= HEAP_MAX_ORDER; order++)
        nr_free += heap_free_blocks(a->xen, order) << order;
    if (nr_free != avail_domheap_pages(a->xen) || nr_free + a->used != heap_total_pages(a->xen))
        wrong(a, "of %lu frames %lu are free, by another count %lu, and %lu in use", heap_total_pages(a->xen), nr_free,
              avail_domheap_pages(a->xen), a->used);
    if (a->claims != a->xen->outstanding_claims)
        wrong(a, "domains claim %lu frames, noted are %lu", a->claims, a->xen->outstanding_claims);
}

int mmu_audit(struct xen *xen, char *why, size_t len)
{
    struct audit a = { .xen = xen, .why = why, .len = len };
    void **notes = &xen->machine->edges->audit;

    if (!*notes)
        *notes = calloc(xen->machine->nr_frames, sizeof(*a.frames));
    a.frames = *notes;
    if (!a.frames)
        return -ENOMEM;
    for_each_domain (xen, d)
        domain(&a, d);
    gnttab_audit(xen, grant_report, &a);
    for_each_domain (xen, d)
        if (d->p2m && d->p2m->shadow && !a.wrong)
            a.wrong = !shadow_audit(d, why, len);
    if (xen->hooks->audit_refs)
        xen->hooks->audit_refs(xen, &a);
    each_frame(&a, collect);
    each_frame(&a, compare);
    sums(&a);
    if (!machine_tlb_agrees(xen->machine))
        wrong(&a, "the TLB holds what is not in the page tables, and was not told so");
    if (a.wrong) /* it ended in the middle */
        memset(a.frames, 0, xen->machine->nr_frames * sizeof(*a.frames));
    return a.wrong ? -EINVAL : 0;
}
