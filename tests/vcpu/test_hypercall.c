// SPDX-License-Identifier: GPL-2.0-or-later
/* Dispatch, multicalls, and the hypercalls of vcpu/: answers and refusals. */
#include "tests/vcpu/fixture.h"

#include <xen/callback.h>
#include <xen/features.h>
#include <xen/physdev.h>
#include <xen/version.h>

static void unknown_numbers(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fix_hypercall(f, 63, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, 64, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, UINT64_MAX, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_tmem_op, 0, 0, 0, 0), -ENOSYS);
}

/* A handler that is preempted puts the guest back onto its instruction, with what is left as arguments. */
static void continuation(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    char text[300];
    uint64_t rip = r->rip, buf;
    int turns = 0;

    memset(text, 'x', sizeof(text));
    buf = fix_put(f, 0, text, sizeof(text));
    f->v->preempt_count = 511; /* one unit of work is left */
    r->rax = __HYPERVISOR_console_io, r->rdi = CONSOLEIO_write, r->rsi = sizeof(text), r->rdx = buf;
    hypercall_guest(f->v);
    while (r->rip == rip - 2) {
        r->rip += 2; /* the guest executes SYSCALL again */
        assert_int_equal(r->rax, __HYPERVISOR_console_io);
        assert_int_equal(r->rdx + r->rsi, buf + sizeof(text));
        hypercall_guest(f->v);
        turns++;
    }
    assert_int_equal(r->rip, rip);
    assert_int_equal(r->rax, 0);
    assert_int_equal(turns, 1);
}

static void multicalls(void **state)
{
    struct fixture *f = *state;
    struct multicall_entry e[4] = {
        { .op = __HYPERVISOR_xen_version, .args = { XENVER_version } },
        { .op = 62 },
        { .op = __HYPERVISOR_multicall },
        { .op = __HYPERVISOR_sched_op, .args = { SCHEDOP_yield } },
    };
    uint64_t list = fix_put(f, 0, e, sizeof(e));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_multicall, list, 4, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, e, list, sizeof(e)), 0);
    assert_int_equal(e[0].result, 4 << 16 | 17);
    assert_int_equal((long)e[1].result, -ENOSYS);
    assert_int_equal((long)e[2].result, -EINVAL); /* multicalls do not nest */
    assert_int_equal(e[3].result, 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_multicall, 0x1000, 1, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_multicall, UINT64_C(0xffff800000000000), 1, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_multicall, list, 0, 0, 0), 0);
}

/* A preempted list goes on where it stopped: no entry twice, none left out. */
static void multicall_preempted(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    struct multicall_entry e[8];
    uint64_t list, rip = r->rip;
    unsigned int turns = 0;

    for (unsigned int i = 0; i < 8; i++)
        e[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .result = 99, .args = { XENVER_pagesize } };
    list = fix_put(f, 0, e, sizeof(e));
    f->v->preempt_count = 510;
    r->rax = __HYPERVISOR_multicall, r->rdi = list, r->rsi = 8;
    hypercall_guest(f->v);
    while (r->rip != rip) {
        r->rip = rip;
        turns++;
        hypercall_guest(f->v);
    }
    assert_int_equal(turns, 1);
    assert_int_equal(copy_from_guest(f->v, e, list, sizeof(e)), 0);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(e[i].result, PAGE_SIZE);
    assert_int_equal(f->xen->stats.hypercalls[__HYPERVISOR_xen_version], 8);
}

/* What iret answers is a program's RAX. If that is -ERESTART by chance nothing is made again, nor is the list. */
static void iret_answers_any(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const struct iret_context c = { .rip = 0x401000,
                                    .cs = FLAT_KERNEL_CS & ~3u,
                                    .ss = FLAT_KERNEL_SS,
                                    .rflags = X86_EFLAGS_IF,
                                    .rsp = r->rsp,
                                    .rax = (uint64_t)-ERESTART };
    const struct multicall_entry e[2] = { { .op = __HYPERVISOR_iret }, { .op = __HYPERVISOR_xen_version } };

    for (unsigned int listed = 0; listed < 2; listed++) {
        const uint64_t list = fix_put(f, 0, e, sizeof(e)), frame = fix_put(f, 256, &c, sizeof(c));

        r->rsp = frame;
        r->rax = listed ? __HYPERVISOR_multicall : __HYPERVISOR_iret;
        r->rdi = list, r->rsi = 2;
        hypercall_guest(f->v);
        assert_int_equal(r->rip, c.rip);
        assert_int_equal(r->rax, c.rax);
        assert_int_equal(r->rdi, list);
        assert_int_equal(r->rsi, 2);
        assert_int_equal(f->xen->stats.hypercalls[__HYPERVISOR_xen_version], 0);
    }
}

