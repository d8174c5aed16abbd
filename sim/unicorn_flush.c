// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flushing the engine's TLB: what has to go, and no more.
 *
 * Concept: a flush forgets what may have changed. A PV guest's page tables are changed by the hypervisor alone, which tells of each mapping
 * that is gone (machine_mapping_gone()); and a new root has the kernel's half of the old one, mostly. So a flush takes out
 * what leads to those frames, and with another root the lower half: what is left is what a walk would find again, A and D bits
 * included. A mapping that was never used (A is clear) is in no TLB.
 *
 *      told of                               at the next flush goes
 *      nothing                               nothing
 *      mappings of single frames             what leads to them, by whatever address
 *      a new root, upper halves alike        the lower half of TLB 1, TLB 0
 *      more, or a hypervisor that is silent  everything
 *
 * Invariant: between flushes an entry agrees with the tables under its root, or its frame is noted, or everything is (machine_tlb_agrees(),
 * which mmu_audit() asks). Where jumps lead to in a frame is forgotten with it: if it holds code when it is noted, or any gets some after.
 */
#include "sim/unicorn_private.h"
#include "sim/unicorn_tlb.h"

#define TLB_SIZE   1024 /* entries of TLB 0 and TLB 1, at least */
#define UPPER_HALF (UINT64_C(1) << 63)

/* ------------------------------------------------------------------------------------------------------ flushing -- */

/*
 * The library makes a table as small as what was in use between two flushes: after a few dozen system calls that is so small that two
 * pages, of a stack and of a heap, throw each other out all the time. So it is told of more: to double (over 70 % in use), or to stay (30 %).
 */
static void keep_large(struct emu *e)
{
    for (unsigned int tlb = 0; tlb < 2; tlb++) {
        const size_t n = entries(e, tlb), wanted = n < TLB_SIZE ? n : n * 3 / 10 + 1;
        size_t most;

        memcpy(&most, desc(e, tlb) + TLB_DESC_MOST, sizeof(most));
        if (most < wanted)
            memcpy(desc(e, tlb) + TLB_DESC_MOST, &wanted, sizeof(wanted));
    }
}

static void flush_all(struct emu *e)
{
    if (e->tlb.two)
        keep_large(e);
    uc_ctl_flush_tlb(e->uc);
    e->tlb.other = EMU_NO_ROOT;
}

static bool is_gone(const struct emu *e, uint64_t frame)
{
    return e->tlb.gone.frames[frame % EMU_GONE_BITS / 64] >> frame % 64 & 1;
}

/* Of this TLB: what leads to frames whose mappings are gone, and the lower half if that is of another root. */
static void take_out(struct emu *e, unsigned int tlb, bool lower)
{
    const struct fast *f = fast(e, tlb);
    const size_t n = entries(e, tlb);
    size_t used;

    memcpy(&used, desc(e, tlb) + TLB_DESC_USED, sizeof(used));
    for (size_t i = 0; i < n + NR_VICTIMS; i++) {
        uint8_t *entry = i < n ? f->table + i * ENTRY_SIZE : desc(e, tlb) + TLB_DESC_VICTIMS + (i - n) * ENTRY_SIZE;
        uint64_t tag[4];

        memcpy(tag, entry, sizeof(tag)); /* to read, to write, to execute; the physical address */
        if ((tag[0] & tag[1] & tag[2]) == ~UINT64_C(0))
            continue;
        /* A tag that is not in use is all ones. */
        if ((lower && !(tag[0] & tag[1] & tag[2] & UPPER_HALF)) || is_gone(e, tag[3] >> PAGE_SHIFT)) {
            memset(entry, 0xff, ENTRY_SIZE);
            used--;
        }
    }
    memcpy(desc(e, tlb) + TLB_DESC_USED, &used, sizeof(used));
}

static bool same_upper_half(struct emu *e, uint64_t root, uint64_t other)
{
    const uint8_t *a = emu_phys(e, root), *b = emu_phys(e, other);

    return a && b && !memcmp(a + PAGE_SIZE / 2, b + PAGE_SIZE / 2, PAGE_SIZE / 2);
}

static void flush_gone(struct emu *e, bool new_root)
{
    uint16_t full;

    if (!new_root && !e->tlb.gone.nr)
        return;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = new_root ? 1 : 0; tlb < NR_TLBS; tlb++)
        if (full >> tlb & 1)
            take_out(e, tlb, new_root);
    if (!new_root && !e->tlb.gone.code)
        return;
    keep_large(e);
    e->real.tlb_flush_by_mmuidx(e->smc.cpu, new_root); /* TLB 0, or none; and where jumps lead */
    e->lookup.flushes[0]++;
    e->lookup.flushes[1] += e->tlb.gone.code;
    if (new_root)
        e->tlb.other = EMU_NO_ROOT;
}

void emu_tlb_flush(struct emu *e)
{
    const uint64_t root = *raw_cr(&e->raw, 3);
    struct emu *outer = emu_running;

    emu_running = e;
    if (!e->tlb.two || !e->m->tells_of_mappings || e->tlb.gone.all || e->tlb.root == EMU_NO_ROOT ||
        (root != e->tlb.root && !same_upper_half(e, root, e->tlb.root)))
        flush_all(e);
    else
        flush_gone(e, root != e->tlb.root);
    emu_running = outer;
    e->tlb.root = root;
    if (e->tlb.gone.nr)
        memset(e->tlb.gone.frames, 0, sizeof(e->tlb.gone.frames));
    e->tlb.gone.nr = 0;
    e->tlb.gone.all = e->tlb.gone.code = false;
}

