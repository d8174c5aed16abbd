// SPDX-License-Identifier: GPL-2.0-or-later
/* 32-bit guests: where their structures are laid out otherwise, and where Xen answers them otherwise. */
#include "tests/vcpu/fixture.h"

#include "vcpu/runstate.h"
#include "vcpu/time.h"

#include <xen/callback.h>
#include <xen/foreign/x86_32.h>
#include <xen/nmi.h>
#include <xen/physdev.h>

#define FLAT_RING1_CS 0xe019u /* <xen/arch-x86/xen-x86_32.h> */

static int setup(void **state)
{
    struct fixture *f;

    fix_setup(state);
    f = *state;
    fix_guest(f, &kernel_legacy32);
    assert_true(is_pv_32bit_domain(f->d));
    return 0;
}

/* INT 0x82: EAX; EBX ECX EDX ESI. */
static long call(struct fixture *f, uint32_t nr, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4)
{
    struct cpu_state *r = f->v->regs;

    r->rax = nr, r->rbx = a1, r->rcx = a2, r->rdx = a3, r->rsi = a4;
    compat_hypercall_guest(f->v);
    return (int32_t)r->rax;
}

static uint32_t put(struct fixture *f, const void *data, size_t n) { return (uint32_t)fix_put(f, 0, data, n); }

/* A frame number of more than 20 bits has its upper ones in the low bits of CR3. */
static void frames_above_4gib(void **state)
{
    assert_int_equal(pv32_abi.mfn_to_cr3(_mfn(0x00312345)), 0x12345003);
    assert_int_equal(mfn_x(pv32_abi.cr3_to_mfn(0x12345003)), 0x00312345);
}

/* The address of a page fault is told in vcpu_info, where 32-bit guests have it, and nowhere else. */
static void fault_address(void **state)
{
    struct fixture *f = *state;
    struct vcpu_info_x86_32 before, after;

    f->v->pv.trap_ctxt[X86_EXC_PF] = (struct trap_info){ X86_EXC_PF, 0, FLAT_RING1_CS, 0xc0101230 };
    memcpy(&before, f->v->vcpu_info, sizeof(before));
    pv_inject_page_fault(f->v, 0xbadcafe8, PFEC_write_access);
    memcpy(&after, f->v->vcpu_info, sizeof(after));
    assert_int_equal(after.arch.cr2, 0xbadcafe8);
    before.arch.cr2 = after.arch.cr2;
    assert_memory_equal(&before, &after, sizeof(after));
    assert_int_equal(f->v->regs->rip, 0xc0101230);
}

static void nmi(void **state)
{
    struct fixture *f = *state;
    const struct trap_info *t = &f->v->pv.trap_ctxt[X86_EXC_NMI];
    uint32_t words[2] = { 0xc0101230, 0xdeadbeef };
    struct {
        uint16_t type, flags;
        uint32_t cs, eip;
    } reg = { CALLBACKTYPE_nmi, 0, 0x61, 0xc0104560 };

    assert_int_equal(call(f, __HYPERVISOR_nmi_op, XENNMI_register_callback, put(f, words, 8), 0, 0), 0);
    assert_true(t->address == 0xc0101230 && t->cs == FLAT_RING1_CS && TI_GET_IF(t));
    assert_int_equal(call(f, __HYPERVISOR_callback_op, CALLBACKOP_register, put(f, &reg, sizeof(reg)), 0, 0), 0);
    assert_true(t->address == 0xc0104560 && t->cs == FLAT_RING1_CS);
}

static void callbacks(void **state)
{
    struct fixture *f = *state;
    struct {
        uint16_t type, flags;
        uint32_t cs, eip;
    } reg = { CALLBACKTYPE_failsafe, CALLBACKF_mask_events, 0x60, 0xc0104560 };

    assert_int_equal(call(f, __HYPERVISOR_callback_op, CALLBACKOP_register, put(f, &reg, sizeof(reg)), 0, 0), 0);
    assert_true(f->v->pv.failsafe_callback_eip == 0xc0104560 && f->v->pv.failsafe_callback_cs == 0x61); /* ring 1 */
    assert_true(f->v->pv.vgc_flags & VGCF_failsafe_disables_events);
    reg.type = CALLBACKTYPE_syscall; /* 32-bit code has none; syscall32 is its name */
    assert_int_equal(call(f, __HYPERVISOR_callback_op, CALLBACKOP_register, put(f, &reg, sizeof(reg)), 0, 0), -ENOSYS);
    assert_int_equal(call(f, __HYPERVISOR_callback_op, CALLBACKOP_unregister, put(f, &reg, 4), 0, 0), -ENOSYS);
    assert_int_equal(call(f, __HYPERVISOR_callback_op, 2, put(f, &reg, 4), 0, 0), -EINVAL); /* 64-bit: -ENOSYS */
    assert_int_equal(call(f, __HYPERVISOR_set_callbacks, 0x60, 0xc0100001, 0x68, 0xc0100002), 0);
    assert_true(f->v->pv.event_callback_eip == 0xc0100001 && f->v->pv.event_callback_cs == 0x61);
    assert_true(f->v->pv.failsafe_callback_eip == 0xc0100002 && f->v->pv.failsafe_callback_cs == 0x69);
    assert_false(f->v->pv.vgc_flags & VGCF_failsafe_disables_events);
    assert_int_equal(call(f, __HYPERVISOR_set_segment_base, SEGBASE_FS, 0, 0, 0), -ENOSYS);
}

