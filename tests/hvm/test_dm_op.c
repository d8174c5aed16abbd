// SPDX-License-Identifier: GPL-2.0-or-later
/* dm_op: what is answered to arguments that are wrong, call by call, as Xen 4.17 does. */
#include "tests/vcpu/hvm.h"

#include <errno.h>
#include <xen/hvm/dm_op.h>

static long dm_op(struct fixture *f, domid_t domid, struct xen_dm_op *op, size_t size, void *second, size_t second_size)
{
    struct xen_dm_op_buf buf[2] = { { .size = size }, { .size = second_size } };

    set_xen_guest_handle(buf[0].h, op);
    set_xen_guest_handle(buf[1].h, second);
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_dm_op, domid, second ? 2 : 1, (uintptr_t)buf, 0, 0);
}

#define U(member, ...) .u.member = { __VA_ARGS__ }
static const struct {
    struct xen_dm_op op;
    int rc;
} rows[] = {
    { { .op = XEN_DMOP_create_ioreq_server, U(create_ioreq_server, .handle_bufioreq = 3) }, -EINVAL },
    { { .op = XEN_DMOP_create_ioreq_server, U(create_ioreq_server, .pad = { 0, 1, 0 }) }, -EINVAL },
    { { .op = XEN_DMOP_get_ioreq_server_info, U(get_ioreq_server_info, .id = 5) }, -ENOENT },
    { { .op = XEN_DMOP_get_ioreq_server_info, U(get_ioreq_server_info, .flags = 2) }, -EINVAL },
    { { .op = XEN_DMOP_map_io_range_to_ioreq_server, U(map_io_range_to_ioreq_server, .id = 5) }, -ENOENT },
    { { .op = XEN_DMOP_map_io_range_to_ioreq_server, U(map_io_range_to_ioreq_server, .start = 2, .end = 1) }, -EINVAL },
    { { .op = XEN_DMOP_map_io_range_to_ioreq_server, U(map_io_range_to_ioreq_server, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_unmap_io_range_from_ioreq_server, U(map_io_range_to_ioreq_server, .id = 5) }, -ENOENT },
    { { .op = XEN_DMOP_unmap_io_range_from_ioreq_server, U(map_io_range_to_ioreq_server, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_set_ioreq_server_state, U(set_ioreq_server_state, .id = 5) }, -ENOENT },
    { { .op = XEN_DMOP_set_ioreq_server_state, U(set_ioreq_server_state, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_destroy_ioreq_server, U(destroy_ioreq_server, .id = 5) }, -ENOENT },
    { { .op = XEN_DMOP_destroy_ioreq_server, U(destroy_ioreq_server, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .nr = (1u << 18) + 1) }, -EINVAL },
    { { .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .nr = 8) }, -EINVAL }, /* nowhere to put them */
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .domain = 1) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .bus = 1) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .device = 32) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .intx = 4) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .level = 2) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_intx_level, U(set_pci_intx_level, .device = 31, .intx = 3, .level = 1) }, 0 },
    { { .op = XEN_DMOP_set_isa_irq_level, U(set_isa_irq_level, .isa_irq = 16) }, -EINVAL },
    { { .op = XEN_DMOP_set_isa_irq_level, U(set_isa_irq_level, .level = 2) }, -EINVAL },
    { { .op = XEN_DMOP_set_isa_irq_level, U(set_isa_irq_level, .isa_irq = 15, .level = 1) }, 0 },
    { { .op = XEN_DMOP_set_pci_link_route, U(set_pci_link_route, .link = 4) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_link_route, U(set_pci_link_route, .isa_irq = 16) }, -EINVAL },
    { { .op = XEN_DMOP_set_pci_link_route, U(set_pci_link_route, .link = 3, .isa_irq = 15) }, 0 },
    { { .op = XEN_DMOP_modified_memory, U(modified_memory, .nr_extents = 1) }, -EINVAL }, /* they are nowhere */
    { { .op = XEN_DMOP_modified_memory, U(modified_memory, .opaque = 1) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 1, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 1, .mem_type = HVMMEM_unused) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 1, .mem_type = HVMMEM_ioreq_server) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 1, .mem_type = 0xffff) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 0, .first_pfn = 0) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 0, .first_pfn = 5) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 2, .first_pfn = UINT64_MAX) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 2, .first_pfn = UINT64_C(1) << 51) }, -EINVAL },
    { { .op = XEN_DMOP_set_mem_type, U(set_mem_type, .nr = 1, .first_pfn = 5, .mem_type = HVMMEM_ram_ro) }, 0 },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .vcpuid = 1) }, -EINVAL },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .vcpuid = UINT32_MAX) }, -EINVAL },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .pad0 = 1) }, -EINVAL },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .pad1 = 1) }, -EINVAL },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .type = XEN_DMOP_EVENT_hw_exc, .vector = 6) }, 0 },
    { { .op = XEN_DMOP_inject_event, U(inject_event, .type = XEN_DMOP_EVENT_hw_exc, .vector = 6) }, -EBUSY },
    { { .op = XEN_DMOP_inject_msi, U(inject_msi, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_inject_msi, U(inject_msi, .addr = 0xfed00000, .data = 0x30) }, -EINVAL },
    { { .op = XEN_DMOP_relocate_memory, U(relocate_memory, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_pin_memory_cacheattr, U(pin_memory_cacheattr, .pad = 1) }, -EINVAL },
    { { .op = XEN_DMOP_pin_memory_cacheattr, U(pin_memory_cacheattr, .start = 2, .end = 1) }, -EINVAL },
    { { .op = XEN_DMOP_pin_memory_cacheattr, U(pin_memory_cacheattr, .type = 2) }, -EINVAL },
    { { .op = XEN_DMOP_pin_memory_cacheattr, U(pin_memory_cacheattr, .type = 6) }, 0 },
    { { .op = XEN_DMOP_nr_vcpus }, 0 },
    { { .op = XEN_DMOP_map_mem_type_to_ioreq_server }, -EOPNOTSUPP },
    { { .op = 0 }, -EOPNOTSUPP },
    { { .op = 1000 }, -EOPNOTSUPP },
    { { .op = UINT32_MAX, .pad = 1 }, -EOPNOTSUPP }, /* which call it is is looked at first */
    { { .op = XEN_DMOP_nr_vcpus, .pad = 1 }, -EINVAL },
};

static void test_errors(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xen_dm_op op = rows[i].op;
        const long rc = dm_op(f, f->d->domain_id, &op, sizeof(op), NULL, 0);

        if (rc != rows[i].rc)
            print_error("row %zu, op %u: %ld, not %d\n", i, op.op, rc, rows[i].rc);
        assert_int_equal(rc, rows[i].rc);
    }
}

