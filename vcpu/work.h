// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a domain has had of the processor: instructions in each ring, and time in the hypervisor, "ring -1".
 *
 * Concept: the rings are counted by the processor (struct cpu_state.insns_in), and where a PV64 guest's kernel and
 * programs share one, by whoever runs it. Xen's time is what the clock goes on by for the domain's exits and
 * hypercalls, and for a device model in the hypervisor (--device-model xen). A device model elsewhere is another
 * domain's work. All of it is state: the same at a position, by whatever way that was reached. Native domains execute
 * no instructions: their time is dom0's (host_dom0_time()).
 */
#ifndef VCPU_WORK_H
#define VCPU_WORK_H

#include "vcpu/noun/domain.h"

/* The hypervisor works for d: ns of virtual time go by. */
static inline void domain_charge(struct domain *d, s_time_t ns)
{
    d->xen->machine->clock.now += ns;
    d->work.in_xen += ns;
}

/* v has executed so many instructions, which machine.at counts already. */
static inline void vcpu_insns_account(struct vcpu *v, uint64_t insns)
{
    v->insns_at = v->domain->xen->machine->at.insns;
    v->insns += insns;
    if (v->domain->type == DOMAIN_PV64 && v->pv.kernel_mode)
        v->domain->work.insns_kernel += insns;
}

/* Up to now; of a domain that is no system domain. */
struct domain_work domain_work(const struct domain *d);
/* All domains by number, and the last that are gone, at most `most` of them; how many. */
unsigned int domain_work_all(const struct xen *xen, struct domain_work *w, unsigned int most);

#endif
