// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stops of all kinds, random ones, in runs of guests: what is found forward is found backward; and, where it can be
 * told, what is found by looking at the machine at every position that there is. Whatever stops it, the run has the
 * trace that it has when nobody stops it.
 *
 * Budget: one machine is looked at in three ways, and what is found must be comparable.
 */
#include "tests/tools/stops.h"

#define MAX_HITS 30

struct hit {
    unsigned int id;
    struct position before, after;
    uint64_t old, new;
};

#define LIMIT (MAX_HITS + MAX_STOPS)
struct hits {
    struct hit hit[LIMIT + MAX_STOPS];
    unsigned int nr;
};

/* To the next position that there is. */
static void next_position(struct scene *sc)
{
    const struct run_limit l = { .until = STIME_MAX,
                                 .at = { here(sc).insns + (loop(sc)->phase == RUN_GUEST), 0 },
                                 .stop = &(const bool){ false },
                                 .each_step = true };
    struct run_limit step = l;

    if (loop(sc)->phase != RUN_GUEST)
        step.at = (struct position){ UINT64_MAX, 0 };
    rewind_run(&sc->rw, &step);
}

/* --- finding, in three ways --- */

static void keep(struct scene *sc, struct hits *to)
{
    for (unsigned int i = 0; i < sc->d.nr_hits; i++) {
        const struct debug_hit *h = &sc->d.hits[i];

        to->hit[to->nr++] = (struct hit){ h->stop->id, h->before, h->after, h->old, h->new };
    }
}

static void find_forward(struct scene *sc, struct hits *to)
{
    to->nr = 0;
    go(sc, sc->from);
    sc->d.limit = UNTIL;
    sc->until = sc->end;
    while (debugger_continue(&sc->d) == DEBUG_THERE && !position_is_before(sc->end, here(sc))) {
        keep(sc, to);
        if (to->nr >= MAX_HITS) {
            sc->until = here(sc);
            break;
        }
    }
}

static void find_backward(struct scene *sc, struct hits *to)
{
    enum debug_result r;

    to->nr = 0;
    while (to->nr < LIMIT && (r = debugger_reverse_continue(&sc->d)) == DEBUG_THERE &&
           !position_is_before(here(sc), sc->from))
        keep(sc, to);
}

/* A watch of what changes, by a copy. */
struct shadow {
    struct debug_stop *stop;
    bool there[4];
    uint64_t maddr[4];
    uint8_t bytes[4][PAGE_SIZE];
};

static uint64_t part_addr(const struct debug_stop *s, unsigned int n)
{
    return n ? ((s->addr >> PAGE_SHIFT) + n) << PAGE_SHIFT : s->addr;
}

static uint64_t part_len(const struct debug_stop *s, unsigned int n)
{
    const uint64_t at = part_addr(s, n), end = s->addr + s->len, next = (at & PAGE_MASK) + PAGE_SIZE;

    return at >= end ? 0 : (end < next ? end : next) - at;
}

static void shadow_take(struct scene *sc, struct shadow *w)
{
    for (unsigned int n = 0; n < 4; n++) {
        const struct debug_stop *s = w->stop;
        const struct sample who = { .dom = s->dom, .vcpu = s->vcpu };
        const uint64_t at = part_addr(s, n);

        w->there[n] = part_len(s, n);
        if (!w->there[n])
            continue;
        if (s->space == LOOK_MACHINE)
            w->maddr[n] = at;
        else if (s->space == LOOK_VIRTUAL)
            w->there[n] = machine_address(sc, &who, at, &w->maddr[n]);
        else
            w->there[n] = look_machine_address(sc->host, s->dom, s->vcpu, LOOK_PHYSICAL, at, &w->maddr[n]);
        w->there[n] = w->there[n] && mfn_valid(sc->rw.m, _mfn(PFN_DOWN(w->maddr[n])));
        if (w->there[n])
            memcpy(w->bytes[n], sc->rw.m->ram + w->maddr[n], part_len(s, n));
    }
}

