// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every number of the hypercalls that have commands, tried by guests of 64 and 32 bits that may nothing, with arguments
 * that are good (zeroes), and with pointers to nowhere: the answers are Xen 4.17's. What is in the tables is the
 * exception; all other numbers get the answer for unknown ones.
 *
 * (physdev_op, hvm_op and dm_op: test_features.c; what dom0 is told: test_answers_toolstack.c.)
 */
#include "tests/vcpu/fixture.h"

#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#define NOWHERE 0x1000 /* not mapped */
#define NUMBERS 70     /* commands that are tried, from 0 */

struct answer {
    unsigned int cmd;
    long zeroes, nowhere, null; /* the argument: 1 KiB of zeroes, not mapped, address 0 */
};

static long expected(const struct answer *a, unsigned int n, unsigned int cmd, unsigned int which, long unknown)
{
    for (unsigned int i = 0; i < n; i++)
        if (a[i].cmd == cmd)
            return which == 0 ? a[i].zeroes : which == 1 ? a[i].nowhere : a[i].null;
    return unknown;
}

/* A hypercall by the guest's kind of registers, with nothing left of what it may have done to itself. */
static long call(struct fixture *f, unsigned int nr, const uint64_t args[5])
{
    struct cpu_state *r = f->v->regs;
    const bool pv32 = is_pv_32bit_domain(f->d);
    long got;

    r->rax = nr;
    if (pv32) {
        r->rbx = args[1], r->rcx = args[2], r->rdx = args[3], r->rsi = args[4];
        compat_hypercall_guest(f->v);
    } else {
        r->rdi = args[1], r->rsi = args[2], r->rdx = args[3], r->r10 = args[4];
        hypercall_guest(f->v);
    }
    got = pv32 ? (int32_t)r->rax : (long)r->rax;
    f->v->pause_flags = 0; /* SCHEDOP_block */
    f->d->is_shutting_down = f->d->is_shut_down = false;
    f->d->shutdown_code = -1;
    return got;
}

/*
 * Ask number nr with each command. arg: which argument is the pointer; the others are 0. Returns how many were asked.
 */
static unsigned int ask(struct fixture *f, unsigned int nr, unsigned int arg, const struct answer *a, unsigned int n,
                        long unknown)
{
    static const uint8_t zeroes[1024];
    unsigned int asked = 0;

    for (unsigned int cmd = 0; cmd < NUMBERS; cmd++) {
        for (unsigned int which = 0; which < 3; which++) {
            uint64_t args[5] = { 0, cmd };
            const long want = expected(a, n, cmd, which, unknown);
            long got;

            args[arg] = which == 0 ? fix_put(f, 0, zeroes, sizeof(zeroes)) : which == 1 ? NOWHERE : 0;
            got = call(f, nr, args);
            if (got != want)
                fail_msg("%s %u, argument %u: %ld in place of %ld", hypercall_name(nr), cmd, which, got, want);
            asked++;
        }
    }
    return asked;
}
#define ASK(f, nr, arg, table, unknown)                                                                                \
    assert_int_equal(ask(f, nr, arg, table, ARRAY_SIZE(table), unknown), 3 * NUMBERS)

static int setup_pv32(void **state)
{
    fix_setup(state);
    fix_guest(*state, &kernel_legacy32);
    return 0;
}

static void xen_version(void **state)
{
    static const struct answer a[] = {
        { XENVER_version, 4 << 16 | 17, 4 << 16 | 17, 4 << 16 | 17 },
        { XENVER_extraversion, 0, -EFAULT, -EFAULT },
        { XENVER_compile_info, 0, -EFAULT, -EFAULT },
        { XENVER_capabilities, 0, -EFAULT, -EFAULT },
        { XENVER_changeset, 0, -EFAULT, -EFAULT },
        { XENVER_platform_parameters, 0, -EFAULT, -EFAULT },
        { XENVER_get_features, 0, -EFAULT, -EFAULT },
        { XENVER_pagesize, -EINVAL, -EINVAL, PAGE_SIZE },
        { XENVER_guest_handle, 0, -EFAULT, -EFAULT },
        { XENVER_commandline, 0, -EFAULT, -EFAULT },
        { XENVER_build_id, -EPERM, -EPERM, -EPERM },
    };

    ASK((struct fixture *)*state, __HYPERVISOR_xen_version, 2, a, -ENOSYS);
}

