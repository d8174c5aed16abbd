// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The small commands: GNTTABOP_swap_grant_ref and GNTTABOP_cache_flush.
 *
 * Corresponds to swap_grant_ref() and cache_flush() of xen/common/grant_table.c. Caches need no flushing here, so that
 * only the permissions are real; and the search for a grant is done in one go (a table has at most 32768 entries).
 */
#include "mmu/grant/private.h"

#include "mmu/guest_access.h"

#include <errno.h>
#include <stddef.h>

#define SWAP(a, b)                                                                                                     \
    do {                                                                                                               \
        typeof(a) swap_ = (a);                                                                                         \
        (a) = (b);                                                                                                     \
        (b) = swap_;                                                                                                   \
    } while (0)

static int swap_entries(struct grant_table *gt, grant_ref_t a, grant_ref_t b)
{
    if (a >= nr_grant_entries(gt) || b >= nr_grant_entries(gt))
        return GNTST_bad_gntref;
    if (a == b)
        return GNTST_okay;
    if (gt->active[a].pin || gt->active[b].pin)
        return GNTST_eagain;
    if (gt->version == 1) {
        SWAP(*shared_entry_v1(gt, a), *shared_entry_v1(gt, b));
    } else {
        SWAP(*shared_entry_v2(gt, a), *shared_entry_v2(gt, b));
        SWAP(*grant_status_word(gt, a), *grant_status_word(gt, b));
    }
    return GNTST_okay;
}

long gnttab_swap_grant_ref(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_swap_grant_ref op;

    for (unsigned int i = 0; i < count; i++, uop += sizeof(op)) {
        if (i && hypercall_preempt_check(v))
            return i;
        if (copy_from_guest(v, &op, uop, sizeof(op)))
            return -EFAULT;
        op.status = swap_entries(v->domain->grant_table, op.ref_a, op.ref_b);
        if (copy_to_guest(v, uop + offsetof(typeof(op), status), &op.status, sizeof(op.status)))
            return -EFAULT;
    }
    return 0;
}

/* Does ld use some grant of owner's to this frame? */
static bool grant_map_exists(const struct domain *ld, const struct domain *owner, mfn_t mfn)
{
    const struct grant_table *gt = owner->grant_table;

    for (grant_ref_t ref = 0; ref < nr_grant_entries(gt); ref++)
        if (gt->active[ref].pin && gt->active[ref].domid == ld->domain_id && mfn_eq(gt->active[ref].mfn, mfn))
            return true;
    return false;
}

static int cache_flush(struct domain *d, const struct gnttab_cache_flush *op, uint32_t cur_ref)
{
    const mfn_t mfn = _mfn(op->a.dev_bus_addr >> PAGE_SHIFT);
    struct domain *owner;

    if (op->offset >= PAGE_SIZE || op->offset + op->length > PAGE_SIZE ||
        (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
        return -EINVAL;
    if (!op->length || !op->op)
        return cur_ref ? -EILSEQ : 0;
    if (!mfn_valid(d->xen->machine, mfn))
        return -EINVAL;
    owner = mfn_to_page(d->xen, mfn)->owner;
    if (!owner || !owner->grant_table)
        return -EPERM;
    if (owner != d && !grant_map_exists(d, owner, mfn))
        return -EINVAL;
    /* x86 can write a line back, with or without dropping it, but not drop it unwritten. */
    return op->op & GNTTAB_CACHE_CLEAN ? 0 : -EOPNOTSUPP;
}

long gnttab_cache_flush(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    struct gnttab_cache_flush op;

    for (unsigned int i = 0; i < count; i++, uop += sizeof(op), *opaque = 0) {
        int rc;

        if (i && hypercall_preempt_check(v))
            return i;
        if (copy_from_guest(v, &op, uop, sizeof(op)))
            return -EFAULT;
        rc = cache_flush(v->domain, &op, *opaque);
        if (rc)
            return rc;
    }
    return 0;
}
