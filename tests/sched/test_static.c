// SPDX-License-Identifier: GPL-2.0-or-later
/* The policies that decide little at run time: null, arinc653, and the baseline rr. */
#include "common.h"

static void test_rr_by_hand(void **state)
{
    struct wb *wb = wb_new("rr", 1);

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    domain_new(wb, "b", 1, 256, 0, "compute 4ms, sleep 8ms");
    domain_new(wb, "c", 1, 256, 0, "compute forever");
    run(wb, MILLISECS(50));
    assert_schedule(wb, 0, "a0-10 b10-14 c14-24 a24-34 b34-38 c38-48 a48-50");
    wb_destroy(wb);
}

static void test_rr_affinity_keeps_no_pcpu_idle(void **state)
{
    struct wb *wb = wb_new("rr,tslice_ms=1", 2);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 2, 256, 0, "compute forever");

    pin(b, 0, 1);
    pin(b, 1, 1);
    run(wb, SECONDS(1));
    assert_int_equal(wb->lost, 0);
    assert_true(wb_runtime(wb_vcpu(a, 0)) > MILLISECS(990));
    wb_destroy(wb);
}

static void test_null(void **state)
{
    struct wb *wb = wb_new("null", 2);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute 1ms, sleep 1ms");
    struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute forever");
    struct wb_domain *c = domain_new(wb, "c", 1, 256, 0, "compute forever");

    run(wb, SECONDS(1));
    assert_int_equal(domain_runtime(a), MILLISECS(500));
    assert_int_equal(domain_runtime(b), SECONDS(1));
    assert_int_equal(domain_runtime(c), 0); /* there is no pCPU left, although a's idles half the time */
    assert_int_equal(wb_vcpu(b, 0)->migrations, 0);

    /* a goes down: c gets its pCPU. */
    wb_vcpu(a, 0)->v.pause_flags |= VPF_down;
    vcpu_sleep_nosync(&wb_vcpu(a, 0)->v);
    run(wb, SECONDS(2));
    assert_true(domain_runtime(c) >= MILLISECS(999));

    /* The pCPU of b is unplugged: it waits; plugged in again: it runs. */
    assert_int_equal(sched_cpu_remove(wb->xen.sched, wb_vcpu(b, 0)->v.processor), 0);
    run(wb, SECONDS(3));
    assert_int_equal(domain_runtime(b), SECONDS(2));
    assert_int_equal(sched_cpu_add(wb->xen.sched, wb->xen.pcpu[0].sched ? 1 : 0), 0);
    run(wb, SECONDS(4));
    assert_int_equal(domain_runtime(b), SECONDS(3));
    wb_destroy(wb);
}

/* a.0, a.1... have the pCPUs 0, 1...; w waits for them. */
static struct wb *null_taken(unsigned int nr_pcpus, struct wb_domain **a, struct wb_domain **w, unsigned int nr_waiting)
{
    struct wb *wb = wb_new("null", nr_pcpus);

    *a = domain_new(wb, "a", nr_pcpus, 256, 0, "compute forever");
    *w = domain_new(wb, "w", nr_waiting, 256, 0, "compute forever");
    run(wb, MILLISECS(1));
    for (unsigned int i = 0; i < nr_pcpus; i++)
        assert_ptr_equal(wb->xen.pcpu[i].curr, (*a)->d.vcpu[i]);
    return wb;
}

static void goes_down(struct wb *wb, struct wb_domain *wd, unsigned int id)
{
    wd->d.vcpu[id]->pause_flags |= VPF_down;
    vcpu_sleep_nosync(wd->d.vcpu[id]);
    run(wb, wb->machine.clock.now + MILLISECS(1));
}

static void comes_up(struct wb *wb, struct wb_domain *wd, unsigned int id)
{
    wd->d.vcpu[id]->pause_flags &= ~VPF_down;
    vcpu_wake(wd->d.vcpu[id]);
    run(wb, wb->machine.clock.now + MILLISECS(1));
}

