// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: what the front end is sent next.
 *
 * Concept: frames wait in the queue of the bridge's port. One that the front end cannot take as it is (it may say that
 * it knows no such thing as GSO) goes out as packets, each of which is made when it is its turn.
 *
 *      port's queue: [frame] [frame] --front end takes it--------------> next
 *                       '------------cut: packet 0, packet 1 ...-------> next
 *
 * Corresponds to Linux's drivers/net/xen-netback/rx.c, before which its stack has cut up what the card does not know.
 */
#include "rings/net/vif.h"

#include "rings/net/offload.h"

static bool front_takes(const struct vif *f, const struct net_frame *frame)
{
    const struct net_offload *o = &frame->offload;
    struct net_headers h;

    if (o->csum_blank && !(f->can_csum_v4 && f->can_csum_v6) &&
        !(net_headers_find(frame, &h) && h.v6 ? f->can_csum_v6 : f->can_csum_v4))
        return false;
    if (o->gso_type == XEN_NETIF_GSO_TYPE_NONE)
        return true;
    return f->can_sg && (o->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ? f->can_gso_v4 : f->can_gso_v6);
}

/* The next packet of the frame that is cut; NULL: none is left. */
static struct net_frame *packet_make(struct vif *f)
{
    uint8_t buf[NET_FRAME_MAX];
    struct net_frame *packet;
    size_t len;

    while (f->cut && f->cut_next < net_plain_count(f->cut)) {
        len = net_plain(f->cut, f->cut_next++, buf);
        task_charge(&f->task, 0, len);
        packet = len <= PAGE_SIZE || f->can_sg ? net_frame_alloc(f->bridge->pool, len) : NULL;
        if (packet) {
            net_frame_write(packet, 0, buf, len);
            packet->offload.csum_valid = true;
            f->stats.cut++;
            return packet;
        }
        f->stats.rx_dropped++;
    }
    if (f->cut)
        net_frame_put(f->cut);
    f->cut = NULL;
    return NULL;
}

struct net_frame *vif_next(struct vif *f)
{
    struct net_frame *frame;

    while (!f->packet && !(f->packet = packet_make(f)) && (frame = bridge_peek(&f->port))) {
        const bool takes = front_takes(f, frame);

        if (takes && (frame->len <= PAGE_SIZE || f->can_sg))
            return frame;
        bridge_take(&f->port);
        if (!takes) {
            f->cut = frame;
            f->cut_next = 0;
        } else {
            f->stats.rx_dropped++;
            net_frame_put(frame);
        }
    }
    return f->packet;
}

struct net_frame *vif_next_take(struct vif *f)
{
    struct net_frame *frame = f->packet ? f->packet : bridge_take(&f->port);

    f->packet = NULL;
    return frame;
}

void vif_next_end(struct vif *f)
{
    if (f->packet)
        net_frame_put(f->packet);
    if (f->cut)
        net_frame_put(f->cut);
    f->packet = f->cut = NULL;
}
