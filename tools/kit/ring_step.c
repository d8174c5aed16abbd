// SPDX-License-Identifier: GPL-2.0-or-later
/* A ring's two sides, step by step: tools/kit/ring.h has the picture. */
#include "tools/kit/ring.h"

void ring_begin(struct ring *r, uint32_t index)
{
    const struct ring_now told = r->told;

    *r = (struct ring){ .prod = index, .event = index + 1, .put = index, .cons = index, .seen = index, .told = told };
}

bool ring_asleep(const struct ring *r) { return r->consumer == RING_C_ASLEEP && !r->pending; }

static void event_read(struct ring_model *m, struct ring *r)
{
    uint32_t answer = 0;

    r->told.due = r->promised;
    m->asked++;
    if (!m->notify(m->of, r, &answer))
        m->gone = true;
    r->producer = answer ? RING_P_SEND : RING_P_IDLE;
}

void ring_producer_step(struct ring_model *m, struct ring *r)
{
    switch (r->producer) {
    case RING_P_IDLE: break;
    case RING_P_WRITE:
        r->old = r->prod;
        r->prod = r->put;
        r->producer = RING_P_READ;
        break;
    case RING_P_READ: event_read(m, r); break;
    case RING_P_SEND:
        r->notifications++;
        r->spurious += r->pending; /* it merges with the one before */
        r->pending = true;
        r->producer = RING_P_IDLE;
        break;
    }
}

static void look(struct ring *r, enum ring_consumer none)
{
    r->seen = r->prod;
    r->spurious += r->woken && r->seen == r->cons;
    r->woken = false;
    r->consumer = r->seen != r->cons ? RING_C_TAKE : none;
}

static void event_write(struct ring_model *m, struct ring *r)
{
    r->told.due = r->asked;
    m->asked++;
    if (!m->next_event(m->of, r, &r->event))
        m->gone = true;
    r->consumer = RING_C_CHECK;
}

void ring_consumer_step(struct ring_model *m, struct ring *r)
{
    switch (r->consumer) {
    case RING_C_LOOK: look(r, RING_C_EVENT); break;
    case RING_C_TAKE:
        r->cons++;
        r->taken++;
        if (r->cons == r->seen)
            r->consumer = RING_C_LOOK;
        break;
    case RING_C_EVENT: event_write(m, r); break;
    case RING_C_CHECK: look(r, RING_C_SLEEP); break;
    case RING_C_SLEEP:
    case RING_C_ASLEEP:
        r->wakes += r->pending;
        r->woken = r->pending;
        r->consumer = r->pending ? RING_C_LOOK : RING_C_ASLEEP;
        r->pending = false;
        break;
    }
}
