// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the calls of tools/xc/ share: the handle, and how a call is made through it. A native caller passes host
 * addresses where a guest passes guest handles.
 */
#ifndef TOOLS_XC_XC_PRIVATE_H
#define TOOLS_XC_XC_PRIVATE_H

#include "tools/xc/xc.h"
#include "vcpu/noun/domain.h"

#define PTR(p) ((uint64_t)(uintptr_t)(p))

struct xc_handle {
    struct vcpu *v; /* in whose name */
};

static inline long xc_hypercall(struct xc_handle *xc, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3,
                                uint64_t a4, uint64_t a5)
{
    return hypercall_native(xc->v, nr, a1, a2, a3, a4, a5);
}

static inline struct xenctl_bitmap bitmap64(uint64_t *bits)
{
    struct xenctl_bitmap map = { .nr_bits = 64 };

    map.bitmap.p = (uint8_t *)bits;
    return map;
}

#endif