static void pauses(struct wb *wb, struct wb_domain *wd, unsigned int id, bool on)
{
    wd->d.vcpu[id]->pause_count += on ? 1 : -1;
    if (on)
        vcpu_sleep_nosync(wd->d.vcpu[id]);
    else
        vcpu_wake(wd->d.vcpu[id]);
    run(wb, wb->machine.clock.now + MILLISECS(1));
}

/* First come, first served; who is paused keeps its turn, and a pCPU that it gets meanwhile idles. */
static void test_null_turns(void **state)
{
    struct wb_domain *a, *w;
    struct wb *wb = null_taken(2, &a, &w, 3);

    pauses(wb, w, 0, true);
    pauses(wb, w, 0, false);
    pauses(wb, w, 1, true);
    goes_down(wb, a, 1);
    assert_ptr_equal(wb->xen.pcpu[1].curr, w->d.vcpu[0]);
    goes_down(wb, a, 0);
    assert_null(wb->xen.pcpu[0].curr);
    pauses(wb, w, 1, false);
    assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[1]);
    comes_up(wb, a, 0); /* behind the one that waits already */
    goes_down(wb, w, 0);
    assert_ptr_equal(wb->xen.pcpu[1].curr, w->d.vcpu[2]);
    goes_down(wb, w, 1);
    assert_ptr_equal(wb->xen.pcpu[0].curr, a->d.vcpu[0]);
    wb_destroy(wb);
}

/* Down and up again before it has left its pCPU: somebody who waits has got it meanwhile, or nobody. */
static void test_null_down_and_up(void **state)
{
    for (unsigned int waiting = 1; waiting <= 2; waiting++) {
        struct wb_domain *a, *w;
        struct wb *wb = null_taken(1, &a, &w, waiting);

        if (waiting == 1)
            goes_down(wb, w, 0);
        a->d.vcpu[0]->pause_flags |= VPF_down;
        vcpu_sleep_nosync(a->d.vcpu[0]);
        comes_up(wb, a, 0);
        assert_ptr_equal(wb->xen.pcpu[0].curr, waiting == 1 ? a->d.vcpu[0] : w->d.vcpu[0]);
        if (waiting == 2) {
            goes_down(wb, w, 0);
            assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[1]);
            goes_down(wb, w, 1);
            assert_ptr_equal(wb->xen.pcpu[0].curr, a->d.vcpu[0]);
        }
        wb_destroy(wb);
    }
}

/* Whoever prefers a pCPU by soft affinity is asked before those who waited longer and do not care. */
static void test_null_soft_affinity(void **state)
{
    const uint64_t two = 2, one = 1;
    struct wb_domain *a, *w;
    struct wb *wb = null_taken(2, &a, &w, 4);

    assert_int_equal(sched_set_affinity(w->d.vcpu[0], &one, NULL), 0);
    assert_int_equal(sched_set_affinity(w->d.vcpu[2], NULL, &one), 0);
    assert_int_equal(sched_set_affinity(w->d.vcpu[3], NULL, &two), 0);
    goes_down(wb, a, 1);
    assert_ptr_equal(wb->xen.pcpu[1].curr, w->d.vcpu[3]);
    goes_down(wb, w, 3);
    assert_ptr_equal(wb->xen.pcpu[1].curr, w->d.vcpu[1]); /* w.0 may not; w.2 prefers the other */
    goes_down(wb, a, 0);
    assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[2]);
    goes_down(wb, w, 2);
    assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[0]);
    wb_destroy(wb);
}

/*
 * Affinity moves also who is paused, and who waits gets the pCPU that is left. One that stays because nothing is free
 * stays.
 */
