// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler core, and what must hold for every policy whatever the workload.
 *
 * Properties are checked on random workloads with blocking, waking, pausing, changing affinity and pCPUs that come and
 * go. The core itself watches the contract (runnable, not running elsewhere, affinity) at each decision and stops at a
 * breach, so "the run went to its end" includes it.
 */
#include "common.h"

#include "evtchn/evtchn.h"

static void test_runstates(void **state)
{
    struct wb *wb = wb_new("rr", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute 3ms, sleep 5ms");
    struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute forever");
    struct vcpu_runstate_info rs;

    run(wb, SECONDS(1) + 12345);
    for (int i = 0; i < 2; i++) {
        vcpu_runstate_get(i ? b->d.vcpu[0] : a->d.vcpu[0], &rs);
        assert_int_equal(rs.time[0] + rs.time[1] + rs.time[2] + rs.time[3], SECONDS(1) + 12345);
        assert_int_equal(rs.time[RUNSTATE_offline], 0);
    }
    assert_int_equal(rs.time[RUNSTATE_blocked], 0);
    assert_int_equal(rs.time[RUNSTATE_runnable] > 0, true); /* steal time */

    /* Paused: runnable becomes offline. */
    b->d.pause_count = 1;
    vcpu_sleep_nosync(b->d.vcpu[0]);
    run(wb, SECONDS(2) + 12345);
    vcpu_runstate_get(b->d.vcpu[0], &rs);
    assert_int_equal(rs.time[RUNSTATE_offline], SECONDS(1));
    b->d.pause_count = 0;
    vcpu_wake(b->d.vcpu[0]);
    run(wb, SECONDS(3));
    assert_int_equal(b->d.vcpu[0]->is_running || b->d.vcpu[0]->runstate.state == RUNSTATE_runnable, true);
    wb_destroy(wb);
}

/* A pCPU that is behind another in virtual time must not make time disappear. */
static void test_runstate_time_never_drifts(void **state)
{
    struct wb *wb = wb_new("rr", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct vcpu *v = a->d.vcpu[0];
    struct vcpu_runstate_info rs;

    vcpu_runstate_change(v, RUNSTATE_runnable, 1000);
    vcpu_runstate_change(v, RUNSTATE_running, 400);
    vcpu_runstate_change(v, RUNSTATE_blocked, 900);
    wb->machine.clock.now = 2500;
    vcpu_runstate_get(v, &rs);
    assert_int_equal(rs.time[0] + rs.time[1] + rs.time[2] + rs.time[3], 2500);
    assert_int_equal(rs.time[RUNSTATE_blocked], 1500);
    wb_destroy(wb);
}

static void test_block_and_unblock(void **state)
{
    struct wb *wb = wb_new("rr", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct vcpu *v = a->d.vcpu[0];

    run(wb, MILLISECS(1));
    assert_true(v->is_running);

    /* An upcall is pending, only masked: blocking clears the mask and does not block. */
    v->vcpu_info->evtchn_upcall_pending = 1;
    v->vcpu_info->evtchn_upcall_mask = 1;
    vcpu_block(v);
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 0);

    v->vcpu_info->evtchn_upcall_pending = 0;
    vcpu_block(v);
    assert_int_equal(v->pause_flags, VPF_blocked);
    assert_true(wb->xen.pcpu[0].need_resched);

    /* Woken before the pCPU noticed: it goes on as if nothing had been. */
    vcpu_unblock(v);
    assert_ptr_equal(sched_schedule(&wb->xen, 0), v);

    /* A poll ends with any event. */
    v->poll_evtchn = -1;
    v->domain->poll_mask = 1;
    v->pause_flags |= VPF_poll;
    vcpu_sleep_nosync(v);
    assert_null(sched_schedule(&wb->xen, 0));
    assert_int_equal(v->runstate.state, RUNSTATE_blocked);
    vcpu_unblock(v);
    assert_int_equal(v->poll_evtchn, 0);
    assert_int_equal(v->domain->poll_mask, 0);
    assert_ptr_equal(sched_schedule(&wb->xen, 0), v);
    wb_destroy(wb);
}

/* --- random workloads --- */

static void make_crowd(struct wb *wb, unsigned int nr_pcpus)
{
    for (int i = 0; i < 12; i++) {
        char name[16], program[96];
        struct wb_domain *wd;
        unsigned int vcpus = 1 + (unsigned int)rand() % 3;

        snprintf(name, sizeof(name), "d%d", i);
        switch (rand() % 4) {
        case 0: snprintf(program, sizeof(program), "compute forever"); break;
        case 1: snprintf(program, sizeof(program), "compute 100us..5ms, sleep 100us..20ms"); break;
        case 2: snprintf(program, sizeof(program), "compute 1ms..3ms, yield, compute 1ms, sleep 2ms"); break;
        default: snprintf(program, sizeof(program), "compute 50us, wake d%d, block, compute 1us", rand() % (i + 1));
        }
        wd = domain_new(wb, name, vcpus, 64u << rand() % 5, rand() % 3 ? 0 : 30, program);
        wd->extratime = rand() % 2;
        assert_int_equal(wb_domain_apply(wd), 0);
        for (unsigned int v = 0; v < vcpus && rand() % 2; v++)
            pin(wd, v, 1 + (uint64_t)rand() % ((UINT64_C(1) << nr_pcpus) - 1));
    }
}

/* Something that an administrator might do. */
static void disturb(struct wb *wb, unsigned int nr_pcpus)
{
    struct wb_domain *wd = wb->domains;
    struct vcpu *v;
    unsigned int cpu = (unsigned int)rand() % nr_pcpus;
    uint64_t mask = 1 + (uint64_t)rand() % ((UINT64_C(1) << nr_pcpus) - 1);

    for (int skip = rand() % 12; skip; skip--)
        wd = wd->next;
    v = wd->d.vcpu[(unsigned int)rand() % wd->d.max_vcpus];
    switch (rand() % 7) {
    case 0: sched_set_affinity(v, &mask, NULL); break;
    case 1: sched_set_affinity(v, NULL, &mask); break;
    case 2:
        if (wb->xen.sched->cpus & (wb->xen.sched->cpus - 1))
            sched_cpu_remove(wb->xen.sched, cpu);
        break;
    case 3:
        if (!wb->xen.pcpu[cpu].sched)
            assert_int_equal(sched_cpu_add(wb->xen.sched, cpu), 0);
        break;
    case 4:
        v->pause_count++;
        vcpu_sleep_nosync(v);
        break;
    case 5:
        if (v->pause_count)
            v->pause_count--;
        vcpu_wake(v);
        break;
    default: vcpu_migrate(v);
    }
}

static void test_random_workloads(void **state)
{
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        for (unsigned int round = 0; round < 12; round++) {
            const unsigned int nr_pcpus = 1 + round % 4;
            struct wb *wb = wb_new(policies[p], nr_pcpus);

            srand(round);
            wb->max_spans = 0;
            make_crowd(wb, nr_pcpus);
            for (int i = 1; i <= 60; i++) {
                run(wb, MILLISECS(20) * i);
                check_runstates(wb);
                disturb(wb, nr_pcpus);
            }
            wb_destroy(wb);
        }
    }
}

/* No pCPU idles while somebody waits who may run there, and nobody waits for ever. */
static void test_work_conservation(void **state)
{
    static const char *const conserving[] = { "credit", "credit2", "credit2,cpus_per_runqueue=2", "rr" };

    for (size_t p = 0; p < ARRAY_SIZE(conserving); p++) {
        for (unsigned int round = 0; round < 8; round++) {
            const unsigned int nr_pcpus = 2 + round % 3;
            struct wb *wb = wb_new(conserving[p], nr_pcpus);

            srand(round);
            make_crowd(wb, nr_pcpus);
            for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
                wd->cap = 0;
                assert_int_equal(wb_domain_apply(wd), 0);
            }
            run(wb, SECONDS(4));
            if (wb->lost)
                fail_msg("%s, round %u: %lld ns lost", conserving[p], round, (long long)wb->lost);
            for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
                for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
                    const struct wb_vcpu *wv = wb_vcpu(wd, i);
                    const s_time_t wait = wv->waiting_since < 0 ? 0 : wb->machine.clock.now - wv->waiting_since;

                    if (wv->max_wait > SECONDS(2) || wait > SECONDS(2))
                        fail_msg("%s, round %u: %s.%u starved", conserving[p], round, wd->name, i);
                }
            }
            wb_destroy(wb);
        }
    }
}

