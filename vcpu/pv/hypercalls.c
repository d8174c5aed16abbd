// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The small PV hypercalls: what a kernel would do to its own processor with privileged instructions.
 *
 * Concept: LIDT becomes set_trap_table, the TSS's stack pointer stack_switch, WRMSR(LSTAR) set_callbacks, MOV CR0 (TS)
 * fpu_taskswitch, MOV DR set_debugreg. Each stores a value in struct pv_vcpu after checking that no value can hurt
 * anybody but the guest: addresses must be canonical, selectors are forced to the guest's ring.
 *
 * Corresponds to xen/arch/x86/pv/callback.c, misc-hypercalls.c, descriptor-tables.c.
 */
#include "mmu/compat.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"
#include "vcpu/hypercall.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <string.h>
#include <xen/callback.h>
#include <xen/nmi.h>

/* struct callback_register of a 32-bit kernel: the selector is its own to choose. */
struct callback_register32 {
    uint16_t type, flags;
    uint32_t cs, eip;
};

long do_set_trap_table(struct vcpu *v, struct hypercall_args *args)
{
    const size_t size = compat_size(v->domain, COMPAT_trap_info);

    if (args->a[0] == 0) {
        memset(v->pv.trap_ctxt, 0, sizeof(v->pv.trap_ctxt));
        return 0;
    }
    for (;; args->a[0] += size) {
        struct trap_info t;

        if (hypercall_preempt_check(v))
            return -ERESTART;
        if (compat_from_guest(v, &t, args->a[0], COMPAT_trap_info))
            return -EFAULT;
        if (t.address == 0)
            return 0;
        if (!is_canonical(t.address))
            return -EINVAL;
        t.cs = fixup_guest_code_selector(v->domain, t.cs);
        v->pv.trap_ctxt[t.vector] = t;
    }
}

/* Xen's flat code segment, whatever the guest names, and events are masked in the handler. */
static long nmi_callback_set(struct vcpu *v, uint64_t address)
{
    struct trap_info *t = &v->pv.trap_ctxt[X86_EXC_NMI];

    if (!is_canonical(address))
        return -EINVAL;
    *t = (struct trap_info){
        .vector = X86_EXC_NMI,
        .cs = v->domain->abi->flat_kernel_cs,
        .address = address,
    };
    TI_SET_IF(t, 1);
    return 0;
}

static bool callback_type_exists(const struct vcpu *v, unsigned int type)
{
    return type < 32 && (v->domain->abi->callback_types >> type & 1);
}

static long callback_register(struct vcpu *v, unsigned int type, unsigned int flags, uint64_t eip, uint16_t cs)
{
    struct pv_vcpu *pv = &v->pv;
    bool mask = flags & CALLBACKF_mask_events;

    if (!is_canonical(eip))
        return -EINVAL;
    if (!callback_type_exists(v, type))
        return -ENOSYS;
    cs = fixup_guest_code_selector(v->domain, cs);
    switch (type) {
    case CALLBACKTYPE_event:
        pv->event_callback_eip = eip;
        pv->event_callback_cs = cs;
        return 0;
    case CALLBACKTYPE_failsafe:
        pv->failsafe_callback_eip = eip;
        pv->failsafe_callback_cs = cs;
        pv->vgc_flags = (pv->vgc_flags & ~VGCF_failsafe_disables_events) | (mask ? VGCF_failsafe_disables_events : 0);
        return 0;
    case CALLBACKTYPE_syscall:
        pv->syscall_callback_eip = eip;
        pv->vgc_flags = (pv->vgc_flags & ~VGCF_syscall_disables_events) | (mask ? VGCF_syscall_disables_events : 0);
        return 0;
    case CALLBACKTYPE_syscall32:
        pv->syscall32_callback_eip = eip;
        pv->syscall32_callback_cs = cs;
        pv->syscall32_disables_events = mask;
        return 0;
    case CALLBACKTYPE_nmi: return nmi_callback_set(v, eip);
    default: return 0; /* CALLBACKTYPE_sysenter: AMD processors have no SYSENTER in long mode */
    }
}

static long callback_unregister(struct vcpu *v, unsigned int type)
{
    if (!callback_type_exists(v, type))
        return -ENOSYS;
    if (type != CALLBACKTYPE_nmi)
        return -EINVAL;
    memset(&v->pv.trap_ctxt[X86_EXC_NMI], 0, sizeof(struct trap_info));
    return 0;
}

static long unregister_op(struct vcpu *v, uint64_t arg)
{
    struct callback_unregister unreg;

    return copy_from_guest(v, &unreg, arg, sizeof(unreg)) ? -EFAULT : callback_unregister(v, unreg.type);
}

