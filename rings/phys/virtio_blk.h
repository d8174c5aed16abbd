// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk as a virtio device, over a disk of the machine's (rings/disk.h).
 *
 * Concept: a request is one chain of its only queue:
 *
 *      read by the device                                 written by the device
 *      | type 32 | unused 32 | sector 64 | data to write | or data that is read | status 8 |
 *
 * It is done when it is taken, as the native back end does it: bytes are moved, and what remains is to say so when the
 * disk would be through. Until then it is in flight:
 *
 *      QUEUE_NOTIFY --> chain --> disk_read(), disk_write() --> flight, in the order of what disk_due() says
 *                                                                  |
 *                          status, used ring, interrupt <-- timer -'
 *
 * Many are in flight at once, and are answered in the order in which they are done, not in that of the ring. What the
 * guest may rely on is what a disk says: a flush is done when all that was begun before it is on the disk.
 *
 * Invariants: each flight is a chain that was taken and will be given back, unless the device is reset. While as many
 * are in flight as the queue has entries, or more bytes than one request may have, none is taken: so an access moves at
 * most twice VIRTIO_BLK_BYTES_MAX bytes. A request that makes no sense (beyond the end, no whole sectors, too long, a
 * write to what is read-only) is answered with an error, and has changed nothing; one whose memory is nowhere likewise,
 * but of a write the beginning may have been written. A chain without room for a status breaks the device.
 *
 * Source: OASIS Virtual I/O Device 1.1, 5.2. Corresponds to rings/blk_request.c behind the other kind of ring.
 */
#ifndef RINGS_PHYS_VIRTIO_BLK_H
#define RINGS_PHYS_VIRTIO_BLK_H

#include "rings/disk.h"
#include "rings/phys/virtio.h"

#define VIRTIO_BLK_QUEUE     128u
#define VIRTIO_BLK_SERIAL    20u
#define VIRTIO_BLK_SEGMENTS  (VIRTIO_BLK_QUEUE - 2u) /* of data; two more are what it asks and the status */
#define VIRTIO_BLK_SEGMENT   65536u                  /* bytes in one */
#define VIRTIO_BLK_BYTES_MAX (VIRTIO_BLK_SEGMENTS * VIRTIO_BLK_SEGMENT)

struct virtio_blk {
    struct virtio virtio;
    struct disk *disk; /* the caller's */
    bool readonly;
    uint8_t serial[VIRTIO_BLK_SERIAL];
    struct virtio_blk_flight {
        s_time_t due;
        uint64_t status_at; /* where the driver wants it */
        uint32_t bytes;     /* that it moves */
        uint32_t written;   /* what the used ring will say */
        uint16_t head;
        uint8_t status;
    } flight[VIRTIO_BLK_QUEUE]; /* the first to be done first */
    unsigned int nr_flights;
    uint64_t bytes; /* of all flights */
    bool full;      /* there may be more in the queue than could be taken */
    s_time_t again; /* when to look there, without being told to; 0: not */
    struct dm_timer timer;
};

/*
 * A function on the bus. disk stays the caller's, and must outlive it; serial: what it calls itself, of which the first
 * 20 bytes count. False: there is no room on the bus.
 */
bool virtio_blk_init(struct virtio_blk *b, struct pci_bus *bus, uint8_t devfn, struct disk *disk, bool readonly,
                     const char *serial);
/* Its disk has another size now: the driver is told. */
void virtio_blk_resized(struct virtio_blk *b);

#endif
