// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenstore for one guest: the ring.
 *
 * Concept: xenstore is a small tree of strings that front and back ends find each other by, and that tells a guest what
 * the toolstack has decided for it: its name, how many of its vCPUs shall be online, how much memory it should use. A
 * guest sends messages (header and payload) through one ring of a shared page, and gets answers and events of watches
 * through the other. What they mean is in request.c, and what they are about in store.c. The nodes are those that libxl
 * writes for every PV guest (tools/guest_nodes.c); those that are the guest's own (control/shutdown, data...) it may
 * write.
 *
 * Invariants: as in console.c, indices are the guest's. One that cannot be, or a message longer than
 * XENSTORE_PAYLOAD_MAX, ends the conversation for good, and the page's field `error` says why. A guest that asks and
 * does not read is not heard any more until it does: what waits for it is bounded by OUT_STALL and the answer to one
 * request.
 *
 * Source: public io/xs_wire.h, docs/misc/xenstore.txt and xenstore-ring.txt; tools/xenstore/xenstored_domain.c.
 */
#include "rings/xenstore/xenstore.h"

#include "rings/xenstore/request.h"
#include "vcpu/native/map.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/xs_wire.h>

#define OUT_STALL 16384 /* bytes that wait to be read: then no further request is looked at */

struct xenstore_conn {
    struct native_kernel *kernel;
    struct task task;
    struct xenstore_domain_interface *intf;
    evtchn_port_t port;
    uint64_t sent; /* notifications */
    struct xs_session session;
    bool broken;
    uint8_t in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX]; /* a request as far as it has arrived */
    size_t in_len;
    uint8_t *out; /* what did not fit into the ring yet */
    size_t out_len, out_size;
};

static long event_op(struct xenstore_conn *c, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(c->kernel), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0,
                            0);
}

/* Nothing that the guest does counts any more. */
static void conversation_end(struct xenstore_conn *c, uint32_t why)
{
    c->broken = true;
    c->intf->error = why;
}

/* Queue one message. */
static void send(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    struct xenstore_conn *c = data;
    const size_t len = sizeof(*hdr) + hdr->len;

    if (c->broken)
        return;
    if (c->out_len + len > c->out_size) {
        const size_t size = 2 * (c->out_len + len);
        uint8_t *bigger = xrealloc_array(c->session.arena, c->out, size);

        if (!bigger) {
            conversation_end(c, XENSTORE_ERROR_COMM);
            return;
        }
        c->out = bigger;
        c->out_size = size;
    }
    memcpy(c->out + c->out_len, hdr, sizeof(*hdr));
    memcpy(c->out + c->out_len + sizeof(*hdr), payload, hdr->len);
    c->out_len += len;
}

static struct machine *machine_of(const struct xenstore_conn *c)
{
    return native_vcpu(c->kernel)->domain->xen->machine;
}

static void request(struct xenstore_conn *c, const struct xsd_sockmsg *hdr, const char *payload)
{
    const int rc = xs_session_request(&c->session, hdr, payload);

    TRACE_TEXT_BY(machine_of(c), xs, trace_who(c->session.domid, 0), payload, strnlen(payload, hdr->len), hdr->type,
                  (uint64_t)(int64_t)rc);
}

/*
 * Take bytes from the ring, and answer up to `budget` requests that are whole. True when bytes were taken; *more: some
 * are left.
 */
static bool receive(struct xenstore_conn *c, unsigned int budget, bool *more)
{
    XENSTORE_RING_IDX cons = c->intf->req_cons, prod = c->intf->req_prod;
    const XENSTORE_RING_IDX before = cons;
    const size_t header = sizeof(struct xsd_sockmsg);

    atomic_thread_fence(memory_order_seq_cst);
    if (prod - cons > XENSTORE_RING_SIZE)
        conversation_end(c, XENSTORE_ERROR_RINGIDX);
    for (; cons != prod && !c->broken && budget && c->out_len < OUT_STALL; cons++) {
        struct xsd_sockmsg req;

        c->in[c->in_len++] = (uint8_t)c->intf->req[MASK_XENSTORE_IDX(cons)];
        if (c->in_len < header)
            continue;
        memcpy(&req, c->in, header);
        if (req.len > XENSTORE_PAYLOAD_MAX) {
            conversation_end(c, XENSTORE_ERROR_PROTO);
        } else if (c->in_len == header + req.len) {
            request(c, &req, (const char *)c->in + header);
            task_charge(&c->task, 1, c->in_len);
            c->in_len = 0;
            budget--;
        }
    }
    *more = cons != prod;
    if (cons == before || c->broken)
        return false;
    TRACE(machine_of(c), ring, c->session.domid, 0, c->session.domid, TRACE_RING_XENSTORE_REQ, before, cons, TRACE_NONE,
          true);
    atomic_thread_fence(memory_order_seq_cst);
    c->intf->req_cons = cons;
    return true;
}

/* Put waiting answers into the ring. True when bytes were put. */
static bool transmit(struct xenstore_conn *c)
{
    XENSTORE_RING_IDX cons = c->intf->rsp_cons, prod = c->intf->rsp_prod, used = prod - cons;
    size_t n = XENSTORE_RING_SIZE - used;

    if (used > XENSTORE_RING_SIZE) {
        conversation_end(c, XENSTORE_ERROR_RINGIDX);
        return false;
    }
    if (n > c->out_len)
        n = c->out_len;
    if (n == 0)
        return false;
    task_charge(&c->task, 0, n);
    for (size_t i = 0; i < n; i++)
        c->intf->rsp[MASK_XENSTORE_IDX(prod + i)] = (char)c->out[i];
    TRACE(machine_of(c), ring, c->session.domid, 0, c->session.domid, TRACE_RING_XENSTORE_RSP, prod, prod + n,
          TRACE_NONE, true);
    atomic_thread_fence(memory_order_seq_cst);
    c->intf->rsp_prod = prod + (XENSTORE_RING_IDX)n;
    memmove(c->out, c->out + n, c->out_len - n);
    c->out_len -= n;
    return true;
}

