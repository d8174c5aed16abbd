// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The FIFO ABI: a word for each port, linked into 16 queues, one for each priority.
 *
 * Concept: a word has PENDING, MASKED, LINKED and the port that comes next in its queue. The hypervisor appends: the
 * word at the tail gets a link, if the guest has not taken it off meanwhile; else the queue is a new one, with a head,
 * and a bit in `ready`. The guest takes heads off, highest priority first: it clears LINKED and the link at once, and
 * only then looks whether the port is pending; so a port that becomes pending afterwards is queued anew. (D. Vrabel,
 * "FIFO-based event channel ABI", 2013; Xen: xen/common/event_fifo.c.)
 *
 *   cc -shared -fPIC -Iinclude -o fifo.so docs/examples/kit/fifo.c
 *   xenlab kit evtchn --policy ./fifo.so --workload docs/examples/kit/ports.txt
 */
#include "xenlab/kit.h"

#define PENDING (UINT64_C(1) << 31)
#define MASKED  (UINT64_C(1) << 30)
#define LINKED  (UINT64_C(1) << 29)
#define LINK    (LINKED - 1)

/* Words: a port's is that of its number; then those of queues; tails are the hypervisor's own, the last two the guest's. */
enum { HEAD = 64, READY = 80, TAIL = 81, GUESTS_HEAD = 97, GUESTS_READY = 113 };

static bool link_tail(const struct evtchn_mem *m, unsigned int tail, uint64_t port)
{
    uint64_t old = m->load(tail), was;

    while (old & LINKED) {
        was = m->compare_exchange(tail, old, (old & ~LINK) | port);
        if (was == old)
            return true;
        old = was;
    }
    return false;
}

static bool enqueue(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    const unsigned int q = p->priority;
    uint64_t tail = m->load(TAIL + q);

    if (tail == p->port)
        tail = 0;
    m->store(TAIL + q, p->port);
    if (tail && link_tail(m, (unsigned int)tail, p->port))
        return false;
    m->store(HEAD + q, p->port);
    return !(m->fetch_or(READY, UINT64_C(1) << q) >> q & 1);
}

static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    m->fetch_or(p->port, PENDING);
    return !(m->load(p->port) & MASKED) && !(m->fetch_or(p->port, LINKED) & LINKED) && enqueue(m, p);
}

static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p)
{
    m->fetch_and(p->port, ~MASKED);
    return m->load(p->port) & PENDING && set_pending(m, p);
}

static void mask(const struct evtchn_mem *m, const struct evtchn_port *p) { m->fetch_or(p->port, MASKED); }

/* The port is off its queue: returns the one behind it. */
static uint64_t unlink_port(const struct evtchn_mem *m, unsigned int port)
{
    uint64_t old = m->load(port), was;

    while ((was = m->compare_exchange(port, old, old & ~(LINKED | LINK))) != old)
        old = was;
    return old & LINK;
}

static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *all)
{
    uint64_t ready = m->load(GUESTS_READY), word;

    (void)all;
    while (ready |= m->fetch_and(READY, 0)) {
        const unsigned int q = (unsigned int)__builtin_ctzll(ready);
        uint64_t port = m->load(GUESTS_HEAD + q), next;

        if (!port)
            port = m->load(HEAD + q);
        next = unlink_port(m, (unsigned int)port);
        m->store(GUESTS_HEAD + q, next);
        if (!next)
            ready &= ~(UINT64_C(1) << q);
        m->store(GUESTS_READY, ready);
        word = m->load((unsigned int)port);
        if (word & PENDING && !(word & MASKED)) {
            m->fetch_and((unsigned int)port, ~PENDING);
            return (uint32_t)port;
        }
    }
    return 0;
}

const struct evtchn_ops xenlab_evtchn_ops = {
    .k = { XENLAB_KIT_ABI, sizeof(struct evtchn_ops), "FIFO", NULL },
    .set_pending = set_pending,
    .unmask = unmask,
    .mask = mask,
    .take = take,
};
