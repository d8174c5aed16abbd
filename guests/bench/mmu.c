// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/mmu: page tables by hypercall. op=update (mmu_update of one entry), update32 (32 entries a call; n counts
 * entries), va (update_va_mapping with INVLPG), pin1 (pin and unpin a full level 1 table), pin4 (a tree of four levels
 * above that).
 */
#include "guests/bench/bench.h"

static uint64_t *l1, *l2, *l3, *root;
static char *page[2];

#define PTE(va, flags) (virt_to_mfn(va) << PAGE_SHIFT | (flags))

/* A tree below `root` whose level 1 table is full, and nothing of which is writable. */
static void tree_build(void)
{
    page[0] = page_alloc();
    page[1] = page_alloc();
    l1 = page_alloc();
    l2 = page_alloc();
    l3 = page_alloc();
    root = page_alloc();
    for (unsigned int i = 0; i < 512; i++)
        l1[i] = PTE(page[i & 1], PTE_KERNEL);
    l2[0] = PTE(l1, PTE_TABLE);
    l3[0] = PTE(l2, PTE_TABLE);
    root[0] = PTE(l3, PTE_TABLE);
    MUST(page_protect(l1, PTE_READONLY));
    MUST(page_protect(l2, PTE_READONLY));
    MUST(page_protect(l3, PTE_READONLY));
    MUST(page_protect(root, PTE_READONLY));
}

static long updates(long n, unsigned int batch)
{
    static struct mmu_update req[2][32];
    long rc = 0;

    tree_build();
    MUST(mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(root)));
    for (unsigned int i = 0; i < 64; i++)
        req[i / 32][i % 32] = (struct mmu_update){
            .ptr = virt_to_mfn(l1) << PAGE_SHIFT | (i % 32) * 8 | MMU_NORMAL_PT_UPDATE,
            .val = PTE(page[(i + i / 32) & 1], PTE_KERNEL),
        };
    for (unsigned int flip = 1; n > 0 && rc == 0; n -= batch, flip ^= 1)
        rc = HYPERVISOR_mmu_update(req[flip], batch, NULL, DOMID_SELF);
    return rc;
}

static long update(long n) { return updates(n, 1); }
static long update32(long n) { return updates(n, 32); }

static long va(long n)
{
    uint64_t pte[2];
    char *at = page_alloc();
    long rc = 0;

    tree_build();
    pte[0] = PTE(page[0], PTE_KERNEL);
    pte[1] = PTE(page[1], PTE_KERNEL);
    while (n-- > 0 && rc == 0)
        rc = HYPERVISOR_update_va_mapping((unsigned long)at, pte[n & 1], UVMF_INVLPG);
    return rc;
}

static long pins(long n, unsigned int pin, void *table)
{
    unsigned long mfn = virt_to_mfn(table);
    long rc = 0;

    while (n-- > 0 && rc == 0) {
        rc = mmuext(pin, mfn);
        if (rc == 0)
            rc = mmuext(MMUEXT_UNPIN_TABLE, mfn);
    }
    return rc;
}

static long pin1(long n)
{
    tree_build();
    return pins(n, MMUEXT_PIN_L1_TABLE, l1);
}

static long pin4(long n)
{
    tree_build();
    return pins(n, MMUEXT_PIN_L4_TABLE, root);
}

int guest_main(void)
{
    static const struct bench list[] = {
        { "update", update }, { "update32", update32 }, { "va", va }, { "pin1", pin1 }, { "pin4", pin4 },
    };

    return bench_main(list, ARRAY_SIZE(list));
}
