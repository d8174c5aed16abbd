// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XENMEM_exchange: these frames for those.
 *
 * Concept: a PV guest's memory is scattered over the machine, and a device that transfers across page boundaries needs
 * frames in a row, perhaps below 4 GiB. The guest names the frames it gives (in.extent_start) and the pfns at which it
 * wants others (out.extent_start, overwritten with the new frames). The sizes of extents may differ on the two sides,
 * so the work is done in chunks, the smallest piece that is whole extents on both:
 *
 *      in  order 0: [][][][]   out order 2: [      ]     one chunk: 4 extents in, 1 out
 *
 * In each chunk everything that can fail comes first: steal the input frames (they must be unreferenced, so that they
 * can vanish without anybody noticing), allocate the output. A failure gives back what was stolen; otherwise the swap
 * is done. nr_exchanged, in the guest's structure, counts what is finished and is where a preempted call goes on.
 *
 * A 32-bit caller, too, is told what was done before a failure; Xen's translation layer forgets to.
 *
 * Invariant: afterwards the domain has as many frames as before, even when that is more than its limit is now.
 *
 * Corresponds to memory_exchange() of xen/common/memory.c.
 */
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/pv/pv.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <stdlib.h>

/* Give d nobody's pages, in place of as many that were stolen: its limit, perhaps lowered since, has no say. */
static void page_replace(struct domain *d, struct page_info *pg, unsigned int order)
{
    const uint64_t max_pages = d->max_pages;

    d->max_pages = UINT64_MAX;
    BUG_ON(assign_page(pg, order, d, 0));
    d->max_pages = max_pages;
}

struct exchange {
    struct memop *m;
    struct domain *d;
    struct xen_memory_exchange x;
    unsigned int in_shift, out_shift; /* extents in a chunk: 1 << shift */
    struct placement place;
    mfn_t *in; /* the chunk's frames, while stolen */
    uint64_t nr_in;
    mfn_t *out; /* the chunk's new extents */
    uint64_t nr_out;
};

static uint64_t in_list(const struct exchange *e) { return (uintptr_t)e->x.in.extent_start.p; }
static uint64_t out_list(const struct exchange *e) { return (uintptr_t)e->x.out.extent_start.p; }

/*
 * What Xen asks of a 32-bit caller before it translates the call: sizes of 32 bits, whole chunks, and lists in reach.
 */
