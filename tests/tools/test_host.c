// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host with a guest that shuts down again and again (guests/reboot.c): which domain it is then, and that it is
 * scheduled as its configuration says each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#include "mmu/grant/private.h"
#include "tests/support/host_run.h"
#include "tools/host.h"
#include "tools/host_private.h"
#include "tools/xc/xc.h"
#include "vcpu/sched/sched.h"

struct scene {
    struct host *host;
    domid_t first, last; /* domains that wrote something */
    unsigned int lives, ends;
    int reason;
    char said[1024];
};

/* Every time that a domain speaks: is it pinned, and has it its weight? */
static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT2, .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
    struct scene *sc = data;
    struct xen *xen = host_xen(sc->host);
    struct domain *d = get_domain_by_id(xen, domid);

    assert_non_null(d);
    assert_int_equal(vcpu_cpumask(d->vcpu[0]), 2);
    assert_int_equal(vcpu_soft_cpumask(d->vcpu[0]), 2);
    put_domain(d);
    assert_int_equal(xc_domain_scheduler_op(sc->host->xc, domid, &op), 0);
    assert_int_equal(op.u.credit2.weight, 777);
    assert_int_equal(op.u.credit2.cap, 50);
    if (sc->last != domid)
        sc->lives++;
    if (!sc->first)
        sc->first = domid;
    sc->last = domid;
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct scene *sc = data;

    assert_int_equal(domid, sc->last);
    sc->ends++;
    sc->reason = reason;
}

static void on_message(void *data, const char *line)
{
    struct scene *sc = data;

    strncat(sc->said, line, sizeof(sc->said) - strlen(sc->said) - 1);
}

static void begin_at(struct scene *sc, const char *kernel, const char *cmdline, enum xl_action on_reboot)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2 };
    const struct host_io io = { .data = sc, .console_out = on_out, .guest_ended = on_end, .message = on_message };
    const struct xl_cpus cpus = { .mask = 2, .highest = 1 };
    struct xl_sched sched = { 0 };
    const struct host_guest g = { .kernel = kernel,
                                  .cmdline = cmdline,
                                  .memory_mib = 16,
                                  .sched = &sched,
                                  .on_reboot = on_reboot,
                                  .on_crash = on_reboot };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    assert_true(xl_sched_set_number(&sched, XL_SCHED_WEIGHT, "w", 777) &&
                xl_sched_set_number(&sched, XL_SCHED_CAP, "c", 50) &&
                xl_sched_set_affinity(&sched.hard, "h", false, &cpus, 1) &&
                xl_sched_set_affinity(&sched.soft, "s", true, &cpus, 1));
    memset(sc, 0, sizeof(*sc));
    sc->host = host_create(&cfg, &io, err);
    if (!sc->host || host_guest_add(sc->host, &g, &domid, err))
        fail_msg("%s", err);
    xl_sched_free(&sched); /* the host has its own copy */
    assert_int_equal(host_guest_start(sc->host, domid), 0);
}

static void begin(struct scene *sc, const char *cmdline, enum xl_action on_reboot)
{
    begin_at(sc, "build/guests/reboot", cmdline, on_reboot);
}

static void run(struct scene *sc, s_time_t until, unsigned int left)
{
    const bool stop = false;

    host_run(sc->host, until, &stop);
    assert_int_equal(host_guests_left(sc->host), left);
}

static void restarted_as_configured(void **state)
{
    struct scene sc;

    begin(&sc, "until_ms=100", XL_ACTION_RESTART);
    run(&sc, SECONDS(10), 0);
    assert_int_equal(sc.lives, 6); /* at 0, 0, 10, 30, 70 and 150 ms */
    assert_int_equal(sc.ends, 6);
    assert_int_equal(sc.last - sc.first, 5); /* a new number each time */
    assert_int_equal(sc.reason, SHUTDOWN_poweroff);
    assert_true(NOW(host_xen(sc.host)) < SECONDS(1));
    assert_false(host_failed(sc.host));
    assert_string_equal(sc.said, "");
    host_destroy(sc.host);
}

