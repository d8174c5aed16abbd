// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering the guest kernel: bounce frames. (The way back, which guests ask for: iret.c.)
 *
 * Concept: when real hardware takes a fault it pushes a frame on the kernel's stack and jumps through the IDT. A PV
 * guest's IDT is a table in the hypervisor (set_trap_table), so the hypervisor pushes the frame itself: it "bounces"
 * the trap. The frame of a PV64 guest, from the address in RSP upwards:
 *
 *      rcx  r11  [ds es fs gs: failsafe]  [error code]  rip  cs|upcall_mask<<32  rflags  rsp  ss
 *
 * RCX and R11 are there because the guest returns with HYPERVISOR_iret, a SYSCALL, which destroys them. RFLAGS shows IF
 * as the inverse of the upcall mask, since that is the guest's real "interrupts enabled". Both kernel and user of a
 * PV64 guest run at CPL 3 on different page tables, so entering the kernel from user mode also changes tables and the
 * GS base. A PV32 kernel runs in ring 1, whose frame is what hardware would push, the upcall mask in the upper half of
 * CS:
 *
 *      [ds es fs gs: failsafe]  [error code]  eip  cs|upcall_mask<<16  eflags  [esp  ss   when coming from ring 3]
 *
 * Invariants: a frame is written whole or the domain is crashed; the handler runs with TF, NT, RF, AC clear; a trap
 * whose gate says so, and every event upcall, masks upcalls.
 *
 * Corresponds to xen/arch/x86/x86_64/entry.S (create_bounce_frame), compat/entry.S, pv/traps.c.
 * Lab 00 shows it: guests/rings.c, guests/traps.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/pv/pv.h"
#include "vcpu/runstate.h"
#include "vcpu/time.h"

#include <string.h>

/* What a bounce is to do: Xen's struct trap_bounce. */
struct trap_bounce {
    uint64_t eip;
    uint16_t cs;
    bool has_error_code, interrupt, failsafe;
    uint32_t error_code;
    uint16_t data_sel[4]; /* failsafe: DS ES FS GS as they were */
};

static const char *const exception_name[32] = {
    "#DE divide error",
    "#DB debug",
    "NMI",
    "#BP breakpoint",
    "#OF overflow",
    "#BR bound range",
    "#UD invalid opcode",
    "#NM device not available",
    "#DF double fault",
    "coprocessor segment overrun",
    "#TS invalid TSS",
    "#NP segment not present",
    "#SS stack fault",
    "#GP general protection",
    "#PF page fault",
    "spurious interrupt",
    "#MF x87 fault",
    "#AC alignment check",
    "#MC machine check",
    "#XM SIMD fault",
};

static bool exception_has_error_code(unsigned int vector) { return vector < 32 && (X86_EXC_HAVE_EC >> vector & 1); }

void toggle_guest_mode(struct vcpu *v)
{
    uint64_t gs = v->regs->seg[CPU_SEG_GS].base;

    v->regs->seg[CPU_SEG_GS].base = v->pv.gs_base_user;
    v->pv.gs_base_user = gs;
    v->regs->dirty |= CPU_DIRTY_BASE;
    v->pv.kernel_mode = !v->pv.kernel_mode;
    toggle_guest_pt(v);
    if (v->pv.kernel_mode) {
        runstate_catch_up(v);
        vcpu_time_catch_up(v);
    }
}

/* RFLAGS as the guest is to see it: IF from the upcall mask, IOPL as the guest believes it. */
static uint64_t guest_view_of_rflags(const struct vcpu *v, bool masked)
{
    uint64_t flags = v->regs->rflags & ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);

    if (!masked)
        flags |= X86_EFLAGS_IF;
    if (VM_ASSIST(v->domain, architectural_iopl))
        flags |= (uint64_t)v->pv.iopl << 12;
    return flags;
}

/* Common tail: the guest now stands at the handler. */
static void bounce_enter(struct vcpu *v, const struct trap_bounce *tb)
{
    v->regs->rip = tb->eip;
    v->regs->rflags &= ~(uint64_t)(X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF);
    v->regs->rflags |= X86_EFLAGS_IF;
    if (tb->interrupt)
        v->vcpu_info->evtchn_upcall_mask = 1;
}

