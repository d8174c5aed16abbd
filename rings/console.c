// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console backend: dom0's end of a PV console.
 *
 * Concept: the simplest of all split drivers. One shared page holds two byte rings, `in` (1 KiB, towards the guest) and
 * `out` (2 KiB, from it), each with a producer and a consumer index that only ever grow; a byte's place is its index
 * modulo the ring's size. Whoever produced or consumed says so by an event. There is no negotiation: the page and the
 * port are in start_info. (Of channels, which are further consoles, there is: rings/channel.h.)
 *
 * Invariants: the page is the guest's, so its indices are hostile: a distance larger than the ring is not followed.
 * Each index is read once, and what was read is used. Input is taken from outside only when there is room for it, so
 * nothing is lost.
 *
 * Source: public io/console.h. Corresponds to tools/console/daemon/io.c (handle_ring_read, buffer_append).
 */
#include "rings/console.h"

#include "vcpu/native/grant.h"
#include "vcpu/native/map.h"
#include "vcpu/native/ring.h"

#include <stdatomic.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>

struct console_backend {
    struct native_kernel *kernel;
    struct task task;
    struct xencons_interface *intf;
    struct console_place place;
    grant_handle_t handle; /* place.granted: of the page */
    evtchn_port_t port;    /* ours */
    struct console_io io;
    bool connected; /* the guest has sent an event or written something */
    bool broken;    /* io.broken has been told */
    uint64_t sent;  /* notifications */
};