/* A kernel may have code segments that do not begin at 0: what it executes is where CS says. */
static void code_segment_base(void **state)
{
    static const struct {
        const char *code;
        uint8_t len;
        enum sim_exit_kind kind;
    } rows[] = {
        { "\xed", 1, EXIT_IO },                       /* in (%dx), %eax */
        { "\x6d", 1, EXIT_IO },                       /* insl */
        { "\x0f\x32", 2, EXIT_RDMSR },                /* rdmsr */
        { "\x0f\x20\xe2", 3, EXIT_CR_READ },          /* mov %cr4, %edx */
        { "\x0f\x0bxen\x0f\xa2", 7, EXIT_EXCEPTION }, /* the forced-emulation prefix, cpuid */
    };
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    f->v->pv.iopl = 3;
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 1, FLAT_RING1_CS, 0xc0101000 };
    r->seg[CPU_SEG_CS].base = 0x1000;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const uint32_t at = (uint32_t)fix_put(f, 1024, rows[i].code, rows[i].len);

        r->rip = at - 0x1000;
        r->rcx = 0xc0000080; /* EFER */
        r->rdx = 0x80;
        r->rdi = at + 512;
        pv_handle_exit(f->v, &(struct sim_exit){ .kind = rows[i].kind, .exception = { .vector = X86_EXC_UD } });
        assert_int_equal(r->rip, at - 0x1000 + rows[i].len);
    }
}

/*
 * CS and SS that cannot be loaded: the RPL tells where the exception comes from. A bad stack in the kernel is the end.
 */
static void bad_selectors(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    uint32_t frame[4];

    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_RING1_CS, 0xc0101230 };
    f->v->pv.kernel_ss = 0xe021, f->v->pv.kernel_sp = f->scratch + 1024;
    pv_set_segment(f->v, CPU_SEG_CS, 0x1231);
    pv_deliver_events(f->v);
    assert_true(r->rip == 0xc0101230 && r->seg[CPU_SEG_CS].sel == FLAT_RING1_CS && r->cpl == 1);
    assert_int_equal(copy_from_guest(f->v, frame, r->rsp, sizeof(frame)), 0);
    assert_true(frame[0] == 0x1230 && (frame[2] & 0xffff) == 0x1231);
    pv_set_segment(f->v, CPU_SEG_CS, 0x1233); /* from user mode: on the kernel's stack */
    pv_set_segment(f->v, CPU_SEG_SS, 0x123b);
    pv_deliver_events(f->v);
    assert_true(r->rsp == f->scratch + 1024 - 24 && r->seg[CPU_SEG_SS].sel == 0xe021 && r->cpl == 1);
    assert_int_equal(f->d->shutdown_code, -1);
    pv_set_segment(f->v, CPU_SEG_SS, 0x1239);
    pv_deliver_events(f->v);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* An iret to virtual-8086 mode is a #GP in the guest, with the frame that it wanted. */
static void iret_to_vm86(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint32_t frame[10] = { 0x111, 0x222, 0x333, 0x20302, 0x555, 0x666, 0x777, 0x888, 0x999, 0xaaa };
    uint32_t seen[10];

    f->v->pv.kernel_ss = 0xe021, f->v->pv.kernel_sp = f->scratch + 1024;
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 4, FLAT_RING1_CS, 0xc0101230 };
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    r->rsp = put(f, frame, sizeof(frame));
    call(f, __HYPERVISOR_iret, 0, 0, 0, 0);
    assert_true(r->rip == 0xc0101230 && r->rsp == f->scratch + 1024 - sizeof(frame) && r->rax == 0x111);
    assert_true(r->cpl == 1 && r->seg[CPU_SEG_SS].sel == 0xe021);
    assert_false(r->rflags & (X86_EFLAGS_VM | X86_EFLAGS_TF));
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 1); /* the gate says so */
    assert_int_equal(copy_from_guest(f->v, seen, r->rsp, sizeof(seen)), 0);
    assert_int_equal(seen[0], 0);
    assert_memory_equal(seen + 1, frame + 1, sizeof(frame) - 4);
    f->v->pv.trap_ctxt[X86_EXC_GP].address = 0;
    r->rsp = put(f, frame, sizeof(frame));
    call(f, __HYPERVISOR_iret, 0, 0, 0, 0);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* 64-bit members are aligned to 4: the structure has 44 bytes. */
