// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kinds of guests: what the hypervisor does differently for each, as one table of operations and constants a kind.
 *
 * Concept: a domain is PV64, PV32, or native (C code of this program that the hypervisor schedules). Creating, running,
 * killing a domain is the same for all of them but in a few places, and each of these places is a line of struct
 * guest_ops: d->guest is the row of d's kind, chosen by whoever makes the domain. XEN_DOMCTL_set_address_size makes a
 * PV64 domain a PV32 one, as long as it is empty. Xen has such a table for the two kinds of hardware support of HVM
 * guests (struct hvm_function_table).
 *
 * Rows: pv64_guest and, for an address size of 32, pv32_guest (vcpu/pv/guest.c); native_guest (vcpu/native/guest.c);
 * hvm_guest (vcpu/hvm/guest.c).
 *
 * Invariants: d->guest->type is d->type; it is NULL for a system domain (DOMID_XEN, DOMID_IO), which owns frames and
 * has no vCPU. An operation may not be missing, unless it says so.
 */
#ifndef VCPU_NOUN_GUEST_H
#define VCPU_NOUN_GUEST_H

#include "sim/pcpu.h"

#include <stdbool.h>
#include <stdint.h>

struct domain;
struct vcpu;
struct caller_mem_ops;
struct guest_abi;
struct trap_bounce;

enum domain_type { DOMAIN_PV64, DOMAIN_PV32, DOMAIN_HVM, DOMAIN_NATIVE, DOMAIN_SYSTEM };

/* Which handlers its hypercalls have: a column of hypercall_table. */
enum hypercall_column { HYPERCALLS_PV64, HYPERCALLS_PV32, HYPERCALLS_HVM, HYPERCALLS_NATIVE, HYPERCALLS_NR_COLUMNS };

struct guest_ops {
    const char *name;
    enum domain_type type;

    /* --- what its code sees --- */
    const struct guest_abi *abi; /* what is due to its being of 64 or 32 bits: vcpu/noun/guest_abi.h */
    enum hypercall_column hypercalls;
    uint32_t features;                       /* XENVER_get_features: bits that all domains of the kind have */
    uint64_t vm_assist_valid;                /* bits VMASST_TYPE_* that it may set */
    const struct caller_mem_ops *caller_mem; /* how a hypercall reaches its memory */
    /*
     * Granted frames in its own memory, flags: GNTMAP_*; the references are the caller's. Created at *host_addr (native
     * code is told where); undone, with new_addr by taking over what is mapped there. GNTST_okay, GNTST_general_error.
     */
    int (*create_grant_host_mapping)(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags);
    int (*replace_grant_host_mapping)(struct vcpu *v, uint64_t host_addr, mfn_t frame, uint64_t new_addr,
                                      unsigned int flags);

    /* --- life. init: 0 or -errno; what it has made by then is undone by destroy, which follows in any case --- */
    int (*domain_init)(struct domain *d);
    void (*domain_destroy)(struct domain *d);
    int (*vcpu_init)(struct vcpu *v); /* its arm; v->ctx and v->regs, if it runs on a processor */
    void (*vcpu_destroy)(struct vcpu *v);
    /* d dies: let go of what keeps its frames in use. -ERESTART: call again. */
    int (*relinquish)(struct domain *d);

    /* --- running (run_on: as pcpu_run_on()) --- */
    void (*switch_to)(struct vcpu *v);   /* it comes onto a pCPU */
    void (*switch_from)(struct vcpu *v); /* it leaves one; NULL: nothing is to be done */
    /* One step of v, whose code is part of this program. False: there is nothing to do. NULL: it has a processor. */
    bool (*step)(struct vcpu *v);
    /* What is due before its code goes on; v may be blocked by it. NULL, as the next, where step is not. */
    void (*deliver)(struct vcpu *v);
    void (*run_on)(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data);
    /* Its code came out for this reason. */
    void (*handle_exit)(struct vcpu *v, const struct sim_exit *exit);
    /* PV: write a trap's or an event's frame onto its kernel's stack; it then stands at the handler. */
    void (*create_bounce_frame)(struct vcpu *v, const struct trap_bounce *tb);
    /* Fill in its hypercall page: a stub of 32 bytes each, so that it need not know which instruction to use. */
    void (*init_hypercall_page)(uint8_t *page);

    /* --- the registers as one structure of its ABI (vcpu_guest_context). All NULL: it has none --- */
    /*
     * Load v's from addr in caller's memory; -EFAULT, -EINVAL, -EOPNOTSUPP. once (VCPUOP_initialise): -EEXIST if v has
     * been initialised. -ERESTART: call again.
     */
    int (*set_context)(struct vcpu *v, struct vcpu *caller, uint64_t addr, bool once);
    int (*get_context)(struct vcpu *v, struct vcpu *caller, uint64_t addr);
    int (*reset_context)(struct vcpu *v); /* back to how vcpu_create() left it, down. -ERESTART: call again. */
    /* XEN_DOMCTL_set_address_size, 32 or 64: -EINVAL, -EACCES (it is not empty), -ENOMEM. NULL: there is no choice. */
    int (*set_address_size)(struct domain *d, unsigned int bits);
};

extern const struct guest_ops pv64_guest, native_guest, hvm_guest;

#endif
