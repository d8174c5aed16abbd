// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: dom0's end of a virtual network card (vif).
 *
 * Concept: a vif is a port of a bridge, and one or more queues of two rings each: one in which the front end gives
 * packets, another in which it gives buffers for those that it is sent. One task serves all of it: a step takes a few
 * packets of each queue to the bridge (netback_tx.c), gives what waits at the port to the front end (netback_rx.c), and
 * then tells it once for each ring.
 *
 *      tx ring --grant copy--> frame --bridge--> another vif's queue
 *      rx ring <--grant copy-- frame <---------- our queue
 *
 * The front end says what it can take: pieces (feature-sg), long TCP segments (feature-gso-tcpv4, -tcpv6), packets
 * without a sum. It writes its state as Connected at once, as Linux's does.
 *
 * Invariants: everything in a ring is hostile. A packet that makes no sense is answered with an error; a ring that
 * makes none ends the device. No front end holds up another: what it does not take is dropped in the end.
 *
 * Source: public io/netif.h. Corresponds to Linux's drivers/net/xen-netback. Left out: grants that stay mapped
 * (ADD_GREF_MAPPING), the way of receiving by flipping pages, as there.
 */
#include "rings/net/vif.h"

#include "vcpu/native/grant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MCAST_NODE "request-multicast-control"

static long event_op(const struct vif *f, unsigned int cmd, void *arg)
{
    return hypercall_native(vif_self(f), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

/* --- the task --- */

static void notify(const struct vif *f, evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    event_op(f, EVTCHNOP_send, &send);
}

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

/* Nothing is left to do before an event or a time. */
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

static bool vif_step(struct task *t, unsigned int budget)
{
    uint32_t tx[VIF_QUEUES_MAX], rx[VIF_QUEUES_MAX];
    struct vif *f = t->data;
    bool more = false;

    for (unsigned int i = 0; i < f->nr_queues; i++) {
        tx[i] = f->queue[i].tx.req_cons;
        rx[i] = f->queue[i].rx.req_cons;
        vif_fullness(f, &f->queue[i]);
    }
    if (f->ctrl_port)
        more = vif_ctrl(f, budget) == budget;
    for (unsigned int i = 0; i < f->nr_queues && !f->broken; i++)
        more |= vif_tx(f, &f->queue[i], budget) == budget;
    if (!f->broken)
        more |= vif_rx(f, budget) == budget;
    if (f->broken)
        return false;
    for (unsigned int i = 0; i < f->nr_queues; i++)
        vif_trace_taken(f, &f->queue[i], tx[i], rx[i]);
    flush(f);
    for (unsigned int i = 0; i < f->nr_queues; i++)
        vif_fullness(f, &f->queue[i]);
    return more || !may_sleep(f);
}

static const struct task_ops vif_task = { .name = "vif", .step = vif_step, .rings = vif_rings };

/* --- connecting --- */

static void page_unmap(struct vif *f, struct vif_page *p)
{
    if (p->ptr)
        native_grant_unmap(vif_self(f), p->ptr, p->handle);
    p->ptr = NULL;
}

static void port_close(struct vif *f, evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    if (!port)
        return;
    native_bind(xenbus_kernel(f->dev->bus), port, NULL);
    event_op(f, EVTCHNOP_close, &close);
}

static void vif_disconnect(struct xenbus_device *dev)
{
    struct vif *f = dev->data;

    bridge_port_remove(&f->port);
    vif_rx_end(f);
    for (struct vif_queue *q = f->queue; q && q < f->queue + f->nr_queues; q++) {
        port_close(f, q->tx_port);
        if (q->rx_port != q->tx_port)
            port_close(f, q->rx_port);
        page_unmap(f, &q->tx_page);
        page_unmap(f, &q->rx_page);
    }
    port_close(f, f->ctrl_port);
    page_unmap(f, &f->ctrl_page);
    f->ctrl_port = 0;
    task_end(&f->task);
    xfree(f->queue);
    f->queue = NULL;
    f->nr_queues = 0;
}

/* Nobody may give one page for two purposes. */
static bool page_is_new(const struct vif *f, const uint8_t *ptr)
{
    unsigned int nr = f->ctrl_page.ptr == ptr;

    for (const struct vif_queue *q = f->queue; q < f->queue + f->nr_queues; q++)
        nr += (q->tx_page.ptr == ptr) + (q->rx_page.ptr == ptr);
    return nr == 1;
}

static int ring_map(struct vif *f, struct vif_page *p, struct ring *r, const char *prefix, const char *which,
                    size_t slot)
{
    char node[40];
    uint64_t ref;

    snprintf(node, sizeof(node), "%s%s-ring-ref", prefix, which);
    if (!xenbus_read_number(f->dev, true, node, 0, UINT32_MAX, &ref))
        return xenbus_fail(f->dev, -EINVAL, "%d %s is missing, or no reference", EINVAL, node);
    p->ptr = native_grant_map(vif_self(f), f->dev->front, (grant_ref_t)ref, &p->handle);
    if (!p->ptr)
        return xenbus_fail(f->dev, -EINVAL, "%d %s cannot be mapped", EINVAL, node);
    if (!page_is_new(f, p->ptr))
        return xenbus_fail(f->dev, -EINVAL, "%d %s is another ring's page", EINVAL, node);
    if (!ring_init(r, &p->ptr, 1, slot))
        return xenbus_fail(f->dev, -EPROTO, "%d the ring's indices cannot be", EPROTO);
    return 0;
}

static int port_bind(struct vif *f, const char *prefix, const char *name, evtchn_port_t *out)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = f->dev->front };
    char node[40];
    uint64_t port;

    snprintf(node, sizeof(node), "%s%s", prefix, name);
    if (!xenbus_read_number(f->dev, true, node, 1, UINT32_MAX, &port))
        return xenbus_fail(f->dev, -EINVAL, "%d %s is missing, or no port", EINVAL, node);
    bind.remote_port = (evtchn_port_t)port;
    if (event_op(f, EVTCHNOP_bind_interdomain, &bind))
        return xenbus_fail(f->dev, -EINVAL, "%d %s cannot be bound", EINVAL, node);
    *out = bind.local_port;
    if (!native_bind(xenbus_kernel(f->dev->bus), *out, &f->task))
        return xenbus_fail(f->dev, -ENOMEM, "%d no memory", ENOMEM);
    return 0;
}

