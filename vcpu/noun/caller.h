// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who makes a hypercall, and how its memory is reached.
 *
 * Concept: a hypercall is made in the name of a vCPU, which decides what is allowed, and comes with addresses of
 * buffers, which mean something to the caller only. Mostly that is the vCPU itself:
 *
 *      pv_caller_mem       guest virtual addresses, translated by the vCPU's own page tables (mmu/guest_access.c)
 *      native_caller_mem   native code: pointers of this process (mmu/guest_access.c)
 *
 * But a call may also be made for somebody who is not here, as privcmd makes a process's calls in the name of dom0's
 * vCPU: such a caller brings its own way of reaching its memory along, for the duration of the call
 * (hypercall_remote()). Handlers see nothing of it: they use copy_from_guest(), copy_to_guest() and guest_handle_okay()
 * of mmu/guest_access.h.
 *
 * Invariant: addresses that a handler keeps beyond the call (where a runstate is to be written, say) are the vCPU's own
 * always.
 */
#ifndef VCPU_NOUN_CALLER_H
#define VCPU_NOUN_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vcpu;

/* v->caller_mem is this table while a handler runs, v->caller_data what came with it. */
struct caller_mem_ops {
    const char *name;
    /* Copy n bytes from or to the caller's address. 0, or -EFAULT; then nothing is copied behind the first bad byte. */
    int (*copy_from)(struct vcpu *v, void *dst, uint64_t src, size_t n);
    int (*copy_to)(struct vcpu *v, uint64_t dst, const void *src, size_t n);
    /* May [addr, addr + n) be the caller's at all? Says nothing of what is mapped there. */
    bool (*okay)(const struct vcpu *v, uint64_t addr, size_t n);
};

/* Somebody who makes hypercalls in the name of v. */
struct caller {
    struct vcpu *v;
    const struct caller_mem_ops *mem;
    void *data; /* for mem */
};

/* As hypercall_native(), with addresses of c's. */
long hypercall_remote(const struct caller *c, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5);

#endif
