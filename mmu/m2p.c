// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine-to-physical table (M2P).
 *
 * Concept: a PV guest's page tables hold machine frame numbers, but its kernel thinks in its own numbers (pfn). From pfn to mfn it keeps
 * a list itself; the way back, needed whenever it reads a page-table entry, is this one array for the whole machine, which
 * every PV guest can read at MACH2PHYS_VIRT_START and which Xen alone writes (MMU_MACHPHYS_UPDATE). A PV32 guest
 * reaches only 4 GiB, so there is a second table of 32-bit entries at 0xf5800000.
 *
 *   frames, right behind the firmware's:
 *   | M2P, 8 bytes a frame | its L1 tables | its L2 tables | its L3 || M2P, 4 bytes a frame | its L1 tables | its L2 |
 *
 * The tables of a big machine are big themselves, and most of it is never used. So a page of the M2P comes into being when
 * the heap first hands out one of the 512 frames that it describes: until then its L1 entry is not present. That is as on a real
 * machine, where the table has holes for the holes in memory; guests read it with a fault handler in place.
 *
 * Invariants: an L1 entry of the M2P is present exactly if the page is filled in (m2p_is_open); a free frame's entry is
 * INVALID_M2P_ENTRY. PV64 maps it user-readable (its kernel runs at CPL 3), PV32 supervisor-readable (ring 1).
 *
 * Simplifies xen/arch/x86/x86_64/mm.c:paging_init(), setup_m2p_table(): no superpages, no hotplug.
 */
#include "mmu/m2p.h"

#include "mmu/pte.h"

#include <string.h>

#define M2P_FLAGS       (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_NX)
#define M2P32_FLAGS     (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_NX)
#define M2P_TABLE_FLAGS (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)

#define M2P_PER_PAGE   (PAGE_SIZE / 8)
#define M2P32_PER_PAGE (PAGE_SIZE / 4)

static uint64_t *table(const struct xen *xen, mfn_t mfn) { return mfn_to_virt(xen->machine, mfn); }

/* The L1 tables stand behind what they map, one after the other, so that together they are one array of entries. */
static uint64_t *m2p_l1(const struct xen *xen) { return table(xen, _mfn(mfn_x(xen->m2p_mfn) + xen->m2p_frames)); }

static uint64_t m2p32_frames(const struct xen *xen)
{
    uint64_t n = ROUND_UP(xen->machine->nr_frames, M2P32_PER_PAGE) / M2P32_PER_PAGE;

    return n < COMPAT_M2P_NR_SLOTS * PTES_PER_TABLE ? n : COMPAT_M2P_NR_SLOTS * PTES_PER_TABLE;
}

static uint64_t *m2p32_l1(const struct xen *xen)
{
    return table(xen, _mfn(mfn_x(xen->m2p_compat) + m2p32_frames(xen)));
}

/* Fill upper-level tables at `at` so that they map the nr tables (or pages) from `child` on; returns how many it took. */
static uint64_t map_tables(struct xen *xen, uint64_t at, uint64_t child, uint64_t nr, unsigned int first_slot,
                           uint64_t flags)
{
    for (uint64_t i = 0; i < nr; i++)
        table(xen, _mfn(at + i / PTES_PER_TABLE))[(first_slot + i) % PTES_PER_TABLE] = pte_make(_mfn(child + i), flags);
    return ROUND_UP(nr, PTES_PER_TABLE) / PTES_PER_TABLE;
}

uint64_t m2p_init(struct xen *xen, uint64_t first)
{
    uint64_t nr_l1, l1, nr_l2, l2;

    xen->m2p_mfn = _mfn(first);
    xen->m2p_frames = ROUND_UP(xen->machine->nr_frames, M2P_PER_PAGE) / M2P_PER_PAGE;
    xen->m2p = mfn_to_virt(xen->machine, xen->m2p_mfn);
    l1 = first + xen->m2p_frames;
    nr_l1 = ROUND_UP(xen->m2p_frames, PTES_PER_TABLE) / PTES_PER_TABLE;
    l2 = l1 + nr_l1;
    nr_l2 = map_tables(xen, l2, l1, nr_l1, 0, M2P_TABLE_FLAGS);
    xen->m2p_l3 = _mfn(l2 + nr_l2);
    first = l2 + nr_l2 + map_tables(xen, l2 + nr_l2, l2, nr_l2, 0, M2P_TABLE_FLAGS);

    xen->m2p_compat = _mfn(first);
    xen->m2p32 = mfn_to_virt(xen->machine, xen->m2p_compat);
    l1 = first + m2p32_frames(xen);
    nr_l1 = ROUND_UP(m2p32_frames(xen), PTES_PER_TABLE) / PTES_PER_TABLE;
    xen->m2p_compat_l2 = _mfn(l1 + nr_l1);
    map_tables(xen, l1 + nr_l1, l1, nr_l1, COMPAT_M2P_FIRST_SLOT, _PAGE_PRESENT | _PAGE_ACCESSED);
    first = l1 + nr_l1 + 1;
    m2p_open(xen, _mfn(0), first);
    return first;
}

bool m2p_is_open(const struct xen *xen, mfn_t mfn) { return m2p_l1(xen)[mfn_x(mfn) / M2P_PER_PAGE] & _PAGE_PRESENT; }

static void page_open(struct xen *xen, uint64_t page)
{
    uint64_t page32 = page / (M2P32_PER_PAGE / M2P_PER_PAGE);

    memset(&xen->m2p[page * M2P_PER_PAGE], 0xff, PAGE_SIZE);
    m2p_l1(xen)[page] = pte_make(_mfn(mfn_x(xen->m2p_mfn) + page), M2P_FLAGS);
    if (page32 < m2p32_frames(xen) && !(m2p32_l1(xen)[page32] & _PAGE_PRESENT)) {
        memset(&xen->m2p32[page32 * M2P32_PER_PAGE], 0xff, PAGE_SIZE);
        m2p32_l1(xen)[page32] = pte_make(_mfn(mfn_x(xen->m2p_compat) + page32), M2P32_FLAGS);
    }
}

void m2p_open(struct xen *xen, mfn_t mfn, uint64_t nr)
{
    for (uint64_t page = mfn_x(mfn) / M2P_PER_PAGE; page <= (mfn_x(mfn) + nr - 1) / M2P_PER_PAGE; page++)
        if (!m2p_is_open(xen, _mfn(page * M2P_PER_PAGE)))
            page_open(xen, page);
}

static void entry_set(struct xen *xen, uint64_t mfn, uint64_t pfn)
{
    xen->m2p[mfn] = pfn;
    if (mfn < m2p32_frames(xen) * M2P32_PER_PAGE)
        xen->m2p32[mfn] = (uint32_t)pfn;
}

void m2p_forget(struct xen *xen, mfn_t mfn) { entry_set(xen, mfn_x(mfn), INVALID_M2P_ENTRY); }

void set_gpfn_from_mfn(struct xen *xen, mfn_t mfn, uint64_t pfn)
{
    BUG_ON(!mfn_valid(xen->machine, mfn));
    m2p_open(xen, mfn, 1);
    entry_set(xen, mfn_x(mfn), pfn);
}

uint64_t get_gpfn_from_mfn(const struct xen *xen, mfn_t mfn)
{
    if (!mfn_valid(xen->machine, mfn) || !m2p_is_open(xen, mfn))
        return INVALID_M2P_ENTRY;
    return xen->m2p[mfn_x(mfn)];
}
