// SPDX-License-Identifier: GPL-2.0-or-later
/* A bridge's way out of the machine: the idea is in rings/net/outside.h. */
#include "rings/net/outside.h"

#include "rings/net/offload.h"
#include "vcpu/native/kernel.h"

#include <stdio.h>
#include <string.h>

static void arrived(struct bridge_port *p) { task_ready(&((struct net_outside *)p->data)->task); }

static const struct bridge_port_ops outside_port = { .kind = "outside", .arrived = arrived };

static void leave(struct net_outside *o, const uint8_t *packet, size_t len)
{
    if (o->connections)
        connections_see(o->connections, packet, len, true);
    o->send(o->data, packet, len);
}

static bool step(struct task *t, unsigned int budget)
{
    struct net_outside *o = t->data;
    uint8_t packet[NET_FRAME_MAX];

    for (; budget && bridge_peek(&o->port); budget--) {
        struct net_frame *f = bridge_take(&o->port);

        for (unsigned int i = 0; i < net_plain_count(f); i++)
            leave(o, packet, net_plain(f, i, packet));
        task_charge(t, 1, f->len);
        net_frame_put(f);
    }
    return bridge_peek(&o->port);
}

static const struct task_ops outside_task = { .name = "outside", .step = step };

void outside_begin(struct net_outside *o, struct native_kernel *k, struct bridge *b)
{
    o->port.ops = &outside_port;
    o->port.data = o;
    snprintf(o->port.name, sizeof(o->port.name), "outside");
    o->connections = xzalloc(native_vcpu(k)->domain->xen->machine->arena, struct connections);
    task_init(&o->task, k, &outside_task, o);
    bridge_port_add(b, &o->port);
}

void outside_end(struct net_outside *o)
{
    if (!o->port.ops)
        return;
    bridge_port_remove(&o->port);
    task_end(&o->task);
    o->port.ops = NULL;
    xfree(o->connections);
    o->connections = NULL;
}

bool outside_receive(struct net_outside *o, const uint8_t *packet, size_t len)
{
    struct net_frame *f =
        o->port.ops && len >= NET_FRAME_MIN && len <= NET_FRAME_MAX ? net_frame_alloc(o->port.bridge->pool, len) : NULL;

    if (!f)
        return false;
    if (o->connections)
        connections_see(o->connections, packet, len, false);
    net_frame_write(f, 0, packet, len);
    bridge_send(&o->port, f);
    return true;
}
