// SPDX-License-Identifier: GPL-2.0-or-later
/* PV traps without a processor: made-up exits in, bounce frames and registers out. */
#include "tests/vcpu/fixture.h"

#define HANDLER UINT64_C(0xffffffff80001230)

static void gate(struct fixture *f, unsigned int vector, uint8_t flags)
{
    f->v->pv.trap_ctxt[vector] = (struct trap_info){ (uint8_t)vector, flags, FLAT_KERNEL_CS, HANDLER + vector };
}

static void exception(struct fixture *f, uint8_t vector, uint32_t error_code, uint64_t addr)
{
    struct sim_exit e = { .kind = EXIT_EXCEPTION, .exception = { vector, true, error_code, { addr } } };

    pv_handle_exit(f->v, &e);
}

/* rcx r11 [error] rip cs rflags rsp ss, below the old stack pointer, aligned to 16. */
static void frame_from_kernel(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    uint64_t rsp = r->rsp - 8, rip = r->rip;

    gate(f, X86_EXC_DE, 0);
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    r->rsp = rsp;
    r->rcx = 0x1111, r->r11 = 0x2222;
    r->rflags |= X86_EFLAGS_TF | X86_EFLAGS_AC | X86_EFLAGS_CF;
    exception(f, X86_EXC_DE, 0, 0);
    assert_int_equal(r->rip, HANDLER);
    assert_int_equal(r->rsp, (rsp & ~UINT64_C(15)) - 7 * 8);
    assert_int_equal(fix_read(f, r->rsp), 0x1111);
    assert_int_equal(fix_read(f, r->rsp + 8), 0x2222);
    assert_int_equal(fix_read(f, r->rsp + 16), rip);
    assert_int_equal(fix_read(f, r->rsp + 24), FLAT_KERNEL_CS & ~3); /* from the kernel; events were not masked */
    assert_true(fix_read(f, r->rsp + 32) & X86_EFLAGS_IF);
    assert_true(fix_read(f, r->rsp + 32) & X86_EFLAGS_TF);
    assert_int_equal(fix_read(f, r->rsp + 40), rsp);
    assert_int_equal(fix_read(f, r->rsp + 48), FLAT_KERNEL_SS);
    assert_false(r->rflags & (X86_EFLAGS_TF | X86_EFLAGS_AC));
    assert_true(r->rflags & X86_EFLAGS_CF);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 0); /* the gate does not mask */
}

static void frame_masks_events(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    gate(f, X86_EXC_GP, 4);
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    exception(f, X86_EXC_GP, 0x1234, 0);
    assert_int_equal(fix_read(f, r->rsp + 16), 0x1234); /* the error code, between r11 and rip */
    assert_int_equal(fix_read(f, r->rsp + 32) >> 32, 0);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 1);
    exception(f, X86_EXC_GP, 0x1234, 0);
    assert_int_equal(fix_read(f, r->rsp + 32) >> 32, 1); /* saved_upcall_mask */
    assert_false(fix_read(f, r->rsp + 40) & X86_EFLAGS_IF);
}

static void page_fault_shows_address(void **state)
{
    struct fixture *f = *state;

    gate(f, X86_EXC_PF, 0);
    exception(f, X86_EXC_PF, PFEC_user_mode | PFEC_write_access, 0xdead000);
    assert_int_equal(f->v->vcpu_info->arch.cr2, 0xdead000);
    assert_int_equal(f->v->pv.ctrlreg[2], 0xdead000);
    assert_int_equal(fix_read(f, f->v->regs->rsp + 16), PFEC_write_access); /* the kernel is no user, at CPL 3 or not */
}

static void no_handler_is_a_crash(void **state)
{
    struct fixture *f = *state;

    exception(f, X86_EXC_UD, 0, 0);
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
    assert_non_null(strstr(f->d->crash_reason, "#UD"));
}

