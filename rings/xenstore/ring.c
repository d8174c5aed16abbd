// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore's end of a domain's ring: the idea is in rings/xenstore/ring.h. */
#include "rings/xenstore/ring.h"

#include "vcpu/native/map.h"
#include "vcpu/native/ring.h"

#include <stdatomic.h>
#include <xen/event_channel.h>

static struct vcpu *self(const struct xs_ring *r) { return native_vcpu(r->kernel); }

static long event_op(const struct xs_ring *r, unsigned int cmd, void *arg)
{
    return hypercall_native(self(r), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

/* Nothing that the domain does counts any more, and nothing is told to it. */
static void conversation_end(struct xs_ring *r, uint32_t why)
{
    xs_stream_reset(&r->stream);
    r->stream.broken = r->ended = true;
    r->intf->error = why;
}

/*
 * Take bytes from the ring, and answer up to `budget` requests that are whole. True when bytes were taken; *more: some
 * are left.
 */
static bool receive(struct xs_ring *r, unsigned int budget, bool *more)
{
    const XENSTORE_RING_IDX cons = r->intf->req_cons, prod = r->intf->req_prod;
    const domid_t domid = r->stream.conn.domid;
    XENSTORE_RING_IDX at = cons;
    unsigned int answered = 0;
    uint8_t bytes[XENSTORE_RING_SIZE];

    atomic_thread_fence(memory_order_seq_cst); /* read the index before the bytes */
    if (prod - cons > XENSTORE_RING_SIZE) {
        conversation_end(r, XENSTORE_ERROR_RINGIDX);
        return false;
    }
    for (XENSTORE_RING_IDX i = 0; i < prod - cons; i++)
        bytes[i] = (uint8_t)r->intf->req[MASK_XENSTORE_IDX(cons + i)];
    while (at != prod && answered < budget && xs_stream_listens(&r->stream)) {
        at += (XENSTORE_RING_IDX)xs_stream_take(&r->stream, bytes + (at - cons), prod - at);
        answered += r->stream.in_len == 0;
    }
    task_charge(&r->task, answered, at - cons);
    *more = at != prod;
    if (at == cons)
        return false;
    TRACE(r->stream.machine, ring, domid, 0, domid, TRACE_RING_XENSTORE_REQ, cons, at, TRACE_NONE, true);
    atomic_thread_fence(memory_order_seq_cst); /* done with the bytes before they are given back */
    r->intf->req_cons = at;
    return true;
}

/* Put waiting answers into the ring. True when bytes were put. */
static bool transmit(struct xs_ring *r)
{
    const XENSTORE_RING_IDX cons = r->intf->rsp_cons, prod = r->intf->rsp_prod, used = prod - cons;
    const domid_t domid = r->stream.conn.domid;
    uint8_t bytes[XENSTORE_RING_SIZE];
    size_t n;

    if (used > XENSTORE_RING_SIZE) {
        conversation_end(r, XENSTORE_ERROR_RINGIDX);
        return false;
    }
    n = xs_stream_give(&r->stream, bytes, XENSTORE_RING_SIZE - used);
    if (n == 0)
        return false;
    task_charge(&r->task, 0, n);
    for (size_t i = 0; i < n; i++)
        r->intf->rsp[MASK_XENSTORE_IDX(prod + i)] = (char)bytes[i];
    TRACE(r->stream.machine, ring, domid, 0, domid, TRACE_RING_XENSTORE_RSP, prod, prod + n, TRACE_NONE, true);
    atomic_thread_fence(memory_order_seq_cst); /* the bytes before the index */
    r->intf->rsp_prod = prod + (XENSTORE_RING_IDX)n;
    return true;
}

/*
 * Answer some requests, and pass on what there is room for. More: requests are left, and answers are not what holds
 * them up.
 */
static bool ring_step(struct task *t, unsigned int budget)
{
    struct xs_ring *r = t->data;
    struct evtchn_send op = { .port = r->port };
    bool any = false, more = false;

    if (!r->ended)
        any = receive(r, budget, &more);
    if (!r->ended)
        any |= transmit(r);
    if (r->stream.broken && !r->ended) /* what was answered before has been told */
        conversation_end(r, XENSTORE_ERROR_PROTO);
    if (any) {
        event_op(r, EVTCHNOP_send, &op);
        r->sent++;
    }
    return more && xs_stream_listens(&r->stream);
}

/* There is something to be given: events that somebody else has caused. */
static void wake(void *data) { task_ready(&((struct xs_ring *)data)->task); }

static size_t ring_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct xs_ring *ring = t->data;
    const struct task_ring both = {
        .front = ring->stream.conn.domid, .device = "xenstore", .size = XENSTORE_RING_SIZE, .sent = ring->sent
    };

    r[0] = r[1] = both;
    r[0].name = "req";
    r[0].from_front = true;
    r[0].prod = ring->intf->req_prod;
    r[0].cons = ring->intf->req_cons;
    r[1].name = "rsp";
    r[1].prod = ring->intf->rsp_prod;
    r[1].cons = ring->intf->rsp_cons;
    return 2;
}

static const struct task_ops ring_task = { .name = "xenstore", .step = ring_step, .rings = ring_rings };

static void port_close(struct xs_ring *r)
{
    struct evtchn_close close = { .port = r->port };

    if (!r->port)
        return;
    native_bind(r->kernel, r->port, NULL);
    event_op(r, EVTCHNOP_close, &close);
    r->port = 0;
}

static int port_bind(struct xs_ring *r, evtchn_port_t port)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = r->stream.conn.domid, .remote_port = port };
    int rc = (int)event_op(r, EVTCHNOP_bind_interdomain, &bind);

    if (rc)
        return rc;
    r->port = bind.local_port;
    r->intf->req_cons = r->intf->req_prod = r->intf->rsp_cons = r->intf->rsp_prod = 0;
    if (native_bind(r->kernel, r->port, &r->task))
        return 0;
    port_close(r);
    return -ENOMEM;
}

struct xs_ring *xs_ring_create(struct native_kernel *k, struct xs_store *store, domid_t domid, mfn_t mfn,
                               evtchn_port_t port)
{
    struct xs_ring *r = xzalloc(store->arena, struct xs_ring);

    if (!r)
        return NULL;
    r->kernel = k;
    r->intf = native_map_foreign(self(r), domid, mfn);
    if (!r->intf) {
        xfree(r);
        return NULL;
    }
    xs_stream_init(&r->stream, store, domid, self(r)->domain->xen->machine);
    r->stream.wake = wake;
    r->stream.waker = r;
    task_init(&r->task, k, &ring_task, r);
    if (!port_bind(r, port))
        return r;
    xs_ring_destroy(r);
    return NULL;
}

void xs_ring_destroy(struct xs_ring *r)
{
    port_close(r);
    task_end(&r->task);
    native_unmap(self(r), r->intf);
    xs_stream_end(&r->stream);
    xfree(r);
}

int xs_ring_rebind(struct xs_ring *r, evtchn_port_t port)
{
    port_close(r);
    xs_stream_reset(&r->stream);
    r->stream.broken = r->ended;
    return port_bind(r, port);
}

int xs_ring_restart(struct xs_ring *r, evtchn_port_t port)
{
    r->ended = false;
    r->intf->error = XENSTORE_ERROR_NONE;
    return xs_ring_rebind(r, port);
}
