// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow page tables: an HVM guest's addresses without nested paging (hap = 0).
 *
 * Concept: the guest's own tables lead from linear addresses to its own frame numbers, and the p2m from these to the
 * machine's. A processor with one walk alone needs both in one: tables that the hypervisor makes, and the guest never
 * sees, from the linear address straight to the machine's frame:
 *
 *      linear --- the guest's tables ---> gfn --- p2m ---> mfn
 *         |                                                 ^
 *         +------------------ shadow tables ----------------+
 *
 * They are filled as the guest goes. What they do not have is a #PF that the hypervisor hears of first: the guest's
 * tables withhold the right too, and the fault is the guest's (a true one); or they grant it, and an entry is made (a
 * fill); or no RAM is there, and it is a device's (mmio.c of vcpu/hvm/).
 *
 * When is an entry right no longer? What the guest does to its tables counts from the moment on at which a processor's
 * TLB would have to hear of it. So shadow tables are a TLB, made of memory, and all of a vCPU's are dropped when one
 * would be emptied: CR3 is loaded, a control bit of paging changes, INVLPG (all, then too). The guest's tables are
 * not write-protected.
 *
 *      entry   present    the guest's entry is, and has A
 *              RW         the guest may write, the p2m too, and D is set: else its first store has to be seen
 *              US, NX     the guest's; without paging: all may be done
 *
 * Where the guest has cleared CR0.WP and its kernel stores to a page that is read-only, a processor that runs with
 * CR0.WP would refuse: the entry is writable then, and the kernel's alone until ring 3 wants it.
 *
 * Invariants: an entry holds no reference, and its rights are no wider than the guest's and the p2m's were when it was
 * made. What takes something from the p2m drops all of the domain's. Tables are no more than the pool has.
 *
 * Corresponds to xen/arch/x86/mm/shadow/ in what it is for. Xen keeps shadows of each table as long as the guest has
 * it.
 */
#ifndef MMU_HVM_SHADOW_H
#define MMU_HVM_SHADOW_H

#include "mmu/page.h"
#include "sim/nested.h"

struct cpu_state;

struct shadow_vcpu {
    mfn_t root;
    uint64_t cr0, cr3, cr4, efer; /* that its tables were made for */
};

struct shadow_domain {
    uint64_t nr_tables; /* roots, too */
    uint64_t fills, drops;
    struct shadow_vcpu *vcpu; /* max_vcpus */
};

/* d->shadow, with a root a vCPU. 0 or -ENOMEM. */
int shadow_init(struct domain *d);
/* Nobody runs on them any more. NULL is good. */
void shadow_teardown(struct domain *d);

/* The machine address that vCPU id's walks begin at; 0: d has no shadow tables. */
uint64_t shadow_root(const struct domain *d, unsigned int id);

/* All of vCPU id's entries go; of all vCPUs of d. Nothing, if d has no shadow tables. */
void shadow_drop(struct domain *d, unsigned int id);
void shadow_drop_all(struct domain *d);
/* vCPU id is about to run with r: its tables go, if they were made for other control registers. */
void shadow_enter(struct domain *d, unsigned int id, const struct cpu_state *r);

/*
 * w is the guest's walk for va and an access (PFEC_*), of result NESTED_OK, with its A and D bits set: an entry is made
 * of it. False: no memory.
 */
bool shadow_fill(struct domain *d, unsigned int id, uint64_t va, uint32_t access, const struct nested_walk *w);

#endif
