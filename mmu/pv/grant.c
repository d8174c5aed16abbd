// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant mappings in a PV guest's page tables.
 *
 * Concept: a granted frame is another domain's, so the guest could not map it with mmu_update. The grant code, having
 * checked the grant and taken the references, has the entry written here without further questions. Taking a mapping
 * away is the same in reverse, and the entry must be exactly the mapping that the grant code knows of.
 *
 * If the guest overwrites such an entry with mmu_update instead of unmapping the grant, the entry's references go as
 * with any other entry, and the grant stays mapped on paper until the domain dies. As on Xen.
 *
 * Corresponds to xen/arch/x86/pv/grant_table.c.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/private.h"

#include <xen/grant_table.h>

static uint64_t grant_pte_flags(unsigned int flags)
{
    uint64_t f = _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX;

    if (flags & GNTMAP_application_map)
        f |= _PAGE_USER;
    if (!(flags & GNTMAP_readonly))
        f |= _PAGE_RW;
    f |= (uint64_t)((flags >> _GNTMAP_guest_avail0) & 7) << 9;
    return f;
}

static const uint64_t *host_entry(struct vcpu *v, uint64_t addr, unsigned int flags)
{
    return flags & GNTMAP_contains_pte ? pv_map_l1e_at(v->domain, addr) : map_guest_l1e(v, addr);
}

int create_grant_pv_mapping(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags)
{
    const uint64_t *ptr = host_entry(v, *host_addr, flags);
    uint64_t old;

    if (!ptr)
        return GNTST_general_error;
    old = *ptr;
    tlb_l1e_gone(v->domain->xen, old);
    frame_write_u64(v->domain->xen->machine, ptr,
                    adjust_guest_l1e(pte_make(frame, grant_pte_flags(flags)), v->domain->abi->kernel_ring));
    put_page_from_l1e(old, v->domain);
    TRACE_PTE(v, ptr, 1, old, 0, TRACE_PTE_GRANT, 0);
    /* A mapping made over another one: Xen leaves the flush to the guest, and most processors forgive its lack. */
    if (old & _PAGE_PRESENT)
        pv_flush_tlb(v->domain);
    return GNTST_okay;
}

int replace_grant_pv_mapping(struct vcpu *v, uint64_t addr, mfn_t frame, uint64_t new_addr, unsigned int flags)
{
    const uint64_t *ptr = host_entry(v, addr, flags), *from = NULL;
    uint64_t old, old_from;
    struct machine *m = v->domain->xen->machine;

    if (new_addr && (flags & GNTMAP_contains_pte))
        return GNTST_general_error;
    if (!ptr)
        return GNTST_general_error;
    if (!mfn_eq(pte_mfn(*ptr), frame) || ((*ptr ^ grant_pte_flags(flags)) & (_PAGE_PRESENT | _PAGE_RW))) {
        pv_refused(v->domain, "entry %016lx is not the grant mapping of frame %lx", *ptr, mfn_x(frame));
        return GNTST_general_error;
    }
    if (new_addr) {
        from = map_guest_l1e(v, new_addr);
        if (!from || from == ptr)
            return GNTST_general_error;
    }
    old = *ptr;
    old_from = from ? *from : 0;
    tlb_l1e_gone(v->domain->xen, old);
    tlb_l1e_gone(v->domain->xen, old_from);
    frame_write_u64(m, ptr, old_from);
    TRACE_PTE(v, ptr, 1, old, 0, TRACE_PTE_GRANT, 0);
    if (from) {
        frame_write_u64(m, from, 0);
        TRACE_PTE(v, from, 1, old_from, 0, TRACE_PTE_GRANT, 0);
    }
    return GNTST_okay;
}
