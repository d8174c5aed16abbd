// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulated network cards of HVM guests, at the bridges of dom0.
 *
 * Concept: a card that xl.cfg states is two: a virtual one, with a back end, and an emulated one for systems that do
 * not know Xen, with the same address and on the same bridge. The latter's cable ends here, at a port of its own, whose
 * queue keeps what the card has no room for; so Xen's tools have a tap device for it beside the vif:
 *
 *      rtl8139.c --send()--> [ port "vif1.0-emu" ] <--> bridge <--> [ port "vif1.0" ] <--> netback
 *
 * When the guest has unplugged it, its port takes nothing more, and the bridge hears the address at the other.
 *
 * Invariant: a port is on a bridge only while its device model is there.
 *
 * Corresponds to QEMU's tap devices and Xen's script vif-bridge. Unlike there, a device model in a domain of its own
 * reaches dom0's bridges, too, and not by a virtual card of its own.
 */
#include "rings/net/offload.h"
#include "tools/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/io/netif.h>

struct guest_tap {
    struct bridge_port port;
    struct pc *pc; /* whose card it is */
};

static void arrived(struct bridge_port *p) { pc_nic_arrived(((struct guest_tap *)p->data)->pc); }

static bool wants(const struct bridge_port *p, const struct net_frame *f)
{
    (void)f;
    return !pc_nics_unplugged(((const struct guest_tap *)p->data)->pc);
}

static const struct bridge_port_ops tap_port = { .kind = "tap", .arrived = arrived, .wants = wants };

static void nic_send(void *data, unsigned int nic, const struct rtl8139_frame *from)
{
    struct guest *g = data;
    struct net_frame *f = nic < g->nr_taps ? net_frame_alloc(g->taps[nic].port.bridge->pool, from->len) : NULL;

    if (!f)
        return; /* lost, as on a wire: out of memory */
    net_frame_write(f, 0, from->bytes, from->len);
    f->offload = (struct net_offload){ .csum_blank = from->csum_blank,
                                       .gso_type = from->mss ? XEN_NETIF_GSO_TYPE_TCPV4 : XEN_NETIF_GSO_TYPE_NONE,
                                       .gso_size = from->mss };
    if (net_offload_ok(f))
        bridge_send(&g->taps[nic].port, f);
    else
        net_frame_put(f); /* headers that nothing can be made of */
}

static void nic_ready(void *data, unsigned int nic)
{
    struct guest *g = data;
    struct guest_tap *t = nic < g->nr_taps ? &g->taps[nic] : NULL;
    uint8_t packet[NET_FRAME_MAX];

    while (t && bridge_peek(&t->port) && pc_nic_room(t->pc, nic)) {
        struct net_frame *f = bridge_take(&t->port);

        for (unsigned int i = 0; i < net_plain_count(f); i++)
            pc_nic_receive(t->pc, nic, packet, net_plain(f, i, packet));
        net_frame_put(f);
    }
}

void guest_taps_describe(const struct guest *g, struct pc_config *cfg)
{
    for (unsigned int i = 0; i < g->vifs.nr; i++)
        if (vif_is_emulated(g, &g->vifs.list[i]))
            memcpy(cfg->nic[cfg->nr_nics++], g->vifs.list[i].mac, NET_MAC_SIZE);
    cfg->outside.nic_send = nic_send;
    cfg->outside.nic_ready = nic_ready;
}

int guest_taps_begin(struct guest *g, struct pc *pc)
{
    struct host *h = g->host;

    g->taps = xzalloc_array(h->arena, struct guest_tap, g->vifs.nr ?: 1);
    if (!g->taps)
        return -ENOMEM;
    for (unsigned int i = 0; i < g->vifs.nr; i++) {
        const struct xl_vif *v = &g->vifs.list[i];
        struct guest_tap *t = &g->taps[g->nr_taps];
        struct netback *net;
        struct bridge *b;

        if (!g->built && *v->backend && !v->only_pv)
            host_message(
                h,
                "%s: vif %u is no emulated card, its bridge is in %s: it is there for a guest with drivers for Xen "
                "alone",
                g->cfg.name, v->devid, v->backend);
        if (!vif_is_emulated(g, v))
            continue;
        net = vif_devices.data(h);
        b = bridge_get(&net->bridges, v->bridge);
        if (!b)
            return -ENOMEM;
        if (!strcmp(v->bridge, XL_VIF_OUTSIDE))
            host_outside_have(h);
        *t =
            (struct guest_tap){ .pc = pc, .port = { .ops = &tap_port, .data = t, .domid = g->domid, .tap = net->tap } };
        snprintf(t->port.name, sizeof(t->port.name), "vif%u.%u-emu", g->domid, v->devid);
        bridge_port_add(b, &t->port);
        g->nr_taps++;
    }
    return 0;
}

void guest_taps_end(struct guest *g)
{
    for (unsigned int i = 0; i < g->nr_taps; i++)
        bridge_port_remove(&g->taps[i].port);
    xfree(g->taps);
    g->taps = NULL;
    g->nr_taps = 0;
}
