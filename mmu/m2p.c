// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine-to-physical table (M2P).
 *
 * Concept: a PV guest's page tables hold machine frame numbers, but its kernel thinks in its own numbers (pfn). From
 * pfn to mfn it keeps a list itself; the way back, needed whenever it reads a page-table entry, is this one array for
 * the whole machine, which every PV guest can read at MACH2PHYS_VIRT_START and which Xen alone writes
 * (MMU_MACHPHYS_UPDATE). A PV32 guest reaches only 4 GiB, so there is a second table of 32-bit entries at 0xf5800000.
 *
 *   frames, right behind the firmware's:
 *   | L1 tables of both | L2 tables, L3 | L2 for PV32 | ... || M2P, 8 bytes a frame || M2P, 4 bytes a frame ||
 *                                                         at multiples of 2 MiB, and as many of those as there is table
 *
 * The toolstack maps the table for itself, in extents of 2 MiB (XENMEM_machphys_mfn_list), hence the whole ones.
 *
 * The tables of a big machine are big themselves, and most of it is never used. So a page of the M2P comes into being
 * when the heap first hands out one of the 512 frames that it describes: until then its L1 entry is not present. That
 * is as on a real machine, where the table has holes for the holes in memory; guests read it with a fault handler in
 * place. For who maps the frames themselves the pages that are not there yet come into being, too (m2p_frame_open).
 *
 * The 32-bit table is for PV32 guests alone, so that none of its pages is there before the first of these comes, or the
 * toolstack wants to read it (m2p32_begin).
 *
 * Invariants: an L1 entry of the M2P is present exactly if the page is filled in (m2p_is_open); from m2p32_begin() on
 * that goes for the other table, too; a free frame's entry is INVALID_M2P_ENTRY. PV64 maps it user-readable (its kernel
 * runs at CPL 3), PV32 supervisor-readable (ring 1).
 *
 * Simplifies xen/arch/x86/x86_64/mm.c:paging_init(), setup_m2p_table(): no superpages, no hotplug.
 */
#include "mmu/m2p.h"

#include "mmu/pte.h"

#include <string.h>

#define M2P_FLAGS       (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_NX)
#define M2P32_FLAGS     (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_NX)
#define M2P_TABLE_FLAGS (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)

#define M2P32_PER_PAGE (PAGE_SIZE / 4)

#define HOST_GROUP 16u /* pages of a table for which the host's memory is asked for together */

/* A table's pages: whole extents. */
static uint64_t nr_pages(const struct xen *xen, uint64_t per_page)
{
    return ROUND_UP(xen->machine->nr_frames, per_page * M2P_EXTENT_PAGES) / per_page;
}

uint64_t m2p32_frames(const struct xen *xen)
{
    const uint64_t n = nr_pages(xen, M2P32_PER_PAGE), most = COMPAT_M2P_NR_SLOTS * M2P_EXTENT_PAGES;

    return n < most ? n : most;
}

/* The L1 tables are one array of entries: for each extent a table. */
_Static_assert(M2P_EXTENT_PAGES == PTES_PER_TABLE, "an extent is what an L1 table maps");
static const uint64_t *m2p32_l1(const struct xen *xen) { return m2p_l1(xen) + xen->m2p_frames; }

/*
 * Fill upper-level tables at `at` so that they map the nr tables (or pages) from `child` on; returns how many it took.
 */
static uint64_t map_tables(struct xen *xen, uint64_t at, uint64_t child, uint64_t nr, unsigned int first_slot,
                           uint64_t flags)
{
    for (uint64_t i = 0; i < nr; i++) {
        const uint64_t *table = mfn_to_virt(xen->machine, _mfn(at + i / PTES_PER_TABLE));

        frame_write_u64(xen->machine, &table[(first_slot + i) % PTES_PER_TABLE], pte_make(_mfn(child + i), flags));
    }
    return ROUND_UP(nr, PTES_PER_TABLE) / PTES_PER_TABLE;
}

uint64_t m2p_init(struct xen *xen)
{
    const uint64_t l1 = FIRMWARE_FRAMES, nr_l1 = nr_pages(xen, M2P_PER_PAGE) / M2P_EXTENT_PAGES, l1_32 = l1 + nr_l1,
                   nr_l1_32 = m2p32_frames(xen) / M2P_EXTENT_PAGES, l2 = l1_32 + nr_l1_32,
                   nr_l2 = map_tables(xen, l2, l1, nr_l1, 0, M2P_TABLE_FLAGS), l3 = l2 + nr_l2,
                   l2_32 = l3 + map_tables(xen, l3, l2, nr_l2, 0, M2P_TABLE_FLAGS);
    uint64_t end;

    map_tables(xen, l2_32, l1_32, nr_l1_32, COMPAT_M2P_FIRST_SLOT, _PAGE_PRESENT | _PAGE_ACCESSED);
    xen->m2p_l3 = _mfn(l3);
    xen->m2p_compat_l2 = _mfn(l2_32);

    xen->m2p_frames = nr_pages(xen, M2P_PER_PAGE);
    xen->m2p_mfn = _mfn(ROUND_UP(l2_32 + 1, M2P_EXTENT_PAGES));
    xen->m2p = mfn_to_virt(xen->machine, xen->m2p_mfn);
    xen->m2p_compat = _mfn(mfn_x(xen->m2p_mfn) + xen->m2p_frames);
    xen->m2p32 = mfn_to_virt(xen->machine, xen->m2p_compat);
    end = mfn_x(xen->m2p_compat) + m2p32_frames(xen);
    m2p_open(xen, _mfn(0), end);
    return end;
}

