// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvm_start_info: what a PVH kernel is told when it starts, and hvmloader of its modules.
 *
 * Concept: EBX holds the physical address of one structure (<xen/arch-x86/hvm/start_info.h>) that points to the rest.
 * As libxl does, all of it lies in one piece:
 *
 *      | hvm_start_info | command line | 2 hvm_modlist_entry | 2 module command lines | memory map |
 *
 * Invariants: a pure function; every address in the piece points into it, but those of the modules and of the RSDP.
 *
 * Corresponds to bootlate_hvm() of Xen's xg_dom_x86.c.
 */
#ifndef TOOLS_BUILD_START_INFO_H
#define TOOLS_BUILD_START_INFO_H

#include <stddef.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#define START_INFO_MODULES             2
#define START_INFO_MODULE_CMDLINE_SIZE 1024 /* MAX_GUEST_CMDLINE */

struct start_info_module {
    uint64_t at, size;
    const char *cmdline; /* NULL: none; of more than START_INFO_MODULE_CMDLINE_SIZE - 1 characters the first count */
};

struct start_info_parts {
    const char *cmdline; /* NULL: none */
    uint64_t rsdp;       /* 0: none */
    struct start_info_module modules[START_INFO_MODULES];
    unsigned int nr_modules;
    const struct hvm_memmap_table_entry *memmap;
    unsigned int nr_memmap;
};

/* How many bytes it takes. */
size_t start_info_size(const struct start_info_parts *s);

/* The bytes, start_info_size() of them, which are to lie at the guest's physical address `at`. */
void start_info_write(const struct start_info_parts *s, uint64_t at, uint8_t *bytes);

#endif
