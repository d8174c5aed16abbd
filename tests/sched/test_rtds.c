// SPDX-License-Identifier: GPL-2.0-or-later
/* The RTDS scheduler: earliest deadline first, budgets kept, feasible sets miss nothing. */
#include "common.h"

#include "vcpu/sched/runq.h"

static struct wb_domain *server_new(struct wb *wb, const char *name, unsigned int period_us, unsigned int budget_us,
                                    bool extra, const char *program)
{
    struct wb_domain *wd = wb_domain_add(wb, name, 1, program);

    assert_non_null(wd);
    wd->period_us = period_us;
    wd->budget_us = budget_us;
    wd->extratime = extra;
    assert_int_equal(wb_domain_apply(wd), 0);
    return wd;
}

/*
 * Two servers on one pCPU. At 0 a's deadline (4) is first; b (10) gets the gaps; at 8 a's is 12, b's 10: b goes on
 * until its budget is used at 9. From 10 on b's is 20; at 16 a's is 20 as well: on a tie nobody is preempted.
 */
static void test_edf_by_hand(void **state)
{
    struct wb *wb = wb_new("rtds", 1);

    server_new(wb, "a", 4000, 2000, false, "compute forever");
    server_new(wb, "b", 10000, 5000, false, "compute forever");
    run(wb, MILLISECS(20));
    assert_schedule(wb, 0, "a0-2 b2-4 a4-6 b6-9 a9-11 b11-12 a12-14 b14-18 a18-20");
    wb_destroy(wb);
}

/*
 * Equal deadlines: in turn, and not the last one twice, although its new budget comes at the moment when the old one is
 * used up.
 */
static void test_ties_by_hand(void **state)
{
    struct wb *wb = wb_new("rtds", 1);
    struct wb_domain *b;

    server_new(wb, "a", 10000, 5000, false, "compute forever");
    server_new(wb, "b", 10000, 5000, false, "compute forever");
    run(wb, MILLISECS(30));
    assert_schedule(wb, 0, "a0-5 b5-10 a10-15 b15-20 a20-25 b25-30");
    wb_destroy(wb);

    /* So nobody starves, even beside one that needs the whole pCPU: b runs when its deadline is as near as a's. */
    wb = wb_new("rtds", 1);
    server_new(wb, "a", 1000, 1000, false, "compute forever");
    b = server_new(wb, "b", 10000, 5000, false, "compute forever");
    run(wb, SECONDS(1));
    assert_share(wb, b, 10);
    wb_destroy(wb);
}

/* Deferrable: budget not used early in a period is there later in it, and not in the next. */
static void test_deferrable(void **state)
{
    struct wb *wb = wb_new("rtds", 1);

    server_new(wb, "a", 10000, 4000, false, "compute 1ms, sleep 5ms, compute forever");
    run(wb, MILLISECS(20));
    assert_schedule(wb, 0, "a0-1 a6-9 a10-14");
    wb_destroy(wb);
}

