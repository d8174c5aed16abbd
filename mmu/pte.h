// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page-table entries: their bits, and which of them a PV guest may set.
 *
 *   63 62     61..53     52  51                 12  11..9  8  7    6  5  4    3    2   1   0
 *   NX GNTTAB available  GK  machine frame number   avail  G  PAT  D  A  PCD  PWT  US  RW  P
 *
 * The same layout serves all four levels; in levels 2 to 4 bit 7 means "large page" (PSE), which PV guests do not get.
 * Xen changes what a PV64 guest wrote in one way: kernel and user of such a guest both run at CPL 3, so every entry
 * gets US, and an L1 entry that the guest meant for its kernel alone is marked with bit 52 (_PAGE_GUEST_KERNEL). The
 * kernel's pages are safe from user code because user code runs on page tables of its own.
 *
 * Corresponds to xen/arch/x86/include/asm/page.h, x86_64/page.h and the DISALLOW masks and adjust_guest_l*e() of mm.c.
 * Simplified: entries are plain uint64_t at every level, and no PV guest owns I/O memory, so cache attributes stay
 * forbidden in L1 entries.
 */
#ifndef MMU_PTE_H
#define MMU_PTE_H

#include "mmu/page.h"
#include "sim/x86.h"

#define _PAGE_GUEST_KERNEL (UINT64_C(1) << 52)
#define _PAGE_AVAIL_HIGH   (UINT64_C(0x7ff) << 52)
#define _PAGE_GNTTAB       (UINT64_C(1) << 62)

/* The drawing above: every bit once, and what lies in the upper available ones. */
_Static_assert(_PAGE_PRESENT + _PAGE_RW + _PAGE_USER + _PAGE_PWT + _PAGE_PCD + _PAGE_ACCESSED + _PAGE_DIRTY +
                       _PAGE_PAT + _PAGE_GLOBAL + _PAGE_AVAIL + PTE_MFN_MASK + _PAGE_AVAIL_HIGH + _PAGE_NX ==
                   UINT64_MAX,
               "all bits of an entry");
_Static_assert(_PAGE_AVAIL_HIGH >> 52 == 0x7ff && _PAGE_GUEST_KERNEL >> 52 == 1 && _PAGE_GNTTAB >> 62 == 1, "62..52");

/* Bits that a present entry of a guest must not have. */
#define BASE_DISALLOW_MASK (_PAGE_PWT | _PAGE_PCD | _PAGE_PSE | _PAGE_GLOBAL)
#define L1_DISALLOW_MASK   ((BASE_DISALLOW_MASK | _PAGE_GNTTAB) & ~_PAGE_GLOBAL)
/* Who has devices may say how their memory is cached. */
static inline uint64_t l1_disallow_mask(const struct domain *d)
{
    return is_hardware_domain(d) ? L1_DISALLOW_MASK & ~(_PAGE_PWT | _PAGE_PCD) : L1_DISALLOW_MASK;
}

/* A change of these bits alone neither needs nor frees a reference. */
#define FASTPATH_FLAG_WHITELIST                                                                                        \
    (_PAGE_NX | _PAGE_AVAIL_HIGH | _PAGE_AVAIL | _PAGE_GLOBAL | _PAGE_DIRTY | _PAGE_ACCESSED | _PAGE_USER)

static inline mfn_t pte_mfn(uint64_t e) { return _mfn((e & PTE_MFN_MASK) >> PAGE_SHIFT); }
static inline uint64_t pte_make(mfn_t mfn, uint64_t flags) { return mfn_x(mfn) << PAGE_SHIFT | flags; }

/* PGT_l1_page_table .. PGT_l4_page_table and back. */
static inline uint64_t level_type(unsigned int level) { return (uint64_t)level << 61; }
static inline unsigned int type_level(uint64_t type) { return (unsigned int)(type >> 61); }
static inline bool type_is_table(uint64_t type) { return type_level(type) - 1 < 4; }

/* What Xen makes of an L1 entry that a guest wrote, whose kernel runs in this ring. */
static inline uint64_t adjust_guest_l1e(uint64_t e, unsigned int kernel_ring)
{
    if (!(e & _PAGE_PRESENT) || kernel_ring != 3)
        return e;
    if (!(e & _PAGE_USER))
        return e | _PAGE_GUEST_KERNEL | _PAGE_USER;
    return e & _PAGE_GUEST_KERNEL ? e : e | _PAGE_GLOBAL;
}

#endif
