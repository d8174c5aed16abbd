// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flushing the engine's TLB: what has to go, and no more.
 *
 * Concept: a PV guest's page tables are changed by the hypervisor alone, which tells of each mapping that is gone
 * (machine_mapping_gone()). What leads to that frame is taken out there and then. So the TLB is transparent: it knows
 * nothing but what a walk of the page tables would find, A and D bits included, and whether it knows it cannot be seen.
 * It may therefore be emptied at any time, by pcpu_forget() or by the library, which makes it larger and smaller; and
 * when a guest asks for a flush there is nothing to do, mostly. (A guest that relies on a stale entry finds none: it
 * has asked for nothing else.) A mapping that was never used (A is clear) is in no TLB.
 *
 *      told of                               goes
 *      mappings of single frames             what leads to them, by whatever address; at once
 *      a new root, upper halves alike        the lower half of TLB 1, TLB 0
 *      more, or a hypervisor that is silent  everything: before the guest is entered; when it is asked for
 *
 * To look through a whole TLB takes long: what it was filled with is noted (filled.c).
 *
 * Invariant: when a guest is entered, and while it runs, each entry agrees with the tables under its root
 * (machine_tlb_agrees(), which mmu_audit() asks). Where jumps lead to in a frame that holds code is forgotten with its
 * mapping, before the guest is entered.
 */
#include "sim/engine/private.h"
#include "sim/engine/tlb.h"
#include "sim/walk.h"

#define TLB_SIZE 1024 /* entries of TLB 0 and TLB 1, at least */

/* ------------------------------------------------------------------------------------------------------ flushing -- */

/*
 * The library makes a table as small as what was in use between two flushes: after a few dozen system calls that is so
 * small that two pages, of a stack and of a heap, throw each other out all the time. So it is told of more: to double
 * (over 70 % in use), or to stay (30 %).
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

/* --- flushing --- */

static void flush_all(struct emu *e)
{
    if (e->tlb.two)
        keep_large(e);
    uc_ctl_flush_tlb(e->uc);
    emu_tables_forget(e);
    e->tlb.other = EMU_NO_ROOT;
    emu_filled_forget(e);
}

static bool same_upper_half(struct emu *e, uint64_t root, uint64_t other)
{
    const uint8_t *a = emu_phys(e, root), *b = emu_phys(e, other);

    return a && b && !memcmp(a + PAGE_SIZE / 2, b + PAGE_SIZE / 2, PAGE_SIZE / 2);
}

static void flush_some(struct emu *e, bool new_root)
{
    if (!new_root && !e->tlb.gone.code)
        return;
    if (new_root && e->tlb.nr_filled < FILLED_FEW)
        emu_filled_look_at_few(e);
    else if (new_root)
        emu_filled_look_at_all(e, true);
    keep_large(e);
    e->real.tlb_flush_by_mmuidx(e->smc.cpu, new_root); /* TLB 0, or none; and where jumps lead */
    e->lookup.flushes[0]++;
    e->lookup.flushes[1] += e->tlb.gone.code;
    if (new_root)
        e->tlb.other = EMU_NO_ROOT;
}

/* All that is gone since the last flush has been taken out. */
static bool is_told(const struct emu *e)
{
    return e->tlb.two && e->m->tells_of_mappings && !e->tlb.gone.all && e->tlb.root != EMU_NO_ROOT;
}

bool emu_tlb_code_gone(const struct emu *e) { return !is_told(e) || e->tlb.gone.code; }

void emu_tlb_forget(struct emu *e)
{
    struct emu *outer = emu_running;

    emu_running = e;
    flush_all(e);
    emu_running = outer;
    e->tlb.root = EMU_NO_ROOT;
    e->tlb.gone.all = e->tlb.gone.code = false;
}

void emu_tlb_flush(struct emu *e)
{
    const uint64_t root = e->nested.on ? EMU_NO_ROOT : *raw_cr(&e->raw, 3);
    struct emu *outer = emu_running;

    emu_running = e;
    if (e->nested.on || !is_told(e) || (root != e->tlb.root && !same_upper_half(e, root, e->tlb.root)))
        flush_all(e);
    else
        flush_some(e, root != e->tlb.root);
    emu_running = outer;
    e->tlb.root = root;
    e->tlb.gone.all = e->tlb.gone.code = false;
}

void machine_mapping_gone(struct machine *m, mfn_t mfn)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;

    m->edges->told_gone++;
    if (!e || e->tlb.gone.all)
        return;
    if (!mfn_valid(m, mfn)) { /* of devices' memory no list is kept */
        e->tlb.gone.all = true;
        return;
    }
    if (e->code.has_code[mfn_x(mfn)] & HAS_CODE)
        e->tlb.gone.code = true;
    if (!e->tlb.two || e->tlb.filled_lost)
        e->tlb.gone.all = true;
    else if (*emu_filled_list(e, mfn_x(mfn)))
        emu_filled_take_out(e, mfn_x(mfn));
}

void machine_mappings_gone(struct machine *m)
{
    m->edges->told_gone++;
    if (m->edges->code)
        m->edges->code->emu->tlb.gone.all = true;
}

void machine_root_gone(struct machine *m, mfn_t root)
{
    const uint64_t addr = mfn_x(root) << PAGE_SHIFT;

    m->edges->told_gone++;
    if (m->edges->code && (m->edges->code->emu->tlb.root == addr || m->edges->code->emu->tlb.other == addr))
        m->edges->code->emu->tlb.gone.all = true;
}

bool emu_tlb_flush_page(struct emu *e, uint64_t addr)
{
    struct emu *outer = emu_running;

    if (!e->smc.cpu)
        return false;
    if (is_told(e) || e->tlb.gone.all)
        return true; /* it agrees with the page tables as it is, or will be empty */
    emu_running = e;
    tlb_flush_page_x86_64(e->smc.cpu, addr & PAGE_MASK);
    emu_running = outer;
    return true;
}

/* ------------------------------------------------------------------------------------------------------ checking -- */

static bool entry_agrees(struct emu *e, unsigned int tlb, const uint8_t *entry)
{
    const uint64_t page = page_of(entry), phys = phys_of(entry);
    struct page_walk w;
    uint64_t write;

    if (page == NO_PAGE)
        return true;
    if (!emu_is_filled(e, page, phys >> PAGE_SHIFT))
        return false;
    memcpy(&write, entry + ENTRY_WRITE, sizeof(write));
    if (e->nested.on)
        return emu_nested_agrees(e, page, phys & PAGE_MASK, tlb == 1, write != ~UINT64_C(0));
    return emu_walk(e, tlb ? e->tlb.root : e->tlb.other, page, &w) && w.phys == (phys & PAGE_MASK) &&
           (write == ~UINT64_C(0) || (w.rights & _PAGE_RW && w.leaf & _PAGE_DIRTY)) &&
           (tlb == 2 || w.rights & _PAGE_USER);
}

bool machine_tlb_agrees(struct machine *m)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;
    uint16_t full;

    if (!e || (e->nested.on ? !e->loaded || e->tlb.gone.all : !is_told(e)))
        return true;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        if (!(full >> tlb & 1) || (!tlb && !e->nested.on && e->tlb.other == EMU_NO_ROOT))
            continue;
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            if (!entry_agrees(e, tlb, victim_at(e, tlb, i)))
                return false;
        for (size_t i = 0; i < entries(e, tlb); i++)
            if (!entry_agrees(e, tlb, fast(e, tlb)->table + i * ENTRY_SIZE))
                return false;
    }
    return true;
}
