// SPDX-License-Identifier: GPL-2.0-or-later
/* evtchn: the two threads, step by step, and what is made of deliveries. evtchn.h says what the model is. */
#include <string.h>

#include "tools/kit/evtchn.h"

enum { HYPERVISOR, GUEST };

/* Nothing goes on when one ends: no call is in progress, the guest sleeps and has unmasked all, and what was not
 * delivered is lost (events_quiet()). */
void events_begin(struct evtchn_model *m)
{
    memset(m->word, 0, sizeof(m->word));
    m->in_vain = m->nr_choices = 0;
    for (unsigned int p = 1; p <= m->nr_ports; p++)
        m->port[p].sent = 0;
}

/* --- calls --- */

static bool ask(struct evtchn_model *m, struct evtchn_thread *t, bool begins)
{
    struct evtchn_question q = { .thread = (uint32_t)(t - m->thread), .begins = begins, .value = t->value };

    q.port =
        (struct evtchn_port){ .port = t->port, .ports = m->nr_ports, .priority = (uint32_t)m->port[t->port].priority };
    snprintf(m->a->at, sizeof(m->a->at), "%.3f us", (double)m->now / 1e3);
    m->a->now = (int64_t)m->now;
    if (!kit_ask(m->a, t->hook, &q, sizeof(q), sizeof(t->access), sizeof(t->access)))
        return false;
    memcpy(&t->access, m->a->message.bytes, sizeof(t->access));
    if (t->access.op == EVTCHN_RETURN)
        return true;
    if (t->access.word >= EVTCHN_WORDS)
        return kit_fault(m->a, "touches word %u, and there are %d,", t->access.word, EVTCHN_WORDS);
    if (++t->accesses > EVTCHN_MAX_CALL)
        return kit_fault(m->a, "does not come to an end: %d accesses,", EVTCHN_MAX_CALL);
    return true;
}

static bool call(struct evtchn_model *m, struct evtchn_thread *t, unsigned int hook, unsigned int port)
{
    t->in_call = true;
    t->hook = hook;
    t->port = port;
    t->accesses = 0;
    t->began = t->last = m->steps;
    return ask(m, t, true);
}

static void carry_out(struct evtchn_model *m, struct evtchn_thread *t)
{
    uint64_t *word = &m->word[t->access.word];

    t->value = *word;
    switch (t->access.op) {
    case EVTCHN_STORE: *word = t->access.value; break;
    case EVTCHN_OR: *word |= t->access.value; break;
    case EVTCHN_AND: *word &= t->access.value; break;
    case EVTCHN_CAS: *word = *word == t->access.old ? t->access.value : *word; break;
    }
    m->accesses++;
    t->last = m->steps;
}

/* --- deliveries --- */

void events_send(struct evtchn_model *m, unsigned int port) { m->queue[m->nr_queue++] = port; }

static struct evtchn_column *column(struct evtchn_model *m)
{
    const uint64_t now = m->now < m->time ? m->now : m->time;

    return &m->column[now * EVTCHN_COLUMNS / m->time];
}

static void send_begins(struct evtchn_model *m, struct evtchn_kit_port *p)
{
    p->sent = m->steps;
    p->sent_at = m->now;
    p->sent_end = UINT64_MAX;
    if (!p->oldest) {
        p->oldest = m->steps;
        p->oldest_at = m->now;
        p->first_end = UINT64_MAX;
        p->since = m->deliveries;
    }
    p->sends++;
    column(m)->sends++;
}

static void send_ends(struct evtchn_model *m, struct evtchn_kit_port *p)
{
    p->sent_end = m->steps;
    if (p->first_end == UINT64_MAX)
        p->first_end = m->steps;
}

/* Others that were sent, in full, before this take() began: of higher priority, or as high and before this one. */
static void order_check(struct evtchn_model *m, struct evtchn_kit_port *p, uint64_t began)
{
    bool inverted = false, reordered = false;

    for (unsigned int i = 1; i <= m->nr_ports; i++) {
        const struct evtchn_kit_port *o = &m->port[i];

        if (!o->oldest || o->masked || o->first_end > began)
            continue;
        inverted |= o->priority < p->priority;
        reordered |= o->priority == p->priority && o->first_end < p->oldest;
    }
    p->inversions += inverted;
    p->reordered += reordered;
}

static void went_wrong(struct evtchn_model *m, uint64_t when) { m->first = m->first ?: when; }

static void deliver(struct evtchn_model *m, const struct evtchn_thread *t, unsigned int port)
{
    struct evtchn_kit_port *p = &m->port[port];

    m->deliveries++;
    p->delivered++;
    column(m)->delivered++;
    if (p->masked || !p->sent || p->sent_end < p->taken) {
        p->spurious++;
        m->in_vain++;
        went_wrong(m, m->now);
    } else if (p->oldest) {
        const uint64_t waited = m->deliveries - p->since - 1;

        m->in_vain = 0;
        order_check(m, p, t->began);
        p->waited += waited;
        p->worst = waited > p->worst ? waited : p->worst;
    }
    p->taken = t->began;
    p->oldest = p->sent > t->last ? p->sent : 0; /* it began when take() had looked for the last time */
    p->oldest_at = p->sent_at;
    p->since = m->deliveries;
    if (p->oldest)
        p->first_end = p->sent_end;
}

