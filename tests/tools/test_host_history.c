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

#include "sim/checkpoint.h"
#include "sim/ram_hash.h"
#include "tests/tools/runs.h"

#define MANY  2000 /* checkpoints */
#define EVERY 3000 /* likewise, of the run that has one at each position */

struct scene {
    struct host *host;
    struct history *h;
    uint64_t hash, out; /* of all events, of all output, so far */
};

static void on_trace(void *data, const struct trace_record *rec) { run_mix_record(&((struct scene *)data)->hash, rec); }

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    run_mix(&((struct scene *)data)->out, &domid, sizeof(domid));
    run_mix(&((struct scene *)data)->out, text, len);
}

static void begin(struct scene *sc, const struct run_setup *s)
{
    const struct host_io io = { .data = sc, .console_out = on_out };
    const struct history_config history = { .limit_mib = 256 };

    memset(sc, 0, sizeof(*sc));
    sc->host = run_begin(s, &io, 128, on_trace, sc);
    sc->h = history_create(host_xen(sc->host)->machine, &history);
    assert_non_null(sc->h);
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
    const struct run_limit l = { .until = RUN_UNTIL_NS, .at = to, .stop = &no };

    return host_run_on(sc->host, &l) == RUN_AT && host_guests_left(sc->host);
}

static void take(struct scene *sc, const struct run_setup *s)
{
    struct divergence d;

    if (!checkpoint_take(sc->h, &d))
        fail_msg("%s: another state at #%llu.%llu: %s %llx+%x %s", s->kernel, (unsigned long long)d.at.insns,
                 (unsigned long long)d.at.step, d.in_ram ? "frame" : "arena", (unsigned long long)mfn_x(d.mfn),
                 d.offset, d.place ? d.place : "");
}

static void expect_whole(struct scene *sc, const struct run_setup *s)
{
    struct divergence d;

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
    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        struct scene sc;
        unsigned int n = 1;

        if (!run_is_there(&run_setups[i]))
            continue;
        begin(&sc, &run_setups[i]);
        take(&sc, &run_setups[i]);
        while (n < MANY && run(&sc, (struct position){ machine(&sc)->at.insns + 997 * n, 0 })) {
            expect_whole(&sc, &run_setups[i]);
            take(&sc, &run_setups[i]);
            n++;
        }
        assert_true(n > 5);
        expect_whole(&sc, &run_setups[i]);
        end(&sc);
    }
}

static void back_and_forth(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        static struct mark mark[MANY];
        struct scene sc;
        unsigned int n = 0;

        if (!run_is_there(&run_setups[i]))
            continue;
        begin(&sc, &run_setups[i]);
        do {
            take(&sc, &run_setups[i]);
            mark[n++] = (struct mark){ history_info(sc.h, history_base(sc.h)), sc.hash, sc.out };
        } while (n < MANY && run(&sc, (struct position){ machine(&sc)->at.insns + 997 * n, n % 3 }));
        for (unsigned int from = n - 1, to; from; from = from / 3 * 2) {
            checkpoint_go(sc.h, from);
            sc.hash = mark[from].hash;
            sc.out = mark[from].out;
            for (to = from + 1; to < n; to++) {
                run(&sc, mark[to].info.at);
                take(&sc, &run_setups[i]);
                assert_int_equal(history_base(sc.h), to);
                if (sc.hash != mark[to].hash)
                    fail_msg("%s: other events up to #%llu", run_setups[i].kernel,
                             (unsigned long long)machine(&sc)->at.insns);
                assert_int_equal(sc.out, mark[to].out);
            }
        }
        end(&sc);
    }
}

/* The next position there is: behind a step, or, while the guest runs, behind an instruction. */
static struct position next_position(const struct scene *sc)
{
    const struct position at = machine(sc)->at;

    return host_xen(sc->host)->run.phase == RUN_GUEST ? (struct position){ at.insns + 1, 0 }
                                                      : (struct position){ at.insns, at.step + 1 };
}

/* A checkpoint at each position there is; then to any of them, and a few further from there. */
static void at_every_position(void **state)
{
    static const struct run_setup small = { "hello", NULL, "credit2", 1, 1, 1, NULL, 0, NULL };
    static uint64_t hash[EVERY];
    struct scene sc;
    size_t n = 0;

    begin(&sc, &small);
    do {
        take(&sc, &small);
        hash[n++] = sc.hash;
    } while (n < EVERY && run(&sc, next_position(&sc)));
    assert_true(n > 1000);
    assert_int_equal(history_nr(sc.h), n);
    for (size_t i = 0; i < n / 4; i++) {
        const size_t from = i * 7919 % n;

        checkpoint_go(sc.h, from);
        sc.hash = hash[from];
        for (size_t to = from + 1; to < n && to < from + 4; to++) {
            run(&sc, next_position(&sc));
            take(&sc, &small);
            assert_int_equal(history_base(sc.h), to);
            assert_int_equal(sc.hash, hash[to]);
        }
    }
    end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_changes_are_noticed),
        cmocka_unit_test(back_and_forth),
        cmocka_unit_test(at_every_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
