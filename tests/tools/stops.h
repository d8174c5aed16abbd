// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tests of stops and of moves share: runs of some guests, in which it is known where guests were and what has
 * happened, and random stops there.
 */
#ifndef TESTS_TOOLS_STOPS_H
#define TESTS_TOOLS_STOPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "sim/walk.h"
#include "tests/support/random.h"
#include "tests/tools/runs.h"
#include "tools/debug/seek.h"
#include "vcpu/noun/domain.h"
#include "vcpu/noun/guest_abi.h"

static const struct run_setup setups[] = {
    { "rings", NULL, "credit", 1, 1, 1, NULL, 0, NULL },
    { "traps", NULL, "null", 1, 2, 1, NULL, 0, NULL },
    { "syscall", NULL, "rtds", 1, 1, 2, NULL, 0, NULL },
    { "pagetables", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "callbacks", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "smp", NULL, "credit2", 2, 2, 1, NULL, 0, NULL },
    { "smp", NULL, "credit", 4, 3, 1, NULL, 0, NULL },
    { "store", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "grants", NULL, "credit2", 1, 1, 2, NULL, 0, NULL },
    { "balloon", NULL, "credit2", 1, 1, 1, NULL, 0, NULL },
    { "reboot", "until_ms=5", "credit2", 1, 2, 1, NULL, 0, NULL },
    { "hostile", "seed=77", "credit", 2, 2, 1, NULL, 0, NULL },
    { "../assets/grub-x86_64-xen.bin", NULL, "credit2", 1, 1, 1, NULL, 64, NULL },
    { "../assets/grub-i386-xen.bin", NULL, "credit2", 1, 1, 1, NULL, 64, NULL }, /* a PV32 guest */
};

#define UNTIL       RUN_UNTIL_NS
#define MAX_INSNS   150000 /* of a run, that are looked at one by one */
#define MAX_STOPS   6
#define MAX_SAMPLES 4096

/* Where a vCPU once was. */
struct sample {
    domid_t dom;
    unsigned int vcpu;
    uint64_t rip, rsp;
};

struct scene {
    const struct run_setup *setup;
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
    unsigned int twice; /* instructions of two accesses that were watched */
};

static inline const struct run_state *loop(struct scene *sc) { return &host_xen(sc->host)->run; }

static inline struct position here(const struct scene *sc) { return sc->rw.m->at; }

static inline void go(struct scene *sc, struct position at)
{
    char err[REWIND_ERR_SIZE];

    if (rewind_goto(&sc->rw, at, &(const bool){ false }, err))
        fail_msg("%s: %s", sc->setup->kernel, err);
}

/* Is a guest about to execute? What it has no time for is for another position. */
static inline bool is_about(struct scene *sc)
{
    return loop(sc)->phase == RUN_GUEST && (loop(sc)->left || !loop(sc)->exact);
}

static inline void begin(struct scene *sc, const struct run_setup *s, uint64_t seed)
{
    const struct run_limit l = { .until = UNTIL, .at = { MAX_INSNS, 0 }, .stop = &sc->interrupt };
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &sc->interrupt };
    const struct host_io io = { .data = sc };
    char err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->setup = s;
    sc->prng = seed;
    sc->host = run_begin(s, &io, 128, NULL, NULL);
    if (rewind_begin(&sc->rw, sc->host, 64, err))
        fail_msg("%s", err);
    sc->rw.every = 9973;
    rewind_run(&sc->rw, &first);
    sc->begin = here(sc);
    rewind_run(&sc->rw, &l);
    sc->end = here(sc);
    debugger_begin(&sc->d, &sc->rw, &sc->interrupt);
}

static inline void end(struct scene *sc)
{
    debugger_end(&sc->d);
    rewind_finish(&sc->rw);
    host_destroy(sc->host);
}

static inline struct sample sample_of(const struct vcpu *v)
{
    return (struct sample){ v->domain->domain_id, v->vcpu_id, v->regs->rip, v->regs->rsp };
}

/* Where guests come in again the hypervisor has written to their stacks, perhaps. */
static inline void note_event(void *data, const struct trace_record *rec)
{
    struct scene *sc = data;

    if (rec->event == TRC_resume && sc->nr_bounced < MAX_SAMPLES && rec->arg[1] != TRACE_RESUME_SCHEDULED)
        sc->bounced[sc->nr_bounced++] = sample_of(loop(sc)->v);

    if (sc->nr_events < MAX_SAMPLES && random_of(&sc->prng, 3) == 0)
        sc->events[sc->nr_events++] = (uint8_t)rec->event;
}

