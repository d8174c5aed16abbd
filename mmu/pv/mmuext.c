// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_mmuext_op: what a kernel does to page tables as a whole, and to the MMU.
 *
 * Concept: on a bare processor these are privileged instructions (mov cr3, invlpg, lldt, wbinvd) or need none at all.
 * Pinning (mmu/pv/pin.c) is Xen's own invention.
 *
 * foreigndom lets a toolstack pin and clear pages of the domain that it builds; what concerns the vCPU itself is
 * refused then.
 *
 * The commands are table-driven: what each needs is a flag, what it does a function.
 *
 * Corresponds to do_mmuext_op() of xen/arch/x86/mm.c, compat_mmuext_op() of x86_64/compat/mm.c.
 */
#include "mmu/compat.h"
#include "mmu/pv/batch.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

#include <string.h>

struct mmuext_call {
    struct vcpu *curr;
    struct domain *pg_owner;
};

/* --- pinning: mmu/pv/pin.c --- */

static int pin(struct mmuext_call *c, const struct mmuext_op *op)
{
    return pv_pin_table(c->curr, c->pg_owner, _mfn(op->arg1.mfn), op->cmd - MMUEXT_PIN_L1_TABLE + 1);
}

static int unpin(struct mmuext_call *c, const struct mmuext_op *op)
{
    return pv_unpin_table(c->curr, c->pg_owner, _mfn(op->arg1.mfn));
}

/* --- roots --- */

static int new_baseptr(struct mmuext_call *c, const struct mmuext_op *op)
{
    return new_guest_cr3(c->curr, _mfn(op->arg1.mfn), TRACE_CR3_NEW_BASEPTR);
}

static int new_user_baseptr(struct mmuext_call *c, const struct mmuext_op *op)
{
    if (!has_user_root(c->curr->domain))
        return -ENOSYS;
    return pv_set_user_cr3(c->curr, _mfn(op->arg1.mfn), TRACE_CR3_NEW_USER_BASEPTR);
}

/* --- TLB and caches --- */

static int flush_local(struct mmuext_call *c, const struct mmuext_op *op)
{
    TRACE_VCPU(c->curr, tlb, TRACE_TLB_LOCAL, 0);
    vcpu_flush_tlb(c->curr);
    return 0;
}

static int invlpg_local(struct mmuext_call *c, const struct mmuext_op *op)
{
    TRACE_VCPU(c->curr, tlb, TRACE_TLB_PAGE, op->arg1.linear_addr);
    vcpu_flush_tlb_one(c->curr, op->arg1.linear_addr);
    return 0;
}

static int flush_multi(struct mmuext_call *c, const struct mmuext_op *op)
{
    TRACE_VCPU(c->curr, tlb, TRACE_TLB_SOME, op->cmd == MMUEXT_INVLPG_MULTI ? op->arg1.linear_addr : 0);
    return pv_flush_vcpumask(c->curr, (uintptr_t)op->arg2.vcpumask.p) ? -EINVAL : 0;
}

static int flush_all(struct mmuext_call *c, const struct mmuext_op *op)
{
    TRACE_VCPU(c->curr, tlb, TRACE_TLB_ALL, op->cmd == MMUEXT_INVLPG_ALL ? op->arg1.linear_addr : 0);
    pv_flush_tlb(c->pg_owner);
    return 0;
}

/* Caches matter to who drives devices; no PV guest here does. */
static int flush_cache(struct mmuext_call *c, const struct mmuext_op *op) { return -EACCES; }
static int flush_cache_global(struct mmuext_call *c, const struct mmuext_op *op) { return -EINVAL; }

static int mark_super(struct mmuext_call *c, const struct mmuext_op *op) { return -EOPNOTSUPP; }

/* --- the rest --- */

static int set_ldt(struct mmuext_call *c, const struct mmuext_op *op)
{
    struct vcpu *v = c->curr;
    const unsigned int ents = op->arg2.nr_ents;
    const uint64_t base = ents ? op->arg1.linear_addr : 0;

    if (PAGE_OFFSET(base) || !guest_handle_okay(v, base, 1) || ents > 8192)
        return -EINVAL;
    if (v->pv.ldt_ents == ents && v->pv.ldt_base == base)
        return 0;
    if (pv_destroy_ldt(v))
        vcpu_flush_tlb(v);
    v->pv.ldt_base = base;
    v->pv.ldt_ents = ents;
    pv_update_cr3(v);
    return 0;
}

/* A frame that may be written to as data, with both references; NULL: refused. */
static struct page_info *data_page(struct mmuext_call *c, xen_pfn_t mfn)
{
    struct xen *xen = c->curr->domain->xen;
    struct page_info *pg = get_page_from_mfn(xen, _mfn(mfn), c->pg_owner);

    if (pg && !page_get_writable(xen, pg)) {
        put_page(xen, pg);
        pg = NULL;
    }
    return pg;
}

static void data_page_done(struct xen *xen, struct page_info *pg)
{
    page_put_writable(xen, pg);
    put_page(xen, pg);
}

