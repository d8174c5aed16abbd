// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves over calls and out of them, and over instructions that repeat themselves, both ways: they end where single
 * steps do. And whichever is left off, the machine is where it was.
 */
#include <signal.h>
#include <sys/time.h>

#include "tests/tools/stops.h"
#include "tools/debug/why.h"
#include "tools/rewind/input.h"

/* Calls are gone over, out of and into as by single steps. */
static unsigned int a_call(struct scene *sc)
{
    const struct sample *s = &sc->samples[random_of(&sc->prng, sc->nr_samples)];
    const struct vcpu *v;
    struct position origin, behind;
    unsigned int len, inside;
    uint64_t rip, rsp;
    char text[96];

    go(sc, sc->begin);
    go(sc, (struct position){ sc->begin.insns + random_of(&sc->prng, sc->end.insns - sc->begin.insns), 0 });
    sc->d.dom = s->dom;
    sc->d.vcpu = 0;
    v = debug_vcpu_of(&sc->d);
    for (unsigned int i = 0; i < 300; i++) { /* to a call */
        if (!v || !v->regs || debugger_step(&sc->d) != DEBUG_THERE || position_is_before(sc->end, here(sc)))
            return 0;
        len = look_insn(sc->host, s->dom, 0, v->regs->rip, text);
        if (len && !strncmp(text, "call", 4))
            break;
        if (i == 299)
            return 0;
    }
    origin = here(sc);
    rip = v->regs->rip + len;
    rsp = v->regs->rsp;
    for (inside = 0; v->regs->rip != rip || v->regs->rsp != rsp; inside++)
        if (inside > 2000 || debugger_step(&sc->d) != DEBUG_THERE || position_is_before(sc->end, here(sc)))
            return 0;
    behind = here(sc);
    go(sc, origin);
    assert_int_equal(debugger_over(&sc->d), DEBUG_THERE);
    if (!is_at(here(sc), behind))
        fail_msg("%s: over a call at #%llu to #%llu, not #%llu (rip 0x%llx, rsp 0x%llx; 0x%llx, 0x%llx)",
                 sc->setup->kernel, (unsigned long long)origin.insns, (unsigned long long)here(sc).insns,
                 (unsigned long long)behind.insns, (unsigned long long)v->regs->rip, (unsigned long long)v->regs->rsp,
                 (unsigned long long)rip, (unsigned long long)rsp);
    assert_int_equal(debugger_reverse_over(&sc->d), DEBUG_THERE);
    if (!is_at(here(sc), origin))
        fail_msg("%s: back over a call from #%llu to #%llu, not #%llu", sc->setup->kernel,
                 (unsigned long long)behind.insns, (unsigned long long)here(sc).insns,
                 (unsigned long long)origin.insns);
    assert_int_equal(debugger_step(&sc->d), DEBUG_THERE);
    assert_int_equal(debugger_reverse_finish(&sc->d), DEBUG_THERE);
    if (!is_at(here(sc), origin))
        fail_msg("%s: back out of a call to #%llu, not #%llu", sc->setup->kernel, (unsigned long long)here(sc).insns,
                 (unsigned long long)origin.insns);
    debugger_step(&sc->d);
    assert_int_equal(debugger_finish(&sc->d), DEBUG_THERE);
    if (!is_at(here(sc), behind))
        fail_msg("%s: out of a call to #%llu, not #%llu", sc->setup->kernel, (unsigned long long)here(sc).insns,
                 (unsigned long long)behind.insns);
    return 1;
}

static void calls(void **state)
{
    const char *more = getenv("STOPS_TRIALS");
    const unsigned int trials = more ? (unsigned int)atoi(more) : 6;
    unsigned int nr = 0;

    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        static struct scene sc;

        if (!run_is_there(&setups[i]))
            continue;
        begin(&sc, &setups[i], 500 + i);
        look_around(&sc);
        sc.d.limit = UNTIL;
        for (unsigned int n = 0; n < trials; n++)
            nr += a_call(&sc);
        end(&sc);
    }
    if (more)
        print_message("%u calls\n", nr);
    assert_true(nr > 10);
}

