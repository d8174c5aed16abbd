// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mapping a grant: GNTTABOP_map_grant_ref.
 *
 * Concept: the user gets an entry in its own page tables that points to a frame it does not own. Page tables are
 * validated by owner, so no guest could write such an entry itself; the hypervisor writes it here, and takes for it the
 * same references that it would take for an entry of the owner's own. A device mapping (GNTMAP_device_map) has no page
 * table entry, only references: the frame will not go away while a device reads it.
 *
 * Two phases: first the entry is pinned (from here on the granter sees it in use), then the references are taken and
 * the mapping is made. What fails in the second undoes the first.
 *
 * A native domain has no page tables: for GNTMAP_host_map it passes no address and finds in host_addr the host's
 * pointer to the frame, valid until it unmaps (with that same address). It can write there whatever the flags say; the
 * hypervisor trusts its native domains to look at GNTMAP_readonly themselves.
 *
 * A PV guest can lose a mapping behind the hypervisor's back, by writing over the page table entry (Xen's documentation
 * forbids it, its release builds let it happen). The frame's references go with the entry, the pin and the handle stay
 * until the guest dies. Hence a mapping holds a reference to the granter's struct domain, and a pin alone never proves
 * that the frame is still the granter's.
 *
 * Corresponds to map_grant_ref() of xen/common/grant_table.c; frames of device memory cannot be granted here.
 */
#include "mmu/grant/private.h"

#include "mmu/guest_access.h"

#include <errno.h>

/* --- handles --- */

static void maptrack_put(struct grant_table *gt, grant_handle_t handle)
{
    gt->maptrack[handle] = (struct grant_mapping){ .ref = INVALID_MAPTRACK_HANDLE };
    if (gt->free_first == INVALID_MAPTRACK_HANDLE)
        gt->free_first = handle;
    else
        gt->maptrack[gt->free_last].ref = handle;
    gt->free_last = handle;
}

/* Bring another frame's worth of handles into use, if the limit and the host's memory allow it. */
static void maptrack_grow(struct grant_table *gt)
{
    const unsigned int limit = gt->maptrack_limit + MAPTRACK_PER_FRAME;
    struct grant_mapping *maptrack;

    if (limit > gt->max_maptrack_frames * MAPTRACK_PER_FRAME)
        return;
    maptrack = xrealloc_array(gt->domain->xen->machine->arena, gt->maptrack, limit);
    if (!maptrack)
        return;
    gt->maptrack = maptrack;
    while (gt->maptrack_limit < limit)
        maptrack_put(gt, gt->maptrack_limit++);
}

static grant_handle_t maptrack_get(struct grant_table *gt)
{
    grant_handle_t handle;

    if (gt->free_first == INVALID_MAPTRACK_HANDLE)
        maptrack_grow(gt);
    handle = gt->free_first;
    if (handle != INVALID_MAPTRACK_HANDLE)
        gt->free_first = gt->maptrack[handle].ref;
    return handle;
}

void gnttab_mapping_remove(struct grant_table *gt, grant_handle_t handle)
{
    struct domain *rd = gt->maptrack[handle].rd;

    BUG_ON(!gt->nr_mappings);
    gt->nr_mappings--;
    maptrack_put(gt, handle);
    put_domain(rd);
}

/* --- the references behind it --- */

/* What the flags ask for: how many references to the frame, and how many of them writable. */
static unsigned int nr_refs(unsigned int flags) { return !!(flags & GNTMAP_device_map) + !!(flags & GNTMAP_host_map); }

static unsigned int nr_type_refs(unsigned int flags) { return flags & GNTMAP_readonly ? 0 : nr_refs(flags); }

void gnttab_put_refs(struct xen *xen, mfn_t mfn, unsigned int flags)
{
    struct page_info *pg = mfn_to_page(xen, mfn);

    for (unsigned int n = nr_type_refs(flags); n; n--)
        put_page_type(xen, pg);
    for (unsigned int n = nr_refs(flags); n; n--)
        put_page(xen, pg);
}

