// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a PV guest without devices is answered by physdev_op, and by calls that are not for it: which error, and which
 * first.
 */
#include "tests/vcpu/fixture.h"

#include <xen/arch-x86/xen-mca.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/physdev.h>
#include <xen/platform.h>

#define NOWHERE 0x1000 /* not mapped */

static long physdev(struct fixture *f, unsigned int cmd, const void *arg, size_t n)
{
    return fix_hypercall(f, __HYPERVISOR_physdev_op, cmd, fix_put(f, 0, arg, n), 0, 0);
}

static void io_privilege(void **state)
{
    struct fixture *f = *state;
    struct physdev_set_iopl iopl = { .iopl = 3 };
    struct {
        uint64_t bitmap;
        uint32_t nr_ports, pad;
    } map = { UINT64_C(0xffff800000000000), 65536, 0 };

    assert_int_equal(physdev(f, PHYSDEVOP_set_iopl, &iopl, sizeof(iopl)), 0);
    assert_int_equal(f->v->pv.iopl, 3);
    iopl.iopl = 4;
    assert_int_equal(physdev(f, PHYSDEVOP_set_iopl, &iopl, sizeof(iopl)), -EINVAL);
    assert_int_equal(f->v->pv.iopl, 3);
    assert_int_equal(physdev(f, PHYSDEVOP_set_iobitmap, &map, sizeof(map)), -EINVAL); /* in Xen's hole */
    map.bitmap = f->scratch;
    map.nr_ports = 65537;
    assert_int_equal(physdev(f, PHYSDEVOP_set_iobitmap, &map, sizeof(map)), -EINVAL);
    assert_true(f->v->pv.iobmp == 0 && f->v->pv.iobmp_limit == 0); /* refused whole */
    map.nr_ports = 65536;
    assert_int_equal(physdev(f, PHYSDEVOP_set_iobitmap, &map, sizeof(map)), 0);
    assert_int_equal(f->v->pv.iobmp_limit, 65536);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, NOWHERE, 0, 0), -EFAULT);
}

/*
 * A breakpoint on a port, which only the emulation of IN can honour: after the instruction, like any data breakpoint.
 */
static void io_breakpoint(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit e = { .kind = EXIT_IO, .io = { .port = 0x71, .size = 1, .in = true } };
    const uint64_t handler = UINT64_C(0xffffffff80001000), code = fix_put(f, 1024, "\xe4\x71", 2); /* in al, 0x71 */

    f->v->pv.iopl = 3;
    f->v->pv.ctrlreg[4] |= X86_CR4_DE;
    f->v->pv.trap_ctxt[X86_EXC_DB] = (struct trap_info){ X86_EXC_DB, 0, FLAT_KERNEL_CS, handler };
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 1, 0x70, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 2u << 20 | 4, 0, 0), 0); /* one port, 0x70 */
    f->v->regs->rip = code;
    pv_handle_exit(f->v, &e);
    assert_int_equal(f->v->regs->rip, code + 2);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_debugreg, 7, 6u << 20 | 4, 0, 0), 0); /* two ports */
    f->v->regs->rip = code;
    pv_handle_exit(f->v, &e);
    assert_int_equal(f->v->regs->rip, handler);
    assert_int_equal(fix_read(f, f->v->regs->rsp + 16), code + 2);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_get_debugreg, 6, 0, 0, 0) & 15, 2);
}

