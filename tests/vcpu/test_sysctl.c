// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack is told of the machine as a whole. (Schedulers and CPU pools: tests/sched; CPU policies:
 * test_cpu_policy.c.)
 */
#include "tests/support/user.h"

static struct xen_sysctl_physinfo physinfo_of(struct user *u)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };

    assert_int_equal(user_sysctl(u, &op), 0);
    return op.u.physinfo;
}

/* What libxl's create and list look at. */
static void physinfo(void **state)
{
    struct user *u = *state;
    const uint64_t pages = user_look(u, u->d).pages;
    struct xen_domctl max = { .cmd = XEN_DOMCTL_max_mem, .domain = u->d, .u.max_mem.max_memkb = (pages + 100) << 2 };
    struct xen_memory_reservation claim = { .nr_extents = pages + 100, .domid = u->d };
    struct xen_sysctl_physinfo phys = physinfo_of(u);
    uint64_t free_pages = phys.free_pages;

    assert_int_equal(phys.total_pages, 128 << 8);
    assert_int_equal(phys.capabilities, XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hap |
                                            XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2);
    assert_int_equal(phys.nr_nodes, 1);
    assert_int_equal(phys.max_node_id, 0);
    assert_true(phys.hw_cap[0] & 1u << 26);                                       /* SSE2, */
    assert_int_equal(phys.hw_cap[1] & (1u << 23 | 1u << 28 | 1u << 30), 1 << 23); /* POPCNT, no AVX nor RDRAND, */
    assert_true(phys.hw_cap[2] & 1u << 29);                                       /* LM, */
    assert_int_equal(phys.hw_cap[5] & 1, 1);                                      /* FSGSBASE */
    assert_int_equal(phys.outstanding_pages, 0);

    assert_int_equal(user_domctl(u, &max), 0);
    assert_int_equal(user_op(u, u->control, __HYPERVISOR_memory_op, XENMEM_claim_pages, &claim), 0);
    phys = physinfo_of(u);
    assert_int_equal(phys.outstanding_pages, 100);
    assert_int_equal(phys.free_pages, free_pages);
}

/* --- NUMA: one node --- */

static void numainfo(void **state)
{
    struct user *u = *state;
    struct xen_sysctl_meminfo mem[2] = { { 1, 1 }, { 1, 1 } };
    uint32_t distance[2] = { 1, 1 };
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_numainfo };

    assert_int_equal(user_sysctl(u, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 1);
    sys.u.numainfo.meminfo.p = user_lend(u, USER_ARG, mem, sizeof(mem));
    sys.u.numainfo.distance.p = user_lend(u, USER_ARG2, distance, sizeof(distance));
    sys.u.numainfo.num_nodes = 2;
    assert_int_equal(user_sysctl(u, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 1);
    user_get(u, u->control, USER_ARG, mem, sizeof(mem));
    user_get(u, u->control, USER_ARG2, distance, sizeof(distance));
    assert_int_equal(mem[0].memsize, 128 << 20);
    assert_true(mem[0].memfree > 0 && mem[0].memfree < mem[0].memsize);
    assert_int_equal(distance[0], 10);
    assert_int_equal(mem[1].memsize, 1);
    assert_int_equal(distance[1], 1);
    sys.u.numainfo.num_nodes = 0;
    mem[0].memsize = 1;
    user_lend(u, USER_ARG, mem, sizeof(mem));
    assert_int_equal(user_sysctl(u, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 0);
    user_get(u, u->control, USER_ARG, mem, sizeof(mem));
    assert_int_equal(mem[0].memsize, 1);
}

static int64_t nodeaffinity(struct user *u, uint16_t domid, uint32_t cmd, uint32_t nr_bits, uint64_t nodes[2])
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid, .u.nodeaffinity.nodemap.nr_bits = nr_bits };
    int64_t rc;

    op.u.nodeaffinity.nodemap.bitmap.p = user_lend(u, USER_ARG, nodes, 16);
    rc = user_domctl(u, &op);
    user_get(u, u->control, USER_ARG, nodes, 16);
    return rc;
}

static void nodeaffinities(void **state)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 10, .max_grant_frames = 32, .max_maptrack_frames = 32, .grant_opts = 2
    };
    struct user *u = *state;
    const uint16_t id = u->d;
    uint64_t nodes[2] = { 0, ~UINT64_C(0) };
    uint16_t fresh = 0;

    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], 1);
    nodes[0] = 6;
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), -EINVAL);
    nodes[0] = 5;
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), 0);
    nodes[0] = 0;
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_getnodeaffinity, 128, nodes), 0);
    assert_int_equal(nodes[0], 5);
    assert_int_equal(nodes[1], 0);
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_getnodeaffinity, 0, nodes), 0);
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_setnodeaffinity, 0, nodes), -EINVAL);
    nodes[0] = ~UINT64_C(0); /* anywhere: as if nothing had been said */
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodeaffinity(u, id, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], 1);
    assert_int_equal(user_create(u, &config, &fresh), 0); /* no vCPU yet, so no place to be near to */
    assert_int_equal(nodeaffinity(u, fresh, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], ~UINT64_C(0));
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, fresh), 0);
}

static void levelling_caps(void **state)
{
    struct user *u = *state;
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_get_cpu_levelling_caps };

    assert_int_equal(user_sysctl(u, &sys), 0);
    assert_int_equal(sys.u.cpu_levelling_caps.caps, XEN_SYSCTL_CPU_LEVELCAP_faulting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(physinfo),
        USER_TEST(numainfo),
        USER_TEST(nodeaffinities),
        USER_TEST(levelling_caps),
    };

    return cmocka_run_group_tests(tests, user_begin_pv, user_end);
}
