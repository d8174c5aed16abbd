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
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/guest_access.h"
#include "mmu/memory/foreign.h"

#include <errno.h>

/* As many as fit into Xen's two pages for translated arguments. */
#define COMPAT_LISTS ((2 * PAGE_SIZE - sizeof(struct xen_add_to_physmap_batch)) / (2 * sizeof(uint64_t)))

/* Is there such a domain, and an address space of its own to arrange? Then comes permission, but there is none yet. */
static long physmap_answer(struct memop *m, domid_t domid)
{
    struct domain *d = get_domain_by_any_id(m->v, domid);
    long rc;

    if (!d)
        return -ESRCH;
    rc = paging_mode_translate(d) ? -EOPNOTSUPP : -EACCES;
    put_domain(d);
    return rc;
}

long memory_add_to_physmap(struct memop *m)
{
    struct xen_add_to_physmap xatp;

    if (m->start > UINT16_MAX)
        return -EDOM;
    if (compat_from_guest(m->v, &xatp, m->arg, COMPAT_xen_add_to_physmap))
        return -EFAULT;
    if (xatp.space == XENMAPSPACE_gmfn_foreign) /* add_to_physmap_batch does that */
        return -ENOSYS;
    return physmap_answer(m, xatp.domid);
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

/* Native domains arrange their own only. */
static bool is_native_caller(const struct memop *m, domid_t domid)
{
    return is_native_domain(m->currd) && (domid == DOMID_SELF || domid == m->currd->domain_id);
}

long memory_add_to_physmap_batch(struct memop *m)
{
    struct xen_add_to_physmap_batch b;

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
    return physmap_answer(m, b.domid);
}

long memory_remove_from_physmap(struct memop *m)
{
    struct xen_remove_from_physmap xrfp;

    if (compat_from_guest(m->v, &xrfp, m->arg, COMPAT_xen_remove_from_physmap))
        return -EFAULT;
    if (is_native_caller(m, xrfp.domid))
        return native_physmap_remove(m->currd, xrfp.gpfn);
    return physmap_answer(m, xrfp.domid);
}
