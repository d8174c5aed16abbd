// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dying domain gives its memory back.
 *
 * Concept: frames are not taken away, references are: pins first, then each frame's allocation reference, and what
 * nobody else maps is free at that moment. What is left then is either mapped by another domain (it stays until that
 * ends; the domain is a zombie), or held by the domain's own page tables in a circle: linear page tables, which refer
 * to their like, and tables whose validation was never finished. These circles are broken by force, top level first:
 * nobody runs on a dead domain's tables.
 *
 * Invariants: frames looked at wait on arch_relmem, so that each pass ends; every pass may be preempted anywhere.
 *
 * Corresponds to relinquish_memory(), domain_relinquish_resources() of xen/arch/x86/domain.c.
 */
#include "mmu/log_dirty.h"
#include "mmu/memory/foreign.h"
#include "mmu/page_private.h"
#include "mmu/paging.h"

#include <errno.h>

static void move(struct domain *d, struct page_info *pg, struct page_list *from, struct page_list *to,
                 enum page_list_id id)
{
    page_list_del(d->xen, from, pg);
    page_list_add(d->xen, to, pg, true);
    pg->list = id;
}

/* Take what is left of a table apart although it still has uses: all in a circle of the dead. */
static int break_table(struct xen *xen, struct vcpu *v, struct page_info *pg)
{
    const uint64_t x = pg->type_info;

    if (x & PGT_validated) {
        pg->nr_validated_ptes = PTES_PER_TABLE;
        pg->partial_flags = 0;
    }
    pg->type_info &= ~(PGT_validated | PGT_partial);
    if (pg->owner->paging->demote(xen, v, pg)) {
        pg->type_info |= PGT_partial;
        if (!(x & PGT_partial)) {
            pg->type_info++; /* the partial state's own references */
            pg->count_info++;
        }
        return -ERESTART;
    }
    if (x & PGT_partial) {
        pg->type_info--;
        put_page(xen, pg);
    }
    return 0;
}

/* One frame of the list; our own general reference on it is the caller's business. */
static int relinquish_page(struct xen *xen, struct vcpu *v, struct page_info *pg, uint64_t type)
{
    if (pg->type_info & PGT_pinned) {
        int rc;

        pg->type_info &= ~PGT_pinned;
        rc = _put_page_type(xen, v, pg); /* preempted: it is partial now, and finished in the pass for its type */
        put_page(xen, pg);
        if (rc)
            return rc;
    }
    put_page_alloc_ref(xen, pg);
    if ((pg->type_info & PGT_type_mask) == type && (pg->type_info & (PGT_validated | PGT_partial)))
        return break_table(xen, v, pg);
    return 0;
}

static int relinquish_list(struct domain *d, struct page_list *list, enum page_list_id id, uint64_t type)
{
    struct xen *xen = d->xen;
    struct vcpu *v = d->max_vcpus ? d->vcpu[0] : NULL; /* whose share of work is counted; none: do all */
    struct page_info *pg;
    unsigned int n = 0;
    int rc = 0;

    while ((pg = page_list_first(xen, list))) {
        if (v && n++ && hypercall_preempt_check(v))
            return -ERESTART;
        BUG_ON(!get_page(pg, d));
        rc = relinquish_page(xen, v, pg, type);
        if (!rc && (pg->count_info & PGC_count_mask) > 1) /* or else it is free in a moment */
            move(d, pg, list, &d->arch_relmem, PAGE_LIST_relmem);
        put_page(xen, pg);
        if (rc)
            return rc;
    }
    while ((pg = page_list_first(xen, &d->arch_relmem)))
        move(d, pg, &d->arch_relmem, list, id);
    return 0;
}

int domain_relinquish_memory(struct domain *d)
{
    static const uint64_t types[] = { PGT_l4_page_table, PGT_l3_page_table, PGT_l2_page_table };
    int rc;

    get_knownalive_domain(d); /* the last frame must not take the structure away from under us */
    rc = 0;
    if (d->relmem_step == 0) {
        paging_log_dirty_off(d);
        if (is_native_domain(d))
            native_physmap_destroy(d);
        for (struct page_info *pg = page_list_first(d->xen, &d->xenpage_list), *next; pg; pg = next) {
            next = page_list_next(d->xen, pg);
            put_page_alloc_ref(d->xen, pg);
        }
        d->relmem_step++;
    }
    for (; d->relmem_step <= ARRAY_SIZE(types) && !rc; d->relmem_step += !rc)
        rc = relinquish_list(d, &d->page_list, PAGE_LIST_page, types[d->relmem_step - 1]);
    put_domain(d);
    return rc;
}
