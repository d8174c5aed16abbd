// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Schedulers, affinity, CPU pools and pCPUs as a toolstack meets them: through hypercalls, with Xen 4.17's refusals.
 */
#include "tests/sched/toolstack.h"
#include "tests/support/user.h"

#include <stdlib.h>

struct maps {
    uint8_t hard[12], soft[12];
};

static int64_t affinity(struct user *u, uint32_t cmd, uint32_t vcpu, uint32_t flags, struct maps *maps, uint32_t bits)
{
    struct xen_domctl c = { .cmd = cmd, .domain = subject };
    int64_t rc;

    c.u.vcpuaffinity.vcpu = vcpu;
    c.u.vcpuaffinity.flags = flags;
    c.u.vcpuaffinity.cpumap_hard.nr_bits = c.u.vcpuaffinity.cpumap_soft.nr_bits = bits;
    if (maps) {
        c.u.vcpuaffinity.cpumap_hard.bitmap.p = user_lend(u, USER_ARG, maps->hard, sizeof(maps->hard));
        c.u.vcpuaffinity.cpumap_soft.bitmap.p = user_lend(u, USER_ARG2, maps->soft, sizeof(maps->soft));
    }
    rc = user_domctl(u, &c);
    if (maps) {
        user_get(u, u->control, USER_ARG, maps->hard, sizeof(maps->hard));
        user_get(u, u->control, USER_ARG2, maps->soft, sizeof(maps->soft));
    }
    return rc;
}

#define GET  XEN_DOMCTL_getvcpuaffinity
#define SET  XEN_DOMCTL_setvcpuaffinity
#define HARD XEN_VCPUAFFINITY_HARD
#define SOFT XEN_VCPUAFFINITY_SOFT

/* --- CPU pools --- */

static void pools_come_and_go(void **state)
{
    struct user *u = *state;

    assert_int_equal(pool(u, 0, 0, 0), -ENOSYS);
    assert_int_equal(pool(u, 8, 0, 0), -ENOSYS);
    assert_int_equal(POOL(CREATE, 0, XEN_SCHEDULER_CREDIT), -EEXIST);
    assert_int_equal(POOL(CREATE, 3, 1000), -ENOENT);
    assert_int_equal(POOL(CREATE, 5, XEN_SCHEDULER_NULL), 0);
    assert_int_equal(POOL(CREATE, ANY, XEN_SCHEDULER_CREDIT2), 0); /* one more than the last, not the first free id */
    assert_int_equal(POOL(CREATE, 6, XEN_SCHEDULER_CREDIT2), -EEXIST);
    for (int i = 0; i < 5; i++)
        assert_int_equal(POOL(CREATE, ANY, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(CREATE, ANY, XEN_SCHEDULER_RTDS), -ENOSPC); /* two for each pCPU */
    assert_int_equal(POOL(CREATE, 5, XEN_SCHEDULER_RTDS), -ENOSPC);
    assert_int_equal(POOL(DESTROY, 0, 0), -EBUSY);
    assert_int_equal(POOL(DESTROY, 1, 0), -ENOENT);
    assert_int_equal(POOL(INFO, 12, 0), -ENOENT);
    assert_int_equal(POOL(INFO, 1, 0), 0);

    assert_int_equal(POOL(RMCPU, 0, 2), 0);
    assert_int_equal(POOL(ADDCPU, 5, 2), 0);
    assert_int_equal(POOL(DESTROY, 5, 0), -EBUSY); /* it has a pCPU */
    assert_int_equal(POOL(RMCPU, 5, ANY), 0);
    assert_int_equal(POOL(DESTROY, 5, 0), 0);
    assert_int_equal(POOL(DESTROY, 5, 0), -ENOENT);
}

static uint64_t pcpus_of(struct user *u, uint32_t id)
{
    uint64_t map = 0;

    assert_int_equal(pool_op(u, XEN_SYSCTL_CPUPOOL_OP_INFO, id, 0, NULL, &map), 0);
    return map;
}

static void pcpus_of_pools(void **state)
{
    struct user *u = *state;
    uint64_t map = 0;

    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(RMCPU, 0, 0), -EINVAL); /* pCPU 0 stays in Pool-0 */
    assert_int_equal(POOL(RMCPU, 0, 4), -EINVAL);
    assert_int_equal(POOL(RMCPU, 1, ANY), -EINVAL); /* it has none */
    assert_int_equal(POOL(RMCPU, 1, 1), -EADDRNOTAVAIL);
    assert_int_equal(POOL(RMCPU, 7, 1), -ENOENT);
    assert_int_equal(POOL(ADDCPU, 1, ANY), -ENODEV);
    assert_int_equal(POOL(ADDCPU, 1, 4), -EINVAL);
    assert_int_equal(POOL(ADDCPU, 1, 1), -ENODEV);
    assert_int_equal(POOL(ADDCPU, 7, 1), -ENOENT);

    assert_int_equal(POOL(RMCPU, 0, ANY), 0);
    assert_int_equal(pool_op(u, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, 0, NULL, &map), 0);
    assert_int_equal(map, 8);
    assert_int_equal(POOL(RMCPU, 0, 3), -EADDRNOTAVAIL);
    assert_int_equal(POOL(ADDCPU, 1, ANY), 0);
    assert_int_equal(pcpus_of(u, 1), 8);

    /* The last one of a pool with domains. */
    assert_int_equal(POOL(MOVEDOMAIN, 1, subject), 0);
    assert_int_equal(POOL(RMCPU, 1, 3), -EBUSY);
    assert_int_equal(POOL(DESTROY, 1, 0), -EBUSY);
    assert_int_equal(user_domain_op(u, XEN_DOMCTL_destroydomain, subject), 0);
    assert_int_equal(POOL(RMCPU, 1, 3), 0);
    assert_int_equal(POOL(DESTROY, 1, 0), 0);
}

