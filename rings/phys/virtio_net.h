// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card as a virtio device.
 *
 * Concept: two queues, and a wire. Each frame has a header of 10 bytes in front of it, in the same chain:
 *
 *      queue 1, transmit   | header | frame |                 --> wire: transmit()
 *      queue 0, receive    | room for a header and a frame |  <-- virtio_net_receive(), an interrupt
 *
 * The header is for what a card may be left to do, sums and cutting up. This one offers nothing of that: it is zero in
 * both directions, and a frame that asks for more is not sent. Nor does it filter: what is on the wire is received, as
 * a bridge behind it wants.
 *
 * Beside Xen's netfront: there a frame's pages are granted, and the back end copies (GNTTABOP_copy); here the card
 * reads and writes wherever the descriptors point. There, too, the guest gives buffers in advance, in a ring of its own
 * for each direction.
 *
 * Invariants: an access is work of at most N + 1 frames. Each buffer that is taken is given back at once. A frame that
 * no buffer is there for is dropped, and counted, as on any wire.
 *
 * Source: OASIS Virtual I/O Device 1.1, 5.1, with its legacy notes.
 */
#ifndef RINGS_PHYS_VIRTIO_NET_H
#define RINGS_PHYS_VIRTIO_NET_H

#include "rings/phys/virtio.h"

#define VIRTIO_NET_QUEUE     256u
#define VIRTIO_NET_HEADER    10u
#define VIRTIO_NET_FRAME_MIN 14u   /* bytes, without the sum */
#define VIRTIO_NET_FRAME_MAX 1518u /* with a VLAN tag */

enum { VIRTIO_NET_RX, VIRTIO_NET_TX };

/* The other end of the cable. */
struct wire_ops {
    /* A frame of VIRTIO_NET_FRAME_MIN to _MAX bytes, that are gone afterwards. */
    void (*transmit)(void *owner, const uint8_t *packet, size_t len);
    /* The driver has given buffers: there may be room for what waits. May be NULL. */
    void (*room)(void *owner);
};

struct virtio_net {
    struct virtio virtio;
    const struct wire_ops *wire;
    void *owner;
    uint64_t sent, received;
    uint64_t refused; /* what the driver wanted to send, and is no frame, or nowhere */
    uint64_t missed;  /* on the wire, and there was no buffer, or none that it fits into */
};

/* A function on the bus, with that address. False: there is no room on the bus. */
bool virtio_net_init(struct virtio_net *n, struct pci_bus *bus, uint8_t devfn, const uint8_t mac[6],
                     const struct wire_ops *wire, void *owner);
/* A frame comes in. False: the driver does not get it. */
bool virtio_net_receive(struct virtio_net *n, const uint8_t *packet, size_t len);

#endif