static bool shadow_differs(struct scene *sc, const struct shadow *w)
{
    for (unsigned int n = 0; n < 4; n++)
        if (w->there[n] && memcmp(w->bytes[n], sc->rw.m->ram + w->maddr[n], part_len(w->stop, n)))
            return true;
    return false;
}

struct events {
    struct scene *sc;
    struct hits *to;
};

static void on_event(void *data, const struct trace_record *rec)
{
    struct events *e = data;
    struct debug_stops *s = &e->sc->d.stops;

    for (size_t i = 0; i < s->nr; i++) {
        struct hit *last = e->to->nr ? &e->to->hit[e->to->nr - 1] : NULL;

        if (s->list[i]->kind != DEBUG_TRACE || s->list[i]->event != rec->event || e->to->nr == LIMIT)
            continue;
        for (; last && last >= e->to->hit && is_at(last->after, here(e->sc)); last--)
            if (last->id == s->list[i]->id)
                break;
        if (!last || last < e->to->hit || last->id != s->list[i]->id || !is_at(last->after, here(e->sc)))
            e->to->hit[e->to->nr++] = (struct hit){ s->list[i]->id, here(e->sc), here(e->sc), 0, 0 };
    }
}

/* By looking at every position. Reads and writes of what was there cannot be seen so. */
static void find_by_looking(struct scene *sc, struct hits *to)
{
    struct events e = { sc, to };
    static struct shadow shadows[MAX_STOPS];
    unsigned int nr = 0;

    to->nr = 0;
    go(sc, sc->from);
    host_trace(sc->host, on_event, &e);
    for (size_t i = 0; i < sc->d.stops.nr; i++)
        if (sc->d.stops.list[i]->kind == DEBUG_WATCH && sc->d.stops.list[i]->access != DEBUG_READ)
            shadows[nr++].stop = sc->d.stops.list[i];
    while (position_is_before(here(sc), sc->until) && to->nr < LIMIT) {
        const struct position before = here(sc);
        const enum run_phase phase = loop(sc)->phase;
        const struct vcpu *v = loop(sc)->v;

        for (size_t i = 0; is_about(sc) && i < sc->d.stops.nr && to->nr < LIMIT; i++)
            if (stop_is_at(sc->d.stops.list[i], v))
                to->hit[to->nr++] = (struct hit){ sc->d.stops.list[i]->id, before, before, 0, 0 };
        for (unsigned int i = 0; i < nr; i++)
            shadow_take(sc, &shadows[i]);
        next_position(sc);
        if (is_at(before, here(sc)))
            break;
        if (phase == RUN_TURN)
            v = loop(sc)->phase == RUN_TURN ? NULL : loop(sc)->v;
        for (unsigned int i = 0; i < nr && to->nr < LIMIT; i++)
            if (shadow_differs(sc, &shadows[i]) && stop_holds_of(shadows[i].stop, v))
                to->hit[to->nr++] = (struct hit){ shadows[i].stop->id, before, here(sc), 0, 0 };
    }
    host_trace(sc->host, NULL, NULL);
}

/* --- comparing --- */

static int by_id_and_place(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return position_is_before(x->after, y->after) ? -1 : position_is_before(y->after, x->after) ? 1 : 0;
}

static const char *stop_text(struct scene *sc, unsigned int id, char text[128])
{
    for (size_t i = 0; i < sc->d.stops.nr; i++) {
        const struct debug_stop *s = sc->d.stops.list[i];

        if (s->id == id)
            snprintf(text, 128, "%u kind %d space %d d%uv%u 0x%llx,%llu access %d event %s if %s", id, s->kind,
                     s->space, s->dom, s->vcpu, (unsigned long long)s->addr, (unsigned long long)s->len, s->access,
                     trace_event_name(s->event), s->text ?: "-");
    }
    return text;
}

static void drop_those_at_the_ends(struct scene *sc, struct hits *h)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < h->nr; i++)
        if (position_is_before(h->hit[i].before, sc->until) && position_is_before(sc->from, h->hit[i].after))
            h->hit[n++] = h->hit[i];
    h->nr = n;
}