static void test_budget_is_a_cap_unless_extratime(void **state)
{
    struct wb *wb = wb_new("rtds", 1);
    struct wb_domain *a = server_new(wb, "a", 10000, 2000, false, "compute forever");
    struct wb_domain *b = server_new(wb, "b", 10000, 3000, true, "compute forever");
    struct wb_domain *c;

    run(wb, SECONDS(10));
    assert_share(wb, a, 20);
    assert_share(wb, b, 80);
    wb_destroy(wb);

    /* Extra time is shared by the same rules, and never at the cost of budgets. */
    wb = wb_new("rtds", 1);
    a = server_new(wb, "a", 10000, 2000, false, "compute forever");
    b = server_new(wb, "b", 10000, 1000, true, "compute forever");
    c = server_new(wb, "c", 10000, 1000, true, "compute forever");
    run(wb, SECONDS(10));
    assert_share(wb, a, 20);
    assert_share(wb, b, 40);
    assert_share(wb, c, 40);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

/* Random sets of servers whose jobs need the whole budget; utilisation at most what EDF guarantees on nr_pcpus. */
static void feasible_sets(unsigned int nr_pcpus, double max_sum, double max_one)
{
    static const unsigned int periods[] = { 4000, 5000, 8000, 10000, 16000, 20000, 25000, 40000 };

    srand(nr_pcpus);
    for (int round = 0; round < 30; round++) {
        struct wb *wb = wb_new("rtds", nr_pcpus);
        double sum = 0;

        for (int i = 0; i < 12 && sum < max_sum - 0.02; i++) {
            const unsigned int period = periods[(unsigned int)rand() % ARRAY_SIZE(periods)];
            const double room = max_sum - sum < max_one ? max_sum - sum : max_one;
            const double u = i == 11 ? room : (0.1 + 0.9 * rand() / RAND_MAX) * room;
            const unsigned int budget = (unsigned int)(u * period);
            char name[16], program[64];

            if (budget < 10)
                continue;
            sum += (double)budget / period;
            snprintf(name, sizeof(name), "s%d", i);
            snprintf(program, sizeof(program), "compute %uus, period %uus", budget, period);
            server_new(wb, name, period, budget, false, program);
        }
        run(wb, SECONDS(2));
        for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
            assert_true(wb_vcpu(wd, 0)->jobs > 40);
            if (wb_vcpu(wd, 0)->misses)
                fail_msg("round %d: %s (%u/%u us) missed %llu of %llu deadlines, utilisation %.3f", round, wd->name,
                         wd->budget_us, wd->period_us, (unsigned long long)wb_vcpu(wd, 0)->misses,
                         (unsigned long long)wb_vcpu(wd, 0)->jobs, sum);
        }
        wb_destroy(wb);
    }
}

static void test_feasible_one_pcpu(void **state) { feasible_sets(1, 1.0, 1.0); }

/* Global EDF guarantees m - (m-1) * (largest single utilisation): Goossens, Funk, Baruah 2003. */
static void test_feasible_two_pcpus(void **state) { feasible_sets(2, 1.7, 0.3); }

/* 125 %: EDF keeps the pCPU busy, and nobody gets more than its budget or starves. */
static void test_infeasible(void **state)
{
    struct wb *wb = wb_new("rtds", 1);
    struct wb_domain *s[5];
    s_time_t sum = 0;

    for (int i = 0; i < 5; i++) {
        char name[2] = { (char)('a' + i), 0 };

        s[i] = server_new(wb, name, 8000 + 1000 * (unsigned int)i, (8000 + 1000 * (unsigned int)i) / 4, false,
                          "compute forever");
    }
    run(wb, SECONDS(10));
    for (int i = 0; i < 5; i++) {
        sum += domain_runtime(s[i]);
        assert_true(domain_runtime(s[i]) <= SECONDS(10) / 4 + MILLISECS(3));
        assert_true(domain_runtime(s[i]) >= SECONDS(10) / 4 * 60 / 100);
    }
    assert_int_equal(sum, SECONDS(10));
    wb_destroy(wb);
}

static void test_parameters(void **state)
{
    struct wb *wb = wb_new("rtds", 1);
    struct wb_domain *a = server_new(wb, "a", 10000, 4000, false, "compute forever");
    struct scheduler *s = wb->xen.sched;
    struct xen_domctl_schedparam_vcpu p = { .vcpuid = 0 };
    struct xen_domctl_scheduler_op op = { .cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo };

    set_xen_guest_handle(op.u.v.vcpus, &p);
    op.u.v.nr_vcpus = 1;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), 0);
    assert_int_equal(p.u.rtds.period, 10000);
    assert_int_equal(p.u.rtds.budget, 4000);
    op.cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
    p.u.rtds.budget = 10001;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);
    p.u.rtds.budget = 9;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);
    p.u.rtds.budget = 5000;
    p.vcpuid = 1;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);
    op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.rtds.period = 0;
    assert_int_equal(s->ops->adjust(s, &a->d, &op), -EINVAL);
    wb_destroy(wb);
}

