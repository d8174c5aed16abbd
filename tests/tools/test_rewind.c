// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run is visited in random order: wherever one goes, what happens from there on is what has happened there at first,
 * event for event; where checkpoints are, the state is what it was; what was said is not said again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rewind/rewind.h"
#include "vcpu/noun/xen.h"

struct setup {
    const char *kernel, *cmdline, *sched;
    unsigned int vcpus, pcpus, guests;
    const char *input; /* a line at a time, whenever the first guest has read all; or NULL */
};

static const struct setup setups[] = {
    { "hello", NULL, "credit2", 1, 1, 1, NULL },
    { "rings", NULL, "credit", 1, 1, 1, NULL },
    { "traps", NULL, "null", 1, 2, 1, NULL },
    { "syscall", NULL, "rtds", 1, 1, 2, NULL },
    { "pagetables", NULL, "credit2", 1, 1, 1, NULL },
    { "callbacks", NULL, "credit2", 1, 1, 1, NULL },
    { "smp", NULL, "credit2", 3, 2, 1, NULL },
    { "smp", NULL, "credit", 4, 3, 1, NULL },
    { "clock", NULL, "credit2", 2, 2, 2, NULL },
    { "store", NULL, "credit2", 1, 1, 1, NULL },
    { "grants", NULL, "credit2", 1, 1, 2, NULL },
    { "debugregs", NULL, "credit2", 1, 1, 1, NULL },
    { "reboot", "until_ms=5", "credit2", 1, 2, 1, NULL },
    { "echo", NULL, "credit2", 1, 1, 1, "one\nword\nand then\nanother\n" },
    { "hostile", "seed=77", "credit", 2, 2, 1, NULL },
    { "hostile", "seed=78", "credit2", 1, 1, 1, NULL },
};

#define UNTIL MILLISECS(12)

struct event {
    struct position at;
    uint64_t hash;
};

struct scene {
    const struct setup *setup;
    struct host *host;
    struct rewind rw;
    uint64_t prng, said;
    struct event *events; /* of the run, in order */
    size_t nr, cap;
    bool learning;
    size_t next; /* not learning: the one that is to come */
};

static uint64_t random_to(struct scene *sc, uint64_t n)
{
    sc->prng = sc->prng * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (sc->prng >> 20) % n;
}

static uint64_t mixed(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void on_trace(void *data, const struct trace_record *rec)
{
    struct scene *sc = data;
    const size_t seq = sizeof(rec->seq); /* counts anew with each sink */
    const struct event e = { sc->rw.m->at, mixed(0, (const uint8_t *)rec + seq, trace_record_size(rec) - seq) };

    if (!sc->learning) {
        const struct event *was = &sc->events[sc->next++];

        if (sc->next > sc->nr || was->hash != e.hash || memcmp(&was->at, &e.at, sizeof(e.at)))
            fail_msg("%s: another event at #%llu.%llu", sc->setup->kernel, (unsigned long long)e.at.insns,
                     (unsigned long long)e.at.step);
        return;
    }
    if (sc->nr == sc->cap) {
        sc->cap = sc->cap ? 2 * sc->cap : 4096;
        sc->events = reallocarray(sc->events, sc->cap, sizeof(e));
        assert_non_null(sc->events);
    }
    sc->events[sc->nr++] = e;
}

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct scene *sc = data;

    assert_true(sc->learning);
    sc->said = mixed(sc->said, text, len);
}

static void on_end(void *data, domid_t domid, int reason)
{
    const struct scene *sc = data;

    assert_true(sc->learning);
}

static void begin(struct scene *sc, const struct setup *s, unsigned int mib, uint64_t every)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = s->pcpus, .sched = s->sched, .quiet = true };
    const struct host_io io = { .data = sc, .console_out = on_out, .guest_ended = on_end };
    char path[128], err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->setup = s;
    sc->learning = true;
    snprintf(path, sizeof(path), "build/guests/%s", s->kernel);
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    for (unsigned int i = 0; i < s->guests; i++) {
        const struct host_guest g = {
            .kernel = path, .cmdline = s->cmdline, .memory_mib = 16, .vcpus = s->vcpus, .on_reboot = XL_ACTION_RESTART
        };
        domid_t domid;

        if (host_guest_add(sc->host, &g, &domid, err))
            fail_msg("%s", err);
        assert_int_equal(host_guest_start(sc->host, domid), 0);
    }
    if (rewind_begin(&sc->rw, sc->host, mib, err))
        fail_msg("%s", err);
    sc->rw.every = every;
    host_trace(sc->host, on_trace, sc);
}

static void end(struct scene *sc)
{
    rewind_finish(&sc->rw);
    host_trace(sc->host, NULL, NULL);
    host_destroy(sc->host);
    free(sc->events);
}

