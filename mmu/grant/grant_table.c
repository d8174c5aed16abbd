// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grant table itself: frames, entries, life. What it is for, and the invariants: mmu/grant/grant_table.h.
 *
 * Files: here the table itself; pin.c the start and end of an entry's use; map.c, unmap.c, copy.c,
 * transfer.c, setup.c, misc.c the commands; op.c the hypercall; info.c views for people.
 *
 * Simplifies xen/common/grant_table.c: no locks and no lock-free retries (guests stand still while the hypervisor
 * runs), one list of free handles a domain instead of one a vCPU.
 */
#include "mmu/grant/private.h"
#include "sim/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/memory.h>

unsigned int nr_grant_entries(const struct grant_table *gt)
{
    return gt->nr_grant_frames * (gt->version == 1 ? GRANTS_PER_FRAME_V1 : GRANTS_PER_FRAME_V2);
}

static void *frame_ptr(const struct grant_table *gt, mfn_t mfn) { return frame_shared(gt->domain->xen->machine, mfn); }

grant_entry_v1_t *shared_entry_v1(const struct grant_table *gt, grant_ref_t ref)
{
    BUG_ON(gt->version != 1 || ref >= nr_grant_entries(gt));
    return (grant_entry_v1_t *)frame_ptr(gt, gt->shared[ref / GRANTS_PER_FRAME_V1]) + ref % GRANTS_PER_FRAME_V1;
}

grant_entry_v2_t *shared_entry_v2(const struct grant_table *gt, grant_ref_t ref)
{
    BUG_ON(gt->version != 2 || ref >= nr_grant_entries(gt));
    return (grant_entry_v2_t *)frame_ptr(gt, gt->shared[ref / GRANTS_PER_FRAME_V2]) + ref % GRANTS_PER_FRAME_V2;
}

grant_entry_header_t *shared_entry_header(const struct grant_table *gt, grant_ref_t ref)
{
    return gt->version == 1 ? (grant_entry_header_t *)shared_entry_v1(gt, ref) : &shared_entry_v2(gt, ref)->hdr;
}

grant_entry_header_t grant_entry_read(const struct grant_table *gt, grant_ref_t ref)
{
    typedef uint32_t __attribute__((may_alias)) header_word;
    const header_word both = __atomic_load_n((header_word *)shared_entry_header(gt, ref), __ATOMIC_RELAXED);
    grant_entry_header_t entry;

    _Static_assert(sizeof(entry) == sizeof(both), "flags and domid are one word");
    memcpy(&entry, &both, sizeof(entry));
    return entry;
}

uint16_t *grant_status_word(const struct grant_table *gt, grant_ref_t ref)
{
    if (gt->version == 1)
        return &shared_entry_v1(gt, ref)->flags;
    BUG_ON(ref / STATUS_PER_FRAME >= gt->nr_status_frames);
    return (grant_status_t *)frame_ptr(gt, gt->status[ref / STATUS_PER_FRAME]) + ref % STATUS_PER_FRAME;
}

/* Append frames to list until it has `want`. All or nothing: -ENOMEM leaves *nr as it was. */
static int frames_add(struct domain *d, mfn_t *list, unsigned int *nr, unsigned int want)
{
    struct xen *xen = d->xen;
    unsigned int i;

    for (i = *nr; i < want; i++) {
        struct page_info *pg = alloc_xenheap_pages(xen, 0);

        if (!pg)
            goto undo;
        list[i] = page_to_mfn(xen, pg);
    }
    for (i = *nr; i < want; i++) {
        frame_share(xen->machine, list[i]);
        share_xen_page_with_guest(mfn_to_page(xen, list[i]), d, SHARE_rw);
    }
    *nr = want;
    return 0;

undo:
    while (i-- > *nr)
        free_xenheap_pages(xen, mfn_to_page(xen, list[i]), 0);
    return -ENOMEM;
}

static void frames_free(struct domain *d, mfn_t *list, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        frame_unshare(d->xen->machine, list[i]);
        free_xenheap_pages(d->xen, mfn_to_page(d->xen, list[i]), 0);
    }
}

int gnttab_populate_status_frames(struct domain *d, unsigned int nr_grant_frames)
{
    struct grant_table *gt = d->grant_table;
    unsigned int want = grant_to_status_frames(nr_grant_frames);

    return want > gt->nr_status_frames ? frames_add(d, gt->status, &gt->nr_status_frames, want) : 0;
}

int gnttab_unpopulate_status_frames(struct domain *d)
{
    struct grant_table *gt = d->grant_table;

    /* Still mapped by the guest, or by the toolstack: the version cannot change now. */
    for (unsigned int i = 0; i < gt->nr_status_frames; i++) {
        const struct page_info *pg = mfn_to_page(d->xen, gt->status[i]);

        if ((pg->count_info & PGC_count_mask) > (pg->count_info & PGC_allocated ? 1 : 0))
            return -EBUSY;
    }
    frames_free(d, gt->status, gt->nr_status_frames);
    gt->nr_status_frames = 0;
    return 0;
}

