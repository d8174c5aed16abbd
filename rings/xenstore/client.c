// SPDX-License-Identifier: GPL-2.0-or-later
/* A domain's end of its xenstore ring: the idea is in rings/xenstore/client.h. */
#include "rings/xenstore/client.h"

#include <stdatomic.h>
#include <string.h>
#include <xen/event_channel.h>

#define HEADER sizeof(struct xsd_sockmsg)

struct client_message {
    struct client_message *next;
    size_t len, sent;
    uint8_t bytes[];
};

struct xs_client {
    struct native_kernel *kernel;
    struct task task;
    struct xenstore_domain_interface *intf;
    evtchn_port_t port;
    xs_client_fn *fn;
    void *data;
    struct client_message *out, **out_tail;
    uint8_t in[HEADER + XENSTORE_PAYLOAD_MAX + 1]; /* a message as far as it has arrived */
    size_t in_len;
};

static struct arena *arena_of(const struct xs_client *c) { return native_vcpu(c->kernel)->domain->xen->machine->arena; }

/* Put bytes into the ring, as many as fit. True: some. */
static bool transmit(struct xs_client *c)
{
    const XENSTORE_RING_IDX prod = c->intf->req_prod;
    XENSTORE_RING_IDX at = prod;

    atomic_thread_fence(memory_order_seq_cst); /* the room before it is filled */
    while (c->out && at - c->intf->req_cons < XENSTORE_RING_SIZE) {
        struct client_message *m = c->out;

        c->intf->req[MASK_XENSTORE_IDX(at++)] = (char)m->bytes[m->sent++];
        if (m->sent < m->len)
            continue;
        c->out = m->next;
        if (!c->out)
            c->out_tail = &c->out;
        xfree(m);
    }
    task_charge(&c->task, 0, at - prod);
    atomic_thread_fence(memory_order_seq_cst); /* the bytes before the index */
    c->intf->req_prod = at;
    return at != prod;
}

/* A message may be whole now: hand it on. */
static void deliver(struct xs_client *c)
{
    struct xsd_sockmsg hdr;

    if (c->in_len < HEADER)
        return;
    memcpy(&hdr, c->in, HEADER);
    if (hdr.len > XENSTORE_PAYLOAD_MAX) {
        c->in_len = 0; /* this is no conversation */
        return;
    }
    if (c->in_len < HEADER + hdr.len)
        return;
    c->in_len = 0;
    c->in[HEADER + hdr.len] = 0;
    c->fn(c->data, &hdr, (const char *)c->in + HEADER);
}

static bool receive(struct xs_client *c)
{
    const XENSTORE_RING_IDX cons = c->intf->rsp_cons, prod = c->intf->rsp_prod;

    atomic_thread_fence(memory_order_seq_cst); /* the index before the bytes */
    if (prod - cons > XENSTORE_RING_SIZE)
        return false;
    for (XENSTORE_RING_IDX i = cons; i != prod; i++) {
        c->in[c->in_len++] = (uint8_t)c->intf->rsp[MASK_XENSTORE_IDX(i)];
        deliver(c);
    }
    task_charge(&c->task, 0, prod - cons);
    atomic_thread_fence(memory_order_seq_cst); /* done with the bytes before they are given back */
    c->intf->rsp_cons = prod;
    return prod != cons;
}

static bool client_step(struct task *t, unsigned int budget)
{
    struct xs_client *c = t->data;
    struct evtchn_send op = { .port = c->port };
    bool any = receive(c);

    (void)budget; /* the ring is small */
    any |= transmit(c);
    if (any)
        hypercall_native(native_vcpu(c->kernel), __HYPERVISOR_event_channel_op, EVTCHNOP_send, (uint64_t)(uintptr_t)&op,
                         0, 0, 0);
    return false;
}

static const struct task_ops client_task = { .name = "xenstore client", .step = client_step };

struct xs_client *xs_client_create(struct native_kernel *k, struct xenstore_domain_interface *intf, evtchn_port_t port,
                                   xs_client_fn *fn, void *data)
{
    struct xs_client *c = xzalloc(native_vcpu(k)->domain->xen->machine->arena, struct xs_client);

    if (!c)
        return NULL;
    c->kernel = k;
    c->intf = intf;
    c->port = port;
    c->fn = fn;
    c->data = data;
    c->out_tail = &c->out;
    task_init(&c->task, k, &client_task, c);
    if (native_bind(k, port, &c->task))
        return c;
    xs_client_destroy(c);
    return NULL;
}

void xs_client_destroy(struct xs_client *c)
{
    if (!c)
        return;
    native_bind(c->kernel, c->port, NULL);
    task_end(&c->task);
    while (c->out) {
        struct client_message *m = c->out;

        c->out = m->next;
        xfree(m);
    }
    xfree(c);
}

bool xs_client_ask(struct xs_client *c, enum xsd_sockmsg_type type, uint32_t id, const char *path, const void *more,
                   size_t len)
{
    const size_t path_size = strlen(path) + 1;
    const struct xsd_sockmsg hdr = { .type = type, .req_id = id, .len = (uint32_t)(path_size + len) };
    struct client_message *m;

    if (path_size + len > XENSTORE_PAYLOAD_MAX)
        return false;
    m = arena_alloc(arena_of(c), 1, sizeof(*m) + HEADER + hdr.len, ARENA_PLACE);
    if (!m)
        return false;
    m->len = HEADER + hdr.len;
    memcpy(m->bytes, &hdr, HEADER);
    memcpy(m->bytes + HEADER, path, path_size);
    if (len)
        memcpy(m->bytes + HEADER + path_size, more, len);
    *c->out_tail = m;
    c->out_tail = &m->next;
    task_ready(&c->task);
    return true;
}
