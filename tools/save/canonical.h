// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables of a PV domain, made independent of the machine that it is on: see canonical.c.
 */
#ifndef TOOLS_SAVE_CANONICAL_H
#define TOOLS_SAVE_CANONICAL_H

#include "tools/save/width.h"
#include "tools/xc/pages.h"

/* Which frames a PV domain has. */
struct canonical {
    bool is64;                      /* a domain of 64 bits; else of 32, with page tables of three levels (PAE) */
    uint64_t nr_frames;             /* of the machine: its frames are 0 to nr_frames - 1 */
    const uint32_t *index_of;       /* by frame, nr_frames of them: index into page, + 1; 0: it is not the domain's */
    const struct domain_page *page; /* the domain's: pfn and mfn */
};

/* The pfn of a machine frame. False, and *pfn as it was: it is no frame of the domain's. Any mfn may be asked for. */
bool canonical_pfn(const struct canonical *c, uint64_t mfn, uint64_t *pfn);

/*
 * Make pfns of the frames in a page table. `type` is what the hypervisor says of the page, XEN_DOMCTL_PFINFO_L1TAB to
 * L4TAB, without PFINFO_LPINTAB (public domctl.h); `table` is a copy of its TABLE_ENTRIES entries.
 *
 *      63                  52 51                        12 11             1   0
 *     +----------------------+----------------------------+----------------+---+
 *     | stays as it is       | mfn, becomes the pfn       | stays          | P |
 *     +----------------------+----------------------------+----------------+---+
 *
 * - P = 0: nobody looks at the entry. What a guest keeps there is its own affair, and stays to the bit.
 * - The hypervisor's own entries become 0: entries XEN_L4_FIRST to XEN_L4_LAST of an L4 table of a domain of 64 bits,
 *   and those from XEN_L2_FIRST32 on of an L2 table of one of 32 (width.h). Only where the frame in it is not the
 *   domain's: at these places a domain of 32 bits has entries of its own in its other L2 tables, and its own they stay.
 * - An L3 table of a domain of 32 bits has four entries. What follows in its page is no entry, and stays.
 * - Any other entry with a frame that is not the domain's: a mapping that means nothing on another machine, such as a
 *   grant or shared_info. It is refused.
 *
 * -1: all of them are done. Else the number of the first entry that is refused, and *frame is the mfn in it; then
 * nobody looks at the table any more.
 */
int canonical_table(const struct canonical *c, uint32_t type, uint64_t *table, uint64_t *frame);

#endif