/*
 * The host gives memory for a group of pages at once, when the first of them comes into being: their neighbours soon
 * will, too.
 */
static void group_populate(struct xen *xen, const uint64_t *l1, mfn_t first_mfn, uint64_t page)
{
    const uint64_t first = page - page % HOST_GROUP;

    for (uint64_t i = first; i < first + HOST_GROUP; i++)
        if (l1[i] & _PAGE_PRESENT)
            return;
    machine_populate(xen->machine, _mfn(mfn_x(first_mfn) + first), HOST_GROUP);
}

/* What a page of the 32-bit table says: the lower halves of two pages of the other. */
static void page32_fill(const struct xen *xen, uint64_t page32, uint32_t *entry)
{
    uint64_t mfn = page32 * M2P32_PER_PAGE;

    for (unsigned int i = 0; i < M2P32_PER_PAGE; i += M2P_PER_PAGE, mfn += M2P_PER_PAGE) {
        if (mfn / M2P_PER_PAGE >= xen->m2p_frames || !m2p_is_open(xen, _mfn(mfn))) {
            memset(&entry[i], 0xff, PAGE_SIZE / 2);
            continue;
        }
        for (unsigned int k = 0; k < M2P_PER_PAGE; k++)
            entry[i + k] = (uint32_t)xen->m2p[mfn + k];
    }
}

static void page32_open(struct xen *xen, uint64_t page32)
{
    const mfn_t mfn = _mfn(mfn_x(xen->m2p_compat) + page32);

    group_populate(xen, m2p32_l1(xen), xen->m2p_compat, page32);
    page32_fill(xen, page32, frame_write_begin(xen->machine, mfn));
    frame_write_end(xen->machine, mfn);
    frame_write_u64(xen->machine, &m2p32_l1(xen)[page32], pte_make(mfn, M2P32_FLAGS));
}

void m2p_page_open(struct xen *xen, mfn_t mfn)
{
    const uint64_t page = mfn_x(mfn) / M2P_PER_PAGE, page32 = page / (M2P32_PER_PAGE / M2P_PER_PAGE);
    const mfn_t at = _mfn(mfn_x(xen->m2p_mfn) + page);

    group_populate(xen, m2p_l1(xen), xen->m2p_mfn, page);
    memset(frame_write_begin(xen->machine, at), 0xff, PAGE_SIZE);
    frame_write_end(xen->machine, at);
    frame_write_u64(xen->machine, &m2p_l1(xen)[page], pte_make(at, M2P_FLAGS));
    if (page * M2P_PER_PAGE < xen->m2p32_entries && !(m2p32_l1(xen)[page32] & _PAGE_PRESENT))
        page32_open(xen, page32);
}

void m2p32_begin(struct xen *xen)
{
    if (xen->m2p32_entries)
        return;
    xen->m2p32_entries = m2p32_frames(xen) * M2P32_PER_PAGE;
    for (uint64_t page = 0; page < xen->m2p_frames && page * M2P_PER_PAGE < xen->m2p32_entries; page++) {
        const uint64_t page32 = page / (M2P32_PER_PAGE / M2P_PER_PAGE);

        if (m2p_is_open(xen, _mfn(page * M2P_PER_PAGE)) && !(m2p32_l1(xen)[page32] & _PAGE_PRESENT))
            page32_open(xen, page32);
    }
}

bool m2p_frame_open(struct xen *xen, mfn_t mfn)
{
    const uint64_t i = mfn_x(mfn) - mfn_x(xen->m2p_mfn), i32 = mfn_x(mfn) - mfn_x(xen->m2p_compat);

    if (!is_m2p_frame(xen, mfn))
        return false;
    if (i < xen->m2p_frames) {
        m2p_open(xen, _mfn(i * M2P_PER_PAGE), 1);
        return true;
    }
    m2p32_begin(xen);
    if (!(m2p32_l1(xen)[i32] & _PAGE_PRESENT))
        page32_open(xen, i32);
    return true;
}

void m2p32_entry_set(struct xen *xen, mfn_t mfn, uint32_t pfn)
{
    const mfn_t at = virt_to_mfn(xen->machine, &xen->m2p32[mfn_x(mfn)]);
    uint32_t *page = frame_write_begin(xen->machine, at);

    page[mfn_x(mfn) % M2P32_PER_PAGE] = pfn;
    frame_write_end(xen->machine, at);
}

void set_gpfn_from_mfn(struct xen *xen, mfn_t mfn, uint64_t pfn)
{
    BUG_ON(!mfn_valid(xen->machine, mfn));
    m2p_open(xen, mfn, 1);
    m2p_entry_set(xen, mfn, pfn);
}

uint64_t get_gpfn_from_mfn(const struct xen *xen, mfn_t mfn)
{
    if (!mfn_valid(xen->machine, mfn) || !m2p_is_open(xen, mfn))
        return INVALID_M2P_ENTRY;
    return xen->m2p[mfn_x(mfn)];
}
