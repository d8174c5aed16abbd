// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of tools/debug/look.h share. */
#ifndef TOOLS_DEBUG_LOOK_PRIVATE_H
#define TOOLS_DEBUG_LOOK_PRIVATE_H

#include "tools/debug/look.h"
#include "vcpu/noun/domain.h"

/* NULL: there is none of that number. */
static inline struct domain *look_domain_of(struct host *h, domid_t dom)
{
    return dom < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[dom] : NULL;
}

static inline struct vcpu *look_vcpu_of(struct host *h, domid_t dom, unsigned int vcpu)
{
    const struct domain *d = look_domain_of(h, dom);

    return d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;
}

/* The n bytes of a domain's translated code at linear address va: how many there are. look_tc.c. */
size_t look_tc_read(struct host *h, domid_t dom, uint64_t va, uint8_t *bytes, size_t n);

/* The part of look_hash() that HVM guests alone have, and their PCs: look_hash_hvm.c. */
uint64_t look_hash_hvm_vcpu(uint64_t hash, const struct vcpu *v);
uint64_t look_hash_hvm_domain(uint64_t hash, const struct domain *d);
uint64_t look_hash_pc(uint64_t hash, const struct pc *pc);

#endif
