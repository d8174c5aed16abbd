// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercall dispatch. The table itself, one line a hypercall, is in vcpu/hypercall_table.c.
 */
#ifndef VCPU_HYPERCALL_H
#define VCPU_HYPERCALL_H

#include "vcpu/noun/domain.h"

/* As xen_version answers. */
#define XEN_VERSION_NUMBER (4u << 16 | 17u)
#define XEN_EXTRA_VERSION  ".0-xenlab"

/* One hypercall: its handler for each kind of caller. NULL: -ENOSYS. */
struct hypercall_entry {
    const char *name;
    hypercall_fn *fn[HYPERCALLS_NR_COLUMNS];
};

extern const struct hypercall_entry hypercall_table[XEN_NR_HYPERCALLS];

/* Name for statistics; "unknown" for numbers without one. */
const char *hypercall_name(unsigned int nr);

/* The guest executed its hypercall instruction: arguments are in v's registers, the result goes into RAX. */
void hypercall_guest(struct vcpu *v);        /* SYSCALL */
void compat_hypercall_guest(struct vcpu *v); /* INT 0x82 */
/* VMMCALL, an instruction of insn_len bytes, by an HVM guest's code of 64, 32 or 16 bits. */
void hvm_hypercall_guest(struct vcpu *v, unsigned int insn_len);

/* kernel.c: what a guest writes to Xen's console, collected to lines. */
void guest_console_write(struct domain *d, const char *text, size_t len);

hypercall_fn do_multicall, do_xen_version, do_console_io, do_sched_op, do_vcpu_op, do_vm_assist, do_domctl, do_sysctl,
    do_platform_op, do_set_timer_op, compat_set_timer_op, do_sched_op_compat_old, do_hvm_op, do_xenpmu_op, do_xsm_op,
    do_dm_op, do_paging_domctl_cont, hvm_op_absent, do_kexec_op, do_hypfs_op, do_mca;

#endif
