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

static int range(struct fixture *f, ioservid_t id, bool map, uint64_t start, uint64_t end)
{
    struct xen_dm_op op = { .op = map ? XEN_DMOP_map_io_range_to_ioreq_server
                                      : XEN_DMOP_unmap_io_range_from_ioreq_server };

    op.u.map_io_range_to_ioreq_server =
        (struct xen_dm_op_ioreq_server_range){ .id = id, .type = XEN_DMOP_IO_RANGE_MEMORY, .start = start, .end = end };
    return (int)dm_op(f, f->d->domain_id, &op, sizeof(op), NULL, 0);
}

/* A piece out of the middle leaves what is before it and behind it; neighbours are one; there are 256 at most. */
static void test_io_ranges(void **state)
{
    struct fixture *f = *state;
    struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };

    assert_int_equal(dm_op(f, f->d->domain_id, &op, sizeof(op), NULL, 0), 0);
    assert_int_equal(range(f, 0, true, 0, 99), 0);
    assert_int_equal(range(f, 0, true, 99, 200), -EEXIST);
    assert_int_equal(range(f, 0, false, 40, 59), 0);
    assert_int_equal(range(f, 0, false, 40, 59), -ENOENT);
    assert_int_equal(range(f, 0, false, 30, 41), -ENOENT);
    assert_int_equal(range(f, 0, true, 39, 39), -EEXIST);
    assert_int_equal(range(f, 0, true, 60, 60), -EEXIST);
    assert_int_equal(range(f, 0, true, 40, 40), 0);
    assert_int_equal(range(f, 0, true, 59, 59), 0);
    assert_int_equal(range(f, 0, false, 0, 40), 0);
    assert_int_equal(range(f, 0, false, 59, 99), 0);
    for (uint64_t i = 0; i < 256; i++)
        assert_int_equal(range(f, 0, true, i * 16, i * 16 + 9), 0);
    assert_int_equal(range(f, 0, true, 256 * 16, 256 * 16), -ENOMEM);
    assert_int_equal(range(f, 0, false, 2, 5), -ENOMEM); /* there would be one more */
    assert_int_equal(range(f, 0, false, 0, 5), 0);
    assert_int_equal(range(f, 0, true, 10, 15), 0); /* beside both: it is the one's */
    assert_int_equal(range(f, 0, true, UINT64_MAX, UINT64_MAX), -ENOMEM);
}

/* Frames of a server: of the domain's own numbers while there are such, or of its own. */
static void test_server_pages(void **state)
{
    struct fixture *f = *state;
    const domid_t domid = f->d->domain_id;
    struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
    struct xen_dm_op enable = { .op = XEN_DMOP_set_ioreq_server_state, U(set_ioreq_server_state, 0, 1, 0) };
    struct xen_dm_op info = { .op = XEN_DMOP_get_ioreq_server_info };
    xen_pfn_t frame[2] = { 0 };
    struct xen_mem_acquire_resource r = { .domid = domid, .type = XENMEM_resource_ioreq_server, .nr_frames = 1 };

#define ACQUIRE(what)                                                                                                  \
    (r.frame = (what),                                                                                                 \
     hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, XENMEM_acquire_resource, (uintptr_t)&r, 0, 0, 0))
    set_xen_guest_handle(r.frame_list, frame);
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0); /* 0: without a ring */
    assert_int_equal(dm_op(f, domid, &enable, sizeof(enable), NULL, 0), -ENOMEM);
    assert_int_equal(dm_op(f, domid, &info, sizeof(info), NULL, 0), -ENOMEM);
    assert_int_equal(ACQUIRE(XENMEM_resource_ioreq_server_frame_bufioreq), -ENOENT);
    assert_int_equal(ACQUIRE(XENMEM_resource_ioreq_server_frame_ioreq(1)), -EINVAL);
    assert_int_equal(ACQUIRE(XENMEM_resource_ioreq_server_frame_ioreq(0)), 0);
    assert_int_equal(dm_op(f, domid, &enable, sizeof(enable), NULL, 0), 0);
    assert_int_equal(dm_op(f, domid, &info, sizeof(info), NULL, 0), -EPERM); /* it has frames of its own */
    op.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC;
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    assert_int_equal(op.u.create_ioreq_server.id, 1);
    xc_hvm_param_set(f->xc, domid, HVM_PARAM_IOREQ_SERVER_PFN, HVM_PAGES - 2);
    xc_hvm_param_set(f->xc, domid, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 2);
    info.u.get_ioreq_server_info.id = r.id = 1;
    assert_int_equal(dm_op(f, domid, &info, sizeof(info), NULL, 0), 0);
    assert_int_equal(info.u.get_ioreq_server_info.ioreq_gfn, HVM_PAGES - 2);
    assert_int_equal(info.u.get_ioreq_server_info.bufioreq_gfn, HVM_PAGES - 1);
    assert_int_not_equal(info.u.get_ioreq_server_info.bufioreq_port, 0);
    assert_int_equal(ACQUIRE(XENMEM_resource_ioreq_server_frame_ioreq(0)), -EPERM);
    for (ioservid_t id = 2; id < 8; id++)
        assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), -ENOSPC);
    info.u.get_ioreq_server_info.id = 2; /* no numbers are left for it */
    assert_int_equal(dm_op(f, domid, &info, sizeof(info), NULL, 0), -ENOMEM);
