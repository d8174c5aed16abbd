// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stops of all kinds, random ones, in runs of toy guests: what is found forward is found backward; and, where it can be
 * told, what is found by looking at the machine at every position that there is.
 *
 * Budget: one machine is looked at in three ways, and what is found must be comparable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/walk.h"
#include "tools/debug/seek.h"
#include "vcpu/noun/domain.h"

struct setup {
    const char *kernel, *cmdline, *sched;
    unsigned int vcpus, pcpus, guests;
};

static const struct setup setups[] = {
    { "rings", NULL, "credit", 1, 1, 1 },
    { "traps", NULL, "null", 1, 2, 1 },
    { "syscall", NULL, "rtds", 1, 1, 2 },
    { "pagetables", NULL, "credit2", 1, 1, 1 },
    { "callbacks", NULL, "credit2", 1, 1, 1 },
    { "smp", NULL, "credit2", 2, 2, 1 },
    { "smp", NULL, "credit", 4, 3, 1 },
    { "store", NULL, "credit2", 1, 1, 1 },
    { "grants", NULL, "credit2", 1, 1, 2 },
    { "balloon", NULL, "credit2", 1, 1, 1 },
    { "reboot", "until_ms=5", "credit2", 1, 2, 1 },
    { "hostile", "seed=77", "credit", 2, 2, 1 },
};

#define UNTIL       MICROSECS(3200) /* dom0 takes 2.6 ms to be there */
#define MAX_INSNS   150000          /* of a run, that are looked at one by one */
#define MAX_STOPS   6
#define MAX_HITS    30
#define MAX_SAMPLES 4096

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

/* Where a vCPU once was. */
struct sample {
    domid_t dom;
    unsigned int vcpu;
    uint64_t rip, rsp;
};

struct scene {
    const struct setup *setup;
    struct host *host;
    struct rewind rw;
    struct debugger d;
    struct position begin, end;
    bool interrupt;
    uint64_t prng;
    struct sample samples[MAX_SAMPLES];
    unsigned int nr_samples;
    struct sample bounced[MAX_SAMPLES]; /* where guests have come in again */
    unsigned int nr_bounced;
    uint8_t events[MAX_SAMPLES]; /* that there were */
    unsigned int nr_events;
    struct position from, until; /* of a trial */
    unsigned int trials[4], found[4];
};

static uint64_t random_to(struct scene *sc, uint64_t n)
{
    sc->prng = sc->prng * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (sc->prng >> 20) % n;
}

static const struct run_state *loop(struct scene *sc) { return &host_xen(sc->host)->run; }

static struct position here(const struct scene *sc) { return sc->rw.m->at; }

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

static void go(struct scene *sc, struct position at)
{
    char err[REWIND_ERR_SIZE];

    if (rewind_goto(&sc->rw, at, &(const bool){ false }, err))
        fail_msg("%s: %s", sc->setup->kernel, err);
}

/* Is a guest about to execute? What it has no time for is for another position. */
static bool is_about(struct scene *sc) { return loop(sc)->phase == RUN_GUEST && (loop(sc)->left || !loop(sc)->exact); }

static void begin(struct scene *sc, const struct setup *s, uint64_t seed)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = s->pcpus, .sched = s->sched, .quiet = true };
    const struct run_limit l = { .until = UNTIL, .at = { MAX_INSNS, 0 }, .stop = &sc->interrupt };
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &sc->interrupt };
    const struct host_io io = { .data = sc };
    char path[128], err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->setup = s;
    sc->prng = seed;
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
    if (rewind_begin(&sc->rw, sc->host, 64, err))
        fail_msg("%s", err);
    sc->rw.every = 9973;
    rewind_run(&sc->rw, &first);
    sc->begin = here(sc);
    rewind_run(&sc->rw, &l);
    sc->end = here(sc);
    debugger_begin(&sc->d, &sc->rw, &sc->interrupt);
}

static void end(struct scene *sc)
{
    debugger_end(&sc->d);
    rewind_finish(&sc->rw);
    host_destroy(sc->host);
}

static struct sample sample_of(const struct vcpu *v)
{
    return (struct sample){ v->domain->domain_id, v->vcpu_id, v->regs->rip, v->regs->rsp };
}

/* Where guests come in again the hypervisor has written to their stacks, perhaps. */
static void note_event(void *data, const struct trace_record *rec)
{
    struct scene *sc = data;

    if (rec->event == TRC_resume && sc->nr_bounced < MAX_SAMPLES && rec->arg[1] != TRACE_RESUME_SCHEDULED)
        sc->bounced[sc->nr_bounced++] = sample_of(loop(sc)->v);

    if (sc->nr_events < MAX_SAMPLES && random_to(sc, 3) == 0)
        sc->events[sc->nr_events++] = (uint8_t)rec->event;
}

