// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * domctl and sysctl as any toolstack meets them: domains come and go, are paused, listed, claimed for, and are not
 * there. (What only the hypervisor sees of it: test_domctl.c, test_domctl_memory.c.)
 */
#include "tests/support/user.h"

static const struct xen_domctl_createdomain good = {
    .max_vcpus = 1,
    .max_evtchn_port = 1023,
    .max_grant_frames = 32,
    .max_maptrack_frames = 32,
    .grant_opts = 2,
};

static struct xen_sysctl_physinfo physinfo(struct user *u)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };

    assert_int_equal(user_sysctl(u, &op), 0);
    return op.u.physinfo;
}

static int64_t set_max(struct user *u, uint16_t domid, uint64_t pages)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .domain = domid, .u.max_mem.max_memkb = pages << 2 };

    return user_domctl(u, &op);
}

static int64_t address(struct user *u, uint16_t domid, uint32_t size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_address_size, .domain = domid, .u.address_size.size = size };

    return user_domctl(u, &op);
}

static void createdomain_numbers(void **state)
{
    struct user *u = *state;
    uint16_t a = 0, b = 0, same;

    assert_int_equal(user_create(u, &good, &a), 0);
    assert_int_equal(user_create(u, &good, &b), 0);
    assert_int_not_equal(a, b);
    same = b;
    assert_int_equal(user_create(u, &good, &same), -EEXIST);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, b), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, b), -ESRCH);
    same = 0;
    assert_int_equal(user_create(u, &good, &same), 0);
    assert_int_not_equal(same, b); /* numbers are not used again at once */
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, a), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, same), 0);
}

static void pausing_counts(void **state)
{
    struct user *u = *state;
    uint16_t id = u->d;

    assert_int_equal(user_domain_op(u, XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_unpausedomain, id), 0);
    assert_true(user_look(u, id).paused);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_unpausedomain, id), 0);
    assert_false(user_look(u, id).paused);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_unpausedomain, id), -EINVAL);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_pausedomain, u->control), -EINVAL);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, u->control), -EINVAL);
}

static void resume_refusals(void **state)
{
    struct user *u = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_resumedomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

    assert_int_equal(user_domain_op(u, XEN_DOMCTL_resumedomain, u->control), -EINVAL); /* itself */
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_resumedomain, 4711), -ESRCH);
    op.domain = u->d;
    assert_int_equal(user_domctl_by(u, u->d, &op), -EPERM);
    op.cmd = XEN_DOMCTL_soft_reset;
    assert_int_equal(user_domctl(u, &op), -EINVAL);
}

/* The order is that of the numbers, whatever the order of creation, and however far apart they are. */
static void lists_with_gaps(void **state)
{
    struct user *u = *state;
    static const uint16_t ids[] = { 7000, DOMID_FIRST_RESERVED - 1, 6, 6999 };
    struct xen_domctl_getdomaininfo info[8];
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_getdomaininfolist,
                              .u.getdomaininfolist = { .first_domain = 6, .max_domains = 8 } };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = 7000 };

    sys.u.getdomaininfolist.buffer.p = user_lend(u, USER_ARG, info, sizeof(info));
    for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
        uint16_t domid = ids[i];

        assert_int_equal(user_create(u, &good, &domid), 0);
        assert_int_equal(domid, ids[i]);
    }
    assert_int_equal(user_sysctl(u, &sys), 0);
    user_get(u, u->control, USER_ARG, info, sizeof(info));
    assert_int_equal(sys.u.getdomaininfolist.num_domains, 4);
    assert_int_equal(info[0].domain, 6);
    assert_int_equal(info[1].domain, 6999);
    assert_int_equal(info[2].domain, 7000);
    assert_int_equal(info[3].domain, DOMID_FIRST_RESERVED - 1);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, 7000), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, 7000), -ESRCH);
    assert_int_equal(user_domctl(u, &op), 0);
    assert_int_equal(op.domain, DOMID_FIRST_RESERVED - 1);
    sys.u.getdomaininfolist.max_domains = 2;
    sys.u.getdomaininfolist.first_domain = 0;
    assert_int_equal(user_sysctl(u, &sys), 0);
    user_get(u, u->control, USER_ARG, info, sizeof(info));
    assert_int_equal(sys.u.getdomaininfolist.num_domains, 2);
    assert_true(info[0].domain == 0 && info[1].domain == u->d);
}

static int64_t claim(struct user *u, uint16_t domid, uint64_t nr)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = domid };

    return user_op(u, u->control, __HYPERVISOR_memory_op, XENMEM_claim_pages, &r);
}