static void test_null_affinity(void **state)
{
    const uint64_t one = 1, two = 2, all = 3;
    struct wb_domain *a, *w;
    struct wb *wb = null_taken(2, &a, &w, 1);

    assert_int_equal(sched_set_affinity(a->d.vcpu[0], NULL, &two), 0);
    run(wb, MILLISECS(2));
    assert_ptr_equal(wb->xen.pcpu[0].curr, a->d.vcpu[0]);
    pauses(wb, a, 0, true);
    assert_int_equal(sched_set_affinity(a->d.vcpu[0], &two, &all), 0);
    run(wb, MILLISECS(4));
    assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[0]);
    goes_down(wb, a, 1);
    pauses(wb, a, 0, false);
    assert_ptr_equal(wb->xen.pcpu[1].curr, a->d.vcpu[0]);
    comes_up(wb, a, 1);
    assert_int_equal(sched_set_affinity(a->d.vcpu[1], &one, NULL), 0); /* waits for pCPU 0 now */
    goes_down(wb, a, 0);
    assert_null(wb->xen.pcpu[1].curr);
    goes_down(wb, w, 0);
    assert_ptr_equal(wb->xen.pcpu[0].curr, a->d.vcpu[1]);
    wb_destroy(wb);
}

/*
 * A domain that has shut down is not gone: its vCPUs are not down and keep their pCPUs, and those of one that is dying
 * do.
 */
static void test_null_shut_down(void **state)
{
    struct wb_domain *a, *w;
    struct wb *wb = null_taken(1, &a, &w, 1);

    a->d.is_shutting_down = true;
    pauses(wb, a, 0, true);
    assert_null(wb->xen.pcpu[0].curr);
    a->d.is_dying = DOMDYING_dead;
    run(wb, MILLISECS(5));
    assert_null(wb->xen.pcpu[0].curr);
    sched_destroy_vcpu(a->d.vcpu[0]);
    run(wb, MILLISECS(6));
    assert_ptr_equal(wb->xen.pcpu[0].curr, w->d.vcpu[0]);
    assert_int_equal(sched_init_vcpu(a->d.vcpu[0]), 0); /* for wb_destroy() */
    wb_destroy(wb);
}

static void table_set(struct wb *wb, int expected, uint64_t major, unsigned int nr, ...)
{
    struct scheduler *s = wb->xen.sched;
    struct xen_sysctl_arinc653_schedule t = { .major_frame = major, .num_sched_entries = (uint8_t)nr };
    struct xen_sysctl_scheduler_op op = { .cmd = XEN_SYSCTL_SCHEDOP_putinfo };
    va_list ap;

    va_start(ap, nr);
    for (unsigned int i = 0; nr <= ARRAY_SIZE(t.sched_entries) && i < nr; i++) {
        memcpy(t.sched_entries[i].dom_handle, va_arg(ap, struct wb_domain *)->d.handle, 16);
        t.sched_entries[i].runtime = va_arg(ap, uint64_t);
    }
    va_end(ap);
    set_xen_guest_handle(op.u.sched_arinc653.schedule, &t);
    assert_int_equal(s->ops->adjust_global(s, &op), expected);
}

static void test_arinc653(void **state)
{
    const uint64_t ms = 1000000;
    struct wb *wb = wb_new("arinc653", 2);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute 3ms, sleep 4ms");

    /* Until a table is set only dom0 (a) runs. */
    run(wb, MILLISECS(20));
    assert_int_equal(domain_runtime(a), MILLISECS(20));
    assert_int_equal(domain_runtime(b), 0);

    table_set(wb, -EINVAL, 20 * ms, 0);
    table_set(wb, -EINVAL, 0, 1, a, ms);
    table_set(wb, -EINVAL, 20 * ms, 1, a, (uint64_t)0);
    table_set(wb, -EINVAL, 20 * ms, 2, a, 15 * ms, b, 6 * ms);
    table_set(wb, -EINVAL, 20 * ms, 65);
    wb->nr_spans = 0;
    table_set(wb, 0, 20 * ms, 3, a, 5 * ms, b, 8 * ms, a, 2 * ms);
    run(wb, MILLISECS(60));
    /* b computes 3 ms, sleeps 4, and has 1 ms of its minor frame left; the next time 2 ms are left to compute first. */
    assert_schedule(wb, 0, "a20-25 b25-28 b32-33 a33-35 a40-45 b45-47 b51-53 a53-55");
    assert_int_equal(wb->xen.pcpu[1].curr != NULL, false);
    wb_destroy(wb);
}

