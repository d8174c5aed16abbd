// SPDX-License-Identifier: GPL-2.0-or-later
/* The credit2 scheduler: shares, caps, wake-up latency, balance between run queues. */
#include "common.h"

#include "vcpu/sched/credit2.h"

static void test_weights_one_pcpu(void **state) { expect_weights_one_pcpu("credit2"); }

static void test_weights_two_pcpus(void **state) { expect_weights_two_pcpus("credit2"); }

/*
 * Pinned, vCPUs compete on their pCPU only: weights count there, however many others there are elsewhere. Then somebody
 * comes who may run anywhere, and the pinned ones are set free.
 */
static void test_weights_pinned(void **state)
{
    struct wb *wb = wb_new("credit2", 3);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 1024, 0, "compute forever");
    struct wb_domain *c = domain_new(wb, "c", 2, 64, 0, "compute forever");
    struct wb_domain *d = domain_new(wb, "d", 1, 128, 0, "compute forever"), *e;
    const uint64_t all = 7;
    s_time_t before[4];

    pin(a, 0, 1);
    pin(b, 0, 1);
    pin(c, 0, 2);
    pin(c, 1, 2);
    pin(d, 0, 2);
    run(wb, SECONDS(10));
    assert_share(wb, a, 20);
    assert_share(wb, b, 80);
    assert_share(wb, c, 50);
    assert_share(wb, d, 50);

    e = domain_new(wb, "e", 4, 256, 0, "compute forever");
    for (struct wb_domain *wd = a; wd != e; wd = wd->next)
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            assert_int_equal(sched_set_affinity(wd->d.vcpu[i], &all, NULL), 0);
    run(wb, SECONDS(12));
    for (unsigned int i = 0; i < 4; i++)
        before[i] = wb_runtime(wb_vcpu(e, i));
    run(wb, SECONDS(22));
    for (unsigned int i = 0; i < 4; i++) /* b has a pCPU, 2 are left for weights of 1536 */
        assert_in_range((wb_runtime(wb_vcpu(e, i)) - before[i]) / MILLISECS(100), 32, 34);
    wb_destroy(wb);
}

static void test_infeasible_weight(void **state) { expect_infeasible_weight("credit2"); }

/* Alone: the cap exactly. Together a cap is an upper bound: budget that others kept one from using is not saved up. */
static void test_caps(void **state)
{
    static const unsigned int caps[] = { 3, 10, 25, 50, 90, 150 };

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        struct wb *wb = wb_new("credit2", 2);
        struct wb_domain *a = domain_new(wb, "a", caps[i] > 100 ? 2 : 1, 256, caps[i], "compute forever"), *b;

        run(wb, SECONDS(10));
        assert_share(wb, a, caps[i]);
        wb_destroy(wb);

        wb = wb_new("credit2", 2);
        a = domain_new(wb, "a", caps[i] > 100 ? 2 : 1, 256, caps[i], "compute forever");
        b = domain_new(wb, "b", 4, 256, caps[i], "compute 300us, sleep 100us");
        run(wb, SECONDS(10));
        assert_true(domain_runtime(a) <= SECONDS(10) * (caps[i] + 1) / 100);
        assert_true(domain_runtime(b) <= SECONDS(10) * (caps[i] + 1) / 100);
        wb_destroy(wb);
    }
}

/* The first moments of two weights, by hand: credits 10 ms each, a burns twice as fast. */
static void test_by_hand(void **state)
{
    struct wb *wb = wb_new("credit2", 1);

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    domain_new(wb, "b", 1, 512, 0, "compute forever");
    run(wb, MILLISECS(8));
    /*
     * a and b have 10. a runs at least 1 ms: 8 left. b runs 2 ms until it has 8, and since its rate limit is over, on
     * the tie for MIN_TIMER, 0.5 ms: 7.5. a runs 1 ms: 6. b has 6 after 1.5 ms, goes on for 0.5: 5.5. a: 4. b.
     */
    assert_schedule(wb, 0, "a0-1 b1-3.5 a3.5-4.5 b4.5-6.5 a6.5-7.5 b7.5-8");
    wb_destroy(wb);
}

/*
 * Debts are forgotten below -10 ms, by hand. a burns 100 ms in 1 ms and has -10. b: 10 ms, then a reset: a 0, b 10; 10
 * ms, and b stays on the tie of 0: a reset, both 10; after 0.5 ms a has more. And so on.
 */
