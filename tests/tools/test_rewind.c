// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run is visited in random order: wherever one goes, what happens from there on is what has happened there at first,
 * event for event; where checkpoints are, the state is what it was; at some positions it is what it was when nobody had
 * gone anywhere; what was said is not said again.
 *
 *      test_rewind [JUMPS]     10,000, of all runs together; `make jumps` does a million
 *
 * Budget: the scene is that of all; a case a kind of run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/support/random.h"
#include "tests/tools/runs.h"
#include "tools/debug/look.h"
#include "tools/rewind/rewind.h"

struct event {
    struct position at;
    uint64_t hash;
};

/* What the machine was at a position, by look_hash(). */
struct mark {
    struct position at;
    uint64_t hash;
};

#define MARKS 32

struct scene {
    const struct run_setup *setup;
    struct host *host;
    struct rewind rw;
    uint64_t prng, said;
    struct event *events; /* of the run, in order */
    size_t nr, cap;
    bool learning;
    size_t next; /* not learning: the one that is to come */
    struct mark marks[MARKS];
};

#ifdef __SANITIZE_ADDRESS__
static unsigned int jumps = 1000;
#else
static unsigned int jumps = 10000;
#endif

static void on_trace(void *data, const struct trace_record *rec)
{
    struct scene *sc = data;
    struct event e = { sc->rw.m->at, 0 };

    run_mix_record(&e.hash, rec);
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
    run_mix(&sc->said, text, len);
}

static void on_end(void *data, domid_t domid, int reason)
{
    const struct scene *sc = data;

    assert_true(sc->learning);
}

