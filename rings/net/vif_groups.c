// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: which groups the front end wants to hear of.
 *
 * Concept: a frame for a group (multicast) goes to every card of a bridge, most of which throw it away. A front end may
 * ask to be spared that (request-multicast-control, at any time), and then says by packets of its own, which carry
 * nothing else, which groups it is in. What is for everybody it gets all the same.
 *
 * Source: public io/netif.h. Corresponds to multicast control in Linux's drivers/net/xen-netback.
 */
#include "rings/net/vif.h"

#include <string.h>

static bool has(const struct vif *f, const uint8_t mac[NET_MAC_SIZE])
{
    for (unsigned int i = 0; i < f->nr_mcast; i++)
        if (!memcmp(f->mcast[i], mac, NET_MAC_SIZE))
            return true;
    return false;
}

int16_t vif_groups_change(struct vif *f, const struct netif_extra_info *e)
{
    if (e->type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD) {
        if (has(f, e->u.mcast.addr))
            return NETIF_RSP_OKAY;
        if (f->nr_mcast == VIF_MCAST_MAX)
            return NETIF_RSP_ERROR;
        memcpy(f->mcast[f->nr_mcast++], e->u.mcast.addr, NET_MAC_SIZE);
        return NETIF_RSP_OKAY;
    }
    for (unsigned int i = 0; i < f->nr_mcast; i++)
        if (!memcmp(f->mcast[i], e->u.mcast.addr, NET_MAC_SIZE))
            memcpy(f->mcast[i], f->mcast[--f->nr_mcast], NET_MAC_SIZE);
    return NETIF_RSP_OKAY;
}

void vif_groups_read(struct vif *f) { f->mcast_control = vif_is_set(f, VIF_GROUPS_NODE); }

bool vif_wants(const struct bridge_port *p, const struct net_frame *frame)
{
    static const uint8_t everybody[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const struct vif *f = p->data;
    uint8_t mac[NET_MAC_SIZE];

    if (!f->mcast_control)
        return true;
    net_frame_read(frame, 0, mac, sizeof(mac));
    return !(mac[0] & 1) || !memcmp(mac, everybody, sizeof(mac)) || has(f, mac);
}
