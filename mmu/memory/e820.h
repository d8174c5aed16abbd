// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's memory map, as BIOS function E820 returns it and XENMEM_memory_map has it: a value, not in Xen's public
 * headers.
 */
#ifndef MMU_MEMORY_E820_H
#define MMU_MEMORY_E820_H

#include <stdint.h>

#define E820_RESERVED 2
#define E820_RAM      1
#define E820_MAX      1024 /* entries */
struct e820entry {
    uint64_t addr, size; /* bytes */
    uint32_t type;
} __attribute__((packed));

#endif