/* One port for both rings, or one for each. */
static int ports_bind(struct vif *f, struct vif_queue *q, const char *prefix)
{
    char value[XENBUS_VALUE], node[40];
    bool split;
    int rc;

    snprintf(node, sizeof(node), "%sevent-channel", prefix);
    split = !xenbus_read(f->dev, true, node, value);
    rc = port_bind(f, prefix, split ? "event-channel-tx" : "event-channel", &q->tx_port);
    q->rx_port = q->tx_port;
    if (rc || !split)
        return rc;
    q->rx_port = 0;
    return port_bind(f, prefix, "event-channel-rx", &q->rx_port);
}

static int queue_connect(struct vif *f, struct vif_queue *q, const char *prefix)
{
    int rc = ring_map(f, &q->tx_page, &q->tx, prefix, "tx", sizeof(struct netif_tx_request));

    rc = rc ?: ring_map(f, &q->rx_page, &q->rx, prefix, "rx", sizeof(struct netif_rx_response));
    return rc ?: ports_bind(f, q, prefix);
}

static bool is_set(const struct vif *f, const char *node)
{
    uint64_t n;

    return xenbus_read_number(f->dev, true, node, 1, UINT32_MAX, &n);
}

/* It may say so at any time. */
static void groups_read(struct vif *f) { f->mcast_control = is_set(f, MCAST_NODE); }

static int features_read(struct vif *f)
{
    if (!is_set(f, "request-rx-copy"))
        return xenbus_fail(f->dev, -EOPNOTSUPP, "%d request-rx-copy is not set: nothing else is offered", EOPNOTSUPP);
    f->can_sg = is_set(f, "feature-sg");
    f->can_gso_v4 = is_set(f, "feature-gso-tcpv4");
    f->can_gso_v6 = is_set(f, "feature-gso-tcpv6");
    f->can_csum_v4 = !is_set(f, "feature-no-csum-offload");
    f->can_csum_v6 = is_set(f, "feature-ipv6-csum-offload");
    groups_read(f);
    return 0;
}

static int queues_connect(struct vif *f)
{
    const bool several = xenbus_read(f->dev, true, "multi-queue-num-queues", (char[XENBUS_VALUE]){ 0 });
    char prefix[16] = "";
    uint64_t nr = 1;
    int rc = 0;

    if (several && !xenbus_read_number(f->dev, true, "multi-queue-num-queues", 1, VIF_QUEUES_MAX, &nr))
        return xenbus_fail(f->dev, -EINVAL, "%d multi-queue-num-queues: 1 to %u", EINVAL, VIF_QUEUES_MAX);
    f->queue = xzalloc_array(vif_self(f)->domain->xen->machine->arena, struct vif_queue, nr);
    if (!f->queue)
        return xenbus_fail(f->dev, -ENOMEM, "%d no memory", ENOMEM);
    f->nr_queues = (unsigned int)nr;
    for (unsigned int i = 0; i < nr && !rc; i++) {
        if (nr > 1)
            snprintf(prefix, sizeof(prefix), "queue-%u/", i);
        rc = queue_connect(f, &f->queue[i], prefix);
    }
    return rc;
}

/* A front end may have a control ring. */
static int ctrl_connect(struct vif *f)
{
    int rc;

    memset(&f->hash, 0, sizeof(f->hash));
    if (!xenbus_read(f->dev, true, "ctrl-ring-ref", (char[XENBUS_VALUE]){ 0 }))
        return 0;
    rc = ring_map(f, &f->ctrl_page, &f->ctrl, "", "ctrl", sizeof(struct xen_netif_ctrl_request));
    return rc ?: port_bind(f, "", "event-channel-ctrl", &f->ctrl_port);
}