static int clear_page(struct mmuext_call *c, const struct mmuext_op *op)
{
    struct xen *xen = c->curr->domain->xen;
    struct page_info *pg = data_page(c, op->arg1.mfn);

    if (!pg)
        return -EINVAL;
    memset(frame_write_begin(xen->machine, page_to_mfn(xen, pg)), 0, PAGE_SIZE);
    frame_write_end(xen->machine, page_to_mfn(xen, pg));
    data_page_done(xen, pg);
    return 0;
}

static int copy_page(struct mmuext_call *c, const struct mmuext_op *op)
{
    struct xen *xen = c->curr->domain->xen;
    struct page_info *src = get_page_from_mfn(xen, _mfn(op->arg2.src_mfn), c->pg_owner), *dst;

    if (!src)
        return -EINVAL;
    dst = data_page(c, op->arg1.mfn);
    if (dst) {
        memmove(frame_write_begin(xen->machine, page_to_mfn(xen, dst)), table_map(xen, page_to_mfn(xen, src)),
                PAGE_SIZE);
        frame_write_end(xen->machine, page_to_mfn(xen, dst));
        data_page_done(xen, dst);
    }
    put_page(xen, src);
    return dst ? 0 : -EINVAL;
}

/* --- the list --- */

#define SELF 1u /* the command is about the calling vCPU: pg_owner must be the caller */

static const struct {
    int (*fn)(struct mmuext_call *c, const struct mmuext_op *op);
    unsigned int flags;
} commands[] = {
    // clang-format off
    [MMUEXT_PIN_L1_TABLE]       = { pin },
    [MMUEXT_PIN_L2_TABLE]       = { pin },
    [MMUEXT_PIN_L3_TABLE]       = { pin },
    [MMUEXT_PIN_L4_TABLE]       = { pin },
    [MMUEXT_UNPIN_TABLE]        = { unpin },
    [MMUEXT_NEW_BASEPTR]        = { new_baseptr,        SELF },
    [MMUEXT_NEW_USER_BASEPTR]   = { new_user_baseptr,   SELF },
    [MMUEXT_TLB_FLUSH_LOCAL]    = { flush_local,        SELF },
    [MMUEXT_INVLPG_LOCAL]       = { invlpg_local,       SELF },
    [MMUEXT_TLB_FLUSH_MULTI]    = { flush_multi,        SELF },
    [MMUEXT_INVLPG_MULTI]       = { flush_multi,        SELF },
    [MMUEXT_TLB_FLUSH_ALL]      = { flush_all,          SELF },
    [MMUEXT_INVLPG_ALL]         = { flush_all,          SELF },
    [MMUEXT_FLUSH_CACHE]        = { flush_cache,        SELF },
    [MMUEXT_FLUSH_CACHE_GLOBAL] = { flush_cache_global, SELF },
    [MMUEXT_SET_LDT]            = { set_ldt,            SELF },
    [MMUEXT_CLEAR_PAGE]         = { clear_page },
    [MMUEXT_COPY_PAGE]          = { copy_page },
    [MMUEXT_MARK_SUPER]         = { mark_super },
    [MMUEXT_UNMARK_SUPER]       = { mark_super },
    // clang-format on
};

static int one_op(struct mmuext_call *c, const struct mmuext_op *op)
{
    if (op->cmd >= ARRAY_SIZE(commands) || !commands[op->cmd].fn)
        return -ENOSYS;
    if ((commands[op->cmd].flags & SELF) && c->curr->domain != c->pg_owner)
        return -EPERM;
    return commands[op->cmd].fn(c, op);
}

static int run_list(struct mmuext_call *c, const struct pv_batch *b, unsigned int *done)
{
    struct mmuext_op op;
    unsigned int i;
    int rc = 0;

    for (i = 0; i < b->count && !rc; i += !rc) {
        if (i && hypercall_preempt_check(c->curr)) {
            rc = -ERESTART;
            break;
        }
        rc = compat_from_guest(c->curr, &op, b->list + i * b->size, COMPAT_mmuext_op);
        if (!rc)
            rc = one_op(c, &op);
        if (!rc && put_old_guest_table(c->curr)) { /* the command is done, but not what it left behind */
            i++;
            rc = -ERESTART;
            break;
        }
    }
    *done = i;
    return rc;
}

static int call_pg_owner(struct mmuext_call *c, uint32_t foreigndom)
{
    int rc;

    c->pg_owner = get_pg_owner(c->curr, (domid_t)foreigndom);
    if (!c->pg_owner)
        return -ESRCH;
    rc = is_pv_domain(c->pg_owner) ? xsm_mmuext_op(c->curr->domain, c->pg_owner) : -EINVAL;
    if (rc)
        put_domain(c->pg_owner);
    return rc;
}

long do_mmuext_op(struct vcpu *v, struct hypercall_args *args)
{
    struct mmuext_call c = { .curr = v };
    struct pv_batch b;
    unsigned int done = 0;
    int rc;

    if (!pv_batch_begin(&b, v, args, compat_size(v->domain, COMPAT_mmuext_op), &rc))
        return rc;
    rc = call_pg_owner(&c, b.foreigndom);
    if (rc)
        return rc;
    rc = run_list(&c, &b, &done);
    put_domain(c.pg_owner);
    return pv_batch_end(&b, args, done, rc);
}
