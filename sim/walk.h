// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page-table walk.
 *
 * Concept: what the processor does to translate a linear address in long mode. Four tables of 512 entries, each entry
 * with the frame of the next one, and a right that one entry withholds is withheld:
 *
 *      63..48   47     39 38     30 29     21 20     12 11         0
 *      +------+---------+---------+---------+---------+-----------+
 *      | sign |   L4    |   L3    |   L2    |   L1    |  offset   |
 *      +------+---------+---------+---------+---------+-----------+
 *                 |         | PSE: 1 GiB page   | page of 4 KiB
 *                 |                   | PSE: 2 MiB page
 *
 * It lies in sim/ and not in mmu/, since it has users below and above that line: the engine looks for the instruction
 * that was stopped at and compares its TLB; the hypervisor reaches a guest's memory, and finds the entry that a guest
 * wants changed. It looks and changes nothing: who makes an access on a guest's behalf sets A and D in the entry
 * (frame_write_u64()).
 *
 * Where the tables are is the caller's affair (a function from the physical address to the table), so that the engine
 * may walk in pages of its own, too; machine_walk() is the walk in RAM. Inline and unrolled, so that neither the
 * function nor the levels cost anything: each hypercall with a pointer comes here.
 *
 * AMD APM volume 2, 5.3 and 5.6; Xen: xen/arch/x86/mm/guest_walk.c, map_guest_l1e(). Simplified: no PAE
 * tables (a PV32 guest runs on four levels here), and reserved bits are ignored.
 */
#ifndef SIM_WALK_H
#define SIM_WALK_H

#include "sim/machine.h"
#include "sim/x86.h"

/* How far a walk came: the last entry that was read. level 5: not even one. */
struct page_walk {
    const uint64_t *entry; /* where it stands */
    uint64_t leaf;         /* what it says */
    uint64_t table;        /* physical address of the table that it is in */
    uint64_t phys;         /* physical address of the byte; if it was found */
    uint64_t rights;       /* RW, US: all entries have it; NX: one has it; if it was found */
    unsigned int level;
};

/* The table at physical address addr, of which the last 12 bits are 0; NULL: nothing is there. */
typedef const uint64_t *page_walk_table_fn(const void *ctx, uint64_t addr);

/*
 * Translate va under the tables at physical address root (the other bits of CR3 are ignored). True: there is a page, or
 * a large one.
 */
static inline bool page_walk(struct page_walk *w, uint64_t root, uint64_t va, page_walk_table_fn *table,
                             const void *ctx)
{
    uint64_t e = root, rights = ~UINT64_C(0), offset_mask;
    unsigned int level;

    w->level = 5;
    w->rights = 0;
    if (!is_canonical(va))
        return false;
#pragma GCC unroll 4
    for (level = 4; level > 0; level--) {
        const uint64_t *t = table(ctx, e & PTE_MFN_MASK);

        if (!t)
            return false;
        w->table = e & PTE_MFN_MASK;
        w->entry = &t[pte_index(va, level)];
        w->level = level;
        w->leaf = e = *w->entry;
        if (!(e & _PAGE_PRESENT))
            return false;
        rights &= e ^ _PAGE_NX;
        if (level == 1 || ((e & _PAGE_PSE) && level < 4))
            break;
    }
    offset_mask = (UINT64_C(1) << (PAGE_SHIFT + 9 * (level - 1))) - 1;
    w->phys = (e & PTE_MFN_MASK & ~offset_mask) | (va & offset_mask);
    w->rights = rights ^ _PAGE_NX;
    return true;
}

_Static_assert(PFEC_write_access == _PAGE_RW && PFEC_user_mode == _PAGE_USER,
               "an access and the right to it have one bit");

/* May the page that w has found be accessed so (PFEC_*)? The hypervisor and ring 0 have CR0.WP set. */
static inline bool page_walk_allows(const struct page_walk *w, uint32_t access)
{
    return !(access & (PFEC_write_access | PFEC_user_mode) & ~w->rights) &&
           !((access & PFEC_insn_fetch) && (w->rights & _PAGE_NX));
}

static inline const uint64_t *machine_table(const void *machine, uint64_t addr)
{
    const struct machine *m = machine;

    return mfn_valid(m, _mfn(PFN_DOWN(addr))) ? mfn_to_virt(m, _mfn(PFN_DOWN(addr))) : NULL;
}

/* page_walk() in the machine's RAM. INVALID_MFN is a root with nothing below it. */
static inline bool machine_walk(const struct machine *m, mfn_t root, uint64_t va, struct page_walk *w)
{
    return page_walk(w, mfn_x(root) << PAGE_SHIFT, va, machine_table, m);
}

#endif