/*
 * The references that flags ask for, all of them: nr_refs() to the frame, as rd's (get_page()), and nr_type_refs() of
 * type PGT_writable_page. False: rd does not own it, or it is a page table and may not be written; then none is taken.
 */
static bool refs_get(struct domain *rd, struct page_info *pg, unsigned int flags)
{
    struct xen *xen = rd->xen;
    unsigned int refs, types = 0;

    for (refs = 0; refs < nr_refs(flags); refs++)
        if (!get_page(pg, rd))
            goto undo;
    for (types = 0; types < nr_type_refs(flags); types++)
        if (!get_page_type(xen, pg, PGT_writable_page))
            goto undo;
    return true;

undo:
    while (types--)
        put_page_type(xen, pg);
    while (refs--)
        put_page(xen, pg);
    return false;
}

uint32_t gnttab_pin_increment(unsigned int flags)
{
    const bool ro = flags & GNTMAP_readonly;

    return (flags & GNTMAP_device_map ? (ro ? GNTPIN_devr_inc : GNTPIN_devw_inc) : 0) +
           (flags & GNTMAP_host_map ? (ro ? GNTPIN_hstr_inc : GNTPIN_hstw_inc) : 0);
}

/* Fill in the active entry at its first use. */
static int entry_activate(struct domain *ld, struct domain *rd, grant_ref_t ref)
{
    struct grant_table *rgt = rd->grant_table;
    struct active_grant_entry *act = &rgt->active[ref];
    const uint64_t gfn =
        rgt->version == 1 ? shared_entry_v1(rgt, ref)->frame : shared_entry_v2(rgt, ref)->full_page.frame;
    struct page_info *pg;
    mfn_t mfn;
    int rc = get_paged_frame(rd, gfn, &mfn, &pg);

    if (rc != GNTST_okay)
        return rc;
    *act = (struct active_grant_entry){
        .domid = ld->domain_id, .mfn = mfn, .length = PAGE_SIZE, .trans_domain = rd, .trans_gref = ref
    };
    put_page(rd->xen, pg); /* it was only a check: nothing can happen before the real references are taken */
    return GNTST_okay;
}

/*
 * First phase: the entry permits it, and says so. In this order:
 *   - GNTST_bad_gntref: there is no such entry.
 *   - GNTST_general_error: it is in use by another domain than ld; or as often as can be counted (GNTPIN_overflow() of
 *     what is to be added); or as a sub-page or transitive grant.
 *   - For its first use, or its first writing one, _set_status() is asked, with `map`; its error. Any other use rests on
 *     the active entry, whatever the granter has written meanwhile.
 *   - For its first use, entry_activate(): its error; then the marks that were just made go again.
 * GNTST_okay: the pin has grown by gnttab_pin_increment(). Else it is as before, and so are the marks.
 */
static int entry_pin(struct domain *ld, struct domain *rd, const struct gnttab_map_grant_ref *op)
{
    struct grant_table *rgt = rd->grant_table;
    const bool readonly = op->flags & GNTMAP_readonly;
    const uint32_t inc = gnttab_pin_increment(op->flags);
    struct active_grant_entry *act;
    int rc;

    if (op->ref >= nr_grant_entries(rgt))
        return GNTST_bad_gntref;
    act = &rgt->active[op->ref];
    if (act->pin && (act->domid != ld->domain_id || (act->pin & GNTPIN_overflow(inc)) || act->is_sub_page))
        return GNTST_general_error;
    if (!act->pin || (!readonly && !(act->pin & GNTPIN_writers))) {
        rc = _set_status(rgt, op->ref, readonly, true, ld->domain_id);
        if (rc != GNTST_okay)
            return rc;
        if (!act->pin) {
            rc = entry_activate(ld, rd, op->ref);
            if (rc != GNTST_okay) {
                reduce_status_for_pin(rgt, op->ref, readonly);
                return rc;
            }
        }
    }
    act->pin += inc;
    return GNTST_okay;
}

