// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine's TLB was filled with, and taking it out again.
 *
 * Concept: to look through a whole TLB takes long, so the pages that it was filled with are noted, in lists by frame.
 *
 *      emu.tlb.list[frame % n] --> filled[i] { page, frame, next } --> ...      of a page in the TLB there is one; of
 *                                                                               others, that it had once, perhaps
 *
 * Who decides what has to go is flush.c for PV guests, tables.c for HVM guests.
 *
 * Invariant: of each entry there is a note, or filled_lost is set.
 */
#include "sim/engine/private.h"
#include "sim/engine/tlb.h"

void emu_filled_forget(struct emu *e)
{
    if (e->tlb.nr_filled)
        memset(e->tlb.list, 0, sizeof(e->tlb.list));
    e->tlb.nr_filled = 0;
    e->tlb.filled_lost = false;
}

bool emu_is_filled(struct emu *e, uint64_t page, uint64_t frame)
{
    uint16_t at = *emu_filled_list(e, frame);

    while (at && (e->tlb.filled[at - 1].page != page || e->tlb.filled[at - 1].frame != frame))
        at = e->tlb.filled[at - 1].next;
    return at || e->tlb.filled_lost;
}

/* There is room, or some are lost. */
static void filled_add(struct emu *e, uint64_t page, uint64_t frame)
{
    uint16_t *list = emu_filled_list(e, frame);

    if (emu_is_filled(e, page, frame))
        return;
    if (e->tlb.nr_filled == EMU_FILLED_MANY) {
        e->tlb.filled_lost = true;
        return;
    }
    e->tlb.filled[e->tlb.nr_filled] = (struct emu_filled){ page, frame, *list };
    *list = (uint16_t)++e->tlb.nr_filled;
}

/*
 * It is found no more. Where it led to stays in it: a store that goes through it may be on its way (tables.c), and the
 * library looks there when it makes it.
 */
static void entry_take_out(struct emu *e, unsigned int tlb, uint8_t *entry)
{
    size_t used;

    memset(entry, 0xff, ENTRY_PADDR);
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
void emu_filled_look_at_all(struct emu *e, bool lower_goes)
{
    emu_filled_forget(e);
    victims_look(e, lower_goes);
    for (unsigned int tlb = 0; tlb < NR_TLBS; tlb++)
        for (size_t i = 0; i < entries(e, tlb); i++)
            entry_look(e, tlb, fast(e, tlb)->table + i * ENTRY_SIZE, lower_goes);
}

/* The lower half goes. Few pages are noted: look at these only. */
void emu_filled_look_at_few(struct emu *e)
{
    const unsigned int nr = e->tlb.nr_filled;

    emu_filled_forget(e);
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
    if (!e->tlb.known)
        return;
    if (e->tlb.nr_filled == EMU_FILLED_MANY && !e->tlb.filled_lost)
        emu_filled_look_at_all(e, false);
    filled_add(e, addr & PAGE_MASK, phys_of(entry_at(e, tlb, addr)) >> PAGE_SHIFT);
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

/*
 * What leads to this frame. Its notes leave their list; the room that they had is found by emu_filled_look_at_all().
 */
__attribute__((noinline)) void emu_filled_take_out(struct emu *e, uint64_t frame)
{
    uint16_t *at = emu_filled_list(e, frame);

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

static void entry_protect(uint8_t *entry, uint64_t page)
{
    uint64_t tag;

    memcpy(&tag, entry + ENTRY_WRITE, sizeof(tag));
    if ((tag & PAGE_MASK) == page) {
        tag |= ENTRY_NOTDIRTY;
        memcpy(entry + ENTRY_WRITE, &tag, sizeof(tag));
    }
}

void emu_tlb_protect(struct emu *e, uint64_t frame)
{
    if (e->tlb.filled_lost) {
        if (frame < e->m->nr_frames)
            tlb_reset_dirty_x86_64(e->smc.cpu, (uintptr_t)e->m->ram + (frame << PAGE_SHIFT), PAGE_SIZE);
        return;
    }
    for (uint16_t at = *emu_filled_list(e, frame); at; at = e->tlb.filled[at - 1].next) {
        const struct emu_filled *f = &e->tlb.filled[at - 1];

        for (unsigned int tlb = 0; tlb < NR_TLBS && f->frame == frame; tlb++) {
            entry_protect(entry_at(e, tlb, f->page), f->page);
            for (unsigned int i = 0; i < NR_VICTIMS; i++)
                entry_protect(victim_at(e, tlb, i), f->page);
        }
    }
}

void emu_tables_forget(struct emu *e)
{
    for (unsigned int i = 0; i < e->nested.nr_tables; i++)
        e->code.has_code[e->nested.tables[i]] &= HAS_CODE;
    for (uint64_t i = 0; e->nested.tables_lost && i < e->m->nr_frames; i++)
        if (e->code.has_code[i])
            e->code.has_code[i] &= HAS_CODE;
    e->nested.nr_tables = 0;
    e->nested.tables_lost = false;
}

/* Where jumps led to is forgotten. */
static void forget_jumps(struct emu *e)
{
    e->real.tlb_flush_by_mmuidx(e->smc.cpu, 0);
    e->lookup.flushes[0]++;
    e->lookup.flushes[1]++;
}

bool emu_tlb_take_out(struct emu *e, uint64_t frame)
{
    if (e->tlb.filled_lost || frame >= e->m->nr_frames)
        return false;
    if (*emu_filled_list(e, frame))
        emu_filled_take_out(e, frame);
    if (e->code.has_code[frame] & HAS_CODE)
        forget_jumps(e);
    return true;
}

static void entry_take_out_if(struct emu *e, unsigned int tlb, uint8_t *entry)
{
    if (page_of(entry) != NO_PAGE)
        entry_take_out(e, tlb, entry);
}

void emu_tlb_take_out_all(struct emu *e)
{
    for (unsigned int i = 0; i < e->tlb.nr_filled && !e->tlb.filled_lost; i++)
        take_out(e, e->tlb.filled[i].page, e->tlb.filled[i].frame);
    for (unsigned int tlb = 0; tlb < NR_TLBS && e->tlb.filled_lost; tlb++) {
        for (unsigned int i = 0; i < NR_VICTIMS; i++)
            entry_take_out_if(e, tlb, victim_at(e, tlb, i));
        for (size_t i = 0; i < entries(e, tlb); i++)
            entry_take_out_if(e, tlb, fast(e, tlb)->table + i * ENTRY_SIZE);
    }
    emu_filled_forget(e);
    forget_jumps(e);
    emu_tables_forget(e);
}