/* The renamed ones stay: shut down, and their names say when. */
static void renamed(void **state)
{
    struct xen_domctl_getdomaininfo info;
    struct scene sc;
    struct xc_handle *xc;

    begin(&sc, "until_ms=5", XL_ACTION_RENAME_RESTART);
    run(&sc, SECONDS(10), 0);
    xc = sc.host->xc;
    assert_int_equal(sc.lives, 3);
    for (domid_t domid = sc.first; domid < sc.last; domid++) {
        assert_int_equal(xc_domain_getinfo(xc, domid, &info), 0);
        assert_true(info.flags & XEN_DOMINF_shutdown);
        assert_int_equal(info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_reboot);
        assert_string_equal(host_guest_name(sc.host, domid),
                            domid == sc.first ? "reboot-20260101T0000Z" : "reboot-20260101T0000Z-2");
    }
    assert_int_equal(xc_domain_getinfo(xc, sc.last, &info), -ESRCH);
    host_destroy(sc.host);
}

/* While it waits for its restart it counts as a guest, and nothing of it is left in the hypervisor. */
static void pause_before_restart(void **state)
{
    struct scene sc;

    begin(&sc, "until_ms=100000", XL_ACTION_RESTART);
    run(&sc, MILLISECS(60), 1); /* the fifth starts at 70 ms */
    assert_int_equal(sc.lives, 4);
    assert_null(domain_from(host_xen(sc.host), 1));
    assert_int_equal(host_xen(sc.host)->sched->n_dom, 1);
    run(&sc, MILLISECS(80), 1);
    assert_int_equal(sc.lives, 5);
    run(&sc, SECONDS(20), 1); /* by then every two seconds */
    assert_in_range(sc.lives, 16, 20);
    host_destroy(sc.host);
}

static void crash_loop_ends(void **state)
{
    struct scene sc;

    begin(&sc, "how=crash until_ms=100000", XL_ACTION_RESTART);
    run(&sc, SECONDS(60), 0);
    assert_int_equal(sc.lives, 10);
    assert_string_equal(sc.said,
                        "reboot has crashed 10 times in a row, each time within 5 s of its start: not restarted");
    host_destroy(sc.host);
}

static void last_words_out(void *data, domid_t domid, const char *text, size_t len) { strncat(data, text, len); }

static void last_words_report(void *data, const struct crash_report *report)
{
    strcat(data, "| ");
    strcat(data, report->why);
}

/* What a guest wrote before the hypervisor ended it comes before the report, although dom0 has not heard of it yet. */
static void last_words(void **state)
{
    char said[512] = "";
    const struct host_config cfg = { .ram_mib = 128 };
    const struct host_io io = { .data = said, .console_out = last_words_out, .guest_crashed = last_words_report };
    const struct host_guest guest = { .kernel = "build/guests/reboot", .memory_mib = 16 };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    struct xencons_interface *ring;
    struct domain *d;
    domid_t domid;

    assert_non_null(h);
    assert_int_equal(host_guest_add(h, &guest, &domid, err), 0); /* it never runs: the test writes for it */
    d = domain_from(host_xen(h), domid);
    ring = xc_map_foreign(xc(h), domid, guest_find(h, domid)->console_mfn);
    assert_non_null(ring);
    memcpy(&ring->out[ring->out_prod], "so far ", 7);
    ring->out_prod += 7;
    domain_crash(d->vcpu[0], "for %s", "a test");
    assert_string_equal(said, "so far | for a test");
    xc_unmap(xc(h), ring);
    host_destroy(h);
    assert_string_equal(said, "so far | for a test"); /* once */
}