/* Of those that `which` says. */
static void compare(struct scene *sc, const char *what, struct hits *a, struct hits *b,
                    bool (*which)(const struct debug_stop *s))
{
    char text[128];

    drop_those_at_the_ends(sc, a);
    drop_those_at_the_ends(sc, b);
    qsort(a->hit, a->nr, sizeof(a->hit[0]), by_id_and_place);
    qsort(b->hit, b->nr, sizeof(b->hit[0]), by_id_and_place);
    for (size_t n = 0; n < sc->d.stops.nr; n++) {
        const struct debug_stop *s = sc->d.stops.list[n];
        unsigned int i = 0, k = 0;

        if (!which(s))
            continue;
        while (i < a->nr && a->hit[i].id != s->id)
            i++;
        while (k < b->nr && b->hit[k].id != s->id)
            k++;
        for (; (i < a->nr && a->hit[i].id == s->id) || (k < b->nr && b->hit[k].id == s->id); i++, k++) {
            const struct hit *x = i < a->nr && a->hit[i].id == s->id ? &a->hit[i] : NULL;
            const struct hit *y = k < b->nr && b->hit[k].id == s->id ? &b->hit[k] : NULL;

            if (!x || !y || !is_at(x->before, y->before) || !is_at(x->after, y->after))
                fail_msg("%s: %s: stop %s: #%llu.%llu-#%llu.%llu and #%llu.%llu-#%llu.%llu", sc->setup->kernel, what,
                         stop_text(sc, s->id, text), (unsigned long long)(x ? x->before.insns : 0),
                         (unsigned long long)(x ? x->before.step : 0), (unsigned long long)(x ? x->after.insns : 0),
                         (unsigned long long)(x ? x->after.step : 0), (unsigned long long)(y ? y->before.insns : 0),
                         (unsigned long long)(y ? y->before.step : 0), (unsigned long long)(y ? y->after.insns : 0),
                         (unsigned long long)(y ? y->after.step : 0));
            sc->found[s->kind]++;
        }
    }
}

static bool any(const struct debug_stop *s) { return true; }

static bool can_be_seen(const struct debug_stop *s) { return s->kind != DEBUG_WATCH || s->access == DEBUG_CHANGED; }

/* Who writes something else writes. */
static void expect_written(struct scene *sc, const struct hits *found, const struct hits *changes)
{
    for (unsigned int i = 0; i < changes->nr; i++) {
        bool there = false;
        char text[128];

        for (unsigned int k = 0; k < found->nr; k++)
            there |= found->hit[k].id == changes->hit[i].id && is_at(found->hit[k].before, changes->hit[i].before);
        if (!there)
            fail_msg("%s: stop %s has not seen #%llu.%llu", sc->setup->kernel, stop_text(sc, changes->hit[i].id, text),
                     (unsigned long long)changes->hit[i].before.insns, (unsigned long long)changes->hit[i].before.step);
    }
}

static struct hits forward, backward, seen;

static void trial(struct scene *sc)
{
    const unsigned int nr = random_of(&sc->prng, 2) ? 1 : 1 + (unsigned int)random_of(&sc->prng, MAX_STOPS);

    go(sc, sc->begin);
    if (random_of(&sc->prng, 2))
        go(sc, (struct position){ sc->begin.insns + random_of(&sc->prng, sc->end.insns - sc->begin.insns),
                                  random_of(&sc->prng, 5) });
    sc->from = here(sc);
    for (unsigned int i = 0; i < nr; i++)
        some_stop(sc);
    find_forward(sc, &forward);
    go(sc, sc->until);
    find_backward(sc, &backward);
    compare(sc, "forward and backward", &forward, &backward, any);
    find_by_looking(sc, &seen);
    compare(sc, "forward and by looking", &forward, &seen, can_be_seen);
    expect_written(sc, &forward, &seen);
    while (sc->d.stops.nr)
        stops_delete(&sc->d.stops, sc->d.stops.list[0]->id);
}

