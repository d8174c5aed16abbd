// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever stops a machine to look around changes nothing: the events of a run that is stopped at every step, at every
 * so many instructions, at times, are those of the run that is not, to the last bit; and all outputs as well.
 *
 * That is also so when at each stop the engine forgets all that it knows, registers, page tables, which vCPU it was
 * running: all there is of a machine is in its arena and in its RAM. (The TLB never knows what page tables do not say.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/machine.h"
#include "tests/tools/runs.h"
#include "tools/debug/look.h"

struct scene {
    struct host *host;
    s_time_t until;
    uint64_t hash, records, out, stops;
    bool heard;   /* something has happened since the last stop */
    bool forgets; /* the engine, at each stop */
};

static void on_trace(void *data, const struct trace_record *rec)
{
    struct scene *sc = data;

    sc->heard = true;
    if (rec->time >= RUN_UNTIL_NS) /* the end lies between any two steps behind it */
        return;
    run_mix(&sc->hash, rec, trace_record_size(rec));
    sc->records++;
}

static void on_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct scene *sc = data;

    run_mix(&sc->out, &domid, sizeof(domid));
    run_mix(&sc->out, text, len);
}

static void begin(struct scene *sc, const struct run_setup *s)
{
    const struct host_io io = { .data = sc, .console_out = on_out };

    memset(sc, 0, sizeof(*sc));
    sc->until = s == &run_linux ? SECONDS(1) : RUN_UNTIL_NS;
    sc->host = run_begin(s, &io, s == &run_linux ? 512 : 128, on_trace, sc);
}

static struct position here(const struct scene *sc) { return host_xen(sc->host)->machine->at; }

/* How a run is stopped: the next limit, from where it is now. */
typedef struct run_limit next_fn(const struct scene *sc, const bool *no);

static struct run_limit not_at_all(const struct scene *sc, const bool *no)
{
    return (struct run_limit){ .until = sc->until, .at = { .insns = UINT64_MAX }, .stop = no };
}

/* A step further; if a guest runs, which takes none until it comes out, some instructions. */
static struct run_limit every_step(const struct scene *sc, const bool *no)
{
    const struct position at = here(sc);
    const bool runs = host_xen(sc->host)->run.phase == RUN_GUEST;

    return (struct run_limit){ .until = sc->until,
                               .at = runs ? (struct position){ at.insns + 61, 0 }
                                          : (struct position){ at.insns, at.step + 1 },
                               .stop = no };
}

/* At each event, by whoever listens. */
static struct run_limit at_events(const struct scene *sc, const bool *no)
{
    return (struct run_limit){ .until = sc->until, .at = { .insns = UINT64_MAX }, .stop = &sc->heard };
}

/* Of few instructions, which stands in a loop, and as many steps as there are on the way. */
static struct run_limit every_few(const struct scene *sc, const bool *no)
{
    return (struct run_limit){ .until = sc->until, .at = { here(sc).insns + 1 + sc->stops % 7, 0 }, .stop = no };
}

static struct run_limit every_thousand(const struct scene *sc, const bool *no)
{
    return (struct run_limit){ .until = sc->until, .at = { here(sc).insns + 997, sc->stops % 3 }, .stop = no };
}

static struct run_limit every_hundred_thousand(const struct scene *sc, const bool *no)
{
    return (struct run_limit){ .until = sc->until, .at = { here(sc).insns + 99991, sc->stops % 3 }, .stop = no };
}

static struct run_limit by_time(const struct scene *sc, const bool *no)
{
    const s_time_t at = host_now(sc->host) + 1 + (s_time_t)(sc->stops * 7919 % 5000);

    return (struct run_limit){ .until = at < sc->until ? at : sc->until, .at = { .insns = UINT64_MAX }, .stop = no };
}

/* In one of four cases it only writes down what it has. */
static void forget(struct machine *m, uint64_t stop)
{
    assert_true(machine_tlb_agrees(m));
    pcpu_sync(m);
    if (stop % 4)
        pcpu_forget(m);
}

