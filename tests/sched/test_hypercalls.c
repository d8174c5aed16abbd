// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Schedulers, affinity, CPU pools and pCPUs as dom0 meets them: through hypercalls, with Xen 4.17's refusals.
 *
 * A machine of four pCPUs on which nothing runs; dom0 makes the calls, and a domain without a kernel is what they are
 * about.
 */
#include "machine.h"

/* --- CPU pools --- */

static void pools_come_and_go(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(pool(f, 0, 0, 0), -ENOSYS);
    assert_int_equal(pool(f, 8, 0, 0), -ENOSYS);
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

static void pcpus_of_pools(void **state)
{
    struct fixture *f = *state;

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
    assert_null(f->xen->pcpu[3].sched);
    assert_int_equal(POOL(RMCPU, 0, 3), -EADDRNOTAVAIL);
    assert_int_equal(POOL(ADDCPU, 1, ANY), 0);
    assert_int_equal(f->xen->pcpu[3].sched->cpupool_id, 1);

    /* The last one of a pool with domains; dying ones make way. */
    assert_int_equal(POOL(MOVEDOMAIN, 1, f->domid), 0);
    assert_int_equal(POOL(RMCPU, 1, 3), -EBUSY);
    assert_int_equal(POOL(DESTROY, 1, 0), -EBUSY);
    f->d->is_dying = DOMDYING_dying;
    assert_int_equal(POOL(RMCPU, 1, 3), 0);
    assert_int_equal(POOL(DESTROY, 1, 0), 0);
    assert_int_equal(f->d->sched->cpupool_id, 0);
    f->d->is_dying = DOMDYING_alive;
}

static void moving_domains(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_getdomaininfo info;
    const uint64_t two = 2;

    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(MOVEDOMAIN, 1, 99), -ESRCH);
    assert_int_equal(POOL(MOVEDOMAIN, 1, 0), -EPERM); /* the caller itself */
    assert_int_equal(POOL(MOVEDOMAIN, 9, f->domid), -ENOENT);
    assert_int_equal(POOL(MOVEDOMAIN, 1, f->domid), -ENOENT); /* no pCPU */
    assert_int_equal(POOL(MOVEDOMAIN, 0, f->domid), 0);
    assert_int_equal(POOL(RMCPU, 0, 1), 0);
    assert_int_equal(POOL(ADDCPU, 1, 1), 0);
    assert_int_equal(sched_set_affinity(f->d->vcpu[0], &two, &two), -EINVAL);
    assert_int_equal(POOL(MOVEDOMAIN, 1, f->domid), 0);
    assert_int_equal(sched_set_affinity(f->d->vcpu[0], &two, &two), 0);
    assert_int_equal(xc_domain_getinfo(f->xc, f->domid, &info), 0);
    assert_int_equal(info.cpupool, 1);
    assert_int_equal(POOL(MOVEDOMAIN, 0, f->domid), 0);
    assert_int_equal(f->d->vcpu[0]->hard_affinity & 15, 15); /* another pool: affinities begin anew */
    assert_int_equal(f->d->vcpu[0]->soft_affinity & 15, 15);
}

/* --- pCPUs --- */

static void pcpus_offline(void **state)
{
    struct fixture *f = *state;
    struct xen_sysctl_cpuinfo cpu[8];
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_getcpuinfo };
    struct xen_sysctl_physinfo phys;

    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 0), -EINVAL);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 4), -EINVAL);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 4), -EINVAL);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 0), -EEXIST);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE, 0), -EOPNOTSUPP);
    assert_int_equal(hotplug(f, 77, 0), -EOPNOTSUPP);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 3), 0);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 3), -EEXIST);
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(ADDCPU, 1, 3), -ENODEV);
    assert_int_equal(POOL(RMCPU, 0, 3), -EINVAL);

    f->m->clock.now = SECONDS(2);
    c.u.getcpuinfo.max_cpus = 8;
    set_xen_guest_handle(c.u.getcpuinfo.info, cpu);
    assert_int_equal(xc_sysctl(f->xc, &c), 0);
    assert_int_equal(c.u.getcpuinfo.nr_cpus, 4);
    assert_int_equal(cpu[1].idletime, SECONDS(2));
    assert_int_equal(cpu[3].idletime, 0);
    assert_int_equal(xc_physinfo(f->xc, &phys), 0);
    assert_int_equal(phys.nr_cpus, 3);
    assert_int_equal(phys.max_cpu_id, 3);

    /* Only free ones and those of Pool-0 can go. */
    assert_int_equal(POOL(RMCPU, 0, 2), 0);
    assert_int_equal(POOL(ADDCPU, 1, 2), 0);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 2), -ENODEV);
    assert_int_equal(POOL(RMCPU, 1, 2), 0);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, 2), 0);
    assert_int_equal(hotplug(f, XEN_SYSCTL_CPU_HOTPLUG_ONLINE, 2), 0);
    assert_int_equal(f->xen->pcpu[2].sched->cpupool_id, 0);
}