/*
 * Answer some requests, and pass on what there is room for. More: requests are left, and answers are not what holds
 * them up.
 */
static bool xenstore_step(struct task *t, unsigned int budget)
{
    struct xenstore_conn *c = t->data;
    struct evtchn_send op = { .port = c->port };
    bool any = false, more = false;

    if (!c->broken)
        any = receive(c, budget, &more);
    if (!c->broken)
        any |= transmit(c);
    if (any) {
        event_op(c, EVTCHNOP_send, &op);
        c->sent++;
    }
    return more && !c->broken && c->out_len < OUT_STALL;
}

static size_t xenstore_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct xenstore_conn *c = t->data;
    const struct task_ring both = {
        .front = c->session.domid, .device = "xenstore", .size = XENSTORE_RING_SIZE, .sent = c->sent
    };

    r[0] = r[1] = both;
    r[0].name = "req";
    r[0].from_front = true;
    r[0].prod = c->intf->req_prod;
    r[0].cons = c->intf->req_cons;
    r[1].name = "rsp";
    r[1].prod = c->intf->rsp_prod;
    r[1].cons = c->intf->rsp_cons;
    return 2;
}

static const struct task_ops xenstore_task = { .name = "xenstore", .step = xenstore_step, .rings = xenstore_rings };

struct xenstore_conn *xenstore_conn_create(struct native_kernel *k, domid_t domid, mfn_t mfn, evtchn_port_t port)
{
    struct arena *const arena = native_vcpu(k)->domain->xen->machine->arena;
    struct evtchn_bind_interdomain bind = { .remote_dom = domid, .remote_port = port };
    struct xenstore_conn *c = xzalloc(arena, struct xenstore_conn);

    if (!c)
        return NULL;
    c->kernel = k;
    if (!xs_session_init(&c->session, arena, domid, send, c)) {
        xfree(c);
        return NULL;
    }
    c->intf = native_map_foreign(native_vcpu(k), domid, mfn);
    if (!c->intf || event_op(c, EVTCHNOP_bind_interdomain, &bind)) {
        if (c->intf)
            native_unmap(native_vcpu(k), c->intf);
        xs_session_end(&c->session);
        xfree(c);
        return NULL;
    }
    c->port = bind.local_port;
    c->intf->server_features = XENSTORE_SERVER_FEATURE_ERROR;
    task_init(&c->task, k, &xenstore_task, c);
    if (!native_bind(k, c->port, &c->task)) {
        xenstore_conn_destroy(c);
        return NULL;
    }
    return c;
}

bool xenstore_node_add(struct xenstore_conn *c, const char *path, const char *value, enum xenstore_perms perms)
{
    const domid_t domid = c->session.domid;
    const struct xs_access dom0 = { .store = c->session.store };
    const struct xs_perms lists[] = {
        [XENSTORE_NONE] = { 1, { { 0, 'n' } } },
        [XENSTORE_READ] = { 2, { { 0, 'n' }, { domid, 'r' } } },
        [XENSTORE_OWN] = { 1, { { domid, 'n' } } },
        [XENSTORE_FRONT] = { 2, { { domid, 'n' }, { 0, 'r' } } },
    };
    char *absolute = xs_path_absolute(c->session.store, domid, path);
    bool ok = absolute && xs_write(&dom0, absolute, value, strlen(value)) == 0;

    if (ok && perms != XENSTORE_AS_PARENT)
        ok = xs_set_perms(&dom0, absolute, &lists[perms]) == 0;
    xfree(absolute);
    return ok;
}

void xenstore_conn_each(const struct xenstore_conn *c, xenstore_each_fn *fn, void *data)
{
    struct xenstore_seen seen;
    const struct xs_node *n = NULL;

    while ((n = xs_next(c->session.store, n))) {
        size_t len = 0;

        seen = (struct xenstore_seen){ .path = n->path, .value = n->value, .len = n->len };
        for (unsigned int i = 0; i < n->perms.nr && i < XS_PERMS_MAX && len < sizeof(seen.perms); i++)
            len += (size_t)snprintf(seen.perms + len, sizeof(seen.perms) - len, "%s%c%u", i ? "," : "",
                                    n->perms.p[i].letter, n->perms.p[i].id);
        fn(data, &seen);
    }
    for (unsigned int i = 0; i < c->session.nr_watches; i++) {
        seen = (struct xenstore_seen){ .is_watch = true };
        if (xs_session_watch(&c->session, i, &seen.path, &seen.value))
            fn(data, &seen);
    }
}

void xenstore_conn_destroy(struct xenstore_conn *c)
{
    struct evtchn_close close;

    if (!c)
        return;
    close.port = c->port;
    native_bind(c->kernel, c->port, NULL);
    task_end(&c->task);
    event_op(c, EVTCHNOP_close, &close);
    native_unmap(native_vcpu(c->kernel), c->intf);
    xs_session_end(&c->session);
    xfree(c->out);
    xfree(c);
}