static void runstate(void **state)
{
    struct fixture *f = *state;
    const uint32_t guard = 0xfeedface, area = (uint32_t)f->scratch + 256;
    uint32_t words[12];

    assert_int_equal(copy_to_guest(f->v, area + 44, &guard, 4), 0);
    f->v->runstate = (struct vcpu_runstate_info){ RUNSTATE_blocked, 0x100000002, { 3, 4, 5, 0x600000007 } };
    assert_int_equal(call(f, __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, put(f, &area, 4), 0), 0);
    assert_int_equal(copy_from_guest(f->v, words, area, sizeof(words)), 0);
    assert_int_equal(words[0], RUNSTATE_blocked);
    assert_true(words[1] == 2 && words[2] == 1);
    assert_true(words[3] == 3 && words[5] == 4 && words[7] == 5 && words[9] == 7 && words[10] == 6);
    assert_int_equal(words[11], guard);
}

static void time_area(void **state)
{
    struct fixture *f = *state;
    const uint32_t area = (uint32_t)f->scratch + 256;
    struct vcpu_time_info t;

    f->m->clock.now = SECONDS(5);
    assert_int_equal(call(f, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, put(f, &area, 4), 0), 0);
    assert_int_equal(copy_from_guest(f->v, &t, area, sizeof(t)), 0);
    assert_memory_equal(&t, &f->v->vcpu_info->time, sizeof(t));
    assert_int_equal(t.system_time, NOW(f->xen));
}

/* A time is two registers; a timer's structure has no padding at its end. */
static void timers(void **state)
{
    struct fixture *f = *state;
    const s_time_t when = SECONDS(9);
    struct {
        uint32_t low, high, flags;
    } set = { 1, 0, VCPU_SSHOTTMR_future };
    const uint32_t end = (uint32_t)(f->scratch | 4095) + 1; /* of the page: what follows is not looked at */

    assert_int_equal(call(f, __HYPERVISOR_set_timer_op, (uint32_t)when, (uint32_t)(when >> 32), 0, 0), 0);
    assert_int_equal(f->v->singleshot_timer.expires, when);
    f->m->clock.now = SECONDS(1);
    if (copy_to_guest(f->v, end - 12, &set, sizeof(set)) == 0)
        assert_int_equal(call(f, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, end - 12, 0), -ETIME);
}

static void io_bitmap(void **state)
{
    struct fixture *f = *state;
    uint32_t map[2] = { 0xfb000000, 65536 };

    assert_int_equal(call(f, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, put(f, map, 8), 0, 0), 0);
    assert_true(f->v->pv.iobmp == 0xfb000000 && f->v->pv.iobmp_limit == 65536);
    map[1]++;
    assert_int_equal(call(f, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, put(f, map, 8), 0, 0), -EINVAL);
}

static void poll(void **state)
{
    struct fixture *f = *state;
    struct {
        uint32_t ports, nr_ports;
        uint64_t timeout;
    } poll = { 0, 129, 0 };

    assert_int_equal(call(f, __HYPERVISOR_sched_op, SCHEDOP_poll, put(f, &poll, sizeof(poll)), 0, 0), -EINVAL);
    poll.nr_ports = 0;
    poll.timeout = SECONDS(1);
    f->v->vcpu_info->evtchn_upcall_mask = 1;
    assert_int_equal(call(f, __HYPERVISOR_sched_op, SCHEDOP_poll, put(f, &poll, sizeof(poll)), 0, 0), 0);
    assert_true(f->v->pause_flags & VPF_poll);
    f->m->clock.now = SECONDS(1);
    vclock_run(&f->m->clock);
    assert_false(f->v->pause_flags & VPF_poll);
}

static void iret_to_ring_0(void **state)
{
    struct fixture *f = *state;
    const uint32_t frame[4] = { 0, 0xc0100000, FLAT_RING1_CS & ~3u, X86_EFLAGS_IF };

    f->v->regs->rsp = put(f, frame, sizeof(frame));
    call(f, __HYPERVISOR_iret, 0, 0, 0, 0);
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* The callback's frame, in words of 32 bits. */
static void failsafe(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint32_t esp = (uint32_t)r->rsp;
    uint32_t frame[7];

    f->v->pv.failsafe_callback_eip = 0xc0104560;
    f->v->pv.failsafe_callback_cs = FLAT_RING1_CS;
    r->seg[CPU_SEG_GS].sel = 0x43; /* there is no such descriptor */
    pv_reload_segments(f->v);
    assert_true(r->rip == 0xc0104560 && r->rsp == esp - 7 * 4);
    assert_int_equal(copy_from_guest(f->v, frame, r->rsp, sizeof(frame)), 0);
    assert_true(frame[3] == 0x43 && r->seg[CPU_SEG_GS].sel == 0); /* ds es fs gs eip cs eflags */
    assert_int_equal(frame[5] & 0xffff, FLAT_RING1_CS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nmi),
        TEST(callbacks),
        TEST(iret_to_vm86),
        TEST(bad_selectors),
        TEST(runstate),
        TEST(time_area),
        TEST(timers),
        TEST(io_bitmap),
        TEST(poll),
        TEST(failsafe),
        TEST(iret_to_ring_0),
        TEST(code_segment_base),
        TEST(frames_above_4gib),
        TEST(fault_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
