// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole computer goes back and runs again: the same events, the same output, the same state at each checkpoint. And
 * whoever changes a frame says so before, guests by all of their stores included: at each checkpoint all of RAM is
 * looked at.
 *
 * Could pass wrongly: what no guest here does is not tried. tests/sim/test_pcpu_history.c has the ways to store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/checkpoint.h"
#include "sim/ram_hash.h"
#include "tools/host.h"
#include "vcpu/noun/xen.h"

struct setup {
    const char *kernel, *cmdline, *sched;
    unsigned int vcpus, pcpus, guests;
};

static const struct setup setups[] = {
    { "hello", NULL, "credit2", 1, 1, 1 },       { "rings", NULL, "credit", 1, 1, 1 },
    { "traps", NULL, "null", 1, 2, 1 },          { "syscall", NULL, "rtds", 1, 1, 2 },
    { "pagetables", NULL, "credit2", 1, 1, 1 },  { "callbacks", NULL, "credit2", 1, 1, 1 },
    { "smp", NULL, "credit2", 3, 2, 1 },         { "smp", NULL, "credit", 4, 3, 1 },
    { "clock", NULL, "credit2", 2, 2, 2 },       { "store", NULL, "credit2", 1, 1, 1 },
    { "grants", NULL, "credit2", 1, 1, 2 },      { "reboot", "until_ms=5", "credit2", 1, 2, 1 },
    { "hostile", "seed=77", "credit", 2, 2, 1 },
};

#define UNTIL MILLISECS(12)
#define MANY  2000 /* checkpoints */

struct scene {
    struct host *host;
    struct history *h;
    uint64_t hash, out; /* of all events, of all output, so far */
};

static void mix(uint64_t *hash, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ p[i]) * UINT64_C(0x100000001b3);
}

static void on_trace(void *data, const struct trace_record *rec)
{
    const size_t seq = sizeof(rec->seq); /* it counts records that were told, and is no state */

    mix(&((struct scene *)data)->hash, (const uint8_t *)rec + seq, trace_record_size(rec) - seq);
}

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    mix(&((struct scene *)data)->out, &domid, sizeof(domid));
    mix(&((struct scene *)data)->out, text, len);
}

static void begin(struct scene *sc, const struct setup *s)
{
    const struct host_config cfg = { .ram_mib = 64, .nr_pcpus = s->pcpus, .sched = s->sched, .quiet = true };
    const struct host_io io = { .data = sc, .console_out = on_out };
    const struct history_config history = { .limit_mib = 256 };
    char path[128], err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    snprintf(path, sizeof(path), "build/guests/%s", s->kernel);
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    sc->h = history_create(host_xen(sc->host)->machine, &history);
    assert_non_null(sc->h);
    host_trace(sc->host, on_trace, sc);
    for (unsigned int i = 0; i < s->guests; i++) {
        const struct host_guest g = {
            .kernel = path, .cmdline = s->cmdline, .memory_mib = 16, .vcpus = s->vcpus, .on_reboot = XL_ACTION_RESTART
        };
        domid_t domid;

        if (host_guest_add(sc->host, &g, &domid, err))
            fail_msg("%s", err);
        assert_int_equal(host_guest_start(sc->host, domid), 0);
    }
}

static void end(struct scene *sc)
{
    history_destroy(sc->h);
    host_destroy(sc->host);
}

static struct machine *machine(const struct scene *sc) { return host_xen(sc->host)->machine; }

/* So many instructions further; false: that was all. */
static bool run(struct scene *sc, struct position to)
{
    const bool no = false;
    const struct run_limit l = { .until = UNTIL, .at = to, .stop = &no };

    return host_run_to(sc->host, &l) == RUN_AT && host_guests_left(sc->host);
}

static void take(struct scene *sc, const struct setup *s)
{
    struct divergence d;

    if (!checkpoint_take(sc->h, &d))
        fail_msg("%s: another state at #%llu.%llu: %s %llx+%x %s", s->kernel, (unsigned long long)d.at.insns,
                 (unsigned long long)d.at.step, d.in_ram ? "frame" : "arena", (unsigned long long)mfn_x(d.mfn),
                 d.offset, d.place ? d.place : "");
    if (!history_is_whole(sc->h, &d))
        fail_msg("%s: %s %llx at #%llu was changed by somebody who did not say so", s->kernel,
                 d.in_ram ? "frame" : "arena", (unsigned long long)mfn_x(d.mfn), (unsigned long long)d.at.insns);
}

struct mark {
    struct checkpoint_info info;
    uint64_t hash, out;
};

static void all_changes_are_noticed(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        struct scene sc;
        unsigned int n = 1;

        begin(&sc, &setups[i]);
        take(&sc, &setups[i]);
        while (n < MANY && run(&sc, (struct position){ machine(&sc)->at.insns + 997 * n, 0 })) {
            take(&sc, &setups[i]);
            n++;
        }
        assert_true(n > 5);
        end(&sc);
    }
}

static void back_and_forth(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        static struct mark mark[MANY];
        struct scene sc;
        unsigned int n = 0;

        begin(&sc, &setups[i]);
        do {
            take(&sc, &setups[i]);
            mark[n++] = (struct mark){ history_info(sc.h, history_base(sc.h)), sc.hash, sc.out };
        } while (n < MANY && run(&sc, (struct position){ machine(&sc)->at.insns + 997 * n, n % 3 }));
        for (unsigned int from = n - 1, to; from; from = from / 3 * 2) {
            checkpoint_go(sc.h, from);
            sc.hash = mark[from].hash;
            sc.out = mark[from].out;
            for (to = from + 1; to < n; to++) {
                run(&sc, mark[to].info.at);
                take(&sc, &setups[i]);
                assert_int_equal(history_base(sc.h), to);
                if (sc.hash != mark[to].hash)
                    fail_msg("%s: other events up to #%llu", setups[i].kernel,
                             (unsigned long long)machine(&sc)->at.insns);
                assert_int_equal(sc.out, mark[to].out);
            }
        }
        end(&sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_changes_are_noticed),
        cmocka_unit_test(back_and_forth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
