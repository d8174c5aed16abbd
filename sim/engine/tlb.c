// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's TLB, kept while a vCPU goes from its kernel to a program and back.
 *
 * Concept: a PV64 guest has two roots, its kernel's and its program's, and Xen changes CR3 at each system call and each
 * return. The TLB of the library knows nothing but "forget it all", and refilling it was most of the price of a system
 * call. But it is three TLBs, one for each MMU mode, and of these a PV guest uses but two: 1 for ring 3, 2 for the
 * rings above and for descriptors. So TLB 0 keeps what TLB 1 knew of the other root, and a change of roots exchanges
 * the two, forty words.
 *
 *      TLB 0   the root that is not loaded, or nothing
 *      TLB 1   the root in CR3, ring 3
 *      TLB 2   rings 0 to 2, and Xen's own slots, which both roots have
 *
 * The cache of jumps goes by linear addresses, so blocks of the two roots must not be taken for each other: they differ
 * by a bit of hflags (RAW_HF_ROOT), which the library takes for a part of the processor's mode.
 *
 * Invariants: all flushes reach all three. A store that clears "not dirty" (smc.c) clears it in 1 and 2 only, for the
 * page at that address in TLB 0 is another one. What is exchanged is whole: descriptor, table and the bit that says
 * "not empty".
 *
 * What a flush takes out is in flush.c.
 *
 * Corresponds to PCIDs, by which Xen keeps the TLB across toggle_guest_mode() (xen/arch/x86/pv/domain.c).
 */
#include "sim/engine/tlb.h"
#include "sim/engine/private.h"

uint8_t *emu_tlb_host(struct emu *e, uint64_t addr, bool write)
{
    const bool user = (raw_get(&e->raw, hflags, uint32_t) & RAW_HF_CPL) == 3;
    const struct fast *f = fast(e, user ? 1 : 2);
    const uint8_t *entry = f->table + (f->mask & (addr >> PAGE_SHIFT) * ENTRY_SIZE);
    uint64_t tag, addend;

    memcpy(&tag, entry + (write ? ENTRY_WRITE : ENTRY_READ), sizeof(tag));
    memcpy(&addend, entry + ENTRY_ADDEND, sizeof(addend));
    return tag == (addr & PAGE_MASK) ? (uint8_t *)(uintptr_t)(addr + addend) : NULL;
}

/* ---------------------------------------------------------------------------------------------------- exchanging -- */

static void exchange(void *a, void *b, size_t n)
{
    uint8_t t[TLB_DESC_SIZE];

    memcpy(t, a, n);
    memcpy(a, b, n);
    memcpy(b, t, n);
}

void emu_tlb_change_root(struct emu *e, uint64_t from, uint64_t to)
{
    struct emu *outer = emu_running;
    uint16_t full;

    if (!e->tlb.two) {
        emu_tlb_flush(e);
        return;
    }
    if (e->tlb.other != to && e->tlb.other != EMU_NO_ROOT) {
        emu_running = e;
        tlb_flush_by_mmuidx_x86_64(e->smc.cpu, 1); /* it kept a third root */
        emu_running = outer;
    }
    exchange(fast(e, 0), fast(e, 1), sizeof(struct fast));
    exchange(desc(e, 0), desc(e, 1), TLB_DESC_SIZE);
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    full = (uint16_t)((full & ~3u) | (full & 1) << 1 | (full >> 1 & 1));
    memcpy(e->raw.st + TLB_DIRTY, &full, sizeof(full));
    e->tlb.other = from;
    e->tlb.root = to;
}

/* ------------------------------------------------------------------------------------ in place of Unicorn's own -- */

static void entry_set_dirty(uint8_t *entry, uint64_t page)
{
    uint64_t tag;

    memcpy(&tag, entry + ENTRY_WRITE, sizeof(tag));
    if (tag == (page | ENTRY_NOTDIRTY))
        memcpy(entry + ENTRY_WRITE, &page, sizeof(page));
}

/* Stores to this page may go fast again: not while it holds code. */
void tlb_set_dirty_x86_64(struct CPUState *cpu, uint64_t vaddr)
{
    struct emu *e = emu_running;
    const uint64_t page = vaddr & PAGE_MASK;

    if (!e || !emu_smc_may_set_dirty(e))
        return;
    if (!e->tlb.two) {
        e->real.tlb_set_dirty(cpu, vaddr);
        return;
    }
    for (unsigned int tlb = 1; tlb < NR_TLBS; tlb++) {
        const struct fast *f = fast(e, tlb);

        entry_set_dirty(f->table + (f->mask & (vaddr >> PAGE_SHIFT) * ENTRY_SIZE), page);
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            entry_set_dirty(desc(e, tlb) + TLB_DESC_VICTIMS + i * ENTRY_SIZE, page);
    }
}

/*
 * ------------------------------------------------------------------------------------------------- is it so here? --
 */

static bool entry_is(const uint8_t *entry, uint64_t tag) { return !memcmp(entry + ENTRY_READ, &tag, sizeof(tag)); }

/* The guest has just read at addr, in ring 3, in the page of memory at phys. */
static bool is_laid_out(struct emu *e, uint64_t addr, uint64_t phys)
{
    const struct fast *f = fast(e, 1);
    const uint8_t *d = desc(e, 1);
    size_t used, now, most;
    uint16_t full;
    bool found;

    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        const size_t n = entries(e, tlb);

        if (!fast(e, tlb)->table || n < 16 || n > 1u << 20 || (n & (n - 1)) || fast(e, tlb)->mask % ENTRY_SIZE)
            return false;
    }
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    found = (full & 2) && !(full >> NR_TLBS) && page_of(entry_at(e, 1, addr)) == (addr & PAGE_MASK) &&
            phys_of(entry_at(e, 1, addr)) == phys &&
            emu_tlb_host(e, addr, false) == emu_phys(e, phys + (addr & ~PAGE_MASK));
    memcpy(&used, d + TLB_DESC_USED, sizeof(used));
    emu_tlb_flush(e);
    memcpy(&now, d + TLB_DESC_USED, sizeof(now));
    memcpy(&most, d + TLB_DESC_MOST, sizeof(most));
    found &= used && used <= entries(e, 1) && !now && most >= used && most <= entries(e, 1);
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++)
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            found &= entry_is(desc(e, tlb) + TLB_DESC_VICTIMS + i * ENTRY_SIZE, ~UINT64_C(0));
    return found && !full && entry_is(f->table, ~UINT64_C(0));
}

bool emu_tlb_init(struct emu *e, uint64_t addr, uint64_t phys)
{
    e->tlb.root = e->tlb.other = EMU_NO_ROOT;
    e->tlb.known = is_laid_out(e, addr, phys);
    e->tlb.two = e->fast.enter && e->tlb.known;
    return e->tlb.two;
}
