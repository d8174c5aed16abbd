// SPDX-License-Identifier: GPL-2.0-or-later
/* What a native domain has mapped of others: explained in mmu/memory/foreign.c. */
#ifndef MMU_MEMORY_FOREIGN_H
#define MMU_MEMORY_FOREIGN_H

#include "mmu/page.h"

/* The window in which a native domain's foreign frames may only be read. */
#define NATIVE_GFN_READ_ONLY (UINT64_C(1) << 40)

/* An entry of d->native.physmap. */
struct foreign_mapping {
    uint64_t gfn;      /* of the native domain: the frame's number, in one of the two windows */
    unsigned int uses; /* times that it was added, and not removed yet; each has references of its own */
};

static inline mfn_t foreign_mfn(const struct foreign_mapping *map) { return _mfn(map->gfn & ~NATIVE_GFN_READ_ONLY); }
static inline bool foreign_is_read_only(const struct foreign_mapping *map) { return map->gfn & NATIVE_GFN_READ_ONLY; }

/*
 * Map frame mfn of fd (or, of DOMID_XEN, of the machine-to-phys table) for native domain d, whose gfn is then *gfn.
 * -EINVAL: the frame is not fd's, or d's own, or cannot be written; -EPERM: d has no power over fd; -ENOMEM.
 */
int native_physmap_add(struct domain *d, struct domain *fd, mfn_t mfn, bool read_only, uint64_t *gfn);
/* Undo one of these. -ENOENT: nothing is mapped there. */
int native_physmap_remove(struct domain *d, uint64_t gfn);
/* d dies: nothing is mapped any more. */
void native_physmap_destroy(struct domain *d);

#endif
