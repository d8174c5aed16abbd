// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Roots: the tables that a vCPU's CR3 points to.
 *
 * Concept: a root is a use of an L4 table like any other: loading one takes references, leaving one gives them up, and
 * the tree below stays valid meanwhile. A PV64 vCPU has two, since its kernel and its user code both run at CPL 3: the
 * kernel's maps everything, the user's only what user code may see, and Xen switches between them with the mode. A PV32
 * vCPU has the four-entry L3 that its guest made; the L4 above it is Xen's own and only slot 0 changes.
 *
 * m2p_strict: without it every kernel root shows the M2P; with it user roots never do.
 *
 * Corresponds to new_guest_cr3(), vcpu_destroy_pagetables() of xen/arch/x86/mm.c, xen/arch/x86/pv/mm.c, write_ptbase().
 */
#include "mmu/pv/private.h"
#include "mmu/tlb.h"

#define GDT_LIMIT 0xefff /* up to and with Xen's page */
#define LDT_ATTR  0x82   /* present, type LDT */

static void ro_mpt_set(const struct domain *d, mfn_t l4, bool on)
{
    const uint64_t *slot = &table_map(d->xen, l4)[RO_MPT_SLOT];
    uint64_t e = 0;

    if (on)
        e = pte_make(d->xen->m2p_l3, _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED);
    if (e != *slot)
        tlb_table_entry_gone(d->xen, *slot);
    frame_write_u64(d->xen->machine, slot, e);
}

/* Give a former root up, later if it is much work: -ERESTART then, and v->old_guest_table holds it. */
static int root_put(struct vcpu *v, mfn_t mfn)
{
    struct page_info *pg;
    int rc;

    if (mfn_eq(mfn, INVALID_MFN))
        return 0;
    pg = mfn_to_page(v->domain->xen, mfn);
    rc = put_page_and_type_preemptible(v, pg);
    if (rc)
        page_put_later(v, pg);
    return rc;
}

/* PV32: the guest's L3 goes under Xen's own L4. */
static void compat_l3_set(struct vcpu *v, mfn_t l3)
{
    uint64_t e = 0;

    if (!mfn_eq(l3, INVALID_MFN))
        e = pte_make(l3, _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED);
    v->pv.compat_l3 = l3;
    machine_mappings_gone(v->domain->xen->machine);
    if (!mfn_eq(v->pv.guest_table, INVALID_MFN))
        frame_write_u64(v->domain->xen->machine, table_map(v->domain->xen, v->pv.guest_table), e);
}

static void l4_set(struct vcpu *v, mfn_t l4)
{
    if (!mfn_eq(l4, INVALID_MFN) && !VM_ASSIST(v->domain, m2p_strict))
        ro_mpt_set(v->domain, l4, true);
    v->pv.guest_table = l4;
}

/* pv_guest_root() from now on; the references are the caller's affair. INVALID_MFN: none. */
static void guest_root_set(struct vcpu *v, mfn_t root)
{
    if (v->domain->abi->root_level == 3)
        compat_l3_set(v, root);
    else
        l4_set(v, root);
}

static void trace_cr3(struct vcpu *v, mfn_t old, mfn_t root, enum trace_root which, enum trace_cr3_why why, int rc)
{
    TRACE_VCPU(v, cr3, mfn_x(old), mfn_x(root), which, why, (uint64_t)(int64_t)rc);
}

static int new_root(struct vcpu *v, mfn_t root, enum trace_cr3_why why)
{
    const mfn_t old = pv_guest_root(v);
    int rc;

    if (mfn_eq(old, root))
        return 0;
    rc = get_page_and_type_from_mfn(v, root, level_type(v->domain->abi->root_level), v->domain, 0);
    if (rc != -ERESTART)
        trace_cr3(v, old, root, TRACE_ROOT_KERNEL, why, rc);
    if (rc)
        return rc;
    guest_root_set(v, root);
    rc = root_put(v, old);
    pv_destroy_ldt(v); /* it was faulted in through the old tables */
    return rc;
}

int new_guest_cr3(struct vcpu *v, mfn_t root, enum trace_cr3_why why)
{
    int rc = put_old_guest_table(v);

    if (rc)
        return rc;
    rc = new_root(v, root, why);
    if (rc && rc != -ERESTART)
        pv_refused(v->domain, "frame %lx cannot be a root: %d", mfn_x(root), rc);
    else
        pv_update_cr3(v);
    return rc;
}

int pv_set_user_cr3(struct vcpu *v, mfn_t root, enum trace_cr3_why why)
{
    struct domain *d = v->domain;
    mfn_t old = v->pv.guest_table_user;
    int rc;

    if (mfn_eq(old, root) || (mfn_eq(old, INVALID_MFN) && !mfn_x(root)))
        return 0;
    if (mfn_x(root)) {
        rc = get_page_and_type_from_mfn(v, root, PGT_l4_page_table, d, 0);
        if (rc != -ERESTART)
            trace_cr3(v, old, root, TRACE_ROOT_USER, why, rc);
        if (rc)
            return rc;
        if (VM_ASSIST(d, m2p_strict))
            ro_mpt_set(d, root, false);
    } else {
        trace_cr3(v, old, INVALID_MFN, TRACE_ROOT_USER, why, 0);
    }
    v->pv.guest_table_user = mfn_x(root) ? root : INVALID_MFN;
    vcpu_flush_tlb(v); /* it may know a former root of this number */
    if (!v->pv.kernel_mode && mfn_x(root))
        pv_update_cr3(v);
    return root_put(v, old);
}

void pv_update_cr3(struct vcpu *v)
{
    struct cpu_state *r = v->regs;
    mfn_t root = v->pv.kernel_mode ? v->pv.guest_table : v->pv.guest_table_user;
    struct cpu_segment ldt = { 0 };

    if (mfn_eq(root, INVALID_MFN))
        return; /* not built yet */
    r->cr3 = mfn_x(root) << PAGE_SHIFT;
    r->root = !v->pv.kernel_mode;
    r->dirty |= CPU_DIRTY_CR3;
    v->tlb_stamp = ++v->domain->xen->tlb_clock;
    if (v->pv.ldt_ents)
        ldt = (struct cpu_segment){ 0xe000 | 8, LDT_ATTR, v->pv.ldt_ents * 8 - 1, LDT_VIRT_START(v) };
    if (r->gdtr.base == GDT_VIRT_START(v) && r->gdtr.limit == GDT_LIMIT && r->ldtr.limit == ldt.limit &&
        r->ldtr.attr == ldt.attr && r->ldtr.base == ldt.base)
        return;
    r->gdtr = (struct cpu_table){ GDT_VIRT_START(v), GDT_LIMIT };
    r->ldtr = ldt;
    r->dirty |= CPU_DIRTY_SEGS;
}

void toggle_guest_pt(struct vcpu *v)
{
    const mfn_t root = v->pv.kernel_mode ? v->pv.guest_table : v->pv.guest_table_user;

    if (mfn_eq(root, INVALID_MFN))
        return;
    v->regs->cr3 = mfn_x(root) << PAGE_SHIFT;
    v->regs->root = !v->pv.kernel_mode;
    v->regs->dirty |= CPU_DIRTY_ROOT;
}

int vcpu_destroy_pagetables(struct vcpu *v)
{
    mfn_t old;
    int rc = put_old_guest_table(v);

    if (rc)
        return rc;
    old = v->pv.guest_table_user;
    v->pv.guest_table_user = INVALID_MFN;
    rc = root_put(v, old);
    if (rc)
        return rc;
    old = pv_guest_root(v);
    guest_root_set(v, INVALID_MFN);
    return root_put(v, old);
}