/* --- instructions that repeat themselves: each round is one --- */

#define ROUNDS 600

static bool repeats(struct scene *sc, const struct vcpu *v)
{
    char text[96];

    return look_insn(sc->host, v->domain->domain_id, v->vcpu_id, v->regs->rip, text) && !strncmp(text, "rep ", 4);
}

/* Over the next one of a few rounds at least, from its first: where each of *nr begins, and where the last one ends. */
static bool to_rounds(struct scene *sc, const struct vcpu *v, struct position round[ROUNDS], unsigned int *nr)
{
    const uint64_t mask = v->domain->abi->word == 4 ? UINT32_MAX : UINT64_MAX;
    bool before = true; /* it may be in the middle of one */
    uint64_t rip, rcx;

    for (unsigned int i = 0; before || !repeats(sc, v) || (v->regs->rcx & mask) < 4; i++) {
        before = repeats(sc, v);
        if (i == 3000 || debugger_step(&sc->d) != DEBUG_THERE || position_is_before(sc->end, here(sc)))
            return false;
    }
    rip = v->regs->rip;
    rcx = v->regs->rcx;
    for (*nr = 0; v->regs->rip == rip; ++*nr) {
        assert_true((v->regs->rcx & mask) == ((rcx - *nr) & mask));
        round[*nr] = here(sc);
        if (*nr == ROUNDS - 1 || debugger_step(&sc->d) != DEBUG_THERE)
            return false;
    }
    round[*nr] = here(sc);
    return true;
}

static void expect_here(struct scene *sc, const char *how, struct position at)
{
    if (!is_at(here(sc), at))
        fail_msg("%s: %s: #%llu.%llu and not #%llu.%llu", sc->setup->kernel, how, (unsigned long long)here(sc).insns,
                 (unsigned long long)here(sc).step, (unsigned long long)at.insns, (unsigned long long)at.step);
}

/* What is stored to is watched, from the first round to the last one that is looked at, and back. */
static unsigned int watch_rounds(struct scene *sc, const struct vcpu *v, const struct position *round, unsigned int nr)
{
    struct debug_stop stop = {
        .kind = DEBUG_WATCH, .access = DEBUG_WRITTEN, .dom = v->domain->domain_id, .len = 8 * ROUNDS
    };
    char err[EXPR_ERR_SIZE], text[96];
    const uint32_t stores = (uint32_t)v->regs->rcx; /* it may take a further round to see that there are no more */
    unsigned int n = 0, each = 1;

    look_insn(sc->host, stop.dom, v->vcpu_id, v->regs->rip, text);
    stop.addr = v->regs->rdi;
    assert_non_null(stops_add(&sc->d.stops, &stop, NULL, err));
    if (strstr(text, "movs")) { /* two accesses of one instruction, and a watch for each of them */
        stop.addr = v->regs->rsi;
        stop.access = DEBUG_READ;
        assert_non_null(stops_add(&sc->d.stops, &stop, NULL, err));
        each = 2;
    }
    stop.kind = DEBUG_BREAK;
    stop.addr = v->regs->rip;
    if (random_of(&sc->prng, 2)) /* and a reason to look there that comes to nothing */
        assert_non_null(stops_add(&sc->d.stops, &stop, "%rsp==1", err));
    while (n < nr && debugger_continue(&sc->d) == DEBUG_THERE && !position_is_before(round[nr], here(sc))) {
        expect_here(sc, "a round stores", round[++n]);
        assert_int_equal(sc->d.nr_hits, each);
    }
    assert_int_equal(n, stores);
    go(sc, round[n]);
    for (unsigned int k = n; k > 0; k--) {
        assert_int_equal(debugger_reverse_continue(&sc->d), DEBUG_THERE);
        expect_here(sc, "a round has stored", round[k - 1]);
        assert_int_equal(sc->d.nr_hits, each);
    }
    while (sc->d.stops.nr)
        stops_delete(&sc->d.stops, sc->d.stops.list[0]->id);
    sc->twice += each == 2 ? n : 0;
    return n;
}

