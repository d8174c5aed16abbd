// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant tables, as the rest of the hypervisor uses them. The model is explained in mmu/grant/grant_table.c.
 *
 * Native domains (dom0, driver domains) make the same hypercalls as guests. For GNTMAP_host_map they give no address and
 * find the host's pointer to the frame in host_addr, good until they unmap with that value; with GNTMAP_readonly they must
 * not write through it.
 */
#ifndef MMU_GRANT_GRANT_TABLE_H
#define MMU_GRANT_GRANT_TABLE_H

#include "mmu/page.h"

#include <xen/grant_table.h>

/* Limits of this hypervisor (Xen's defaults for gnttab_max_frames and gnttab_max_maptrack_frames). */
#define GNTTAB_MAX_GRANT_FRAMES    64
#define GNTTAB_MAX_MAPTRACK_FRAMES 1024
#define GNTTAB_MAX_VERSION         2

/*
 * Give d a grant table of one frame. Limits in frames, < 0: the maxima above; max_version 1 or 2. -EINVAL when a limit is
 * out of range (max_version 0 is, as in Xen), -ENOMEM.
 */
int grant_table_init(struct domain *d, int max_grant_frames, int max_maptrack_frames, unsigned int max_version);
/* The last act: nobody maps any of d's grants any more and the shared frames are nobody's. */
void grant_table_destroy(struct domain *d);
/*
 * d is dying: undo every mapping it has of others' frames. -ERESTART: call again. The references of a PV guest's host
 * mappings go when its page tables do; those of a native domain go here.
 */
int gnttab_release_mappings(struct domain *d);

/* XENMEM_acquire_resource: how many frames resource `id` may have (0: no such resource), and the frames themselves. */
unsigned int gnttab_resource_max_frames(const struct domain *d, unsigned int id);
int gnttab_acquire_resource(struct domain *d, unsigned int id, uint64_t frame, unsigned int nr, uint64_t *mfns);

/* --- for checkers; nothing below changes anything --- */
/* How many live mappings of frame mfn d holds through grants; of those that allow writing when `writable`. */
unsigned int gnttab_mappings_of(const struct domain *d, mfn_t mfn, bool writable);

/*
 * Compare every active entry with the mappings that account for it, and its flags with its use. Calls report() for each
 * difference; returns how many there were. For mmu_audit(), between hypercalls.
 */
unsigned int gnttab_audit(const struct xen *xen, void (*report)(void *data, const char *what), void *data);

#endif