/* Places to stop at: some that are used. */
static inline void look_around(struct scene *sc)
{
    go(sc, sc->begin);
    host_trace(sc->host, note_event, sc);
    while (position_is_before(here(sc), sc->end) && sc->nr_samples < MAX_SAMPLES) {
        const struct run_limit l = { .until = STIME_MAX,
                                     .at = { here(sc).insns + 1 + random_of(&sc->prng, 97), 0 },
                                     .stop = &sc->interrupt };

        if (rewind_run(&sc->rw, &l) != RUN_AT)
            break;
        if (is_about(sc))
            sc->samples[sc->nr_samples++] = sample_of(loop(sc)->v);
    }
    host_trace(sc->host, NULL, NULL);
    assert_true(sc->nr_samples > 10); /* GRUB has few events */
}

/* --- a random stop --- */

static inline const char *some_condition(struct scene *sc, enum debug_kind kind)
{
    static const char *const conditions[] = { "mode==kernel",        "mode==user || dom==1", "%rax&1",
                                              "%rsp>%rip && vcpu<2", "u64[%rsp]!=0",         "u8[v:%rip]>=0x48" };

    return random_of(&sc->prng, 2) || kind == DEBUG_TRACE ? NULL
                                                          : conditions[random_of(&sc->prng, ARRAY_SIZE(conditions))];
}

/* Where the machine has it at the moment. */
static inline bool machine_address(struct scene *sc, const struct sample *s, uint64_t va, uint64_t *maddr)
{
    const struct domain *dom = host_xen(sc->host)->domain_of[s->dom];
    struct page_walk w;

    if (!dom || !dom->vcpu[s->vcpu] || !mfn_valid(sc->rw.m, dom->vcpu[s->vcpu]->pv.guest_table) ||
        !machine_walk(sc->rw.m, dom->vcpu[s->vcpu]->pv.guest_table, va, &w))
        return false;
    *maddr = w.phys;
    return true;
}

static inline void some_watch(struct scene *sc, const struct sample *s, struct debug_stop *stop)
{
    static const uint64_t lens[] = { 1, 2, 4, 8, 8, 24, 64, 4096, 9000 };
    uint64_t va = random_of(&sc->prng, 2) ? s->rsp - 32 + random_of(&sc->prng, 96)
                                          : (s->rip & ~UINT64_C(4095)) + random_of(&sc->prng, 65536);
    uint64_t maddr;

    stop->access = random_of(&sc->prng, 2) ? DEBUG_CHANGED : (enum debug_access)random_of(&sc->prng, 3);
    stop->len = lens[random_of(&sc->prng, ARRAY_SIZE(lens))];
    stop->addr = va;
    if (random_of(&sc->prng, 3) || !machine_address(sc, s, va, &maddr))
        return;
    stop->space = LOOK_MACHINE;
    stop->addr = maddr;
    if (random_of(&sc->prng, 2) && host_xen(sc->host)->m2p[maddr >> PAGE_SHIFT] < (1 << 20)) {
        stop->space = LOOK_PHYSICAL;
        stop->addr = host_xen(sc->host)->m2p[maddr >> PAGE_SHIFT] << PAGE_SHIFT | PAGE_OFFSET(maddr);
    }
}

static inline void some_stop(struct scene *sc)
{
    const bool bounced = sc->nr_bounced && random_of(&sc->prng, 2);
    const struct sample *s = bounced ? &sc->bounced[random_of(&sc->prng, sc->nr_bounced)]
                                     : &sc->samples[random_of(&sc->prng, sc->nr_samples)];
    struct debug_stop stop = { .dom = s->dom, .vcpu = s->vcpu };
    char err[EXPR_ERR_SIZE];

    switch (sc->nr_events ? random_of(&sc->prng, 5) : 2 * random_of(&sc->prng, 3)) {
    case 0:
        stop.kind = DEBUG_BREAK;
        stop.addr = s->rip;
        break;
    case 1:
        stop.kind = DEBUG_TRACE;
        stop.event = (enum trace_event)sc->events[random_of(&sc->prng, sc->nr_events)];
        break;
    default: stop.kind = DEBUG_WATCH; some_watch(sc, s, &stop);
    }
    if (stop.kind == DEBUG_WATCH && sc->d.stops.nr && random_of(&sc->prng, 2)) { /* an instruction may read and write */
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

#endif
