// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HYPERVISOR_iret: how a guest kernel returns from a trap.
 *
 * Concept: IRET itself would do for much of it, but not for what is virtual: the page tables and GS base of a PV64
 * guest's user mode, and "interrupts enabled", a byte in shared memory that the frame has as IF. So the kernel leaves a
 * frame on its stack, the one that it was entered with (bounce.c) and EAX below, and asks the hypervisor.
 *
 * Invariants: nothing of the frame is trusted: a selector that cannot be loaded, or an address that is none, is an
 * exception at the place where the guest would have gone on, and a frame that cannot be read is its domain's end.
 *
 * Corresponds to xen/arch/x86/pv/iret.c. Lab 00 shows it: guests/rings.c, guests/traps.c.
 */
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/pv/pv.h"

/* It was the kernel that asked, under its own page tables. */
static __attribute__((cold)) void trace_iret(struct vcpu *v, uint64_t from, uint64_t to, enum trace_mode to_mode,
                                             uint16_t cs)
{
    struct trace_who who = trace_who(v->domain->domain_id, v->vcpu_id);

    who.mode = TRACE_MODE_KERNEL;
    who.root = TRACE_ROOT_KERNEL;
    TRACE_BY(v->domain->xen->machine, iret, who, from, to, TRACE_MODE_KERNEL, to_mode, cs);
}

/* The frame that the guest kernel leaves on its stack: public arch-x86/xen-x86_64.h, struct iret_context. */
long do_iret(struct vcpu *v, struct hypercall_args *args)
{
    struct cpu_state *r = v->regs;
    const uint64_t from = r->rip;
    struct iret_context c;

    if (copy_from_guest(v, &c, r->rsp, sizeof(c))) {
        domain_crash(v, "iret: the frame at %016lx cannot be read", r->rsp);
        return 0;
    }
    if ((c.cs & 3) == 3) {
        if (mfn_eq(v->pv.guest_table_user, INVALID_MFN)) {
            domain_crash(v, "iret to user mode with no user page tables");
            return 0;
        }
        toggle_guest_mode(v);
    }
    if (VM_ASSIST(v->domain, architectural_iopl))
        v->pv.iopl = (c.rflags >> 12) & 3;
    r->rip = c.rip;
    r->rsp = c.rsp;
    r->rflags = (c.rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | X86_EFLAGS_MBS;
    if (!(c.flags & VGCF_IN_SYSCALL)) {
        r->r11 = c.r11;
        r->rcx = c.rcx;
    } else if (is_canonical(c.rip)) { /* by SYSRET, which has its own idea of segments */
        r->r11 = r->rflags;
        r->rcx = c.rip;
        c.cs = (c.cs | 3) == FLAT_USER_CS32 ? FLAT_USER_CS32 : FLAT_USER_CS64;
        c.ss = FLAT_USER_SS;
    }
    r->rax = c.rax;
    v->vcpu_info->evtchn_upcall_mask = !(c.rflags & X86_EFLAGS_IF);
    v->nmi_masked = false;
    v->resume_why = TRACE_RESUME_IRET;
    if (TRACE_ON(v->domain->xen->machine))
        trace_iret(v, from, c.rip, v->pv.kernel_mode ? TRACE_MODE_KERNEL : TRACE_MODE_USER, (uint16_t)c.cs);
    pv_set_segment(v, CPU_SEG_CS, (uint16_t)(c.cs | 3));
    pv_set_segment(v, CPU_SEG_SS, (uint16_t)(c.ss | 3));
    if ((r->seg[CPU_SEG_CS].attr & SEG_ATTR_L) && !is_canonical(c.rip))
        pv_inject_hw_exception(v, X86_EXC_GP, 0);
    return (long)r->rax;
}

/*
 * Virtual-8086 mode is not to be had in long mode. The guest's #GP handler is told so as if the first instruction there
 * had faulted: it finds the whole frame on the kernel's stack, an error code of 0 in the place of EAX.
 */
static void compat_iret_vm86(struct vcpu *v, uint32_t sp)
{
    const struct trap_info *ti = &v->pv.trap_ctxt[X86_EXC_GP];
    struct cpu_state *r = v->regs;
    uint32_t frame[10]; /* eax eip cs eflags esp ss es ds fs gs */
    const uint32_t to = (uint32_t)v->pv.kernel_sp - (uint32_t)sizeof(frame);

    if (copy_from_guest(v, frame, sp, sizeof(frame)) || ti->address == 0) {
        domain_crash(v, "iret to virtual-8086 mode, and no #GP handler to be told");
        return;
    }
    r->rax = frame[0];
    r->rflags = (frame[3] & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF)) |
                X86_EFLAGS_IF | X86_EFLAGS_MBS;
    v->vcpu_info->evtchn_upcall_mask = TI_GET_IF(ti) || !(frame[3] & X86_EFLAGS_IF);
    v->nmi_masked = false;
    frame[0] = 0;
    if (copy_to_guest(v, to, frame, sizeof(frame))) {
        domain_crash(v, "no stack for a trap frame at %08x", to);
        return;
    }
    r->rsp = to;
    v->resume_why = TRACE_RESUME_IRET;
    if (TRACE_ON(v->domain->xen->machine))
        trace_iret(v, r->rip, ti->address, TRACE_MODE_KERNEL, ti->cs);
    r->rip = ti->address;
    pv_set_segment(v, CPU_SEG_CS, ti->cs);
    pv_set_segment(v, CPU_SEG_SS, (uint16_t)v->pv.kernel_ss);
}

