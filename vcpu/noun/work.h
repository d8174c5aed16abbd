// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a domain has had of the processor, as values: see vcpu/work.h.
 */
#ifndef VCPU_NOUN_WORK_H
#define VCPU_NOUN_WORK_H

#include "sim/types.h"

#include <xen/xen.h>

struct domain_work {
    domid_t domid;
    const char *kind;       /* of guest: "PV64" */
    uint64_t insns_in[4];   /* instructions by CPL, */
    uint64_t insns_kernel;  /* PV64: and of those of CPL 3 the kernel's */
    s_time_t in_xen;        /* virtual time that the hypervisor has worked for it */
    uint64_t page_faults;   /* that it got, */
    uint64_t nested_faults; /* and where there is no memory, or it is guarded (HVM) */
    uint64_t table_stores;  /* stores to its page tables that Xen carried out, */
    uint64_t table_updates; /* and entries that it asked Xen to write (PV) */
    const char *paging;     /* "direct", "nested", "shadow, oos" */
    struct {                /* without nested paging: mmu/hvm/shadow.h */
        bool used;
        uint64_t true_faults, fills, stores;
        uint64_t unshadowed, syncs, evictions;
        uint32_t pages[5], nr, most;
    } shadow;
};

/* The last domains that were destroyed, in turn, of so many. */
#define GONE_MANY 16
struct gone_domains {
    struct domain_work work[GONE_MANY];
    uint64_t nr;
};

/* d goes, and its work is kept in xen->gone, but for a system domain's. vcpu/work.c. */
struct domain;
void domain_work_keep(const struct domain *d);

#endif
