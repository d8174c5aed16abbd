// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack asks of memory_op: a domain's resources and claims; and what of this PV domains do not have.
 *
 * Concept: some frames belong to a domain without being its memory, its grant table for one. acquire_resource gives the
 * toolstack their numbers, to map them like any other foreign frame; so it writes the first grant entries of a guest
 * that has never run. A claim reserves memory for a domain that is to be built, so that of two builds at the same time
 * one fails at once, and not both half-way.
 *
 * Corresponds to acquire_resource() of xen/common/memory.c and domain_set_outstanding_pages() of
 * xen/common/page_alloc.c.
 */
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/grant/grant_table.h"
#include "mmu/hvm/pod.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>

/* --- acquire_resource --- */

#define NR_IOREQ_SERVER_FRAMES 2 /* the ring of writes, and the requests of all vCPUs */

/* A domain other than the caller's, by number, with a reference. May the caller act for it? That comes later. */
static int remote_domain_get(struct memop *m, domid_t domid, struct domain **d)
{
    if (domid == m->currd->domain_id)
        return -EPERM;
    *d = domid == DOMID_SELF ? NULL : get_domain_by_any_id(m->v, domid);
    return *d ? 0 : -ESRCH;
}

/* How many frames the resource can have at most. -EINVAL: none, -EOPNOTSUPP: no such kind of resource. */
static long resource_max_frames(const struct domain *d, unsigned int type, unsigned int id)
{
    switch (type) {
    case XENMEM_resource_grant_table: return gnttab_resource_max_frames(d, id) ?: -(long)EINVAL;
    case XENMEM_resource_ioreq_server: return is_hvm_domain(d) ? NR_IOREQ_SERVER_FRAMES : -EINVAL;
    case XENMEM_resource_vmtrace_buf: return -EINVAL; /* of Intel's processors */
    default: return -EOPNOTSUPP;
    }
}

/* nr frames from `frame` on, as many as there are; or -errno. */
static int resource_some(struct memop *m, struct domain *d, const struct xen_mem_acquire_resource *a, uint64_t frame,
                         unsigned int nr, uint64_t *mfns)
{
    if (a->type == XENMEM_resource_grant_table)
        return gnttab_acquire_resource(d, a->id, frame, nr, mfns);
    for (unsigned int i = 0; i < nr; i++) {
        mfn_t mfn;
        const int rc = a->id >> 16
                           ? -EINVAL
                           : d->xen->hooks->ioreq_server_get_frame(d, m->currd, (uint16_t)a->id, frame + i, &mfn);

        if (rc)
            return rc;
        mfns[i] = mfn_x(mfn);
    }
    return (int)nr;
}

static long resource_frames(struct memop *m, struct domain *d, const struct xen_mem_acquire_resource *a)
{
    uint64_t mfns[32], done = m->start;

    while (done < a->nr_frames) {
        const unsigned int todo = a->nr_frames - done < ARRAY_SIZE(mfns) ? a->nr_frames - done : ARRAY_SIZE(mfns);
        const int rc = resource_some(m, d, a, a->frame + done, todo, mfns);

        if (rc < 0)
            return rc;
        for (int i = 0; i < rc; i++)
            if (extent_put(m, (uintptr_t)a->frame_list.p, done + i, mfns[i]))
                return -EFAULT;
        done += rc;
        m->progress = done;
        if (done < a->nr_frames && hypercall_preempt_check(m->v))
            return -ERESTART;
    }
    return 0;
}

static int acquire_put_max(const struct memop *m, uint32_t max)
{
    const struct xen_mem_acquire_resource a = { .nr_frames = max };

    return copy_field_to_guest(m->v, m->arg, COMPAT_xen_mem_acquire_resource, &a, nr_frames);
}

