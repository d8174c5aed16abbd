// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the tests of scheduling policies share: the workbench's simulator, and assertions about shares.
 *
 * The properties hold for any policy that claims them; the hand-computed schedules are in each policy's own test.
 */
#ifndef TESTS_SCHED_COMMON_H
#define TESTS_SCHED_COMMON_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/workbench/sim.h"

/* All of them, and credit2 with several run queues. */
static const char *const policies[]
    __attribute__((unused)) = { "credit", "credit2", "credit2,cpus_per_runqueue=2", "rtds", "null", "arinc653", "rr" };

static inline struct wb *wb_new(const char *policy, unsigned int nr_pcpus)
{
    struct wb *wb = wb_create(policy, NULL, nr_pcpus, 1);

    assert_non_null(wb);
    wb->scan = true;
    wb->max_spans = 100000;
    return wb;
}

static inline struct wb_domain *domain_new(struct wb *wb, const char *name, unsigned int vcpus, unsigned int weight,
                                           unsigned int cap, const char *program)
{
    struct wb_domain *wd = wb_domain_add(wb, name, vcpus, program);

    assert_non_null(wd);
    wd->weight = weight;
    wd->cap = cap;
    assert_int_equal(wb_domain_apply(wd), 0);
    return wd;
}

static inline void run(struct wb *wb, s_time_t until)
{
    if (!wb_run(wb, until))
        fail_msg("stopped: %s %s", wb->error, wb->xen.sched->fault ? wb->xen.sched->fault : "");
}

static inline void pin(struct wb_domain *wd, unsigned int id, uint64_t hard)
{
    assert_int_equal(sched_set_affinity(wd->d.vcpu[id], &hard, NULL), 0);
}

static inline s_time_t domain_runtime(struct wb_domain *wd)
{
    s_time_t sum = 0;

    for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
        sum += wb_runtime(wb_vcpu(wd, i));
    return sum;
}

/* The domain got `percent` of one pCPU's time since the start, give or take one percent of a pCPU. */
static inline void assert_share(struct wb *wb, struct wb_domain *wd, double percent)
{
    const double got = 100.0 * (double)domain_runtime(wd) / (double)wb->machine.clock.now;

    if (getenv("SHOW"))
        printf("%s: %.2f%% (%.2f%%)\n", wd->name, got, percent);
    if (got < percent - 1 || got > percent + 1)
        fail_msg("%s got %.2f%% of a pCPU instead of %.2f%%", wd->name, got, percent);
}

/* Every vCPU's runstate times add up to its age, if it has been there from the start. */
static inline void check_runstates(struct wb *wb)
{
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
            struct vcpu_runstate_info rs;

            vcpu_runstate_get(wd->d.vcpu[i], &rs);
            assert_int_equal(rs.time[0] + rs.time[1] + rs.time[2] + rs.time[3], wb->machine.clock.now);
        }
    }
}

/* Where a test computes a schedule by hand: "A0-10 B10-20" in ms, for one pCPU. */
static inline void assert_schedule(struct wb *wb, unsigned int cpu, const char *expected)
{
    char got[2000] = "";
    size_t n = 0;

    for (size_t i = 0; i < wb->nr_spans; i++) {
        const struct wb_span *s = &wb->span[i];

        if (s->cpu == cpu && n < sizeof(got) - 64)
            n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s%g-%g", n ? " " : "",
                                  ((struct wb_domain *)s->v->v.domain)->name, (double)s->start / 1e6,
                                  (double)s->end / 1e6);
    }
    assert_string_equal(got, expected);
}

/* --- what both credit schedulers promise --- */

static inline void expect_weights_one_pcpu(const char *sched)
{
    struct wb *wb = wb_new(sched, 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 512, 0, "compute forever");
    struct wb_domain *c = domain_new(wb, "c", 1, 1024, 0, "compute forever");

    run(wb, SECONDS(10));
    assert_share(wb, a, 100.0 / 7);
    assert_share(wb, b, 200.0 / 7);
    assert_share(wb, c, 400.0 / 7);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

static inline void expect_weights_two_pcpus(const char *sched)
{
    struct wb *wb = wb_new(sched, 2);
    struct wb_domain *a = domain_new(wb, "a", 2, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 2, 512, 0, "compute forever");

    run(wb, SECONDS(10));
    assert_share(wb, a, 200.0 / 3);
    assert_share(wb, b, 400.0 / 3);
    assert_int_equal(wb->lost, 0);
    wb_destroy(wb);
}

/* A weight that one vCPU cannot use: it gets a whole pCPU, the rest goes to the others. */
static inline void expect_infeasible_weight(const char *sched)
{
    struct wb *wb = wb_new(sched, 2);
    struct wb_domain *a = domain_new(wb, "a", 1, 10000, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute forever");
    struct wb_domain *c = domain_new(wb, "c", 1, 256, 0, "compute forever");

    run(wb, SECONDS(10));
    assert_share(wb, a, 100);
    assert_share(wb, b, 50);
    assert_share(wb, c, 50);
    wb_destroy(wb);
}

/* Who wakes with credits left preempts spinners at once; under round robin it waits for its turn. */
static inline void expect_boost(const char *sched)
{
    struct wb *wb = wb_new(sched, 1);
    struct wb_domain *io;

    domain_new(wb, "spin", 3, 256, 0, "compute forever");
    io = domain_new(wb, "io", 1, 256, 0, "compute 100us, sleep 20ms");
    run(wb, SECONDS(10));
    assert_true(wb_vcpu(io, 0)->latency.nr > 400);
    for (size_t i = 3; i < wb_vcpu(io, 0)->latency.nr; i++)
        assert_true(wb_vcpu(io, 0)->latency.v[i] <= MILLISECS(1)); /* the rate limit */
    wb_destroy(wb);
}

#endif