static void no_stack_is_a_crash(void **state)
{
    struct fixture *f = *state;

    gate(f, X86_EXC_UD, 0);
    f->v->regs->rsp = 0x1000;
    exception(f, X86_EXC_UD, 0, 0);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* INT n goes through a gate only if its privilege allows it; else #GP that names the vector. */
static void software_interrupts(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    struct sim_exit e = { .kind = EXIT_SOFTINT, .softint = { .vector = 0x40 }, .insn_len = 2 };
    uint64_t rip = r->rip;

    gate(f, X86_EXC_GP, 0);
    gate(f, 0x40, 0);
    pv_handle_exit(f->v, &e);
    assert_int_equal(r->rip, HANDLER + X86_EXC_GP);
    assert_int_equal(fix_read(f, r->rsp + 16), 0x40 * 8 + 2);
    assert_int_equal(fix_read(f, r->rsp + 24), rip - 2);
    gate(f, 0x40, 1); /* the kernel may */
    pv_handle_exit(f->v, &e);
    assert_int_equal(r->rip, HANDLER + 0x40);
}

static void iret_restores(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs, before;

    gate(f, X86_EXC_UD, 0);
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    r->rax = 7, r->rcx = 8, r->r11 = 9;
    before = *r;
    exception(f, X86_EXC_UD, 0, 0);
    /* What a handler does: push rax and flags in front of the frame, then the hypercall. */
    {
        uint64_t head[4] = { before.rax, fix_read(f, r->rsp + 8), fix_read(f, r->rsp), 0 };

        r->rsp -= 16; /* rcx and r11 of the frame are overwritten by their new places */
        assert_int_equal(copy_to_guest(f->v, r->rsp, head, sizeof(head)), 0);
    }
    f->v->vcpu_info->evtchn_upcall_mask = 1;
    r->rax = __HYPERVISOR_iret;
    hypercall_guest(f->v);
    assert_int_equal(r->rip, before.rip);
    assert_int_equal(r->rsp, before.rsp);
    assert_int_equal(r->rax, 7);
    assert_int_equal(r->rcx, 8);
    assert_int_equal(r->r11, 9);
    assert_int_equal(r->rflags, before.rflags);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 0); /* from IF of the frame */
    assert_true(f->v->pv.kernel_mode);
}

static void iret_to_user_needs_tables(void **state)
{
    struct fixture *f = *state;
    struct iret_context c = { .rip = 0x1000, .cs = FLAT_USER_CS, .rsp = 0x2000, .ss = FLAT_USER_SS };

    f->v->regs->rsp = fix_put(f, 0, &c, sizeof(c));
    f->v->regs->rax = __HYPERVISOR_iret;
    hypercall_guest(f->v);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* The frame of an iret names what cannot be loaded: the exception comes from where it would have gone to. */
static void iret_to_bad_selectors(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    struct iret_context c = { .rip = 0x1000, .cs = 0x120, .rsp = r->rsp, .ss = FLAT_KERNEL_SS };

    gate(f, X86_EXC_GP, 0);
    r->rsp = fix_put(f, 0, &c, sizeof(c));
    r->rax = __HYPERVISOR_iret;
    hypercall_guest(f->v);
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER + X86_EXC_GP);
    assert_int_equal(fix_read(f, r->rsp + 16), 0x120);
    assert_int_equal(fix_read(f, r->rsp + 24), 0x1000);
    assert_int_equal(fix_read(f, r->rsp + 32) & 0xffff, 0x120);
    /* An event that is due comes first, and finds them in its frame. */
    c.cs = FLAT_KERNEL_CS & ~3, c.ss = 0;
    c.rflags = X86_EFLAGS_IF;
    r->rsp = fix_put(f, 0, &c, sizeof(c));
    r->rax = __HYPERVISOR_iret;
    f->v->pv.event_callback_eip = HANDLER;
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    hypercall_guest(f->v);
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER);
    assert_int_equal(fix_read(f, r->rsp + 48), 3);
    assert_int_equal(f->d->shutdown_code, -1);
}