void machine_mapping_gone(struct machine *m, mfn_t mfn)
{
    struct emu *e = m->code ? m->code->emu : NULL;

    if (!e || e->tlb.gone.all)
        return;
    e->tlb.gone.code |= !mfn_valid(m, mfn) || e->code.has_code[mfn_x(mfn)];
    e->tlb.gone.frames[mfn_x(mfn) % EMU_GONE_BITS / 64] |= UINT64_C(1) << mfn_x(mfn) % 64;
    if (++e->tlb.gone.nr > EMU_GONE_MANY)
        e->tlb.gone.all = true;
}

void machine_mappings_gone(struct machine *m)
{
    if (m->code)
        m->code->emu->tlb.gone.all = true;
}

void machine_root_gone(struct machine *m, mfn_t root)
{
    const uint64_t addr = mfn_x(root) << PAGE_SHIFT;

    if (m->code && (m->code->emu->tlb.root == addr || m->code->emu->tlb.other == addr))
        m->code->emu->tlb.gone.all = true;
}

bool emu_tlb_flush_page(struct emu *e, uint64_t addr)
{
    struct emu *outer = emu_running;

    if (!e->smc.cpu)
        return false;
    emu_running = e;
    tlb_flush_page_x86_64(e->smc.cpu, addr & PAGE_MASK);
    emu_running = outer;
    return true;
}

/* All entries of a frame, whatever address they are for: the whole TLB is looked through, which is less than to fill it again. */
void emu_tlb_flush_frame(struct emu *e, mfn_t mfn)
{
    const uint64_t phys = mfn_x(mfn) << PAGE_SHIFT;
    uint16_t full;

    if (!e->tlb.two) {
        emu_tlb_flush(e);
        return;
    }
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        const struct fast f = *fast(e, tlb);
        uint64_t page;

        if (!(full >> tlb & 1))
            continue;
        for (uint64_t at = 0; at <= f.mask; at += ENTRY_SIZE)
            if ((page = page_of(f.table + at, phys)) != NO_PAGE)
                emu_tlb_flush_page(e, page);
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            if ((page = page_of(desc(e, tlb) + TLB_DESC_VICTIMS + i * ENTRY_SIZE, phys)) != NO_PAGE)
                emu_tlb_flush_page(e, page);
    }
}

/* ------------------------------------------------------------------------------------------------------ checking -- */

#define PTE_P    UINT64_C(1)
#define PTE_RW   UINT64_C(2)
#define PTE_US   UINT64_C(4)
#define PTE_D    UINT64_C(0x40)
#define PTE_PS   UINT64_C(0x80)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)

/* What the tables under a root say of an address: the L1 entry, with what the levels above take away from it; 0: nothing. */
static uint64_t walk(struct emu *e, uint64_t root, uint64_t addr)
{
    uint64_t entry = root, all = ~UINT64_C(0);

    for (unsigned int level = 4; level > 0; level--) {
        const uint64_t at = (entry & PTE_ADDR) + (addr >> (3 + 9 * level) & 511) * 8;
        const uint8_t *p = emu_phys(e, at);

        if (!p)
            return 0;
        memcpy(&entry, p, sizeof(entry));
        if (!(entry & PTE_P) || (level > 1 && (entry & PTE_PS)))
            return 0;
        all &= entry;
    }
    return (entry & ~(PTE_RW | PTE_US)) | (all & (PTE_RW | PTE_US));
}

static bool entry_agrees(struct emu *e, unsigned int tlb, const uint8_t *entry)
{
    const uint64_t root = tlb ? e->tlb.root : e->tlb.other;
    uint64_t tag[4], pte;

    memcpy(tag, entry, sizeof(tag));
    if ((tag[0] & tag[1] & tag[2]) == ~UINT64_C(0) || is_gone(e, tag[3] >> PAGE_SHIFT))
        return true;
    pte = walk(e, root, tag[0] & tag[1] & tag[2]);
    return (pte & PTE_ADDR) == (tag[3] & PTE_ADDR) && (tag[1] == ~UINT64_C(0) || (~pte & (PTE_RW | PTE_D)) == 0) &&
           (tlb == 2 || (pte & PTE_US));
}

bool machine_tlb_agrees(struct machine *m)
{
    struct emu *e = m->code ? m->code->emu : NULL;
    uint16_t full;

    if (!e || !e->tlb.two || !m->tells_of_mappings || e->tlb.gone.all || e->tlb.root == EMU_NO_ROOT)
        return true;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        const size_t n = entries(e, tlb);

        if (!(full >> tlb & 1) || (!tlb && e->tlb.other == EMU_NO_ROOT))
            continue;
        for (size_t i = 0; i < n + NR_VICTIMS; i++)
            if (!entry_agrees(e, tlb,
                              i < n ? fast(e, tlb)->table + i * ENTRY_SIZE
                                    : desc(e, tlb) + TLB_DESC_VICTIMS + (i - n) * ENTRY_SIZE))
                return false;
    }
    return true;
}
