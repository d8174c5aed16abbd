// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that belong to nobody: the lower storey of the allocator, for mmu/domheap.c only. Explained in mmu/heap.c.
 */
#ifndef MMU_HEAP_H
#define MMU_HEAP_H

#include "mmu/page.h"

#define HEAP_MAX_ORDER 20 /* as Xen's MAX_ORDER */
#define HEAP_RUN_ORDER 9  /* single frames are dealt out of runs of 512: also what one page of the M2P describes */

/* 2^order frames, aligned, clean, unowned and unreferenced; NULL when there is no such block. */
struct page_info *alloc_heap_pages(struct xen *xen, unsigned int order);
/* Give them back; nobody owns or references them any more. */
void free_heap_pages(struct xen *xen, struct page_info *pg, unsigned int order);

#endif