void create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb)
{
    struct cpu_state *r = v->regs;
    bool masked = v->vcpu_info->evtchn_upcall_mask;
    bool from_kernel = v->pv.kernel_mode;
    uint64_t frame[12], *f = frame, sp = from_kernel ? r->rsp : v->pv.kernel_sp;
    uint64_t cs = r->seg[CPU_SEG_CS].sel;

    if (from_kernel)
        cs &= ~UINT64_C(3); /* tells the guest where it came from */
    *f++ = r->rcx;
    *f++ = r->r11;
    for (unsigned int i = 0; i < ARRAY_SIZE(tb->data_sel) && tb->failsafe; i++)
        *f++ = tb->data_sel[i];
    if (tb->has_error_code)
        *f++ = tb->error_code;
    *f++ = r->rip;
    *f++ = cs | (uint64_t)masked << 32;
    *f++ = guest_view_of_rflags(v, masked);
    *f++ = r->rsp;
    *f++ = r->seg[CPU_SEG_SS].sel;

    if (!from_kernel)
        toggle_guest_mode(v);
    sp = (sp & ~UINT64_C(15)) - (uint64_t)(f - frame) * 8;
    if (copy_to_guest(v, sp, frame, (size_t)(f - frame) * 8)) {
        domain_crash(v, "no stack for a trap frame at %016lx", sp);
        return;
    }
    r->rsp = sp;
    pv_flat_segments(v, FLAT_KERNEL_CS, FLAT_KERNEL_SS);
    bounce_enter(v, tb);
}

void compat_create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb)
{
    struct cpu_state *r = v->regs;
    bool masked = v->vcpu_info->evtchn_upcall_mask;
    bool from_kernel = guest_kernel_mode(v);
    uint32_t frame[12], *f = frame, esp = (uint32_t)r->rsp, sp;
    uint16_t old_ss = r->seg[CPU_SEG_SS].sel, old_cs = r->seg[CPU_SEG_CS].sel;

    for (unsigned int i = 0; i < ARRAY_SIZE(tb->data_sel) && tb->failsafe; i++)
        *f++ = tb->data_sel[i];
    if (tb->has_error_code)
        *f++ = tb->error_code;
    *f++ = (uint32_t)r->rip;
    *f++ = old_cs | (uint32_t)masked << 16;
    *f++ = (uint32_t)guest_view_of_rflags(v, masked);
    if (!from_kernel) {
        *f++ = esp;
        *f++ = old_ss;
    }
    if (!pv_load_segment(v, CPU_SEG_CS, tb->cs) || (r->cpl & 3) == 3) {
        domain_crash(v, "bad code selector %04x for a trap handler", tb->cs);
        return;
    }
    if (!from_kernel && !pv_load_segment(v, CPU_SEG_SS, (uint16_t)v->pv.kernel_ss)) {
        domain_crash(v, "bad kernel stack selector %04x", (unsigned int)v->pv.kernel_ss);
        return;
    }
    sp = (from_kernel ? esp : (uint32_t)v->pv.kernel_sp) - (uint32_t)(f - frame) * 4;
    if (copy_to_guest(v, (uint32_t)(sp + r->seg[CPU_SEG_SS].base), frame, (size_t)(f - frame) * 4)) {
        domain_crash(v, "no stack for a trap frame at %08x", sp);
        return;
    }
    r->rsp = sp;
    bounce_enter(v, tb);
}

static void bounce(struct vcpu *v, const struct trap_bounce *tb) { v->domain->guest->create_bounce_frame(v, tb); }

/* --- exceptions --- */

static void inject(struct vcpu *v, unsigned int vector, bool has_error_code, uint32_t error_code)
{
    const struct trap_info *ti = &v->pv.trap_ctxt[vector];
    struct trap_bounce tb = {
        .eip = ti->address,
        .cs = ti->cs,
        .interrupt = TI_GET_IF(ti),
        .has_error_code = has_error_code,
        .error_code = error_code,
    };

    TRACE_VCPU(v, trap, vector, error_code, vector == X86_EXC_PF ? v->pv.ctrlreg[2] : 0, v->regs->rip, tb.eip,
               vcpu_trace_who(v).mode, tb.interrupt, 0);
    v->resume_why = TRACE_RESUME_TRAP;
    if (tb.eip == 0) {
        const char *name = vector < 32 && exception_name[vector] ? exception_name[vector] : "trap";

        if (vector == X86_EXC_PF)
            domain_crash(v, "unhandled %s at address %016lx, error code %04x", name, v->pv.ctrlreg[2], error_code);
        else
            domain_crash(v, "unhandled %s (vector %u, error code %04x)", name, vector, error_code);
        return;
    }
    bounce(v, &tb);
}

