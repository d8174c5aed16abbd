// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The invariants of memory, checked for the whole machine. What is checked, and how, is told in mmu/audit.c.
 */
#ifndef MMU_AUDIT_H
#define MMU_AUDIT_H

#include "mmu/page.h"

struct audit;

/* 0: all counts are what the page tables make them. Otherwise -EINVAL and the first difference in why; -ENOMEM. */
int mmu_audit(struct xen *xen, char *why, size_t len);

/*
 * For xen->hooks->audit_refs: something outside mmu/ holds a general reference to mfn, and with type != PGT_none a type
 * reference, too.
 */
void audit_ref(struct audit *a, mfn_t mfn, uint64_t type);

#endif
