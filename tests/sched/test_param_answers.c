// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Xen 4.17 answers to parameters of schedulers (XEN_DOMCTL_scheduler_op, XEN_SYSCTL_scheduler_op), written down a
 * second time.
 *
 * Concept: for each scheduler every command under every scheduler's number, with and without its pool; then every value
 * at the edges of a range, in all combinations. What is expected comes from rules that are stated here, not from the
 * policies.
 */
#include "tests/sched/toolstack.h"
#include "tests/support/user.h"

static const uint32_t schedulers[] = { XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_RTDS,
                                       XEN_SCHEDULER_ARINC653, XEN_SCHEDULER_NULL };

/* Pool 1 of that scheduler, with pCPU 3 and the domain. */
static void pool_with_domain(struct user *u, uint32_t sched_id)
{
    if (domaininfo(u, subject).cpupool == 1) {
        assert_int_equal(POOL(MOVEDOMAIN, 0, subject), 0);
        assert_int_equal(POOL(RMCPU, 1, 3), 0);
        assert_int_equal(POOL(DESTROY, 1, 0), 0);
    } else {
        assert_int_equal(POOL(RMCPU, 0, 3), 0);
    }
    assert_int_equal(POOL(CREATE, 1, sched_id), 0);
    assert_int_equal(POOL(ADDCPU, 1, 3), 0);
    assert_int_equal(POOL(MOVEDOMAIN, 1, subject), 0);
}

/* With zeros as parameters: which scheduler knows which command, and in which order things are looked at. */
static int domctl_answer(uint32_t sched_id, uint32_t claimed, uint32_t cmd)
{
    if (claimed != sched_id || cmd > XEN_DOMCTL_SCHEDOP_getvcpuinfo)
        return -EINVAL;
    switch (sched_id) {
    case XEN_SCHEDULER_CREDIT:
    case XEN_SCHEDULER_CREDIT2: return cmd > XEN_DOMCTL_SCHEDOP_getinfo ? -EINVAL : 0;
    case XEN_SCHEDULER_RTDS: return cmd == XEN_DOMCTL_SCHEDOP_putinfo ? -EINVAL : 0; /* a period of 0 */
    default: return 0; /* it has none, and does not mind */
    }
}

static int sysctl_answer(uint32_t id, uint32_t sched_id, uint32_t claimed, uint32_t cmd)
{
    if (cmd != XEN_SYSCTL_SCHEDOP_putinfo && cmd != XEN_SYSCTL_SCHEDOP_getinfo)
        return -EINVAL;
    if (id != 1)
        return -ESRCH;
    if (claimed != sched_id)
        return -EINVAL;
    if (sched_id == XEN_SCHEDULER_ARINC653)
        return -EFAULT; /* no place for the table */
    return sched_id == XEN_SCHEDULER_CREDIT && cmd == XEN_SYSCTL_SCHEDOP_putinfo ? -EINVAL : 0; /* a slice of 0 */
}

static void commands(void **state)
{
    static const uint32_t cmds[] = { 0, 1, 2, 3, 4, 5, UINT32_MAX }, ids[] = { 1, 2, ANY };
    static const uint32_t claims[] = { 0, 4, 5, 6, 7, 8, 9, 10, UINT32_MAX };
    struct user *u = *state;

    for (size_t s = 0; s < ARRAY_SIZE(schedulers); s++) {
        pool_with_domain(u, schedulers[s]);
        for (size_t c = 0; c < ARRAY_SIZE(claims) * ARRAY_SIZE(cmds); c++) {
            const uint32_t claimed = claims[c % ARRAY_SIZE(claims)], cmd = cmds[c / ARRAY_SIZE(claims)];
            struct xen_domctl_scheduler_op op = { 0 };

            if (adjust(u, claimed, cmd, &op) != domctl_answer(schedulers[s], claimed, cmd))
                fail_msg("scheduler %u: domctl of %u, command %u", schedulers[s], claimed, cmd);
            for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                struct xen_sysctl_scheduler_op g = { 0 };

                if (global(u, ids[i], claimed, cmd, &g) != sysctl_answer(ids[i], schedulers[s], claimed, cmd))
                    fail_msg("scheduler %u: sysctl of %u, command %u, pool %u", schedulers[s], claimed, cmd, ids[i]);
            }
        }
    }
}

static const uint32_t numbers[] = { 0,         1,      9,      10,     11,     99,      100,     101,
                                    200,       201,    999,    1000,   1001,   65535,   99999,   100000,
                                    100001,    499999, 500000, 500001, 999999, 1000000, 1000001, UINT32_MAX / 1000,
                                    UINT32_MAX };

static bool ratelimit_ok(uint32_t us) { return !us || (us >= 100 && us <= 500000); }

