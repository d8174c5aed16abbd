// SPDX-License-Identifier: GPL-2.0-or-later
/* Populate on demand: the idea is in mmu/hvm/pod.h. */
#include "mmu/hvm/pod.h"

#include "mmu/m2p.h"
#include "sim/frame.h"
#include "vcpu/noun/guest.h"

#include <errno.h>
#include <string.h>

#define SWEEP_MIN 1024 /* places that are looked at, even if something was found before */

static const uint8_t zeroes[PAGE_SIZE];

/* ----------------------------------------------------------------------------------------------------- the cache -- */

/* Room for one more. False: no memory. */
static bool cache_grow(struct domain *d)
{
    struct p2m_pod *pod = &d->p2m->pod;
    const size_t room = pod->room ? 2 * pod->room : 256;
    struct page_info **cache;

    if (pod->count < pod->room)
        return true;
    cache = xrealloc_array(d->xen->machine->arena, pod->cache, room);
    if (!cache)
        return false;
    pod->cache = cache;
    pod->room = room;
    return true;
}

static int cache_set(struct vcpu *v, struct domain *d, uint64_t count)
{
    struct p2m_pod *pod = &d->p2m->pod;

    while (pod->count != count) {
        if (pod->count > count) {
            put_page_alloc_ref(d->xen, pod->cache[--pod->count]);
        } else {
            struct page_info *pg = cache_grow(d) ? alloc_domheap_pages(d->xen, d, 0, 0) : NULL;

            if (!pg)
                return -ENOMEM;
            pod->cache[pod->count++] = pg;
        }
        if (pod->count != count && v && hypercall_preempt_check(v))
            return -ERESTART;
    }
    return 0;
}

int p2m_pod_set_mem_target(struct vcpu *v, struct domain *d, uint64_t target)
{
    const struct p2m_pod *pod = &d->p2m->pod;
    const uint64_t populated = d->tot_pages - pod->count;
    uint64_t want;

    /* Nothing is marked, but of a domain that is being built; or less is wanted, which is the balloon's affair. */
    if ((populated && !pod->entries) || d->is_dying || target < d->tot_pages)
        return 0;
    want = target - populated;
    return cache_set(v, d, populated && want > pod->entries ? pod->entries : want);
}

/* ---------------------------------------------------------------------------------------------------- the places -- */

int guest_physmap_mark_populate_on_demand(struct domain *d, uint64_t gfn, unsigned int order)
{
    const uint64_t nr = UINT64_C(1) << order;
    p2m_type_t t;

    if (gfn > P2M_MAX_GFN || nr - 1 > P2M_MAX_GFN - gfn)
        return -EINVAL;
    for (uint64_t i = 0; i < nr; i++) {
        p2m_get_entry(d, gfn + i, &t);
        if (p2m_is_ram(t) || p2m_is_special(t))
            return -EBUSY;
    }
    for (uint64_t i = 0; i < nr; i++)
        if (p2m_set_entry(d, gfn + i, INVALID_MFN, p2m_populate_on_demand))
            return -ENOMEM;
    if (gfn + nr - 1 > d->p2m->pod.max_gfn)
        d->p2m->pod.max_gfn = gfn + nr - 1;
    return 0;
}

void p2m_pod_unmark(struct domain *d, uint64_t gfn)
{
    const struct p2m_pod *pod = &d->p2m->pod;

    p2m_set_entry(d, gfn, INVALID_MFN, p2m_mmio_dm);
    if (pod->entries < pod->count)
        cache_set(NULL, d, pod->entries);
}

/* Nobody but its domain refers to it, or else the caller, so often; and that has it as RAM. */
static bool is_free_of_others(const struct page_info *pg, uint64_t references)
{
    return (pg->count_info & PGC_allocated) && !(pg->count_info & PGC_xen_heap) &&
           (pg->count_info & PGC_count_mask) == references && !(pg->type_info & PGT_count_mask);
}

/* RAM at gfn that is all zero might as well not be there. */
static bool reclaim(struct domain *d, uint64_t gfn)
{
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(d, gfn, &t);

    if (t != p2m_ram_rw || !is_free_of_others(mfn_to_page(d->xen, mfn), 1) ||
        memcmp(mfn_to_virt(d->xen->machine, mfn), zeroes, PAGE_SIZE) || !cache_grow(d))
        return false;
    p2m_set_entry(d, gfn, INVALID_MFN, p2m_populate_on_demand);
    set_gpfn_from_mfn(d->xen, mfn, INVALID_M2P_ENTRY);
    d->p2m->pod.cache[d->p2m->pod.count++] = mfn_to_page(d->xen, mfn);
    return true;
}

/* From where the last one ended downwards, and round. */
static bool sweep(struct domain *d)
{
    struct p2m_pod *pod = &d->p2m->pod;

    for (uint64_t i = 0; i <= pod->max_gfn && (!pod->count || i < SWEEP_MIN); i++) {
        reclaim(d, pod->sweep <= pod->max_gfn ? pod->sweep : pod->max_gfn);
        pod->sweep = pod->sweep - 1 < pod->max_gfn ? pod->sweep - 1 : pod->max_gfn;
    }
    return pod->count;
}

bool p2m_pod_populate(struct domain *d, uint64_t gfn)
{
    struct p2m_pod *pod = &d->p2m->pod;
    p2m_type_t t;
    mfn_t mfn;

    p2m_get_entry(d, gfn, &t);
    if (t != p2m_populate_on_demand || d->is_dying)
        return false;
    if (!pod->count && !sweep(d)) {
        pod->starved = true;
        return false;
    }
    mfn = page_to_mfn(d->xen, pod->cache[--pod->count]);
    p2m_set_entry(d, gfn, mfn, p2m_ram_rw);
    set_gpfn_from_mfn(d->xen, mfn, gfn);
    return true;
}

bool p2m_pod_keep(struct domain *d, struct page_info *pg)
{
    struct p2m_pod *pod = &d->p2m->pod;

    if (d->is_dying || pod->entries <= pod->count || !is_free_of_others(pg, 2) || !cache_grow(d))
        return false;
    frame_fill(d->xen->machine, page_to_mfn(d->xen, pg), zeroes);
    pod->cache[pod->count++] = pg;
    return true;
}