static void interrupt_numbers(void **state)
{
    struct fixture *f = *state;
    struct physdev_irq_status_query query = { .irq = 55 };
    struct physdev_get_free_pirq get = { .type = MAP_PIRQ_TYPE_GSI };
    struct physdev_eoi eoi = { .irq = 16 };
    struct evtchn_bind_pirq bind = { .pirq = 16 };
    uint64_t arg;

    assert_int_equal(physdev(f, PHYSDEVOP_eoi, &eoi, sizeof(eoi)), -EINVAL); /* not its own */
    for (unsigned int want = 16; want < 24; want++) {
        assert_int_equal(physdev(f, PHYSDEVOP_get_free_pirq, &get, sizeof(get)), 0);
        assert_int_equal(copy_from_guest(f->v, &get, f->scratch, sizeof(get)), 0);
        assert_int_equal(get.pirq, want);
    }
    assert_int_equal(physdev(f, PHYSDEVOP_eoi, &eoi, sizeof(eoi)), 0);
    for (unsigned int want = 55; want >= 24; want--) {
        get.type = want % 2 ? MAP_PIRQ_TYPE_GSI : MAP_PIRQ_TYPE_MSI; /* the GSIs are used up */
        assert_int_equal(physdev(f, PHYSDEVOP_get_free_pirq, &get, sizeof(get)), 0);
        assert_int_equal(copy_from_guest(f->v, &get, f->scratch, sizeof(get)), 0);
        assert_int_equal(get.pirq, want);
    }
    assert_int_equal(physdev(f, PHYSDEVOP_get_free_pirq, &get, sizeof(get)), -ENOSPC);
    eoi.irq = 56;
    assert_int_equal(physdev(f, PHYSDEVOP_eoi, &eoi, sizeof(eoi)), -EINVAL);
    assert_int_equal(physdev(f, PHYSDEVOP_irq_status_query, &query, sizeof(query)), 0);
    assert_int_equal(copy_from_guest(f->v, &query, f->scratch, sizeof(query)), 0);
    assert_int_equal(query.flags, XENIRQSTAT_needs_eoi);
    query.irq = 56;
    assert_int_equal(physdev(f, PHYSDEVOP_irq_status_query, &query, sizeof(query)), -EINVAL);
    assert_int_equal(physdev(f, PHYSDEVOP_IRQ_UNMASK_NOTIFY, &query, sizeof(query)), 0);
    arg = fix_put(f, 0, &bind, sizeof(bind)); /* a number is no permission */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, arg, 0, 0), -EPERM);
    bind.pirq = 56;
    arg = fix_put(f, 0, &bind, sizeof(bind));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, arg, 0, 0), -EINVAL);
}

static void eoi_frame(void **state)
{
    struct fixture *f = *state;
    struct physdev_pirq_eoi_gmfn frame = { .gmfn = mfn_x(f->v->pv.guest_table) };
    uint32_t pfec = 0;

    assert_int_equal(physdev(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &frame, sizeof(frame)), -EINVAL); /* a page table */
    frame.gmfn = ~UINT64_C(0);
    assert_int_equal(physdev(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &frame, sizeof(frame)), -EINVAL);
    frame.gmfn = mfn_x(guest_walk(f->v, f->scratch, &pfec));
    assert_int_equal(physdev(f, PHYSDEVOP_pirq_eoi_gmfn_v1, &frame, sizeof(frame)), 0);
    assert_int_equal(physdev(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &frame, sizeof(frame)), -EBUSY);
    assert_int_equal(xc_domain_destroy(f->xc, f->d->domain_id), 0); /* the frame goes, and with it the domain */
    assert_null(get_domain_by_id(f->xen, 1));
}

