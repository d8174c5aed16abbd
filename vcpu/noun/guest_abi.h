// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What differs between a 64-bit and a 32-bit guest, as data.
 *
 * Concept: a guest's width shows in many places: how long its words are, in which ring its kernel runs, what its page
 * tables look like. Each such place asks the row for the fact that it needs, and not for the width, so that what the
 * width means can be read here, once. What is done in two ways rather than with two values has two functions: here (as
 * far as mmu/ is concerned), in struct guest_ops, or in the table of hypercalls, whose handlers for 32-bit guests Xen
 * calls compat_*.
 *
 *                          words  kernel   page tables                                  hypercall
 *      pv64_abi            8      ring 3   4 levels; another root for user code         SYSCALL
 *      pv32_abi            4      ring 1   3 levels, the root has 4 entries             INT 0x82
 *
 * Native domains have the 64-bit row, as far as it is about words and frames. The rows are in mmu/pv/abi.c.
 *
 * Invariants: d->abi is the row of d->guest, and NULL for system domains.
 */
#ifndef VCPU_NOUN_GUEST_ABI_H
#define VCPU_NOUN_GUEST_ABI_H

#include "vcpu/noun/domain.h"

struct compat_layout;

struct guest_abi {
    uint8_t word;                        /* bytes of its unsigned long, and of a guest address in memory */
    const struct compat_layout *layouts; /* of the structures that it hands over: mmu/compat.h */
    uint8_t vcpu_info_cr2;               /* offset of arch.cr2 */
    uint64_t hypervisor_virt_start;      /* where Xen's own addresses begin */

    /* --- hypercalls --- */
    uint16_t hypercall_vector; /* the INT that makes one; 256: none, SYSCALL does */
    uint32_t callback_types;   /* bits CALLBACKTYPE_* that there are */

    /* --- processor --- */
    uint64_t efer;       /* what it believes EFER to be; with LMA, FS and GS have bases apart from their descriptors */
    uint8_t kernel_ring; /* 3: that of user code, which therefore has page tables of its own */
    /* Selectors of Xen's flat segments: the kernel's code, user code after SYSCALL, with 32 bits, and its stack. */
    uint16_t flat_kernel_cs, flat_user_cs, flat_user_cs32, flat_user_ss;
    uint64_t flat_gdt[4]; /* their descriptors, from selector 0xe018 on */
    /* Bits of the upper half of a descriptor that must not be set: in a segment's, in a call gate's. */
    uint32_t segment_refused, call_gate_refused;

    /* --- page tables, see mmu/pv/validate.c --- */
    uint8_t root_level;
    struct pt_level {
        uint64_t disallow;    /* bits that a present entry of the guest's must not have, */
        uint64_t set;         /* and those that Xen sets in it */
        uint16_t slots;       /* that there are: 512, or an L3's 4; 0: there is no such table */
        uint16_t xen_l2_slot; /* the one that must stay as it is, since Xen has entries in its L2; 512: none */
    } level[5];               /* 2 to 4 */
    uint64_t (*mfn_to_cr3)(mfn_t mfn);
    mfn_t (*cr3_to_mfn)(uint64_t cr3);
};

extern const struct guest_abi pv64_abi, pv32_abi;

/* Kernel and user code run in the same ring, so what keeps them apart is that they have two roots. */
static inline bool has_user_root(const struct domain *d) { return d->abi->kernel_ring == 3; }
/* It runs on that one, which need not map what the kernel has. */
static inline bool on_user_root(const struct vcpu *v) { return is_pv_domain(v->domain) && !v->pv.kernel_mode; }

#endif