/*
 * PV32: the hardware's own frame below eax (xen/arch/x86/pv/iret.c, compat_iret): eax eip cs eflags [esp ss] or a VM86
 * tail.
 */
long compat_iret(struct vcpu *v, struct hypercall_args *args)
{
    struct cpu_state *r = v->regs;
    uint32_t f[6] = { 0 };
    uint32_t sp = (uint32_t)(r->rsp + r->seg[CPU_SEG_SS].base);
    const uint64_t from = r->rip;

    if (copy_from_guest(v, f, sp, 4 * 4)) {
        domain_crash(v, "iret: the frame at %08x cannot be read", sp);
        return 0;
    }
    uint16_t cs = (uint16_t)f[2];
    bool ring_change = (cs & 3) > 1;

    if (VM_ASSIST(v->domain, architectural_iopl))
        v->pv.iopl = (f[3] >> 12) & 3;
    if (f[3] & X86_EFLAGS_VM) {
        compat_iret_vm86(v, sp);
        return (long)(uint32_t)r->rax;
    }
    if ((cs & 3) == 0) {
        domain_crash(v, "iret to ring 0");
        return 0;
    }
    if (ring_change && copy_from_guest(v, f + 4, sp + 16, 8)) {
        domain_crash(v, "iret: the frame at %08x cannot be read", sp);
        return 0;
    }
    r->rax = f[0];
    r->rip = f[1];
    r->rsp = ring_change ? f[4] : (uint32_t)(r->rsp + 16);
    r->rflags = (f[3] & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | X86_EFLAGS_MBS;
    v->vcpu_info->evtchn_upcall_mask = !(f[3] & X86_EFLAGS_IF);
    v->nmi_masked = false;
    v->resume_why = TRACE_RESUME_IRET;
    if (TRACE_ON(v->domain->xen->machine))
        trace_iret(v, from, f[1], (cs & 3) == 1 ? TRACE_MODE_KERNEL : TRACE_MODE_USER, cs);
    pv_set_segment(v, CPU_SEG_CS, cs);
    if (ring_change)
        pv_set_segment(v, CPU_SEG_SS, (uint16_t)f[5]);
    return (long)(uint32_t)r->rax;
}
