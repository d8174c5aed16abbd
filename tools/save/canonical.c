// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables of a PV domain, made independent of the machine that it is on.
 *
 * Concept: a PV domain writes its own page tables, with machine frames in them. On another machine its pages are in
 * other frames. So what is sent has pfns in the frames' place, which mean the same everywhere, and who receives it puts
 * frames in again (restore_pv.c).
 *
 *      here: mfn 0x7c21  -- canonical_table() -->  in the stream: pfn 5  -- restore_pv.c -->  there: mfn 0x133
 *
 * Invariant: a table that is said to be done names no frame of this machine in an entry that is present.
 *
 * Corresponds to the PV part of tools/libs/guest/xg_sr_save_x86_pv.c. Lab 21 has it written.
 */
#include "tools/save/canonical.h"

bool canonical_pfn(const struct canonical *c, uint64_t mfn, uint64_t *pfn)
{
    if (mfn >= c->nr_frames || !c->index_of[mfn])
        return false;
    *pfn = c->page[c->index_of[mfn] - 1].pfn;
    return true;
}

/* Is the place of entry `entry` one of the hypervisor's, whatever is in it? */
static bool is_xens(const struct canonical *c, uint32_t type, unsigned int entry)
{
    return c->is64 ? type == XEN_DOMCTL_PFINFO_L4TAB && entry >= XEN_L4_FIRST && entry <= XEN_L4_LAST
                   : type == XEN_DOMCTL_PFINFO_L2TAB && entry >= XEN_L2_FIRST32;
}

int canonical_table(const struct canonical *c, uint32_t type, uint64_t *table, uint64_t *frame)
{
    const unsigned int entries = !c->is64 && type == XEN_DOMCTL_PFINFO_L3TAB ? 4 : TABLE_ENTRIES;

    for (unsigned int e = 0; e < entries; e++) {
        const uint64_t mfn = (table[e] & ENTRY_FRAME) >> PAGE_SHIFT;
        uint64_t pfn;

        if (!(table[e] & ENTRY_PRESENT))
            continue;
        if (canonical_pfn(c, mfn, &pfn)) {
            table[e] = (table[e] & ~ENTRY_FRAME) | pfn << PAGE_SHIFT;
        } else if (is_xens(c, type, e)) {
            table[e] = 0;
        } else {
            *frame = mfn;
            return (int)e;
        }
    }
    return -1;
}
