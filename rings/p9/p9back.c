// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end of shared folders.
 *
 * Concept: a guest's file system speaks 9P over pairs of byte rings: requests on one, answers on the other, and each
 * pair has a page of indices that names the pages of its data. A request is taken when all of it is there, and an
 * answer is written when all of it has room; in between a request may wait for the outside, whose files these are
 * (rings/p9/server.h). A device deals with one message at a time.
 *
 *      IDLE --a whole message--> answered at once ----------> SAYING --room--> IDLE
 *                   '----------> ASKING --the answer---------'
 *
 * Invariants: a message is copied once, and only the copy is looked at. A device whose indices or sizes cannot be
 * closes with an error node. A question that nobody waits for any more, since its device is gone, is gone with it.
 *
 * Source: public io/9pfs.h. Corresponds to QEMU's hw/9pfs/xen-9p-backend.c in what it offers.
 */
#include "rings/p9/p9back.h"

#include "rings/p9/bytering.h"
#include "rings/p9/server.h"
#include "vcpu/native/grant.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/io/9pfs.h>

#define RINGS_MAX 4
#define ORDER_MAX 4 /* of the pages of a pair: 32 KiB each way */
#define PAGES_MAX (1u << ORDER_MAX)

struct p9_pair {
    struct xen_9pfs_data_intf *intf;
    grant_handle_t intf_handle, handle[PAGES_MAX];
    uint8_t *page[PAGES_MAX];
    unsigned int nr_pages;
    evtchn_port_t port;
    struct bytering requests, answers;
};

enum p9_state { IDLE, ASKING, SAYING };

struct p9_device {
    struct xenbus_device *dev;
    struct p9_shares *shares;
    const struct p9_share *share;
    struct p9_device *next_asking;
    struct p9_server server;
    struct task task;
    bool ready; /* the task is there */
    bool broken;
    uint32_t number, seq;
    struct p9_pair pair[RINGS_MAX];
    unsigned int nr_pairs, turn;
    enum p9_state state;
    struct p9_pair *from; /* whose message it is */
    uint16_t tag;
    size_t len;
    uint8_t message[P9_MSIZE_MAX], out[P9_MSIZE_MAX];
};

static struct vcpu *self(const struct p9_device *p) { return native_vcpu(xenbus_kernel(p->dev->bus)); }

static long event_op(const struct p9_device *p, unsigned int cmd, void *op)
{
    return hypercall_native(self(p), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)op, 0, 0, 0);
}

static void notify(struct p9_device *p, const struct p9_pair *pair)
{
    event_op(p, EVTCHNOP_send, &(struct evtchn_send){ .port = pair->port });
}

/* --- questions --- */

static void asking_add(struct p9_device *p)
{
    struct p9_shares *s = p->shares;
    struct p9_device **at = &s->asking;

    while (*at)
        at = &(*at)->next_asking;
    *at = p;
    p->next_asking = NULL;
    p->seq++;
    s->asks(s->data, true);
}

static void asking_remove(struct p9_device *p)
{
    struct p9_shares *s = p->shares;
    struct p9_device **at = &s->asking;

    while (*at && *at != p)
        at = &(*at)->next_asking;
    if (*at)
        *at = p->next_asking;
    s->asks(s->data, s->asking);
}

bool p9_question(const struct p9_shares *s, struct p9_question *q)
{
    const struct p9_device *p = s->asking;

    if (p)
        *q = (struct p9_question){ p->share->id, p->number, p->seq, p->out, p->len };
    return p;
}

bool p9_answered(struct p9_shares *s, uint32_t device, uint32_t seq, uint32_t error, const void *body, size_t len)
{
    struct p9_device *p = s->asking;

    if (!p || p->number != device || p->seq != seq)
        return false;
    asking_remove(p);
    p9_answer(&p->server, p->tag, error, body, len, p->out, &p->len);
    p->state = SAYING;
    task_ready(&p->task);
    return true;
}

/* --- messages --- */

static void break_off(struct p9_device *p, const char *why)
{
    p->broken = true;
    xenbus_fail(p->dev, -EPROTO, "%d %s", EPROTO, why);
}

