// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading guest code through the guest's page tables: the processor does not say which INT n it has stopped at, so the
 * hypervisor looks. The walk itself is sim/walk.h's; the tables may be in the engine's own pages, as those of its
 * self-test are.
 */
#include "sim/engine/pcpu_private.h"
#include "sim/walk.h"

static const uint64_t *table(const void *e, uint64_t addr) { return (const uint64_t *)(void *)emu_phys(e, addr); }

bool emu_walk(struct emu *e, uint64_t root, uint64_t addr, struct page_walk *w)
{
    return page_walk(w, root, addr, table, e);
}

size_t pcpu_fetch(struct emu *e, uint64_t addr, uint8_t *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        const uint64_t left = PAGE_SIZE - PAGE_OFFSET(addr + done), len = n - done < left ? n - done : left;
        struct page_walk w;
        const uint8_t *host = emu_walk(e, *raw_cr(&e->raw, 3), addr + done, &w) ? emu_phys(e, w.phys) : NULL;

        if (!host)
            break;
        memcpy(buf + done, host, len);
        done += len;
    }
    return done;
}