static unsigned int some_rounds(struct scene *sc)
{
    struct position round[ROUNDS];
    const struct vcpu *v;
    unsigned int nr;

    go(sc, sc->begin);
    go(sc, (struct position){ sc->begin.insns + random_of(&sc->prng, sc->end.insns - sc->begin.insns), 0 });
    sc->d.dom = 1;
    sc->d.vcpu = 0;
    v = debug_vcpu_of(&sc->d);
    if (!v || !v->regs || !to_rounds(sc, v, round, &nr))
        return 0;
    for (unsigned int i = nr; i-- > 0;) {
        assert_int_equal(debugger_reverse_step(&sc->d), DEBUG_THERE);
        expect_here(sc, "a round back", round[i]);
    }
    for (unsigned int i = 0; i < nr; i += 1 + nr / 4) {
        go(sc, round[i]);
        assert_int_equal(debugger_over(&sc->d), DEBUG_THERE);
        expect_here(sc, "over all rounds", round[nr]);
        assert_int_equal(debugger_reverse_over(&sc->d), DEBUG_THERE);
        expect_here(sc, "back over all rounds", round[0]);
    }
    go(sc, round[0]);
    return watch_rounds(sc, v, round, nr);
}

/*
 * The round is made to store where nothing is: it has read what is watched, and is not completed, so that is no hit. A
 * breakpoint on it, for nothing, has its accesses looked at one by one. Another future: for the end.
 */
static unsigned int uncompleted(struct scene *sc)
{
    struct debug_stop stop = { .kind = DEBUG_WATCH, .access = DEBUG_READ, .dom = 1, .len = 8 };
    const uint64_t word[2] = { INPUT_REG_rdi, 0x10 };
    struct position round[ROUNDS];
    const struct vcpu *v;
    unsigned int nr;
    char err[EXPR_ERR_SIZE + REWIND_ERR_SIZE], text[96];

    go(sc, (struct position){ sc->begin.insns + random_of(&sc->prng, sc->end.insns - sc->begin.insns), 0 });
    v = debug_vcpu_of(&sc->d);
    if (!v || !v->regs || !to_rounds(sc, v, round, &nr))
        return 0;
    go(sc, round[0]);
    look_insn(sc->host, 1, 0, v->regs->rip, text);
    if (!strstr(text, "movs"))
        return 0;
    if (rewind_branch(&sc->rw, NULL, err) ||
        rewind_hand_in(&sc->rw, JOURNAL_REGISTER, TRACE_VCPU_ID(1, 0), word, sizeof(word), host_now(sc->host), err))
        fail_msg("%s", err);
    stop.addr = v->regs->rsi;
    assert_non_null(stops_add(&sc->d.stops, &stop, NULL, err));
    assert_non_null(
        stops_add(&sc->d.stops, &(struct debug_stop){ .kind = DEBUG_TRACE, .event = TRC_exit }, "vector==14", err));
    assert_int_equal(debugger_continue(&sc->d), DEBUG_THERE);
    assert_int_equal(sc->d.nr_hits, 1);
    assert_int_equal(sc->d.hits[0].stop->kind, DEBUG_TRACE);
    return 1;
}

static void rounds(void **state)
{
    unsigned int nr = 0, twice = 0, failed = 0;

    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        static struct scene sc;

        if (!run_is_there(&setups[i]))
            continue;
        begin(&sc, &setups[i], 900 + i);
        sc.d.limit = UNTIL;
        for (unsigned int n = 0; n < 8; n++)
            nr += some_rounds(&sc);
        twice += sc.twice;
        for (unsigned int n = 0; n < 8 && !uncompleted(&sc); n++)
            ;
        failed += sc.d.stops.nr > 0;
        end(&sc);
    }
    print_message("%u rounds, %u of them with two accesses, %u not completed\n", nr, twice, failed);
    assert_true(nr > 40 && twice > 10 && failed > 0);
}

