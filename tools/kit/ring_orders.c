// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All orders in which the steps of a ring's two sides can come.
 *
 * Concept: an order is a list of choices: whenever both sides can go on, which one does. It is tried from the
 * beginning, with a new ring. Then the last choice that was the producer's is the consumer's, and what comes behind it
 * begins anew with the producer's: like counting, so that each order is tried once, and none is forgotten. What a side
 * does alone is no choice: to take requests is part of having seen them.
 *
 * Two steps that follow each other, one of each side, and touch nothing in common, could as well have come the other
 * way round: no side can tell. Of orders that differ in such steps alone only one is tried, in which the producer is
 * first (A. Mazurkiewicz' traces). What touches the same is: WRITE with LOOK and CHECK, READ with EVENT, SEND with
 * SLEEP.
 *
 * Invariant: an order ends, since the producer has so many requests and no more, and a consumer that finds none sleeps.
 */
#include "tools/kit/ring.h"

#include <string.h>

#define CHOICES 256

struct choices {
    uint8_t consumer[CHOICES]; /* of those made: 1, it was the consumer's */
    unsigned int fixed, nr;    /* so many are as in the order before, but the last of them; made so far */
};

/* The producer has something to do; its next requests are put. */
static bool producer_can(struct ring *r, const struct ring_orders *o, unsigned int *puts)
{
    if (r->producer != RING_P_IDLE || *puts == o->nr_puts)
        return r->producer != RING_P_IDLE;
    r->put += (uint32_t)o->put[*puts];
    r->promised -= o->put[(*puts)++];
    r->producer = RING_P_WRITE;
    return true;
}

static bool choice(struct choices *c)
{
    if (c->nr >= c->fixed)
        c->consumer[c->nr] = 0;
    return c->consumer[c->nr++];
}

static void consumer_go(struct ring_model *m, struct ring *r, const struct ring_orders *o)
{
    ring_consumer_step(m, r);
    while (r->consumer == RING_C_TAKE) {
        ring_consumer_step(m, r);
        r->asked -= o->asked;
    }
}

/* Does the producer's step touch what that of the consumer's does? */
static bool same_touched(enum ring_producer producer, enum ring_consumer consumer)
{
    switch (producer) {
    case RING_P_WRITE: return consumer == RING_C_LOOK || consumer == RING_C_CHECK;
    case RING_P_READ: return consumer == RING_C_EVENT;
    case RING_P_SEND: return consumer == RING_C_SLEEP || consumer == RING_C_ASLEEP;
    default: return false;
    }
}

/* False: it is one that need not be tried, or nothing can be asked any more. */
static bool order_run(struct ring_model *m, struct ring *r, const struct ring_orders *o, struct choices *c)
{
    unsigned int puts = 0;
    bool late = false; /* the producer's step should have come before the one that was the last */

    c->nr = 0;
    while (!m->gone) {
        const bool producer = producer_can(r, o, &puts), consumer = !ring_asleep(r);

        if (!consumer && (!producer || late))
            return !producer;
        if (consumer && (!producer || late || (c->nr < CHOICES && choice(c)))) {
            late = producer && !same_touched(r->producer, r->consumer);
            consumer_go(m, r, o);
        } else {
            late = false;
            ring_producer_step(m, r);
        }
        r->told.now++;
    }
    return false;
}

/* False: there is none. */
static bool order_next(struct choices *c)
{
    while (c->nr && c->consumer[c->nr - 1])
        c->nr--;
    if (!c->nr)
        return false;
    c->consumer[c->nr - 1] = 1;
    c->fixed = c->nr;
    return true;
}

void ring_orders_run(struct ring_model *m, unsigned int i)
{
    struct ring_orders *o = &m->orders[i];
    struct choices c = { .nr = 0 };
    uint64_t all = 0, life = 0;

    for (unsigned int n = 0; n < o->nr_puts; n++)
        all += o->put[n];
    do {
        struct ring r = { .told = { .ring = i, .life = ++life, .slots = o->slots } };

        ring_begin(&r, (uint32_t)o->index);
        r.promised = all;
        r.asked = o->asked ? all : 0;
        if (!order_run(m, &r, o, &c))
            continue;
        o->nr++;
        o->notifications += r.notifications;
        o->spurious += r.spurious;
        o->taken += r.taken;
        if (r.prod != r.cons && !o->lost++)
            o->first_lost = life;
    } while (!m->gone && order_next(&c));
}
