// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack is told of the machine as a whole. (Schedulers and CPU pools: tests/sched; CPU policies:
 * test_cpu_policy.c.)
 */
#include "tests/vcpu/fixture.h"

#include <xen/memory.h>

/* What libxl's create and list look at. */
static void physinfo(void **state)
{
    struct fixture *f = *state;
    struct xen_memory_reservation claim = { .nr_extents = 100, .domid = f->d->domain_id };
    struct xen_sysctl_physinfo phys;
    uint64_t free_pages;

    assert_int_equal(xc_physinfo(f->xc, &phys), 0);
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

    free_pages = phys.free_pages;
    assert_int_equal(xc_domain_setmaxmem(f->xc, f->d->domain_id, (FIX_PAGES + 100) << 2), 0);
    claim.nr_extents += FIX_PAGES;
    assert_int_equal(hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, XENMEM_claim_pages,
                                      (uint64_t)(uintptr_t)&claim, 0, 0, 0),
                     0);
    assert_int_equal(xc_physinfo(f->xc, &phys), 0);
    assert_int_equal(phys.outstanding_pages, 100);
    assert_int_equal(phys.free_pages, free_pages);
}

/* --- NUMA: one node --- */

static void numainfo(void **state)
{
    struct fixture *f = *state;
    struct xen_sysctl_meminfo mem[2] = { { 1, 1 }, { 1, 1 } };
    uint32_t distance[2] = { 1, 1 };
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_numainfo };

    assert_int_equal(xc_sysctl(f->xc, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 1);
    sys.u.numainfo.meminfo.p = mem;
    sys.u.numainfo.distance.p = distance;
    sys.u.numainfo.num_nodes = 2;
    assert_int_equal(xc_sysctl(f->xc, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 1);
    assert_int_equal(mem[0].memsize, 128 << 20);
    assert_true(mem[0].memfree > 0 && mem[0].memfree < mem[0].memsize);
    assert_int_equal(distance[0], 10);
    assert_int_equal(mem[1].memsize, 1);
    assert_int_equal(distance[1], 1);
    sys.u.numainfo.num_nodes = 0;
    mem[0].memsize = 1;
    assert_int_equal(xc_sysctl(f->xc, &sys), 0);
    assert_int_equal(sys.u.numainfo.num_nodes, 0);
    assert_int_equal(mem[0].memsize, 1);
}

static int nodeaffinity(struct fixture *f, domid_t domid, uint32_t cmd, uint32_t nr_bits, uint64_t *nodes)
{
    struct xen_domctl op = { .cmd = cmd, .domain = domid, .u.nodeaffinity.nodemap.nr_bits = nr_bits };

    op.u.nodeaffinity.nodemap.bitmap.p = (uint8_t *)nodes;
    return xc_domctl(f->xc, &op);
}

static void nodeaffinities(void **state)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 10, .max_grant_frames = 32, .max_maptrack_frames = 32, .grant_opts = 2
    };
    struct fixture *f = *state;
    const domid_t id = f->d->domain_id;
    uint64_t nodes[2] = { 0, ~UINT64_C(0) };
    domid_t fresh = 0;

    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], 1);
    nodes[0] = 6;
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), -EINVAL);
    nodes[0] = 5;
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), 0);
    nodes[0] = 0;
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_getnodeaffinity, 128, nodes), 0);
    assert_int_equal(nodes[0], 5);
    assert_int_equal(nodes[1], 0);
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_getnodeaffinity, 0, NULL), 0);
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_setnodeaffinity, 0, NULL), -EINVAL);
    nodes[0] = ~UINT64_C(0); /* anywhere: as if nothing had been said */
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_setnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodeaffinity(f, id, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], 1);
    assert_int_equal(xc_domain_create(f->xc, &config, &fresh), 0); /* no vCPU yet, so no place to be near to */
    assert_int_equal(nodeaffinity(f, fresh, XEN_DOMCTL_getnodeaffinity, 64, nodes), 0);
    assert_int_equal(nodes[0], ~UINT64_C(0));
    assert_int_equal(xc_domain_destroy(f->xc, fresh), 0);
}

static void levelling_caps(void **state)
{
    struct fixture *f = *state;
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_get_cpu_levelling_caps };

    assert_int_equal(xc_sysctl(f->xc, &sys), 0);
    assert_int_equal(sys.u.cpu_levelling_caps.caps, XEN_SYSCTL_CPU_LEVELCAP_faulting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
        TEST(physinfo),
        TEST(numainfo),
        TEST(nodeaffinities),
        TEST(levelling_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
