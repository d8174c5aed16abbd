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
        cmocka_unit_test(test_arinc653),
        cmocka_unit_test(test_arinc653_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
