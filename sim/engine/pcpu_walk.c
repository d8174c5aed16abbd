// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walking page tables, and reading guest code through them.
 *
 * Concept: the processor does not say which INT n it has stopped at, so the hypervisor looks. The walk is the one that the
 * hardware does, four levels of 512 entries:
 *
 *      47     39 38     30 29     21 20     12 11         0
 *      +--------+---------+---------+---------+-----------+
 *      |  L4    |   L3    |   L2    |   L1    |  offset   |
 *      +--------+---------+---------+---------+-----------+
 */
#include "sim/engine/pcpu_private.h"

bool emu_walk(struct emu *e, uint64_t root, uint64_t addr, struct emu_walk *w)
{
    w->leaf = root;
    w->rights = ~UINT64_C(0);
    for (int shift = 39; shift >= 12; shift -= 9) {
        const uint8_t *page = emu_phys(e, w->leaf & PTE_MFN_MASK);

        if (!page)
            return false;
        memcpy(&w->leaf, page + (addr >> shift & 0x1ff) * 8, 8);
        if (!(w->leaf & _PAGE_PRESENT))
            return false;
        w->rights &= w->leaf;
        if (shift == 12 || (shift < 39 && (w->leaf & _PAGE_PSE))) {
            const uint64_t offset_mask = (UINT64_C(1) << shift) - 1;

            w->phys = (w->leaf & PTE_MFN_MASK & ~offset_mask) | (addr & offset_mask);
            return true;
        }
    }
    return false;
}

size_t pcpu_fetch(struct emu *e, uint64_t addr, uint8_t *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        const uint64_t left = PAGE_SIZE - PAGE_OFFSET(addr + done), len = n - done < left ? n - done : left;
        struct emu_walk w;
        const uint8_t *host = emu_walk(e, *raw_cr(&e->raw, 3), addr + done, &w) ? emu_phys(e, w.phys) : NULL;

        if (!host)
            break;
        memcpy(buf + done, host, len);
        done += len;
    }
    return done;
}