static void ranges_of_pools(void **state)
{
    struct user *u = *state;

    pool_with_domain(u, XEN_SCHEDULER_CREDIT2);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(numbers); j++) {
            for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
                const uint32_t slice = numbers[i], limit = numbers[j], delay = numbers[k];
                const bool ok =
                    slice >= 1 && slice <= 1000 && ratelimit_ok(limit) && limit <= slice * 1000 && delay <= 100000;
                struct xen_sysctl_scheduler_op g = { .u.sched_credit = { slice, limit, delay } };

                if (global(u, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_putinfo, &g) != (ok ? 0 : -EINVAL))
                    fail_msg("tslice_ms %u ratelimit_us %u vcpu_migr_delay_us %u", slice, limit, delay);
                if (ok) {
                    g = (struct xen_sysctl_scheduler_op){ 0 };
                    assert_int_equal(global(u, 0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo, &g), 0);
                    assert_true(g.u.sched_credit.tslice_ms == slice && g.u.sched_credit.ratelimit_us == limit &&
                                g.u.sched_credit.vcpu_migr_delay_us == delay);
                }
            }
        }
        struct xen_sysctl_scheduler_op g = { .u.sched_credit2 = { numbers[i] } };

        assert_int_equal(global(u, 1, XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_putinfo, &g),
                         ratelimit_ok(numbers[i]) ? 0 : -EINVAL);
    }
}

/* A domain of two vCPUs: credit minds nothing, credit2 a cap above 200 %, rtds what is too short for its timers. */
static void ranges_of_domains(void **state)
{
    struct user *u = *state;

    for (size_t s = 0; s < 3; s++) {
        pool_with_domain(u, schedulers[s]);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
            for (size_t j = 0; j < ARRAY_SIZE(numbers); j++) {
                const uint32_t a = numbers[i], b = numbers[j];
                struct xen_domctl_schedparam_vcpu p = { .vcpuid = 1, .u.rtds = { .period = a, .budget = b } };
                struct xen_domctl_scheduler_op op = { 0 };
                uint32_t nr = 1;
                int want = 0;

                if (schedulers[s] == XEN_SCHEDULER_CREDIT) {
                    op.u.credit = (struct xen_domctl_sched_credit){ (uint16_t)a, (uint16_t)b };
                } else if (schedulers[s] == XEN_SCHEDULER_CREDIT2) {
                    op.u.credit2 = (struct xen_domctl_sched_credit2){ (uint16_t)a, (uint16_t)b };
                    want = (uint16_t)b > 200 ? -EINVAL : 0;
                } else {
                    op.u.rtds = (struct xen_domctl_sched_rtds){ a, b, 0 };
                    want = a && b ? 0 : -EINVAL;
                    assert_int_equal(adjust_vcpus(u, schedulers[s], XEN_DOMCTL_SCHEDOP_putvcpuinfo, &p, &nr),
                                     a >= 10 && b >= 10 && b <= a ? 0 : -EINVAL);
                }
                if (adjust(u, schedulers[s], XEN_DOMCTL_SCHEDOP_putinfo, &op) != want)
                    fail_msg("scheduler %u: %u, %u", schedulers[s], a, b);
            }
        }
    }
}

/* Batches of rtds: what was right before a wrong one stays, and the faults of each place. */
static void batches(void **state)
{
    struct user *u = *state;
    struct xen_domctl_schedparam_vcpu p[3] = { { .vcpuid = 0, .u.rtds = { 30000, 20000, 1 } },
                                               { .vcpuid = 1, .u.rtds = { 30000, 9, 0 } },
                                               { .vcpuid = 1, .u.rtds = { 40000, 20000, 0 } } };
    struct xen_domctl_scheduler_op op = { .u.v.nr_vcpus = 3 };
    uint32_t nr = 3;

    pool_with_domain(u, XEN_SCHEDULER_RTDS);
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putvcpuinfo, p, &nr), -EINVAL);
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, p, &nr), 0);
    assert_int_equal(p[0].u.rtds.period, 30000);
    assert_int_equal(p[1].u.rtds.period, 10000); /* the default */
    assert_int_equal(p[2].u.rtds.flags, 1);
    p[1].vcpuid = 2;
    p[2].u.rtds.period = 77;
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, p, &nr), -EINVAL);
    assert_int_equal(p[2].u.rtds.period, 77); /* not reached */
    p[1].vcpuid = UINT32_MAX;
    assert_int_equal(adjust_vcpus(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, p, &nr), -EINVAL);
    op.u.v.vcpus.p = NULL;
    assert_int_equal(adjust(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), -EFAULT);
    op.u.v.nr_vcpus = 0;
    assert_int_equal(adjust(u, XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &op), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBJECT_TEST(commands),
        SUBJECT_TEST(ranges_of_pools),
        SUBJECT_TEST(ranges_of_domains),
        SUBJECT_TEST(batches),
    };

    return cmocka_run_group_tests(tests, begin, user_end);
}