static void xen_version(void **state)
{
    struct fixture *f = *state;
    struct xen_feature_info fi = { .submap_idx = 0 };
    uint64_t arg = f->scratch, at;
    char text[1024];

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0), PAGE_SIZE);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_pagesize, arg, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_capabilities, arg, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, text, arg, sizeof(text)), 0);
    assert_non_null(strstr(text, "xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_platform_parameters, arg, 0, 0), 0);
    assert_int_equal(fix_read(f, arg), HYPERVISOR_VIRT_START);
    at = fix_put(f, 0, &fi, sizeof(fi));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_get_features, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &fi, at, sizeof(fi)), 0);
    assert_true(fi.submap & 1u << XENFEAT_mmu_pt_update_preserve_ad);
    assert_false(fi.submap & 1u << XENFEAT_auto_translated_physmap);
    fi.submap_idx = 1;
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_get_features, fix_put(f, 0, &fi, sizeof(fi)), 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_commandline, arg, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, text, arg, sizeof(text)), 0);
    assert_string_equal(text, "<denied>");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_build_id, arg, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_extraversion, 0x1000, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, 11, arg, 0, 0), -ENOSYS);
}

static void console_io(void **state)
{
    struct fixture *f = *state;
    const char text[] = "one\nt\x1bwo\nhalf";
    uint64_t buf = fix_put(f, 0, text, sizeof(text) - 1);
    char expected[64];

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text) - 1, buf, 0), 0);
    snprintf(expected, sizeof(expected), "(d%u) one\n(d%u) two\n", f->d->domain_id, f->d->domain_id);
    assert_string_equal(f->log, expected); /* whole lines only, no control characters */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_write, 5, 0x1000, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 5, buf, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, 7, 5, buf, 0), -EPERM);
}

static void registers_of_the_guest(void **state)
{
    struct fixture *f = *state;
    struct physdev_set_iopl iopl = { .iopl = 4 };
    const uint64_t bad = UINT64_C(0x0000800000000000), good = UINT64_C(0xffffffff80123456);

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_segment_base, SEGBASE_FS, bad, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_segment_base, SEGBASE_FS, good, 0, 0), 0);
    assert_int_equal(f->v->regs->seg[CPU_SEG_FS].base, good);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_segment_base, 9, good, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 0, UINT64_C(0xffff800000000000), 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 0x2000, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 8, 0, 0, 0), -ENODEV);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 1, 0x1234, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 1, 0, 0, 0), 0x1234);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 0xdc00, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 7, 0, 0, 0), 0x400); /* reserved bits */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 5, 0, 0, 0), 0x400);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 4, UINT64_C(1) << 32, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, UINT64_C(1) << 32 | 0x2000, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 4, UINT32_MAX, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 6, 0, 0, 0), 0xffffefff);
    /*
     * I/O breakpoints need CR4.DE, enabled themselves or not as soon as any breakpoint is; the processor does not get
     * them
     */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 20 | 1, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 20, 0, 0), 0);
    f->v->pv.ctrlreg[4] |= X86_CR4_DE;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 20 | 5, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 7, 0, 0, 0), 2u << 20 | 0x405);
    assert_int_equal(f->v->regs->dr[7], 2u << 20 | 0x401);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 5, 0, 0, 0), -ENODEV); /* no other names now */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 4, 0, 0, 0), -ENODEV);
    f->v->pv.ctrlreg[4] &= ~(uint64_t)X86_CR4_DE;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_callbacks, good, bad, good, 0), 0);
    assert_true(f->v->pv.event_callback_eip == good &&
                f->v->pv.failsafe_callback_eip == 0); /* what is no address is left out */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_callbacks, good, good, good, 0), 0);
    assert_int_equal(f->v->pv.event_callback_eip, good);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_fpu_taskswitch, 1, 0, 0, 0), 0);
    assert_true(f->v->regs->cr0 & X86_CR0_TS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0), 0);
    assert_false(f->v->regs->cr0 & X86_CR0_TS);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, fix_put(f, 0, &iopl, sizeof(iopl)), 0, 0),
        -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, 63, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, 5, VMASST_TYPE_m2p_strict, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_m2p_strict, 0, 0), 0);
}

