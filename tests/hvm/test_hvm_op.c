// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvm_op: who may set and see which parameter, which values it takes, and what all other operations answer, as Xen 4.17
 * does.
 */
#include "tests/vcpu/hvm.h"

#include <xen/hvm/hvm_op.h>

#define HVM_DEVICES (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)
#define ARGS        0x6000 /* of the guest's own calls */

static struct fixture *f;
static domid_t domid;

static long from_dom0(unsigned int op, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_hvm_op, op, (uintptr_t)arg, 0, 0, 0);
}

/* By the guest itself: n bytes of an argument, which come back. */
static long from_guest(unsigned int op, void *arg, size_t n)
{
    struct hypercall_args args = { .a = { op, ARGS } };
    long rc;

    assert_int_equal(copy_to_guest(f->v, ARGS, arg, n), 0);
    rc = do_hvm_op(f->v, &args);
    assert_int_equal(copy_from_guest(f->v, arg, ARGS, n), 0);
    return rc;
}

/* --- parameters --- */

enum { NONE = 1, TOOL, SEEN, BOTH }; /* no parameter; the toolstack's; the guest may see it; set it, too */
static const uint8_t whose[HVM_NR_PARAMS] = {
    BOTH, SEEN, BOTH, NONE, NONE, TOOL, TOOL, NONE, NONE, TOOL, TOOL, TOOL, TOOL,
    NONE, TOOL, BOTH, TOOL, SEEN, BOTH, BOTH, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, TOOL, TOOL, TOOL, NONE, TOOL, TOOL, TOOL, BOTH, TOOL, BOTH, BOTH, TOOL,
};

static void test_whose(void **state)
{
    for (uint32_t i = 0; i < HVM_NR_PARAMS + 3; i++) {
        const unsigned int who = i < HVM_NR_PARAMS ? whose[i] : NONE;
        struct xen_hvm_param p = { .domid = DOMID_SELF, .index = i };
        const bool tss = i == HVM_PARAM_VM86_TSS || i == HVM_PARAM_VM86_TSS_SIZED;
        const uint64_t val = i == HVM_PARAM_VM86_TSS_SIZED ? UINT64_C(0x6800000000) : 0;
        long rc;

        rc = from_guest(HVMOP_get_param, &p, sizeof(p));
        if (rc != (who == NONE ? -EINVAL : who == TOOL ? -EPERM : 0))
            fail_msg("parameter %u is seen by the guest: %ld", i, rc);
        p.value = val;
        rc = from_guest(HVMOP_set_param, &p, sizeof(p));
        if (rc != (who == NONE ? -EINVAL : who == BOTH ? 0 : -EPERM))
            fail_msg("parameter %u is set by the guest: %ld", i, rc);
        p = (struct xen_hvm_param){ .domid = domid, .index = i };
        rc = from_dom0(HVMOP_get_param, &p);
        if (rc != (who == NONE ? -EINVAL : 0) || (tss && who != NONE && p.value != val))
            fail_msg("parameter %u is seen by dom0: %ld, 0x%lx", i, rc, (unsigned long)p.value);
        p.value = i == HVM_PARAM_NR_IOREQ_SERVER_PAGES ? 1 : val;
        rc = from_dom0(HVMOP_set_param, &p);
        if (rc != (who == NONE ? -EINVAL : 0))
            fail_msg("parameter %u is set by dom0: %ld", i, rc);
    }
}