/* A buffer that is too short for its call; whose domain it is. */
static void test_buffers(void **state)
{
    struct fixture *f = *state;
    struct xen_dm_op op = { .op = XEN_DMOP_nr_vcpus };
    const size_t head = offsetof(struct xen_dm_op, u);

    for (size_t size = 0; size < head + sizeof(op.u.nr_vcpus); size++)
        assert_int_equal(dm_op(f, f->d->domain_id, &op, size, NULL, 0), -EFAULT);
    assert_int_equal(dm_op(f, f->d->domain_id, &op, head + sizeof(op.u.nr_vcpus), NULL, 0), 0);
    assert_int_equal(op.u.nr_vcpus.vcpus, 1);
    op.pad = 1; /* what is too short is not looked at any further */
    assert_int_equal(dm_op(f, f->d->domain_id, &op, head, NULL, 0), -EFAULT);
    op.pad = 0;
    assert_int_equal(dm_op(f, 0, &op, sizeof(op), NULL, 0), -EPERM);
    assert_int_equal(dm_op(f, 4711, &op, sizeof(op), NULL, 0), -ESRCH);
}

/* Ranges at the ends of what can be named. */
static void test_ranges(void **state)
{
    struct fixture *f = *state;
    static uint8_t bits[1 << 16];
    struct xen_dm_op_modified_memory_extent e = { .nr = 2, .first_pfn = UINT64_MAX };
    struct xen_dm_op op = { .op = XEN_DMOP_track_dirty_vram,
                            U(track_dirty_vram, .first_pfn = UINT64_MAX - 5, .nr = 10) };

    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), -EINVAL);
    op = (struct xen_dm_op){ .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .first_pfn = 4, .nr = 9) };
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, 1), -EINVAL);
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, 2), 0);
    op = (struct xen_dm_op){ .op = XEN_DMOP_modified_memory, U(modified_memory, .nr_extents = 1) };
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), &e, sizeof(e)), -EINVAL);
    e = (struct xen_dm_op_modified_memory_extent){ .nr = 1, .first_pfn = 4, .pad = 1 };
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), &e, sizeof(e)), -EINVAL);
    e.pad = e.nr = 0; /* none is not a number of pages */
    op.u.modified_memory.nr_extents = 1;
    op.u.modified_memory.opaque = 0;
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), &e, sizeof(e)), -EINVAL);
    e.nr = 1;
    op.u.modified_memory.nr_extents = 1;
    op.u.modified_memory.opaque = 0;
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), &e, sizeof(e)), 0);
}