/* A whole message of this pair, if there is one. */
static bool message_take(struct p9_device *p, struct p9_pair *pair)
{
    const int64_t waiting = bytering_waiting(&pair->requests);
    uint32_t size;

    if (waiting < 0)
        break_off(p, "the ring's indices cannot be");
    if (waiting < (int64_t)P9_HEADER)
        return false;
    bytering_peek(&pair->requests, 0, p->message, P9_HEADER);
    memcpy(&size, p->message, sizeof(size));
    if (size < P9_HEADER || size > P9_MSIZE_MAX || size > pair->requests.size ||
        (p->server.msize && size > p->server.msize)) {
        break_off(p, "a message's size cannot be");
        return false;
    }
    if (waiting < size)
        return false;
    bytering_peek(&pair->requests, P9_HEADER, p->message + P9_HEADER, size - P9_HEADER);
    bytering_consume(&pair->requests, size);
    memcpy(&p->tag, p->message + 5, sizeof(p->tag));
    p->from = pair;
    task_charge(&p->task, 1, size);
    p->state = SAYING;
    if (p9_request(&p->server, p->message, size, p->out, &p->len)) {
        p->state = ASKING;
        asking_add(p);
    }
    notify(p, pair); /* there is room again */
    return true;
}

/* False: there is no room yet, and the front end says so when there is. */
static bool answer_say(struct p9_device *p)
{
    const int64_t room = bytering_room(&p->from->answers);

    if (room < 0)
        break_off(p, "the ring's indices cannot be");
    if (p->broken || room < (int64_t)p->len)
        return false;
    bytering_write(&p->from->answers, p->out, p->len);
    task_charge(&p->task, 1, p->len);
    notify(p, p->from);
    p->state = IDLE;
    return true;
}

static bool p9_step(struct task *t, unsigned int budget)
{
    struct p9_device *p = t->data;

    while (budget && !p->broken) {
        bool more = p->state == SAYING && answer_say(p);

        for (unsigned int i = 0; i < p->nr_pairs && p->state == IDLE && !p->broken && !more; i++)
            more = message_take(p, &p->pair[p->turn++ % p->nr_pairs]);
        if (!more)
            return false;
        budget--;
    }
    return !p->broken;
}

static size_t p9_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct p9_device *p = t->data;
    size_t nr = 0;

    for (const struct p9_pair *pair = p->pair; pair < p->pair + p->nr_pairs; pair++) {
        if (pair->port != port)
            continue;
        r[nr++] = (struct task_ring){ .front = p->dev->front,
                                      .device = "9pfs",
                                      .name = "out",
                                      .from_front = true,
                                      .prod = *(const volatile uint32_t *)pair->requests.other,
                                      .cons = pair->requests.index,
                                      .size = pair->requests.size };
        r[nr++] = (struct task_ring){ .front = p->dev->front,
                                      .device = "9pfs",
                                      .name = "in",
                                      .prod = pair->answers.index,
                                      .cons = *(const volatile uint32_t *)pair->answers.other,
                                      .size = pair->answers.size };
    }
    return nr;
}

static const struct task_ops p9_task = { .name = "9pfs", .step = p9_step, .rings = p9_rings };

/* --- connecting --- */

static int pages_map(struct p9_device *p, struct p9_pair *pair)
{
    const uint32_t order = *(volatile const uint32_t *)&pair->intf->ring_order;
    const size_t half = XEN_FLEX_RING_SIZE(order & 31);

    if (order < 1 || order > ORDER_MAX)
        return xenbus_fail(p->dev, -EINVAL, "%d a ring's order is not 1 to %d", EINVAL, ORDER_MAX);
    pair->nr_pages = 1u << order;
    for (unsigned int i = 0; i < pair->nr_pages; i++) {
        const grant_ref_t ref = ((volatile const grant_ref_t *)pair->intf->ref)[i];

        pair->page[i] = native_grant_map(self(p), p->dev->front, ref, &pair->handle[i]);
        if (!pair->page[i])
            return xenbus_fail(p->dev, -EINVAL, "%d a page of a ring cannot be mapped", EINVAL);
    }
    pair->answers = (struct bytering){
        .page = pair->page, .size = (uint32_t)half, .ours = &pair->intf->in_prod, .other = &pair->intf->in_cons
    };
    pair->requests = (struct bytering){ .page = pair->page,
                                        .offset = half,
                                        .size = (uint32_t)half,
                                        .ours = &pair->intf->out_cons,
                                        .other = &pair->intf->out_prod };
    return 0;
}

