// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory reservations, as the rest of the hypervisor uses them. Explained in mmu/memory/memory.c.
 */
#ifndef MMU_MEMORY_MEMORY_H
#define MMU_MEMORY_MEMORY_H

#include "mmu/page.h"

/* An entry of a PC's memory map, as BIOS function E820 returns it. */
#define E820_RAM      1
#define E820_RESERVED 2
#define E820_MAX      1024 /* entries */
struct e820entry {
    uint64_t addr, size; /* bytes */
    uint32_t type;
} __attribute__((packed));

/*
 * Reserve memory for d to grow to nr pages, without choosing any (0: no more). -EINVAL, -ENOMEM. The claim shrinks as d
 * is given pages. Xen common/page_alloc.c:domain_set_outstanding_pages().
 */
int domain_set_outstanding_pages(struct domain *d, uint64_t nr);

#endif