static void moving_domains(void **state)
{
    struct user *u = *state;
    struct maps m = { .hard = { 2 }, .soft = { 2 } };

    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(MOVEDOMAIN, 1, 99), -ESRCH);
    assert_int_equal(POOL(MOVEDOMAIN, 1, u->control), -EPERM); /* the caller itself */
    assert_int_equal(POOL(MOVEDOMAIN, 9, subject), -ENOENT);
    assert_int_equal(POOL(MOVEDOMAIN, 1, subject), -ENOENT); /* no pCPU */
    assert_int_equal(POOL(MOVEDOMAIN, 0, subject), 0);
    assert_int_equal(POOL(RMCPU, 0, 1), 0);
    assert_int_equal(POOL(ADDCPU, 1, 1), 0);
    assert_int_equal(affinity(u, SET, 0, HARD | SOFT, &m, 8), -EINVAL);
    assert_int_equal(POOL(MOVEDOMAIN, 1, subject), 0);
    assert_int_equal(affinity(u, SET, 0, HARD | SOFT, &m, 8), 0);
    assert_int_equal(domaininfo(u, subject).cpupool, 1);
    assert_int_equal(POOL(MOVEDOMAIN, 0, subject), 0);
    assert_int_equal(affinity(u, GET, 0, HARD | SOFT, &m, 8), 0);
    assert_true(m.hard[0] == 15 && m.soft[0] == 15); /* another pool: affinities begin anew */
}

/* --- pCPUs --- */

