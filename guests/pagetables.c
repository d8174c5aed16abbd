// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pagetables: direct paging, and what protects it.
 *
 * Shows a guest that builds its own tree of page tables, in machine frames, and lets the processor use it; and what
 * keeps that safe. Every frame has a type, and a count of what relies on it: a page table is never writable at once,
 * and becomes one only after each of its entries was checked. The classic attacks follow, with Xen's answers: an error
 * number, or a page fault.
 */
#include "guests/rt/guest.h"

#define HOLE                    ((char *)0x8000000000ul) /* where nothing is mapped: the second entry of the root */
#define PTE(va, flags)          (virt_to_mfn(va) << PAGE_SHIFT | (flags))
#define FOREIGN_PTE(mfn, flags) ((uint64_t)(mfn) << PAGE_SHIFT | (flags))

static uint64_t *root, *l3, *l2, *l1;
static char *page;

/* The machine address of an entry of one of our tables. */
static uint64_t at(const uint64_t *table, unsigned int index) { return virt_to_mfn(table) << PAGE_SHIFT | index * 8; }

static void tried(const char *what, long rc) { printf("  %-58s %s\n", what, xen_error(rc)); }

static long poke(long arg)
{
    *(volatile uint64_t *)arg = 0;
    return 0;
}

static void poked(const char *what, void *va)
{
    struct caught c = trap_catch(poke, (long)va);

    if (c.trapped)
        printf("  %-58s %s, error code %#x\n", what, trap_name(c.vector), c.error_code);
    else
        tried(what, 0);
}

static void build(void)
{
    printf("Building a tree of four tables that maps a page of mine at %p:\n", HOLE);
    page = page_alloc();
    l1 = page_alloc();
    l2 = page_alloc();
    l3 = page_alloc();
    root = page_alloc();
    memcpy(page, "hello", 6);
    l1[table_index(HOLE, 1)] = PTE(page, PTE_KERNEL);
    l2[table_index(HOLE, 2)] = PTE(l1, PTE_TABLE);
    l3[table_index(HOLE, 3)] = PTE(l2, PTE_TABLE);
    root[table_index(HOLE, 4)] = PTE(l3, PTE_TABLE);
    root[table_index(VIRT_BASE, 4)] = *pte_find(VIRT_BASE, 4); /* and the kernel, which must not vanish */

    tried("pin the root while I can write all of it", mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(root)));
    MUST(page_protect(root, PTE_READONLY));
    tried("pin the root while I can write the tables below", mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(root)));
    MUST(page_protect(l3, PTE_READONLY));
    MUST(page_protect(l2, PTE_READONLY));
    MUST(page_protect(l1, PTE_READONLY));
    tried("pin the root, all of it being read-only", mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(root)));
    tried("make it this processor's", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(root)));
    printf("  what is mapped there says \"%s\"\n", HOLE);
}

static void attack_writable(void)
{
    printf("A page table that is writable:\n");
    tried("map my level 1 table writable", page_map(page, virt_to_mfn(l1), PTE_KERNEL));
    tried("map it read-only", page_map(page, virt_to_mfn(l1), PTE_READONLY));
    poked("write into that", page);
    tried("the same in my level 1 table itself", pte_write(at(l1, 1), PTE(l1, PTE_KERNEL)));
    tried("a linear map: root entry 2 to the root, read-only", pte_write(at(root, 2), PTE(root, PTE_READONLY)));
    tried("... writable", pte_write(at(root, 3), PTE(root, PTE_TABLE)));
    tried("root entry 3 to a level 2 table", pte_write(at(root, 3), PTE(l2, PTE_TABLE)));
    tried("level 2 entry to a page that I can write", pte_write(at(l2, 1), PTE(start_info, PTE_TABLE)));
    tried("a superpage (PSE) in level 2", pte_write(at(l2, 1), FOREIGN_PTE(0x200, PTE_TABLE | PTE_PSE)));
}

static void attack_direct(void)
{
    printf("Stores to page tables, without a hypercall:\n");
    poked("clear an entry of level 1", &l1[5]);
    MUST(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
    poked("the same with Xen's assistance: it does it for me", &l1[5]);
    poked("clear an entry of level 2", &l2[5]);
    poked("clear an entry of the root", &root[5]);
}

static void attack_foreign(void)
{
    printf("Memory that is not mine:\n");
    tried("map the machine's first frame, read-only", page_map(page, 0, PTE_READONLY));
    tried("map a table of Xen's, found in my root, read-only", page_map(page, PTE_FRAME(root[256]), PTE_READONLY));
    tried("map a frame beyond the end of memory", page_map(page, 0xffffffff, PTE_READONLY));
    tried("an entry of the root where Xen lives", pte_write(at(root, 256), PTE(l3, PTE_TABLE)));
    tried("mmu_update of data (I could as well store there)", pte_write(at((uint64_t *)page, 0), 0));
    tried("update_va_mapping in the name of domain 0",
          HYPERVISOR_update_va_mapping_otherdomain((unsigned long)page, 0, 0, 0));
    poked("write Xen's m2p table", &machine_to_phys_mapping[pfn_to_mfn(0)]);
}

static void attack_root(void)
{
    char *data = page_alloc();

    printf("A root that Xen has not checked:\n");
    tried("CR3 = a page of data, which I can write", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(data)));
    memset(data, 0xff, PAGE_SIZE);
    MUST(page_protect(data, PTE_READONLY));
    tried("CR3 = a page of rubbish, read-only", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(data)));
    tried("CR3 = my level 3 table", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(l3)));
    tried("pin the level 3 table as level 1", mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l3)));
}

int guest_main(void)
{
    build();
    attack_writable();
    attack_direct();
    attack_foreign();
    attack_root();

    printf("The end:\n");
    tried("back to Xen's first tree", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn((void *)start_info->pt_base)));
    tried("the root is pinned still, and cannot be written", page_protect(root, PTE_KERNEL));
    tried("unpin it", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(root)));
    tried("now it is memory like any other", page_protect(root, PTE_KERNEL));
    return 0;
}
