// SPDX-License-Identifier: GPL-2.0-or-later
/* pCPUs that go offline and come back, CPU pools, and domains that move between them. */
#include "common.h"

#include "vcpu/sched/cpupool.h"

static void test_cpu_hotplug(void **state)
{
    struct wb *wb = wb_new("credit", 3);

    domain_new(wb, "a", 3, 256, 0, "compute forever");
    run(wb, MILLISECS(100));
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 0, false), -EINVAL);
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 3, false), -EINVAL);
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, true), -EEXIST);
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, false), 0);
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, false), -EEXIST);
    assert_int_equal(cpupool_free_cpus(&wb->xen), 0); /* offline is not free */
    run(wb, MILLISECS(200));
    assert_int_equal(wb->busy[1], MILLISECS(100));
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, true), 0);
    run(wb, MILLISECS(300));
    assert_int_equal(wb->busy[1], MILLISECS(200));
    wb_destroy(wb);
}

/* A pCPU's time is busy, idle or offline. */
static void test_idle_time(void **state)
{
    struct wb *wb = wb_new("credit2", 3);

    domain_new(wb, "a", 2, 256, 0, "compute 1ms..3ms, sleep 1ms..2ms");
    run(wb, MILLISECS(100));
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, false), 0);
    assert_int_equal(get_cpu_idle_time(&wb->xen, 1), 0); /* offline: as Xen */
    run(wb, MILLISECS(300));
    assert_int_equal(sched_cpu_hotplug(&wb->xen, 1, true), 0);
    run(wb, MILLISECS(500));
    for (unsigned int cpu = 0; cpu < 3; cpu++)
        assert_int_equal(wb->busy[cpu] + get_cpu_idle_time(&wb->xen, cpu), MILLISECS(cpu == 1 ? 300 : 500));
    wb_destroy(wb);
}

static int pool_op(struct wb *wb, uint32_t op, uint32_t id, uint32_t arg, struct xen_sysctl_cpupool_op *out,
                   uint64_t *map)
{
    struct xen_sysctl_cpupool_op o = { .op = op, .cpupool_id = id, .sched_id = arg, .domid = arg, .cpu = arg };
    uint64_t dummy;
    const int rc = cpupool_do_sysctl(&wb->xen, &o, map ? map : &dummy);

    if (out)
        *out = o;
    return rc;
}

static void test_cpupools(void **state)
{
    struct wb *wb = wb_new("credit", 4);
    struct wb_domain *a = domain_new(wb, "a", 4, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 4, 256, 0, "compute 1ms, sleep 1ms");
    struct xen_sysctl_cpupool_op o;
    uint64_t map;

    run(wb, MILLISECS(50));
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_CREATE, 0, XEN_SCHEDULER_RTDS, NULL, NULL), -EEXIST);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_CREATE, 1, 77, NULL, NULL), -ENOENT);
    assert_int_equal(
        pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_PAR_ANY, XEN_SCHEDULER_CREDIT2, &o, NULL), 0);
    assert_int_equal(o.cpupool_id, 1);

    /* An empty pool takes no domain; a pCPU of another pool is not free. */
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 1, b->d.domain_id, NULL, NULL), -ENOENT);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1, 3, NULL, NULL), -ENODEV);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 3, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, 0, NULL, &map), 0);
    assert_int_equal(map, 8);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1, XEN_SYSCTL_CPUPOOL_PAR_ANY, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1, 99, NULL, NULL), -EINVAL);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 9, 0, NULL, NULL), -ENOENT);

    run(wb, MILLISECS(100));
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 1, b->d.domain_id, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 1, 99, NULL, NULL), -ESRCH);
    wb->nr_spans = 0;
    run(wb, MILLISECS(600));
    for (size_t i = 0; i < wb->nr_spans; i++)
        assert_int_equal(wb->span[i].v->v.domain == &b->d, wb->span[i].cpu == 3);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_INFO, 1, 0, &o, &map), 0);
    assert_int_equal(o.sched_id, XEN_SCHEDULER_CREDIT2);
    assert_int_equal(o.n_dom, 1);
    assert_int_equal(map, 8);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_INFO, 2, 0, &o, &map), -ENOENT);

    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1, 0, NULL, NULL), -EBUSY);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0, 0, NULL, NULL), -EBUSY);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 3, NULL, NULL), -EBUSY);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, b->d.domain_id, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1, 0, NULL, NULL), -EBUSY);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 3, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1, 0, NULL, NULL), 0);
    assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 3, NULL, NULL), 0);
    run(wb, SECONDS(1));
    assert_int_equal(wb->lost, 0);
    assert_true(domain_runtime(a) > SECONDS(2));
    wb_destroy(wb);
}

/* Moving between all pairs of policies while everything runs. */
static void test_move_between_policies(void **state)
{
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        for (size_t q = 0; q < ARRAY_SIZE(policies); q++) {
            struct wb *wb = wb_new(policies[p], 4);
            struct wb_domain *a = domain_new(wb, "a", 2, 256, 0, "compute forever");
            struct wb_domain *b = domain_new(wb, "b", 3, 256, 0, "compute 1ms, sleep 1ms");
            const struct sched_ops *to = sched_ops_by_name(policies[q], strcspn(policies[q], ","));

            run(wb, MILLISECS(20));
            assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_CREATE, 7, to->sched_id, NULL, NULL), 0);
            for (uint32_t cpu = 2; cpu < 4; cpu++) {
                assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, cpu, NULL, NULL), 0);
                assert_int_equal(pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 7, cpu, NULL, NULL), 0);
            }
            for (uint32_t i = 0; i < 6; i++) {
                run(wb, MILLISECS(40 + 13 * i));
                assert_int_equal(
                    pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, i % 2 ? 0 : 7, b->d.domain_id, NULL, NULL), 0);
                assert_int_equal(
                    pool_op(wb, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, i % 2 ? 7 : 0, a->d.domain_id, NULL, NULL), 0);
            }
            run(wb, MILLISECS(200));
            check_runstates(wb);
            wb_destroy(wb);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_hotplug),
        cmocka_unit_test(test_idle_time),
        cmocka_unit_test(test_cpupools),
        cmocka_unit_test(test_move_between_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
