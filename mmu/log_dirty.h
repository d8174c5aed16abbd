// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log-dirty mode: which of a domain's frames have been written since somebody last asked.
 *
 * Concept: who copies a domain that goes on running (live migration, a checkpoint every second) copies all, then what
 * was written meanwhile, then what was written meanwhile, and stops it for the rest. So there is a bitmap by the
 * domain's own frame numbers, which XEN_DOMCTL_SHADOW_OP_CLEAN reads and clears, and _PEEK reads.
 *
 * A processor reports no stores, so a hypervisor must make them leave: the first one to each frame finds it write-
 * protected, is noted, and is tried again with the protection gone. Where that protection is depends on the paging:
 *
 *      hap       in the p2m: p2m_ram_logdirty (mmu/hvm/hap.c). The guest cannot see it.
 *      direct    the tables are the guest's own, and it can read them: a bit that is cleared there would be seen. Xen gives
 *                such a domain shadow tables for as long as it is logged. Here the machine itself says of a frame that
 *                it was written (sim/frame.h), and nothing leaves.
 *
 * What the hypervisor and back ends write no table protects; Xen calls paging_mark_dirty() behind each such write.
 * Here all of them come through sim/frame.h, which logs them; so the log is the machine's, a bit for each of its
 * frames, and the bitmap is made of it when it is asked for. A frame that comes to another place counts as written.
 *
 * Invariants: a frame of a logged domain that was written since the last CLEAN is in the bitmap, if it is not shared
 * just now (sim/frame.h: frame_share(): mapped by a back end, or a vcpu_info); shared ones are with
 * XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, and when they are so no more.
 *
 * Corresponds to xen/arch/x86/mm/paging.c: paging_log_dirty_enable(), paging_log_dirty_op(), paging_domctl(). Here none
 * of them is preempted.
 */
#ifndef MMU_LOG_DIRTY_H
#define MMU_LOG_DIRTY_H

#include "mmu/page.h"

#include <xen/domctl.h>

/*
 * XEN_DOMCTL_shadow_op on d, which is another domain than v's, is paused, and lives. As Xen's: -EINVAL (it is logged
 * already, a mode or operation that there is not), -EFAULT (the bitmap), -ENOMEM; -EOPNOTSUPP to set the allocation:
 * tables come of the hypervisor's memory as they are needed.
 */
int paging_domctl(struct vcpu *v, struct domain *d, struct xen_domctl_shadow_op *op);

/* mfn, d's, was written by somebody whom sim/frame.h does not know of. */
void paging_mark_dirty(struct domain *d, mfn_t mfn);

/* d dies, or is not logged any more. */
void paging_log_dirty_off(struct domain *d);

#endif
