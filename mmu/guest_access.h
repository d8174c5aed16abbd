// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory, as a hypercall handler may touch it.
 *
 * Concept: a pointer that arrives in a hypercall is a guest virtual address and never trusted. It is translated through
 * the calling vCPU's own page tables with their rights (present, writable for a write, at every level), by pages; an
 * address in the hypervisor's hole, an unmapped page or a read-only one gives -EFAULT and nothing is written beyond it.
 * Other callers have other addresses: who they are and how their memory is reached says vcpu/noun/caller.h.
 *
 * Corresponds to xen/arch/x86/include/asm/guest_access.h and access_ok().
 */
#ifndef MMU_GUEST_ACCESS_H
#define MMU_GUEST_ACCESS_H

#include "sim/nested.h"
#include "sim/x86.h"
#include "vcpu/noun/caller.h"
#include "vcpu/noun/domain.h"

/* The rows of those who call for themselves. */
extern const struct caller_mem_ops pv_caller_mem, native_caller_mem;

/* Copy n bytes from or to the caller's memory; 0 or -EFAULT. Addresses are 64-bit (PV32 callers zero-extend). */
static inline int copy_from_guest(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    return v->caller_mem->copy_from(v, dst, src, n);
}
static inline int copy_to_guest(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    return v->caller_mem->copy_to(v, dst, src, n);
}

/* The check of the place alone, as Xen's guest_handle_okay(): a PV guest's addr is not in Xen's hole, whatever n is. */
static inline bool guest_handle_okay(const struct vcpu *v, uint64_t addr, size_t n)
{
    return v->caller_mem->okay(v, addr, n);
}

/*
 * Translate one guest virtual address through v's current page tables (kernel or user root as v runs now). Returns the
 * frame or INVALID_MFN with the error bits in *pfec, which on entry says what the access is (PFEC_*). Marks nothing
 * accessed.
 */
mfn_t guest_walk(struct vcpu *v, uint64_t va, uint32_t *pfec);

/*
 * An HVM guest's translation of va for such an access (nested_walk()). A and D bits are set (nested_set_bits(); false:
 * all were), also when the guest has the page and the p2m does not: w->gpa is where it would be. Returns w->result.
 */
struct nested_walk;
enum nested_result hvm_walk(struct vcpu *v, uint64_t va, uint32_t access, struct nested_walk *w);
bool nested_set_bits(struct machine *m, const struct nested_walk *w);

/*
 * n bytes of an HVM guest's memory, read or, if access has PFEC_write_access, written, as its processor would with
 * these rights: A and D bits are set (buf NULL: nothing is accessed). False: *w is the walk that failed, for the
 * address *at (a linear one that is not canonical: NESTED_PF with no step); what lies in front of that page is done.
 */
bool hvm_access(struct vcpu *v, uint64_t va, void *buf, size_t n, uint32_t access, struct nested_walk *w, uint64_t *at);

/* Look at memory as v sees it now, from va on: nothing is marked accessed. How many of n bytes could be read. */
size_t guest_peek(struct vcpu *v, uint64_t va, void *buf, size_t n);
/* Fetch up to n bytes of instructions at va; returns how many were readable before the first unmapped page. */
size_t guest_fetch_insn(struct vcpu *v, uint64_t va, uint8_t *buf, size_t n);

#endif
