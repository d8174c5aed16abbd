// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain lives: made by domctls, its vCPU by sethvmcontext, its memory by populate_physmap; it runs, makes
 * hypercalls, is interrupted, and ends.
 */
#include "tests/vcpu/hvm.h"

#define STRING 0x2000

static void test_console(void **state)
{
    struct fixture *f = *state;

    hvm_put(f, STRING, "hi\n", 3);
    HVM_RUN(f, "\xb9\x00\x00\x00\x40\xb8\x00\x30\x00\x00\x31\xd2\x0f\x30" /* wrmsr: the hypercall page */
               "\x31\xdb\xb9\x03\x00\x00\x00\xba\x00\x20\x00\x00\xb8\x40\x32\x00\x00\xff\xd0" /* console_io(write) */
               "\xb0\x41\xe6\xe9\xb0\x0a\xe6\xe9\xf4");                                       /* "A\n" to 0xe9; hlt */
    assert_non_null(strstr(f->log, "(d1) hi\n"));
    assert_non_null(strstr(f->log, "(d1) A\n"));
    assert_true(f->d->has_32bit_shinfo); /* 32-bit code has asked for the hypercall page */
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_poweroff);
}

/* An exception without an IDT: #GP, #DF, shutdown. */
static void test_triple_fault(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\x0f\x0b");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

/* What was saved of it is what was set. */
static void test_context(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[4096];
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = f->d->domain_id };
    const struct hvm_hw_cpu *cpu =
        (const void *)(buf + 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header));
    struct hvm_hw_cpu c;

    assert_int_equal(hvm_domctl(f, &op), 0); /* how much is it? */
    assert_in_range(op.u.hvmcontext.size, sizeof(c), sizeof(buf));
    op.u.hvmcontext.size--;
    set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
    assert_int_equal(hvm_domctl(f, &op), -ENOSPC);
    op.u.hvmcontext.size = sizeof(buf);
    assert_int_equal(hvm_domctl(f, &op), 0);
    memcpy(&c, cpu, sizeof(c));
    assert_int_equal(c.rip, HVM_CODE);
    assert_int_equal(c.cs_arbytes, 0xc9b);
    op.cmd = XEN_DOMCTL_sethvmcontext;
    assert_int_equal(hvm_domctl(f, &op), 0);
    for (uint32_t n = 0; n < op.u.hvmcontext.size; n += 7) { /* cut anywhere */
        struct xen_domctl cut = op;

        cut.u.hvmcontext.size = n;
        assert_int_not_equal(hvm_domctl(f, &cut), 0);
    }
    c.cr0 = X86_CR0_PG; /* no processor can be in that */
    memcpy(buf + 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header), &c, sizeof(c));
    assert_int_equal(hvm_domctl(f, &op), -EINVAL);
}

static long memory_op(struct fixture *f, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, (uintptr_t)arg, 0, 0, 0);
}

/* The guest's own numbers: what comes to a place takes it over; the local APIC's page is nobody's to take. */
static void test_physmap(void **state)
{
    struct fixture *f = *state;
    struct xen_add_to_physmap add = { .domid = f->d->domain_id, .space = XENMAPSPACE_shared_info, .gpfn = 5 };
    struct xen_remove_from_physmap remove = { .domid = f->d->domain_id, .gpfn = 0xfee00 };
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = f->d->domain_id };
    struct xen_domctl more = { .cmd = XEN_DOMCTL_max_mem,
                               .domain = f->d->domain_id,
                               .u.max_mem.max_memkb = 8 * HVM_PAGES };
    uint64_t gfn = 0xfee00, pages;
    p2m_type_t t;
    mfn_t was;

    HVM_RUN(f, "\xeb\xfe"); /* entered once: the page is there */
    p2m_get_entry(f->d, 0xfee00, &t);
    assert_int_equal(t, p2m_mmio_direct);
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), -EINVAL);
    set_xen_guest_handle(r.extent_start, &gfn);
    assert_int_equal(hvm_domctl(f, &more), 0); /* it is not for its limit that it gets nothing there */
    assert_int_equal(memory_op(f, XENMEM_populate_physmap, &r), 0);
    p2m_get_entry(f->d, 0xfee00, &t);
    assert_int_equal(t, p2m_mmio_direct);
    pages = f->d->tot_pages;
    add.gpfn = 0xfee00;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), -EPERM);

    add.gpfn = 5;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0);
    assert_int_equal(mfn_x(p2m_get_entry(f->d, 5, &t)), mfn_x(f->d->shared_info_mfn));
    assert_int_equal(f->d->tot_pages, pages - 1); /* what was there is given up */
    add.gpfn = 6;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0); /* it moves */
    p2m_get_entry(f->d, 5, &t);
    assert_int_equal(t, p2m_mmio_dm);
    was = p2m_get_entry(f->d, 7, &t);
    add = (struct xen_add_to_physmap){ .domid = f->d->domain_id, .space = XENMAPSPACE_gmfn, .idx = 7, .gpfn = 5 };
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0);
    assert_int_equal(mfn_x(p2m_get_entry(f->d, 5, &t)), mfn_x(was));
    remove.gpfn = 5;
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), 0);
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), -ENOENT);
    add = (struct xen_add_to_physmap){ .domid = f->d->domain_id, .space = 77, .gpfn = 5 };
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), -ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_console, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_triple_fault, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_context, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_physmap, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