/* --- affinity --- */

struct maps {
    uint8_t hard[12], soft[12];
};

static int affinity(struct fixture *f, uint32_t cmd, uint32_t vcpu, uint32_t flags, struct maps *maps, uint32_t bits)
{
    struct xen_domctl c = { .cmd = cmd, .domain = f->domid };

    c.u.vcpuaffinity.vcpu = vcpu;
    c.u.vcpuaffinity.flags = flags;
    c.u.vcpuaffinity.cpumap_hard.nr_bits = c.u.vcpuaffinity.cpumap_soft.nr_bits = bits;
    if (maps) {
        set_xen_guest_handle(c.u.vcpuaffinity.cpumap_hard.bitmap, maps->hard);
        set_xen_guest_handle(c.u.vcpuaffinity.cpumap_soft.bitmap, maps->soft);
    }
    return xc_domctl(f->xc, &c);
}

#define GET  XEN_DOMCTL_getvcpuaffinity
#define SET  XEN_DOMCTL_setvcpuaffinity
#define HARD XEN_VCPUAFFINITY_HARD
#define SOFT XEN_VCPUAFFINITY_SOFT

static void affinities(void **state)
{
    struct fixture *f = *state;
    struct maps m = { .hard = { 6 }, .soft = { 0xff } };

    assert_int_equal(affinity(f, GET, 2, HARD, &m, 4), -EINVAL);
    assert_int_equal(affinity(f, GET, 0, 0, &m, 4), -EINVAL);
    assert_int_equal(affinity(f, SET, 0, HARD, NULL, 4), -EINVAL); /* a handle of NULL */
    assert_int_equal(affinity(f, GET, 0, SOFT, NULL, 4), -EINVAL);

    /* What is beyond the bitmap does not count; nothing of the machine left: refused, and nothing changes. */
    m.hard[0] = 0xf0;
    assert_int_equal(affinity(f, SET, 0, HARD, &m, 8), -EINVAL);
    m.hard[0] = 8;
    assert_int_equal(affinity(f, SET, 0, HARD | SOFT, &m, 3), -EINVAL);
    assert_int_equal(affinity(f, SET, 0, HARD, &m, 0), -EINVAL);
    assert_int_equal(affinity(f, GET, 0, HARD | SOFT, &m, 8), 0);
    assert_int_equal(m.hard[0], 15);
    assert_int_equal(m.soft[0], 15);

    /* set answers with what it comes to, get with what was set; bytes beyond the machine are cleared. */
    m = (struct maps){ .hard = { 6, 0, [9] = 7, [10] = 9 }, .soft = { 12 } };
    assert_int_equal(affinity(f, SET, 0, HARD | SOFT, &m, 80), 0);
    assert_int_equal(m.hard[0], 6);
    assert_int_equal(m.soft[0], 4);
    assert_int_equal(m.hard[9], 0);
    assert_int_equal(m.hard[10], 9); /* beyond nr_bits */
    assert_int_equal(affinity(f, GET, 0, HARD | SOFT, &m, 80), 0);
    assert_int_equal(m.hard[0], 6);
    assert_int_equal(m.soft[0], 12);
    assert_int_equal(affinity(f, SET, 0, SOFT, &(struct maps){ { 0 }, { 0 } }, 8), 0); /* no preference at all */
    assert_int_equal(affinity(f, SET, 0, XEN_VCPUAFFINITY_FORCE, NULL, 8), 0);

    /* A pCPU of another pool counts for get only. */
    assert_int_equal(POOL(RMCPU, 0, 2), 0);
    m.hard[0] = 7;
    assert_int_equal(affinity(f, SET, 0, HARD, &m, 8), 0);
    assert_int_equal(m.hard[0], 3);
    assert_int_equal(affinity(f, GET, 0, HARD, &m, 8), 0);
    assert_int_equal(m.hard[0], 7);
}

/* --- parameters --- */

