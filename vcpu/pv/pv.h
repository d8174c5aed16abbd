// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PV guests: traps, syscalls, privileged instructions. Each file of vcpu/pv/ explains its part.
 */
#ifndef VCPU_PV_PV_H
#define VCPU_PV_PV_H

#include "sim/x86.h"
#include "vcpu/noun/guest_abi.h"

/* --- bounce.c: entering the guest kernel --- */

/*
 * Deliver exception `vector` to the guest kernel (the vCPU then stands at its handler). No handler: the domain crashes.
 */
void pv_inject_hw_exception(struct vcpu *v, unsigned int vector, uint32_t error_code);
void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code);
/* A software interrupt whose gate allows it (rip is behind the instruction already). */
void pv_inject_sw_interrupt(struct vcpu *v, unsigned int vector);
/* #DB for the conditions in these bits of DR6. */
void pv_inject_debug(struct vcpu *v, uint64_t dr6);
/* An NMI or the event upcall, if one is due. */
void pv_bounce_event(struct vcpu *v);
/* SYSCALL that is no hypercall: from user mode, or from a kernel's 32-bit code. */
void pv_guest_syscall(struct vcpu *v);
/* Data segments could not be loaded: data_sel holds what DS, ES, FS and GS were. */
void pv_failsafe_callback(struct vcpu *v, const uint16_t data_sel[4]);

/* The two ways to write a trap's frame: operations of struct guest_ops. */
void create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb);
void compat_create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb);

/* Change between a PV64 guest's kernel and user context: page tables and GS base. */
void toggle_guest_mode(struct vcpu *v);

/* --- iret.c --- */
hypercall_fn do_iret, compat_iret;

/* --- segments.c --- */

/* Read from one of the kernel's addresses, in whichever mode the guest is. 0 or -EFAULT. */
int pv_copy_from_kernel(struct vcpu *v, void *dst, uint64_t src, size_t n);

/*
 * Load selector `sel` from the guest's GDT or LDT with its hidden part, as the processor would. False: it would fault.
 */
bool pv_load_segment(struct vcpu *v, unsigned int seg, uint16_t sel);
/* The same for CS or SS; one that would fault stands in the register with nothing behind it. CS sets the CPL. */
void pv_set_segment(struct vcpu *v, unsigned int seg, uint16_t sel);
/* Neither does so. */
static inline bool pv_has_segments(const struct vcpu *v)
{
    return v->regs->seg[CPU_SEG_CS].attr & v->regs->seg[CPU_SEG_SS].attr & SEG_ATTR_P;
}
/* The one of them that does so, and the exception that loading it raises. */
unsigned int pv_missing_segment(struct vcpu *v, unsigned int *vector);
/* `sel` with the RPL that it must have as a code or stack selector of d's kernel or user; one that is right stays. */
uint16_t fixup_guest_code_selector(const struct domain *d, uint16_t sel);
uint16_t fixup_guest_stack_selector(const struct domain *d, uint16_t sel);
/* v's CS and SS become two of Xen's flat segments, of ring 3; mostly they are these already. */
void pv_load_flat_segments(struct vcpu *v, uint16_t cs, uint16_t ss);
static inline void pv_flat_segments(struct vcpu *v, uint16_t cs, uint16_t ss)
{
    if (v->regs->seg[CPU_SEG_CS].sel != cs || v->regs->seg[CPU_SEG_SS].sel != ss)
        pv_load_flat_segments(v, cs, ss);
}

/* --- deliver.c: the last steps before the guest is entered --- */
/* Deliver what is due before the guest is entered: NMI, the event upcall, what its selectors are worth. */
void pv_deliver_events(struct vcpu *v);
/*
 * v comes onto a pCPU: load DS, ES, FS and GS anew. If the guest has taken away the descriptor of one, that becomes a
 * null selector, and the kernel is told with the failsafe callback.
 */
void pv_reload_segments(struct vcpu *v);

/* --- traps.c: what an exit means --- */
void pv_handle_exit(struct vcpu *v, const struct sim_exit *exit);

/*
 * --- emulate.c: privileged instructions. True: carried out, or a fault delivered; false: the caller injects #GP. ---
 */
