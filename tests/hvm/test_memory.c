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

static int setup(void **state) { return hvm_setup(state); }
static int teardown(void **state) { return fix_teardown(state); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions, setup, teardown),
        cmocka_unit_test_setup_teardown(physmap, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
