// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A minimal xenstore: the wire protocol over the ring, and a store behind it that can only be read.
 *
 * Concept: xenstore is a small tree of strings that front and back ends find each other by. A guest sends a message (header and
 * payload) through one ring of a shared page and gets exactly one answer through the other, with the same req_id. This
 * server speaks the protocol right, and holds what the toolstack put there when it built the domain (which of its vCPUs are
 * to be online, its name): reads of anything else say ENOENT, writes EACCES; transactions and watches are accepted, since a
 * store that does not change is trivially consistent, and each new watch fires once as the protocol demands. That is what a
 * guest without devices needs. dom0's real xenstored takes its place later.
 *
 * Invariants: as in console.c, indices are the guest's and are not believed beyond the ring's size; a message longer than
 * XENSTORE_PAYLOAD_MAX ends the conversation (the real one does the same).
 *
 * Source: public io/xs_wire.h, docs/misc/xenstore.txt.
 */
#include "rings/xenstore.h"

#include "mmu/native_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/xs_wire.h>

#define OUT_MAX 16384

/* A node below the domain's own path, /local/domain/<domid>/. Directories are not kept: they are what paths begin with. */
struct node {
    struct node *next;
    char *path, *value;
};

struct xenstore_conn {
    struct native_kernel *kernel;
    struct xenstore_domain_interface *intf;
    domid_t domid;
    evtchn_port_t port;
    struct node *nodes; /* in the order in which they were added */
    bool broken;
    uint8_t in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX]; /* a request as far as it has arrived */
    size_t in_len;
    uint8_t out[OUT_MAX]; /* answers that did not fit into the ring yet */
    size_t out_len;
    uint32_t next_tx;
};

static long event_op(struct xenstore_conn *c, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(c->kernel), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0,
                            0);
}

/* Queue one message. One that does not fit any more breaks the connection: the guest asks and never reads. */
static void send(struct xenstore_conn *c, const struct xsd_sockmsg *to, uint32_t type, const void *payload, size_t len)
{
    struct xsd_sockmsg hdr = { .type = type, .req_id = to->req_id, .tx_id = to->tx_id, .len = (uint32_t)len };

    if (c->out_len + sizeof(hdr) + len > sizeof(c->out)) {
        c->broken = true;
        return;
    }
    memcpy(c->out + c->out_len, &hdr, sizeof(hdr));
    memcpy(c->out + c->out_len + sizeof(hdr), payload, len);
    c->out_len += sizeof(hdr) + len;
}

static void send_error(struct xenstore_conn *c, const struct xsd_sockmsg *to, const char *name)
{
    send(c, to, XS_ERROR, name, strlen(name) + 1);
}

/* The part of a request's path below the domain's own; NULL: it is somebody else's, or no string. */
static const char *own_path(const struct xenstore_conn *c, const struct xsd_sockmsg *req, const char *payload)
{
    char own[40];
    size_t len = (size_t)snprintf(own, sizeof(own), "/local/domain/%u", c->domid);

    if (!req->len || payload[req->len - 1])
        return NULL;
    if (payload[0] != '/')
        return payload;
    if (strncmp(payload, own, len) || (payload[len] && payload[len] != '/'))
        return NULL;
    return payload[len] ? payload + len + 1 : payload + len;
}

static void read_node(struct xenstore_conn *c, const struct xsd_sockmsg *req, const char *path)
{
    for (const struct node *n = c->nodes; n; n = n->next) {
        if (!strcmp(n->path, path)) {
            send(c, req, req->type, n->value, strlen(n->value));
            return;
        }
    }
    send_error(c, req, "ENOENT");
}

/* XS_DIRECTORY: the next part of each path that goes on from here, each once, with its 0. */
static void directory(struct xenstore_conn *c, const struct xsd_sockmsg *req, const char *path)
{
    const size_t len = strlen(path);
    char list[XENSTORE_PAYLOAD_MAX];
    size_t used = 0;

    for (const struct node *n = c->nodes; n; n = n->next) {
        const char *name = n->path + (len ? len + 1 : 0);
        size_t part, seen = 0;

        if (len && (strncmp(n->path, path, len) || n->path[len] != '/'))
            continue;
        part = strcspn(name, "/");
        while (seen < used && (strncmp(list + seen, name, part) || list[seen + part]))
            seen += strlen(list + seen) + 1;
        if (seen < used)
            continue;
        if (used + part + 1 > sizeof(list)) {
            send_error(c, req, "E2BIG");
            return;
        }
        memcpy(list + used, name, part);
        list[used + part] = 0;
        used += part + 1;
    }
    if (used)
        send(c, req, req->type, list, used);
    else
        send_error(c, req, "ENOENT");
}

/* XS_WATCH path token: accepted, and it fires at once, so that the watcher reads the present state. */
static void watch(struct xenstore_conn *c, const struct xsd_sockmsg *req, const char *payload)
{
    static const struct xsd_sockmsg event = { 0 };
    const char *end = memchr(payload, 0, req->len);

    if (!end || !memchr(end + 1, 0, req->len - (size_t)(end + 1 - payload))) {
        send_error(c, req, "EINVAL");
        return;
    }
    send(c, req, XS_WATCH, "OK", 3);
    send(c, &event, XS_WATCH_EVENT, payload, req->len);
}