static void owners_of_devices(void **state)
{
    struct fixture *f = *state;
    uint8_t zeroes[64] = { 0 };
    struct physdev_map_pirq map = { .domid = DOMID_SELF };
    struct physdev_setup_gsi gsi = { .gsi = 23 };
    struct physdev_manage_pci_ext ext = { .is_extfn = 2 };
    const struct {
        unsigned int cmd;
        long answer, no_argument;
    } ops[] = {
        { PHYSDEVOP_apic_read, -EPERM, -EFAULT },
        { PHYSDEVOP_apic_write, -EPERM, -EFAULT },
        { PHYSDEVOP_alloc_irq_vector, -EPERM, -EFAULT },
        { PHYSDEVOP_manage_pci_add, -EPERM, -EFAULT },
        { PHYSDEVOP_manage_pci_remove, -EPERM, -EFAULT },
        { PHYSDEVOP_pci_device_add, -EPERM, -EFAULT },
        { PHYSDEVOP_pci_device_remove, -EPERM, -EFAULT },
        { PHYSDEVOP_prepare_msix, -EPERM, -EFAULT },
        { PHYSDEVOP_release_msix, -EPERM, -EFAULT },
        { PHYSDEVOP_restore_msi, -ENODEV, -EFAULT },
        { PHYSDEVOP_restore_msi_ext, -ENODEV, -EFAULT },
        { PHYSDEVOP_pci_mmcfg_reserved, -EPERM, -EPERM },
        { PHYSDEVOP_dbgp_op, -EPERM, -EPERM },
        { PHYSDEVOP_free_irq_vector, -ENOSYS, -ENOSYS },
        { 0, -ENOSYS, -ENOSYS },
        { 22, -ENOSYS, -ENOSYS },
        { 99, -ENOSYS, -ENOSYS },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
        if (physdev(f, ops[i].cmd, zeroes, sizeof(zeroes)) != ops[i].answer)
            fail_msg("physdev_op %u", ops[i].cmd);
        if (fix_hypercall(f, __HYPERVISOR_physdev_op, ops[i].cmd, NOWHERE, 0, 0) != ops[i].no_argument)
            fail_msg("physdev_op %u without an argument", ops[i].cmd);
    }
    assert_int_equal(physdev(f, PHYSDEVOP_map_pirq, &map, sizeof(map)), -EPERM);
    assert_int_equal(physdev(f, PHYSDEVOP_unmap_pirq, &map, sizeof(map)), -EPERM);
    map.domid = 4711;
    assert_int_equal(physdev(f, PHYSDEVOP_map_pirq, &map, sizeof(map)), -ESRCH);
    assert_int_equal(physdev(f, PHYSDEVOP_unmap_pirq, &map, sizeof(map)), -ESRCH);
    assert_int_equal(physdev(f, PHYSDEVOP_setup_gsi, &gsi, sizeof(gsi)), -EPERM);
    gsi.gsi = 24;
    assert_int_equal(physdev(f, PHYSDEVOP_setup_gsi, &gsi, sizeof(gsi)), -EINVAL);
    assert_int_equal(physdev(f, PHYSDEVOP_manage_pci_add_ext, &ext, sizeof(ext)), -EINVAL);
    ext.is_extfn = 1;
    assert_int_equal(physdev(f, PHYSDEVOP_manage_pci_add_ext, &ext, sizeof(ext)), -EPERM);
}

/* Number 19: the command is in the structure. */
static void physdev_compat(void **state)
{
    struct fixture *f = *state;
    struct {
        uint64_t cmd; /* and padding */
        uint32_t iopl, rest[5];
    } op = { PHYSDEVOP_set_iopl, 2, { 0 } };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_physdev_op_compat, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), 0);
    assert_int_equal(f->v->pv.iopl, 2);
    op.cmd = PHYSDEVOP_apic_read;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_physdev_op_compat, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_physdev_op_compat, NOWHERE, 0, 0, 0), -EFAULT);
}

static long hvm(struct fixture *f, unsigned int op, const void *arg, size_t n)
{
    return fix_hypercall(f, __HYPERVISOR_hvm_op, op, n ? fix_put(f, 0, arg, n) : 0, 0, 0);
}

static void hvm_ops_of_pv(void **state)
{
    struct fixture *f = *state;
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ };
    struct xen_hvm_get_mem_type type = { .domid = DOMID_SELF };
    struct xen_hvm_xentrace trace = { .event = 0xfff, .extra_bytes = 28 };
    static const unsigned int gone[] = { 2, 3, 4, 6, 7, 8, 12, 13, 14, 16, 22, 26, 1000 };

    for (unsigned int op = HVMOP_set_param; op <= HVMOP_get_param; op++) {
        param = (struct xen_hvm_param){ .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ };
        assert_int_equal(hvm(f, op, &param, sizeof(param)), -EINVAL);
        assert_int_equal(fix_hypercall(f, __HYPERVISOR_hvm_op, op, NOWHERE, 0, 0), -EFAULT);
        param.domid = 4711;
        assert_int_equal(hvm(f, op, &param, sizeof(param)), -ESRCH);
        param.index = HVM_NR_PARAMS; /* comes first */
        assert_int_equal(hvm(f, op, &param, sizeof(param)), -EINVAL);
    }
    assert_int_equal(hvm(f, HVMOP_flush_tlbs, NULL, 0), -EINVAL);
    assert_int_equal(hvm(f, HVMOP_set_evtchn_upcall_vector, NULL, 0), -EINVAL);
    assert_int_equal(hvm(f, HVMOP_get_mem_type, &type, sizeof(type)), -EINVAL);
    type.domid = 0;
    assert_int_equal(hvm(f, HVMOP_get_mem_type, &type, sizeof(type)), -EPERM);
    type.domid = 4711;
    assert_int_equal(hvm(f, HVMOP_get_mem_type, &type, sizeof(type)), -ESRCH);
    assert_int_equal(hvm(f, HVMOP_pagetable_dying, &type, sizeof(type)), -ESRCH);
    type.domid = 0;
    assert_int_equal(hvm(f, HVMOP_pagetable_dying, &type, sizeof(type)), -EINVAL);
    f->m->clock.now = SECONDS(7);
    assert_int_equal(hvm(f, HVMOP_get_time, &type, sizeof(type)), 0);
    assert_int_equal(fix_read(f, f->scratch), NOW(f->xen));
    assert_int_equal(hvm(f, HVMOP_xentrace, &trace, sizeof(trace)), 0);
    trace.extra_bytes = 29;
    assert_int_equal(hvm(f, HVMOP_xentrace, &trace, sizeof(trace)), -EINVAL);
    trace.extra_bytes = 0, trace.event = 0x1000;
    assert_int_equal(hvm(f, HVMOP_xentrace, &trace, sizeof(trace)), -EINVAL);
    assert_int_equal(hvm(f, HVMOP_guest_request_vm_event, NULL, 0), 0);
    assert_int_equal(hvm(f, HVMOP_guest_request_vm_event, &type, sizeof(type)), -EINVAL);
    assert_int_equal(hvm(f, HVMOP_altp2m, NULL, 0), -EOPNOTSUPP);
    for (unsigned int i = 0; i < ARRAY_SIZE(gone); i++)
        assert_int_equal(hvm(f, gone[i], NULL, 0), -ENOSYS);
}

