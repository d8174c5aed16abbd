// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory reservations, as the rest of the hypervisor uses them. Explained in mmu/memory/memory.c.
 */
#ifndef MMU_MEMORY_MEMORY_H
#define MMU_MEMORY_MEMORY_H

#include "mmu/memory/e820.h"
#include "mmu/page.h"

/*
 * Reserve memory for d to grow to nr pages, without choosing any (0: no more). -EINVAL, -ENOMEM. The claim shrinks as d
 * is given pages. Xen common/page_alloc.c:domain_set_outstanding_pages().
 */
int domain_set_outstanding_pages(struct domain *d, uint64_t nr);

/*
 * What `idx` is in `space` (XENMAPSPACE_*) comes to gpfn of d, whose frame numbers are its own; what was there is given
 * up. 0, -EINVAL, -ENOSYS, -EPERM (it is not d's memory), -ENOMEM.
 */
int xenmem_add_to_physmap_one(struct domain *d, unsigned int space, uint64_t idx, uint64_t gpfn);

#endif