/* The hypervisor's side of entries for nr frames; those that are new are not in use. */
static int active_grow(struct grant_table *gt, unsigned int nr)
{
    struct active_grant_entry *active =
        xrealloc_array(gt->domain->xen->machine->arena, gt->active, nr * GRANTS_PER_FRAME_V1);

    if (!active)
        return -ENOMEM;
    gt->active = active;
    return 0;
}

int gnttab_grow_table(struct domain *d, unsigned int nr)
{
    struct grant_table *gt = d->grant_table;
    int rc = 0;

    if (nr < INITIAL_NR_GRANT_FRAMES)
        nr = INITIAL_NR_GRANT_FRAMES;
    BUG_ON(nr > gt->max_grant_frames);
    if (gt->version == 2)
        rc = gnttab_populate_status_frames(d, nr);
    if (!rc && nr > gt->nr_grant_frames)
        rc = active_grow(gt, nr);
    if (!rc && nr > gt->nr_grant_frames)
        rc = frames_add(d, gt->shared, &gt->nr_grant_frames, nr);
    return rc;
}

int grant_table_init(struct domain *d, int max_grant_frames, int max_maptrack_frames, unsigned int max_version)
{
    struct arena *const arena = d->xen->machine->arena;
    struct grant_table *gt;
    int rc = -ENOMEM;

    if (max_grant_frames < 0)
        max_grant_frames = GNTTAB_MAX_GRANT_FRAMES;
    if (max_maptrack_frames < 0)
        max_maptrack_frames = GNTTAB_MAX_MAPTRACK_FRAMES;
    if (max_version < 1 || max_version > GNTTAB_MAX_VERSION || max_grant_frames < INITIAL_NR_GRANT_FRAMES ||
        max_grant_frames > GNTTAB_MAX_GRANT_FRAMES || max_maptrack_frames > GNTTAB_MAX_MAPTRACK_FRAMES)
        return -EINVAL;

    gt = xzalloc(arena, struct grant_table);
    if (!gt)
        return -ENOMEM;
    d->grant_table = gt;
    gt->domain = d;
    gt->version = 1;
    gt->max_version = max_version;
    gt->max_grant_frames = max_grant_frames;
    gt->max_maptrack_frames = max_maptrack_frames;
    gt->free_first = gt->free_last = INVALID_MAPTRACK_HANDLE;
    gt->shared = xzalloc_array(arena, mfn_t, max_grant_frames);
    gt->status = xzalloc_array(arena, mfn_t, grant_to_status_frames(max_grant_frames));
    if (gt->shared && gt->status)
        rc = gnttab_grow_table(d, INITIAL_NR_GRANT_FRAMES);
    if (rc)
        grant_table_destroy(d);
    return rc;
}

void grant_table_destroy(struct domain *d)
{
    struct grant_table *gt = d->grant_table;

    if (!gt)
        return;
    BUG_ON(gt->nr_mappings);
    frames_free(d, gt->shared, gt->nr_grant_frames);
    frames_free(d, gt->status, gt->nr_status_frames);
    xfree(gt->shared);
    xfree(gt->status);
    xfree(gt->active);
    xfree(gt->maptrack);
    xfree(gt);
    d->grant_table = NULL;
}

unsigned int gnttab_resource_max_frames(const struct domain *d, unsigned int id)
{
    const struct grant_table *gt = d->grant_table;

    if (!gt)
        return 0;
    if (id == XENMEM_resource_grant_table_id_shared)
        return gt->max_grant_frames;
    if (id == XENMEM_resource_grant_table_id_status && gt->version == 2)
        return grant_to_status_frames(gt->max_grant_frames);
    return 0;
}

int gnttab_acquire_resource(struct domain *d, unsigned int id, uint64_t frame, unsigned int nr, uint64_t *mfns)
{
    struct grant_table *gt = d->grant_table;
    const bool status = id == XENMEM_resource_grant_table_id_status;
    const uint64_t end = frame + nr;
    uint64_t want = end; /* grant frames that make `end` frames of the resource exist */

    if (!nr || end > gnttab_resource_max_frames(d, id))
        return -EINVAL;
    if (end > (status ? gt->nr_status_frames : gt->nr_grant_frames)) {
        /* A last status frame that would be used in part only is not brought about this way. */
        if (status)
            want = end * STATUS_PER_FRAME / GRANTS_PER_FRAME_V2;
        if (want > gt->max_grant_frames || gnttab_grow_table(d, want))
            return -EINVAL;
    }
    for (unsigned int i = 0; i < nr; i++)
        mfns[i] = mfn_x((status ? gt->status : gt->shared)[frame + i]);
    return nr;
}
