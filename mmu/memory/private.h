// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of mmu/memory/ share: the arguments of a memory_op on their way in and out of a guest.
 *
 */
#ifndef MMU_MEMORY_PRIVATE_H
#define MMU_MEMORY_PRIVATE_H

#include "mmu/memory/memory.h"

#include <xen/memory.h>

/* cmd's low bits are the operation, the others how much of it was done before it was preempted. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK     ((1u << MEMOP_EXTENT_SHIFT) - 1)
#define MEMOP_MAX_EXTENTS  (UINT32_MAX >> MEMOP_EXTENT_SHIFT)

/* Where the 32-bit M2P is: from the start of a PAE guest's hole to its end (xen/arch/x86/include/asm/config.h). */
#define MACH2PHYS_COMPAT_VIRT_START UINT32_C(0xf5800000)
#define MACH2PHYS_COMPAT_VIRT_END   UINT32_C(0xffe00000)
#define MACH2PHYS_COMPAT_NR_ENTRIES ((MACH2PHYS_COMPAT_VIRT_END - MACH2PHYS_COMPAT_VIRT_START) / sizeof(uint32_t))

/* What Xen is built for. */
#define MAX_ORDER    20
#define MAX_NUMNODES 64

/* One call: op and start from cmd; arg the guest's pointer. */
struct memop {
    struct vcpu *v;
    struct domain *currd; /* v's */
    bool compat;          /* a 32-bit caller */
    unsigned int op;
    uint64_t start;
    uint64_t arg;
    uint64_t progress; /* -ERESTART: what `start` must be then */
};
typedef long memop_fn(struct memop *m);

/* Extent lists: element i of a list of frame numbers. 0 or -EFAULT. */
int extent_get(const struct memop *m, uint64_t list, uint64_t i, uint64_t *pfn);
int extent_put(const struct memop *m, uint64_t list, uint64_t i, uint64_t pfn);
/* The `size` bytes of a list, or its elements first..last, lie where the caller may have them. */
bool list_okay(const struct memop *m, uint64_t list, uint64_t size);
bool extents_okay(const struct memop *m, uint64_t list, uint64_t first, uint64_t last);

int reservation_get(const struct memop *m, struct xen_memory_reservation *r);

/* The largest extent that the caller may name. */
unsigned int max_order(const struct domain *currd);
/* Where new frames may lie, as a caller's mem_flags have it. */
struct placement {
    unsigned int bits; /* below machine address 2^bits; 0, or more bits than an address has: anywhere */
    bool nowhere;      /* on a node that the machine does not have, and on no other */
};
/* XENMEMF_node() and XENMEMF_exact_node_request: who may not choose a node must not insist on one. False: refused. */
bool propagate_node(const struct domain *currd, unsigned int mem_flags, struct placement *p);
/* 2^order frames. NULL: there are none, or d may have no more. */
struct page_info *extent_alloc(struct domain *d, unsigned int order, const struct placement *p, unsigned int memflags);

/* extent.c: frame gfn of d is given back to the hypervisor. 0, -EINVAL (no frame), -ENXIO (not d's), -ENOMEM. */
int guest_remove_page(struct domain *d, uint64_t gfn);

memop_fn memory_exchange;                             /* exchange.c */
memop_fn memory_acquire_resource, memory_claim_pages; /* tools.c */
memop_fn memory_pod_target, memory_access_op;         /* tools.c */
memop_fn memory_memory_map, memory_set_memory_map, memory_machine_memory_map, memory_machphys_mfn_list,
    memory_machphys_mapping, memory_reserved_device_memory_map;                          /* map.c */
memop_fn memory_add_to_physmap, memory_add_to_physmap_batch, memory_remove_from_physmap; /* physmap.c */

#endif
