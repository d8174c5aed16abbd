// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A domain's view of its own table: where its frames are, how large it may grow, which version it is.
 *
 * Concept: a guest asks for as many frames as it wants entries (GNTTABOP_setup_table) and maps what it gets; the table
 * grows and never shrinks. The version can be changed while nothing is granted out, with one exception: the first eight
 * entries are the toolstack's (console, xenstore), are in use from before the guest started, and are carried over.
 *
 * The toolstack may do all this for a domain that it controls: so it fills in the first entries of a new guest.
 *
 * Corresponds to gnttab_setup_table() and others of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"

#include "mmu/compat.h"
#include "sim/frame.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The domain that a command is about, if v may ask. GNTST_*. */
static int target_get(struct vcpu *v, domid_t domid, xsm_fn *may, struct domain **d)
{
    int rc = get_domain_for(v, domid, may, d);

    return !rc ? GNTST_okay : rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
}

static int setup_table(struct vcpu *v, struct domain *d, uint32_t nr, uint64_t list)
{
    struct grant_table *gt = d->grant_table;
    int status = GNTST_okay;

    if (nr > gt->max_grant_frames || gnttab_grow_table(d, nr))
        return GNTST_general_error;
    for (unsigned int i = 0; i < nr; i++)
        if (copy_word_to_guest(v, list + i * word_size(v->domain), mfn_x(gt->shared[i])))
            status = GNTST_bad_virt_addr;
    return status;
}

long gnttab_setup_table(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_setup_table op;
    uint64_t list;
    struct domain *d;

    if (count != 1)
        return -EINVAL;
    if (compat_from_guest(v, &op, uop, COMPAT_gnttab_setup_table))
        return -EFAULT;
    list = (uintptr_t)op.frame_list.p;
    if (!guest_handle_okay(v, list, op.nr_frames * word_size(v->domain)))
        return -EFAULT;
    op.status = target_get(v, op.dom, xsm_grant_setup, &d);
    if (op.status == GNTST_okay) {
        op.status = setup_table(v, d, op.nr_frames, list);
        put_domain(d);
    }
    return copy_field_to_guest(v, uop, COMPAT_gnttab_setup_table, &op, status);
}

long gnttab_query_size(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_query_size op;
    struct domain *d;

    if (count != 1)
        return -EINVAL;
    if (copy_from_guest(v, &op, uop, sizeof(op)))
        return -EFAULT;
    op.status = target_get(v, op.dom, xsm_grant_query_size, &d);
    if (op.status == GNTST_okay) {
        op.nr_frames = d->grant_table->nr_grant_frames;
        op.max_nr_frames = d->grant_table->max_grant_frames;
        put_domain(d);
    }
    return copy_to_guest(v, uop, &op, sizeof(op));
}

static int get_status_frames(struct vcpu *v, struct domain *d, uint32_t nr, uint64_t list)
{
    struct grant_table *gt = d->grant_table;
    int status = GNTST_okay;

    if (nr > gt->nr_status_frames)
        return GNTST_general_error;
    for (unsigned int i = 0; i < nr; i++) {
        const uint64_t frame = mfn_x(gt->status[i]); /* 64 bits for everybody */

        if (copy_to_guest(v, list + i * sizeof(frame), &frame, sizeof(frame)))
            status = GNTST_bad_virt_addr;
    }
    return status;
}

long gnttab_get_status_frames(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_get_status_frames op;
    struct domain *d;

    if (count != 1)
        return -EINVAL;
    if (compat_from_guest(v, &op, uop, COMPAT_gnttab_get_status_frames))
        return -EFAULT;
    op.status = target_get(v, op.dom, xsm_grant_setup, &d);
    if (op.status == GNTST_okay) {
        op.status = get_status_frames(v, d, op.nr_frames, (uintptr_t)op.frame_list.p);
        put_domain(d);
    }
    return copy_field_to_guest(v, uop, COMPAT_gnttab_get_status_frames, &op, status);
}

long gnttab_get_version(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_get_version op;
    struct domain *d;
    int rc;

    if (copy_from_guest(v, &op, uop, sizeof(op)))
        return -EFAULT;
    rc = get_domain_for(v, op.dom, xsm_grant_query_size, &d);
    if (rc)
        return rc;
    op.version = d->grant_table->version;
    put_domain(d);
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
        memset(frame_shared(d->xen->machine, gt->shared[i]), 0, PAGE_SIZE);
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