static void pcpus_offline(void **state)
{
    struct user *u = *state;
    struct xen_sysctl_cpuinfo cpu[8];
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_getcpuinfo }, phys = { .cmd = XEN_SYSCTL_physinfo };

    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 0), -EINVAL);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 4), -EINVAL);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 4), -EINVAL);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 0), -EEXIST);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE, 0), -EOPNOTSUPP);
    assert_int_equal(hotplug(u, 77, 0), -EOPNOTSUPP);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 3), 0);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 3), -EEXIST);
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(ADDCPU, 1, 3), -ENODEV);
    assert_int_equal(POOL(RMCPU, 0, 3), -EINVAL);

    user_pass(u, 2 * SEC);
    memset(cpu, 0, sizeof(cpu));
    c.u.getcpuinfo.max_cpus = 8;
    c.u.getcpuinfo.info.p = user_lend(u, USER_ARG, cpu, sizeof(cpu));
    assert_int_equal(user_sysctl(u, &c), 0);
    user_get(u, u->control, USER_ARG, cpu, sizeof(cpu));
    assert_int_equal(c.u.getcpuinfo.nr_cpus, 4);
    assert_true(cpu[1].idletime >= 2 * SEC);
    assert_int_equal(cpu[3].idletime, 0);
    assert_int_equal(user_sysctl(u, &phys), 0);
    assert_int_equal(phys.u.physinfo.nr_cpus, 3);
    assert_int_equal(phys.u.physinfo.max_cpu_id, 3);

    /* Only free ones and those of Pool-0 can go. */
    assert_int_equal(POOL(RMCPU, 0, 2), 0);
    assert_int_equal(POOL(ADDCPU, 1, 2), 0);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 2), -ENODEV);
    assert_int_equal(POOL(RMCPU, 1, 2), 0);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 2), 0);
    assert_int_equal(hotplug(u, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 2), 0);
    assert_int_equal(pcpus_of(u, 0), 7);
}

/* --- affinity --- */

static void affinities(void **state)
{
    struct user *u = *state;
    struct maps m = { .hard = { 6 }, .soft = { 0xff } };

    assert_int_equal(affinity(u, GET, 2, HARD, &m, 4), -EINVAL);
    assert_int_equal(affinity(u, GET, 0, 0, &m, 4), -EINVAL);
    assert_int_equal(affinity(u, SET, 0, HARD, NULL, 4), -EINVAL); /* a handle of NULL */
    assert_int_equal(affinity(u, GET, 0, SOFT, NULL, 4), -EINVAL);

    /* What is beyond the bitmap does not count; nothing of the machine left: refused, and nothing changes. */
    m.hard[0] = 0xf0;
    assert_int_equal(affinity(u, SET, 0, HARD, &m, 8), -EINVAL);
    m.hard[0] = 8;
    assert_int_equal(affinity(u, SET, 0, HARD | SOFT, &m, 3), -EINVAL);
    assert_int_equal(affinity(u, SET, 0, HARD, &m, 0), -EINVAL);
    assert_int_equal(affinity(u, GET, 0, HARD | SOFT, &m, 8), 0);
    assert_int_equal(m.hard[0], 15);
    assert_int_equal(m.soft[0], 15);

    /* set answers with what it comes to, get with what was set; bytes beyond the machine are cleared. */
    m = (struct maps){ .hard = { 6, 0, [9] = 7, [10] = 9 }, .soft = { 12 } };
    assert_int_equal(affinity(u, SET, 0, HARD | SOFT, &m, 80), 0);
    assert_int_equal(m.hard[0], 6);
    assert_int_equal(m.soft[0], 4);
    assert_int_equal(m.hard[9], 0);
    assert_int_equal(m.hard[10], 9); /* beyond nr_bits */
    assert_int_equal(affinity(u, GET, 0, HARD | SOFT, &m, 80), 0);
    assert_int_equal(m.hard[0], 6);
    assert_int_equal(m.soft[0], 12);
    assert_int_equal(affinity(u, SET, 0, SOFT, &(struct maps){ { 0 }, { 0 } }, 8), 0); /* no preference at all */
    assert_int_equal(affinity(u, SET, 0, XEN_VCPUAFFINITY_FORCE, NULL, 8), 0);

    /* A pCPU of another pool counts for get only. */
    assert_int_equal(POOL(RMCPU, 0, 2), 0);
    m.hard[0] = 7;
    assert_int_equal(affinity(u, SET, 0, HARD, &m, 8), 0);
    assert_int_equal(m.hard[0], 3);
    assert_int_equal(affinity(u, GET, 0, HARD, &m, 8), 0);
    assert_int_equal(m.hard[0], 7);
}

/* --- parameters --- */

static void parameters_of_domains(void **state)
{
    struct user *u = *state;
    struct xen_domctl_scheduler_op op = { .u.credit = { .weight = 1000, .cap = 150 } };

    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo, &op), -EINVAL);
    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT, 4, &op), -EINVAL);
    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), -EINVAL);
    op.u.credit = (struct xen_domctl_sched_credit){ .weight = 1000, .cap = 1500 }; /* libxl minds, Xen does not */
    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo, &op), 0);
    op.u.credit = (struct xen_domctl_sched_credit){ .weight = 0, .cap = 0xffff };
    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo, &op), 0);
    assert_int_equal(adjust(u, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getinfo, &op), 0);
    assert_int_equal(op.u.credit.weight, 1000);
    assert_int_equal(op.u.credit.cap, 1500);
}