/* Who was kept from the pCPU that it prefers goes there when that becomes idle, though it never sleeps. */
static void test_soft_affinity(void **state)
{
    static const char *const minding[] = { "credit", "credit2", "credit2,cpus_per_runqueue=1" };
    const uint64_t one = 1, two = 2;

    for (size_t p = 0; p < ARRAY_SIZE(minding); p++) {
        struct wb *wb = wb_new(minding[p], 2);
        struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute forever");
        struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");

        pin(b, 0, two);
        assert_int_equal(sched_set_affinity(a->d.vcpu[0], NULL, &two), 0);
        run(wb, MILLISECS(200));
        assert_int_equal(wb->lost, 0); /* rather elsewhere than not at all */
        b->d.vcpu[0]->pause_count = 1;
        vcpu_sleep_nosync(b->d.vcpu[0]);
        run(wb, MILLISECS(240));
        assert_int_equal(a->d.vcpu[0]->processor, 1);
        assert_true(a->d.vcpu[0]->is_running);
        assert_int_equal(sched_set_affinity(a->d.vcpu[0], NULL, &one), 0);
        run(wb, MILLISECS(280));
        assert_int_equal(a->d.vcpu[0]->processor, 0);
        wb_destroy(wb);
    }
}

/* --- pCPUs and pools --- */

static void test_unplug_running(void **state)
{
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        struct wb *wb = wb_new(policies[p], 3);
        struct wb_domain *a = domain_new(wb, "a", 3, 256, 0, "compute forever");

        pin(a, 2, 4);
        run(wb, MILLISECS(100));
        assert_int_equal(sched_cpu_remove(wb->xen.sched, 2), 0);
        assert_int_equal(sched_cpu_remove(wb->xen.sched, 2), -ENODEV);
        assert_int_equal(a->d.vcpu[2]->hard_affinity, ~UINT64_C(0)); /* broken, as Xen does */
        assert_int_equal(sched_cpu_remove(wb->xen.sched, 0), 0);
        assert_int_equal(sched_cpu_remove(wb->xen.sched, 1), -EBUSY);
        run(wb, MILLISECS(200));
        assert_int_equal(wb->xen.pcpu[0].curr != NULL, false);
        assert_int_equal(wb->xen.pcpu[2].curr != NULL, false);
        assert_int_equal(sched_cpu_add(wb->xen.sched, 0), 0);
        assert_int_equal(sched_cpu_add(wb->xen.sched, 0), -ENODEV);
        run(wb, MILLISECS(300));
        wb_destroy(wb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runstates),         cmocka_unit_test(test_runstate_time_never_drifts),
        cmocka_unit_test(test_block_and_unblock), cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_work_conservation), cmocka_unit_test(test_soft_affinity),
        cmocka_unit_test(test_unplug_running),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
