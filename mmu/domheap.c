// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames with owners: the upper storey of the allocator.
 *
 * Concept: a frame is given to a domain (its `allocated` reference, PGC_allocated), counted against the domain's limit,
 * and put on its list. Giving it up drops that reference, no more: while somebody else still maps the frame it keeps
 * its owner and its content, and goes back to the heap with its last reference. The hypervisor's own frames ("xen
 * heap") have no owner until one is shared with a domain; then the domain can map it, but what frees it is
 * free_xenheap_pages().
 *
 * Invariants:
 *  - A domain is referenced as long as it owns a frame of any kind, so its structure outlives its last frame: a zombie.
 *  - tot_pages counts the frames on page_list (and arch_relmem) without PGC_extra, extra_pages those with it.
 *
 * Corresponds to xen/common/page_alloc.c (assign_pages, free_domheap_pages) and share_xen_page_with_guest().
 */
#include "mmu/heap.h"
#include "mmu/page_private.h"

#include <errno.h>

static uint64_t domain_frames(const struct domain *d) { return d->tot_pages + d->extra_pages + d->xenpage_list.nr; }

static void first_frame(struct domain *d)
{
    if (!domain_frames(d))
        get_knownalive_domain(d);
}

static void last_frame(struct domain *d)
{
    if (!domain_frames(d))
        put_domain(d);
}

void put_page_alloc_ref(struct xen *xen, struct page_info *pg)
{
    if (pg->count_info & PGC_allocated) {
        pg->count_info &= ~PGC_allocated;
        put_page(xen, pg);
    }
}

/* --- the hypervisor's frames --- */

struct page_info *alloc_xenheap_pages(struct xen *xen, unsigned int order)
{
    struct page_info *pg = alloc_heap_pages(xen, order);

    for (uint64_t i = 0; pg && i < UINT64_C(1) << order; i++)
        pg[i].count_info = PGC_xen_heap;
    return pg;
}

void share_xen_page_with_guest(struct page_info *pg, struct domain *d, enum XENSHARE_flags flags)
{
    struct xen *xen = d->xen;

    BUG_ON(!(pg->count_info & PGC_xen_heap) || pg->owner);
    if (d->is_dying)
        return; /* nobody can map it any more */
    first_frame(d);
    pg->owner = d;
    /* A type count that never goes: the frame can be mapped (writable or not), but never be made a page table. */
    pg->type_info = (flags == SHARE_rw ? PGT_writable_page : PGT_none) | PGT_validated | 1;
    pg->count_info |= PGC_allocated | 1;
    pg->list = PAGE_LIST_xenpage;
    page_list_add(xen, &d->xenpage_list, pg, true);
}

/* A shared frame that nobody maps any more is the hypervisor's own again. */
static void unshare(struct xen *xen, struct page_info *pg)
{
    struct domain *d = pg->owner;

    page_list_del(xen, &d->xenpage_list, pg);
    pg->list = PAGE_LIST_none;
    pg->owner = NULL;
    pg->type_info = 0;
    pg->tlb_stamp = xen->tlb_clock;
    if (!(pg->count_info & PGC_xen_heap)) {
        pg->count_info = 0;
        free_heap_pages(xen, pg, 0);
    }
    last_frame(d);
}

void free_xenheap_pages(struct xen *xen, struct page_info *pg, unsigned int order)
{
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        BUG_ON(!(pg[i].count_info & PGC_xen_heap));
        pg[i].count_info &= ~PGC_xen_heap; /* from now on the last reference frees it */
        if (pg[i].owner) {
            BUG_ON(order); /* only single frames are shared */
            put_page_alloc_ref(xen, pg);
            return;
        }
    }
    free_heap_pages(xen, pg, order);
}

/* --- domains' frames --- */

int assign_page(struct page_info *pg, unsigned int order, struct domain *d, unsigned int memflags)
{
    uint64_t nr = UINT64_C(1) << order;

    if (d->is_dying)
        return -EINVAL;
    if (!(memflags & MEMF_no_refcount) && d->type != DOMAIN_SYSTEM &&
        (d->tot_pages > d->max_pages || d->max_pages - d->tot_pages < nr))
        return -E2BIG;
    first_frame(d);
    if (pg->count_info & PGC_extra)
        d->extra_pages += nr;
    else if (!(memflags & MEMF_no_refcount))
        d->tot_pages += nr;
    for (uint64_t i = 0; i < nr; i++) {
        BUG_ON(pg[i].owner || (pg[i].count_info & (PGC_count_mask | PGC_allocated)));
        pg[i].owner = d;
        pg[i].count_info |= PGC_allocated | 1;
        pg[i].list = PAGE_LIST_page;
        page_list_add(d->xen, &d->page_list, &pg[i], true);
    }
    return 0;
}

struct page_info *alloc_domheap_pages(struct xen *xen, struct domain *d, unsigned int order, unsigned int memflags)
{
    struct page_info *pg = alloc_heap_pages(xen, order);

    if (pg && !(memflags & MEMF_no_owner) && (memflags & MEMF_no_refcount))
        for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
            pg[i].count_info = PGC_extra;
    if (pg && !(memflags & MEMF_no_owner) && assign_page(pg, order, d, memflags)) {
        free_domheap_pages(xen, pg, order);
        return NULL;
    }
    return pg;
}

int steal_page(struct domain *d, struct page_info *pg)
{
    if (paging_mode_translate(d))
        return -EOPNOTSUPP;
    if (pg->owner != d || (pg->count_info & (PGC_xen_heap | PGC_extra)))
        return -EINVAL;
    if ((pg->count_info & (PGC_allocated | PGC_count_mask)) != (PGC_allocated | 1))
        return -EINVAL;
    BUG_ON(pg->list != PAGE_LIST_page || (pg->type_info & (PGT_count_mask | PGT_pinned)));
    page_list_del(d->xen, &d->page_list, pg);
    pg->list = PAGE_LIST_none;
    pg->count_info = pg->type_info = 0;
    pg->owner = NULL;
    pg->need_scrub = false;
    pg->tlb_stamp = d->xen->tlb_clock;
    d->tot_pages--;
    last_frame(d);
    return 0;
}

/* The last reference to an owned frame is gone. */
static void free_owned(struct xen *xen, struct page_info *pg)
{
    struct domain *d = pg->owner;

    BUG_ON((pg->type_info & PGT_count_mask) && pg->list != PAGE_LIST_xenpage);
    if (pg->list == PAGE_LIST_xenpage) {
        unshare(xen, pg);
        return;
    }
    page_list_del(xen, pg->list == PAGE_LIST_relmem ? &d->arch_relmem : &d->page_list, pg);
    pg->list = PAGE_LIST_none;
    (*(pg->count_info & PGC_extra ? &d->extra_pages : &d->tot_pages))--;
    pg->owner = NULL;
    pg->count_info = 0;
    free_heap_pages(xen, pg, 0);
    last_frame(d);
}

void free_domheap_pages(struct xen *xen, struct page_info *pg, unsigned int order)
{
    if (pg->owner) {
        BUG_ON(order);
        free_owned(xen, pg);
        return;
    }
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        pg[i].count_info &= ~PGC_extra;
    free_heap_pages(xen, pg, order);
}
