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
 * To look through a whole TLB takes long, so the pages that it was filled with are noted, in lists by frame.
 *
 *      emu.tlb.list[frame % n] --> filled[i] { page, frame, next } --> ...      of a page in the TLB there is one; of
 *                                                                               others, that it had once, perhaps
 *
 * Invariant: when a guest is entered, and while it runs, each entry agrees with the tables under its root
 * (machine_tlb_agrees(), which mmu_audit() asks). Where jumps lead to in a frame that holds code is forgotten with its
 * mapping, before the guest is entered.
 */
#include "sim/engine/private.h"
#include "sim/engine/tlb.h"
#include "sim/walk.h"

#define TLB_SIZE   1024 /* entries of TLB 0 and TLB 1, at least */
#define UPPER_HALF (UINT64_C(1) << 63)
#define FILLED_FEW 1024u /* it takes less time to look at them than at all entries */

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

/* --- what it was filled with --- */

static void filled_forget(struct emu *e)
{
    if (e->tlb.nr_filled)
        memset(e->tlb.list, 0, sizeof(e->tlb.list));
    e->tlb.nr_filled = 0;
    e->tlb.filled_lost = false;
}

static uint16_t *list_of(struct emu *e, uint64_t frame) { return &e->tlb.list[frame % EMU_FILLED_LISTS]; }

static bool is_filled(struct emu *e, uint64_t page, uint64_t frame)
{
    uint16_t at = *list_of(e, frame);

    while (at && (e->tlb.filled[at - 1].page != page || e->tlb.filled[at - 1].frame != frame))
        at = e->tlb.filled[at - 1].next;
    return at || e->tlb.filled_lost;
}

/* There is room, or some are lost. */
static void filled_add(struct emu *e, uint64_t page, uint64_t frame)
{
    uint16_t *list = list_of(e, frame);

    if (is_filled(e, page, frame))
        return;
    if (e->tlb.nr_filled == EMU_FILLED_MANY) {
        e->tlb.filled_lost = true;
        return;
    }
    e->tlb.filled[e->tlb.nr_filled] = (struct emu_filled){ page, frame, *list };
    *list = (uint16_t)++e->tlb.nr_filled;
}

static void entry_take_out(struct emu *e, unsigned int tlb, uint8_t *entry)
{
    size_t used;

    memset(entry, 0xff, ENTRY_SIZE);
    memcpy(&used, desc(e, tlb) + TLB_DESC_USED, sizeof(used));
    used--;
    memcpy(desc(e, tlb) + TLB_DESC_USED, &used, sizeof(used));
}

/* An entry, which may be in use: take it out if it is of the lower half, and that goes, or note it. */
static void entry_look(struct emu *e, unsigned int tlb, uint8_t *entry, bool lower_goes)
{
    const uint64_t page = page_of(entry);

    if (page == NO_PAGE)
        return;
    if (lower_goes && !(page & UPPER_HALF))
        entry_take_out(e, tlb, entry);
    else
        filled_add(e, page, phys_of(entry) >> PAGE_SHIFT);
}

static void victims_look(struct emu *e, bool lower_goes)
{
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++)
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            entry_look(e, tlb, victim_at(e, tlb, i), lower_goes);
}

/* Look at all entries, and note anew what there is. */
static void look_at_all(struct emu *e, bool lower_goes)
{
    filled_forget(e);
    victims_look(e, lower_goes);
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++)
        for (size_t i = 0; i < entries(e, tlb); i++)
            entry_look(e, tlb, fast(e, tlb)->table + i * ENTRY_SIZE, lower_goes);
}

/* The lower half goes. Few pages are noted: look at these only. */
static void look_at_filled(struct emu *e)
{
    const unsigned int nr = e->tlb.nr_filled;

    filled_forget(e);
    for (unsigned int i = 0; i < nr; i++) {
        const struct emu_filled f = e->tlb.filled[i]; /* those that stay move up */

        if (f.page & UPPER_HALF)
            filled_add(e, f.page, f.frame);
        for (unsigned int tlb = 0; tlb < NR_TLBS && !(f.page & UPPER_HALF); tlb++)
            if (page_of(entry_at(e, tlb, f.page)) == f.page)
                entry_take_out(e, tlb, entry_at(e, tlb, f.page));
    }
    victims_look(e, true);
}

