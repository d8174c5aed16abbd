// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Foreign frames for native domains.
 *
 * Concept: dom0's toolstack and backends reach a guest's memory by mapping its frames. A real dom0 writes an entry of its
 * own page tables with mmu_update, naming the foreign domain; native code has no page tables, so it gets the
 * frame's host address instead. The rules are those of the real thing: the caller must be privileged over the domain, the
 * frame must belong to it, and while it is mapped writable it has type PGT_writable_page, so it cannot become a page table
 * in the meantime.
 */
#ifndef MMU_NATIVE_MAP_H
#define MMU_NATIVE_MAP_H

#include "vcpu/noun/domain.h"

/* Map frame mfn of domain domid, writable. NULL: no such domain or frame, not privileged, or the frame is a page table. */
void *native_map_foreign(struct vcpu *v, domid_t domid, mfn_t mfn);
/* Undo it. ptr as returned. */
void native_unmap(struct vcpu *v, void *ptr);

/*
 * Copy frame mfn of domain domid to `page` (PAGE_SIZE bytes): what a read-only mapping, used once, would give, also of a page
 * table. Of DOMID_XEN a control domain may read the machine-to-phys table, which every guest sees. -ESRCH: no such
 * domain; -EPERM: not privileged; -EINVAL: the frame is not the domain's.
 */
int native_read_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, void *page);

/*
 * Fill frame mfn of domain domid from `page` (PAGE_SIZE bytes): what native_map_foreign(), a copy and native_unmap() do, and cheaper
 * for a frame that was never used. -EINVAL where mapping is refused.
 */
int native_write_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, const void *page);

#endif