long do_callback_op(struct vcpu *v, struct hypercall_args *args)
{
    struct callback_register reg;

    switch ((unsigned int)args->a[0]) {
    case CALLBACKOP_register:
        if (copy_from_guest(v, &reg, args->a[1], sizeof(reg)))
            return -EFAULT;
        return callback_register(v, reg.type, reg.flags, reg.address, FLAT_KERNEL_CS);
    case CALLBACKOP_unregister: return unregister_op(v, args->a[1]);
    default: return -ENOSYS;
    }
}

long compat_callback_op(struct vcpu *v, struct hypercall_args *args)
{
    struct callback_register32 reg;

    switch ((unsigned int)args->a[0]) {
    case CALLBACKOP_register:
        if (copy_from_guest(v, &reg, args->a[1], sizeof(reg)))
            return -EFAULT;
        return callback_register(v, reg.type, reg.flags, reg.eip, (uint16_t)reg.cs);
    case CALLBACKOP_unregister: return unregister_op(v, args->a[1]);
    default: return -EINVAL;
    }
}

/* (event, failsafe, syscall). What is no address is left out. */
long do_set_callbacks(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    callback_register(v, CALLBACKTYPE_event, 0, a[0], FLAT_KERNEL_CS);
    callback_register(v, CALLBACKTYPE_failsafe, 0, a[1], FLAT_KERNEL_CS);
    callback_register(v, CALLBACKTYPE_syscall, 0, a[2], FLAT_KERNEL_CS);
    return 0;
}

/* (event_cs, event_eip, failsafe_cs, failsafe_eip) */
long compat_set_callbacks(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    callback_register(v, CALLBACKTYPE_event, 0, a[1], (uint16_t)a[0]);
    callback_register(v, CALLBACKTYPE_failsafe, 0, a[3], (uint16_t)a[2]);
    return 0;
}

long do_stack_switch(struct vcpu *v, struct hypercall_args *args)
{
    v->pv.kernel_ss = fixup_guest_stack_selector(v->domain, (uint16_t)args->a[0]);
    v->pv.kernel_sp = args->a[1];
    return 0;
}

long do_fpu_taskswitch(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t ts = (uint32_t)args->a[0] ? X86_CR0_TS : 0;

    v->pv.ctrlreg[0] = (v->pv.ctrlreg[0] & ~(uint64_t)X86_CR0_TS) | ts;
    v->regs->cr0 = (v->regs->cr0 & ~(uint64_t)X86_CR0_TS) | ts;
    v->regs->dirty |= CPU_DIRTY_CR;
    return 0;
}

/* Bits of DR6 and DR7 that are the guest's (Intel SDM vol. 3, 17.2). */
#define DR6_VALID UINT64_C(0x0000e00f)
#define DR7_VALID UINT64_C(0xffff23ff)

/* Breakpoints on I/O need CR4.DE, and are not the processor's affair: it sees no I/O that is emulated. */
static long set_dr7(struct vcpu *v, uint64_t val)
{
    uint64_t on_io = 0;

    if (val & X86_DR7_GD)
        return -EPERM;
    for (unsigned int i = 0; i < 4 && (val & X86_DR7_ACTIVE); i++) {
        if ((val >> (16 + 4 * i) & 3) != 2)
            continue;
        if (!(v->pv.ctrlreg[4] & X86_CR4_DE))
            return -EPERM;
        on_io |= val & UINT64_C(3) << (2 * i);
    }
    v->pv.dr7_emul = on_io;
    v->regs->dr[7] = ((val & DR7_VALID) | X86_DR7_DEFAULT) & ~on_io;
    return 0;
}

bool pv_debugreg_exists(const struct vcpu *v, unsigned int reg)
{
    return reg < 8 && !((reg == 4 || reg == 5) && (v->pv.ctrlreg[4] & X86_CR4_DE));
}

long set_debugreg(struct vcpu *v, unsigned int reg, uint64_t val)
{
    if (!pv_debugreg_exists(v, reg))
        return -ENODEV;
    if (reg > 3 && val >> 32)
        return -EINVAL;
    v->regs->dirty |= CPU_DIRTY_DR;
    switch (reg) {
    case 4:
    case 6: v->regs->dr[6] = (val & DR6_VALID) | X86_DR6_DEFAULT; return 0;
    case 5:
    case 7: return set_dr7(v, val);
    default:
        if (!guest_handle_okay(v, val, sizeof(long)))
            return -EPERM;
        v->regs->dr[reg] = val;
        return 0;
    }
}

long do_set_debugreg(struct vcpu *v, struct hypercall_args *args)
{
    return set_debugreg(v, (unsigned int)args->a[0], args->a[1]);
}