void pv_inject_hw_exception(struct vcpu *v, unsigned int vector, uint32_t error_code)
{
    inject(v, vector, exception_has_error_code(vector), error_code);
}

void pv_inject_sw_interrupt(struct vcpu *v, unsigned int vector) { inject(v, vector, false, 0); }

void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code)
{
    error_code = (error_code & ~PFEC_user_mode) | (guest_kernel_mode(v) ? 0 : PFEC_user_mode);
    v->domain->work.page_faults++;
    v->pv.ctrlreg[2] = addr;
    memcpy((uint8_t *)v->vcpu_info + v->domain->abi->vcpu_info_cr2, &addr, v->domain->abi->word);
    pv_inject_hw_exception(v, X86_EXC_PF, error_code);
}

void pv_inject_debug(struct vcpu *v, uint64_t dr6)
{
    v->regs->dr[6] |= dr6; /* to clear them is the debugger's affair */
    pv_inject_hw_exception(v, X86_EXC_DB, 0);
}

/* --- events --- */

static __attribute__((cold)) void trace_upcall(struct vcpu *v, uint64_t to)
{
    uint64_t first = TRACE_NONE;
    const unsigned int ports = evtchn_nr_deliverable(v, &first);

    TRACE_VCPU(v, upcall, v->regs->rip, to, ports, first);
}

void pv_bounce_event(struct vcpu *v)
{
    struct trap_bounce tb = { .eip = v->pv.event_callback_eip, .cs = v->pv.event_callback_cs, .interrupt = true };

    if (v->nmi_pending && !v->nmi_masked) {
        v->nmi_pending = false; /* without a handler it is lost */
        if (v->pv.trap_ctxt[X86_EXC_NMI].address) {
            v->nmi_masked = true; /* until HYPERVISOR_iret */
            inject(v, X86_EXC_NMI, false, 0);
            return;
        }
    }
    if (!local_events_need_delivery(v))
        return;
    if (TRACE_ON(v->domain->xen->machine))
        trace_upcall(v, tb.eip);
    v->resume_why = TRACE_RESUME_UPCALL;
    if (tb.eip == 0)
        domain_crash(v, "an event is due and there is no event callback");
    else
        bounce(v, &tb);
}

void pv_failsafe_callback(struct vcpu *v, const uint16_t data_sel[4])
{
    struct trap_bounce tb = {
        .eip = v->pv.failsafe_callback_eip,
        .cs = v->pv.failsafe_callback_cs,
        .failsafe = true,
        .interrupt = v->pv.vgc_flags & VGCF_failsafe_disables_events,
    };

    memcpy(tb.data_sel, data_sel, sizeof(tb.data_sel));
    TRACE_VCPU(v, failsafe, v->regs->rip, tb.eip, vcpu_trace_who(v).mode, TRACE_MODE_KERNEL,
               v->regs->seg[CPU_SEG_CS].sel);
    v->resume_why = TRACE_RESUME_FAILSAFE;
    if (tb.eip == 0)
        domain_crash(v, "bad segments and no failsafe callback");
    else
        bounce(v, &tb);
}

/* --- system calls of the guest's user mode --- */

/* Xen's entry does not look what CS and SS were: the frame has the flat ones, as they are after a SYSRET. */
void pv_guest_syscall(struct vcpu *v)
{
    const struct guest_abi *abi = v->domain->abi;
    struct cpu_state *r = v->regs;
    bool compat = !(r->seg[CPU_SEG_CS].attr & SEG_ATTR_L);
    struct trap_bounce tb = {
        .eip = compat ? v->pv.syscall32_callback_eip : v->pv.syscall_callback_eip,
        .cs = v->pv.syscall32_callback_cs,
        .interrupt = compat ? v->pv.syscall32_disables_events : !!(v->pv.vgc_flags & VGCF_syscall_disables_events),
    };

    r->rcx = r->rip; /* what the instruction itself does */
    r->r11 = r->rflags;
    TRACE_VCPU(v, syscall, r->rip, tb.eip, vcpu_trace_who(v).mode, TRACE_MODE_KERNEL, r->seg[CPU_SEG_CS].sel);
    v->resume_why = TRACE_RESUME_SYSCALL;
    pv_flat_segments(v, compat ? abi->flat_user_cs32 : abi->flat_user_cs, abi->flat_user_ss);
    if (tb.eip == 0) {
        r->rip -= 2;
        pv_inject_hw_exception(v, X86_EXC_UD, 0);
        return;
    }
    bounce(v, &tb);
}
