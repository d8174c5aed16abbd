// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PV domain's structures, which are others for each of the two widths: their fields, by one name.
 *
 * Invariant: what does not fit into a 32-bit domain's field has been checked before it is put there.
 */
#ifndef TOOLS_SAVE_WIDTH_H
#define TOOLS_SAVE_WIDTH_H

#include "sim/types.h"
#include "sim/x86.h"

#include <xen/foreign/x86_32.h>
#include <xen/xen.h>

union any_context {
    struct vcpu_guest_context c64;
    struct vcpu_guest_context_x86_32 c32;
};

union any_shared_info {
    struct shared_info c64;
    struct shared_info_x86_32 c32;
    uint8_t page[PAGE_SIZE];
};

union any_start_info {
    struct start_info c64;
    struct start_info_x86_32 c32;
};

#define WIDTH_GET(is64, u, field) ((is64) ? (uint64_t)(u)->c64.field : (uint64_t)(u)->c32.field)
#define WIDTH_SET(is64, u, field, value)                                                                               \
    ((is64) ? (void)((u)->c64.field = (value)) : (void)((u)->c32.field = (uint32_t)(value)))

/* The register in which a domain that suspends has said where its start_info is. */
#define WIDTH_RDX_GET(is64, u) ((is64) ? (uint64_t)(u)->c64.user_regs.rdx : (uint64_t)(u)->c32.user_regs.edx)
#define WIDTH_RDX_SET(is64, u, value)                                                                                  \
    ((is64) ? (void)((u)->c64.user_regs.rdx = (value)) : (void)((u)->c32.user_regs.edx = (uint32_t)(value)))

static inline size_t context_size(bool is64)
{
    return is64 ? sizeof(struct vcpu_guest_context) : sizeof(struct vcpu_guest_context_x86_32);
}

/* CR3 as a PV guest has it: 32 bits have room for frames beyond 4 GiB. */
static inline uint64_t cr3_of_frame(bool is64, uint64_t frame)
{
    return is64 ? frame << PAGE_SHIFT : (uint32_t)frame << PAGE_SHIFT | (uint32_t)frame >> 20;
}

static inline uint64_t frame_of_cr3(bool is64, uint64_t cr3)
{
    return is64 ? cr3 >> PAGE_SHIFT : (uint32_t)cr3 >> PAGE_SHIFT | (uint64_t)((uint32_t)cr3 & 0xfff) << 20;
}

/* --- page tables: entries of 64 bits in both --- */

#define TABLE_ENTRIES (PAGE_SIZE / sizeof(uint64_t))
#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_FRAME   UINT64_C(0x000ffffffffff000)

/* Xen's own entries: of an L4 these; of the L2 that maps the last GiB of a 32-bit domain those from here on. */
#define XEN_L4_FIRST   256 /* ROOT_PAGETABLE_FIRST_XEN_SLOT, public arch-x86/xen-x86_64.h */
#define XEN_L4_LAST    271
#define XEN_L2_FIRST32 428 /* __HYPERVISOR_VIRT_START_PAE >> 21 & 511, public arch-x86/xen-x86_32.h */

#endif
