// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory reservations: memory_op, and how a domain's memory grows and shrinks.
 *
 * Concept: a domain owns a number of frames (its reservation) and may own up to max_pages. A PV guest numbers its
 * memory itself, pfn 0, 1, 2, ...; which machine frame stands behind each pfn it keeps in its own p2m list, and the
 * hypervisor keeps the way back, machine to pfn, in one table for all (M2P). A balloon driver returns frames with
 * decrease_reservation and gets other ones later with populate_physmap; so memory moves between running guests.
 *
 *      increase_reservation   frames for nobody in particular: the guest learns their numbers, the M2P nothing
 *      populate_physmap       a frame for each of these pfns: the guest learns the frame, the M2P the pfn
 *      decrease_reservation   I do not own these frames any more (they are freed when nobody refers to them)
 *      exchange               these frames for others that are contiguous, or lie lower (exchange.c)
 *
 * The three reservation commands answer with the number of extents (blocks of 2^order frames) that were done, however
 * little that is: a guest that asks for too much sees a short count, not an error. That number also is the state of
 * a preempted call: it travels in the upper bits of the command.
 *
 * Invariants: tot_pages <= max_pages unless the toolstack lowered the limit; a frame given up is neither freed nor
 * handed out while anything refers to it, for it is the last reference that frees it. So a pinned page table that is
 * given up stays what it is, and its owner's, until it is unpinned.
 *
 * Corresponds to xen/common/memory.c; the machine's parts (arch/x86/mm.c) are in map.c, translated guests' places in
 * physmap.c. The machine has one NUMA node. Of the commands in the public header, sharing_op and paging_op are missing
 * as in Xen's default build, which has neither.
 */
#include "mmu/memory/private.h"

#include "mmu/compat.h"
#include "mmu/hvm/pod.h"
#include "mmu/pv/pv.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <string.h>

/* --- the reservation commands: how far each came is in nr_done --- */
struct reservation {
    struct memop *m;
    struct domain *d;
    uint64_t list;
    uint64_t nr_extents, nr_done;
    unsigned int order, max_order;
    struct placement place;
    bool populate_on_demand;
    bool preempted;
};

static int increase_one(struct reservation *r, uint64_t i)
{
    struct page_info *pg = extent_alloc(r->d, r->order, &r->place, 0);

    if (!pg)
        return -ENOMEM;
    if (paging_mode_translate(r->d) || !r->list)
        return 0;
    return extent_put(r->m, r->list, i, mfn_x(page_to_mfn(r->d->xen, pg)));
}

static int populate_one(struct reservation *r, uint64_t i)
{
    struct xen *xen = r->d->xen;
    struct page_info *pg;
    uint64_t gpfn;
    mfn_t mfn;

    if (extent_get(r->m, r->list, i, &gpfn))
        return -EFAULT;
    if (r->populate_on_demand && r->d == r->m->currd)
        return -EINVAL;        /* somebody else has to fill it later */
    if (r->populate_on_demand) /* in a PV guest Xen does nothing about it either */
        return paging_mode_translate(r->d) ? guest_physmap_mark_populate_on_demand(r->d, gpfn, r->order) : 0;
    pg = extent_alloc(r->d, r->order, &r->place, 0);
    if (!pg)
        return -ENOMEM;
    mfn = page_to_mfn(xen, pg);
    for (uint64_t k = 0; k < UINT64_C(1) << r->order; k++)
        if (guest_physmap_add_page(r->d, gpfn + k, _mfn(mfn_x(mfn) + k)))
            return -ENOMEM;
    /* Who is translated is not told. */
    return paging_mode_translate(r->d) ? 0 : extent_put(r->m, r->list, i, mfn_x(mfn));
}

static int decrease_one(struct reservation *r, uint64_t i)
{
    uint64_t gmfn;

    if (extent_get(r->m, r->list, i, &gmfn))
        return -EFAULT;
    for (uint64_t k = 0; k < UINT64_C(1) << r->order; k++)
        if (guest_remove_page(r->d, gmfn + k))
            return -EINVAL;
    return 0;
}

