// SPDX-License-Identifier: GPL-2.0-or-later
/* What memory_op answers to an HVM guest about itself and others, and to dom0 about an HVM guest. */
#include "tests/vcpu/hvm.h"

#include "mmu/pv/pv.h"

#define ARG 0x3000 /* where the guest has the argument */

static long by_dom0(struct fixture *f, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, (uintptr_t)arg, 0, 0, 0);
}

static long by_guest(struct fixture *f, unsigned int cmd, const void *arg, size_t n)
{
    hvm_put(f, ARG, arg, n);
    return do_memory_op(f->v, &(struct hypercall_args){ .a = { cmd, ARG } });
}

static void questions(void **state)
{
    static const struct {
        domid_t domid;
        unsigned int cmd;
        long guest, dom0; /* dom0 asks about the guest where that asks about itself */
    } rows[] = {
        { DOMID_SELF, XENMEM_current_reservation, HVM_PAGES, HVM_PAGES },
        { DOMID_SELF, XENMEM_maximum_reservation, HVM_PAGES, HVM_PAGES },
        { DOMID_SELF, XENMEM_maximum_gpfn, HVM_PAGES - 1, HVM_PAGES - 1 },
        { 0, XENMEM_current_reservation, -EPERM, 0 },
        { 0, XENMEM_maximum_gpfn, -EPERM, 0 },
        { 77, XENMEM_current_reservation, -ESRCH, -ESRCH },
        { 77, XENMEM_maximum_gpfn, -ESRCH, -ESRCH },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xen_memory_domain d = { .domid = rows[i].domid };

        assert_int_equal(by_guest(f, rows[i].cmd, &d, sizeof(d)), rows[i].guest);
        if (d.domid == DOMID_SELF)
            d.domid = f->d->domain_id;
        if (d.domid)
            assert_int_equal(by_dom0(f, rows[i].cmd, &d), rows[i].dom0);
    }
}

static void physmap(void **state)
{
    static const struct {
        domid_t domid;
        unsigned int space;
        uint64_t idx, gpfn;
        long want;
    } rows[] = {
        { 77, XENMAPSPACE_shared_info, 0, 0x100, -ESRCH },
        { 0, XENMAPSPACE_shared_info, 0, 0x100, -EACCES }, /* it has no such space: that is looked at first */
        { DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 0x100, -ENOSYS },
        { DOMID_SELF, XENMAPSPACE_dev_mmio, 0, 0x100, -ENOSYS },
        { DOMID_SELF, XENMAPSPACE_shared_info, 1, 0x100, -EINVAL },
        { DOMID_SELF, XENMAPSPACE_gmfn, 0x200, 0x100, -EINVAL },
        { DOMID_SELF, XENMAPSPACE_grant_table, 4, 0x100, -EINVAL },
        { DOMID_SELF, XENMAPSPACE_gmfn, 7, P2M_MAX_GFN + 1, -EINVAL },
        { DOMID_SELF, XENMAPSPACE_shared_info, 0, 0x100, 0 },
        { DOMID_SELF, XENMAPSPACE_gmfn, 7, 0x101, 0 },
        { DOMID_SELF, XENMAPSPACE_gmfn, 7, 0x102, -EINVAL }, /* it has gone from there */
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct xen_add_to_physmap x = {
            .domid = rows[i].domid, .space = rows[i].space, .idx = rows[i].idx, .gpfn = rows[i].gpfn
        };
        const long got = by_guest(f, XENMEM_add_to_physmap, &x, sizeof(x));

        if (got != rows[i].want)
            fail_msg("row %zu: %ld, not %ld", i, got, rows[i].want);
        fix_audit(f);
    }
}

