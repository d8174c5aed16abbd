// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TLB that cannot be seen: it follows an HVM guest's page tables.
 *
 * Concept: the library's TLB is that of a processor: it knows what it has once seen, until it is told to forget. A PV
 * guest's tables are changed by the hypervisor alone, which tells (flush.c); an HVM guest stores into its own. And a
 * machine that is to be brought to each of its positions again, with a TLB that is empty then and was not before, must
 * not have one that can be seen. So:
 *
 *      a walk     notes each frame with an entry that it has read     HAS_LEAVES, HAS_TABLES in has_code[]
 *      a store    to such a frame takes the slow way (smc.c), and comes here before it is made:
 *                   the entry was not present, or not accessed      no translation was made from it: nothing to do
 *                   it was one of the last level                    what leads to its frame is taken out
 *                   it was one of another                           all is taken out
 *
 * (In an entry from which a translation was made, A is set: the walk sets it.) The hypervisor's own stores to such
 * frames empty the TLB before the guest goes on (frame_written()); the nested tables are the hypervisor's, who tells of
 * what it changes there as it does of a PV guest's (machine_mapping_gone()).
 *
 * A guest that fills a frame, as those do that free it, would go the slow way a thousand times for nothing: after a few
 * stores in a row to one frame all is taken out, and the frame is a table again when a walk reads it again.
 *
 * So a guest that forgets an INVLPG finds what is in its tables, as it would on a processor that happened to have
 * forgotten the entry. Code that is running when the page that it is in is mapped away goes on to the end of the page.
 *
 * Invariant: each entry of the TLB agrees with a walk of the tables (machine_tlb_agrees()).
 */
#include "sim/engine/emu.h"

static const uint64_t *table(const void *e, uint64_t addr) { return (const uint64_t *)(void *)emu_phys(e, addr); }

void emu_table_note(struct emu *e, uint64_t phys, bool leaf)
{
    const uint64_t frame = phys >> PAGE_SHIFT;
    const uint8_t mark = leaf ? HAS_LEAVES : HAS_TABLES;

    if (frame >= e->m->nr_frames || __builtin_expect(e->code.has_code[frame] & mark, 1))
        return;
    if (!(e->code.has_code[frame] & (HAS_LEAVES | HAS_TABLES))) {
        if (e->nested.nr_tables < EMU_TABLES_MANY)
            e->nested.tables[e->nested.nr_tables++] = (uint32_t)frame;
        else
            e->nested.tables_lost = true;
        emu_tlb_protect(e, frame);
    }
    e->code.has_code[frame] |= mark;
}

/*
 * An entry of the last level leads no longer to the page that it did. Of large pages it is not known which translations
 * were made, nor of pages that the nested tables do not have any more.
 */
static void leaf_gone(struct emu *e, uint64_t entry)
{
    const struct nested_regs r = emu_nested_regs(e);
    uint64_t phys;
    uint32_t error_code;
    bool writable;

    if (nested_translate(r.ncr3, entry & PTE_MFN_MASK, 0, table, e, &phys, &writable, &error_code) &&
        emu_tlb_take_out(e, phys >> PAGE_SHIFT))
        return;
    emu_tlb_take_out_all(e);
}

/* Was a translation made from it? */
static bool was_used(uint64_t entry)
{
    return (entry & (_PAGE_PRESENT | _PAGE_ACCESSED)) == (_PAGE_PRESENT | _PAGE_ACCESSED);
}

#define STORES 64 /* in a row to one table: more than who changes an entry makes, fewer than who fills a frame */

/* Does this store make it so many? */
static bool is_filled(struct emu *e, uint64_t frame)
{
    struct emu_nested *n = &e->nested;

    if (frame != n->stored) {
        n->stored = (uint32_t)frame;
        n->stores = 0;
    }
    n->stores = (n->stores + 1) % STORES;
    return !n->stores;
}

void emu_table_store(struct emu *e, uint64_t phys, unsigned int len)
{
    const bool legacy = !(e->nested.regs.cr4 & X86_CR4_PAE);
    const unsigned int size = legacy ? 4 : 8;
    const uint64_t frame = phys >> PAGE_SHIFT;
    const uint8_t marks = e->code.has_code[frame];
    uint64_t at = phys & ~(uint64_t)(size - 1);

    if (is_filled(e, frame)) {
        emu_tlb_take_out_all(e);
        return;
    }
    for (; at < phys + len && e->code.has_code[frame] & (HAS_LEAVES | HAS_TABLES); at += size) {
        uint64_t entry = 0;

        memcpy(&entry, emu_phys(e, at), size);
        /* PDPTEs of PAE have no A bit. */
        if (!was_used(entry) && !(marks & HAS_TABLES && entry & _PAGE_PRESENT && !(e->nested.regs.efer & EFER_LMA)))
            continue;
        if (marks & HAS_TABLES)
            emu_tlb_take_out_all(e);
        else
            leaf_gone(e, entry);
    }
}