static void test_debts(void **state)
{
    struct wb *wb = wb_new("credit2", 1);

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    domain_new(wb, "b", 1, 25600, 0, "compute forever");
    run(wb, MILLISECS(50));
    assert_schedule(wb, 0, "a0-1 b1-21.5 a21.5-22.5 b22.5-42.5 a42.5-43.5 b43.5-50");
    wb_destroy(wb);
}

/*
 * So are savings above 10.5 ms, by hand. c is paused at 1 ms with 9, and a runs alone: resets at 10, 20, 30 and 40 ms.
 * At 45 ms a has 5, c 10.5: c is ahead by 5.5 ms and goes on for 0.5 on the tie.
 */
static void test_savings(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *c = domain_new(wb, "c", 1, 256, 0, "compute forever");
    struct vcpu *v = c->d.vcpu[0];

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    run(wb, MILLISECS(1));
    v->pause_count++;
    vcpu_sleep_nosync(v);
    run(wb, MILLISECS(46));
    v->pause_count--;
    vcpu_wake(v);
    run(wb, MILLISECS(53));
    assert_schedule(wb, 0, "c0-1 a1-46 c46-52 a52-53");
    wb_destroy(wb);
}

/* Who has yielded and then cannot run has yielded: it does not do so once more when it comes back. */
static void test_yield_is_once(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct vcpu *v = a->d.vcpu[0];

    domain_new(wb, "b", 1, 256, 0, "compute forever");
    run(wb, MICROSECS(300));
    assert_true(v->is_running);
    vcpu_yield(v);
    v->pause_count++;
    vcpu_sleep_nosync(v);
    run(wb, MILLISECS(5));
    v->pause_count--;
    vcpu_wake(v);
    run(wb, MICROSECS(5200));
    assert_true(v->is_running);
    sched_kick_cpu(&wb->xen, 0);
    run(wb, MILLISECS(6));
    assert_schedule(wb, 0, "a0-0.3 b0.3-5 a5-5.2 a5.2-6");
    wb_destroy(wb);
}

/* Whoever yields lets another go first whatever their credits, and even within its rate limit. */
static void test_yield(void **state)
{
    struct wb *wb = wb_new("credit2", 1);

    domain_new(wb, "a", 1, 65535, 0, "compute 100us, yield");
    domain_new(wb, "b", 1, 256, 0, "compute forever");
    run(wb, MILLISECS(3));
    assert_schedule(wb, 0, "a0-0.1 b0.1-1.1 a1.1-1.2 b1.2-2.2 a2.2-2.3 b2.3-3");
    wb_destroy(wb);
}

/* A cap may be 100 % for each vCPU. What is too much is refused, but the weight that came with it is set: as in Xen. */
static void test_cap_range(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *a = domain_new(wb, "a", 2, 256, 200, "compute forever");
    struct xen_domctl_scheduler_op op = { .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                          .u.credit2 = { .weight = 77, .cap = 201 } };
    struct scheduler *s = wb->xen.sched;

    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);
    op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), 0);
    assert_int_equal(op.u.credit2.weight, 77);
    assert_int_equal(op.u.credit2.cap, 200);
    wb_destroy(wb);
}

/* By hand: a cap is lifted while a is parked, which runs at once; and set while it runs, which counts from then on. */
static void test_cap_lifted_and_set(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 20, "compute forever");

    run(wb, MILLISECS(5));
    a->cap = 0;
    assert_int_equal(wb_domain_apply(a), 0);
    run(wb, MILLISECS(12));
    a->cap = 50;
    assert_int_equal(wb_domain_apply(a), 0);
    run(wb, MILLISECS(30));
    assert_schedule(wb, 0, "a0-2 a5-12 a12-17 a22-27");
    wb_destroy(wb);
}

/*
 * When the best of all has -10 ms, a reset gives twice as much, or nobody would have any. The heaviest only sets the
 * pace.
 */
static void test_reset_at_the_bottom(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *a = domain_new(wb, "a", 2, 256, 0, "compute forever");

    domain_new(wb, "heavy", 1, 65535, 0, "block");
    run(wb, MILLISECS(3) - 1); /* a.0 and a.1 have run once, heavy in between */
    for (unsigned int i = 0; i < 2; i++) {
        struct c2_vcpu *svc = a->d.vcpu[i]->sched_priv;

        c2_credit_sync(svc);
        assert_int_equal(svc->credit, C2_CREDIT_INIT);
    }
    wb_destroy(wb);
}

/* Setting a cap again and again is no way around it: what was used of this period stays used. */
static void test_cap_set_again(void **state)
{
    struct wb *wb = wb_new("credit2", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 20, "compute forever");

    for (int ms = 0; ms < 1000; ms++) {
        a->cap = 20 + ms % 2;
        assert_int_equal(wb_domain_apply(a), 0);
        run(wb, MILLISECS(ms + 1));
    }
    assert_in_range(domain_runtime(a), MILLISECS(195), MILLISECS(215));
    wb_destroy(wb);
}