/* What an HVM guest may not ask, or not for itself: where its argument is zero but for one word. */
static void refusals(void **state)
{
    static const struct {
        unsigned int cmd, word; /* which word has the domain */
        domid_t domid;
        long want;
    } rows[] = {
        { XENMEM_machine_memory_map, 0, 0, -ENOSYS }, /* these two are PV's */
        { XENMEM_machphys_mapping, 0, 0, -ENOSYS },
        { XENMEM_set_pod_target, 4, DOMID_SELF, -EPERM },
        { XENMEM_set_pod_target, 4, 0, -EINVAL },
        { XENMEM_set_pod_target, 4, 77, -ESRCH },
        { XENMEM_get_pod_target, 4, DOMID_SELF, -EPERM },
        { XENMEM_get_pod_target, 4, 77, -ESRCH },
        { XENMEM_claim_pages, 3, DOMID_SELF, -EINVAL }, /* no name of a domain for this */
        { XENMEM_claim_pages, 3, 0, -EPERM },
        { XENMEM_remove_from_physmap, 0, DOMID_SELF, 0 },
        { XENMEM_remove_from_physmap, 0, DOMID_SELF, -ENOENT }, /* it has gone */
        { XENMEM_remove_from_physmap, 0, 77, -ESRCH },
        { XENMEM_remove_from_physmap, 0, 0, -EACCES }, /* it has none: that is looked at first */
        { XENMEM_acquire_resource, 0, 77, -ESRCH },
        { XENMEM_acquire_resource, 0, 0, -EPERM },
        { XENMEM_set_memory_map, 0, 77, -ESRCH },
        { XENMEM_set_memory_map, 0, 0, -EPERM },
        { XENMEM_exchange, 0, 0, 0 }, /* of nothing */
        { XENMEM_get_sharing_freed_pages, 0, 0, 0 },
        { 63, 0, 0, -ENOSYS },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t arg[16] = { 0 };
        long got;

        arg[rows[i].word] = rows[i].domid;
        got = by_guest(f, rows[i].cmd, arg, sizeof(arg));
        if (got != rows[i].want)
            fail_msg("row %zu: %ld, not %ld", i, got, rows[i].want);
        fix_audit(f);
    }
}

/* Lists of one extent each, in the guest's memory beside the argument: the guest's numbers are never the machine's. */
#define LIST    0x4000
#define NOWHERE 0xf0000000 /* without memory */

static void exchange(void **state)
{
    static const struct {
        domid_t domid;
        unsigned int order_in, order_out;
        uint64_t nr_in, nr_out, list;
        long want;
    } rows[] = {
        { DOMID_SELF, 0, 0, 1, 1, LIST, -EOPNOTSUPP }, /* its frames have no numbers that it knows */
        { DOMID_SELF, 0, 0, 1, 2, LIST, -EINVAL },
        { DOMID_SELF, 0, 40, 1, 1, LIST, -EPERM },
        { DOMID_SELF, 0, 0, 1, 1, NOWHERE, -EOPNOTSUPP }, /* its lists are not looked at */
        { 0, 0, 0, 1, 1, LIST, -EPERM },
        { 77, 0, 0, 1, 1, LIST, -ESRCH },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xen_memory_exchange x = {
            .in = { .nr_extents = rows[i].nr_in, .extent_order = rows[i].order_in, .domid = rows[i].domid },
            .out = { .nr_extents = rows[i].nr_out, .extent_order = rows[i].order_out, .domid = rows[i].domid },
        };
        long got;

        x.in.extent_start.p = x.out.extent_start.p = (void *)(uintptr_t)rows[i].list;
        got = by_guest(f, XENMEM_exchange, &x, sizeof(x));
        if (got != rows[i].want)
            fail_msg("row %zu: %ld, not %ld", i, got, rows[i].want);
        fix_audit(f);
    }
}

