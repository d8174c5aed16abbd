// SPDX-License-Identifier: GPL-2.0-or-later
/* The credit scheduler: shares, caps, boost, stealing. */
#include "common.h"

static void test_weights_one_pcpu(void **state) { expect_weights_one_pcpu("credit"); }

static void test_weights_two_pcpus(void **state) { expect_weights_two_pcpus("credit"); }

/* Pinned, vCPUs compete on their pCPU only: weights count there, however many others there are elsewhere. */
static void test_weights_pinned(void **state)
{
    struct wb *wb = wb_new("credit", 4);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 512, 0, "compute forever");
    struct wb_domain *c = domain_new(wb, "c", 3, 100, 0, "compute forever");
    struct wb_domain *d = domain_new(wb, "d", 3, 200, 0, "compute forever");

    pin(a, 0, 1);
    pin(b, 0, 1);
    for (unsigned int i = 0; i < 3; i++) {
        pin(c, i, 6);
        pin(d, i, i ? 6 : 2);
    }
    run(wb, SECONDS(10));
    assert_share(wb, a, 100.0 / 3);
    assert_share(wb, b, 200.0 / 3);
    assert_share(wb, c, 200.0 / 3);
    assert_share(wb, d, 400.0 / 3);
    wb_destroy(wb);
}

static void test_infeasible_weight(void **state) { expect_infeasible_weight("credit"); }

static void test_caps(void **state)
{
    static const unsigned int caps[] = { 10, 25, 50, 90 };

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        struct wb *wb = wb_new("credit", 2);
        struct wb_domain *a = domain_new(wb, "a", 1, 256, caps[i], "compute forever");
        struct wb_domain *b = domain_new(wb, "b", 2, 256, caps[i], "compute forever");

        run(wb, SECONDS(10));
        assert_share(wb, a, caps[i]);
        assert_share(wb, b, caps[i]);
        wb_destroy(wb);
    }
}

/* Lifted, a cap is gone at once, also for somebody of little weight who owes much. */
static void test_cap_lifted(void **state)
{
    struct wb *wb = wb_new("credit", 2);
    struct wb_domain *a = domain_new(wb, "a", 1, 1, 20, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 3, 65535, 0, "compute forever");

    for (unsigned int i = 0; i < 3; i++)
        pin(b, i, 1);
    run(wb, SECONDS(5) - MILLISECS(1));
    a->cap = 0;
    assert_int_equal(wb_domain_apply(a), 0);
    run(wb, SECONDS(10));
    assert_share(wb, a, 60);
    wb_destroy(wb);
}

static void test_boost(void **state) { expect_boost("credit"); }

/* Those who compute and sleep leave time to the others, who get it by weight. */
static void test_weights_beside_sleepers(void **state)
{
    struct wb *wb = wb_new("credit", 4);
    struct wb_domain *a = domain_new(wb, "a", 4, 128, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 4, 256, 0, "compute forever");
    double left;

    domain_new(wb, "io", 4, 512, 0, "compute 2ms..6ms, sleep 5ms..20ms");
    domain_new(wb, "net", 6, 256, 0, "compute 50us, sleep 1ms");
    run(wb, SECONDS(10));
    left = 100.0 * (double)(domain_runtime(a) + domain_runtime(b)) / 1e10;
    assert_true(left > 200);
    for (unsigned int i = 0; i < 4; i++) {
        assert_in_range(wb_runtime(wb_vcpu(a, i)) / MILLISECS(100), left / 12 - 1, left / 12 + 1);
        assert_in_range(wb_runtime(wb_vcpu(b, i)) / MILLISECS(100), left / 6 - 1, left / 6 + 1);
    }
    wb_destroy(wb);
}