/* Until all has been said. stops: at most so many, and then not any more. */
static void run(struct scene *sc, next_fn *next, uint64_t stops)
{
    const bool no = false;
    s_time_t asked = 0;

    for (;;) {
        struct run_limit l = sc->stops < stops ? next(sc, &no) : not_at_all(sc, &no);
        enum run_result r;

        if (l.until < asked) /* nobody runs, and time stands still */
            l.until = asked + 1000 < sc->until ? asked + 1000 : sc->until;
        asked = l.until;
        sc->heard = false;
        if (sc->forgets)
            forget(host_xen(sc->host)->machine, sc->stops);
        r = host_run_on(sc->host, &l);
        if (r == RUN_IDLE || host_guests_left(sc->host) == 0 || (r == RUN_UNTIL && l.until == sc->until))
            return;
        sc->stops++;
    }
}

static void expect_same(const struct run_setup *s, const struct scene *plain, const char *how, next_fn *next,
                        uint64_t stops, bool forgets)
{
    struct scene sc;

    begin(&sc, s);
    sc.forgets = forgets;
    run(&sc, next, stops);
    if (sc.hash != plain->hash || sc.out != plain->out || here(&sc).insns != here(plain).insns)
        fail_msg("%s, %s: %llu records instead of %llu, or others (%llu stops)", s->kernel, how,
                 (unsigned long long)sc.records, (unsigned long long)plain->records, (unsigned long long)sc.stops);
    assert_true(sc.stops > 10);
    host_destroy(sc.host);
}

static const struct {
    const char *how;
    next_fn *next;
    uint64_t stops; /* at most */
    bool forgets;
} ways[] = {
    { "stopped at every step", every_step, UINT64_MAX, false },
    { "stopped at every event", at_events, UINT64_MAX, false },
    { "stopped every few instructions", every_few, 50000, false },
    { "stopped every 997 instructions", every_thousand, UINT64_MAX, false },
    { "stopped by time", by_time, UINT64_MAX, false },
    { "forgotten at every step", every_step, 5000, true },
    { "forgotten at every event", at_events, 5000, true },
    { "forgotten every few instructions", every_few, 2000, true },
    { "forgotten every 997 instructions", every_thousand, UINT64_MAX, true },
};

#ifdef __SANITIZE_ADDRESS__ /* each run in three of the nine ways, and each way with a third of the runs */
#define SAMPLED true
#else
#define SAMPLED false
#endif

static void stops_change_nothing(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        const struct run_setup *s = &run_setups[i];
        struct scene plain;

        if (!run_is_there(s))
            continue;
        begin(&plain, s);
        run(&plain, not_at_all, 0);
        assert_true(plain.records > 50);
        for (size_t way = 0; way < ARRAY_SIZE(ways); way++)
            if (!SAMPLED || (i + way) % 3 == 0)
                expect_same(s, &plain, ways[way].how, ways[way].next, ways[way].stops, ways[way].forgets);
        host_destroy(plain.host);
    }
}

/* Nor does listening: memory, registers and time are what they would be if nobody had. */
static void listening_changes_nothing(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        struct scene heard, unheard;

        if (!run_is_there(&run_setups[i]))
            continue;
        begin(&heard, &run_setups[i]);
        run(&heard, not_at_all, 0);
        begin(&unheard, &run_setups[i]);
        host_trace(unheard.host, NULL, NULL);
        run(&unheard, not_at_all, 0);
        assert_true(heard.records > 50 && unheard.records < heard.records);
        assert_int_equal(unheard.out, heard.out);
        if (look_hash(unheard.host) != look_hash(heard.host))
            fail_msg("%s: another machine when nobody listens", run_setups[i].kernel);
        host_destroy(unheard.host);
        host_destroy(heard.host);
    }
}

static void linux_forgotten(void **state)
{
    struct scene plain;

    if (!run_is_there(&run_linux))
        skip();
    begin(&plain, &run_linux);
    run(&plain, not_at_all, 0);
    expect_same(&run_linux, &plain, "forgotten every 100,000 instructions", every_hundred_thousand, UINT64_MAX, true);
    host_destroy(plain.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stops_change_nothing),
                                        cmocka_unit_test(listening_changes_nothing),
                                        cmocka_unit_test(linux_forgotten) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
