// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frame numbers: the guest's own, and the machine's.
 *
 * Concept: three numbers name a page of a PV guest.
 *
 *      virtual address  --page tables-->  mfn   the machine frame, what the processor uses
 *                                         pfn   the guest's own count from 0, what the guest's data structures use
 *
 * The list start_info->mfn_list (p2m) leads from pfn to mfn. It is the guest's own memory, which the guest keeps up to
 * date, and the toolstack when it resumes the guest on another machine. Xen's table machine_to_phys_mapping (m2p) leads
 * back. It is read-only, the same for all domains and as long as the machine is large: it has entries of others'
 * frames, with pfns that mean something to those alone, and where the machine has no memory it has holes, at which a
 * read is a page fault.
 *
 * Invariant: mfn_to_pfn(mfn) is a pfn only if pfn_to_mfn() of that is mfn. Of any number, neither faults.
 *
 * Stated in public <xen/xen.h> (start-of-day memory layout), <xen/memory.h> (XENMEM_exchange).
 */
#include "guests/rt/guest.h"

void p2m_set(unsigned long pfn, unsigned long mfn) { ((unsigned long *)start_info->mfn_list)[pfn] = mfn; }

static long m2p_read(long mfn) { return (long)((volatile unsigned long *)machine_to_phys_mapping)[mfn]; }

unsigned long pfn_to_mfn(unsigned long pfn)
{
    return pfn < start_info->nr_pages ? ((unsigned long *)start_info->mfn_list)[pfn] : INVALID_P2M_ENTRY;
}

unsigned long mfn_to_pfn(unsigned long mfn)
{
    struct caught c;

    if (mfn >= MACH2PHYS_NR_ENTRIES)
        return INVALID_P2M_ENTRY;
    c = trap_catch(m2p_read, (long)mfn);
    if (c.trapped || pfn_to_mfn((unsigned long)c.result) != mfn)
        return INVALID_P2M_ENTRY;
    return (unsigned long)c.result;
}

/* Xen takes a frame only when nothing maps it any more, so what is in it is kept meanwhile. */
long page_exchange(void *va)
{
    static char kept[PAGE_SIZE];
    const uint64_t *pte = pte_find(va, 1), old = pte ? *pte : 0;
    xen_pfn_t in = PTE_FRAME(old), out = mfn_to_pfn(in);
    struct xen_memory_exchange x = {
        .in = { .nr_extents = 1, .domid = DOMID_SELF },
        .out = { .nr_extents = 1, .domid = DOMID_SELF },
    };
    long rc;

    if (!(old & PTE_P) || out == INVALID_P2M_ENTRY)
        return -XEN_EINVAL;
    set_xen_guest_handle(x.in.extent_start, &in);
    set_xen_guest_handle(x.out.extent_start, &out);
    memcpy(kept, va, PAGE_SIZE);
    rc = HYPERVISOR_update_va_mapping((unsigned long)va, 0, UVMF_INVLPG);
    if (rc)
        return rc;
    rc = HYPERVISOR_memory_op(XENMEM_exchange, &x);
    if (rc) {
        MUST(HYPERVISOR_update_va_mapping((unsigned long)va, old, UVMF_INVLPG));
        return rc;
    }
    p2m_set(virt_to_pfn(va), out);
    MUST(page_map(va, out, PTE_KERNEL));
    memcpy(va, kept, PAGE_SIZE);
    if (!(old & PTE_RW))
        MUST(page_protect(va, PTE_READONLY));
    return 0;
}
