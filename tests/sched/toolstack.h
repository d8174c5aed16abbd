// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tests of hypercalls about scheduling share: a machine of four pCPUs on which nothing runs; a toolstack makes the
 * calls, and a domain of two vCPUs without memory is what they are about.
 */
#ifndef TESTS_SCHED_TOOLSTACK_H
#define TESTS_SCHED_TOOLSTACK_H

#include "tests/support/user.h"

static uint16_t subject; /* that domain */

static inline uint16_t subject_create(struct user *u)
{
    const struct xen_domctl_createdomain c = {
        .max_vcpus = 2, .max_evtchn_port = 100, .max_grant_frames = 32, .max_maptrack_frames = 32, .grant_opts = 2
    };
    struct xen_domctl max = { .cmd = XEN_DOMCTL_max_vcpus, .u.max_vcpus.max = 2 };

    max.domain = 0; /* any */
    assert_int_equal(user_create(u, &c, &max.domain), 0);
    assert_int_equal(user_domctl(u, &max), 0);
    return max.domain;
}

static inline int begin(void **state)
{
    return user_begin(state, 3, (const char *const[]){ "--ram=64", "--pcpus=4", "--sched=credit" }, XENLAB_PV);
}

static inline int setup(void **state)
{
    const int rc = user_setup(state);

    if (!rc)
        subject = subject_create(*state);
    return rc;
}
#define SUBJECT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, user_teardown)

/* The subject, as a toolstack lists it. */
static inline struct xen_domctl_getdomaininfo domaininfo(struct user *u, uint16_t domid)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = domid };

    assert_int_equal(user_domctl(u, &op), 0);
    return op.u.getdomaininfo;
}

static inline int64_t pool_op(struct user *u, uint32_t cmd, uint32_t id, uint32_t arg,
                              struct xen_sysctl_cpupool_op *out, uint64_t *map)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpupool_op };
    int64_t rc;

    c.u.cpupool_op.op = cmd;
    c.u.cpupool_op.cpupool_id = id;
    c.u.cpupool_op.sched_id = c.u.cpupool_op.cpu = c.u.cpupool_op.domid = arg;
    c.u.cpupool_op.cpumap.nr_bits = 64;
    c.u.cpupool_op.cpumap.bitmap.p = map ? user_lend(u, USER_ARG, map, sizeof(*map)) : user_lend(u, USER_ARG, NULL, 0);
    rc = user_sysctl(u, &c);
    if (map)
        user_get(u, u->control, USER_ARG, map, sizeof(*map));
    if (out)
        *out = c.u.cpupool_op;
    return rc;
}

static inline int64_t pool(struct user *u, uint32_t cmd, uint32_t id, uint32_t arg)
{
    return pool_op(u, cmd, id, arg, NULL, NULL);
}

static inline int64_t hotplug(struct user *u, uint32_t op, uint32_t cpu)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpu_hotplug, .u.cpu_hotplug = { .cpu = cpu, .op = op } };

    return user_sysctl(u, &c);
}

static inline int64_t adjust(struct user *u, uint32_t sched_id, uint32_t cmd, struct xen_domctl_scheduler_op *op)
{
    struct xen_domctl c = { .cmd = XEN_DOMCTL_scheduler_op, .domain = subject, .u.scheduler_op = *op };
    int64_t rc;

    c.u.scheduler_op.sched_id = sched_id;
    c.u.scheduler_op.cmd = cmd;
    rc = user_domctl(u, &c);
    *op = c.u.scheduler_op;
    return rc;
}

/* With the parameters of nr vCPUs, which come back. */
static inline int64_t adjust_vcpus(struct user *u, uint32_t sched_id, uint32_t cmd,
                                   struct xen_domctl_schedparam_vcpu *p, uint32_t *nr)
{
    const size_t n = *nr * sizeof(*p);
    struct xen_domctl_scheduler_op op = { .u.v.nr_vcpus = *nr };
    int64_t rc;

    op.u.v.vcpus.p = user_lend(u, USER_ARG, p, n);
    rc = adjust(u, sched_id, cmd, &op);
    user_get(u, u->control, USER_ARG, p, n);
    *nr = op.u.v.nr_vcpus;
    return rc;
}

static inline int64_t global(struct user *u, uint32_t id, uint32_t sched_id, uint32_t cmd,
                             struct xen_sysctl_scheduler_op *op)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_scheduler_op, .u.scheduler_op = *op };
    int64_t rc;

    c.u.scheduler_op.cpupool_id = id;
    c.u.scheduler_op.sched_id = sched_id;
    c.u.scheduler_op.cmd = cmd;
    rc = user_sysctl(u, &c);
    *op = c.u.scheduler_op;
    return rc;
}

#define POOL(op, ...) pool(u, XEN_SYSCTL_CPUPOOL_OP_##op, __VA_ARGS__)
#define ANY           XEN_SYSCTL_CPUPOOL_PAR_ANY

#endif
