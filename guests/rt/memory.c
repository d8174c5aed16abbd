// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables that one may look at but not touch.
 *
 * Concept: in the region that Xen mapped at the start, virtual = VIRT_BASE + pfn * 4096; which frame of the machine is
 * behind a pfn says p2m.c, and behind an address the page tables.
 *
 * Page tables hold machine frames and are read by the real MMU: there is no second translation. So the guest must not
 * write them: it could map anybody's memory. They are mapped read-only, and every change is asked of Xen, which checks
 * it: one entry by its virtual address (update_va_mapping), or many by machine address (mmu_update). That is direct
 * paging.
 *
 * Stated in public <xen/xen.h> (mmu_update, mmuext_op, update_va_mapping; start-of-day memory layout).
 */
#include "guests/rt/guest.h"

static unsigned long next_pfn, end_pfn;

unsigned long virt_to_pfn(const void *va) { return (unsigned long)((const char *)va - VIRT_BASE) >> PAGE_SHIFT; }
void *pfn_to_virt(unsigned long pfn) { return VIRT_BASE + (pfn << PAGE_SHIFT); }
/* Without a question: page tables, and what start_info names, are ours for certain. */
void *mfn_to_virt(unsigned long mfn) { return pfn_to_virt(machine_to_phys_mapping[mfn]); }

/* From the page tables, which know best: `va` need not be in the initial region, nor its frame be ours. */
unsigned long virt_to_mfn(const void *va)
{
    const uint64_t *pte = pte_find(va, 1);

    return pte ? PTE_FRAME(*pte) : ~0ul;
}

/* Xen's boot stack is the last thing that it put into the initial region; the rest, up to a 4 MiB boundary, is ours. */
void memory_init(unsigned long first_stack)
{
    next_pfn = virt_to_pfn((void *)first_stack);
    for (end_pfn = next_pfn; end_pfn < start_info->nr_pages; end_pfn++) {
        const uint64_t *pte = pte_find(pfn_to_virt(end_pfn), 1);

        if (!pte || !(*pte & PTE_P))
            break;
    }
}

void *page_alloc(void)
{
    if (next_pfn == end_pfn)
        guest_panic("out of pages");
    return memset(pfn_to_virt(next_pfn++), 0, PAGE_SIZE);
}

unsigned long pfn_first_raw(void) { return end_pfn; }

/* --- page tables --- */

uint64_t *table_find(const void *va, unsigned int level)
{
    uint64_t *table = (uint64_t *)start_info->pt_base;

    for (unsigned int l = 4; l > level; l--) {
        uint64_t entry = table[table_index(va, l)];

        if (!(entry & PTE_P))
            return NULL;
        table = mfn_to_virt(PTE_FRAME(entry));
    }
    return table;
}

uint64_t *pte_find(const void *va, unsigned int level)
{
    uint64_t *table = table_find(va, level);

    return table ? table + table_index(va, level) : NULL;
}

/* The table is in the initial region: its frame is found from its address. */
uint64_t pte_machine(const void *va, unsigned int level)
{
    uint64_t *pte = pte_find(va, level);

    return (virt_to_mfn(pte) << PAGE_SHIFT) | ((uintptr_t)pte & (PAGE_SIZE - 1));
}

long page_map(void *va, unsigned long mfn, uint64_t flags)
{
    return HYPERVISOR_update_va_mapping((unsigned long)va, mfn << PAGE_SHIFT | flags, UVMF_INVLPG);
}

long page_protect(void *va, uint64_t flags) { return page_map(va, virt_to_mfn(va), flags); }

long pte_write(uint64_t machine, uint64_t val)
{
    struct mmu_update update = { .ptr = machine | MMU_NORMAL_PT_UPDATE, .val = val };

    return HYPERVISOR_mmu_update(&update, 1, NULL, DOMID_SELF);
}

long mmuext(unsigned int cmd, unsigned long mfn)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };

    return HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

long table_pin(void *va, unsigned int level)
{
    static const unsigned int cmd[] = {
        0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
    };
    long rc = page_protect(va, PTE_READONLY);

    return rc ? rc : mmuext(cmd[level], virt_to_mfn(va));
}

long table_unpin(void *va)
{
    long rc = mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(va));

    return rc ? rc : page_protect(va, PTE_KERNEL);
}