#undef ACQUIRE
}

/* A server's pages come back into the domain's memory; if another is there by then, it stays as it is. */
static void test_server_goes(void **state)
{
    struct fixture *f = *state;
    const domid_t domid = f->d->domain_id;
    struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server,
                            U(create_ioreq_server, .handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_ATOMIC) };
    struct xen_dm_op enable = { .op = XEN_DMOP_set_ioreq_server_state, U(set_ioreq_server_state, 0, 1, 0) };
    struct xen_dm_op destroy = { .op = XEN_DMOP_destroy_ioreq_server };
    p2m_type_t t;

    xc_hvm_param_set(f->xc, domid, HVM_PARAM_IOREQ_SERVER_PFN, HVM_PAGES - 2);
    xc_hvm_param_set(f->xc, domid, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 2);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
        assert_int_equal(dm_op(f, domid, &enable, sizeof(enable), NULL, 0), 0);
        p2m_get_entry(f->d, HVM_PAGES - 2, &t);
        assert_int_equal(t, p2m_mmio_dm);
        if (i) { /* a mapped grant, say: a page that is not to be replaced */
            assert_int_equal(p2m_set_entry(f->d, HVM_PAGES - 2, p2m_get_entry(f->d, 0, &t), p2m_map_foreign), 0);
        }
        assert_int_equal(dm_op(f, domid, &destroy, sizeof(destroy), NULL, 0), 0);
        p2m_get_entry(f->d, HVM_PAGES - 2, &t);
        assert_int_equal(t, i ? p2m_map_foreign : p2m_ram_rw);
        p2m_get_entry(f->d, HVM_PAGES - 1, &t);
        assert_int_equal(t, p2m_ram_rw);
    }
    p2m_set_entry(f->d, HVM_PAGES - 2, INVALID_MFN, p2m_mmio_dm);
}

/* What a call has done stands in its arguments, and in the domain. */
static void test_done(void **state)
{
    struct fixture *f = *state;
    const domid_t domid = f->d->domain_id;
    static uint8_t bits[1 << 15];
    struct xen_dm_op_modified_memory_extent e[3] = { { .nr = 1 }, { .nr = 1, .first_pfn = 1 }, { .pad = 1 } };
    struct xen_dm_op op = { .op = XEN_DMOP_set_mem_type, U(set_mem_type, 2, HVMMEM_mmio_dm, 0, 9) };
    p2m_type_t t;

    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    assert_int_equal(op.u.set_mem_type.nr, 0);
    assert_int_equal(op.u.set_mem_type.first_pfn, 11);
    p2m_get_entry(f->d, 10, &t);
    assert_int_equal(t, p2m_mmio_dm);
    op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ 1, HVMMEM_mmio_dm, 0, 9 }; /* it is that already */
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ 1, HVMMEM_ram_ro, 0, 9 };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), -EINVAL);
    op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ 1, HVMMEM_mmio_dm, 0, P2M_MAX_GFN };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ 2, HVMMEM_mmio_dm, 0, P2M_MAX_GFN };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), -EINVAL);

    op = (struct xen_dm_op){ .op = XEN_DMOP_relocate_memory, U(relocate_memory, 2, 0, 20, 100) };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    assert_int_equal(op.u.relocate_memory.size, 0);
    assert_int_equal(op.u.relocate_memory.dst_gfn, 102);
    p2m_get_entry(f->d, 101, &t);
    assert_int_equal(t, p2m_ram_rw);
    p2m_get_entry(f->d, 21, &t);
    assert_int_equal(t, p2m_mmio_dm);

    op = (struct xen_dm_op){ .op = XEN_DMOP_modified_memory, U(modified_memory, .nr_extents = 3) };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), e, sizeof(e)), -EINVAL);
    assert_int_equal(op.u.modified_memory.nr_extents, 3); /* which it was */
    op.u.modified_memory = (struct xen_dm_op_modified_memory){ .nr_extents = 2, .opaque = 0 };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), e, sizeof(e)), 0); /* the third is not looked at */
    assert_int_equal(op.u.modified_memory.opaque, 0);
    e[1].pad = 1;
    op.u.modified_memory = (struct xen_dm_op_modified_memory){ .nr_extents = 3, .opaque = 0 };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), e, sizeof(e)), -EINVAL);
    assert_int_equal(op.u.modified_memory.nr_extents, 2);

    op = (struct xen_dm_op){ .op = XEN_DMOP_track_dirty_vram, U(track_dirty_vram, .first_pfn = 4, .nr = 8) };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), bits, 1), 0);
    op.u.track_dirty_vram.nr = 1 << 18;
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), bits, sizeof(bits) - 1), -EINVAL);
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), bits, sizeof(bits)), 0);

    op = (struct xen_dm_op){ .op = XEN_DMOP_remote_shutdown, U(remote_shutdown, SHUTDOWN_suspend) };
    assert_int_equal(dm_op(f, domid, &op, sizeof(op), NULL, 0), 0);
    assert_true(f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_suspend);
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
        cmocka_unit_test_setup_teardown(test_io_ranges, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_server_pages, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_server_goes, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_done, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_buffers, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_ranges, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_dirty_vram, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