static int compat_check(const struct exchange *e)
{
    const struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;
    const int delta = (int)(out->extent_order - in->extent_order);

    if (in->extent_order > 31 || out->extent_order > 31 || e->x.nr_exchanged > in->nr_extents ||
        (delta > 0 && (e->x.nr_exchanged & ((1u << delta) - 1))) || UINT32_MAX >> in->extent_order < in->nr_extents ||
        UINT32_MAX >> out->extent_order < out->nr_extents ||
        in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
        return -EINVAL;
    return ((1u << abs(delta)) + 1) * sizeof(xen_pfn_t) > 2 * PAGE_SIZE - sizeof(e->x) ? -E2BIG : 0;
}

/* Do the two sides fit each other? */
static int exchange_check(struct exchange *e)
{
    const struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;
    const unsigned int max = max_order(e->m->currd);

    if (in->extent_order > max || out->extent_order > max)
        return -EPERM;
    if (e->x.nr_exchanged > in->nr_extents || in->domid != out->domid ||
        UINT64_MAX >> in->extent_order < in->nr_extents || UINT64_MAX >> out->extent_order < out->nr_extents ||
        in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
        return -EINVAL;
    if (in->extent_order <= out->extent_order)
        e->in_shift = out->extent_order - in->extent_order;
    else
        e->out_shift = in->extent_order - out->extent_order;
    return 0;
}

static bool exchange_done(const struct exchange *e) { return e->x.nr_exchanged == e->x.in.nr_extents; }

static int chunk_steal(struct exchange *e, uint64_t chunk)
{
    struct xen *xen = e->d->xen;

    for (uint64_t j = 0; j < UINT64_C(1) << e->in_shift; j++) {
        uint64_t gmfn;

        if (extent_get(e->m, in_list(e), (chunk << e->in_shift) + j, &gmfn))
            return -EFAULT;
        for (uint64_t k = 0; k < UINT64_C(1) << e->x.in.extent_order; k++) {
            const mfn_t mfn = _mfn(gmfn + k);

            if (!mfn_valid(xen->machine, mfn) || steal_page(e->d, mfn_to_page(xen, mfn)))
                return -EINVAL;
            e->in[e->nr_in++] = mfn;
        }
    }
    return 0;
}

static int chunk_alloc(struct exchange *e)
{
    while (e->nr_out < UINT64_C(1) << e->out_shift) {
        struct page_info *pg = extent_alloc(e->d, e->x.out.extent_order, &e->place, MEMF_no_owner);

        if (!pg)
            return -ENOMEM;
        e->out[e->nr_out++] = page_to_mfn(e->d->xen, pg);
    }
    return 0;
}

/* The old frames are nobody's, the new ones the domain's; tell it. Only telling it can fail. */
static int chunk_swap(struct exchange *e, uint64_t chunk)
{
    struct xen *xen = e->d->xen;
    int rc = 0;

    while (e->nr_in)
        free_domheap_pages(xen, mfn_to_page(xen, e->in[--e->nr_in]), 0);
    for (uint64_t j = 0; j < e->nr_out; j++) {
        const mfn_t mfn = e->out[j];
        uint64_t gpfn;

        page_replace(e->d, mfn_to_page(xen, mfn), e->x.out.extent_order);
        if (extent_get(e->m, out_list(e), (chunk << e->out_shift) + j, &gpfn)) {
            rc = -EFAULT;
            continue;
        }
        for (uint64_t k = 0; k < UINT64_C(1) << e->x.out.extent_order; k++)
            set_gpfn_from_mfn(xen, _mfn(mfn_x(mfn) + k), gpfn + k);
        if (extent_put(e->m, out_list(e), (chunk << e->out_shift) + j, mfn_x(mfn)))
            rc = -EFAULT;
    }
    e->nr_out = 0;
    return rc;
}

static void chunk_undo(struct exchange *e)
{
    struct xen *xen = e->d->xen;

    while (e->nr_out)
        free_domheap_pages(xen, mfn_to_page(xen, e->out[--e->nr_out]), e->x.out.extent_order);
    while (e->nr_in)
        page_replace(e->d, mfn_to_page(xen, e->in[--e->nr_in]), 0);
}

static long exchange_run(struct exchange *e)
{
    const uint64_t first = e->x.nr_exchanged >> e->in_shift, nr = e->x.in.nr_extents >> e->in_shift;

    for (uint64_t chunk = first; chunk < nr; chunk++) {
        long rc;

        e->x.nr_exchanged = chunk << e->in_shift;
        if (chunk != first && hypercall_preempt_check(e->m->v))
            return -ERESTART;
        rc = chunk_steal(e, chunk);
        if (!rc)
            rc = chunk_alloc(e);
        if (rc) {
            chunk_undo(e);
            return rc;
        }
        rc = chunk_swap(e, chunk);
        if (rc)
            return rc;
    }
    e->x.nr_exchanged = e->x.in.nr_extents;
    return 0;
}

static long exchange_prepare_and_run(struct exchange *e)
{
    const uint64_t out_done = e->x.nr_exchanged >> e->in_shift << e->out_shift;
    struct arena *const arena = e->m->currd->xen->machine->arena;
    long rc;

    if (!extents_okay(e->m, in_list(e), e->x.nr_exchanged, e->x.in.nr_extents - 1) ||
        !extents_okay(e->m, out_list(e), out_done, e->x.out.nr_extents - 1))
        return -EFAULT;
    e->place.bits = XENMEMF_get_address_bits(e->x.out.mem_flags);
    if (!propagate_node(e->m->currd, e->x.out.mem_flags, &e->place))
        return -EINVAL;
    rc = get_domain_for(e->m->v, e->x.in.domid, xsm_memory_exchange, &e->d);
    if (rc)
        return rc;
    e->in = xzalloc_array(arena, mfn_t, UINT64_C(1) << (e->in_shift + e->x.in.extent_order));
    e->out = xzalloc_array(arena, mfn_t, UINT64_C(1) << e->out_shift);
    if (paging_mode_translate(e->d))
        rc = -EOPNOTSUPP;
    else if (e->d->is_dying)
        rc = -EINVAL;
    else if (!e->in || !e->out)
        rc = -ENOMEM;
    else
        rc = exchange_run(e);
    xfree(e->in);
    xfree(e->out);
    put_domain(e->d);
    return rc;
}

long memory_exchange(struct memop *m)
{
    struct exchange e = { .m = m };
    long rc;

    if (compat_from_guest(m->v, &e.x, m->arg, COMPAT_xen_memory_exchange))
        return -EFAULT;
    rc = m->compat ? compat_check(&e) : 0;
    if (rc)
        return rc;
    rc = exchange_check(&e);
    if (!rc && exchange_done(&e))
        return 0; /* nothing is left to be found wrong */
    if (!rc)
        rc = exchange_prepare_and_run(&e);
    if (copy_field_to_guest(m->v, m->arg, COMPAT_xen_memory_exchange, &e.x, nr_exchanged))
        return -EFAULT;
    return rc;
}