/* Which frames have been written: all at first, then those that were; another range begins anew. */
static void test_dirty_vram(void **state)
{
    struct fixture *f = *state;
    uint8_t bits[3] = { 0x55, 0x55, 0xaa };
    struct xen_dm_op op = { .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .first_pfn = 4, .nr = 9) };

    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), 0);
    assert_memory_equal(bits, "\xff\x01\xaa", 3);
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), 0);
    assert_memory_equal(bits, "\x00\x00\xaa", 3);
    HVM_RUN(f, "\xc6\x05\x00\x60\x00\x00\x01" /* movb $1, 0x6000 */
               "\xc6\x05\x00\xc0\x00\x00\x01" /* movb $1, 0xc000 */
               "\xc6\x05\x00\xd0\x00\x00\x01" /* movb $1, 0xd000: behind the range */
               "\xfa\xf4");
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), 0);
    assert_memory_equal(bits, "\x04\x01\xaa", 3);
    op.u.track_dirty_vram.nr = 8;
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), 0);
    assert_memory_equal(bits, "\xff\x01\xaa", 3);
    op.u.track_dirty_vram.first_pfn = 5;
    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), bits, sizeof(bits)), 0);
    assert_memory_equal(bits, "\xff\x01\xaa", 3);
}

/* A domain whose vCPUs are still to come has no chips that count time, and all that is asked of it is answered. */
static void test_no_vcpus(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 2, .max_evtchn_port = 100, .grant_opts = 2
    };
    static uint8_t buf[16384];
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext };
    const struct hvm_save_descriptor *second = (void *)(buf + 8 + sizeof(struct hvm_save_header));
    domid_t domid = 0;

    config.max_grant_frames = config.max_maptrack_frames = 4;
    config.arch.emulation_flags = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
    assert_int_equal(xc_domain_create(f->xc, &config, &domid), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xen_dm_op row = rows[i].op;

        dm_op(f, domid, &row, sizeof(row), NULL, 0);
    }
    for (uint32_t i = 0; i < HVM_NR_PARAMS; i++)
        xc_hvm_param_set(f->xc, domid, i, i);
    op.domain = domid;
    op.u.hvmcontext.size = sizeof(buf);
    set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
    assert_int_equal(hvm_domctl(f, &op), 0);
    assert_int_equal(second->typecode, HVM_SAVE_CODE(PIC));
    op.cmd = XEN_DOMCTL_sethvmcontext;
    assert_int_equal(hvm_domctl(f, &op), 0);
    op.cmd = XEN_DOMCTL_gethvmcontext_partial;
    op.u.hvmcontext_partial = (struct xen_domctl_hvmcontext_partial){ .type = HVM_SAVE_CODE(PIT) };
    assert_int_equal(hvm_domctl(f, &op), -ENOENT);
    assert_int_equal(xc_domain_send_trigger(f->xc, domid, XEN_DOMCTL_SENDTRIGGER_POWER, 0), -ESRCH);
    assert_int_equal(xc_domain_unpause(f->xc, domid), 0);
    fix_pass(f, SECONDS(1));
    assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_errors, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_no_vcpus, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_buffers, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_ranges, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_dirty_vram, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
