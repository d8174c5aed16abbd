// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The layout of the engine's TLBs, for the files that know it: tlb.c, filled.c, flush.c, pcpu_walk.c.
 */
#ifndef SIM_ENGINE_TLB_H
#define SIM_ENGINE_TLB_H

#include "sim/engine/emu.h"

/*
 * In front of the registers, in 2.1.1: which TLBs are not empty; for each a descriptor; for each its table.
 * emu_tlb_init() tries it.
 */
enum {
    NR_TLBS = 3,
    TLB_DIRTY = -0x890, /* uint16_t, a bit each */
    TLB_DESC = -0x870,
    TLB_DESC_SIZE = 0x2b8,
    /* size_t: entries in use at most, of late; a flush makes the table as large as this asks for */
    TLB_DESC_MOST = 0x18,
    TLB_DESC_USED = 0x20,    /* size_t: entries in use */
    TLB_DESC_VICTIMS = 0x30, /* eight entries that the table had no place for */
    NR_VICTIMS = 8,
    TLB_FAST = -0x40, /* struct fast */
};

struct fast {
    uint64_t mask; /* of the table's index, in bytes */
    uint8_t *table;
};

enum { ENTRY_READ = 0, ENTRY_WRITE = 8, ENTRY_PADDR = 24, ENTRY_ADDEND = 32, ENTRY_SIZE = 64 };
#define ENTRY_NOTDIRTY (UINT64_C(1) << 10)

static inline struct fast *fast(struct emu *e, unsigned int tlb)
{
    return (struct fast *)(void *)(e->raw.st + TLB_FAST) + tlb;
}

static inline uint8_t *desc(struct emu *e, unsigned int tlb) { return e->raw.st + TLB_DESC + tlb * TLB_DESC_SIZE; }

static inline size_t entries(struct emu *e, unsigned int tlb) { return (fast(e, tlb)->mask + ENTRY_SIZE) / ENTRY_SIZE; }

static inline uint64_t phys_of(const uint8_t *entry)
{
    uint64_t phys;

    memcpy(&phys, entry + ENTRY_PADDR, sizeof(phys));
    return phys;
}

/* The page of addresses that an entry is for; NO_PAGE: it is not in use. A tag that is not in use is all ones, too. */
#define NO_PAGE ~UINT64_C(0)
static inline uint64_t page_of(const uint8_t *entry)
{
    uint64_t tag[3]; /* to read, to write, to execute */

    memcpy(tag, entry, sizeof(tag));
    tag[0] &= tag[1] & tag[2];
    return tag[0] == NO_PAGE ? NO_PAGE : tag[0] & PAGE_MASK;
}

/* Where in a table the entry of an address is. */
static inline uint8_t *entry_at(struct emu *e, unsigned int tlb, uint64_t addr)
{
    const struct fast *f = fast(e, tlb);

    return f->table + (f->mask & (addr >> PAGE_SHIFT) * ENTRY_SIZE);
}

static inline uint8_t *victim_at(struct emu *e, unsigned int tlb, unsigned int i)
{
    return desc(e, tlb) + TLB_DESC_VICTIMS + i * ENTRY_SIZE;
}

/* --- filled.c --- */

#define UPPER_HALF (UINT64_C(1) << 63) /* of addresses */
#define FILLED_FEW 1024u               /* it takes less time to look at them than at all entries */

static inline uint16_t *emu_filled_list(struct emu *e, uint64_t frame)
{
    return &e->tlb.list[frame % EMU_FILLED_LISTS];
}

/* The TLB is empty. */
void emu_filled_forget(struct emu *e);
/* Is it noted that this page led to this frame? */
bool emu_is_filled(struct emu *e, uint64_t page, uint64_t frame);
/* Look at all entries, and note anew what there is; lower_goes: those of the lower half of addresses are taken out. */
void emu_filled_look_at_all(struct emu *e, bool lower_goes);
/* Those of the lower half are taken out. Few pages are noted: only these are looked at. */
void emu_filled_look_at_few(struct emu *e);
/* What leads to this frame is taken out. */
void emu_filled_take_out(struct emu *e, uint64_t frame);

#endif
