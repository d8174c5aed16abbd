// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pool that shadows come from, and a domain's shadow page tables as a whole: their beginning and their end.
 *
 * Concept: what the pool has are places; a place that is used has a frame of the heap. To change its size is to begin
 * again without any shadow.
 *
 * Corresponds to shadow_set_allocation() of xen/arch/x86/mm/shadow/.
 */
#include "mmu/hvm/shadow.h"

#include "mmu/hvm/p2m.h"
#include "sim/frame.h"

#include <errno.h>

static struct shadow_domain *shadow_of(const struct domain *d) { return d->p2m->shadow; }

uint64_t shadow_allocation(const struct domain *d) { return shadow_of(d)->nr_pages; }

int shadow_set_allocation(struct domain *d, uint64_t nr)
{
    struct machine *m = d->xen->machine;
    struct shadow_domain *s = shadow_of(d);
    struct shadow_page *page;

    if (nr < SHADOW_MIN_PAGES)
        nr = SHADOW_MIN_PAGES;
    page = nr < m->nr_frames ? xzalloc_array(m->arena, struct shadow_page, nr + 1) : NULL;
    if (!page)
        return -ENOMEM;
    shadow_blow_tables(d);
    for (uint32_t i = 1; i <= s->nr_pages && i <= nr; i++) /* who remembers one of them must not take another for it */
        page[i].life = s->page[i].life;
    xfree(s->page);
    s->page = page;
    s->nr_pages = (uint32_t)nr;
    s->free = 0;
    for (uint32_t i = s->nr_pages; i; i--) {
        page[i].hash_next = s->free;
        s->free = i;
    }
    return 0;
}

int shadow_init(struct domain *d, enum shadow_policy policy)
{
    struct machine *m = d->xen->machine;
    struct shadow_domain *s = xzalloc(m->arena, struct shadow_domain);

    if (!s)
        return -ENOMEM;
    d->p2m->shadow = s;
    d->p2m->gone = shadow_frame_gone;
    s->policy = policy;
    s->last_written = INVALID_MFN;
    s->hash = xzalloc_array(m->arena, uint32_t, SHADOW_HASH);
    s->frame = xzalloc_array(m->arena, struct shadow_frame, m->nr_frames);
    s->oos = xzalloc_array(m->arena, struct shadow_oos, SHADOW_OOS_TABLES * d->max_vcpus);
    if (!s->hash || !s->frame || !s->oos || frame_shadow_init(m))
        return -ENOMEM; /* shadow_teardown() follows */
    return shadow_set_allocation(d, 0);
}

void shadow_teardown(struct domain *d)
{
    struct shadow_domain *s = d->p2m->shadow;

    if (!s)
        return;
    shadow_blow_tables(d);
    xfree(s->page);
    xfree(s->hash);
    xfree(s->frame);
    xfree(s->oos);
    xfree(s);
    d->p2m->shadow = NULL;
    d->p2m->gone = NULL;
}
