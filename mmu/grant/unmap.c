// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unmapping grants: by the user, or for it when it dies.
 *
 * Concept: two phases again, with a TLB flush between them. First all page table entries of the batch go; then, when no
 * processor can reach the frames any longer, the references. The other way round a frame could be handed to somebody
 * else while its former user still writes to it. Of two mappings of a batch the second's page table entry goes before
 * the first's references do. Of a few frames only their translations go, wherever they are: no page
 * table can hide one (that the entry's address is the only way to it could not be told from the tables).
 *
 * A mapping with both device_map and host_map can be given up in two steps: what host_addr and dev_bus_addr name (0:
 * not this one) goes, and the handle is free when both are gone.
 *
 * Corresponds to unmap_common(), unmap_common_complete() and gnttab_release_mappings() of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"

#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"

#include <errno.h>
#include <stddef.h>

#define UNMAP_BATCH   32
#define RELEASE_BATCH 1024 /* handles looked at between two chances of preemption */

/* One unmapping between its phases. */
struct unmap {
    uint64_t host_addr, dev_bus_addr, new_addr;
    grant_handle_t handle;
    struct domain *rd; /* the granter, referenced; NULL: there is nothing to complete */
    grant_ref_t ref;
    mfn_t mfn;
    unsigned int done; /* GNTMAP_host_map, _device_map: what was unmapped; GNTMAP_readonly: it could not be written */
};

/*
 * First phase: nothing of the user's leads to the frame any longer. u has addresses and handle, and nothing else.
 *   - GNTST_bad_handle: v's domain has no such mapping (it never had, or it is free again).
 *   - GNTST_general_error: dev_bus_addr is not 0, and not where this frame begins, whatever kind of mapping it is.
 *   - For a host_addr that is not 0, of a host mapping: replace_grant_host_mapping() of the domain's guest; its error,
 *     and nothing is undone. The mapping's flags as they are, and u->new_addr, go with it.
 *   - A dev_bus_addr that is not 0, of a device mapping, needs nothing to be done.
 *   - An address that is 0, or of a kind that the mapping is not, or no longer: GNTST_okay, nothing is done for it.
 * What was undone is noted in u->done (with GNTMAP_readonly if the mapping is) and gone from the mapping's flags; with
 * the last of the two kinds the handle is free (gnttab_mapping_remove()). Pin, marks and the frame's references stay: a
 * processor may still reach the frame. From the granter's being known on u->rd holds a reference to it, for the second
 * phase, which follows whatever is returned.
 */
static int unmap_begin(struct vcpu *v, struct unmap *u)
{
    struct grant_table *lgt = v->domain->grant_table;
    struct grant_mapping *map;
    unsigned int flags;
    int rc;

    if (u->handle >= lgt->maptrack_limit || !lgt->maptrack[u->handle].flags)
        return GNTST_bad_handle;
    map = &lgt->maptrack[u->handle];
    flags = map->flags;
    u->rd = map->rd;
    get_knownalive_domain(u->rd);
    u->ref = map->ref;
    u->mfn = u->rd->grant_table->active[u->ref].mfn;

    if (u->dev_bus_addr && u->dev_bus_addr != mfn_x(u->mfn) << PAGE_SHIFT)
        return GNTST_general_error;
    if (u->host_addr && (flags & GNTMAP_host_map)) {
        rc = v->domain->guest->replace_grant_host_mapping(v, u->host_addr, u->mfn, u->new_addr, flags);
        if (rc != GNTST_okay)
            return rc;
        u->done |= GNTMAP_host_map;
    }
    if (u->dev_bus_addr && (flags & GNTMAP_device_map))
        u->done |= GNTMAP_device_map;
    if (!u->done)
        return GNTST_okay;
    map->flags &= ~u->done;
    u->done |= flags & GNTMAP_readonly;
    if (!(map->flags & (GNTMAP_device_map | GNTMAP_host_map)))
        gnttab_mapping_remove(lgt, u->handle);
    return GNTST_okay;
}

/*
 * Second phase: no TLB has it any longer. The references, the pin and the marks that u->done stands for go, and the
 * reference to the granter. Nothing is to be done for a u without a granter.
 */
static void unmap_complete(struct unmap *u)
{
    if (!u->rd)
        return;
    if (u->done) {
        struct grant_table *rgt = u->rd->grant_table;

        gnttab_put_refs(u->rd->xen, u->mfn, u->done);
        rgt->active[u->ref].pin -= gnttab_pin_increment(u->done);
        reduce_status_for_pin(rgt, u->ref, u->done & GNTMAP_readonly);
    }
    put_domain(u->rd);
}

static void unmap_complete_all(struct vcpu *v, struct unmap *u, unsigned int nr)
{
    bool mapped = false;

    for (unsigned int i = 0; i < nr; i++)
        mapped |= u[i].done & GNTMAP_host_map;
    if (mapped && is_pv_domain(v->domain))
        pv_flush_tlb(v->domain);
    for (unsigned int i = 0; i < nr; i++) {
        if (u[i].done)
            TRACE_VCPU(v, grant_unmap, u[i].ref, u[i].rd->domain_id, mfn_x(u[i].mfn), u[i].done, u[i].handle, PAGE_SIZE,
                       0);
        unmap_complete(&u[i]);
    }
}

/* Both commands have the handle and the status at the same place and differ in what the second address means. */
_Static_assert(sizeof(struct gnttab_unmap_grant_ref) == sizeof(struct gnttab_unmap_and_replace) &&
                   offsetof(struct gnttab_unmap_grant_ref, handle) ==
                       offsetof(struct gnttab_unmap_and_replace, handle) &&
                   offsetof(struct gnttab_unmap_grant_ref, status) == offsetof(struct gnttab_unmap_and_replace, status),
               "the unmap commands look alike");

static long unmap_batches(struct vcpu *v, uint64_t uop, unsigned int count, bool replace)
{
    struct gnttab_unmap_grant_ref op;
    struct unmap batch[UNMAP_BATCH];
    unsigned int done = 0;

    while (done < count) {
        const unsigned int nr = count - done < UNMAP_BATCH ? count - done : UNMAP_BATCH;
        unsigned int i;
        int rc = 0;

        for (i = 0; i < nr && !rc; uop += sizeof(op)) {
            rc = copy_from_guest(v, &op, uop, sizeof(op));
            if (rc)
                break;
            batch[i] = (struct unmap){ .host_addr = op.host_addr, .handle = op.handle };
            *(replace ? &batch[i].new_addr : &batch[i].dev_bus_addr) = op.dev_bus_addr;
            op.status = (int16_t)unmap_begin(v, &batch[i++]);
            if (op.status)
                TRACE_VCPU(v, grant_unmap, TRACE_NONE, TRACE_NO_DOMAIN, TRACE_NONE, 0, op.handle, PAGE_SIZE,
                           (uint64_t)op.status);
            rc = copy_to_guest(v, uop + offsetof(struct gnttab_unmap_grant_ref, status), &op.status, sizeof(op.status));
        }
        unmap_complete_all(v, batch, i);
        if (rc)
            return -EFAULT;
        done += nr;
        if (done < count && hypercall_preempt_check(v))
            return done;
    }
    return 0;
}

long gnttab_unmap_grant_ref(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    return unmap_batches(v, uop, count, false);
}

long gnttab_unmap_and_replace(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    return unmap_batches(v, uop, count, true);
}

int gnttab_release_mappings(struct domain *d)
{
    struct grant_table *gt = d->grant_table;

    BUG_ON(d->is_dying == DOMDYING_alive && !is_native_domain(d));
    if (!gt)
        return 0;
    /* From the end down, so that after a preemption what was looked at is not looked at again. */
    for (unsigned int nr = 0; gt->maptrack_limit; gt->maptrack_limit--) {
        struct grant_mapping *map = &gt->maptrack[gt->maptrack_limit - 1];
        struct grant_table *rgt;
        unsigned int refs = map->flags;

        if (nr++ == RELEASE_BATCH)
            return -ERESTART;
        if (!map->flags)
            continue;
        /* The page tables of a PV guest hold a host mapping's references until they go themselves. */
        if (!is_native_domain(d))
            refs &= ~GNTMAP_host_map;
        rgt = map->rd->grant_table;
        if (refs & GNTMAP_host_map && !(refs & GNTMAP_readonly))
            frame_unshare(d->xen->machine, rgt->active[map->ref].mfn);
        gnttab_put_refs(d->xen, rgt->active[map->ref].mfn, refs);
        rgt->active[map->ref].pin -= gnttab_pin_increment(map->flags);
        reduce_status_for_pin(rgt, map->ref, map->flags & GNTMAP_readonly);
        gnttab_mapping_remove(gt, gt->maptrack_limit - 1);
    }
    gt->free_first = gt->free_last = INVALID_MAPTRACK_HANDLE;
    return 0;
}
