// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_mmu_update: a list of page-table changes.
 *
 * Concept: the call that a PV guest makes most. Each request names an entry by its machine address and gives the new
 * value; the low bits of the address say what kind of request it is. What is at that address decides the rest: a live
 * table of level n gets its entry changed under the rules of that level, plain data is simply written. foreigndom names
 * two more domains: whose tables they are (high half, plus one) and whose frames are to be mapped (low half). A
 * toolstack builds a guest this way.
 *
 * The list stops at the first refused request, and is preempted between requests (mmu/pv/batch.h).
 *
 * Simplified against do_mmu_update() of xen/arch/x86/mm.c: requests are read in chunks, so a request that changes the
 * list itself shows its effect late; no paging, sharing or shadow modes.
 */
#include "mmu/pv/batch.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

#define CHUNK 32

struct mmu_call {
    struct vcpu *curr;
    struct xen *xen;
    struct domain *pt_owner, *pg_owner;
    bool checked_pt, checked_machphys; /* asked the policy already */
    bool flush;                        /* an entry above L1 was replaced */
    /* The table of the last request, with a reference: the next one is likely to be in it, too. */
    struct page_info *pg;
    mfn_t mfn;
    const uint64_t *table;
};

static bool table_select(struct mmu_call *c, mfn_t mfn)
{
    if (c->pg && mfn_eq(c->mfn, mfn))
        return true;
    if (c->pg)
        put_page(c->xen, c->pg);
    c->pg = get_page_from_mfn(c->xen, mfn, c->pt_owner);
    c->mfn = mfn;
    c->table = c->pg ? table_map(c->xen, mfn) : NULL;
    return c->pg;
}

/* Not a table: plain data, if it can be that. */
static int write_data(struct mmu_call *c, const uint64_t *ptr, uint64_t val)
{
    if (!page_get_writable(c->xen, c->pg))
        return -EINVAL;
    frame_write_u64(c->xen->machine, ptr, val);
    page_put_writable(c->xen, c->pg);
    return 0;
}

static int pt_update(struct mmu_call *c, uint64_t ma, uint64_t val, unsigned int cmd)
{
    const uint64_t *ptr;
    uint64_t old;
    int rc;

    if (!c->checked_pt) {
        rc = c->pg_owner == c->xen->dom_io ? 0 : xsm_mmu_update(c->curr->domain, c->pg_owner);
        if (!rc)
            rc = xsm_mmu_update(c->curr->domain, c->pt_owner);
        if (rc)
            return rc;
        c->checked_pt = true;
    }
    if (!table_select(c, _mfn(PFN_DOWN(ma)))) {
        pv_refused(c->curr->domain, "frame %lx of the table is not d%u's", PFN_DOWN(ma), c->pt_owner->domain_id);
        return -EINVAL;
    }
    ptr = c->table + PAGE_OFFSET(ma) / 8;
    if (!(c->pg->type_info & PGT_validated) || !(c->pg->type_info & PGT_count_mask))
        return write_data(c, ptr, val);
    switch (type_level(c->pg->type_info)) {
    case 1:
        old = *ptr;
        rc = mod_l1_entry(ptr, val, cmd, c->pt_owner, c->pg_owner);
        TRACE_PTE(c->curr, ptr, 1, old, val, TRACE_PTE_MMU_UPDATE, rc);
        return rc;
    case 2:
    case 3:
    case 4:
        if (c->pg_owner != c->pt_owner)
            return -EINVAL;
        old = *ptr;
        rc = mod_table_entry(c->curr, c->pt_owner, c->mfn, ptr, val, cmd);
        TRACE_PTE(c->curr, ptr, type_level(c->pg->type_info), old, val, TRACE_PTE_MMU_UPDATE, rc);
        c->flush |= !rc && (old & _PAGE_PRESENT); /* what was not there is in no TLB */
        return rc;
    default: return write_data(c, ptr, val);
    }
}

