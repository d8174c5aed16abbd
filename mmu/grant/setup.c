// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A domain's view of its own table: where its frames are, how large it may grow, which version it is.
 *
 * Concept: a guest asks for as many frames as it wants entries (GNTTABOP_setup_table) and maps what it gets; the table grows
 * and never shrinks. The version can be changed while nothing is granted out, with one exception: the first eight entries
 * are the toolstack's (console, xenstore), are in use from before the guest started, and are carried over.
 *
 * The toolstack may do all this for a domain that it controls: so it fills in the first entries of a new guest.
 *
 * Corresponds to gnttab_setup_table() and others of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"

#include "mmu/guest_access.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define STATUS_OFFSET(type) offsetof(struct gnttab_##type, status)

/* The domain that a command is about, if v may ask. GNTST_*. */
static int target_get(struct vcpu *v, domid_t domid, struct domain **d)
{
    int rc = domain_for_target(v, domid, d);

    return !rc ? GNTST_okay : rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
}

/* Entry i of a guest's frame list; 32-bit guests' xen_pfn_t has 4 bytes. */
static int frame_list_put(struct vcpu *v, uint64_t list, unsigned int i, mfn_t mfn, size_t size)
{
    const uint64_t frame = mfn_x(mfn);

    return copy_to_guest(v, list + i * size, &frame, size); /* little endian: the low half comes first */
}

struct gnttab_setup_table_x86_32 {
    domid_t dom;
    uint16_t pad;
    uint32_t nr_frames;
    int16_t status;
    uint16_t pad2;
    uint32_t frame_list;
};

static int setup_table(struct vcpu *v, struct domain *d, uint32_t nr, uint64_t list, size_t size)
{
    struct grant_table *gt = d->grant_table;
    int status = GNTST_okay;

    if (nr > gt->max_grant_frames || gnttab_grow_table(d, nr))
        return GNTST_general_error;
    for (unsigned int i = 0; i < nr; i++)
        if (frame_list_put(v, list, i, gt->shared[i], size))
            status = GNTST_bad_virt_addr;
    return status;
}

long gnttab_setup_table(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    const bool compat = is_pv_32bit_domain(v->domain);
    const size_t pfn_size = compat ? sizeof(uint32_t) : sizeof(xen_pfn_t);
    struct gnttab_setup_table_x86_32 op32;
    struct gnttab_setup_table op;
    uint64_t list;
    struct domain *d;
    int16_t status;

    if (count != 1)
        return -EINVAL;
    if (compat) {
        if (copy_from_guest(v, &op32, uop, sizeof(op32)))
            return -EFAULT;
        op.dom = op32.dom;
        op.nr_frames = op32.nr_frames;
        list = op32.frame_list;
    } else {
        if (copy_from_guest(v, &op, uop, sizeof(op)))
            return -EFAULT;
        list = (uintptr_t)op.frame_list.p;
    }
    if (!guest_handle_okay(v, list, op.nr_frames * pfn_size))
        return -EFAULT;
    status = target_get(v, op.dom, &d);
    if (status == GNTST_okay) {
        status = setup_table(v, d, op.nr_frames, list, pfn_size);
        domain_put(d);
    }
    uop += compat ? offsetof(struct gnttab_setup_table_x86_32, status) : STATUS_OFFSET(setup_table);
    return copy_to_guest(v, uop, &status, sizeof(status));
}

long gnttab_query_size(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_query_size op;
    struct domain *d;

    if (count != 1)
        return -EINVAL;
    if (copy_from_guest(v, &op, uop, sizeof(op)))
        return -EFAULT;
    op.status = target_get(v, op.dom, &d);
    if (op.status == GNTST_okay) {
        op.nr_frames = d->grant_table->nr_grant_frames;
        op.max_nr_frames = d->grant_table->max_grant_frames;
        domain_put(d);
    }
    return copy_to_guest(v, uop, &op, sizeof(op));
}

struct gnttab_get_status_frames_x86_32 {
    uint32_t nr_frames;
    domid_t dom;
    int16_t status;
    uint32_t frame_list;
};

static int get_status_frames(struct vcpu *v, struct domain *d, uint32_t nr, uint64_t list)
{
    struct grant_table *gt = d->grant_table;
    int status = GNTST_okay;

    if (nr > gt->nr_status_frames)
        return GNTST_general_error;
    for (unsigned int i = 0; i < nr; i++)
        if (frame_list_put(v, list, i, gt->status[i], sizeof(uint64_t)))
            status = GNTST_bad_virt_addr;
    return status;
}