/* SYSCALL forgets CS and SS. */
static void syscall_leaves_flat_selectors(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const struct sim_exit e = { .kind = EXIT_SYSCALL, .insn_len = 2 };

    gate(f, X86_EXC_DE, 0);
    r->rip += 2;
    r->rax = __HYPERVISOR_xen_version, r->rdi = 0;
    r->seg[CPU_SEG_CS].sel = 0x13, r->seg[CPU_SEG_SS].sel = 0x1b; /* of the guest's own GDT */
    pv_handle_exit(f->v, &e);
    assert_int_equal(r->rax, 4 << 16 | 17);
    exception(f, X86_EXC_DE, 0, 0);
    assert_int_equal(fix_read(f, r->rsp + 24) & 0xffff, FLAT_KERNEL_CS & ~3);
    assert_int_equal(fix_read(f, r->rsp + 48), FLAT_KERNEL_SS);
    /* From 32-bit code of the kernel it is no hypercall. */
    f->v->pv.syscall32_callback_eip = HANDLER + 0x80;
    r->seg[CPU_SEG_CS].attr = 0x4fb;
    r->rax = __HYPERVISOR_xen_version;
    pv_handle_exit(f->v, &e);
    assert_int_equal(r->rip, HANDLER + 0x80);
    assert_int_equal(r->rax, __HYPERVISOR_xen_version);
    assert_int_equal(fix_read(f, r->rsp + 24) & 0xffff, FLAT_USER_CS32 & ~3);
    /* Nobody listens: #UD at the instruction. SYSENTER is #UD in any case. */
    gate(f, X86_EXC_UD, 0);
    f->v->pv.syscall32_callback_eip = 0;
    r->seg[CPU_SEG_CS].attr = 0x4fb;
    r->rip = 0x5002;
    pv_handle_exit(f->v, &e);
    assert_int_equal(r->rip, HANDLER + X86_EXC_UD);
    assert_int_equal(fix_read(f, r->rsp + 16), 0x5000);
    assert_int_equal(r->rcx, 0x5002);
    pv_handle_exit(f->v, &(struct sim_exit){ .kind = EXIT_SYSENTER });
    assert_int_equal(r->rip, HANDLER + X86_EXC_UD);
}

static void events_are_delivered_once_unmasked(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    uint64_t rip = r->rip;

    f->v->pv.event_callback_eip = HANDLER;
    f->v->vcpu_info->evtchn_upcall_mask = 1;
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, rip);
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 1); /* no second upcall on top of the first */
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER);
}

/* --- privileged instructions --- */

struct privileged {
    const char *name, *bytes;
    size_t len;
    bool kernel, iopl; /* carried out: in kernel mode; with IOPL 1 */
};
#define P(name, bytes, kernel, iopl)                                                                                   \
    {                                                                                                                  \
        name, bytes, sizeof(bytes) - 1, kernel, iopl                                                                   \
    }

static const struct privileged privileged[] = {
    P("cli", "\xfa", false, true),
    P("sti", "\xfb", false, true),
    P("hlt", "\xf4", false, false),
    P("in al, 0x80", "\xe4\x80", false, true),
    P("out 0x80, al", "\xe6\x80", false, true),
    P("clts", "\x0f\x06", true, true),
    P("wbinvd", "\x0f\x09", true, true),
    P("mov rax, cr0", "\x0f\x20\xc0", true, true),
    P("mov rax, cr2", "\x0f\x20\xd0", true, true),
    P("mov rax, cr3", "\x0f\x20\xd8", true, true),
    P("mov rax, cr4", "\x0f\x20\xe0", true, true),
    P("mov cr8, rax", "\x44\x0f\x22\xc0", false, false),
    P("lgdt [rax]", "\x0f\x01\x10", false, false),
    P("lidt [rax]", "\x0f\x01\x18", false, false),
    P("ltr ax", "\x0f\x00\xd8", false, false),
    P("swapgs", "\x0f\x01\xf8", false, false),
    P("mov rax, dr7", "\x0f\x21\xf8", true, true),
    P("nop", "\x90", false, false),
};

static void emulation(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    uint64_t rsp = r->rsp;

    gate(f, X86_EXC_GP, 0);
    for (unsigned int iopl = 0; iopl < 2; iopl++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(privileged); i++) {
            const struct privileged *p = &privileged[i];
            bool want = iopl ? p->iopl : p->kernel, done;

            r->rip = fix_put(f, 0, p->bytes, p->len);
            r->rsp = rsp;
            f->v->pv.iopl = iopl;
            exception(f, X86_EXC_GP, 0, 0);
            done = r->rip == f->scratch + p->len;
            if (done != want || (!done && r->rip != HANDLER + X86_EXC_GP))
                fail_msg("%s with IOPL %u: %s", p->name, iopl, done ? "carried out" : "refused");
        }
    }
}