static void not_for_guests(void **state)
{
    struct fixture *f = *state;
    const domid_t self = f->d->domain_id;
    struct xen_platform_op platform = { .cmd = XENPF_settime64, .interface_version = XENPF_INTERFACE_VERSION };
    struct xen_domctl domctl = { .cmd = XEN_DOMCTL_shadow_op,
                                 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                                 .domain = self };
    uint64_t arg = fix_put(f, 0, &platform, sizeof(platform));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_platform_op, arg, 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_platform_op, NOWHERE, 0, 0, 0), -EFAULT);
    platform.interface_version ^= 1;
    arg = fix_put(f, 0, &platform, sizeof(platform));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_platform_op, arg, 0, 0, 0), -EACCES);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_kexec_op, 0, 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_hypfs_op, 0, 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mca, 0, 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_dm_op, 0, 3, 0, 0), -E2BIG);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_dm_op, 0, 1, NOWHERE, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_dm_op, self, 0, 0, 0), -EPERM);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_dm_op, DOMID_SELF, 0, 0, 0), -ESRCH);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_dm_op, 4711, 0, 0, 0), -ESRCH);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_arch_1, NOWHERE, 0, 0, 0), -EFAULT);
    arg = fix_put(f, 0, &domctl, sizeof(domctl));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_arch_1, arg, 0, 0, 0), -EPERM);
    domctl.cmd = XEN_DOMCTL_pausedomain;
    arg = fix_put(f, 0, &domctl, sizeof(domctl));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_arch_1, arg, 0, 0, 0), -EBADRQC);
}

static void switched_off(void **state)
{
    struct fixture *f = *state;
    static const uint64_t never[] = { 11,
                                      31,
                                      38,
                                      39,
                                      43,
                                      47,
                                      50,
                                      55,
                                      56,
                                      63,
                                      64,
                                      UINT32_MAX,
                                      UINT64_C(1) << 32,
                                      UINT64_C(1) << 32 | __HYPERVISOR_sched_op,
                                      UINT64_MAX };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xenpmu_op, 0, 0, 0, 0), -EOPNOTSUPP);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xenpmu_op, 99, NOWHERE, 0, 0), -EOPNOTSUPP);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xsm_op, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_argo_op, 1, 0, 0, 0), -ENOSYS);
    for (unsigned int i = 0; i < ARRAY_SIZE(never); i++)
        assert_int_equal(fix_hypercall(f, never[i], 0, 0, 0, 0), -ENOSYS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(io_privilege),   TEST(io_breakpoint), TEST(interrupt_numbers), TEST(eoi_frame),    TEST(owners_of_devices),
        TEST(physdev_compat), TEST(hvm_ops_of_pv), TEST(not_for_guests),    TEST(switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
