// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack asks of memory_op: a domain's resources, claims, populate-on-demand targets, access rights.
 *
 * Concept: some frames belong to a domain without being its memory, its grant table for one. acquire_resource gives the
 * toolstack their numbers, to map them like any other foreign frame; so it writes the first grant entries of a guest that
 * has never run. A claim reserves memory for a domain that is to be built, so that of two builds at the same time one fails
 * at once, and not both half-way.
 *
 * Corresponds to acquire_resource() of xen/common/memory.c and domain_set_outstanding_pages() of xen/common/page_alloc.c.
 */
#include "mmu/memory_private.h"

#include "mmu/grant_table.h"
#include "mmu/guest_access.h"

#include <errno.h>

/* --- acquire_resource --- */

#pragma pack(push, 4)
struct xen_mem_acquire_resource_x86_32 {
    domid_t domid;
    uint16_t type;
    uint32_t id, nr_frames, pad;
    uint64_t frame;
    uint32_t frame_list;
};
struct xen_pod_target_x86_32 {
    uint64_t target_pages, tot_pages, pod_cache_pages, pod_entries;
    domid_t domid;
    uint16_t pad;
};
#pragma pack(pop)

/* A domain other than the caller's, by number, with a reference, if the caller may act for it. */
static int remote_domain_get(struct memop *m, domid_t domid, struct domain **d)
{
    if (domid == DOMID_SELF)
        return -ESRCH;
    if (domid == m->currd->domain_id)
        return -EPERM;
    return domain_for_target(m->v, domid, d);
}

static unsigned int resource_max_frames(const struct domain *d, unsigned int type, unsigned int id)
{
    /* The others (ioreq server, vmtrace buffer) are HVM's */
    return type == XENMEM_resource_grant_table ? gnttab_resource_max_frames(d, id) : 0;
}

static int acquire_get(struct memop *m, struct xen_mem_acquire_resource *a)
{
    struct xen_mem_acquire_resource_x86_32 a32;

    if (!m->compat)
        return copy_from_guest(m->v, a, m->arg, sizeof(*a));
    if (copy_from_guest(m->v, &a32, m->arg, sizeof(a32)))
        return -EFAULT;
    *a = (struct xen_mem_acquire_resource){ .domid = a32.domid,
                                            .type = a32.type,
                                            .id = a32.id,
                                            .nr_frames = a32.nr_frames,
                                            .pad = a32.pad,
                                            .frame = a32.frame };
    a->frame_list.p = (xen_pfn_t *)(uintptr_t)a32.frame_list;
    return 0;
}

static long resource_frames(struct memop *m, struct domain *d, const struct xen_mem_acquire_resource *a)
{
    uint64_t mfns[32], done = m->start;

    while (done < a->nr_frames) {
        const unsigned int todo = a->nr_frames - done < ARRAY_SIZE(mfns) ? a->nr_frames - done : ARRAY_SIZE(mfns);
        int rc = gnttab_acquire_resource(d, a->id, a->frame + done, todo, mfns);

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

long memory_acquire_resource(struct memop *m)
{
    const size_t at = offsetof(struct xen_mem_acquire_resource, nr_frames); /* in both layouts */
    struct xen_mem_acquire_resource a;
    uint32_t max;
    struct domain *d;
    long rc;

    if (acquire_get(m, &a))
        return -EFAULT;
    if (a.pad || a.frame >> 32 || (a.frame + a.nr_frames) >> 32)
        return -EINVAL;
    rc = remote_domain_get(m, a.domid, &d);
    if (rc)
        return rc;
    rc = -EINVAL;
    max = resource_max_frames(d, a.type, a.id);
    if (max && !a.frame_list.p) {
        if (!a.nr_frames && !m->start) /* how large can it be? */
            rc = copy_to_guest(m->v, m->arg + at, &max, sizeof(max));
    } else if (max && m->start < a.nr_frames && a.nr_frames <= MEMOP_MAX_EXTENTS) {
        rc = resource_frames(m, d, &a);
    }
    domain_put(d);
    return rc;
}

/* --- claims --- */

int domain_set_outstanding_pages(struct domain *d, uint64_t nr)
{
    struct xen *xen = d->xen;
    const uint64_t nr_free = heap_free_pages(xen);

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
    long rc = -EPERM;

    if (reservation_get(m, &r))
        return -EFAULT;
    if (r.extent_start.p || r.extent_order || r.mem_flags)
        return -EINVAL;
    d = r.domid < DOMID_FIRST_RESERVED ? domain_get(m->currd->xen, r.domid) : NULL;
    if (!d)
        return -EINVAL;
    if (is_control_domain(m->currd))
        rc = domain_set_outstanding_pages(d, r.nr_extents);
    domain_put(d);
    return rc;
}

/* --- populate on demand, which PV guests do not have: the target is accepted and changes nothing --- */

long memory_pod_target(struct memop *m)
{
    struct xen_pod_target t = { 0 };
    struct domain *d;
    long rc;

    /* but for padding at its end the structure is the same for both */
    const size_t size = m->compat ? sizeof(struct xen_pod_target_x86_32) : sizeof(t);

    if (copy_from_guest(m->v, &t, m->arg, size))
        return -EFAULT;
    d = domain_by_any_id(m->v, t.domid);
    if (!d)
        return -ESRCH;
    if (!is_control_domain(m->currd)) {
        rc = -EPERM;
    } else if (m->op == XENMEM_set_pod_target && t.target_pages > d->max_pages) {
        rc = -EINVAL;
    } else {
        t.tot_pages = d->tot_pages;
        t.pod_cache_pages = t.pod_entries = 0;
        rc = copy_to_guest(m->v, m->arg, &t, size);
    }
    domain_put(d);
    return rc;
}

/* --- access rights of pages, for introspection: of HVM guests only --- */

long memory_access_op(struct memop *m)
{
    struct { /* the start of struct xen_mem_access_op, the same for both */
        uint8_t op, access;
        domid_t domid;
    } head;
    struct domain *d;
    int rc;

    if (copy_from_guest(m->v, &head, m->arg, sizeof(head)))
        return -EFAULT;
    rc = remote_domain_get(m, head.domid, &d);
    if (rc)
        return rc;
    rc = is_hvm_domain(d) ? -ENODEV : -EINVAL;
    domain_put(d);
    return rc;
}