/* With the architectural_iopl assist the kernel counts as ring 0: CLI needs no IOPL, user mode still does. */
static void architectural_iopl(void **state)
{
    struct fixture *f = *state;

    gate(f, X86_EXC_GP, 0);
    f->d->vm_assist |= 1u << VMASST_TYPE_architectural_iopl;
    f->v->regs->rip = fix_put(f, 0, "\xfa", 1);
    exception(f, X86_EXC_GP, 0, 0);
    assert_int_equal(f->v->regs->rip, f->scratch + 1);
}

static void emulated_values(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    gate(f, X86_EXC_GP, 0);
    r->rip = fix_put(f, 0, "\x0f\x20\xd8", 3); /* mov rax, cr3: the guest's own root */
    exception(f, X86_EXC_GP, 0, 0);
    assert_int_equal(r->rax, mfn_x(f->v->pv.guest_table) << PAGE_SHIFT);
    f->v->pv.iopl = 1;
    r->rax = 0x1234;
    r->rip = fix_put(f, 0, "\xe4\x80", 2); /* in al, 0x80: nobody there */
    exception(f, X86_EXC_GP, 0, 0);
    assert_int_equal(r->rax, 0x12ff);
    r->rcx = 0xc0000100, r->rax = 0x5000, r->rdx = 0; /* wrmsr FS_BASE */
    r->rip = fix_put(f, 0, "\x0f\x30", 2);
    exception(f, X86_EXC_GP, 0, 0);
    assert_int_equal(r->seg[CPU_SEG_FS].base, 0x5000);
    r->rcx = 0x12345; /* no such MSR: #GP */
    r->rip = fix_put(f, 0, "\x0f\x32", 2);
    exception(f, X86_EXC_GP, 0, 0);
    assert_int_equal(r->rip, HANDLER + X86_EXC_GP);
}

static void forced_emulation_of_cpuid(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    gate(f, X86_EXC_UD, 0);
    r->rax = 0x40000000;
    r->rip = fix_put(f, 0, "\x0f\x0bxen\x0f\xa2", 7);
    exception(f, X86_EXC_UD, 0, 0);
    assert_int_equal(r->rip, f->scratch + 7);
    assert_int_equal((uint32_t)r->rbx, 0x566e6558); /* "XenV" */
    r->rip = fix_put(f, 0, "\x0f\x0bxem\x0f\xa2", 7);
    exception(f, X86_EXC_UD, 0, 0);
    assert_int_equal(r->rip, HANDLER + X86_EXC_UD);
}

/* Who spins gives way, but not at the first PAUSE, and not when he does other things in between. */
static void spinning(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit e = { .kind = EXIT_PAUSE, .insn_len = 2 };
    struct xen_pcpu *p = &f->xen->pcpu[f->v->processor];
    uint64_t rip = f->v->regs->rip;
    unsigned int n = 0;

    f->v->is_running = true;
    p->need_resched = false;
    for (; !p->need_resched && n < 1000; n++) {
        f->m->clock.now += 500;
        pv_handle_exit(f->v, &e);
    }
    assert_int_equal(f->v->regs->rip, rip + 2 * n);
    assert_in_range(n, 2, 100);
    p->need_resched = false;
    for (n = 0; n < 1000; n++) {
        f->m->clock.now += MICROSECS(50);
        pv_handle_exit(f->v, &e);
        assert_false(p->need_resched);
    }
    f->v->is_running = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frame_from_kernel, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(frame_masks_events, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(page_fault_shows_address, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(no_handler_is_a_crash, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(no_stack_is_a_crash, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(software_interrupts, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(iret_restores, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(iret_to_user_needs_tables, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(iret_to_bad_selectors, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(syscall_leaves_flat_selectors, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(events_are_delivered_once_unmasked, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(emulation, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(architectural_iopl, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(emulated_values, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(forced_emulation_of_cpuid, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(spinning, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