static void parameters_of_domains(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_scheduler_op op = { .u.credit = { .weight = 1000, .cap = 150 } };

    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo, &op), -EINVAL);
    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT, 4, &op), -EINVAL);
    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), -EINVAL);
    op.u.credit = (struct xen_domctl_sched_credit){ .weight = 1000, .cap = 1500 }; /* libxl minds, Xen does not */
    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo, &op), 0);
    op.u.credit = (struct xen_domctl_sched_credit){ .weight = 0, .cap = 0xffff };
    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_putinfo, &op), 0);
    assert_int_equal(adjust(f, XEN_SCHEDULER_CREDIT, XEN_DOMCTL_SCHEDOP_getinfo, &op), 0);
    assert_int_equal(op.u.credit.weight, 1000);
    assert_int_equal(op.u.credit.cap, 1500);
}

/* Batches of vCPUs' parameters: what was right stays, a long batch is cut short. */
static void parameters_of_vcpus(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_schedparam_vcpu p[2000] = { { .vcpuid = 0, .u.rtds = { 20000, 5000, 1 } },
                                                  { .vcpuid = 2, .u.rtds = { 20000, 5000, 0 } } };
    struct xen_domctl_scheduler_op op;

    assert_int_equal(POOL(RMCPU, 0, 3), 0);
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_RTDS), 0);
    assert_int_equal(POOL(ADDCPU, 1, 3), 0);
    assert_int_equal(POOL(MOVEDOMAIN, 1, f->domid), 0);

    set_xen_guest_handle(op.u.v.vcpus, p);
    op.u.v.nr_vcpus = 2;
    assert_int_equal(adjust(f, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo, &op), -EINVAL);
    assert_int_equal(op.u.v.nr_vcpus, 2);
    p[1].vcpuid = 0;
    op.u.v.nr_vcpus = 0;
    assert_int_equal(adjust(f, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo, &op), 0);
    op.u.v.nr_vcpus = 1;
    p[0].u.rtds.flags = 0xf0;
    assert_int_equal(adjust(f, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), 0);
    assert_int_equal(p[0].u.rtds.period, 20000);
    assert_int_equal(p[0].u.rtds.budget, 5000);
    assert_int_equal(p[0].u.rtds.flags, 0xf1); /* only the bit that it knows */

    op.u.v.nr_vcpus = 2000;
    assert_int_equal(adjust(f, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), 0);
    assert_in_range(op.u.v.nr_vcpus, 64, 1999);
}

static void parameters_of_pools(void **state)
{
    struct fixture *f = *state;
    struct xen_sysctl_scheduler_op op = { .u.sched_credit = { .tslice_ms = 1000, .ratelimit_us = 500000 } };
    struct xen_sysctl_arinc653_schedule *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    assert_int_equal(global(f, 0, XEN_SCHEDULER_CREDIT, 2, &op), -EINVAL);
    assert_int_equal(global(f, 1, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo, &op), -ESRCH);
    assert_int_equal(global(f, 0, XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_getinfo, &op), -EINVAL);
    op.u.sched_credit = (struct xen_sysctl_credit_schedule){ .tslice_ms = 1000, .ratelimit_us = 500000 };
    assert_int_equal(global(f, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo, &op), 0);
    op.u.sched_credit.vcpu_migr_delay_us = 100001;
    assert_int_equal(global(f, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo, &op), -EINVAL);
    assert_int_equal(global(f, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo, &op), 0);
    assert_int_equal(op.u.sched_credit.tslice_ms, 1000);
    assert_int_equal(op.u.sched_credit.vcpu_migr_delay_us, 0);

    /* A time table: into a pool that has no pCPU yet, and back. */
    assert_int_equal(POOL(CREATE, 1, XEN_SCHEDULER_ARINC653), 0);
    t->major_frame = 10;
    t->num_sched_entries = 1;
    t->sched_entries[0].runtime = 11;
    set_xen_guest_handle(op.u.sched_arinc653.schedule, t);
    assert_int_equal(global(f, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_putinfo, &op), -EINVAL);
    t->sched_entries[0].runtime = 10;
    assert_int_equal(global(f, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_putinfo, &op), 0);
    memset(t, 0, sizeof(*t));
    assert_int_equal(global(f, 1, XEN_SCHEDULER_ARINC653, XEN_SYSCTL_SCHEDOP_getinfo, &op), 0);
    assert_int_equal(t->major_frame, 10);
    assert_int_equal(t->num_sched_entries, 1);
    assert_int_equal(t->sched_entries[0].runtime, 10);
    assert_int_equal(t->sched_entries[1].runtime, UINT64_MAX); /* not used */
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pools_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(pcpus_of_pools, setup, teardown),
        cmocka_unit_test_setup_teardown(moving_domains, setup, teardown),
        cmocka_unit_test_setup_teardown(pcpus_offline, setup, teardown),
        cmocka_unit_test_setup_teardown(affinities, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_of_domains, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_of_vcpus, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_of_pools, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