/* Batches of vCPUs' parameters: what was right stays, a long batch is cut short. */
static void parameters_of_vcpus(void **state)
{
    struct user *u = *state;
    struct xen_domctl_schedparam_vcpu p[2000] = { { .vcpuid = 0, .u.rtds = { 20000, 5000, 1 } },
                                                  { .vcpuid = 2, .u.rtds = { 20000, 5000, 0 } } };
    uint32_t nr = 2;

    assert_int_equal(POOL(RMCPU, 0, 3), 0);
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(ADDCPU, 1, 3), 0);
    assert_int_equal(POOL(MOVEDOMAIN, 1, subject), 0);

    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo, p, &nr), -EINVAL);
    assert_int_equal(nr, 2);
    p[1].vcpuid = 0;
    nr = 0;
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo, p, &nr), 0);
    nr = 1;
    p[0].u.rtds.flags = 0xf0;
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, p, &nr), 0);
    assert_int_equal(p[0].u.rtds.period, 20000);
    assert_int_equal(p[0].u.rtds.budget, 5000);
    assert_int_equal(p[0].u.rtds.flags, 0xf1); /* only the bit that it knows */

    nr = 2000;
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, p, &nr), 0);
    assert_in_range(nr, 64, 1999);
}

static void parameters_of_pools(void **state)
{
    struct user *u = *state;
    struct xen_sysctl_scheduler_op op = { .u.sched_credit = { .tslice_ms = 1000, .ratelimit_us = 500000 } };
    struct xen_sysctl_arinc653_schedule *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT, 2, &op), -EINVAL);
    assert_int_equal(global(u, 1, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo, &op), -ESRCH);
    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_getinfo, &op), -EINVAL);
    op.u.sched_credit = (struct xen_sysctl_credit_schedule){ .tslice_ms = 1000, .ratelimit_us = 500000 };
    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo, &op), 0);
    op.u.sched_credit.vcpu_migr_delay_us = 100001;
    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo, &op), -EINVAL);
    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo, &op), 0);
    assert_int_equal(op.u.sched_credit.tslice_ms, 1000);
    assert_int_equal(op.u.sched_credit.vcpu_migr_delay_us, 0);

    /* A time table: into a pool that has no pCPU yet, and back. */
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_ARINC653), 0);
    t->major_frame = 10;
    t->num_sched_entries = 1;
    t->sched_entries[0].runtime = 11;
    op.u.sched_arinc653.schedule.p = user_lend(u, USER_ARG, t, sizeof(*t));
    assert_int_equal(global(u, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_putinfo, &op), -EINVAL);
    t->sched_entries[0].runtime = 10;
    user_lend(u, USER_ARG, t, sizeof(*t));
    assert_int_equal(global(u, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_putinfo, &op), 0);
    memset(t, 0, sizeof(*t));
    user_lend(u, USER_ARG, t, sizeof(*t));
    assert_int_equal(global(u, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_getinfo, &op), 0);
    user_get(u, u->control, USER_ARG, t, sizeof(*t));
    assert_int_equal(t->major_frame, 10);
    assert_int_equal(t->num_sched_entries, 1);
    assert_int_equal(t->sched_entries[0].runtime, 10);
    assert_int_equal(t->sched_entries[1].runtime, UINT64_MAX); /* not used */
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBJECT_TEST(pools_come_and_go),   SUBJECT_TEST(pcpus_of_pools),      SUBJECT_TEST(moving_domains),
        SUBJECT_TEST(pcpus_offline),       SUBJECT_TEST(affinities),          SUBJECT_TEST(parameters_of_domains),
        SUBJECT_TEST(parameters_of_vcpus), SUBJECT_TEST(parameters_of_pools),
    };

    return cmocka_run_group_tests(tests, begin, user_end);
}