/*
 * The cost of replenishment, in steps and not in time: each timer that fires takes at most the heap's depth of moves to
 * leave it, and one or two to come back; how many fire is proportional to the vCPUs. Whatever the number of vCPUs, and
 * whether their periods end together or one after the other.
 */
static void test_replenishment_is_n_log_n(void **state)
{
    static const unsigned int sizes[] = { 100, 1000, 10000 };

    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        const unsigned int nr = sizes[i / 2], depth = 32 - (unsigned int)__builtin_clz(nr);
        const bool together = i % 2;
        struct wb *wb = wb_create("rtds", NULL, 4, 1);
        const struct vclock *clock;
        uint64_t moves, armed;

        assert_non_null(wb);
        wb->edges.trace.sink = NULL;
        clock = &wb->machine.clock;
        for (unsigned int d = 0; d < nr / 10; d++) {
            struct wb_domain *wd;
            char name[16];

            snprintf(name, sizeof(name), "d%u", d);
            wd = wb_domain_add(wb, name, 10, "compute forever");
            assert_non_null(wd);
            wd->period_us = together ? 10000 : 10000 + 7 * d % 3000;
            wd->budget_us = 10;
            assert_int_equal(wb_domain_apply(wd), 0);
        }
        wb_start(wb);
        moves = clock->moves;
        armed = clock->seq;
        for (unsigned int ms = 0; ms < 50; ms++) {
            wb->machine.clock.now += MILLISECS(1);
            vclock_run(&wb->machine.clock);
        }
        moves = clock->moves - moves;
        armed = clock->seq - armed;
        assert_in_range(armed, 3 * nr, 5 * nr + 10);
        assert_in_range(moves, armed, armed * (depth + 3));
        wb_destroy(wb);
    }
}

/* The same of the queue: to put a vCPU into it or to take one out, from wherever, costs its depth at most. */
static void test_queue_is_n_log_n(void **state)
{
    static const unsigned int sizes[] = { 100, 1000, 10000 };

    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        const unsigned int nr = sizes[i], depth = 32 - (unsigned int)__builtin_clz(nr);
        struct runq_node *node = calloc(nr, sizeof(*node));
        struct machine m = { .arena = arena_create() };
        struct xen xen = { .machine = &m };
        struct domain d = { .xen = &xen };
        struct vcpu v = { .domain = &d, .hard_affinity = 1, .soft_affinity = 1 };
        struct runq q = { 0 };
        uint32_t rng = 1;
        uint64_t before;

        assert_non_null(node);
        for (unsigned int n = 0; n < nr; n++)
            runq_insert(&q, &node[n], &v, n * UINT64_C(2654435761) % nr);
        assert_in_range(q.moves, nr, nr * depth);
        before = q.moves;
        for (unsigned int n = 0; n < nr; n++) {
            struct runq_node *one;

            rng = rng * 1664525 + 1013904223;
            one = &node[(rng >> 8) % nr];
            runq_remove(&q, one);
            runq_insert(&q, one, &v, one->key + rng % (2 * nr));
        }
        assert_in_range(q.moves - before, nr, nr * (2 * depth + 2));
        for (unsigned int n = 0; n < nr; n++) {
            struct runq_node *first = runq_first(&q, 0, false);

            runq_remove(&q, first);
            assert_true(!q.nr || first->key <= runq_first(&q, 0, false)->key);
        }
        runq_destroy(&q);
        assert_int_equal(arena_blocks(m.arena, NULL, NULL), 0);
        arena_destroy(m.arena);
        free(node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edf_by_hand),
        cmocka_unit_test(test_ties_by_hand),
        cmocka_unit_test(test_deferrable),
        cmocka_unit_test(test_budget_is_a_cap_unless_extratime),
        cmocka_unit_test(test_feasible_one_pcpu),
        cmocka_unit_test(test_feasible_two_pcpus),
        cmocka_unit_test(test_infeasible),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_replenishment_is_n_log_n),
        cmocka_unit_test(test_queue_is_n_log_n),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
