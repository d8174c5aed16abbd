// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Populate on demand: a guest that believes in more memory than it has.
 *
 * Concept: a guest with memory < maxmem finds maxmem in its tables, and a balloon driver that is to give the difference
 * back as soon as it runs. Until then it must not be told; so the places of its memory are marked, as
 * p2m_populate_on_demand, and as many frames as it may have wait in a cache. Who touches a place first, the guest, a
 * hypercall, another domain that maps it, has it filled:
 *
 *      place   marked --first touch--> RAM --given back by the balloon--> nothing
 *      frame   cache  ---------------> RAM --while more places are marked than the cache has frames--> cache
 *                ^                      |
 *                '--- pages of zeroes, if the cache is empty: their places are marked again
 *
 * A marked place that is given back takes nothing along: so in the end no place is marked, and the guest has what it
 * may have. One that touches more than that has a frame for its domain no longer: it is crashed.
 *
 * Invariants: frames of the cache are the domain's, count as its memory, are at no gfn, and all zero.
 *
 * Corresponds to xen/arch/x86/mm/p2m-pod.c; single frames alone.
 */
#ifndef MMU_HVM_POD_H
#define MMU_HVM_POD_H

#include "mmu/hvm/p2m.h"

/* 2^order places are marked: from gfn on. -EBUSY: there is RAM at one of them; -EINVAL: no such gfn; -ENOMEM. */
int guest_physmap_mark_populate_on_demand(struct domain *d, uint64_t gfn, unsigned int order);
/* A frame comes to gfn if it is marked. False: it is not; or there is no frame, and d->p2m->pod.starved. */
bool p2m_pod_populate(struct domain *d, uint64_t gfn);
/*
 * XENMEM_set_pod_target for v: d is to have so many pages altogether. 0, also where there is nothing to do; -ENOMEM;
 * -ERESTART: to be called again.
 */
int p2m_pod_set_mem_target(struct vcpu *v, struct domain *d, uint64_t target);
/* gfn, which is marked, is given back. */
void p2m_pod_unmark(struct domain *d, uint64_t gfn);
/* A frame that d gives back, at no gfn any more, with the caller's reference: it is kept if it is wanted. */
bool p2m_pod_keep(struct domain *d, struct page_info *pg);

#endif