static const struct {
    uint32_t index;
    uint64_t value;
    int rc;
} values[] = {
    { HVM_PARAM_TIMER_MODE, HVMPTM_one_missed_tick_pending, 0 },
    { HVM_PARAM_TIMER_MODE, HVMPTM_one_missed_tick_pending + 1, -EINVAL },
    { HVM_PARAM_TIMER_MODE, UINT64_C(1) << 32, -EINVAL },
    { HVM_PARAM_X87_FIP_WIDTH, 4, 0 },
    { HVM_PARAM_X87_FIP_WIDTH, 8, 0 },
    { HVM_PARAM_X87_FIP_WIDTH, 2, -EINVAL },
    { HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_MAX, 0 },
    { HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_MAX + 1, -EINVAL },
    { HVM_PARAM_NR_IOREQ_SERVER_PAGES, 0, -EINVAL },
    { HVM_PARAM_NR_IOREQ_SERVER_PAGES, 65, -EINVAL },
    { HVM_PARAM_NR_IOREQ_SERVER_PAGES, 64, 0 },
    { HVM_PARAM_NR_IOREQ_SERVER_PAGES, 63, -EEXIST },
    { HVM_PARAM_NR_IOREQ_SERVER_PAGES, 64, 0 },
    { HVM_PARAM_IOREQ_SERVER_PFN, 0, 0 },
    { HVM_PARAM_IOREQ_SERVER_PFN, 10, 0 },
    { HVM_PARAM_IOREQ_SERVER_PFN, 0, -EEXIST },
    { HVM_PARAM_ACPI_IOPORTS_LOCATION, 1, 0 },
    { HVM_PARAM_ACPI_IOPORTS_LOCATION, 2, -EINVAL },
    { HVM_PARAM_ACPI_S_STATE, 0, 0 },
    { HVM_PARAM_ACPI_S_STATE, 1, -EINVAL },
    { HVM_PARAM_ACPI_S_STATE, 3, -EOPNOTSUPP }, /* (Xen: 0, and the domain sleeps) */
    { HVM_PARAM_VIRIDIAN, 1, -EOPNOTSUPP },     /* (Xen offers it) */
    { HVM_PARAM_ALTP2M, 1, -EOPNOTSUPP },
    { HVM_PARAM_MCA_CAP, 2, -EINVAL },
    { HVM_PARAM_MCA_CAP, 1, -EOPNOTSUPP }, /* (Xen offers it) */
    { HVM_PARAM_VM86_TSS, UINT64_C(1) << 32, -EINVAL },
    { HVM_PARAM_VM86_TSS, 0x1000, 0 },
    { HVM_PARAM_VM86_TSS_SIZED, UINT64_C(0x67) << 32, -EINVAL },
    { HVM_PARAM_VM86_TSS_SIZED, UINT64_C(0x68) << 32 | 0x2000, 0 },
};

static void test_values(void **state)
{
    struct xen_hvm_param p = { .domid = domid };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        long rc;

        p.index = values[i].index, p.value = values[i].value;
        rc = from_dom0(HVMOP_set_param, &p);
        if (rc != values[i].rc)
            fail_msg("row %zu, parameter %u: %ld, not %d", i, p.index, rc, values[i].rc);
    }
    assert_int_equal(xc_hvm_param_set(f->xc, domid, HVM_PARAM_VM86_TSS, 0x3000), 0);
    assert_int_equal(xc_hvm_param_get(f->xc, domid, HVM_PARAM_VM86_TSS_SIZED, &p.value), 0);
    assert_int_equal(p.value, UINT64_C(128) << 32 | 0x3000);
    assert_int_equal(xc_hvm_param_get(f->xc, domid, HVM_PARAM_VM86_TSS, &p.value), 0);
    assert_int_equal(p.value, 0x3000);
    assert_int_equal(xc_hvm_param_set(f->xc, domid, HVM_PARAM_VM86_TSS_SIZED, UINT64_MAX),
                     0); /* no larger than can be */
    assert_int_equal(xc_hvm_param_get(f->xc, domid, HVM_PARAM_VM86_TSS_SIZED, &p.value), 0);
    assert_int_equal(p.value, UINT64_C(0x2088) << 32 | UINT32_MAX);
}

