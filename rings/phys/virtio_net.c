// SPDX-License-Identifier: GPL-2.0-or-later
/* A network card as a virtio device: rings/phys/virtio_net.h says what it is. */
#include "rings/phys/virtio_net.h"

#include <string.h>

#define F_MAC (1u << 5) /* configuration begins with the address */

struct header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

_Static_assert(sizeof(struct header) == VIRTIO_NET_HEADER, "as the driver lays it out");

/* --- what the driver sends --- */

static bool transmit(struct virtio_net *n, const struct virtio_chain *c)
{
    const uint64_t bytes = virtio_out_bytes(c), len = bytes - VIRTIO_NET_HEADER;
    uint8_t frame[VIRTIO_NET_FRAME_MAX];
    struct header h;

    if (bytes < VIRTIO_NET_HEADER + VIRTIO_NET_FRAME_MIN || len > VIRTIO_NET_FRAME_MAX)
        return false;
    if (virtio_read(&n->virtio, c, 0, &h, sizeof(h)) || h.flags || h.gso_type)
        return false;
    if (virtio_read(&n->virtio, c, sizeof(h), frame, (size_t)len))
        return false;
    virtio_work(&n->virtio, TRACE_DEVICE_SEND, TRACE_NONE, len);
    n->wire->transmit(n->owner, frame, (size_t)len);
    return true;
}

/*
 * All that there is: at most N, since a driver has no more. One further look tells it that the queue is empty. (Memory
 * that the wire's answers are written to may be the queue itself, so that it is never empty.)
 */
static void send_all(struct virtio_net *n)
{
    struct virtio_chain c;
    unsigned int nr = 0;

    while (nr <= VIRTIO_NET_QUEUE && virtio_take(&n->virtio, VIRTIO_NET_TX, &c)) {
        const bool ok = transmit(n, &c);

        n->sent += ok;
        n->refused += !ok;
        virtio_give(&n->virtio, VIRTIO_NET_TX, c.head, 0);
        nr++;
    }
    if (nr)
        virtio_tell(&n->virtio, VIRTIO_NET_TX);
}

/* --- what it receives --- */

bool virtio_net_receive(struct virtio_net *n, const uint8_t *packet, size_t len)
{
    const struct header h = { 0 };
    struct virtio_chain c;
    bool ok;

    if (len < VIRTIO_NET_FRAME_MIN || len > VIRTIO_NET_FRAME_MAX || !virtio_take(&n->virtio, VIRTIO_NET_RX, &c)) {
        n->missed++;
        return false;
    }
    /* A buffer that is too small, or nowhere, goes back empty: the driver finds out. */
    ok = virtio_in_bytes(&c) >= sizeof(h) + len && !virtio_write(&n->virtio, &c, 0, &h, sizeof(h)) &&
         !virtio_write(&n->virtio, &c, sizeof(h), packet, len);
    if (ok)
        virtio_work(&n->virtio, TRACE_DEVICE_RECEIVE, TRACE_NONE, len);
    n->received += ok;
    n->missed += !ok;
    virtio_give(&n->virtio, VIRTIO_NET_RX, c.head, ok ? (uint32_t)(sizeof(h) + len) : 0);
    virtio_tell(&n->virtio, VIRTIO_NET_RX);
    return ok;
}

/* --- the device --- */

static void on_notify(void *dev, unsigned int nr)
{
    struct virtio_net *n = dev;

    if (nr == VIRTIO_NET_TX)
        send_all(n);
    else if (n->wire->room)
        n->wire->room(n->owner);
}

static void on_stop(void *dev, unsigned int nr) {} /* nothing of a queue is ever kept */

static const struct virtio_type type = {
    .id = 1,
    .class_code = 0x020000,
    .nr_queues = 2,
    .queue_size = VIRTIO_NET_QUEUE,
    .notify = on_notify,
    .stop = on_stop,
};

bool virtio_net_init(struct virtio_net *n, struct pci_bus *bus, uint8_t devfn, const uint8_t mac[6],
                     const struct wire_ops *wire, void *owner)
{
    *n = (struct virtio_net){ .wire = wire, .owner = owner };
    if (!virtio_init(&n->virtio, bus, devfn, &type, F_MAC, n))
        return false;
    memcpy(n->virtio.config, mac, 6);
    memset(n->virtio.writable, 0xff, 6); /* where the driver says another one; nothing here asks for it */
    return true;
}
