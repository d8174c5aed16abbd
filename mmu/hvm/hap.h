// SPDX-License-Identifier: GPL-2.0-or-later
/* d->paging of HVM domains under nested paging (hap.c). */
#ifndef MMU_HVM_HAP_H
#define MMU_HVM_HAP_H

#include "mmu/hvm/p2m.h"
#include "mmu/paging.h"

extern const struct paging_ops hap_paging_ops, shadow_paging_ops;

#endif