long gnttab_get_status_frames(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    const bool compat = is_pv_32bit_domain(v->domain);
    struct gnttab_get_status_frames_x86_32 op32;
    struct gnttab_get_status_frames op;
    struct domain *d;
    uint64_t list;
    int16_t status;

    if (count != 1)
        return -EINVAL;
    /* Up to the handle both are the same. */
    _Static_assert(offsetof(struct gnttab_get_status_frames, frame_list) == offsetof(typeof(op32), frame_list) &&
                       STATUS_OFFSET(get_status_frames) == offsetof(typeof(op32), status),
                   "get_status_frames differs in the handle only");
    if (copy_from_guest(v, compat ? (void *)&op32 : &op, uop, compat ? sizeof(op32) : sizeof(op)))
        return -EFAULT;
    if (compat)
        memcpy(&op, &op32, offsetof(typeof(op32), frame_list));
    list = compat ? op32.frame_list : (uintptr_t)op.frame_list.p;
    status = target_get(v, op.dom, &d);
    if (status == GNTST_okay) {
        status = get_status_frames(v, d, op.nr_frames, list);
        domain_put(d);
    }
    return copy_to_guest(v, uop + STATUS_OFFSET(get_status_frames), &status, sizeof(status));
}

long gnttab_get_version(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_get_version op;
    struct domain *d;
    int rc;

    if (copy_from_guest(v, &op, uop, sizeof(op)))
        return -EFAULT;
    rc = domain_for_target(v, op.dom, &d);
    if (rc)
        return rc;
    op.version = d->grant_table->version;
    domain_put(d);
    return copy_to_guest(v, uop + offsetof(typeof(op), version), &op.version, sizeof(op.version));
}

/* --- changing the version --- */

/* Anything in use beyond the toolstack's entries? */
static bool table_in_use(const struct grant_table *gt)
{
    for (grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < nr_grant_entries(gt); ref++)
        if (gt->active[ref].pin)
            return true;
    return false;
}

/* The toolstack's entries in version 1's form. -ERANGE when one has none. */
static int reserved_save(const struct grant_table *gt, grant_entry_v1_t *save)
{
    for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
        const grant_entry_v2_t *e2;

        if (gt->version == 1) {
            save[ref] = *shared_entry_v1(gt, ref);
            continue;
        }
        e2 = shared_entry_v2(gt, ref);
        save[ref] = (grant_entry_v1_t){ 0 };
        switch (e2->hdr.flags & GTF_type_mask) {
        case GTF_permit_access:
            if (e2->full_page.frame >> 32)
                return -ERANGE;
            save[ref].flags = e2->hdr.flags | *grant_status_word(gt, ref);
            save[ref].domid = e2->hdr.domid;
            save[ref].frame = e2->full_page.frame;
            break;
        case GTF_transitive: return -ERANGE;
        default: /* nothing worth keeping */ break;
        }
    }
    return 0;
}

static void reserved_restore(struct grant_table *gt, const grant_entry_v1_t *save)
{
    for (grant_ref_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
        grant_entry_v2_t *e2;

        if (gt->version == 1) {
            *shared_entry_v1(gt, ref) = save[ref];
            continue;
        }
        e2 = shared_entry_v2(gt, ref);
        *grant_status_word(gt, ref) = save[ref].flags & (GTF_reading | GTF_writing);
        e2->hdr.flags = save[ref].flags & ~(GTF_reading | GTF_writing);
        e2->hdr.domid = save[ref].domid;
        e2->full_page.frame = save[ref].frame;
    }
}

static int version_change(struct domain *d, unsigned int version)
{
    struct grant_table *gt = d->grant_table;
    grant_entry_v1_t save[GNTTAB_NR_RESERVED_ENTRIES];
    int rc;

    if (table_in_use(gt))
        return -EBUSY;
    rc = reserved_save(gt, save);
    if (!rc)
        rc = version == 2 ? gnttab_populate_status_frames(d, gt->nr_grant_frames) : gnttab_unpopulate_status_frames(d);
    if (rc)
        return rc;
    for (unsigned int i = 0; i < gt->nr_grant_frames; i++)
        memset(mfn_to_virt(d->xen->machine, gt->shared[i]), 0, PAGE_SIZE);
    gt->version = version;
    reserved_restore(gt, save);
    return 0;
}

long gnttab_set_version(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct grant_table *gt = v->domain->grant_table;
    struct gnttab_set_version op;
    int rc = 0;

    if (copy_from_guest(v, &op, uop, sizeof(op)))
        return -EFAULT;
    if (op.version != 1 && op.version != 2)
        rc = -EINVAL;
    else if (op.version > gt->max_version)
        rc = -ENOSYS; /* as a hypervisor without version 2 would say */
    else if (op.version != gt->version)
        rc = version_change(v->domain, op.version);
    op.version = gt->version;
    return copy_to_guest(v, uop, &op, sizeof(op)) ? -EFAULT : rc;
}