/*
 * A cap of 100 % of one pCPU, on two. a.0 uses its half of a period, 5 ms; so does a.1, but it sleeps after 1 ms, and
 * what it has not used is a.0's: who is parked need not wait for the next period.
 */
static void test_budget_comes_back(void **state)
{
    struct wb *wb = wb_new("credit2", 2);
    struct wb_domain *a = domain_new(wb, "a", 2, 256, 100, "compute forever");

    assert_true(wb_vcpu_set_program(wb, a, 1, "sleep 3ms, compute 4ms, sleep 3ms"));
    run(wb, SECONDS(1));
    assert_in_range(domain_runtime(a), MILLISECS(990), MILLISECS(1005));
    wb_destroy(wb);
}

/* Budget for one only, and pCPUs for both: they take turns, period by period. */
static void test_small_cap_is_shared(void **state)
{
    struct wb *wb = wb_new("credit2", 4);
    struct wb_domain *a = domain_new(wb, "a", 2, 256, 4, "compute forever");

    run(wb, SECONDS(1));
    assert_in_range(wb_runtime(wb_vcpu(a, 0)), MILLISECS(19), MILLISECS(21));
    assert_in_range(wb_runtime(wb_vcpu(a, 1)), MILLISECS(19), MILLISECS(21));
    wb_destroy(wb);
}

/* Two run queues: load balancing evens out what started uneven, and no pCPU idles while somebody waits next door. */
static void test_balance(void **state)
{
    struct wb *wb = wb_new("credit2,cpus_per_runqueue=1", 2);
    struct wb_domain *a = domain_new(wb, "a", 4, 256, 0, "compute forever");
    s_time_t before[4];

    for (unsigned int i = 0; i < 4; i++)
        pin(a, i, 1);
    run(wb, SECONDS(1));
    for (unsigned int i = 0; i < 4; i++)
        pin(a, i, 3);
    run(wb, SECONDS(3)); /* averages need about a second */
    for (unsigned int i = 0; i < 4; i++)
        before[i] = wb_runtime(wb_vcpu(a, i));
    wb->lost = 0;
    run(wb, SECONDS(13));
    for (unsigned int i = 0; i < 4; i++)
        assert_in_range(wb_runtime(wb_vcpu(a, i)) - before[i], SECONDS(10) * 49 / 100, SECONDS(10) * 51 / 100);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

static void test_parameters(void **state)
{
    struct wb *wb = wb_new("credit2,ratelimit_us=0", 1);
    struct scheduler *s = wb->xen.sched;
    struct xen_sysctl_scheduler_op g = { .cmd = XEN_SYSCTL_SCHEDOP_putinfo };

    g.u.sched_credit2.ratelimit_us = 99;
    assert_int_equal(s->ops->adjust_global(s, &g), -EINVAL);
    g.u.sched_credit2.ratelimit_us = 500001;
    assert_int_equal(s->ops->adjust_global(s, &g), -EINVAL);
    g.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    assert_int_equal(s->ops->adjust_global(s, &g), 0);
    assert_int_equal(g.u.sched_credit2.ratelimit_us, 0);
    wb_destroy(wb);
}

static void test_wakeup(void **state) { expect_boost("credit2"); }

static void test_stealing(void **state)
{
    struct wb *wb = wb_new("credit2", 4);
    struct wb_domain *a = domain_new(wb, "a", 8, 256, 0, "compute forever");

    run(wb, SECONDS(10));
    for (unsigned int i = 0; i < 8; i++)
        assert_true(wb_runtime(wb_vcpu(a, i)) > SECONDS(10) * 49 / 100);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_one_pcpu),
        cmocka_unit_test(test_weights_two_pcpus),
        cmocka_unit_test(test_weights_pinned),
        cmocka_unit_test(test_infeasible_weight),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_wakeup),
        cmocka_unit_test(test_stealing),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_debts),
        cmocka_unit_test(test_savings),
        cmocka_unit_test(test_yield),
        cmocka_unit_test(test_yield_is_once),
        cmocka_unit_test(test_cap_range),
        cmocka_unit_test(test_cap_lifted_and_set),
        cmocka_unit_test(test_reset_at_the_bottom),
        cmocka_unit_test(test_cap_set_again),
        cmocka_unit_test(test_budget_comes_back),
        cmocka_unit_test(test_small_cap_is_shared),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