/* Places to stop at: some that are used. */
static void look_around(struct scene *sc)
{
    go(sc, sc->begin);
    host_trace(sc->host, note_event, sc);
    while (position_is_before(here(sc), sc->end) && sc->nr_samples < MAX_SAMPLES) {
        const struct run_limit l = { .until = STIME_MAX,
                                     .at = { here(sc).insns + 1 + random_to(sc, 97), 0 },
                                     .stop = &sc->interrupt };

        if (rewind_run(&sc->rw, &l) != RUN_AT)
            break;
        if (is_about(sc))
            sc->samples[sc->nr_samples++] = sample_of(loop(sc)->v);
    }
    host_trace(sc->host, NULL, NULL);
    assert_true(sc->nr_samples > 10 && sc->nr_events > 10);
}

/* --- a random stop --- */

static const char *some_condition(struct scene *sc, enum debug_kind kind)
{
    static const char *const conditions[] = { "mode==kernel",        "mode==user || dom==1", "%rax&1",
                                              "%rsp>%rip && vcpu<2", "u64[%rsp]!=0",         "u8[v:%rip]>=0x48" };

    return random_to(sc, 2) || kind == DEBUG_TRACE ? NULL : conditions[random_to(sc, ARRAY_SIZE(conditions))];
}

/* Where the machine has it at the moment. */
static bool machine_address(struct scene *sc, const struct sample *s, uint64_t va, uint64_t *maddr)
{
    const struct domain *dom = host_xen(sc->host)->domain_of[s->dom];
    struct page_walk w;

    if (!dom || !dom->vcpu[s->vcpu] || !mfn_valid(sc->rw.m, dom->vcpu[s->vcpu]->pv.guest_table) ||
        !machine_walk(sc->rw.m, dom->vcpu[s->vcpu]->pv.guest_table, va, &w))
        return false;
    *maddr = w.phys;
    return true;
}

static void some_watch(struct scene *sc, const struct sample *s, struct debug_stop *stop)
{
    static const uint64_t lens[] = { 1, 2, 4, 8, 8, 24, 64, 4096, 9000 };
    uint64_t va =
        random_to(sc, 2) ? s->rsp - 32 + random_to(sc, 96) : (s->rip & ~UINT64_C(4095)) + random_to(sc, 65536);
    uint64_t maddr;

    stop->access = random_to(sc, 2) ? DEBUG_CHANGED : (enum debug_access)random_to(sc, 3);
    stop->len = lens[random_to(sc, ARRAY_SIZE(lens))];
    stop->addr = va;
    if (random_to(sc, 3) || !machine_address(sc, s, va, &maddr))
        return;
    stop->space = LOOK_MACHINE;
    stop->addr = maddr;
    if (random_to(sc, 2) && host_xen(sc->host)->m2p[maddr >> PAGE_SHIFT] < (1 << 20)) {
        stop->space = LOOK_PHYSICAL;
        stop->addr = host_xen(sc->host)->m2p[maddr >> PAGE_SHIFT] << PAGE_SHIFT | PAGE_OFFSET(maddr);
    }
}

static void some_stop(struct scene *sc)
{
    const bool bounced = sc->nr_bounced && random_to(sc, 2);
    const struct sample *s =
        bounced ? &sc->bounced[random_to(sc, sc->nr_bounced)] : &sc->samples[random_to(sc, sc->nr_samples)];
    struct debug_stop stop = { .dom = s->dom, .vcpu = s->vcpu };
    char err[EXPR_ERR_SIZE];

    switch (random_to(sc, 5)) {
    case 0:
        stop.kind = DEBUG_BREAK;
        stop.addr = s->rip;
        break;
    case 1:
        stop.kind = DEBUG_TRACE;
        stop.event = (enum trace_event)sc->events[random_to(sc, sc->nr_events)];
        break;
    default: stop.kind = DEBUG_WATCH; some_watch(sc, s, &stop);
    }
    if (stop.kind == DEBUG_WATCH && sc->d.stops.nr && random_to(sc, 2)) { /* an instruction may read and write */
        const struct debug_stop *last = sc->d.stops.list[sc->d.stops.nr - 1];

        if (last->kind == DEBUG_WATCH) {
            stop.space = last->space;
            stop.addr = last->addr;
            stop.dom = last->dom;
            stop.vcpu = last->vcpu;
        }
    }
    if (!stops_add(&sc->d.stops, &stop, some_condition(sc, stop.kind), err))
        fail_msg("%s", err);
    sc->trials[stop.kind]++;
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
    const unsigned int nr = random_to(sc, 2) ? 1 : 1 + (unsigned int)random_to(sc, MAX_STOPS);

    go(sc, sc->begin);
    if (random_to(sc, 2))
        go(sc, (struct position){ sc->begin.insns + random_to(sc, sc->end.insns - sc->begin.insns), random_to(sc, 5) });
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

/* Calls are gone over, out of and into as by single steps. */
static unsigned int a_call(struct scene *sc)
{
    const struct sample *s = &sc->samples[random_to(sc, sc->nr_samples)];
    const struct vcpu *v;
    struct position origin, behind;
    unsigned int len, inside;
    uint64_t rip, rsp;
    char text[96];

    go(sc, sc->begin);
    go(sc, (struct position){ sc->begin.insns + random_to(sc, sc->end.insns - sc->begin.insns), 0 });
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways),
        cmocka_unit_test(calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
