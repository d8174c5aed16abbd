// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: the task that serves a vif.
 *
 * Concept: one task serves all rings of a vif. A step takes a few packets of each queue to the bridge (netback_tx.c),
 * gives a few of what waits at the port to the front end (netback_rx.c), and only then shows the answers, so that who
 * has asked to be told is told once for all of them.
 *
 *      tx of each queue, rx --> answers shown --> events --> is there more? --> asleep, or ready again
 *
 * Invariants: a step does at most its budget for each ring. Whenever the task sleeps, whoever can give it work knows
 * that it has to be woken: the front end by what its rings ask for (rings/ring.h), the bridge by arrived(), time by a
 * timer. A port is sent an event when the front end has asked for that, and once.
 *
 * Corresponds to Linux's drivers/net/xen-netback, whose threads and NAPI poll functions these are.
 */
#include "rings/net/vif.h"

static void notify(const struct vif *f, evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    vif_event_op(f, EVTCHNOP_send, &send);
}

/* Show the answers of all rings, and tell who has asked for that: each port once. */
static void flush(struct vif *f)
{
    for (struct vif_queue *q = f->queue; q < f->queue + f->nr_queues; q++) {
        const bool tx = vif_flush(f, &q->tx, true), rx = vif_flush(f, &q->rx, false);

        if (tx)
            notify(f, q->tx_port);
        if (rx && !(tx && q->rx_port == q->tx_port))
            notify(f, q->rx_port);
    }
    if (f->ctrl_port && ring_flush(&f->ctrl))
        notify(f, f->ctrl_port);
}

/* Nothing is left to do before an event or a time, and who can send the event knows that. */
static bool may_sleep(struct vif *f)
{
    bool idle = vif_rx_sleep(f) && (!f->ctrl_port || ring_sleep(&f->ctrl));

    for (struct vif_queue *q = f->queue; q < f->queue + f->nr_queues; q++) {
        if (ring_sleep(&q->tx))
            continue;
        if (vif_rate_ok(f))
            idle = false;
        else
            task_ready_at(&f->task, f->rate.since + f->rate.interval);
    }
    return idle;
}

/* For who looks: where a step has begun, and what it has taken; whether front ends can send. */
struct begun {
    uint32_t tx[VIF_QUEUES_MAX], rx[VIF_QUEUES_MAX];
};

static struct begun look_begin(const struct vif *f)
{
    struct begun b = { 0 };

    for (unsigned int i = 0; i < f->nr_queues; i++) {
        b.tx[i] = f->queue[i].tx.req_cons;
        b.rx[i] = f->queue[i].rx.req_cons;
    }
    return b;
}

static void look_taken(const struct vif *f, const struct begun *b)
{
    for (unsigned int i = 0; i < f->nr_queues; i++)
        vif_trace_taken(f, &f->queue[i], b->tx[i], b->rx[i]);
}

static void look_full(struct vif *f)
{
    for (unsigned int i = 0; i < f->nr_queues; i++)
        vif_fullness(f, &f->queue[i]);
}

static bool vif_step(struct task *t, unsigned int budget)
{
    struct vif *f = t->data;
    const struct begun begun = look_begin(f);
    bool more = false;

    look_full(f);
    if (f->ctrl_port)
        more = vif_ctrl(f, budget) == budget;
    for (unsigned int i = 0; i < f->nr_queues && !f->broken; i++)
        more |= vif_tx(f, &f->queue[i], budget) == budget;
    if (!f->broken)
        more |= vif_rx(f, budget) == budget;
    if (f->broken)
        return false;
    look_taken(f, &begun);
    flush(f);
    look_full(f);
    return more || !may_sleep(f);
}

const struct task_ops vif_task = { .name = "vif", .step = vif_step, .rings = vif_rings };