bool pv_emulate_privileged_op(struct vcpu *v);
/* For the trace: what becomes of the instruction at RIP. arg: port, MSR, number of a register, leaf of CPUID. */
#define TRACE_EMULATE(v, op, verdict, rule, value, arg)                                                                \
    TRACE_VCPU(v, emulate, (v)->regs->rip, op, TRACE_VERDICT_##verdict, rule, value, arg, (v)->pv.iopl)
bool pv_emulate_forced_invalid_op(struct vcpu *v);
/*
 * An instruction of `len` bytes was carried out for the guest: step over it, and trap if it is being single-stepped, or
 * ran into breakpoints (hits: bits of DR6).
 */
void pv_insn_done(struct vcpu *v, unsigned int len, unsigned int hits);
/* The low bytes of a general register, as an instruction writes them. */
struct insn_operand;
void pv_write_gpr(struct vcpu *v, const struct insn_operand *op, uint64_t val);
void pv_emulate_cpuid(struct vcpu *v);
/* False: the kernel has forbidden it to user mode (CR4.TSD). */
bool pv_emulate_rdtsc(struct vcpu *v, bool rdtscp);
/*
 * Is the virtual IOPL high enough for the mode? The kernel counts as ring 1, or with the architectural_iopl assist as
 * ring 0.
 */
bool iopl_ok(const struct vcpu *v);

/* --- ioport.c --- */
/* IN, OUT, INS, OUTS at RIP. True: carried out, or a fault delivered; false: none of these, or not allowed. */
bool pv_emulate_port_io(struct vcpu *v);

/* --- msr.c: RDMSR and WRMSR of a PV kernel. False: #GP. --- */
bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t val);

/* --- context.c --- */
/* vcpu_guest_context plus what only the 32-bit layout has room for. */
struct pv_guest_context {
    struct vcpu_guest_context nat;
    uint16_t event_callback_cs, failsafe_callback_cs;
};
struct vcpu_guest_context_x86_32;
/* XEN_DOMCTL_setvcpucontext, VCPUOP_initialise: check and load a whole register context. 0 or -errno. */
int pv_set_info_guest(struct vcpu *v, const struct pv_guest_context *g);
/* Back to how vcpu_create() left it, down and without registers or tables. -ERESTART: call again. */
int pv_vcpu_reset(struct vcpu *v);
void pv_get_info_guest(struct vcpu *v, struct pv_guest_context *g);
/*
 * CR4 of v from now on, as far as the guest may choose it; of that the processor gets FSGSBASE alone (TSD is emulated).
 */
void pv_set_cr4(struct vcpu *v, uint64_t cr4);
void pv_context_from_32(struct pv_guest_context *g, const struct vcpu_guest_context_x86_32 *c32);
void pv_context_to_32(const struct pv_guest_context *g, struct vcpu_guest_context_x86_32 *c32);

/* --- hypercalls.c --- */
hypercall_fn do_set_trap_table, do_set_callbacks, compat_set_callbacks, do_callback_op, compat_callback_op,
    do_stack_switch, do_fpu_taskswitch, do_set_debugreg, do_get_debugreg, do_set_segment_base, do_nmi_op;
/* 4 and 5 are other names of 6 and 7, unless CR4.DE takes them away. */
bool pv_debugreg_exists(const struct vcpu *v, unsigned int reg);
/* set_debugreg: -ENODEV, -EINVAL (a bit that nobody has), -EPERM (one that guests may not have), or 0. */
long set_debugreg(struct vcpu *v, unsigned int reg, uint64_t val);
/* Make frame gmfn of domain d its hypercall page. -EACCES: not a frame that it may write. */
int hypercall_page_install(struct domain *d, uint64_t gmfn);
/* What fills it, for kernels in ring 3 and ring 1: operations of struct guest_ops. */
void pv_ring3_init_hypercall_page(uint8_t *page);
void pv_ring1_init_hypercall_page(uint8_t *page);

/* --- physdev.c --- */
hypercall_fn do_physdev_op, do_physdev_op_compat;

#endif
