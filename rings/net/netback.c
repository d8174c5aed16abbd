// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: dom0's end of a virtual network card (vif).
 *
 * Concept: a vif is a port of a bridge, and one or more queues of two rings each: one in which the front end gives
 * packets, another in which it gives buffers for those that it is sent. Both ends are brought together in
 * netback_connect.c; then one task serves all of it (netback_task.c). Here is what a device is that nobody has
 * connected to yet.
 *
 *      tx ring --grant copy--> frame --bridge--> another vif's queue
 *      rx ring <--grant copy-- frame <---------- our queue
 *
 * The front end writes its state as Connected at once, as Linux's does.
 *
 * Invariants: everything in a ring is hostile. A packet that makes no sense is answered with an error; a ring that
 * makes none ends the device. No front end holds up another: what it does not take is dropped in the end.
 *
 * Source: public io/netif.h. Corresponds to Linux's drivers/net/xen-netback. Left out: grants that stay mapped
 * (ADD_GREF_MAPPING), the way of receiving by flipping pages, as there.
 */
#include "rings/net/vif.h"

#include <stdio.h>
#include <string.h>

static void arrived(struct bridge_port *p) { task_ready(&((struct vif *)p->data)->task); }

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

static const struct bridge_port_ops vif_port = { .kind = "vif", .arrived = arrived, .wants = vif_wants, .more = more };

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
    vif_rate_read(f);
    for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
        xenbus_write(dev, features[i], "1");
    xenbus_write(dev, "feature-rx-flip", "0");
    xenbus_write(dev, "multi-queue-max-queues", "%u", VIF_QUEUES_MAX);
    return 0;
}

static void vif_changed(struct xenbus_device *dev) { vif_groups_read(dev->data); }

static void vif_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops netback = { .type = "vif",
                                     .probe = vif_probe,
                                     .connect = vif_connect,
                                     .disconnect = vif_disconnect,
                                     .also = VIF_GROUPS_NODE,
                                     .changed = vif_changed,
                                     .remove = vif_remove };
