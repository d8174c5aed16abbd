// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grants, as native code uses them: pages of others that stay mapped, bytes that are copied, and frames of its own to
 * copy from and to.
 */
#ifndef VCPU_NATIVE_GRANT_H
#define VCPU_NATIVE_GRANT_H

#include "vcpu/noun/domain.h"

#include <xen/grant_table.h>

/* Map what domain domid has granted as ref, writable. NULL: refused. *handle is for native_grant_unmap(). */
void *native_grant_map(struct vcpu *v, domid_t domid, grant_ref_t ref, grant_handle_t *handle);
void native_grant_unmap(struct vcpu *v, void *ptr, grant_handle_t handle);

/* Carry out nr copies: each has its status then. A frame of one's own is named by native_frame(). */
void native_grant_copy(struct vcpu *v, struct gnttab_copy *ops, unsigned int nr);

/* A frame of machine RAM for v's domain, where it can be written at any time. NULL: there is none left. */
void *native_frame_alloc(struct vcpu *v);
/* Back. Harmless for NULL. */
void native_frame_free(struct vcpu *v, void *ptr);
/* The number of such a frame. */
xen_pfn_t native_frame(const struct vcpu *v, const void *ptr);

#endif