static void test_stealing(void **state)
{
    struct wb *wb = wb_new("credit", 4);
    struct wb_domain *a = domain_new(wb, "a", 8, 256, 0, "compute forever");

    run(wb, SECONDS(10));
    for (unsigned int i = 0; i < 8; i++)
        assert_true(wb_runtime(wb_vcpu(a, i)) > SECONDS(10) * 49 / 100);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

/* The picture in the head of credit.c. */
static void test_by_hand(void **state)
{
    struct wb *wb = wb_new("credit", 1);

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    domain_new(wb, "b", 1, 512, 0, "compute forever");
    run(wb, MILLISECS(240));
    assert_schedule(wb, 0, "a0-30 b30-90 a90-120 b120-180 a180-210 b210-240");
    wb_destroy(wb);
}

/* Somebody who is moved has not slept: no boost, and a's slice goes on. One that has slept before is boosted. */
static void test_no_boost_for_moving(void **state)
{
    struct wb *wb = wb_new("credit", 1);
    struct vcpu *a = domain_new(wb, "a", 1, 256, 0, "compute forever")->d.vcpu[0];
    struct vcpu *b = domain_new(wb, "b", 1, 256, 0, "compute forever")->d.vcpu[0];

    run(wb, MILLISECS(5));
    assert_ptr_equal(wb->xen.pcpu[0].curr, a);
    vcpu_migrate(b);
    run(wb, MILLISECS(10));
    assert_ptr_equal(wb->xen.pcpu[0].curr, a);
    b->pause_count++;
    vcpu_sleep_nosync(b);
    run(wb, MILLISECS(11));
    b->pause_count--;
    vcpu_wake(b);
    run(wb, MILLISECS(12));
    assert_ptr_equal(wb->xen.pcpu[0].curr, b);
    wb_destroy(wb);
}

/* y is owed nearly everything and yields to two who are OVER: one of them goes before it, for a slice, and not both. */
static void test_yield(void **state)
{
    struct wb *wb = wb_new("credit", 1);
    struct wb_domain *y = domain_new(wb, "y", 1, 10000, 0, "compute 2ms, yield");

    domain_new(wb, "over", 2, 1, 0, "compute forever");
    run(wb, SECONDS(1));
    wb_vcpu(y, 0)->max_wait = 0;
    wb_vcpu(y, 0)->switches = 0;
    run(wb, SECONDS(3));
    assert_in_range(wb_vcpu(y, 0)->max_wait, MILLISECS(20), MILLISECS(30));
    assert_in_range(wb_vcpu(y, 0)->switches, 2000 / 32, 2000 / 12);
    wb_destroy(wb);
}

/* Who has yielded and then cannot run has yielded: when it wakes it is served at once. */
static void test_yield_is_once(void **state)
{
    struct wb *wb = wb_new("credit", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct vcpu *v = a->d.vcpu[0];

    domain_new(wb, "b", 1, 256, 0, "compute forever");
    run(wb, MILLISECS(5));
    assert_true(wb->xen.pcpu[0].curr == v);
    vcpu_yield(v);
    v->pause_count++;
    vcpu_sleep_nosync(v);
    run(wb, MILLISECS(12));
    v->pause_count--;
    vcpu_wake(v);
    run(wb, MILLISECS(13));
    assert_schedule(wb, 0, "a0-5 b5-12 a12-13");
    wb_destroy(wb);
}

static void test_parameters(void **state)
{
    struct wb *wb = wb_new("credit", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct scheduler *s = wb->xen.sched;
    struct xen_domctl_scheduler_op op = { .cmd = XEN_DOMCTL_SCHEDOP_putinfo };
    struct xen_sysctl_scheduler_op g = { .cmd = XEN_SYSCTL_SCHEDOP_putinfo };

    op.u.credit.weight = 0;
    op.u.credit.cap = 0xffff;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), 0);
    op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), 0);
    assert_int_equal(op.u.credit.weight, 256);
    assert_int_equal(op.u.credit.cap, 0);
    op.cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);

    g.u.sched_credit.tslice_ms = 1001;
    assert_int_equal(s->ops->adjust_global(s, &g), -EINVAL);
    g.u.sched_credit.tslice_ms = 1;
    g.u.sched_credit.ratelimit_us = 99;
    assert_int_equal(s->ops->adjust_global(s, &g), -EINVAL);
    g.u.sched_credit.ratelimit_us = 1001; /* longer than the slice */
    assert_int_equal(s->ops->adjust_global(s, &g), -EINVAL);
    g.u.sched_credit.ratelimit_us = 0;
    assert_int_equal(s->ops->adjust_global(s, &g), 0);
    assert_int_equal(sched_set_param(s, "tslice_ms", 5), 0);
    assert_int_equal(sched_set_param(s, "tslice", 5), -ENOENT);
    assert_int_equal(sched_set_param(s, "tslice_ms", 0), -EINVAL);
    wb_destroy(wb);
    assert_null(wb_create("credit,tslice_ms=0", NULL, 1, 1));
    assert_null(wb_create("credit,tslice_ms", NULL, 1, 1));
    assert_null(wb_create("credits", NULL, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_one_pcpu),
        cmocka_unit_test(test_weights_two_pcpus),
        cmocka_unit_test(test_weights_pinned),
        cmocka_unit_test(test_infeasible_weight),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_cap_lifted),
        cmocka_unit_test(test_boost),
        cmocka_unit_test(test_weights_beside_sleepers),
        cmocka_unit_test(test_stealing),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_no_boost_for_moving),
        cmocka_unit_test(test_yield),
        cmocka_unit_test(test_yield_is_once),
        cmocka_unit_test(test_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