/* Bytes and bits of what xen_version writes. */
static void what_is_written(void **state)
{
    struct fixture *f = *state;
    struct xen_feature_info fi = { 0 };
    char text[16];
    uint64_t at = fix_put(f, 0, "................", 16);

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_commandline, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, text, at, 16), 0);
    assert_memory_equal(text, "<denied>\0.......", 16);
    at = fix_put(f, 0, &fi, sizeof(fi));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_get_features, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &fi, at, sizeof(fi)), 0);
    assert_int_equal(fi.submap, 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |
                                    1u << XENFEAT_gnttab_map_avail_bits | 1u << XENFEAT_memory_op_vnode_supported |
                                    1u << XENFEAT_direct_mapped);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3, 0, 0),
                     0);
    at = fix_put(f, 0, &fi, sizeof(fi));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_get_features, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &fi, at, sizeof(fi)), 0);
    assert_true(fi.submap & 1u << XENFEAT_pae_pgdir_above_4gb);
}

static void console_io(void **state)
{
    struct fixture *f = *state;
    static const struct answer a[] = { { CONSOLEIO_write, 0, 0, 0 } }; /* no bytes */

    ASK(f, __HYPERVISOR_console_io, 3, a, -EPERM);
    assert_int_equal(call(f, __HYPERVISOR_console_io, (uint64_t[5]){ 0, CONSOLEIO_write, 1, NOWHERE }), -EFAULT);
    assert_int_equal(hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_console_io, 7, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_console_io, CONSOLEIO_read, 0x80000000, 0, 0, 0), -E2BIG);
    assert_int_equal(hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_console_io, CONSOLEIO_read, 1, 0, 0, 0), 0);
}

static void sched_op(void **state)
{
    struct fixture *f = *state;
    static const struct answer a[] = {
        { SCHEDOP_yield, 0, 0, 0 },
        { SCHEDOP_block, 0, 0, 0 },
        { SCHEDOP_shutdown, 0, -EFAULT, -EFAULT },
        { SCHEDOP_poll, 0, -EFAULT, -EFAULT },
        { SCHEDOP_remote_shutdown, -EPERM, -EFAULT, -EFAULT }, /* domain 0 */
        { SCHEDOP_shutdown_code, 0, -EFAULT, -EFAULT },
        { SCHEDOP_watchdog, 1, -EFAULT, -EFAULT },
        { SCHEDOP_pin_override, -EPERM, -EPERM, -EPERM },
    };
    static const struct answer old[] = { { SCHEDOP_yield, 0, 0, 0 },
                                         { SCHEDOP_block, 0, 0, 0 },
                                         { SCHEDOP_shutdown, 0, 0, 0 } };

    ASK(f, __HYPERVISOR_sched_op, 2, a, -ENOSYS);
    ASK(f, __HYPERVISOR_sched_op_compat, 2, old, -ENOSYS);
}

static void vcpu_op(void **state)
{
    struct fixture *f = *state;
    static const struct answer a[] = {
        { VCPUOP_initialise, -EEXIST, -EFAULT, -EFAULT },
        { VCPUOP_up, 0, 0, 0 },
        { VCPUOP_down, 0, 0, 0 },
        { VCPUOP_is_up, 1, 1, 1 },
        { VCPUOP_get_runstate_info, 0, -EFAULT, -EFAULT },
        { VCPUOP_register_runstate_memory_area, 0, -EFAULT, -EFAULT },
        { VCPUOP_set_periodic_timer, -EINVAL, -EFAULT, -EFAULT },
        { VCPUOP_stop_periodic_timer, 0, 0, 0 },
        { VCPUOP_set_singleshot_timer, 0, -EFAULT, -EFAULT },
        { VCPUOP_stop_singleshot_timer, 0, 0, 0 },
        { VCPUOP_register_vcpu_info, -EINVAL, -EFAULT, -EFAULT },
        { VCPUOP_send_nmi, -EINVAL, -EINVAL, 0 },
        { VCPUOP_get_physid, -EINVAL, -EINVAL, -EINVAL },
        { VCPUOP_register_vcpu_time_memory_area, 0, -EFAULT, -EFAULT },
    };

    ASK(f, __HYPERVISOR_vcpu_op, 3, a, -ENOSYS);
    for (unsigned int cmd = 0; cmd < NUMBERS; cmd++) { /* who there is not comes before what */
        assert_int_equal(call(f, __HYPERVISOR_vcpu_op, (uint64_t[5]){ 0, cmd, 4, NOWHERE }), -ENOENT);
        assert_int_equal(call(f, __HYPERVISOR_vcpu_op, (uint64_t[5]){ 0, cmd, UINT32_MAX, NOWHERE }), -ENOENT);
    }
}