static void reservation_run(struct reservation *r, int (*one)(struct reservation *r, uint64_t i))
{
    if (!(r->m->op == XENMEM_increase_reservation && !r->list) &&
        !extents_okay(r->m, r->list, r->nr_done, r->nr_extents - 1))
        return;
    if (r->order > r->max_order)
        return;
    for (uint64_t i = r->nr_done; i < r->nr_extents; i++) {
        if (i != r->m->start && hypercall_preempt_check(r->m->v)) {
            r->preempted = true;
            return;
        }
        if (one(r, i))
            return;
        r->nr_done = i + 1;
    }
}

static long memory_reservation(struct memop *m)
{
    static int (*const one[])(struct reservation * r, uint64_t i) = {
        [XENMEM_increase_reservation] = increase_one,
        [XENMEM_decrease_reservation] = decrease_one,
        [XENMEM_populate_physmap] = populate_one,
    };
    struct xen_memory_reservation xmr;
    struct reservation r = { .m = m };

    if (reservation_get(m, &xmr) || xmr.nr_extents > MEMOP_MAX_EXTENTS || m->start >= xmr.nr_extents)
        return m->start;
    r.place.bits = XENMEMF_get_address_bits(xmr.mem_flags);
    if (r.place.bits && r.place.bits <= PAGE_SHIFT)
        return m->start;
    /* A node of the guest's own topology says nothing, for no domain has one */
    if (!(xmr.mem_flags & XENMEMF_vnode) && !propagate_node(m->currd, xmr.mem_flags, &r.place))
        return m->start;
    if (get_domain_for(m->v, xmr.domid, xsm_memory_adjust_reservation, &r.d))
        return m->start;
    r.list = (uintptr_t)xmr.extent_start.p;
    r.nr_extents = xmr.nr_extents;
    r.nr_done = m->start;
    r.order = xmr.extent_order;
    r.populate_on_demand = m->op == XENMEM_populate_physmap && (xmr.mem_flags & XENMEMF_populate_on_demand);
    r.max_order = r.populate_on_demand ? MAX_ORDER : max_order(m->currd);
    reservation_run(&r, one[m->op]);
    put_domain(r.d);
    m->progress = r.nr_done;
    return r.preempted ? -ERESTART : (long)r.nr_done;
}

/* --- questions --- */

static long memory_maximum_ram_page(struct memop *m) { return m->currd->xen->machine->nr_frames; }

/* PV guests say themselves how far their pfns go, in shared_info, as a count; of the others the p2m knows. */
static uint64_t domain_maximum_gpfn(const struct domain *d)
{
    uint64_t nr = 0;

    if (paging_mode_translate(d))
        return d->p2m->max_mapped_gfn;
    if (d->shared_info) /* a word of the guest's, little endian */
        memcpy(&nr,
               (const uint8_t *)d->shared_info +
                   compat_offset(d, COMPAT_shared_info, offsetof(struct shared_info, arch.max_pfn)),
               word_size(d));
    return nr ? nr - 1 : 0;
}

static long memory_stat(struct memop *m)
{
    struct xen_memory_domain xmd;
    struct domain *d;
    long rc;

    if (copy_from_guest(m->v, &xmd, m->arg, sizeof(xmd)))
        return -EFAULT;
    rc = get_domain_for(m->v, xmd.domid, xsm_memory_stat_reservation, &d);
    if (rc)
        return rc;
    rc = m->op == XENMEM_current_reservation   ? d->tot_pages
         : m->op == XENMEM_maximum_reservation ? d->max_pages
                                               : domain_maximum_gpfn(d);
    put_domain(d);
    return rc;
}

static long memory_nothing_shared(struct memop *m) { return 0; }