static int vif_connect(struct xenbus_device *dev)
{
    struct vif *f = dev->data;
    int rc;

    f->broken = false;
    f->nr_mcast = 0;
    task_init(&f->task, xenbus_kernel(dev->bus), &vif_task, f);
    rc = features_read(f) ?: queues_connect(f) ?: ctrl_connect(f);
    if (rc) {
        vif_disconnect(dev);
        return rc;
    }
    bridge_port_add(f->bridge, &f->port);
    xenbus_write(dev, "hotplug-status", "connected");
    task_ready(&f->task);
    for (unsigned int i = 0; dev->again && i < f->nr_queues; i++) {
        struct evtchn_send tx = { .port = f->queue[i].tx_port }, rx = { .port = f->queue[i].rx_port };

        event_op(f, EVTCHNOP_send, &tx); /* answers may have been shown that nobody was told of */
        event_op(f, EVTCHNOP_send, &rx);
    }
    return 0;
}

/* --- the device --- */

static void arrived(struct bridge_port *p) { task_ready(&((struct vif *)p->data)->task); }

static bool wants(const struct bridge_port *p, const struct net_frame *frame)
{
    static const uint8_t everybody[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const struct vif *f = p->data;
    uint8_t mac[NET_MAC_SIZE];

    if (!f->mcast_control)
        return true;
    net_frame_read(frame, 0, mac, sizeof(mac));
    return !(mac[0] & 1) || !memcmp(mac, everybody, sizeof(mac)) || vif_mcast_has(f, mac);
}

static void more(const struct bridge_port *p, struct bridge_port_more *m)
{
    const struct vif *f = p->data;

    *m = (struct bridge_port_more){ .rate = f->rate.bytes,
                                    .interval = f->rate.interval,
                                    .credit = f->rate.credit,
                                    .errors = f->stats.tx_errors + f->stats.tx_dropped + f->stats.rx_errors +
                                              f->stats.rx_dropped,
                                    .cut = f->stats.cut };
}

static const struct bridge_port_ops vif_port = { .kind = "vif", .arrived = arrived, .wants = wants, .more = more };

/* rate = "bytes,microseconds" */
static void rate_read(struct vif *f)
{
    char value[XENBUS_VALUE];
    uint64_t bytes, us;

    if (!xenbus_read(f->dev, false, "rate", value) || sscanf(value, "%" SCNu64 ",%" SCNu64, &bytes, &us) != 2)
        return;
    if (!bytes || bytes > INT32_MAX || !us || us > UINT32_MAX)
        return;
    f->rate = (struct vif_rate){ .bytes = bytes, .interval = MICROSECS((s_time_t)us), .credit = (int64_t)bytes };
}

static const char *last_name(const char *path) { return strrchr(path, '/') + 1; }

static int vif_probe(struct xenbus_device *dev)
{
    static const char *const features[] = { "feature-sg",
                                            "feature-gso-tcpv4",
                                            "feature-gso-tcpv6",
                                            "feature-ipv6-csum-offload",
                                            "feature-rx-copy",
                                            "feature-multicast-control",
                                            "feature-dynamic-multicast-control",
                                            "feature-ctrl-ring",
                                            "feature-split-event-channels" };
    struct netback *n = xenbus_data(dev);
    char name[XENBUS_VALUE];
    struct vif *f;

    if (!xenbus_read(dev, false, "bridge", name) || !*name || strlen(name) >= BRIDGE_NAME_SIZE)
        return xenbus_fail(dev, -EINVAL, "%d bridge is missing, or no name of one", EINVAL);
    f = dev->data = xzalloc(n->bridges.pool.v->domain->xen->machine->arena, struct vif);
    if (f)
        f->bridge = bridge_get(&n->bridges, name);
    if (!f || !f->bridge)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    f->dev = dev;
    f->port.ops = &vif_port;
    f->port.data = f;
    f->port.domid = dev->front;
    f->port.tap = n->tap;
    if (!xenbus_read(dev, false, "vifname", name) || !*name || strlen(name) >= BRIDGE_NAME_SIZE)
        snprintf(name, sizeof(name), "vif%u.%.5s", dev->front, last_name(dev->path));
    memcpy(f->port.name, name, strlen(name) + 1);
    rate_read(f);
    for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
        xenbus_write(dev, features[i], "1");
    xenbus_write(dev, "feature-rx-flip", "0");
    xenbus_write(dev, "multi-queue-max-queues", "%u", VIF_QUEUES_MAX);
    return 0;
}

static void vif_changed(struct xenbus_device *dev) { groups_read(dev->data); }

static void vif_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops netback = { .type = "vif",
                                     .probe = vif_probe,
                                     .connect = vif_connect,
                                     .disconnect = vif_disconnect,
                                     .also = MCAST_NODE,
                                     .changed = vif_changed,
                                     .remove = vif_remove };