static void callbacks(void **state)
{
    struct fixture *f = *state;
    struct callback_register reg = { .type = CALLBACKTYPE_event, .address = 0xffffffff80001000 };
    struct callback_unregister unreg = { .type = CALLBACKTYPE_event };

    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_callback_op, CALLBACKOP_register, fix_put(f, 0, &reg, sizeof(reg)), 0, 0), 0);
    assert_int_equal(f->v->pv.event_callback_eip, reg.address);
    reg.address = UINT64_C(0x0000800000000000);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_callback_op, CALLBACKOP_register, fix_put(f, 0, &reg, sizeof(reg)), 0, 0),
        -EINVAL);
    reg.type = 77;
    reg.address = 0;
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_callback_op, CALLBACKOP_register, fix_put(f, 0, &reg, sizeof(reg)), 0, 0),
        -ENOSYS);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_callback_op, CALLBACKOP_unregister, fix_put(f, 0, &unreg, sizeof(unreg)), 0, 0),
        -EINVAL);
}

static void sched_ops_of_guests(void **state)
{
    struct fixture *f = *state;
    struct sched_poll poll = { .nr_ports = 129 };
    struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };
    struct sched_watchdog dog = { .id = 3, .timeout = 1 };
    struct sched_remote_shutdown remote = { .domain_id = 0 };
    evtchn_port_t port = 500;

    xc_domain_unpause(f->xc, f->d->domain_id);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0),
                     -EINVAL);
    poll.nr_ports = 1;
    poll.ports.p = (evtchn_port_t *)(uintptr_t)fix_put(f, 64, &port, sizeof(port));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0),
                     -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, fix_put(f, 0, &dog, sizeof(dog)), 0, 0),
                     -EINVAL);
    dog = (struct sched_watchdog){ .id = 0, .timeout = 10 };
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, fix_put(f, 0, &dog, sizeof(dog)), 0, 0),
                     1);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, fix_put(f, 0, &remote, sizeof(remote)), 0, 0),
        -EPERM);
    remote.domain_id = DOMID_SELF; /* only a number will do */
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, fix_put(f, 0, &remote, sizeof(remote)), 0, 0),
        -ESRCH);
    remote.domain_id = f->d->domain_id; /* not even itself */
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, fix_put(f, 0, &remote, sizeof(remote)), 0, 0),
        -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_pin_override, 0x1000, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, 99, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_yield | UINT64_C(7) << 32, 0, 0, 0),
                     0); /* an int */
    /* An event is pending: block does not block. */
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
    assert_true(vcpu_runnable(f->v));
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 0);
    f->v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
    assert_false(vcpu_runnable(f->v));
    vcpu_kick(f->v);
    assert_true(vcpu_runnable(f->v));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, fix_put(f, 0, &off, sizeof(off)), 0, 0),
                     0);
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_poweroff);
}

static void vcpu_ops(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0, 0), 1);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 3, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 4, 0, 0), -ENOENT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0, 0), -EINVAL); /* not initialised */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, 0x1000, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_get_physid, 0, f->scratch, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 1, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 0, 0x1000, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 1, f->scratch, 0), -EINVAL);
    assert_false(f->d->vcpu[1]->nmi_pending);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 1, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 1, 0, 0), 0); /* one is as good as two */
    assert_true(f->d->vcpu[1]->nmi_pending);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, 99, 0, 0, 0), -ENOSYS);
    /* The last vCPU that goes down takes the domain with it. */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_down, 0, 0, 0), 0);
    assert_true(f->d->is_shut_down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unknown_numbers, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(continuation, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(multicalls, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(multicall_preempted, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(iret_answers_any, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(xen_version, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(console_io, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(registers_of_the_guest, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(callbacks, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(sched_ops_of_guests, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(vcpu_ops, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