/* vNUMA: no domain has a topology, which the caller is told if it may ask at all. */
static long memory_get_vnumainfo(struct memop *m)
{
    struct xen_vnuma_topology_info info;
    struct domain *d;
    int rc;

    if (copy_from_guest(m->v, &info, m->arg, sizeof(info)))
        return -EFAULT;
    if (info.pad)
        return -EINVAL;
    rc = get_domain_for(m->v, info.domid, xsm_get_vnumainfo, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EOPNOTSUPP;
}

/* --- the hypercall --- */
struct memop_entry {
    memop_fn *fn;
    int continued; /* the answer when cmd's upper bits are not 0; 0: they may be */
};

/* clang-format off */
static const struct memop_entry memop_table[] = {
    [XENMEM_increase_reservation]       = { memory_reservation },
    [XENMEM_decrease_reservation]       = { memory_reservation },
    [XENMEM_populate_physmap]           = { memory_reservation },
    [XENMEM_exchange]                   = { memory_exchange, -EINVAL },
    [XENMEM_maximum_ram_page]           = { memory_maximum_ram_page, -EINVAL },
    [XENMEM_current_reservation]        = { memory_stat, -EINVAL },
    [XENMEM_maximum_reservation]        = { memory_stat, -EINVAL },
    [XENMEM_maximum_gpfn]               = { memory_stat, -EINVAL },
    [XENMEM_add_to_physmap]             = { memory_add_to_physmap },
    [XENMEM_add_to_physmap_batch]       = { memory_add_to_physmap_batch },
    [XENMEM_remove_from_physmap]        = { memory_remove_from_physmap, -EINVAL },
    [XENMEM_claim_pages]                = { memory_claim_pages },
    [XENMEM_acquire_resource]           = { memory_acquire_resource },
    [XENMEM_get_vnumainfo]              = { memory_get_vnumainfo, -EINVAL },
    [XENMEM_reserved_device_memory_map] = { memory_reserved_device_memory_map, -EINVAL },
    [XENMEM_access_op]                  = { memory_access_op },
    /* Xen's arch_memory_op() looks at the whole of cmd */
    [XENMEM_memory_map]                 = { memory_memory_map, -ENOSYS },
    [XENMEM_set_memory_map]             = { memory_set_memory_map, -ENOSYS },
    [XENMEM_machine_memory_map]         = { memory_machine_memory_map, -ENOSYS },
    [XENMEM_machphys_mfn_list]          = { memory_machphys_mfn_list, -ENOSYS },
    [XENMEM_machphys_compat_mfn_list]   = { memory_machphys_mfn_list, -ENOSYS },
    [XENMEM_machphys_mapping]           = { memory_machphys_mapping, -ENOSYS },
    [XENMEM_set_pod_target]             = { memory_pod_target, -ENOSYS },
    [XENMEM_get_pod_target]             = { memory_pod_target, -ENOSYS },
    [XENMEM_get_sharing_freed_pages]    = { memory_nothing_shared, -ENOSYS },
    [XENMEM_get_sharing_shared_pages]   = { memory_nothing_shared, -ENOSYS },
};
/* clang-format on */

static long memory_op(struct vcpu *v, struct hypercall_args *args, bool compat)
{
    struct memop m = {
        .v = v,
        .currd = v->domain,
        .compat = compat,
        .op = args->a[0] & MEMOP_CMD_MASK,
        .start = args->a[0] >> MEMOP_EXTENT_SHIFT,
        .arg = args->a[1],
    };
    long rc;

    if (m.op >= ARRAY_SIZE(memop_table) || !memop_table[m.op].fn)
        return -ENOSYS;
    if (is_hvm_domain(m.currd) && (m.op == XENMEM_machine_memory_map || m.op == XENMEM_machphys_mapping))
        return -ENOSYS; /* as hvm_memory_op() in xen/arch/x86/hvm/hypercall.c */
    if (m.start && memop_table[m.op].continued)
        return memop_table[m.op].continued;
    rc = memop_table[m.op].fn(&m);
    if (rc == -ERESTART)
        args->a[0] = m.op | m.progress << MEMOP_EXTENT_SHIFT;
    return compat && rc > INT32_MAX ? INT32_MAX : rc; /* more would be an error there */
}

long do_memory_op(struct vcpu *v, struct hypercall_args *args) { return memory_op(v, args, false); }
long compat_memory_op(struct vcpu *v, struct hypercall_args *args) { return memory_op(v, args, true); }
