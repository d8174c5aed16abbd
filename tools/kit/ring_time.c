// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings in time: requests come by their workload's programs, and each step of a side takes a while.
 *
 * Concept: in a ring there are five things that may come next, each with its time: the end of a program's step, a
 * request, a step of the producer's, one of the consumer's, and the end of patience with a sleeper. The one that is
 * next of all rings' is done; then those that follow from it get their times.
 *
 * A producer that has something, and finds a free slot, puts all that waits and fits, and so tells of several at once.
 */
#include "tools/kit/ring.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

static uint64_t earliest(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* --- random numbers --- */

enum { OF_COMING, OF_COUNT, OF_MAKING, OF_STEP };

static uint64_t drawn(const struct ring_model *m, const struct ring_timed *t, unsigned int of, uint64_t nr,
                      const struct workload_range *in)
{
    const uint64_t who = (uint64_t)(t - m->ring) * 4 + of + 1;

    return workload_within(in, workload_stir(workload_stir(workload_stir(m->seed + 1) ^ who) ^ nr));
}

static uint64_t step_end(const struct ring_model *m, struct ring_timed *t)
{
    return m->now + drawn(m, t, OF_STEP, t->steps++, &m->step);
}

/* --- charts --- */

static struct ring_column *column(struct ring_model *m, struct ring_timed *of)
{
    while (m->now / m->width >= RING_COLUMNS) {
        for (struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++) {
            for (unsigned int i = 0; i < RING_COLUMNS / 2; i++) {
                const struct ring_column *a = &t->column[2 * i], *b = a + 1;

                t->column[i] = (struct ring_column){ a->most > b->most ? a->most : b->most,
                                                     a->notifications + b->notifications, a->lost + b->lost };
            }
            memset(t->column + RING_COLUMNS / 2, 0, sizeof(t->column) / 2);
        }
        m->width *= 2;
    }
    return &of->column[m->now / m->width];
}

/* So many were in its ring from when something happened there last until now. */
static void level(struct ring_model *m, struct ring_timed *t, uint32_t nr)
{
    column(m, t);
    for (uint64_t i = t->levelled / m->width; i <= m->now / m->width; i++)
        t->column[i].most = nr > t->column[i].most ? nr : t->column[i].most;
    t->levelled = m->now;
}

/* --- requests come --- */

static void come(struct ring_model *m, struct ring_timed *t, bool asked)
{
    const uint32_t at = (t->r.put + t->backlog) % RING_PLACES;

    if (!asked && t->backlog >= RING_BACKLOG) {
        t->dropped++;
        return;
    }
    t->born[at] = m->now;
    t->was_asked[at] = asked;
    t->backlog++;
}

/* The consumer asks for one more. */
static void ask(struct ring_model *m, struct ring_timed *t)
{
    t->r.asked++;
    if (!t->owed++)
        t->made_at = m->now + drawn(m, t, OF_MAKING, t->made++, &t->pace);
}

static void program_step_begin(struct ring_model *m, struct ring_timed *t)
{
    const struct ring_program_step *s = &t->step[t->now];
    uint64_t nr;

    t->ends_at = s->ns ? m->now + s->ns : RING_NEVER;
    t->comes_at = s->serves ? RING_NEVER : m->now + drawn(m, t, OF_COMING, t->came, &s->every);
    if (!s->serves)
        return;
    t->pace = s->every;
    nr = drawn(m, t, OF_COUNT, t->came++, &s->nr);
    while (t->r.asked < nr)
        ask(m, t);
}

static void requests_come(struct ring_model *m, struct ring_timed *t)
{
    const struct ring_program_step *s = &t->step[t->now];

    for (uint64_t nr = drawn(m, t, OF_COUNT, t->came++, &s->nr); nr; nr--) {
        if (s->asks) {
            const bool room = t->r.asked < RING_MAX_ASKED;

            t->awaited += room;
            t->r.asked += room;
        } else {
            come(m, t, t->awaited);
            t->awaited -= t->awaited > 0;
        }
    }
    if (s->once)
        t->ends_at = m->now;
    t->comes_at = s->once ? RING_NEVER : m->now + drawn(m, t, OF_COMING, t->came, &s->every);
}

static void request_made(struct ring_model *m, struct ring_timed *t)
{
    come(m, t, true);
    t->made_at = --t->owed ? m->now + drawn(m, t, OF_MAKING, t->made++, &t->pace) : RING_NEVER;
}

static void program_step_ends(struct ring_model *m, struct ring_timed *t)
{
    t->now = (t->now + 1) % t->nr_steps;
    program_step_begin(m, t);
}

/* --- the two sides --- */

static void producer_start(struct ring_model *m, struct ring_timed *t)
{
    if (t->r.producer != RING_P_IDLE || !t->backlog || t->r.prod - t->r.cons == t->slots)
        return;
    t->r.producer = RING_P_WRITE;
    t->producer_at = step_end(m, t);
}

static void producer_go(struct ring_model *m, struct ring_timed *t)
{
    struct ring *r = &t->r;
    const bool was_pending = r->pending, sends = r->producer == RING_P_SEND;

    if (r->producer == RING_P_WRITE) {
        const uint32_t n = (uint32_t)earliest(t->backlog, t->slots - (r->prod - r->cons));

        r->put += n;
        t->backlog -= n;
    }
    r->promised = t->backlog + t->owed + t->awaited;
    r->told.now = m->now;
    ring_producer_step(m, r);
    if (sends) {
        column(m, t)->notifications++;
        t->spent += t->cost;
        t->notified_at = was_pending ? t->notified_at : m->now + t->latency;
        if (r->consumer == RING_C_ASLEEP)
            t->consumer_at = t->notified_at;
    }
    t->producer_at = r->producer == RING_P_IDLE   ? RING_NEVER
                     : r->producer == RING_P_SEND ? m->now + t->cost
                                                  : step_end(m, t);
}

/* One was taken: number `index`. */
static void took(struct ring_model *m, struct ring_timed *t, uint32_t index)
{
    const uint64_t latency = m->now - t->born[index % RING_PLACES];

    t->last = m->now;
    t->worst = latency > t->worst ? latency : t->worst;
    if (t->r.taken > t->room) {
        t->room = t->room ? 2 * t->room : 1024;
        t->lasted = realloc(t->lasted, t->room * sizeof(*t->lasted));
        BUG_ON(!t->lasted);
    }
    t->lasted[t->r.taken - 1] = latency;
    if (!t->was_asked[index % RING_PLACES])
        return;
    t->r.asked--;
    if (t->step[t->now].serves && !t->over)
        ask(m, t);
}

static void consumer_go(struct ring_model *m, struct ring_timed *t)
{
    struct ring *r = &t->r;
    const enum ring_consumer was = r->consumer;

    if (was == RING_C_SLEEP && r->pending && m->now < t->notified_at) { /* sleeps until it arrives */
        t->consumer_at = t->notified_at;
        return;
    }
    r->told.now = m->now;
    ring_consumer_step(m, r);
    if (was == RING_C_TAKE)
        took(m, t, r->cons - 1);
    if (r->consumer == RING_C_ASLEEP) {
        t->consumer_at = RING_NEVER;
        return;
    }
    t->consumer_at = r->consumer == RING_C_TAKE ? m->now + t->take : step_end(m, t);
    if (was >= RING_C_SLEEP) { /* woken */
        t->consumer_at += t->wake;
        t->spent += t->wake;
    }
}

static void sleeper_lost(struct ring_model *m, struct ring_timed *t)
{
    t->lost++;
    column(m, t)->lost++;
    t->r.consumer = RING_C_LOOK;
    t->consumer_at = step_end(m, t) + t->wake;
    t->spent += t->wake;
}

/* --- a run --- */

static uint64_t next_at(const struct ring_timed *t)
{
    return earliest(earliest(earliest(t->ends_at, t->comes_at), earliest(t->made_at, t->lost_at)),
                    earliest(t->producer_at, t->consumer_at));
}

static void next_do(struct ring_model *m, struct ring_timed *t)
{
    level(m, t, t->r.prod - t->r.cons);
    if (t->ends_at == m->now)
        program_step_ends(m, t);
    else if (t->comes_at == m->now)
        requests_come(m, t);
    else if (t->made_at == m->now)
        request_made(m, t);
    else if (t->producer_at == m->now)
        producer_go(m, t);
    else if (t->consumer_at == m->now)
        consumer_go(m, t);
    else
        sleeper_lost(m, t);
    producer_start(m, t);
    if (!ring_asleep(&t->r) || t->r.prod == t->r.cons)
        t->lost_at = RING_NEVER;
    else if (t->lost_at == RING_NEVER)
        t->lost_at = m->now + m->patience;
    level(m, t, t->r.prod - t->r.cons);
}

/* Nothing comes any more but what was asked for: a program that is at its end does not go on. What was to come by its
 * steps comes now. */
static void programs_end(struct ring_model *m)
{
    for (struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++) {
        t->ends_at = t->comes_at = RING_NEVER;
        t->over = true;
        for (; t->awaited; t->awaited--)
            come(m, t, true);
        producer_start(m, t);
    }
}

void ring_time_run(struct ring_model *m)
{
    bool over = false;

    for (struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++) {
        t->r.told = (struct ring_now){
            .ring = (uint64_t)(t - m->ring), .slots = t->slots, .cost = t->cost, .latency = t->latency
        };
        ring_begin(&t->r, (uint32_t)t->index);
        t->ends_at = t->comes_at = t->made_at = t->lost_at = t->producer_at = t->consumer_at = RING_NEVER;
        program_step_begin(m, t);
        t->consumer_at = step_end(m, t);
    }
    while (!m->gone) {
        struct ring_timed *first = NULL;
        uint64_t at = over ? RING_NEVER : m->time;

        for (struct ring_timed *t = m->ring; t < m->ring + m->nr_rings; t++)
            if (next_at(t) < at) {
                at = next_at(t);
                first = t;
            }
        if (!first && over)
            return;
        m->now = at;
        if (first) {
            next_do(m, first);
        } else {
            programs_end(m);
            over = true;
        }
        if (!m->gone)
            m->passed(m->of, m->now);
    }
}