static void expect_no_divergence(const struct scene *sc)
{
    if (sc->rw.err[0])
        fail_msg("%s: %s", sc->setup->kernel, sc->rw.err);
}

/* The run as it is for the first time. */
static void live(struct scene *sc)
{
    const char *input = sc->setup->input;
    const bool no = false;
    s_time_t now = 0;

    while (now < UNTIL) {
        const struct run_limit l = { .until = now += MICROSECS(100), .at = { .insns = UINT64_MAX }, .stop = &no };
        const enum run_result r = rewind_run(&sc->rw, &l);
        char err[REWIND_ERR_SIZE];

        expect_no_divergence(sc);
        if (input && *input && host_console_wants_input(sc->host, 0)) {
            const size_t len = strcspn(input, "\n") + 1;

            assert_int_equal(rewind_input(&sc->rw, 0, input, len, now, err), 0);
            input += len;
        } else if (r == RUN_IDLE || r == RUN_STOP) {
            break;
        }
    }
    sc->learning = false;
    assert_true(sc->nr > 50);
}

/* The first event behind a position; those of a step have the position behind it. */
static size_t event_behind(const struct scene *sc, struct position at)
{
    size_t lo = 0, hi = sc->nr;

    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;

        if (position_is_before(at, sc->events[mid].at))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Positions of events are as good as any, and those around them. */
static struct position anywhere(struct scene *sc)
{
    struct position at = sc->events[random_to(sc, sc->nr)].at;

    switch (random_to(sc, 4)) {
    case 0: at = (struct position){ random_to(sc, sc->rw.end.insns + 1), 0 }; break;
    case 1: at.step -= at.step > 0; break;
    case 2: at.insns -= at.insns > 0; break;
    default: break;
    }
    return position_is_before(sc->rw.end, at) || position_is_before(at, rewind_first(&sc->rw)) ? sc->rw.end : at;
}

static void visit(struct scene *sc, unsigned int jumps)
{
    const bool no = false;

    for (unsigned int i = 0; i < jumps; i++) {
        struct run_limit l = { .until = STIME_MAX, .at = anywhere(sc), .stop = &no };
        char err[REWIND_ERR_SIZE];

        host_trace(sc->host, NULL, NULL);
        if (rewind_goto(&sc->rw, l.at, &no, err))
            fail_msg("%s: to #%llu.%llu of #%llu.%llu: %s", sc->setup->kernel, (unsigned long long)l.at.insns,
                     (unsigned long long)l.at.step, (unsigned long long)sc->rw.end.insns,
                     (unsigned long long)sc->rw.end.step, err);
        expect_no_divergence(sc);
        if (position_is_before(sc->rw.m->at, l.at) && position_is_before(sc->rw.m->at, sc->rw.end))
            assert_int_equal(host_xen(sc->host)->run.phase, RUN_GUEST); /* in front of its next instruction */
        sc->next = event_behind(sc, sc->rw.m->at);
        host_trace(sc->host, on_trace, sc);
        l.at = random_to(sc, 8) ? (struct position){ sc->rw.m->at.insns + random_to(sc, 2000), 0 } : anywhere(sc);
        if (position_is_before(sc->rw.end, l.at))
            l.at = sc->rw.end;
        rewind_run(&sc->rw, &l);
        expect_no_divergence(sc);
        assert_int_equal(sc->next, event_behind(sc, sc->rw.m->at));
    }
}

static void in_any_order(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        struct scene sc;

        begin(&sc, &setups[i], 64, 20000);
        live(&sc);
        visit(&sc, 200);
        end(&sc);
    }
}

/* After all that it goes on as a run that was never left. */
static void and_then_on(void **state)
{
    const struct run_limit far = { .until = 2 * UNTIL, .at = { .insns = UINT64_MAX }, .stop = &(const bool){ false } };

    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        struct scene straight, visited;
        char err[REWIND_ERR_SIZE];

        begin(&straight, &setups[i], 64, 1000000);
        live(&straight);
        straight.learning = true;
        rewind_run(&straight.rw, &far);
        begin(&visited, &setups[i], 64, 20000);
        live(&visited);
        visit(&visited, 20);
        host_trace(visited.host, NULL, NULL);
        assert_int_equal(rewind_goto(&visited.rw, visited.rw.end, &(const bool){ false }, err), 0);
        assert_true(rewind_is_live(&visited.rw));
        visited.learning = true;
        host_trace(visited.host, on_trace, &visited);
        rewind_run(&visited.rw, &far);
        assert_int_equal(visited.nr, straight.nr);
        assert_memory_equal(visited.events, straight.events, straight.nr * sizeof(*straight.events));
        assert_int_equal(visited.said, straight.said);
        end(&straight);
        end(&visited);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_order),
        cmocka_unit_test(and_then_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
