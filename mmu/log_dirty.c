// SPDX-License-Identifier: GPL-2.0-or-later
/* Log-dirty mode: explained in mmu/log_dirty.h. */
#include "mmu/log_dirty.h"

#include "mmu/guest_access.h"
#include "mmu/m2p.h"
#include "mmu/paging.h"
#include "sim/frame.h"

#include <errno.h>
#include <string.h>

#define BITS_PER_PAGE (PAGE_SIZE * 8)

#define for_each_page(d, pg)                                                                                           \
    for (struct page_info *pg = page_list_first((d)->xen, &(d)->page_list); pg; pg = page_list_next((d)->xen, pg))

static const struct log_dirty_ops *ops_of(const struct domain *d) { return d->paging ? d->paging->log_dirty : NULL; }

/* All are as if nobody had written them. */
static void forget(struct domain *d)
{
    struct machine *m = d->xen->machine;

    for_each_page(d, pg) frame_log_forget(m, page_to_mfn(d->xen, pg));
    machine_arm_stores(m);
    d->log_dirty_faults = 0;
}

static int log_dirty_enable(struct domain *d)
{
    if (d->log_dirty)
        return -EINVAL;
    if (!frame_log_begin(d->xen->machine))
        return -ENOMEM;
    d->log_dirty = true;
    if (ops_of(d))
        ops_of(d)->enable(d);
    forget(d);
    return 0;
}

void paging_log_dirty_off(struct domain *d)
{
    if (!d->log_dirty)
        return;
    d->log_dirty = false;
    if (ops_of(d))
        ops_of(d)->disable(d);
    frame_log_end(d->xen->machine);
}

void paging_mark_dirty(struct domain *d, mfn_t mfn)
{
    if (d->log_dirty)
        frame_log(d->xen->machine, mfn);
}

static bool is_dirty(const struct domain *d, const struct page_info *pg, bool final)
{
    const mfn_t mfn = page_to_mfn(d->xen, pg);

    return frame_logged(d->xen->machine, mfn) || (final && d->xen->machine->shares[mfn_x(mfn)]);
}

/* How many are dirty, and the highest of their numbers + 1. */
static uint32_t count_dirty(const struct domain *d, bool final, uint64_t *end)
{
    uint32_t nr = 0;

    *end = 0;
    for_each_page(d, pg)
    {
        const uint64_t pfn = get_gpfn_from_mfn(d->xen, page_to_mfn(d->xen, pg));

        if (!is_dirty(d, pg, final))
            continue;
        nr++;
        if (pfn != INVALID_M2P_ENTRY && pfn >= *end)
            *end = pfn + 1;
    }
    return nr;
}

/* The bits of BITS_PER_PAGE numbers from `first` on. */
static void bitmap_part(const struct domain *d, uint64_t first, bool final, uint8_t *bits)
{
    memset(bits, 0, PAGE_SIZE);
    for_each_page(d, pg)
    {
        const uint64_t at = get_gpfn_from_mfn(d->xen, page_to_mfn(d->xen, pg)) - first;

        if (at < BITS_PER_PAGE && is_dirty(d, pg, final))
            bits[at / 8] |= (uint8_t)(1u << at % 8);
    }
}

static int bitmap_copy(struct vcpu *v, const struct domain *d, const struct xen_domctl_shadow_op *op, uint64_t end)
{
    const bool final = op->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL;
    uint8_t bits[PAGE_SIZE] = { 0 };

    for (uint64_t pfn = 0; pfn < op->pages; pfn += BITS_PER_PAGE) {
        const uint64_t left = op->pages - pfn, n = left < BITS_PER_PAGE ? (left + 7) / 8 : PAGE_SIZE;

        if (pfn < end)
            bitmap_part(d, pfn, final, bits);
        else
            memset(bits, 0, PAGE_SIZE);
        if (copy_to_guest(v, (uintptr_t)op->dirty_bitmap.p + pfn / 8, bits, n))
            return -EFAULT;
    }
    return 0;
}

/* A domain that is not logged has nothing dirty. Without a bitmap the counts are told, and CLEAN cleans. */
static int log_dirty_op(struct vcpu *v, struct domain *d, struct xen_domctl_shadow_op *op)
{
    uint64_t end = 0;
    int rc;

    if (op->mode & ~(uint32_t)XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL)
        return -EINVAL;
    op->stats.fault_count = d->log_dirty_faults;
    op->stats.dirty_count = d->log_dirty ? count_dirty(d, op->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, &end) : 0;
    rc = op->dirty_bitmap.p ? bitmap_copy(v, d, op, end) : 0;
    if (rc || op->op != XEN_DOMCTL_SHADOW_OP_CLEAN || !d->log_dirty)
        return rc;
    if (ops_of(d))
        ops_of(d)->clean(d);
    forget(d);
    return 0;
}

static int get_allocation(const struct domain *d, struct xen_domctl_shadow_op *op)
{
    const uint64_t pages = d->paging && d->paging->allocation ? d->paging->allocation(d) : 0;

    op->mb = (uint32_t)((pages + (1 << (20 - PAGE_SHIFT)) - 1) >> (20 - PAGE_SHIFT));
    return 0;
}

/* What is there then is said. */
static int set_allocation(struct domain *d, struct xen_domctl_shadow_op *op)
{
    int rc;

    if (!d->paging || !d->paging->set_allocation)
        return -EOPNOTSUPP;
    if (!op->mb)
        return -EINVAL; /* its tables are in use */
    rc = d->paging->set_allocation(d, (uint64_t)op->mb << (20 - PAGE_SHIFT));
    return rc ?: get_allocation(d, op);
}

int paging_domctl(struct vcpu *v, struct domain *d, struct xen_domctl_shadow_op *op)
{

    switch (op->op) {
    case XEN_DOMCTL_SHADOW_OP_ENABLE:
        if (!(op->mode & XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY))
            return -EINVAL;
        return log_dirty_enable(d);
    case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY: return log_dirty_enable(d);
    case XEN_DOMCTL_SHADOW_OP_OFF: paging_log_dirty_off(d); return 0;
    case XEN_DOMCTL_SHADOW_OP_CLEAN:
    case XEN_DOMCTL_SHADOW_OP_PEEK: return log_dirty_op(v, d, op);
    case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION: return get_allocation(d, op);
    case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION: return set_allocation(d, op);
    default: return -EINVAL;
    }
}