/* What max_event_channels and its like say reaches the domain. */
static void limits(void **state)
{
    const struct host_config cfg = { .ram_mib = 128 };
    const struct host_io io = { 0 };
    struct host_guest g = { .kernel = "build/guests/reboot", .memory_mib = 16 };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    struct domain *d;
    domid_t domid;

    assert_non_null(h);
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    d = domain_from(host_xen(h), domid);
    assert_int_equal(d->max_evtchn_port, 1023);
    g.limits = (struct build_limits){ .event_channels = 10, .grant_frames = 5, .maptrack_frames = 6 };
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    d = domain_from(host_xen(h), domid);
    assert_int_equal(d->max_evtchn_port, 10);
    assert_int_equal(d->grant_table->max_maptrack_frames, 6);
    g.limits = (struct build_limits){ .no_maptrack = true };
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    d = domain_from(host_xen(h), domid);
    assert_int_equal(d->grant_table->max_maptrack_frames, 0);
    assert_int_equal(d->grant_table->max_grant_frames, 64);
    g.limits.grant_frames = 1 << 20;
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);
    assert_non_null(strstr(err, "the domain cannot be created: Invalid argument"));
    host_destroy(h);
}

/* The toolstack itself refuses what no configuration file has come by. */
static void names(void **state)
{
    const struct host_config cfg = { .ram_mib = 128 };
    const struct host_io io = { 0 };
    struct host_guest g = { .kernel = "build/guests/reboot", .memory_mib = 16 };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    domid_t domid;

    assert_non_null(h);
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    assert_string_equal(host_guest_name(h, domid), "reboot");
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    assert_string_equal(host_guest_name(h, domid), "reboot-2");
    g.name = "reboot-2";
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);
    assert_string_equal(err, "build/guests/reboot: a domain with the name \"reboot-2\" exists already");
    g.name = "Domain-0";
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);

    g.name = "free again"; /* a guest that does not come to be leaves its name free, and no other */
    g.kernel = "build/guests/none";
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);
    g.name = "reboot-2";
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);
    g.kernel = "build/guests/reboot";
    assert_int_equal(host_guest_add(h, &g, &domid, err), -1);
    assert_non_null(strstr(err, "exists already"));
    g.name = "free again";
    assert_int_equal(host_guest_add(h, &g, &domid, err), 0);
    host_destroy(h);
}

/* The core lies where the program was started; then the rest of the action follows. */
static void core_and_restart(void **state)
{
    char dir[] = "/tmp/xenlab-test-XXXXXX", home[4096], kernel[4200];
    struct scene sc;

    assert_non_null(getcwd(home, sizeof(home)));
    snprintf(kernel, sizeof(kernel), "%s/build/guests/reboot", home);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    begin_at(&sc, kernel, "until_ms=5", XL_ACTION_COREDUMP_RESTART);
    run(&sc, SECONDS(1), 0);
    assert_int_equal(sc.lives, 3);
    assert_non_null(strstr(sc.said, "the core of reboot is in reboot.core"));
    assert_int_equal(unlink("reboot.core"), 0);
    host_destroy(sc.host);
    assert_int_equal(chdir(home), 0);
    rmdir(dir);
}

/* HOST_MAX_GUESTS is what dom0's ports are enough for: two a guest, and what is taken already. */
static void most_guests(void **state)
{
    const struct host_config cfg = { .ram_mib = 64 };
    const struct host_io io = { 0 };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    unsigned int free_ports = 0;

    assert_non_null(h);
    for (evtchn_port_t port = 1; port < 4096; port++) {
        struct evtchn_status s = { .dom = DOMID_SELF, .port = port };

        /* A port for which there is no room yet is as free as a closed one. */
        if (hypercall_native(host_xen(h)->dom0->vcpu[0], __HYPERVISOR_event_channel_op, EVTCHNOP_status,
                             (uint64_t)(uintptr_t)&s, 0, 0, 0) ||
            s.status == EVTCHNSTAT_closed)
            free_ports++;
    }
    assert_int_equal(free_ports / 2, HOST_MAX_GUESTS);
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarted_as_configured),
        cmocka_unit_test(renamed),
        cmocka_unit_test(pause_before_restart),
        cmocka_unit_test(crash_loop_ends),
        cmocka_unit_test(last_words),
        cmocka_unit_test(core_and_restart),
        cmocka_unit_test(limits),
        cmocka_unit_test(names),
        cmocka_unit_test(most_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