static void answer(struct xenstore_conn *c, const struct xsd_sockmsg *req, const char *payload)
{
    const char *path = own_path(c, req, payload);
    char text[64];

    switch (req->type) {
    case XS_READ:
    case XS_DIRECTORY:
        if (!path)
            send_error(c, req, "ENOENT");
        else if (req->type == XS_READ)
            read_node(c, req, path);
        else
            directory(c, req, path);
        return;
    case XS_GET_PERMS:
    case XS_RM: send_error(c, req, "ENOENT"); return;
    case XS_WRITE:
    case XS_MKDIR:
    case XS_SET_PERMS: send_error(c, req, "EACCES"); return;
    case XS_TRANSACTION_START:
        snprintf(text, sizeof(text), "%u", ++c->next_tx);
        send(c, req, req->type, text, strlen(text) + 1);
        return;
    case XS_TRANSACTION_END:
    case XS_UNWATCH:
    case XS_RESET_WATCHES: send(c, req, req->type, "OK", 3); return;
    case XS_WATCH: watch(c, req, payload); return;
    case XS_GET_DOMAIN_PATH:
        snprintf(text, sizeof(text), "/local/domain/%.5s", req->len && memchr(payload, 0, req->len) ? payload : "0");
        send(c, req, req->type, text, strlen(text) + 1);
        return;
    case XS_IS_DOMAIN_INTRODUCED: send(c, req, req->type, "T", 2); return;
    default: send_error(c, req, "ENOSYS");
    }
}

/* Take bytes from the ring until a request is whole; answer it. True when bytes were taken. */
static bool receive(struct xenstore_conn *c)
{
    XENSTORE_RING_IDX cons = c->intf->req_cons, prod = c->intf->req_prod, n = prod - cons;
    const size_t header = sizeof(struct xsd_sockmsg);

    atomic_thread_fence(memory_order_seq_cst);
    if (n == 0 || n > XENSTORE_RING_SIZE)
        return false;
    for (; cons != prod && !c->broken; cons++) {
        struct xsd_sockmsg req;

        c->in[c->in_len++] = (uint8_t)c->intf->req[MASK_XENSTORE_IDX(cons)];
        if (c->in_len < header)
            continue;
        memcpy(&req, c->in, header);
        if (req.len > XENSTORE_PAYLOAD_MAX)
            c->broken = true;
        else if (c->in_len == header + req.len) {
            answer(c, &req, (const char *)c->in + header);
            c->in_len = 0;
        }
    }
    atomic_thread_fence(memory_order_seq_cst);
    c->intf->req_cons = cons;
    return true;
}

/* Put waiting answers into the ring. True when bytes were put. */
static bool transmit(struct xenstore_conn *c)
{
    XENSTORE_RING_IDX cons = c->intf->rsp_cons, prod = c->intf->rsp_prod, used = prod - cons;
    size_t n = used > XENSTORE_RING_SIZE ? 0 : XENSTORE_RING_SIZE - used;

    if (n > c->out_len)
        n = c->out_len;
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        c->intf->rsp[MASK_XENSTORE_IDX(prod + i)] = (char)c->out[i];
    atomic_thread_fence(memory_order_seq_cst);
    c->intf->rsp_prod = prod + (XENSTORE_RING_IDX)n;
    memmove(c->out, c->out + n, c->out_len - n);
    c->out_len -= n;
    return true;
}

static void xenstore_event(void *data, evtchn_port_t port)
{
    struct xenstore_conn *c = data;
    struct evtchn_send op = { .port = port };
    bool any = false;

    if (!c->broken && c->out_len < OUT_MAX / 2)
        any = receive(c);
    any |= transmit(c);
    if (any)
        event_op(c, EVTCHNOP_send, &op);
}

struct xenstore_conn *xenstore_conn_create(struct native_kernel *k, domid_t domid, mfn_t mfn, evtchn_port_t port)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = domid, .remote_port = port };
    struct xenstore_conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->kernel = k;
    c->domid = domid;
    c->intf = native_map_foreign(native_vcpu(k), domid, mfn);
    if (!c->intf || event_op(c, EVTCHNOP_bind_interdomain, &bind)) {
        if (c->intf)
            native_unmap(native_vcpu(k), c->intf);
        free(c);
        return NULL;
    }
    c->port = bind.local_port;
    if (!native_handle(k, c->port, xenstore_event, c)) {
        xenstore_conn_destroy(c);
        return NULL;
    }
    return c;
}

bool xenstore_node_add(struct xenstore_conn *c, const char *path, const char *value)
{
    struct node *n = calloc(1, sizeof(*n)), **tail = &c->nodes;

    if (!n)
        return false;
    n->path = strdup(path);
    n->value = strdup(value);
    while (*tail)
        tail = &(*tail)->next;
    *tail = n;
    return n->path && n->value;
}

void xenstore_conn_destroy(struct xenstore_conn *c)
{
    struct evtchn_close close;

    if (!c)
        return;
    while (c->nodes) {
        struct node *n = c->nodes;

        c->nodes = n->next;
        free(n->path);
        free(n->value);
        free(n);
    }
    close.port = c->port;
    native_handle(c->kernel, c->port, NULL, NULL);
    event_op(c, EVTCHNOP_close, &close);
    native_unmap(native_vcpu(c->kernel), c->intf);
    free(c);
}