static int machphys_update(struct mmu_call *c, uint64_t ma, uint64_t pfn)
{
    struct page_info *pg;

    if (c->curr->domain != c->pt_owner)
        return -EPERM;
    if (paging_mode_translate(c->pg_owner))
        return -EINVAL;
    if (!c->checked_machphys) {
        int rc = c->pg_owner == c->xen->dom_io ? 0 : xsm_mmu_update(c->curr->domain, c->pg_owner);

        if (rc)
            return rc;
        c->checked_machphys = true;
    }
    pg = get_page_from_mfn(c->xen, _mfn(PFN_DOWN(ma)), c->pg_owner);
    if (!pg)
        return -EINVAL;
    set_gpfn_from_mfn(c->xen, page_to_mfn(c->xen, pg), pfn);
    put_page(c->xen, pg);
    return 0;
}

static int one_update(struct mmu_call *c, const struct mmu_update *req)
{
    const unsigned int cmd = req->ptr & 7;

    switch (cmd) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return is_hvm_domain(c->pt_owner) ? -EOPNOTSUPP : pt_update(c, req->ptr - cmd, req->val, cmd);
    case MMU_MACHPHYS_UPDATE: return machphys_update(c, req->ptr - cmd, req->val);
    default: return -ENOSYS;
    }
}

/* Carry requests out until one fails, the list ends, or the time is up (-ERESTART). *done counts. */
static int run_list(struct mmu_call *c, const struct pv_batch *b, unsigned int *done)
{
    struct mmu_update chunk[CHUNK];
    unsigned int i, have = 0;
    int rc = 0;

    for (i = 0; i < b->count && !rc; i += !rc) {
        const unsigned int at = i % CHUNK;

        if (i && hypercall_preempt_check(c->curr)) {
            rc = -ERESTART;
            break;
        }
        if (at == 0 || at >= have) {
            const unsigned int want = b->count - i < CHUNK - at ? b->count - i : CHUNK - at;

            /* If the chunk cannot be read as a whole, what can be read counts: one by one. */
            have = at + want;
            if (copy_from_guest(c->curr, &chunk[at], b->list + i * sizeof(*chunk), want * sizeof(*chunk))) {
                have = at + 1;
                rc = copy_from_guest(c->curr, &chunk[at], b->list + i * sizeof(*chunk), sizeof(*chunk));
            }
        }
        if (!rc)
            rc = one_update(c, &chunk[at]);
        if (!rc && old_guest_table_pending(c->curr))
            rc = put_old_guest_table(c->curr) ? -ERESTART : 0;
        /* The request is done; only what it replaced is not yet given up. */
        if (rc == -ERESTART && old_guest_table_pending(c->curr)) {
            i++;
            break;
        }
    }
    *done = i;
    return rc;
}

static int call_domains(struct mmu_call *c, uint32_t foreigndom)
{
    struct domain *d = c->curr->domain;

    c->pt_owner = d;
    if (foreigndom >> 16) {
        c->pt_owner = get_domain_by_id(c->xen, (domid_t)((foreigndom >> 16) - 1));
        if (!c->pt_owner)
            return -ESRCH;
        if (c->pt_owner != d && (!c->pt_owner->max_vcpus || !c->pt_owner->vcpu[0])) {
            put_domain(c->pt_owner);
            return -EINVAL;
        }
    } else {
        get_knownalive_domain(d);
    }
    c->pg_owner = get_pg_owner(c->curr, (domid_t)foreigndom);
    if (!c->pg_owner) {
        put_domain(c->pt_owner);
        return -ESRCH;
    }
    return 0;
}

long do_mmu_update(struct vcpu *v, struct hypercall_args *args)
{
    struct mmu_call c = { .curr = v, .xen = v->domain->xen };
    struct pv_batch b;
    unsigned int done = 0;
    int rc;

    if (!pv_batch_begin(&b, v, args, sizeof(struct mmu_update), &rc))
        return rc;
    rc = call_domains(&c, b.foreigndom);
    if (!rc) {
        rc = run_list(&c, &b, &done);
        if (c.pg)
            put_page(c.xen, c.pg);
        if (c.flush)
            pv_flush_tlb(c.pt_owner);
        put_domain(c.pg_owner);
        put_domain(c.pt_owner);
    }
    return pv_batch_end(&b, args, done, rc);
}