static long resource_acquire(struct memop *m, struct domain *d, const struct xen_mem_acquire_resource *a)
{
    const long max = resource_max_frames(d, a->type, a->id);

    if (max < 0)
        return max;
    if (!a->frame_list.p) /* how large can it be? */
        return a->nr_frames || m->start ? -EINVAL : acquire_put_max(m, (uint32_t)max);
    if (m->start >= a->nr_frames || a->nr_frames > MEMOP_MAX_EXTENTS)
        return -EINVAL;
    return resource_frames(m, d, a);
}

long memory_acquire_resource(struct memop *m)
{
    struct xen_mem_acquire_resource a;
    struct domain *d;
    long rc;

    if (compat_from_guest(m->v, &a, m->arg, COMPAT_xen_mem_acquire_resource))
        return -EFAULT;
    if (a.pad || a.frame >> 32 || (a.frame + a.nr_frames) >> 32)
        return -EINVAL;
    rc = remote_domain_get(m, a.domid, &d);
    if (rc)
        return rc;
    rc = xsm_domain_resource_map(m->currd, d) ?: resource_acquire(m, d, &a);
    put_domain(d);
    return rc;
}

/* --- claims --- */

int domain_set_outstanding_pages(struct domain *d, uint64_t nr)
{
    struct xen *xen = d->xen;
    const uint64_t nr_free = avail_domheap_pages(xen);

    if (!nr) {
        xen->outstanding_claims -= d->outstanding_pages;
        d->outstanding_pages = 0;
        return 0;
    }
    if (d->outstanding_pages || nr <= d->tot_pages || nr > d->max_pages)
        return -EINVAL;
    if (nr_free < xen->outstanding_claims || nr_free - xen->outstanding_claims < nr - d->tot_pages)
        return -ENOMEM;
    d->outstanding_pages = nr - d->tot_pages;
    xen->outstanding_claims += d->outstanding_pages;
    return 0;
}

long memory_claim_pages(struct memop *m)
{
    struct xen_memory_reservation r;
    struct domain *d;
    long rc;

    if (m->compat)
        return -ENOSYS; /* Xen does not translate it */
    if (m->start)
        return -EINVAL;
    if (reservation_get(m, &r))
        return -EFAULT;
    if (r.extent_start.p || r.extent_order || r.mem_flags)
        return -EINVAL;
    d = get_domain_by_id(m->currd->xen, r.domid);
    if (!d)
        return -EINVAL;
    rc = xsm_claim_pages(m->currd, d) ?: (d->is_dying ? -EINVAL : domain_set_outstanding_pages(d, r.nr_extents));
    put_domain(d);
    return rc;
}

/* --- what only HVM guests have: populate on demand, and access rights of pages for introspection --- */

long memory_pod_target(struct memop *m)
{
    struct xen_pod_target t;
    struct domain *d;
    long rc;

    if (compat_from_guest(m->v, &t, m->arg, COMPAT_xen_pod_target))
        return -EFAULT;
    d = get_domain_by_any_id(m->v, t.domid);
    if (!d)
        return -ESRCH;
    rc = is_hvm_domain(d) ? xsm_pod_target(m->currd, d) : -EINVAL;
    if (!rc && m->op == XENMEM_set_pod_target)
        rc = t.target_pages > d->max_pages ? -EINVAL : p2m_pod_set_mem_target(m->v, d, t.target_pages);
    if (!rc) {
        t.tot_pages = d->tot_pages;
        t.pod_cache_pages = d->p2m->pod.count;
        t.pod_entries = d->p2m->pod.entries;
        rc = compat_to_guest(m->v, m->arg, &t, COMPAT_xen_pod_target) ? -EFAULT : 0;
    }
    put_domain(d);
    return rc;
}

long memory_access_op(struct memop *m)
{
    struct xen_mem_access_op op;
    struct domain *d;
    int rc;

    if (compat_from_guest(m->v, &op, m->arg, COMPAT_xen_mem_access_op))
        return -EFAULT;
    rc = remote_domain_get(m, op.domid, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EINVAL;
}
