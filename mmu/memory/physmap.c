// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * add_to_physmap, add_to_physmap_batch, remove_from_physmap: arranging a guest-physical address space.
 *
 * Concept: a translated guest (HVM, PVH) has no frame numbers but its own, so it must say at which of them it wants to
 * see its shared_info page or a grant frame. A PV guest simply maps the machine frame, so that for a PV domain these
 * commands answer -EACCES whoever asks: all that is told of it is whether there is such a domain. A native domain has
 * others' frames to map, and nothing else (foreign.c).
 *
 * Corresponds to xenmem_add_to_physmap*() and xatp_permission_check() of xen/common/memory.c,
 * xen/common/compat/memory.c.
 */
#include "mmu/memory/memory.h"
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/grant/grant_table.h"
#include "mmu/guest_access.h"
#include "mmu/hvm/pod.h"
#include "mmu/m2p.h"
#include "mmu/memory/foreign.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>

/* As many as fit into Xen's two pages for translated arguments. */
#define COMPAT_LISTS ((2 * PAGE_SIZE - sizeof(struct xen_add_to_physmap_batch)) / (2 * sizeof(uint64_t)))

/* Is there such a domain, with an address space to arrange, and may the caller do that? 0: *d, with a reference. */
static long physmap_domain(struct memop *m, domid_t domid, struct domain **d)
{
    long rc;

    *d = get_domain_by_any_id(m->v, domid);
    if (!*d)
        return -ESRCH;
    rc = paging_mode_translate(*d) ? xsm_add_to_physmap(m->currd, *d) : -EACCES;
    if (rc)
        put_domain(*d);
    return rc;
}

/* --- translated guests --- */

/* What idx is in that space: a frame of the hypervisor's or, gmfn, one of d's own that is to move. */
static int physmap_source(struct domain *d, unsigned int space, uint64_t idx, mfn_t *mfn)
{
    const bool status = idx & XENMAPIDX_grant_table_status;
    uint64_t frame;
    p2m_type_t t;
    int rc;

    switch (space) {
    case XENMAPSPACE_shared_info: *mfn = idx ? INVALID_MFN : d->shared_info_mfn; break;
    case XENMAPSPACE_grant_table:
        rc = gnttab_acquire_resource(
            d, status ? XENMEM_resource_grant_table_id_status : XENMEM_resource_grant_table_id_shared,
            idx & ~(uint64_t)XENMAPIDX_grant_table_status, 1, &frame);
        if (rc < 0)
            return rc;
        *mfn = rc ? _mfn(frame) : INVALID_MFN;
        break;
    case XENMAPSPACE_gmfn:
        p2m_pod_populate(d, idx);
        *mfn = p2m_get_entry(d, idx, &t);
        if (!p2m_is_ram(t))
            *mfn = INVALID_MFN;
        break;
    default: return -ENOSYS;
    }
    return mfn_valid(d->xen->machine, *mfn) ? 0 : -EINVAL;
}

/* It comes to gpfn, and goes from where it was. */
int xenmem_add_to_physmap_one(struct domain *d, unsigned int space, uint64_t idx, uint64_t gpfn)
{
    struct xen *xen = d->xen;
    p2m_type_t t;
    mfn_t mfn, prev;
    uint64_t old;
    int rc = gpfn > P2M_MAX_GFN ? -EINVAL : physmap_source(d, space, idx, &mfn); /* it stays where it is */

    if (rc)
        return rc;
    old = get_gpfn_from_mfn(xen, mfn);
    prev = p2m_get_entry(d, gpfn, &t);
    if (mfn_eq(prev, mfn))
        return 0;
    if (p2m_is_special(t))
        return -EPERM;
    if (t != p2m_mmio_dm) { /* the guest's own memory is given up, the hypervisor's is only not there any more */
        rc = p2m_is_ram(t) && mfn_to_page(xen, prev)->count_info & PGC_xen_heap
                 ? guest_physmap_remove_page(d, gpfn, prev)
                 : guest_remove_page(d, gpfn);
        if (rc)
            return rc;
    }
    if (old != INVALID_M2P_ENTRY)
        guest_physmap_remove_page(d, old, mfn); /* if it is there at all */
    return guest_physmap_add_page(d, gpfn, mfn);
}

static long physmap_remove(struct domain *d, uint64_t gfn)
{
    p2m_type_t t;
    mfn_t mfn;

    p2m_pod_populate(d, gfn);
    mfn = p2m_get_entry(d, gfn, &t);
    return mfn_eq(mfn, INVALID_MFN) ? -ENOENT : guest_physmap_remove_page(d, gfn, mfn);
}

/* --- the operations --- */

/* `size` of them from idx on; how many are done is in cmd when it is continued. */
static long physmap_add_range(struct memop *m, struct domain *d, const struct xen_add_to_physmap *xatp)
{
    long rc = 0;

    for (uint64_t i = m->start; i < xatp->size && !rc; i++) {
        rc = xenmem_add_to_physmap_one(d, XENMAPSPACE_gmfn, xatp->idx + i, xatp->gpfn + i);
        if (!rc && i + 1 < xatp->size && hypercall_preempt_check(m->v)) {
            m->progress = i + 1;
            rc = -ERESTART;
        }
    }
    return rc;
}

long memory_add_to_physmap(struct memop *m)
{
    struct xen_add_to_physmap xatp;
    struct domain *d;
    long rc;

    if (m->start > UINT16_MAX)
        return -EDOM;
    if (compat_from_guest(m->v, &xatp, m->arg, COMPAT_xen_add_to_physmap))
        return -EFAULT;
    if (xatp.space == XENMAPSPACE_gmfn_foreign) /* add_to_physmap_batch does that */
        return -ENOSYS;
    rc = physmap_domain(m, xatp.domid, &d);
    if (rc)
        return rc;
    if (xatp.space == XENMAPSPACE_gmfn_range)
        rc = physmap_add_range(m, d, &xatp);
    else
        rc = xenmem_add_to_physmap_one(d, xatp.space, xatp.idx, xatp.gpfn);
    put_domain(d);
    return rc;
}