static void begin(struct scene *sc, const struct run_setup *s, unsigned int mib, uint64_t every)
{
    const struct host_io io = { .data = sc, .console_out = on_out, .guest_ended = on_end };
    char err[REWIND_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->setup = s;
    sc->learning = true;
    sc->host = run_begin(s, &io, s->ramdisk ? 512 : 128, NULL, NULL);
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

/* The run as it is for the first time, until then or as far as it goes; looked at after each `turn`. */
static void live(struct scene *sc, s_time_t until, s_time_t turn)
{
    const char *input = sc->setup->input;
    const bool no = false;
    s_time_t now = 0;

    while (now < until) {
        const struct run_limit l = { .until = now += turn, .at = { .insns = UINT64_MAX }, .stop = &no };
        const enum run_result r = rewind_run(&sc->rw, &l);
        char err[REWIND_ERR_SIZE];

        expect_no_divergence(sc);
        if (input && *input && host_console_wants_input(sc->host, 0)) {
            const size_t len = strcspn(input, "\n") + 1;

            assert_int_equal(rewind_hand_in(&sc->rw, JOURNAL_CONSOLE, 0, input, len, now, err), 0);
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
    struct position at = sc->events[random_of(&sc->prng, sc->nr)].at;

    switch (random_of(&sc->prng, 4)) {
    case 0: at = (struct position){ random_of(&sc->prng, sc->rw.end.insns + 1), 0 }; break;
    case 1: at.step -= at.step > 0; break;
    case 2: at.insns -= at.insns > 0; break;
    default: break;
    }
    return position_is_before(sc->rw.end, at) || position_is_before(at, rewind_first(&sc->rw)) ? sc->rw.end : at;
}

static int by_position(const void *a, const void *b)
{
    const struct position *x = a, *y = b;

    return position_is_before(*x, *y) ? -1 : position_is_before(*y, *x);
}

/* From its beginning the run is gone through once more; marks are at its end, and at random on the way. */
static void mark(struct scene *sc)
{
    const bool no = false;
    char err[REWIND_ERR_SIZE];

    host_trace(sc->host, NULL, NULL);
    sc->marks[0] = (struct mark){ sc->rw.m->at, look_hash(sc->host) };
    for (size_t i = 1; i < MARKS; i++)
        sc->marks[i].at = anywhere(sc);
    qsort(sc->marks + 1, MARKS - 1, sizeof(sc->marks[0]), by_position);
    assert_int_equal(rewind_goto(&sc->rw, rewind_first(&sc->rw), &no, err), 0);
    for (size_t i = 1; i < MARKS; i++) {
        const struct run_limit l = { .until = STIME_MAX, .at = sc->marks[i].at, .stop = &no };

        rewind_run(&sc->rw, &l);
        expect_no_divergence(sc);
        sc->marks[i] = (struct mark){ sc->rw.m->at, look_hash(sc->host) };
    }
}

static void go(struct scene *sc, struct position at)
{
    const bool no = false;
    char err[REWIND_ERR_SIZE];

    host_trace(sc->host, NULL, NULL);
    if (rewind_goto(&sc->rw, at, &no, err))
        fail_msg("%s: to #%llu.%llu of #%llu.%llu: %s", sc->setup->kernel, (unsigned long long)at.insns,
                 (unsigned long long)at.step, (unsigned long long)sc->rw.end.insns, (unsigned long long)sc->rw.end.step,
                 err);
    expect_no_divergence(sc);
}

/* The machine is what it was there. */
static void visit_mark(struct scene *sc)
{
    const struct mark *m = &sc->marks[random_of(&sc->prng, MARKS)];

    go(sc, m->at);
    assert_memory_equal(&sc->rw.m->at, &m->at, sizeof(m->at));
    if (look_hash(sc->host) != m->hash)
        fail_msg("%s: not what it was at #%llu.%llu", sc->setup->kernel, (unsigned long long)m->at.insns,
                 (unsigned long long)m->at.step);
}

static void visit(struct scene *sc, unsigned int nr)
{
    const bool no = false;

    mark(sc);
    for (unsigned int i = 0; i < nr; i++) {
        struct run_limit l = { .until = STIME_MAX, .at = anywhere(sc), .stop = &no };

        if (i % 32 == 0) {
            visit_mark(sc);
            continue;
        }
        go(sc, l.at);
        if (position_is_before(sc->rw.m->at, l.at) && position_is_before(sc->rw.m->at, sc->rw.end))
            assert_int_equal(host_xen(sc->host)->run.phase, RUN_GUEST); /* in front of its next instruction */
        sc->next = event_behind(sc, sc->rw.m->at);
        host_trace(sc->host, on_trace, sc);
        l.at = random_of(&sc->prng, 32) ? (struct position){ sc->rw.m->at.insns + random_of(&sc->prng, 2000), 0 }
                                        : anywhere(sc);
        if (position_is_before(sc->rw.end, l.at))
            l.at = sc->rw.end;
        rewind_run(&sc->rw, &l);
        expect_no_divergence(sc);
        assert_int_equal(sc->next, event_behind(sc, sc->rw.m->at));
    }
}

static void in_any_order(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        struct scene sc;

        if (!run_is_there(&run_setups[i]))
            continue;
        begin(&sc, &run_setups[i], 64, 20000);
        live(&sc, RUN_UNTIL_NS, MICROSECS(100));
        visit(&sc, jumps / ARRAY_SIZE(run_setups) + 1);
        print_message("%s: %llu instructions, visited %zu times\n", sc.setup->kernel,
                      (unsigned long long)sc.rw.end.insns, jumps / ARRAY_SIZE(run_setups) + 1);
        end(&sc);
    }
}

struct ports {
    unsigned int nr;
    uint64_t frames;
};

static void count_port(void *data, const struct host_port *p)
{
    struct ports *ports = data;

    ports->nr++;
    ports->frames += p->in;
}

static void expect_ports(const struct scene *sc, unsigned int nr, uint64_t frames)
{
    struct ports ports = { 0 };

    host_ports_each(sc->host, count_port, &ports);
    assert_int_equal(ports.nr, nr);
    assert_true(ports.frames >= frames);
}

/* Cards are taken away and given, by command, while frames are on their way: it goes back over that, too. */
static void cards_come_and_go(void **state)
{
    static const struct {
        s_time_t at;
        const char *words;
        size_t len;
    } commands[] = {
#define COMMAND(us, words) { MICROSECS(us), words, sizeof(words) }
        COMMAND(6000, "network-detach\0-f\0002\0000"),
        COMMAND(6400, "network-attach\0002\0bridge=lan"),
        COMMAND(6500, "network-attach\0001\0bridge=other"),
        COMMAND(7200, "network-detach\0-f\0001\0000"),
#undef COMMAND
    };
    static const struct run_setup setup = { "netecho", "n=100000 depth=9", "credit2", 1, 1, 2, NULL, 0, NULL };
    char err[REWIND_ERR_SIZE];
    struct scene sc;

    begin(&sc, &setup, 64, 20000);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        live(&sc, commands[i].at, MICROSECS(50));
        expect_ports(&sc, i ? 1 : 2, i ? 0 : 50);
        sc.learning = true;
        assert_int_equal(
            rewind_hand_in(&sc.rw, JOURNAL_CTL, i + 1, commands[i].words, commands[i].len, host_now(sc.host), err), 0);
    }
    live(&sc, RUN_UNTIL_NS, MICROSECS(50));
    assert_int_equal(sc.rw.journal.nr, ARRAY_SIZE(commands));
    expect_ports(&sc, 0, 0);
    visit(&sc, jumps / 50);
    end(&sc);
}

/* After all that it goes on as a run that was never left. */
static void and_then_on(void **state)
{
    const struct run_limit far = { .until = 2 * RUN_UNTIL_NS,
                                   .at = { .insns = UINT64_MAX },
                                   .stop = &(const bool){ false } };

    for (size_t i = 0; i < ARRAY_SIZE(run_setups); i++) {
        struct scene straight, visited;
        char err[REWIND_ERR_SIZE];

        if (!run_is_there(&run_setups[i]))
            continue;
        begin(&straight, &run_setups[i], 64, 1000000);
        live(&straight, RUN_UNTIL_NS, MICROSECS(100));
        straight.learning = true;
        rewind_run(&straight.rw, &far);
        begin(&visited, &run_setups[i], 64, 20000);
        live(&visited, RUN_UNTIL_NS, MICROSECS(100));
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

/*
 * Linux to a shell, which answers, and to its panic; back to its first instruction; forward, every instruction again.
 */
static void linux_and_back(void **state)
{
    static const char typed[] = "echo $((6 * 7))\nps | grep -c .\nseq 1000 | sort -n | tail -n 1\n"
                                "echo c > /proc/sysrq-trigger\n";
    struct run_setup linux_typed = run_linux;
    const bool no = false;
    struct run_limit l = { .until = STIME_MAX, .stop = &no };
    uint64_t first, last;
    struct scene sc;

#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    if (!run_is_there(&run_linux))
        skip();
    linux_typed.input = typed;
    begin(&sc, &linux_typed, REWIND_HISTORY_MIB, REWIND_EVERY);
    first = look_hash(sc.host);
    live(&sc, SECONDS(60), MILLISECS(1));
    assert_true(host_now(sc.host) < SECONDS(60));
    assert_int_equal(sc.rw.journal.nr, 4);
    assert_int_equal(host_guests_left(sc.host), 0);
    last = look_hash(sc.host);
    l.at = sc.rw.end;
    go(&sc, rewind_first(&sc.rw));
    assert_int_equal(sc.rw.m->at.insns, 0);
    assert_int_equal(look_hash(sc.host), first);
    sc.next = 0;
    host_trace(sc.host, on_trace, &sc);
    rewind_run(&sc.rw, &l);
    expect_no_divergence(&sc);
    assert_int_equal(sc.next, sc.nr);
    assert_int_equal(look_hash(sc.host), last);
    end(&sc);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_order),
        cmocka_unit_test(cards_come_and_go),
        cmocka_unit_test(and_then_on),
        cmocka_unit_test(linux_and_back),
    };

    if (argc > 1)
        jumps = (unsigned int)strtoul(argv[1], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
