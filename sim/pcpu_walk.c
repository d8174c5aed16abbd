// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading guest code through the guest's page tables.
 *
 * Concept: the processor does not say which INT n it has stopped at, so the hypervisor looks. The walk is the one that the
 * hardware does, four levels of 512 entries:
 *
 *      47     39 38     30 29     21 20     12 11         0
 *      +--------+---------+---------+---------+-----------+
 *      |  L4    |   L3    |   L2    |   L1    |  offset   |
 *      +--------+---------+---------+---------+-----------+
 */
#include "sim/pcpu_private.h"

#define PTE_PRESENT 0x1u
#define PTE_PSE     0x80u
#define PTE_FRAME   UINT64_C(0x000ffffffffff000)

/* Host address of linear address `addr`, NULL when it is not mapped. */
static const uint8_t *walk(struct emu *e, uint64_t addr)
{
    uint64_t table = *raw_cr(&e->raw, 3) & PTE_FRAME, entry;

    for (int shift = 39; shift >= 12; shift -= 9) {
        const uint8_t *page = emu_phys(e, table);

        if (!page)
            return NULL;
        memcpy(&entry, page + (addr >> shift & 0x1ff) * 8, 8);
        if (!(entry & PTE_PRESENT))
            return NULL;
        if (shift == 12 || (shift < 39 && (entry & PTE_PSE))) {
            const uint64_t offset_mask = (UINT64_C(1) << shift) - 1;

            return emu_phys(e, (entry & PTE_FRAME & ~offset_mask) | (addr & offset_mask));
        }
        table = entry & PTE_FRAME;
    }
    return NULL;
}

size_t pcpu_fetch(struct emu *e, uint64_t addr, uint8_t *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        const uint64_t left = PAGE_SIZE - PAGE_OFFSET(addr + done), len = n - done < left ? n - done : left;
        const uint8_t *host = walk(e, addr + done);

        if (!host)
            break;
        memcpy(buf + done, host, len);
        done += len;
    }
    return done;
}
