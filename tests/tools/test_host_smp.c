// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines of several pCPUs, with guests that run: who works when, while pCPUs are taken away and come back. What the
 * policies decide is tested in tests/sched; here it is the exit loop that carries it out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <xen/sched.h>

#include "tests/support/host_run.h"
#include "tools/host_private.h"
#include "tools/xc/xc.h"
#include "vcpu/noun/domain.h"
#include "vcpu/sched/sched.h"

#define NR_GUESTS 4

struct scene {
    struct host *host;
    struct xen *xen;
    domid_t domid[NR_GUESTS];
    unsigned int ends;
};

static void on_end(void *data, domid_t domid, int reason)
{
    struct scene *sc = data;

    (void)domid;
    assert_int_equal(reason, SHUTDOWN_poweroff);
    sc->ends++;
}

/* Four domains that compute for 0.4 s each. */
static void begin(struct scene *sc, const char *sched)
{
    const struct host_config cfg = { .ram_mib = 256, .nr_pcpus = 4, .sched = sched };
    const struct host_io io = { .data = sc, .guest_ended = on_end };
    const struct host_guest g = { .kernel = "build/guests/spinner", .memory_mib = 16, .cmdline = "rounds=4" };
    char err[HOST_ERR_SIZE];

    *sc = (struct scene){ 0 };
    sc->host = host_create(&cfg, &io, err);
    if (!sc->host)
        fail_msg("%s", err);
    sc->xen = host_xen(sc->host);
    for (unsigned int i = 0; i < NR_GUESTS; i++) {
        if (host_guest_add(sc->host, &g, &sc->domid[i], err))
            fail_msg("%s", err);
        assert_int_equal(host_guest_start(sc->host, sc->domid[i]), 0);
    }
}

static void run_until(struct scene *sc, s_time_t until)
{
    const bool stop = false;

    while (NOW(sc->xen) < until && host_guests_left(sc->host))
        host_run(sc->host, until, &stop);
}

static void hotplug(struct scene *sc, unsigned int cpu, bool online)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_cpu_hotplug,
        .u.cpu_hotplug = { .cpu = cpu, .op = online ? XEN_SYSCTL_CPU_HOTPLUG_ONLINE : XEN_SYSCTL_CPU_HOTPLUG_OFFLINE }
    };

    assert_int_equal(xc_sysctl(sc->host->xc, &op), 0);
}

/* How long all guests together have run. */
static s_time_t work(struct scene *sc)
{
    s_time_t sum = 0;

    for (unsigned int i = 0; i < NR_GUESTS; i++) {
        struct domain *d = get_domain_by_id(sc->xen, sc->domid[i]);
        struct vcpu_runstate_info rs;

        assert_non_null(d);
        vcpu_runstate_get(d->vcpu[0], &rs);
        sum += (s_time_t)rs.time[RUNSTATE_running];
        put_domain(d);
    }
    return sum;
}

static unsigned int nr_running(const struct scene *sc)
{
    unsigned int n = 0;

    for (unsigned int cpu = 0; cpu < sc->xen->nr_pcpus; cpu++) {
        const struct xen_pcpu *p = &sc->xen->pcpu[cpu];

        assert_true(p->online || !p->curr);
        assert_true(!p->curr || (p->curr->is_running && p->curr->processor == cpu));
        n += p->curr != NULL;
    }
    return n;
}

/* Let it run for 50 ms; as many pCPUs as are there must be at work all the time (5 % for changes, and for dom0). */
static void expect_work_of(struct scene *sc, unsigned int nr_pcpus)
{
    const s_time_t start = NOW(sc->xen), before = work(sc);
    s_time_t all, done;

    run_until(sc, start + MILLISECS(50));
    all = (NOW(sc->xen) - start) * nr_pcpus;
    done = work(sc) - before;
    if (done < all - all / 20 || done > all + all / 20)
        fail_msg("%u pCPUs: %ld ns of work in %ld", nr_pcpus, (long)done, (long)all);
    assert_true(nr_running(sc) <= nr_pcpus);
}

static void hotplug_while_running(void **state)
{
    static const char *const scheds[] = { "rr", "credit", "credit2" };

    (void)state;
    for (size_t i = 0; i < sizeof(scheds) / sizeof(scheds[0]); i++) {
        struct scene sc;

        begin(&sc, scheds[i]);
        run_until(&sc, MILLISECS(10));
        expect_work_of(&sc, 4);
        hotplug(&sc, 3, false);
        expect_work_of(&sc, 3);
        hotplug(&sc, 1, false);
        hotplug(&sc, 2, false);
        expect_work_of(&sc, 1);
        hotplug(&sc, 2, true);
        expect_work_of(&sc, 2);
        hotplug(&sc, 1, true);
        hotplug(&sc, 3, true);
        expect_work_of(&sc, 4);
        run_until(&sc, SECONDS(20));
        assert_int_equal(sc.ends, NR_GUESTS);
        host_destroy(sc.host);
    }
}

static struct vcpu *vcpu_of(struct scene *sc, unsigned int guest)
{
    struct domain *d = get_domain_by_id(sc->xen, sc->domid[guest]);

    assert_non_null(d);
    put_domain(d);
    return d->vcpu[0];
}