/* The three calls of the toolstack: what is asked first, whatever the command. */
static void toolstack_calls(void **state)
{
    struct fixture *f = *state;
    const domid_t self = f->d->domain_id;
    const struct {
        domid_t domid;
        long answer;
    } domains[] = { { self, -EPERM },          { 0, -EPERM },         { 4711, -ESRCH },
                    { DOMID_SELF, -ESRCH },    { DOMID_XEN, -ESRCH }, { DOMID_IO, -ESRCH },
                    { DOMID_INVALID, -ESRCH }, { DOMID_COW, -ESRCH }, { DOMID_FIRST_RESERVED - 1, -ESRCH } };

    for (uint32_t cmd = 0; cmd < 1010; cmd++) {
        struct xen_domctl domctl = { .cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
        struct xen_sysctl sysctl = { .cmd = cmd, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
        struct xen_platform_op platform = { .cmd = cmd, .interface_version = XENPF_INTERFACE_VERSION };

        for (unsigned int i = 0; i < ARRAY_SIZE(domains); i++) {
            const bool device = cmd == XEN_DOMCTL_assign_device || cmd == XEN_DOMCTL_deassign_device;
            long want = domains[i].answer, got;

            if (cmd == XEN_DOMCTL_createdomain || cmd == XEN_DOMCTL_getdomaininfo ||
                (device && domains[i].domid == DOMID_IO) ||
                (cmd == XEN_DOMCTL_test_assign_device && domains[i].domid == DOMID_INVALID))
                want = -EPERM;
            domctl.domain = domains[i].domid;
            got = fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &domctl, sizeof(domctl)), 0, 0, 0);
            if (got != want)
                fail_msg("domctl %u of domain %x: %ld in place of %ld", cmd, domains[i].domid, got, want);
        }
        assert_int_equal(fix_hypercall(f, __HYPERVISOR_sysctl, fix_put(f, 0, &sysctl, sizeof(sysctl)), 0, 0, 0),
                         -EPERM);
        assert_int_equal(
            fix_hypercall(f, __HYPERVISOR_platform_op, fix_put(f, 0, &platform, sizeof(platform)), 0, 0, 0), -EPERM);
        domctl.interface_version++, sysctl.interface_version++, platform.interface_version++;
        assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &domctl, sizeof(domctl)), 0, 0, 0),
                         -EACCES);
        assert_int_equal(fix_hypercall(f, __HYPERVISOR_sysctl, fix_put(f, 0, &sysctl, sizeof(sysctl)), 0, 0, 0),
                         -EACCES);
        assert_int_equal(
            fix_hypercall(f, __HYPERVISOR_platform_op, fix_put(f, 0, &platform, sizeof(platform)), 0, 0, 0), -EACCES);
    }
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, NOWHERE, 0, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sysctl, NOWHERE, 0, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_platform_op, NOWHERE, 0, 0, 0), -EFAULT);
}

/* The domain of the xenstore may look, and no more. */
static void xenstore_domain(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

    f->d->createflags |= XEN_DOMCTL_CDF_xs_domain;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), 0);
    op.domain = DOMID_FIRST_RESERVED;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -EINVAL);
    op.domain = 4711;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -ESRCH);
    op.cmd = XEN_DOMCTL_pausedomain, op.domain = 0;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -EPERM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
#define TEST32(name)                                                                                                   \
    {                                                                                                                  \
#name "_32", name, setup_pv32, fix_teardown, NULL                                                              \
    }
    const struct CMUnitTest tests[] = {
        TEST32(xen_version), TEST32(console_io),    TEST32(sched_op),      TEST32(vcpu_op),
        TEST(xen_version),   TEST(what_is_written), TEST(console_io),      TEST(sched_op),
        TEST(vcpu_op),       TEST(toolstack_calls), TEST(xenstore_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
