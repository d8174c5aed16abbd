// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: rings, ports and words of a front end that comes, and what is left when it goes.
 *
 * Concept: a front end says in xenstore which pages its rings are, as grants, at which ports it waits, and what it can
 * take: pieces (feature-sg), long TCP segments (feature-gso-tcpv4, -tcpv6), packets without a sum. All of it is read
 * once, and all of it may be wrong.
 *
 * Invariant: what has been taken is in struct vif as soon as it has been, so that giving back is one function, whether
 * the front end goes in the middle of a packet or has never come further than to its second ring.
 *
 * Source: public io/netif.h. Corresponds to Linux's drivers/net/xen-netback/xenbus.c.
 */
#include "rings/net/vif.h"

#include "vcpu/native/grant.h"

#include <stdio.h>

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
    vif_event_op(f, EVTCHNOP_close, &close);
}

/* Nothing of the front end's is held afterwards, however little of it there was: what is missing is 0 or NULL. */
void vif_disconnect(struct xenbus_device *dev)
{
    struct vif *f = dev->data;

    bridge_port_remove(&f->port);
    vif_next_end(f);
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
    if (vif_event_op(f, EVTCHNOP_bind_interdomain, &bind))
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

static int features_read(struct vif *f)
{
    if (!vif_is_set(f, "request-rx-copy"))
        return xenbus_fail(f->dev, -EOPNOTSUPP, "%d request-rx-copy is not set: nothing else is offered", EOPNOTSUPP);
    f->can_sg = vif_is_set(f, "feature-sg");
    f->can_gso_v4 = vif_is_set(f, "feature-gso-tcpv4");
    f->can_gso_v6 = vif_is_set(f, "feature-gso-tcpv6");
    f->can_csum_v4 = !vif_is_set(f, "feature-no-csum-offload");
    f->can_csum_v6 = vif_is_set(f, "feature-ipv6-csum-offload");
    vif_groups_read(f);
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

int vif_connect(struct xenbus_device *dev)
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

        vif_event_op(f, EVTCHNOP_send, &tx); /* answers may have been shown that nobody was told of */
        vif_event_op(f, EVTCHNOP_send, &rx);
    }
    return 0;
}