void events_quiet(struct evtchn_model *m)
{
    for (unsigned int p = 1; p <= m->nr_ports; p++)
        if (m->port[p].oldest) {
            m->port[p].lost++;
            went_wrong(m, m->port[p].oldest_at);
            m->port[p].oldest = 0;
        }
}

/* --- threads --- */

/* Guest: the next port that is masked is unmasked, or there is none: it sleeps, or begins anew. */
static bool nothing_left(struct evtchn_model *m, struct evtchn_thread *t)
{
    for (unsigned int p = 1; p <= m->nr_ports; p++)
        if (m->port[p].masked)
            return call(m, t, EVTCHN_UNMASK, p);
    t->in_call = false;
    m->awake = false;
    return true;
}

static bool took(struct evtchn_model *m, struct evtchn_thread *t)
{
    const uint64_t port = t->access.value;
    struct evtchn_kit_port *p;

    if (!port)
        return nothing_left(m, t);
    if (port > m->nr_ports)
        return kit_fault(m->a, "gave port %llu, and ports are 1 to %u,", (unsigned long long)port, m->nr_ports);
    p = &m->port[port];
    deliver(m, t, (unsigned int)port);
    if (m->in_vain == EVTCHN_MAX_VAIN)
        return kit_fault(m->a, "gave %d ports, one after the other, that nobody had sent to, or that were masked,",
                         EVTCHN_MAX_VAIN);
    if (!p->masked && p->mask && workload_stir(p->random++) % 100 < p->mask)
        return call(m, t, EVTCHN_MASK, (unsigned int)port);
    return call(m, t, EVTCHN_TAKE, 0);
}

static bool returned(struct evtchn_model *m, struct evtchn_thread *t)
{
    struct evtchn_kit_port *p = &m->port[t->port];

    switch (t->hook) {
    case EVTCHN_SET_PENDING:
        send_ends(m, p);
        m->upcall |= t->access.value != 0;
        m->upcalls += t->access.value != 0;
        t->in_call = false;
        return true;
    case EVTCHN_MASK: p->masked = true; return call(m, t, EVTCHN_TAKE, 0);
    case EVTCHN_UNMASK:
        p->masked = false;
        if (p->oldest) { /* its turn is counted from now on */
            p->oldest = t->began;
            p->first_end = m->steps;
        }
        m->upcall |= t->access.value != 0;
        m->upcalls += t->access.value != 0;
        return nothing_left(m, t);
    default: return took(m, t);
    }
}

/* unmask() is a hypercall: it waits until the hypervisor's lock is free, and nobody comes between. */
static bool waits(const struct evtchn_model *m, unsigned int t)
{
    const struct evtchn_thread *guest = &m->thread[GUEST], *hypervisor = &m->thread[HYPERVISOR];

    if (!guest->in_call || guest->hook != EVTCHN_UNMASK)
        return false;
    if (t == GUEST)
        return hypervisor->in_call;
    return !hypervisor->in_call;
}

static bool runs(const struct evtchn_model *m, unsigned int t)
{
    if (waits(m, t))
        return false;
    if (t == HYPERVISOR)
        return m->thread[t].in_call || m->nr_queue;
    return m->awake || m->upcall;
}

static bool step_of(struct evtchn_model *m, unsigned int n)
{
    struct evtchn_thread *t = &m->thread[n];

    if (t->in_call) {
        if (t->access.op == EVTCHN_RETURN)
            return returned(m, t);
        carry_out(m, t);
        return ask(m, t, false);
    }
    if (n == HYPERVISOR) {
        const unsigned int port = m->queue[0];

        memmove(m->queue, m->queue + 1, --m->nr_queue * sizeof(*m->queue));
        send_begins(m, &m->port[port]);
        return call(m, t, EVTCHN_SET_PENDING, port);
    }
    m->awake = true;
    m->upcall = false;
    return call(m, t, EVTCHN_TAKE, 0);
}

/* Both could: who does? */
static unsigned int chosen(struct evtchn_model *m)
{
    const unsigned int at = m->nr_choices++;

    if (!m->in_orders)
        return workload_stir(m->random++) & 1;
    for (unsigned int i = 0; i < m->nr_deviations; i++)
        if (m->deviation[i] == at)
            return !m->current;
    return m->current;
}

bool events_step(struct evtchn_model *m)
{
    const bool first = runs(m, HYPERVISOR), second = runs(m, GUEST);

    if (!first && !second)
        return false;
    m->current = first && second ? chosen(m) : second;
    m->steps++;
    m->now += EVTCHN_STEP;
    return step_of(m, m->current);
}