/* A 32-bit caller's lists are translated before anybody looks at the call, COMPAT_LISTS elements at a time. */
static int lists_translate(const struct memop *m, const struct xen_add_to_physmap_batch *b)
{
    const uint64_t idxs = (uintptr_t)b->idxs.p, gpfns = (uintptr_t)b->gpfns.p, errs = (uintptr_t)b->errs.p;
    uint64_t word;

    if (!list_okay(m, idxs, b->size * 4ul) || !list_okay(m, gpfns, b->size * 4ul) ||
        !list_okay(m, errs, b->size * sizeof(int32_t)))
        return -EFAULT;
    for (uint64_t i = m->start; i < b->size && i < m->start + COMPAT_LISTS; i++)
        if (extent_get(m, idxs, i, &word) || extent_get(m, gpfns, i, &word))
            return -EFAULT;
    return 0;
}

/* *fd: referenced. Of domains without a number only DOMID_XEN, as in p2m_add_foreign(). */
static int foreign_domain_get(struct memop *m, domid_t domid, struct domain **fd)
{
    *fd = domid == DOMID_XEN ? get_system_domain(m->currd->xen, domid) : get_domain_by_any_id(m->v, domid);
    return *fd ? 0 : -ESRCH;
}

static int native_add_one(struct memop *m, const struct xen_add_to_physmap_batch *b, struct domain *fd, uint64_t i)
{
    const uint64_t idxs = (uintptr_t)b->idxs.p, gpfns = (uintptr_t)b->gpfns.p;
    uint64_t mfn, gfn;
    int rc;

    if (extent_get(m, idxs, i, &mfn) || extent_get(m, gpfns, i, &gfn))
        return -EFAULT;
    rc = gfn & ~NATIVE_GFN_READ_ONLY ? -EINVAL : native_physmap_add(m->currd, fd, _mfn(mfn), gfn, &gfn);
    if (!rc && extent_put(m, gpfns, i, gfn)) {
        native_physmap_remove(m->currd, gfn); /* the caller would not know where it is */
        return -EFAULT;
    }
    return copy_to_guest(m->v, (uintptr_t)b->errs.p + i * sizeof(rc), &rc, sizeof(rc));
}

/* A native domain maps foreign frames: each with an answer of its own. */
static long native_add_batch(struct memop *m, const struct xen_add_to_physmap_batch *b)
{
    struct domain *fd;
    long rc = foreign_domain_get(m, b->u.foreign_domid, &fd);

    if (rc)
        return rc;
    for (uint64_t i = m->start; i < b->size && !rc; i++) {
        rc = native_add_one(m, b, fd, i);
        if (!rc && i + 1 < b->size && hypercall_preempt_check(m->v)) {
            m->progress = i + 1;
            rc = -ERESTART;
        }
    }
    put_domain(fd);
    return rc;
}

/* A translated guest's list, likewise. */
static long add_batch(struct memop *m, struct domain *d, const struct xen_add_to_physmap_batch *b)
{
    const uint64_t idxs = (uintptr_t)b->idxs.p, gpfns = (uintptr_t)b->gpfns.p;

    for (uint64_t i = m->start; i < b->size; i++) {
        uint64_t idx, gpfn;
        int err;

        if (extent_get(m, idxs, i, &idx) || extent_get(m, gpfns, i, &gpfn))
            return -EFAULT;
        err = xenmem_add_to_physmap_one(d, b->space, idx, gpfn);
        if (copy_to_guest(m->v, (uintptr_t)b->errs.p + i * sizeof(err), &err, sizeof(err)))
            return -EFAULT;
        if (i + 1 < b->size && hypercall_preempt_check(m->v)) {
            m->progress = i + 1;
            return -ERESTART;
        }
    }
    return 0;
}

/* Native domains arrange their own only. */
static bool is_native_caller(const struct memop *m, domid_t domid)
{
    return is_native_domain(m->currd) && (domid == DOMID_SELF || domid == m->currd->domain_id);
}

long memory_add_to_physmap_batch(struct memop *m)
{
    struct xen_add_to_physmap_batch b;
    struct domain *d;
    long rc;

    if (compat_from_guest(m->v, &b, m->arg, COMPAT_xen_add_to_physmap_batch))
        return -EFAULT;
    if (m->compat && lists_translate(m, &b))
        return -EFAULT;
    if (m->start > UINT16_MAX)
        return -EDOM;
    if (b.space == XENMAPSPACE_gmfn_range)
        return -EOPNOTSUPP;
    if (b.space == XENMAPSPACE_gmfn_foreign && is_native_caller(m, b.domid))
        return native_add_batch(m, &b);
    rc = physmap_domain(m, b.domid, &d);
    if (rc)
        return rc;
    rc = add_batch(m, d, &b);
    put_domain(d);
    return rc;
}

long memory_remove_from_physmap(struct memop *m)
{
    struct xen_remove_from_physmap xrfp;
    struct domain *d;
    long rc;

    if (compat_from_guest(m->v, &xrfp, m->arg, COMPAT_xen_remove_from_physmap))
        return -EFAULT;
    if (is_native_caller(m, xrfp.domid))
        return native_physmap_remove(m->currd, xrfp.gpfn);
    rc = physmap_domain(m, xrfp.domid, &d);
    if (rc)
        return rc;
    rc = physmap_remove(d, xrfp.gpfn);
    put_domain(d);
    return rc;
}