static long event_op(struct vcpu *v, unsigned int cmd, void *arg)
{
    return hypercall_native(v, __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

static void notify(struct console_backend *c)
{
    struct evtchn_send op = { .port = c->port };

    event_op(native_vcpu(c->kernel), EVTCHNOP_send, &op);
    c->sent++;
}

static struct machine *machine(const struct console_backend *c) { return native_vcpu(c->kernel)->domain->xen->machine; }

/* An index that cannot be. */
static void broken(struct console_backend *c)
{
    if (!c->broken && c->io.broken) {
        c->broken = true;
        c->io.broken(c->io.data);
    }
}

/* A record has room for a piece of it; so there may be several. A channel's need be no text. */
static void trace_output(const struct console_backend *c, XENCONS_RING_IDX cons, XENCONS_RING_IDX prod,
                         const char *text, size_t n)
{
    const domid_t domid = c->place.domid;
    struct machine *m = machine(c);

    TRACE(m, ring, domid, 0, domid, c->place.devid ? TRACE_RING_CHANNEL_OUT : TRACE_RING_CONSOLE_OUT, cons, prod,
          TRACE_NONE, true);
    for (size_t at = 0; !c->place.devid && TRACE_ON(m) && at < n; at += TRACE_TEXT_SIZE(console))
        TRACE_TEXT_BY(m, console, trace_who(domid, 0), text + at, n - at);
}

/* Pass on what the guest wrote. True when there was anything. */
static bool drain_out(struct console_backend *c)
{
    XENCONS_RING_IDX cons = c->intf->out_cons, prod = c->intf->out_prod, n = prod - cons;
    char buf[sizeof(c->intf->out)];

    atomic_thread_fence(memory_order_seq_cst); /* read the index before the bytes */
    if (n == 0)
        return false;
    if (n <= sizeof(buf)) {
        for (XENCONS_RING_IDX i = 0; i < n; i++)
            buf[i] = c->intf->out[MASK_XENCONS_IDX(cons + i, c->intf->out)];
        trace_output(c, cons, prod, buf, n);
        task_charge(&c->task, 0, n);
        if (c->io.out)
            c->io.out(c->io.data, c->place.domid, buf, n);
    } else {
        broken(c);
        if (c->broken)
            return false;
    }
    atomic_thread_fence(memory_order_seq_cst); /* done with the bytes before they are given back */
    c->intf->out_cons = prod;
    return true;
}

/* Give the guest as much input as fits. True when there was any. */
static bool fill_in(struct console_backend *c)
{
    XENCONS_RING_IDX cons = c->intf->in_cons, prod = c->intf->in_prod, used = prod - cons;
    const domid_t domid = c->place.domid;
    char buf[sizeof(c->intf->in)];
    size_t n;

    if (used > sizeof(buf))
        broken(c);
    if (!c->io.in || used >= sizeof(buf))
        return false;
    n = c->io.in(c->io.data, domid, buf, sizeof(buf) - used);
    if (n == 0)
        return false;
    task_charge(&c->task, 0, n);
    for (size_t i = 0; i < n; i++)
        c->intf->in[MASK_XENCONS_IDX(prod + i, c->intf->in)] = buf[i];
    TRACE_TEXT_BY(machine(c), input, trace_who(domid, 0), buf, n,
                  c->place.devid ? TRACE_INPUT_CHANNEL : TRACE_INPUT_CONSOLE, n);
    TRACE(machine(c), ring, domid, 0, domid, c->place.devid ? TRACE_RING_CHANNEL_IN : TRACE_RING_CONSOLE_IN, prod,
          prod + n, TRACE_NONE, true);
    atomic_thread_fence(memory_order_seq_cst); /* the bytes before the index */
    c->intf->in_prod = prod + (XENCONS_RING_IDX)n;
    return true;
}

/* One pass over both rings, which are as much as a step may do. Whoever fills or empties them again says so. */
static bool console_step(struct task *t, unsigned int budget)
{
    struct console_backend *c = t->data;
    bool out, in;

    (void)budget;
    if (c->broken)
        return false;
    out = drain_out(c);
    if (out)
        c->connected = true;
    in = c->connected && fill_in(c);
    if (out || in)
        notify(c);
    return false;
}

static size_t console_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct console_backend *c = t->data;
    const struct task_ring both = { .front = c->place.domid,
                                    .device = c->place.devid ? "channel" : "console",
                                    .sent = c->sent };

    r[0] = r[1] = both;
    r[0].name = "out";
    r[0].from_front = true;
    r[0].prod = c->intf->out_prod;
    r[0].cons = c->intf->out_cons;
    r[0].size = sizeof(c->intf->out);
    r[1].name = "in";
    r[1].prod = c->intf->in_prod;
    r[1].cons = c->intf->in_cons;
    r[1].size = sizeof(c->intf->in);
    return 2;
}

static const struct task_ops console_task = { .name = "console", .step = console_step, .rings = console_rings };

static void unmap(struct console_backend *c)
{
    if (c->intf && c->place.granted)
        native_grant_unmap(native_vcpu(c->kernel), c->intf, c->handle);
    else if (c->intf)
        native_unmap(native_vcpu(c->kernel), c->intf);
}

struct console_backend *console_backend_create(struct native_kernel *k, const struct console_place *place,
                                               const struct console_io *io)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = place->domid, .remote_port = place->port };
    struct vcpu *v = native_vcpu(k);
    struct console_backend *c = xzalloc(v->domain->xen->machine->arena, struct console_backend);

    if (!c)
        return NULL;
    c->kernel = k;
    c->place = *place;
    c->io = *io;
    if (place->granted)
        c->intf = native_grant_map(v, place->domid, place->ref, &c->handle);
    else
        c->intf = native_map_foreign(v, place->domid, place->mfn);
    if (!c->intf || event_op(v, EVTCHNOP_bind_interdomain, &bind)) {
        unmap(c);
        xfree(c);
        return NULL;
    }
    c->port = bind.local_port;
    task_init(&c->task, k, &console_task, c);
    if (!native_bind(k, c->port, &c->task)) {
        console_backend_destroy(c);
        return NULL;
    }
    return c;
}

void console_backend_destroy(struct console_backend *c)
{
    struct evtchn_close close;

    if (!c)
        return;
    if (!c->broken)
        drain_out(c);
    close.port = c->port;
    native_bind(c->kernel, c->port, NULL);
    task_end(&c->task);
    event_op(native_vcpu(c->kernel), EVTCHNOP_close, &close);
    unmap(c);
    xfree(c);
}

bool console_backend_connected(const struct console_backend *c) { return c->connected; }
void console_backend_connect(struct console_backend *c) { c->connected = true; }

void console_backend_kick(struct console_backend *c)
{
    if (c->connected)
        task_ready(&c->task);
}

bool console_backend_wants_input(const struct console_backend *c)
{
    return c->connected && c->intf->in_cons == c->intf->in_prod;
}

void console_backend_drain(struct console_backend *c) { drain_out(c); }

size_t console_backend_unread(struct console_backend *c, char *buf, size_t len)
{
    const XENCONS_RING_IDX cons = c->intf->in_cons, n = c->intf->in_prod - cons;

    if (n > sizeof(c->intf->in) || n > len)
        return 0;
    for (XENCONS_RING_IDX i = 0; i < n; i++)
        buf[i] = c->intf->in[MASK_XENCONS_IDX(cons + i, c->intf->in)];
    c->intf->in_prod = cons;
    return n;
}
