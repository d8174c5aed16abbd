// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_update_va_mapping: change the L1 entry behind a virtual address, and flush.
 *
 * Concept: the short way for the most common job, mapping one page: no list in memory, and the TLB flush that would
 * follow is part of the call. The entry is found through the caller's current page tables; from there on it is
 * mod_l1_entry().
 *
 *   flags:  bits 1..0 nothing, flush all, or flush the page (UVMF_*); the rest: 0 this vCPU, UVMF_ALL all vCPUs, else
 *           the address of a bitmap of vCPUs
 *
 * Corresponds to do_update_va_mapping() and its compat and _otherdomain forms in xen/arch/x86/mm.c.
 */
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

struct domain *get_pg_owner(struct vcpu *v, domid_t domid)
{
    struct domain *d = v->domain;

    if (domid == DOMID_SELF) {
        get_knownalive_domain(d);
        return d;
    }
    if (domid == d->domain_id) {
        pv_refused(d, "cannot name itself as a foreign domain");
        return NULL;
    }
    return domid >= DOMID_FIRST_RESERVED ? get_system_domain(d->xen, domid) : get_domain_by_id(d->xen, domid);
}

static int flush(struct vcpu *v, uint64_t va, uint64_t flags)
{
    const uint64_t target = flags & ~UVMF_FLUSHTYPE_MASK, type = flags & UVMF_FLUSHTYPE_MASK;

    if (type == UVMF_TLB_FLUSH || type == UVMF_INVLPG)
        TRACE_VCPU(v, tlb,
                   target == UVMF_ALL     ? TRACE_TLB_ALL
                   : target != UVMF_LOCAL ? TRACE_TLB_SOME
                   : type == UVMF_INVLPG  ? TRACE_TLB_PAGE
                                          : TRACE_TLB_LOCAL,
                   type == UVMF_INVLPG ? va : 0);
    switch (type) {
    case UVMF_TLB_FLUSH:
    case UVMF_INVLPG:
        if (target == UVMF_LOCAL && type == UVMF_INVLPG)
            vcpu_flush_tlb_one(v, va);
        else if (target == UVMF_LOCAL)
            vcpu_flush_tlb(v);
        else if (target == UVMF_ALL)
            pv_flush_tlb(v->domain);
        else
            return pv_flush_vcpumask(v, target);
    }
    return 0;
}

static long update_va_mapping(struct vcpu *v, uint64_t va, uint64_t val, uint64_t flags, struct domain *pg_owner)
{
    const uint64_t *l1e;
    uint64_t old;
    int rc = xsm_update_va_mapping(v->domain, pg_owner);

    if (rc)
        return rc;
    l1e = is_pv_domain(v->domain) ? map_guest_l1e(v, va) : NULL;
    if (!l1e)
        return -EINVAL;
    old = *l1e;
    rc = mod_l1_entry(l1e, val, MMU_NORMAL_PT_UPDATE, v->domain, pg_owner);
    TRACE_PTE(v, l1e, 1, old, val, TRACE_PTE_VA_MAPPING, rc);
    return rc ? rc : flush(v, va, flags);
}

static long otherdomain(struct vcpu *v, uint64_t va, uint64_t val, uint64_t flags, domid_t domid)
{
    struct domain *pg_owner = get_pg_owner(v, domid);
    long rc;

    if (!pg_owner)
        return -ESRCH;
    rc = update_va_mapping(v, va, val, flags, pg_owner);
    put_domain(pg_owner);
    return rc;
}

long do_update_va_mapping(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    return update_va_mapping(v, a[0], a[1], a[2], v->domain);
}

long do_update_va_mapping_otherdomain(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    return otherdomain(v, a[0], a[1], a[2], (domid_t)a[3]);
}

/* A PV32 guest passes the 64-bit entry in two words. */
long compat_update_va_mapping(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    return update_va_mapping(v, a[0], (uint32_t)a[1] | a[2] << 32, a[3], v->domain);
}

long compat_update_va_mapping_otherdomain(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    return otherdomain(v, a[0], (uint32_t)a[1] | a[2] << 32, a[3], (domid_t)a[4]);
}