/* --- Ctrl-C, while the machine moves --- */

static volatile bool *to_interrupt;

static void on_alarm(int sig) { *to_interrupt = true; }

static bool never(void *data, const struct trace_record *rec) { return false; }

static enum debug_result search_events(struct debugger *d, bool backward)
{
    struct seek s = { .d = d, .backward = backward, .match = never };

    return seek_go(&s);
}

static enum debug_result events_forward(struct debugger *d) { return search_events(d, false); }
static enum debug_result events_backward(struct debugger *d) { return search_events(d, true); }
static enum debug_result to_begin(struct debugger *d) { return debugger_goto(d, rewind_first(d->rw)); }
static enum debug_result to_end(struct debugger *d) { return debugger_goto(d, d->rw->end); }

static enum debug_result why_r15(struct debugger *d)
{
    struct why w;

    return why_register(d, "%r15", &w);
}

/*
 * Wherever it comes: the machine is where it was, and what it was; and when it comes too late, where it would be. How
 * long anything takes does not matter: sooner and sooner, until it was in time.
 */
static void interrupts(void **state)
{
    static const struct {
        const char *name;
        enum debug_result (*move)(struct debugger *d);
        bool stays; /* whatever comes of it */
    } moves[] = {
        { "continue", debugger_continue, false },
        { "reverse-continue", debugger_reverse_continue, false },
        { "finish", debugger_finish, false },
        { "reverse-finish", debugger_reverse_finish, false },
        { "to an event", events_forward, false },
        { "back to an event", events_backward, false },
        { "goto begin", to_begin, false },
        { "goto end", to_end, false },
        { "why", why_r15, true },
    };
    struct debug_stop stop = { .kind = DEBUG_WATCH, .access = DEBUG_WRITTEN, .dom = 1, .addr = 0x7000000000, .len = 8 };
    static struct scene sc;
    unsigned int in_time = 0;
    char err[EXPR_ERR_SIZE];

    begin(&sc, &setups[0], 1);
    sc.d.limit = UNTIL;
    sc.d.dom = 1;
    assert_non_null(stops_add(&sc.d.stops, &stop, NULL, err));
    to_interrupt = &sc.interrupt;
    signal(SIGALRM, on_alarm);
    for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
        for (suseconds_t us = 20000; us; us /= 2) {
            struct itimerval when = { .it_value = { 0, us } };
            struct position at;
            enum debug_result r;
            uint64_t hash;

            go(&sc, (struct position){ (sc.begin.insns + sc.end.insns) / 2, 1 });
            at = here(&sc);
            hash = look_hash(sc.host);
            setitimer(ITIMER_REAL, &when, NULL);
            r = moves[i].move(&sc.d);
            when.it_value.tv_usec = 0;
            setitimer(ITIMER_REAL, &when, NULL);
            sc.interrupt = false;
            if (r == DEBUG_ERROR)
                fail_msg("%s: %s", moves[i].name, sc.d.err);
            if ((r == DEBUG_INTERRUPTED || r == DEBUG_BEGIN || moves[i].stays) &&
                (!is_at(here(&sc), at) || look_hash(sc.host) != hash))
                fail_msg("%s is left off: #%llu.%llu", moves[i].name, (unsigned long long)here(&sc).insns,
                         (unsigned long long)here(&sc).step);
            if (r == DEBUG_INTERRUPTED && ++in_time)
                break;
        }
    print_message("%u of %zu moves were left off\n", in_time, ARRAY_SIZE(moves));
    assert_true(in_time > ARRAY_SIZE(moves) / 2);
    end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),
        cmocka_unit_test(rounds),
        cmocka_unit_test(interrupts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