/* A claim is one domain's, and ends with it. */
static void claims_end_with_their_domain(void **state)
{
    struct user *u = *state;
    uint64_t left;
    uint16_t a = 0, b = 0;

    assert_int_equal(user_create(u, &good, &a), 0);
    assert_int_equal(user_create(u, &good, &b), 0);
    left = physinfo(u).free_pages;
    assert_int_equal(set_max(u, a, left), 0);
    assert_int_equal(set_max(u, b, left), 0);
    assert_int_equal(claim(u, a, left - 10), 0);
    assert_int_equal(physinfo(u).outstanding_pages, left - 10);
    assert_int_equal(claim(u, b, 11), -ENOMEM);
    assert_int_equal(claim(u, b, 10), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, a), 0);
    assert_int_equal(physinfo(u).outstanding_pages, 10);
    assert_int_equal(claim(u, b, 0), 0);
    assert_int_equal(claim(u, b, left - 10), 0);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, b), 0);
    assert_int_equal(physinfo(u).outstanding_pages, 0);
}

static void unknown_commands(void **state)
{
    struct user *u = *state;
    struct xen_domctl op = { .cmd = 9999, .domain = u->d };
    struct xen_sysctl sys = { .cmd = 9999 };

    assert_int_equal(user_domctl(u, &op), -ENOSYS);
    assert_int_equal(user_sysctl(u, &sys), -ENOSYS);
}

/* 64 becomes 32 as long as the domain is empty, and never 64 again; what it is already it may be asked to be. */
static void address_size(void **state)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_grant_frames = 1, .max_maptrack_frames = 1, .grant_opts = 2
    };
    struct user *u = *state;
    uint16_t domid = 0;

    assert_int_equal(address(u, u->d, 64), 0);
    assert_int_equal(address(u, u->d, 32), -EACCES); /* it has memory */
    assert_int_equal(address(u, u->d, 16), -EINVAL);
    assert_int_equal(user_create(u, &config, &domid), 0);
    assert_int_equal(address(u, domid, 64), 0);
    assert_int_equal(address(u, domid, 32), 0);
    assert_int_equal(address(u, domid, 32), 0);
    assert_int_equal(address(u, domid, 64), -EINVAL);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, domid), 0);
    assert_int_equal(address(u, user_domain(u->x, XENLAB_PV32, 1, false), 32), 0);
}

/* Domains that are never found, and commands that find none. */
static void nobody(void **state)
{
    struct user *u = *state;
    static const uint16_t reserved[] = { DOMID_FIRST_RESERVED, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID };
    static const uint32_t no_iommu[] = { XEN_DOMCTL_assign_device, XEN_DOMCTL_deassign_device,
                                         XEN_DOMCTL_test_assign_device, XEN_DOMCTL_get_device_group };
    struct xen_domctl op;

    for (unsigned int i = 0; i < ARRAY_SIZE(reserved); i++) {
        op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo, .domain = reserved[i] };
        assert_int_equal(user_domctl(u, &op), -EINVAL);
        op = (struct xen_domctl){ .cmd = XEN_DOMCTL_pausedomain, .domain = reserved[i] };
        assert_int_equal(user_domctl(u, &op), -ESRCH);
    }
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo, .domain = DOMID_FIRST_RESERVED - 1 };
    assert_int_equal(user_domctl(u, &op), -ESRCH);
    for (unsigned int i = 0; i < ARRAY_SIZE(no_iommu); i++) {
        op = (struct xen_domctl){ .cmd = no_iommu[i], .domain = u->d };
        assert_int_equal(user_domctl(u, &op), -EOPNOTSUPP);
    }
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_test_assign_device, .domain = DOMID_INVALID };
    assert_int_equal(user_domctl(u, &op), -EOPNOTSUPP);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_deassign_device, .domain = DOMID_INVALID };
    assert_int_equal(user_domctl(u, &op), -ESRCH);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_deassign_device, .domain = DOMID_IO };
    assert_int_equal(user_domctl(u, &op), -EOPNOTSUPP);
}

static void absent_sysctls(void **state)
{
    struct user *u = *state;
    static const struct {
        uint32_t cmd;
        int answer;
    } ops[] = { { XEN_SYSCTL_coverage_op, -EOPNOTSUPP }, { XEN_SYSCTL_psr_cmt_op, -ENODEV },
                { XEN_SYSCTL_psr_alloc, -ENODEV },       { XEN_SYSCTL_get_pmstat, -ENODEV },
                { XEN_SYSCTL_perfc_op, -ENOSYS },        { XEN_SYSCTL_lockprof_op, -ENOSYS } };
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_get_pmstat, .u.get_pmstat.cpuid = 1 };

    assert_int_equal(user_sysctl(u, &op), -EINVAL); /* no such pCPU */
    for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
        op = (struct xen_sysctl){ .cmd = ops[i].cmd };
        assert_int_equal(user_sysctl(u, &op), ops[i].answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(createdomain_numbers),
        USER_TEST(pausing_counts),
        USER_TEST(resume_refusals),
        USER_TEST(lists_with_gaps),
        USER_TEST(claims_end_with_their_domain),
        USER_TEST(unknown_commands),
        USER_TEST(address_size),
        USER_TEST(nobody),
        USER_TEST(absent_sysctls),
    };

    return cmocka_run_group_tests(tests, user_begin_pv, user_end);
}
