// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The layout of the engine's TLBs, for the two files that know it: unicorn_tlb.c, unicorn_flush.c.
 */
#ifndef SIM_UNICORN_TLB_H
#define SIM_UNICORN_TLB_H

#include "sim/unicorn_emu.h"

/* In front of the registers, in 2.1.1: which TLBs are not empty; for each a descriptor; for each its table. emu_tlb_init() tries it. */
enum {
    NR_TLBS = 3,
    TLB_DIRTY = -0x890, /* uint16_t, a bit each */
    TLB_DESC = -0x870,
    TLB_DESC_SIZE = 0x2b8,
    TLB_DESC_MOST =
        0x18, /* size_t: entries in use at most, of late; a flush makes the table as large as this asks for */
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

/* The page of addresses that the entry is for, if it leads to this physical page; or NO_PAGE. */
#define NO_PAGE ~UINT64_C(0)
static inline uint64_t page_of(const uint8_t *entry, uint64_t phys)
{
    uint64_t tag[3], paddr;

    memcpy(tag, entry, sizeof(tag));
    memcpy(&paddr, entry + ENTRY_PADDR, sizeof(paddr));
    for (unsigned int i = 0; i < ARRAY_SIZE(tag) && paddr == phys; i++) /* to read, to write, to execute */
        if (tag[i] != ~UINT64_C(0))
            return tag[i] & PAGE_MASK;
    return NO_PAGE;
}

#endif
