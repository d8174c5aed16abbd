// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant tables: letting one other domain use one frame.
 *
 * Concept: domains share nothing by default. To let a backend read a packet, a guest writes an entry into a table that
 * it shares with the hypervisor: "domain 0 may use my frame 1234, read only". The index of the entry, the grant
 * reference, goes to the backend by any way it likes (a ring, xenstore); it is no secret and no capability, for the
 * entry names who may use it. The backend then asks the hypervisor to map or copy. While that lasts the hypervisor sets
 * GTF_reading and GTF_writing in the entry, so that the granter sees whether taking the grant back is safe yet. It can
 * never take it by force: revocation is the user's act.
 *
 *      granter's table (shared frames)         hypervisor                     user's maptrack
 *      ref 8: permit d0 frame 0x4d2  <------>  active[8]: pin counts, mfn     handle 3: (granter, ref 8, flags)
 *
 * What the guest writes may change at any moment, so it is looked at once, when an entry is first used, and noted down
 * in the active entry. Everything after that goes by the note.
 *
 * Version 1 entries have 8 bytes and keep the use flags beside the guest's; version 2 have 16 (frames above 16 TiB,
 * parts of a frame, and transitive grants, which pass on another domain's grant) and the flags in status frames of
 * their own.
 *
 * Invariants (gnttab_audit() checks them):
 *  - Each counter of active[ref].pin is the number of live mappings of that kind, between hypercalls.
 *  - GTF_reading is set when pin != 0, GTF_writing when a writer's counter is not 0 (the guest may clear them, to its
 *    own harm; then nothing sets them again).
 *  - A live mapping holds a reference to the frame, a writable one a writable type reference as well, so that the frame
 *    outlives its owner and can become no page table.
 *
 * Native domains (dom0, driver domains) make the same hypercalls as guests. For GNTMAP_host_map they give no address
 * and find the host's pointer to the frame in host_addr, good until they unmap with that value; with GNTMAP_readonly
 * they must not write through it.
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
 * Give d a grant table of one frame. Limits in frames, < 0: the maxima above; max_version 1 or 2. -EINVAL when a limit
 * is out of range (max_version 0 is, as in Xen), -ENOMEM.
 */
int grant_table_init(struct domain *d, int max_grant_frames, int max_maptrack_frames, unsigned int max_version);
/* The last act: nobody maps any of d's grants any more and the shared frames are nobody's. */
void grant_table_destroy(struct domain *d);
/*
 * d is dying, or native and about to begin anew: undo every mapping it has of others' frames. -ERESTART: call again.
 * The references of a PV guest's host mappings go when its page tables do; those of a native domain go here.
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