/* Each element has an answer of its own; what is wrong with the call itself is said first. */
static void batch(void **state)
{
    static const struct {
        domid_t domid, foreign;
        unsigned int space;
        uint64_t idx, gpfn, lists;
        long want, err;
    } rows[] = {
        { DOMID_SELF, 0, XENMAPSPACE_gmfn_range, 7, 0x100, LIST, -EOPNOTSUPP, 1 },
        { 77, 0, XENMAPSPACE_shared_info, 0, 0x100, LIST, -ESRCH, 1 },
        { 0, 0, XENMAPSPACE_shared_info, 0, 0x100, LIST, -EACCES, 1 },
        { DOMID_SELF, 0, XENMAPSPACE_shared_info, 0, 0x100, NOWHERE, -EFAULT, 1 },
        { DOMID_SELF, 0, XENMAPSPACE_shared_info, 1, 0x100, LIST, 0, -EINVAL },
        { DOMID_SELF, 0, XENMAPSPACE_gmfn, 0x200, 0x100, LIST, 0, -EINVAL },
        { DOMID_SELF, 0, XENMAPSPACE_gmfn, 7, P2M_MAX_GFN + 1, LIST, 0, -EINVAL },
        { DOMID_SELF, 0, XENMAPSPACE_dev_mmio, 0, 0x100, LIST, 0, -ENOSYS },
        { DOMID_SELF, 0, XENMAPSPACE_shared_info, 0, 0x100, LIST, 0, 0 },
        { DOMID_SELF, 0, XENMAPSPACE_gmfn, 7, 0x101, LIST, 0, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const uint64_t lists[2] = { rows[i].idx, rows[i].gpfn };
        struct xen_add_to_physmap_batch b = { .domid = rows[i].domid, .space = rows[i].space, .size = 1 };
        int err = 1;
        long got;

        hvm_put(f, LIST, lists, sizeof(lists));
        hvm_put(f, LIST + sizeof(lists), &err, sizeof(err));
        b.u.foreign_domid = rows[i].foreign;
        b.idxs.p = (void *)(uintptr_t)rows[i].lists;
        b.gpfns.p = (void *)(uintptr_t)(rows[i].lists + 8);
        b.errs.p = (void *)(uintptr_t)(rows[i].lists + sizeof(lists));
        got = by_guest(f, XENMEM_add_to_physmap_batch, &b, sizeof(b));
        assert_true(hvm_copy_from_guest_phys(f->d, &err, LIST + sizeof(lists), sizeof(err)));
        if (got != rows[i].want || err != rows[i].err)
            fail_msg("row %zu: %ld and %d, not %ld and %ld", i, got, err, rows[i].want, rows[i].err);
        fix_audit(f);
    }
}

/* How many extents were done; what is not there ends the call early, and is no error. */
static void reservations(void **state)
{
    static const struct {
        unsigned int cmd;
        domid_t domid;
        unsigned int order;
        uint64_t gfn, list;
        long want;
    } rows[] = {
        { XENMEM_decrease_reservation, DOMID_SELF, 0, 9, LIST, 1 },
        { XENMEM_decrease_reservation, DOMID_SELF, 0, 9, LIST, 0 }, /* it has gone */
        { XENMEM_decrease_reservation, DOMID_SELF, 0, P2M_MAX_GFN + 1, LIST, 0 },
        { XENMEM_decrease_reservation, DOMID_SELF, 40, 9, LIST, 0 },
        { XENMEM_decrease_reservation, DOMID_SELF, 0, 9, NOWHERE, 0 },
        { XENMEM_decrease_reservation, 0, 0, 9, LIST, 0 },
        { XENMEM_decrease_reservation, 77, 0, 9, LIST, 0 },
        { XENMEM_populate_physmap, DOMID_SELF, 0, 9, LIST, 1 },
        { XENMEM_populate_physmap, DOMID_SELF, 0, P2M_MAX_GFN + 1, LIST, 0 },
        { XENMEM_populate_physmap, DOMID_SELF, 40, 9, LIST, 0 },
        { XENMEM_populate_physmap, 0, 0, 9, LIST, 0 },
        { XENMEM_populate_physmap, 77, 0, 9, LIST, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xen_memory_reservation r = { .nr_extents = 1, .extent_order = rows[i].order, .domid = rows[i].domid };
        long got;

        hvm_put(f, LIST, &rows[i].gfn, sizeof(rows[i].gfn));
        r.extent_start.p = (void *)(uintptr_t)rows[i].list;
        got = by_guest(f, rows[i].cmd, &r, sizeof(r));
        if (got != rows[i].want)
            fail_msg("row %zu: %ld, not %ld", i, got, rows[i].want);
        fix_audit(f);
    }
}

static void vnuma(void **state)
{
    static const struct {
        domid_t domid;
        uint16_t pad;
        long want;
    } rows[] = {
        { DOMID_SELF, 0, -EOPNOTSUPP }, /* it has none */
        { DOMID_SELF, 1, -EINVAL },
        { 0, 0, -EPERM },
        { 77, 0, -ESRCH },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct xen_vnuma_topology_info n = { .domid = rows[i].domid, .pad = rows[i].pad };
        const long got = by_guest(f, XENMEM_get_vnumainfo, &n, sizeof(n));

        if (got != rows[i].want)
            fail_msg("row %zu: %ld, not %ld", i, got, rows[i].want);
    }
}

static int setup(void **state) { return hvm_setup(state); }
static int teardown(void **state) { return fix_teardown(state); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions, setup, teardown),
        cmocka_unit_test_setup_teardown(physmap, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(batch, setup, teardown),
        cmocka_unit_test_setup_teardown(reservations, setup, teardown),
        cmocka_unit_test_setup_teardown(vnuma, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
