// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest's CPUID is to say becomes hypercalls: see tools/xl/guest_cpuid.c. */
#ifndef TOOLS_XL_GUEST_CPUID_H
#define TOOLS_XL_GUEST_CPUID_H

#include "tools/xc/xc.h"
#include "tools/xl/xl_cpuid.h"

#define GUEST_CPUID_ERR_SIZE 1024

/* What other settings say of it. */
struct guest_cpuid_kind {
    bool hvm;           /* PVH or HVM: the default is that of such guests */
    bool invariant_tsc; /* the domain's TSC never changes its speed, wherever it runs */
    bool no_pae, no_nx;
};

/* Carry out `c` for the domain, which has not run yet. 0, or -1 with a message that names file and key. */
int guest_cpuid_apply(struct xc_handle *xc, domid_t domid, const struct guest_cpuid_kind *kind,
                      const struct xl_cpuid *c, char err[GUEST_CPUID_ERR_SIZE]);

#endif