/* Sums do not overflow, and the longest frame that is accepted begins at once. */
static void test_arinc653_limits(void **state)
{
    const uint64_t ms = 1000000, longest = (uint64_t)INT64_MAX / 2;
    struct wb *wb = wb_new("arinc653", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever");
    struct wb_domain *b = domain_new(wb, "b", 1, 256, 0, "compute forever");

    table_set(wb, -EINVAL, 20 * ms, 2, a, UINT64_MAX, b, 2 * ms);
    table_set(wb, -EINVAL, UINT64_MAX, 1, a, ms);
    table_set(wb, -EINVAL, longest + 1, 1, a, ms);
    table_set(wb, -EINVAL, longest, 2, a, longest, b, (uint64_t)1);
    run(wb, MILLISECS(3));
    table_set(wb, 0, longest, 2, b, 2 * ms, a, longest - 2 * ms);
    run(wb, SECONDS(1));
    assert_schedule(wb, 0, "a0-3 b3-5 a5-1000");
    wb_destroy(wb);
}

/*
 * Frames of domains that are not there idle, and are there as soon as their domain is. Of two with the same UUID the
 * newest has them, and when it goes the other has them again.
 */
static void test_arinc653_names(void **state)
{
    const uint64_t ms = 1000000;
    struct wb *wb = wb_new("arinc653", 1);
    struct wb_domain *a = domain_new(wb, "a", 1, 256, 0, "compute forever"), *b, *c;
    struct wb_domain unborn = { .d.handle = { 0xee } };

    table_set(wb, 0, 10 * ms, 2, &unborn, 4 * ms, a, 6 * ms);
    run(wb, MILLISECS(10));
    b = domain_new(wb, "b", 1, 256, 0, "compute forever");
    sched_destroy_vcpu(b->d.vcpu[0]); /* it was made with another name */
    b->d.handle[0] = 0xee;
    assert_int_equal(sched_init_vcpu(b->d.vcpu[0]), 0);
    run(wb, MILLISECS(20));
    c = domain_new(wb, "c", 1, 256, 0, "compute forever");
    sched_destroy_vcpu(c->d.vcpu[0]);
    memcpy(c->d.handle, b->d.handle, sizeof(c->d.handle));
    assert_int_equal(sched_init_vcpu(c->d.vcpu[0]), 0);
    run(wb, MILLISECS(30));
    sched_destroy_vcpu(c->d.vcpu[0]);
    run(wb, MILLISECS(40));
    assert_int_equal(sched_init_vcpu(c->d.vcpu[0]), 0);
    assert_schedule(wb, 0, "a4-10 b10-14 a14-20 c20-24 a24-30 b30-34 a34-40");
    wb_destroy(wb);
}

/* Without a table but with slice_ms everybody has a minor frame, as long as they are there. */
static void test_arinc653_everybody(void **state)
{
    struct wb *wb = wb_new("arinc653,slice_ms=2", 1);

    domain_new(wb, "a", 1, 256, 0, "compute forever");
    domain_new(wb, "b", 1, 256, 0, "compute forever");
    domain_new(wb, "c", 1, 256, 0, "compute forever");
    run(wb, MILLISECS(8));
    sched_destroy_vcpu(wb->domains->next->d.vcpu[0]);
    assert_int_equal(sched_init_vcpu(wb->domains->next->d.vcpu[0]), 0); /* at the end of the table now */
    run(wb, MILLISECS(14));
    assert_schedule(wb, 0, "a0-2 b2-4 c4-6 a6-8 c8-10 a12-14");
    wb_destroy(wb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rr_by_hand),
        cmocka_unit_test(test_rr_affinity_keeps_no_pcpu_idle),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_null_turns),
        cmocka_unit_test(test_null_down_and_up),
        cmocka_unit_test(test_null_soft_affinity),
        cmocka_unit_test(test_null_affinity),
        cmocka_unit_test(test_null_shut_down),
        cmocka_unit_test(test_arinc653),
        cmocka_unit_test(test_arinc653_limits),
        cmocka_unit_test(test_arinc653_names),
        cmocka_unit_test(test_arinc653_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
