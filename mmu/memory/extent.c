// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all operations on extents stand on: lists of frame numbers in a caller's memory, and blocks of frames that are
 * given or taken.
 *
 * Concept: memory_op speaks of extents, 2^order frames each, in a list that the caller has laid out. The list is
 * reached an element at a time, as the caller's size of a frame number has it. A block is taken from the heap under
 * three conditions that the heap itself does not know: what other domains have claimed stays, the caller may have
 * chosen a NUMA node, and may need addresses of few bits.
 *
 * Corresponds to parts of xen/common/memory.c (propagate_node) and xen/common/compat/memory.c.
 */
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/hvm/pod.h"

#include <errno.h>

/* --- arguments --- */

int extent_get(const struct memop *m, uint64_t list, uint64_t i, uint64_t *pfn)
{
    return copy_word_from_guest(m->v, pfn, list + i * word_size(m->currd));
}

int extent_put(const struct memop *m, uint64_t list, uint64_t i, uint64_t pfn)
{
    return copy_word_to_guest(m->v, list + i * word_size(m->currd), pfn);
}

bool list_okay(const struct memop *m, uint64_t list, uint64_t size)
{
    /*
     * A list that starts below a 64-bit guest's hole is stopped by what is not mapped there; 32-bit guests see the M2P.
     */
    return m->compat ? list + size <= MACH2PHYS_COMPAT_VIRT_START : guest_handle_okay(m->v, list, size);
}

bool extents_okay(const struct memop *m, uint64_t list, uint64_t first, uint64_t last)
{
    if (first > last)
        return true;
    return last < UINT64_MAX / 16 &&
           list_okay(m, list + first * word_size(m->currd), (last - first + 1) * word_size(m->currd));
}

int reservation_get(const struct memop *m, struct xen_memory_reservation *r)
{
    return compat_from_guest(m->v, r, m->arg, COMPAT_xen_memory_reservation);
}

/* --- allocation --- */

unsigned int max_order(const struct domain *currd)
{
    /* Xen's CONFIG_CTLDOM_MAX_ORDER and CONFIG_DOMU_MAX_ORDER: 1 GiB for who controls domains, 2 MiB for the others */
    return is_control_domain(currd) ? 18 : 9;
}

/* Give a block just allocated back. */
static void extent_free(struct domain *d, struct page_info *pg, unsigned int order)
{
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        put_page_alloc_ref(d->xen, pg + i);
}

/* What other domains have claimed is not there for d. */
static bool claims_allow(const struct domain *d, uint64_t nr)
{
    const uint64_t nr_free = avail_domheap_pages(d->xen), claimed = d->xen->outstanding_claims - d->outstanding_pages;

    return claimed <= nr_free && nr <= nr_free - claimed;
}

/* d was given nr of the frames that it has claimed. */
static void claim_use(struct domain *d, uint64_t nr)
{
    const uint64_t used = nr < d->outstanding_pages ? nr : d->outstanding_pages;

    d->outstanding_pages -= used;
    d->xen->outstanding_claims -= used;
}

bool propagate_node(const struct domain *currd, unsigned int mem_flags, struct placement *p)
{
    const unsigned int node = XENMEMF_get_node(mem_flags), none = XENMEMF_get_node(0);
    const bool exact = mem_flags & XENMEMF_exact_node_request;

    if (node == none)
        return true;
    if (!is_control_domain(currd))
        return !exact; /* a wish is ignored, a condition refused */
    p->nowhere = exact && node != 0;
    return node < MAX_NUMNODES;
}

/* Bits of the machine's addresses. */
static unsigned int machine_bits(const struct machine *m)
{
    return PAGE_SHIFT + 64 - (unsigned int)__builtin_clzll(m->nr_frames - 1);
}

struct page_info *extent_alloc(struct domain *d, unsigned int order, const struct placement *p, unsigned int memflags)
{
    const uint64_t nr = UINT64_C(1) << order;
    struct page_info *pg = !p->nowhere && claims_allow(d, nr) ? alloc_domheap_pages(d->xen, d, order, memflags) : NULL;
    uint64_t end;

    if (pg && !(memflags & MEMF_no_owner))
        claim_use(d, nr);
    if (!pg || !p->bits || p->bits >= machine_bits(d->xen->machine))
        return pg;
    end = mfn_x(page_to_mfn(d->xen, pg)) + nr;
    if (end <= UINT64_C(1) << (p->bits > PAGE_SHIFT ? p->bits - PAGE_SHIFT : 0))
        return pg;
    /* The heap knows no zones. A machine in which this matters has more memory than `bits` can address. */
    if (memflags & MEMF_no_owner)
        free_domheap_pages(d->xen, pg, order);
    else
        extent_free(d, pg, order);
    return NULL;
}

/* Frame gfn of d is given back to the hypervisor. 0, -EINVAL (no frame), -ENXIO (not d's). */

int guest_remove_page(struct domain *d, uint64_t gfn)
{
    struct xen *xen = d->xen;
    p2m_type_t t = p2m_ram_rw;
    const mfn_t mfn = paging_mode_translate(d) ? p2m_get_entry(d, gfn, &t) : _mfn(gfn);
    struct page_info *pg;

    if (t == p2m_populate_on_demand) {
        p2m_pod_unmark(d, gfn);
        return 0;
    }
    if (!mfn_valid(xen->machine, mfn))
        return -EINVAL;
    pg = mfn_to_page(xen, mfn);
    if (!get_page(pg, d))
        return -ENXIO;
    if (guest_physmap_remove_page(d, gfn, mfn)) {
        put_page(xen, pg);
        return -ENOMEM;
    }
    if (!paging_mode_translate(d) || !p2m_pod_keep(d, pg))
        put_page_alloc_ref(xen, pg);
    put_page(xen, pg);
    return 0;
}