long do_get_debugreg(struct vcpu *v, struct hypercall_args *args)
{
    const unsigned int reg = (unsigned int)args->a[0];

    if (!pv_debugreg_exists(v, reg))
        return -ENODEV;
    if (reg == 5 || reg == 7)
        return (long)(v->regs->dr[7] | v->pv.dr7_emul);
    return (long)v->regs->dr[reg == 4 ? 6 : reg];
}

long do_set_segment_base(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t base = args->a[1];

    switch ((unsigned int)args->a[0]) {
    case SEGBASE_FS:
    case SEGBASE_GS_KERNEL:
        if (!is_canonical(base))
            return -EINVAL;
        v->regs->seg[(unsigned int)args->a[0] == SEGBASE_FS ? CPU_SEG_FS : CPU_SEG_GS].base = base;
        v->regs->dirty |= CPU_DIRTY_BASE;
        return 0;
    case SEGBASE_GS_USER:
        if (!is_canonical(base))
            return -EINVAL;
        v->pv.gs_base_user = base;
        return 0;
    case SEGBASE_GS_USER_SEL: {
        /* The user GS base becomes that of the descriptor named; the kernel's own base stays loaded. */
        uint64_t kernel_base = v->regs->seg[CPU_SEG_GS].base;
        const uint16_t sel = (uint16_t)base;
        bool ok = pv_load_segment(v, CPU_SEG_GS, sel > 3 ? sel | 3 : sel);

        v->pv.gs_base_user = ok ? v->regs->seg[CPU_SEG_GS].base : 0;
        if (!ok)
            v->regs->seg[CPU_SEG_GS] = (struct cpu_segment){ 0 };
        v->regs->seg[CPU_SEG_GS].base = kernel_base;
        v->regs->dirty |= CPU_DIRTY_SEGS;
        return 0;
    }
    default: return -EINVAL;
    }
}

long do_nmi_op(struct vcpu *v, struct hypercall_args *args)
{
    struct xennmi_callback cb;

    switch ((unsigned int)args->a[0]) {
    case XENNMI_register_callback:
        return compat_from_guest(v, &cb, args->a[1], COMPAT_xennmi_callback) ? -EFAULT
                                                                             : nmi_callback_set(v, cb.handler_address);
    case XENNMI_unregister_callback: memset(&v->pv.trap_ctxt[X86_EXC_NMI], 0, sizeof(struct trap_info)); return 0;
    default: return -ENOSYS;
    }
}

/* --- the hypercall page: one stub of 32 bytes a hypercall --- */

#define HYPERCALL_STUB 32

static uint8_t *put(uint8_t *p, const void *bytes, size_t n) { return (uint8_t *)memcpy(p, bytes, n) + n; }

static void stub64(uint8_t *p, uint32_t nr)
{
    bool iret = nr == __HYPERVISOR_iret;

    p = iret ? put(p, "\x51\x41\x53\x50\xb8", 5) /* push rcx; push r11; push rax; mov eax, nr */
             : put(p, "\x51\x41\x53\xb8", 4);    /* push rcx; push r11; mov eax, nr */
    p = put(p, &nr, 4);
    if (iret)
        put(p, "\x0f\x05", 2); /* syscall: does not come back */
    else
        put(p, "\x0f\x05\x41\x5b\x59\xc3", 6); /* syscall; pop r11; pop rcx; ret */
}

static void stub32(uint8_t *p, uint32_t nr)
{
    if (nr == __HYPERVISOR_iret)
        p = put(p, "\x50", 1); /* push eax */
    p = put(p, "\xb8", 1);     /* mov eax, nr */
    p = put(p, &nr, 4);
    put(p, "\xcd\x82\xc3", nr == __HYPERVISOR_iret ? 2 : 3); /* int 0x82; ret */
}

void pv_ring3_init_hypercall_page(uint8_t *page)
{
    for (uint32_t nr = 0; nr < PAGE_SIZE / HYPERCALL_STUB; nr++)
        stub64(page + nr * HYPERCALL_STUB, nr);
}

void pv_ring1_init_hypercall_page(uint8_t *page)
{
    for (uint32_t nr = 0; nr < PAGE_SIZE / HYPERCALL_STUB; nr++)
        stub32(page + nr * HYPERCALL_STUB, nr);
}

int hypercall_page_install(struct domain *d, uint64_t gmfn)
{
    struct page_info *pg = get_page_from_mfn(d->xen, _mfn(gmfn), d);
    uint8_t *page;

    if (!pg)
        return -EACCES;
    if (!get_page_type(d->xen, pg, PGT_writable_page)) {
        put_page(d->xen, pg);
        return -EACCES;
    }
    page = frame_write_begin(d->xen->machine, _mfn(gmfn));
    memset(page, 0xcc, PAGE_SIZE);
    d->guest->init_hypercall_page(page);
    frame_write_end(d->xen->machine, _mfn(gmfn));
    put_page_and_type(d->xen, pg);
    return 0;
}