/* Runs for 20 ms in small steps; guest must be seen on one of these pCPUs only. */
static void expect_on(struct scene *sc, unsigned int guest, uint64_t cpus)
{
    const struct vcpu *v = vcpu_of(sc, guest);
    const s_time_t start = NOW(sc->xen);
    struct vcpu_runstate_info before, after;

    vcpu_runstate_get(v, &before);
    for (s_time_t t = start + MICROSECS(100); t < start + MILLISECS(20); t += MICROSECS(100)) {
        run_until(sc, t);
        if (v->is_running)
            assert_true(cpus >> v->processor & 1);
    }
    vcpu_runstate_get(v, &after);
    assert_true(after.time[RUNSTATE_running] > before.time[RUNSTATE_running]);
    nr_running(sc);
}

/* Affinities and pools are changed under guests that run. */
static void moved_while_running(void **state)
{
    const uint64_t all = ~UINT64_C(0);
    struct xc_handle *xc;
    struct scene sc;
    uint32_t pool;

    (void)state;
    begin(&sc, "credit2");
    xc = sc.host->xc;
    for (unsigned int i = 0; i < 8; i++) {
        const uint64_t hard = UINT64_C(1) << (i * 7 + 1) % 4;

        assert_int_equal(xc_vcpu_setaffinity(xc, sc.domid[i % NR_GUESTS], 0, &hard, NULL), 0);
        expect_on(&sc, i % NR_GUESTS, hard);
    }
    for (unsigned int i = 0; i < NR_GUESTS; i++)
        assert_int_equal(xc_vcpu_setaffinity(xc, sc.domid[i], 0, &all, NULL), 0);
    assert_int_equal(xc_cpupool_create(xc, XEN_SCHEDULER_CREDIT, &pool), 0);
    for (uint32_t cpu = 2; cpu < 4; cpu++) {
        assert_int_equal(xc_cpupool_removecpu(xc, 0, cpu), 0);
        assert_int_equal(xc_cpupool_addcpu(xc, pool, cpu), 0);
    }
    expect_on(&sc, 0, 3);
    assert_int_equal(xc_cpupool_movedomain(xc, pool, sc.domid[0]), 0);
    assert_int_equal(xc_cpupool_movedomain(xc, pool, sc.domid[1]), 0);
    expect_on(&sc, 0, 0xc);
    expect_on(&sc, 1, 0xc);
    expect_on(&sc, 2, 3);
    expect_work_of(&sc, 4);
    assert_int_equal(xc_cpupool_movedomain(xc, 0, sc.domid[0]), 0);
    expect_on(&sc, 0, 3);
    host_destroy(sc.host); /* while they run, two pools and all */
}

/* A domain is paused and destroyed while it runs on another pCPU than dom0. */
static void stopped_while_running(void **state)
{
    struct vcpu_runstate_info before, after;
    struct scene sc;
    struct xc_handle *xc;

    (void)state;
    begin(&sc, "credit2");
    xc = sc.host->xc;
    run_until(&sc, MILLISECS(5));
    assert_true(vcpu_of(&sc, 1)->is_running);
    assert_int_equal(xc_domain_pause(xc, sc.domid[1]), 0);
    vcpu_runstate_get(vcpu_of(&sc, 1), &before);
    expect_work_of(&sc, 3);
    vcpu_runstate_get(vcpu_of(&sc, 1), &after);
    /* The one may have been read, the other be noted at the time of a pCPU that is a quantum ahead. */
    assert_in_range(after.time[RUNSTATE_running] + MICROSECS(20) - before.time[RUNSTATE_running], 0, MICROSECS(100));
    assert_int_equal(xc_domain_unpause(xc, sc.domid[1]), 0);
    expect_work_of(&sc, 4);
    assert_true(vcpu_of(&sc, 3)->is_running);
    assert_int_equal(xc_domain_destroy(xc, sc.domid[3]), 0);
    for (unsigned int i = 0; i < 200;
         i++) { /* its console still holds frames of it: there it is, but never again runs */
        run_until(&sc, NOW(sc.xen) + MICROSECS(100));
        assert_false(vcpu_of(&sc, 3)->is_running);
        assert_true(nr_running(&sc) <= 3);
    }
    host_destroy(sc.host);
}

/* The pCPUs stay together in virtual time, whoever of them works. */
static void pcpus_stay_together(void **state)
{
    struct scene sc;

    (void)state;
    begin(&sc, "credit2");
    for (s_time_t t = MILLISECS(1); t < MILLISECS(100); t += MILLISECS(1)) {
        run_until(&sc, t);
        for (unsigned int a = 0; a < sc.xen->nr_pcpus; a++)
            for (unsigned int b = 0; b < a; b++)
                if (sc.xen->pcpu[a].curr && sc.xen->pcpu[b].curr)
                    assert_in_range(sc.xen->pcpu[a].now - sc.xen->pcpu[b].now + MICROSECS(50), 0, MICROSECS(100));
    }
    host_destroy(sc.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hotplug_while_running),
        cmocka_unit_test(moved_while_running),
        cmocka_unit_test(stopped_while_running),
        cmocka_unit_test(pcpus_stay_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
