// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Foreign frames, as native code sees them: hypercalls (mmu/memory/foreign.c), and where in this process the frames
 * then are.
 */
#ifndef VCPU_NATIVE_MAP_H
#define VCPU_NATIVE_MAP_H

#include "vcpu/noun/domain.h"

/*
 * Map frame mfn of domain domid, writable, for v's domain. NULL: no such domain or frame, not privileged, or the frame
 * is a page table.
 */
void *native_map_foreign(struct vcpu *v, domid_t domid, mfn_t mfn);
/* Undo it. ptr as returned. */
void native_unmap(struct vcpu *v, void *ptr);

/* The same to look at a frame, of a page table too; it is the domain's for so long, wherever it has it. */
const void *native_look_foreign(struct vcpu *v, domid_t domid, mfn_t mfn);
void native_unlook(struct vcpu *v, const void *ptr);

/*
 * Copy frame mfn of domain domid to `page` (PAGE_SIZE bytes), also of a page table. Of DOMID_XEN a control domain may
 * read the machine-to-phys table, which every guest sees. -ESRCH: no such domain; -EPERM: not privileged; -EINVAL: the
 * frame is not the domain's.
 */
int native_read_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, void *page);

/*
 * Fill frame mfn of domain domid from `page` (PAGE_SIZE bytes): what native_map_foreign(), a copy and native_unmap()
 * do, and cheaper for a frame that was never used. Errors as above, and -EINVAL for a page table.
 */
int native_write_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, const void *page);

#endif