static int pair_connect(struct p9_device *p, unsigned int i)
{
    struct native_kernel *k = xenbus_kernel(p->dev->bus);
    struct evtchn_bind_interdomain bind = { .remote_dom = p->dev->front };
    struct p9_pair *pair = &p->pair[i];
    uint64_t ref, port;
    char node[32];
    int rc;

    snprintf(node, sizeof(node), "ring-ref%u", i);
    if (!xenbus_read_number(p->dev, true, node, 1, UINT32_MAX, &ref))
        return xenbus_fail(p->dev, -EINVAL, "%d %s is missing, or no grant", EINVAL, node);
    pair->intf = native_grant_map(self(p), p->dev->front, (grant_ref_t)ref, &pair->intf_handle);
    if (!pair->intf)
        return xenbus_fail(p->dev, -EINVAL, "%d %s cannot be mapped", EINVAL, node);
    rc = pages_map(p, pair);
    if (rc)
        return rc;
    snprintf(node, sizeof(node), "event-channel-%u", i);
    if (!xenbus_read_number(p->dev, true, node, 1, UINT32_MAX, &port))
        return xenbus_fail(p->dev, -EINVAL, "%d %s is missing, or no port", EINVAL, node);
    bind.remote_port = (evtchn_port_t)port;
    if (event_op(p, EVTCHNOP_bind_interdomain, &bind))
        return xenbus_fail(p->dev, -EINVAL, "%d %s cannot be bound", EINVAL, node);
    pair->port = bind.local_port;
    return native_bind(k, pair->port, &p->task) ? 0 : xenbus_fail(p->dev, -ENOMEM, "%d no memory", ENOMEM);
}

static void pair_disconnect(struct p9_device *p, struct p9_pair *pair)
{
    if (pair->port) {
        native_bind(xenbus_kernel(p->dev->bus), pair->port, NULL);
        event_op(p, EVTCHNOP_close, &(struct evtchn_close){ .port = pair->port });
    }
    for (unsigned int i = 0; i < pair->nr_pages; i++)
        if (pair->page[i])
            native_grant_unmap(self(p), pair->page[i], pair->handle[i]);
    if (pair->intf)
        native_grant_unmap(self(p), pair->intf, pair->intf_handle);
    memset(pair, 0, sizeof(*pair));
}

static void p9_disconnect(struct xenbus_device *dev)
{
    struct p9_device *p = dev->data;

    if (p->state == ASKING)
        asking_remove(p);
    p->state = IDLE;
    for (unsigned int i = 0; i < RINGS_MAX; i++)
        pair_disconnect(p, &p->pair[i]);
    p->nr_pairs = 0;
    if (p->ready)
        task_end(&p->task);
    p->ready = false;
    p9_server_end(&p->server);
    p->server.msize = 0;
}

static int p9_connect(struct xenbus_device *dev)
{
    struct p9_device *p = dev->data;
    uint64_t nr;
    int rc = 0;

    p->broken = false;
    if (!xenbus_read_number(dev, true, "num-rings", 1, RINGS_MAX, &nr))
        return xenbus_fail(dev, -EINVAL, "%d num-rings is missing, or not 1 to %d", EINVAL, RINGS_MAX);
    task_init(&p->task, xenbus_kernel(dev->bus), &p9_task, p);
    p->ready = true;
    p->nr_pairs = (unsigned int)nr;
    for (unsigned int i = 0; i < p->nr_pairs && !rc; i++)
        rc = pair_connect(p, i);
    if (rc)
        p9_disconnect(dev);
    else
        task_ready(&p->task);
    return rc;
}

/* --- the device --- */

static int p9_probe(struct xenbus_device *dev)
{
    struct p9_shares *s = xenbus_data(dev);
    const struct p9_share *share = s->first;
    char path[XENBUS_VALUE];
    struct p9_device *p;
    uint64_t readonly;

    if (!xenbus_read(dev, false, "path", path))
        return xenbus_fail(dev, -EINVAL, "%d path is missing", EINVAL);
    while (share && strcmp(share->path, path))
        share = share->next;
    if (!share)
        return xenbus_fail(dev, -ENOENT, "%d there is no such share", ENOENT);
    p = dev->data = xzalloc(s->arena, struct p9_device);
    if (!p)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    p->dev = dev;
    p->shares = s;
    p->share = share;
    p->number = ++s->next_device;
    p->server =
        (struct p9_server){ .arena = s->arena,
                            .readonly = xenbus_read_number(dev, false, "read-only", 0, 1, &readonly) && readonly,
                            .next_handle = &s->next_handle };
    xenbus_write(dev, "versions", "1");
    xenbus_write(dev, "max-rings", "%u", RINGS_MAX);
    xenbus_write(dev, "max-ring-page-order", "%u", ORDER_MAX);
    return 0;
}

static void p9_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops p9back = {
    .type = "9pfs", .probe = p9_probe, .connect = p9_connect, .disconnect = p9_disconnect, .remove = p9_remove
};
