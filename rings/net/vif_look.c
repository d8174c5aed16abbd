// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end, for who looks: how its rings stand, and what is told of them in a trace.
 *
 * Concept: the tx ring is full when each slot is a packet that was not answered: then the front end waits. The rx ring
 * is well when it is full, of empty buffers; when it is empty, frames wait in the bridge's queue, which has its own
 * note of that (struct bridge_port).
 */
#include "rings/net/vif.h"

static struct machine *machine(const struct vif *f) { return vif_self(f)->domain->xen->machine; }

static void ring_seen(const struct vif *f, const struct ring *r, const char *name, struct task_ring *out)
{
    *out = (struct task_ring){ .front = f->dev->front,
                               .device = "vif",
                               .name = name,
                               .from_front = true,
                               .prod = ring_req_prod(r),
                               .cons = r->rsp_prod,
                               .size = r->nr,
                               .has_event = true,
                               .event = r->req_event,
                               .sent = r->sent,
                               .saved = r->saved,
                               .full_since = r->full_since };
    ring_letters(r, out->letter);
}

size_t vif_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct vif *f = t->data;
    size_t nr = 0;

    for (const struct vif_queue *q = f->queue; q < f->queue + f->nr_queues; q++) {
        if (port == q->tx_port)
            ring_seen(f, &q->tx, "tx", &r[nr++]);
        if (port == q->rx_port)
            ring_seen(f, &q->rx, "rx", &r[nr++]);
    }
    if (port == f->ctrl_port)
        ring_seen(f, &f->ctrl, "ctrl", &r[nr++]);
    return nr;
}

void vif_fullness(struct vif *f, struct vif_queue *q)
{
    const s_time_t now = NOW(vif_self(f)->domain->xen), since = q->tx.full_since;

    switch (ring_watch(&q->tx, now)) {
    case RING_FULL: TRACE(machine(f), ring_full, f->dev->front, 0, f->dev->front, TRACE_RING_NET_TX, q->tx.nr); break;
    case RING_FREE:
        TRACE(machine(f), ring_free, f->dev->front, 0, f->dev->front, TRACE_RING_NET_TX, now - since);
        break;
    case RING_SAME: break;
    }
}

void vif_trace_taken(const struct vif *f, const struct vif_queue *q, uint32_t tx, uint32_t rx)
{
    if (tx != q->tx.req_cons)
        TRACE(machine(f), ring, f->dev->front, 0, f->dev->front, TRACE_RING_NET_TX, tx, q->tx.req_cons, TRACE_NONE,
              false);
    if (rx != q->rx.req_cons)
        TRACE(machine(f), ring, f->dev->front, 0, f->dev->front, TRACE_RING_NET_RX, rx, q->rx.req_cons, TRACE_NONE,
              false);
}

bool vif_flush(const struct vif *f, struct ring *r, bool tx)
{
    const uint32_t before = r->published, event = ring_rsp_event(r);
    const bool notify = ring_flush(r);

    if (before != r->published)
        TRACE(machine(f), ring, f->dev->front, 0, f->dev->front, tx ? TRACE_RING_NET_TX_RSP : TRACE_RING_NET_RX_RSP,
              before, r->published, event, notify);
    return notify;
}