void emu_tlb_filled(struct emu *e, unsigned int tlb, uint64_t addr)
{
    if (!e->tlb.two)
        return;
    if (e->tlb.nr_filled == EMU_FILLED_MANY && !e->tlb.filled_lost)
        look_at_all(e, false);
    filled_add(e, addr & PAGE_MASK, phys_of(entry_at(e, tlb, addr)) >> PAGE_SHIFT);
}

/* --- flushing --- */

static void flush_all(struct emu *e)
{
    if (e->tlb.two)
        keep_large(e);
    uc_ctl_flush_tlb(e->uc);
    e->tlb.other = EMU_NO_ROOT;
    filled_forget(e);
}

/* What leads from this page to this frame. */
static void take_out(struct emu *e, uint64_t page, uint64_t frame)
{
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        uint8_t *entry = entry_at(e, tlb, page);

        if (page_of(entry) == page && phys_of(entry) >> PAGE_SHIFT == frame)
            entry_take_out(e, tlb, entry);
        for (unsigned int i = 0; i < NR_VICTIMS; i++) {
            entry = victim_at(e, tlb, i);
            if (page_of(entry) == page && phys_of(entry) >> PAGE_SHIFT == frame)
                entry_take_out(e, tlb, entry);
        }
    }
}

/* What leads to this frame. Its notes leave their list; the room that they had is found again by look_at_all(). */
static __attribute__((noinline)) void take_out_frame(struct emu *e, uint64_t frame)
{
    uint16_t *at = list_of(e, frame);

    while (*at) {
        struct emu_filled *f = &e->tlb.filled[*at - 1];

        if (f->frame == frame) {
            take_out(e, f->page, frame);
            *at = f->next;
        } else {
            at = &f->next;
        }
    }
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
        look_at_filled(e);
    else if (new_root)
        look_at_all(e, true);
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
    const uint64_t root = *raw_cr(&e->raw, 3);
    struct emu *outer = emu_running;

    emu_running = e;
    if (!is_told(e) || (root != e->tlb.root && !same_upper_half(e, root, e->tlb.root)))
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

    if (!e || e->tlb.gone.all)
        return;
    if (!mfn_valid(m, mfn) || e->code.has_code[mfn_x(mfn)])
        e->tlb.gone.code = true;
    if (!e->tlb.two || e->tlb.filled_lost)
        e->tlb.gone.all = true;
    else if (*list_of(e, mfn_x(mfn)))
        take_out_frame(e, mfn_x(mfn));
}

void machine_mappings_gone(struct machine *m)
{
    if (m->edges->code)
        m->edges->code->emu->tlb.gone.all = true;
}

void machine_root_gone(struct machine *m, mfn_t root)
{
    const uint64_t addr = mfn_x(root) << PAGE_SHIFT;

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
    if (!is_filled(e, page, phys >> PAGE_SHIFT))
        return false;
    memcpy(&write, entry + ENTRY_WRITE, sizeof(write));
    return emu_walk(e, tlb ? e->tlb.root : e->tlb.other, page, &w) && w.phys == (phys & PAGE_MASK) &&
           (write == ~UINT64_C(0) || (w.rights & _PAGE_RW && w.leaf & _PAGE_DIRTY)) &&
           (tlb == 2 || w.rights & _PAGE_USER);
}

bool machine_tlb_agrees(struct machine *m)
{
    struct emu *e = m->edges->code ? m->edges->code->emu : NULL;
    uint16_t full;

    if (!e || !is_told(e))
        return true;
    memcpy(&full, e->raw.st + TLB_DIRTY, sizeof(full));
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++) {
        if (!(full >> tlb & 1) || (!tlb && e->tlb.other == EMU_NO_ROOT))
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