/* Which of several errors is told. */
static void test_order(void **state)
{
    struct xen_hvm_param p = { .domid = 4711, .index = HVM_NR_PARAMS };

    assert_int_equal(from_dom0(HVMOP_set_param, &p), -EINVAL); /* the index in front of the domain */
    p.index = 3;
    assert_int_equal(from_dom0(HVMOP_set_param, &p), -ESRCH);
    p.domid = 0; /* which is none of HVM's */
    assert_int_equal(from_dom0(HVMOP_set_param, &p), -EINVAL);
    assert_int_equal(from_guest(HVMOP_set_param, &p, sizeof(p)), -EINVAL);
    p.index = HVM_PARAM_TRIPLE_FAULT_REASON, p.domid = domid, p.value = 100; /* by its own number it is itself */
    assert_int_equal(from_guest(HVMOP_set_param, &p, sizeof(p)), -EPERM);
    assert_false(f->d->is_shut_down);
    p.index = HVM_PARAM_VM86_TSS, p.value = UINT64_C(1) << 32; /* it should have known */
    assert_int_equal(from_guest(HVMOP_set_param, &p, sizeof(p)), -EINVAL);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* Another guest's are nobody's affair, whatever they are. */
static void test_others(void **state)
{
    struct vcpu *v = f->v;
    const domid_t first = domid;

    hvm_create_with(f, 1, HVM_DEVICES);
    for (uint32_t i = 0; i < HVM_NR_PARAMS; i++) {
        struct xen_hvm_param p = { .domid = first, .index = i };

        assert_int_equal(from_guest(HVMOP_get_param, &p, sizeof(p)), -EPERM);
        assert_int_equal(from_guest(HVMOP_set_param, &p, sizeof(p)), -EPERM);
    }
    f->v = v;
}

/* A domain that has no chipset for ACPI. */
static void test_pvh(void **state)
{
    struct xen_hvm_param p = { .index = HVM_PARAM_ACPI_IOPORTS_LOCATION };

    hvm_create_with(f, 1, XEN_X86_EMU_LAPIC);
    p.domid = f->d->domain_id;
    assert_int_equal(from_dom0(HVMOP_set_param, &p), -ENODEV);
}

/* What a triple fault does to the domain is for the toolstack to say. */
static void test_triple_fault(void **state)
{
    uint64_t val = 0;

    assert_int_equal(xc_hvm_param_get(f->xc, domid, HVM_PARAM_TRIPLE_FAULT_REASON, &val), 0);
    assert_int_equal(val, SHUTDOWN_reboot);
    assert_int_equal(xc_hvm_param_set(f->xc, domid, HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_crash), 0);
    HVM_RUN(f, "\x0f\x0b"); /* ud2, without an IDT */
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
}

/* --- the others --- */

static const struct {
    unsigned int op;
    int rc; /* for an argument of zeroes: domain 0, vCPU 0, vector 0 */
} others[] = {
    { HVMOP_set_evtchn_upcall_vector, -EINVAL },
    { HVMOP_flush_tlbs, 0 },
    { HVMOP_get_time, 0 },
    { HVMOP_xentrace, 0 },
    { HVMOP_get_mem_type, -EPERM },
    { HVMOP_pagetable_dying, -EINVAL },
    { HVMOP_guest_request_vm_event, -EINVAL },
    { HVMOP_altp2m, -EOPNOTSUPP },
    /* What has moved to dm_op, and numbers that have never been any. */
    { 2, -ENOSYS },
    { 3, -ENOSYS },
    { 4, -ENOSYS },
    { 6, -ENOSYS },
    { 7, -ENOSYS },
    { 8, -ENOSYS },
    { 12, -ENOSYS },
    { 14, -ENOSYS },
    { 16, -ENOSYS },
    { 17, -ENOSYS },
    { 22, -ENOSYS },
    { 26, -ENOSYS },
    { UINT32_MAX, -ENOSYS },
};

static void test_operations(void **state)
{
    struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 1, .vector = 0xf };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        uint64_t zero[16] = { 0 };
        const long rc = from_guest(others[i].op, zero, sizeof(zero));

        if (rc != others[i].rc)
            fail_msg("operation %u: %ld, not %d", others[i].op, rc, others[i].rc);
    }
    assert_int_equal(from_guest(HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)), -EINVAL); /* in front of the vCPU */
    u.vector = 0x10;
    assert_int_equal(from_guest(HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)), -ENOENT);
    u.vcpu = 0;
    assert_int_equal(from_guest(HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)), 0);
    assert_int_equal(from_dom0(HVMOP_set_evtchn_upcall_vector, &u), -EINVAL); /* no HVM domain */
    assert_int_equal(from_dom0(HVMOP_flush_tlbs, NULL), -EINVAL);
}

static int setup(void **state)
{
    f = fix_machine(1);
    fix_hypervisor(f);
    hvm_create_with(f, 1, HVM_DEVICES);
    domid = f->d->domain_id;
    *state = f;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whose), TEST(test_values),       TEST(test_order),      TEST(test_others),
        TEST(test_pvh),   TEST(test_triple_fault), TEST(test_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