/*
 * Second phase, of what entry_pin() has pinned: references first, then, for GNTMAP_host_map, the domain's own page
 * tables: create_grant_host_mapping() of v->domain->guest, with op->host_addr to be read or filled in.
 * GNTST_general_error: the references are not to be had; or what that said. Then references, pin and marks are as they
 * were before entry_pin().
 */
static int frame_map(struct vcpu *v, struct domain *rd, struct gnttab_map_grant_ref *op)
{
    struct grant_table *rgt = rd->grant_table;
    const mfn_t mfn = rgt->active[op->ref].mfn;
    int rc = GNTST_general_error;

    if (refs_get(rd, mfn_to_page(rd->xen, mfn), op->flags)) {
        rc = op->flags & GNTMAP_host_map
                 ? v->domain->guest->create_grant_host_mapping(v, &op->host_addr, mfn, op->flags)
                 : GNTST_okay;
        if (rc == GNTST_okay)
            return rc;
        gnttab_put_refs(rd->xen, mfn, op->flags);
    }
    rgt->active[op->ref].pin -= gnttab_pin_increment(op->flags);
    reduce_status_for_pin(rgt, op->ref, op->flags & GNTMAP_readonly);
    return rc;
}

/*
 * All of it, for a kind of mapping that there is, of an rd that there is. GNTST_okay: op->handle is a handle of the
 * caller's own, not in use yet, that stands for (rd, op->ref, op->flags) and is counted in nr_mappings; it holds a
 * reference to rd (get_knownalive_domain()); op->dev_bus_addr is the machine address of the frame, of the active entry.
 * GNTST_no_space: no handle is left, and nothing was looked at. Else what the phases say. What fails leaves nothing.
 */
static int map_one(struct vcpu *v, struct domain *rd, struct gnttab_map_grant_ref *op)
{
    struct domain *ld = v->domain;
    struct grant_table *lgt = ld->grant_table;
    grant_handle_t handle = maptrack_get(lgt);
    int rc;

    if (handle == INVALID_MAPTRACK_HANDLE)
        return GNTST_no_space;
    rc = entry_pin(ld, rd, op);
    if (rc == GNTST_okay)
        rc = frame_map(v, rd, op);
    if (rc != GNTST_okay) {
        maptrack_put(lgt, handle);
        return rc;
    }
    get_knownalive_domain(rd);
    lgt->maptrack[handle] = (struct grant_mapping){ .rd = rd, .ref = op->ref, .flags = op->flags };
    lgt->nr_mappings++;
    op->handle = handle;
    op->dev_bus_addr = mfn_x(rd->grant_table->active[op->ref].mfn) << PAGE_SHIFT;
    return GNTST_okay;
}

static int map_grant_ref(struct vcpu *v, struct gnttab_map_grant_ref *op)
{
    struct domain *rd;
    int rc;

    if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map)))
        return GNTST_bad_gntref;
    if (paging_mode_translate(v->domain) &&
        (op->flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte)))
        return GNTST_general_error;
    rd = get_domain_by_id(v->domain->xen, op->dom);
    if (!rd)
        return GNTST_bad_domain;
    rc = map_one(v, rd, op);
    put_domain(rd);
    return rc;
}

long gnttab_map_grant_ref(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_map_grant_ref op;

    for (unsigned int i = 0; i < count; i++, uop += sizeof(op)) {
        if (i && hypercall_preempt_check(v))
            return i;
        if (copy_from_guest(v, &op, uop, sizeof(op)))
            return -EFAULT;
        op.status = (int16_t)map_grant_ref(v, &op);
        TRACE_VCPU(v, grant_map, op.ref, op.dom, op.status ? TRACE_NONE : PFN_DOWN(op.dev_bus_addr), op.flags,
                   op.status ? TRACE_NONE : op.handle, PAGE_SIZE, (uint64_t)op.status);
        if (copy_to_guest(v, uop, &op, sizeof(op)))
            return -EFAULT;
    }
    return 0;
}
