// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * add_to_physmap, add_to_physmap_batch, remove_from_physmap: arranging a guest-physical address space.
 *
 * Concept: a translated guest (HVM, PVH) has no frame numbers but its own, so it must say at which of them it wants to see
 * its shared_info page or a grant frame. A PV guest simply maps the machine frame, so that for PV domains these commands
 * answer, after all checks that come before, -EACCES; removing is harmless, for there is nothing to remove.
 *
 * Corresponds to xenmem_add_to_physmap*() of xen/common/memory.c.
 */
#include "mmu/memory_private.h"

#include "mmu/guest_access.h"

#include <errno.h>

#pragma pack(push, 4)
struct xen_add_to_physmap_x86_32 {
    domid_t domid;
    uint16_t size;
    uint32_t space, idx, gpfn;
};
struct xen_add_to_physmap_batch_x86_32 {
    domid_t domid;
    uint16_t space, size, extra;
    uint32_t idxs, gpfns, errs;
};
struct xen_remove_from_physmap_x86_32 {
    domid_t domid;
    uint16_t pad;
    uint32_t gpfn;
};
#pragma pack(pop)

/* One page of `space` at d's frame gpfn. */
static int physmap_add_one(struct domain *d, unsigned int space, uint64_t idx, uint64_t gpfn)
{
    return paging_mode_translate(d) ? -EOPNOTSUPP : -EACCES;
}

/* The domain, if the caller may arrange its address space. */
static int physmap_target(struct memop *m, domid_t domid, unsigned int space, struct domain **d)
{
    int rc = domain_for_target(m->v, domid, d);

    if (rc)
        return rc == -EPERM && space == XENMAPSPACE_dev_mmio ? -EACCES : rc;
    if (space == XENMAPSPACE_dev_mmio && (!is_control_domain(m->currd) || *d != m->currd)) {
        domain_put(*d);
        return -EACCES;
    }
    return 0;
}

static long range_add(struct memop *m, struct domain *d, struct xen_add_to_physmap *xatp)
{
    if (!paging_mode_translate(d))
        return -EACCES;
    if (xatp->space != XENMAPSPACE_gmfn_range)
        return physmap_add_one(d, xatp->space, xatp->idx, xatp->gpfn);
    if (xatp->size < m->start)
        return -EILSEQ;
    for (uint64_t i = m->start; i < xatp->size; i++) {
        int rc = physmap_add_one(d, xatp->space, xatp->idx + i, xatp->gpfn + i);

        if (rc)
            return rc;
        m->progress = i + 1;
        if (i + 1 < xatp->size && hypercall_preempt_check(m->v))
            return -ERESTART;
    }
    return 0;
}

long memory_add_to_physmap(struct memop *m)
{
    struct xen_add_to_physmap_x86_32 xatp32;
    struct xen_add_to_physmap xatp;
    struct domain *d;
    long rc;

    if (m->start > UINT16_MAX)
        return -EDOM;
    if (copy_from_guest(m->v, m->compat ? (void *)&xatp32 : &xatp, m->arg, m->compat ? sizeof(xatp32) : sizeof(xatp)))
        return -EFAULT;
    if (m->compat)
        xatp = (struct xen_add_to_physmap){ xatp32.domid, xatp32.size, xatp32.space, xatp32.idx, xatp32.gpfn };
    if (xatp.space == XENMAPSPACE_gmfn_foreign) /* add_to_physmap_batch does that */
        return -ENOSYS;
    rc = physmap_target(m, xatp.domid, xatp.space, &d);
    if (rc)
        return rc;
    rc = range_add(m, d, &xatp);
    domain_put(d);
    return rc;
}

/* The batch in host form. */
struct physmap_batch {
    domid_t domid;
    uint16_t space, size;
    uint64_t idxs, gpfns, errs;
};

static int batch_get(struct memop *m, struct physmap_batch *b)
{
    struct xen_add_to_physmap_batch_x86_32 b32;
    struct xen_add_to_physmap_batch b64;

    if (copy_from_guest(m->v, m->compat ? (void *)&b32 : &b64, m->arg, m->compat ? sizeof(b32) : sizeof(b64)))
        return -EFAULT;
    if (m->compat)
        *b = (struct physmap_batch){ b32.domid, b32.space, b32.size, b32.idxs, b32.gpfns, b32.errs };
    else
        *b = (struct physmap_batch){
            b64.domid, b64.space, b64.size, (uintptr_t)b64.idxs.p, (uintptr_t)b64.gpfns.p, (uintptr_t)b64.errs.p
        };
    return 0;
}

static long batch_run(struct memop *m, struct domain *d, const struct physmap_batch *b)
{
    if (b->size < m->start)
        return -EILSEQ;
    for (uint64_t i = m->start; i < b->size; i++) {
        uint64_t idx, gpfn;
        int32_t err;

        if (extent_get(m, b->idxs, i, &idx) || extent_get(m, b->gpfns, i, &gpfn))
            return -EFAULT;
        err = physmap_add_one(d, b->space, idx, gpfn);
        if (copy_to_guest(m->v, b->errs + i * sizeof(err), &err, sizeof(err)))
            return -EFAULT;
        m->progress = i + 1;
        if (i + 1 < b->size && hypercall_preempt_check(m->v))
            return -ERESTART;
    }
    return 0;
}

long memory_add_to_physmap_batch(struct memop *m)
{
    struct physmap_batch b;
    struct domain *d;
    long rc;

    if (m->start > UINT16_MAX)
        return -EDOM;
    if (batch_get(m, &b))
        return -EFAULT;
    if (b.size && (!extents_okay(m, b.idxs, 0, b.size - 1) || !extents_okay(m, b.gpfns, 0, b.size - 1) ||
                   !guest_handle_okay(m->v, b.errs, b.size * sizeof(int32_t))))
        return -EFAULT;
    if (b.space == XENMAPSPACE_gmfn_range)
        return -EOPNOTSUPP;
    rc = physmap_target(m, b.domid, b.space, &d);
    if (rc)
        return rc;
    rc = batch_run(m, d, &b);
    domain_put(d);
    return rc;
}

long memory_remove_from_physmap(struct memop *m)
{
    struct xen_remove_from_physmap_x86_32 xrfp32;
    struct xen_remove_from_physmap xrfp;
    struct page_info *pg;
    struct domain *d;
    int rc;

    if (copy_from_guest(m->v, m->compat ? (void *)&xrfp32 : &xrfp, m->arg, m->compat ? sizeof(xrfp32) : sizeof(xrfp)))
        return -EFAULT;
    if (m->compat)
        xrfp = (struct xen_remove_from_physmap){ xrfp32.domid, xrfp32.gpfn };
    rc = domain_for_target(m->v, xrfp.domid, &d);
    if (rc)
        return rc;
    pg = paging_mode_translate(d) ? NULL : get_page_from_mfn(d->xen, _mfn(xrfp.gpfn), d);
    if (pg)
        put_page(d->xen, pg);
    domain_put(d);
    return pg ? 0 : -ENOENT;
}