static void all_ways(void **state)
{
    const char *more = getenv("STOPS_TRIALS"), *seed = getenv("STOPS_SEED");
    const unsigned int trials = more ? (unsigned int)atoi(more) : 6;
    unsigned int found[4] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        static struct scene sc;

        if (!run_is_there(&setups[i]))
            continue;
        begin(&sc, &setups[i], (seed ? strtoull(seed, NULL, 0) : 1) * 1000 + i);
        look_around(&sc);
        for (unsigned int n = 0; n < trials; n++)
            trial(&sc);
        for (unsigned int k = 0; k < 4; k++)
            found[k] += sc.found[k];
        if (more)
            print_message("%s: %u breakpoints, %u watches, %u events: %u, %u, %u hits\n", setups[i].kernel,
                          sc.trials[DEBUG_BREAK], sc.trials[DEBUG_WATCH], sc.trials[DEBUG_TRACE], sc.found[DEBUG_BREAK],
                          sc.found[DEBUG_WATCH], sc.found[DEBUG_TRACE]);
        end(&sc);
    }
    assert_true(found[DEBUG_BREAK] > 20 && found[DEBUG_WATCH] > 20 && found[DEBUG_TRACE] > 20);
}

/* --- whatever stops a run, its trace is the one of the run that nobody stops --- */

struct telling {
    const struct scene *sc;
    uint64_t hash, records;
};

static void trace_add(void *data, const struct trace_record *rec)
{
    struct telling *t = data;

    if (!position_is_before(here(t->sc), t->sc->end))
        return;
    run_mix_record(&t->hash, rec);
    t->records++;
}

static void trace_log(void *data, const struct debug_stop *stop, const struct trace_record *rec)
{
    trace_add(data, rec);
}

static struct telling trace_of_plain(struct scene *sc, const struct run_setup *s, uint64_t *hash)
{
    struct telling t = { .sc = sc };

    begin(sc, s, 1);
    go(sc, sc->begin);
    host_trace(sc->host, trace_add, &t);
    rewind_run(&sc->rw, &(struct run_limit){ .until = STIME_MAX, .at = sc->end, .stop = &sc->interrupt });
    host_trace(sc->host, NULL, NULL);
    *hash = look_hash(sc->host);
    end(sc);
    return t;
}

/* Everything is logged: so the debugger tells of each event as it happens. */
static unsigned int trace_of_stopped(struct scene *sc, const struct run_setup *s, uint64_t seed, struct telling *t)
{
    unsigned int stopped = 0;
    char err[EXPR_ERR_SIZE];

    begin(sc, s, seed);
    look_around(sc);
    for (unsigned int e = 0; e < TRC_NR; e++)
        assert_non_null(stops_add(&sc->d.stops, &(struct debug_stop){ .kind = DEBUG_LOG, .event = (enum trace_event)e },
                                  NULL, err));
    for (unsigned int i = 0; i < MAX_STOPS; i++)
        some_stop(sc);
    *t = (struct telling){ .sc = sc };
    sc->d.log = trace_log;
    sc->d.log_data = t;
    sc->d.limit = UNTIL;
    go(sc, sc->begin);
    while (stopped < 300 && debugger_continue(&sc->d) == DEBUG_THERE && position_is_before(here(sc), sc->end))
        stopped++;
    while (sc->d.stops.nr > TRC_NR)
        stops_delete(&sc->d.stops, sc->d.stops.list[TRC_NR]->id);
    if (position_is_before(here(sc), sc->end))
        debugger_continue(&sc->d);
    go(sc, sc->end);
    return stopped;
}

static void traces(void **state)
{
    unsigned int stopped = 0;

    for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
        static struct scene sc;
        struct telling plain, t;
        uint64_t hash;

        if (!run_is_there(&setups[i]))
            continue;
        plain = trace_of_plain(&sc, &setups[i], &hash);
        for (uint64_t n = 0; n < 2; n++) {
            stopped += trace_of_stopped(&sc, &setups[i], 700 + 10 * i + n, &t);
            if (t.records != plain.records || t.hash != plain.hash || look_hash(sc.host) != hash)
                fail_msg("%s: %llu records, and not %llu, or others, or another end", setups[i].kernel,
                         (unsigned long long)t.records, (unsigned long long)plain.records);
            end(&sc);
        }
    }
    print_message("stopped %u times\n", stopped);
    assert_true(stopped > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways),
        cmocka_unit_test(traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
