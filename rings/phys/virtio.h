// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The legacy virtio transport: a device that was made up for virtual machines, as a function on the PCI bus.
 *
 * Concept: the guest's driver puts buffers into a queue in its own memory, and writes the queue's number to a port; the
 * device uses them, in any order, puts them into the queue's other half, and raises an interrupt. A queue is a "split
 * virtqueue" of N entries, N a power of two that the device has fixed:
 *
 *      written by the driver                                           written by the device
 *      descriptors                            available ring           used ring
 *        0 | addr | len | NEXT        | 1 | <-- 0 | 0 |                  0 | id 3 | len 1 |   how many bytes
 *        1 | addr | len | WRITE, NEXT | 2 |     1 | 3 |                  1 |      |       |   were written
 *        2 | addr | len | WRITE       |   |     2 |   | <-- the device   . |      |       |
 *        3 | addr | len | INDIRECT    |   |     . |   |     is here      idx 1
 *        .                                      idx 2
 *      ^ page `pfn`                           ^ behind them            ^ at the next page
 *
 * Here the device has taken both chains, 0 and 3, and is through with the second one first.
 *
 * A request is a chain of descriptors: first what the device reads, then what it writes (WRITE). The rings hold numbers
 * of chains' first descriptors. Both idx count for ever, modulo 2^16, and are entries modulo N; what has been made
 * available and not used is what they are apart. INDIRECT: the chain goes on in a table of its own, at addr.
 *
 * Who knows Xen's split drivers finds every part again, and one that is missing:
 *
 *                        virtio, legacy                         Xen: ring, grant, event channel
 *      how it is found   a PCI function                         directories in xenstore
 *      set up            port QUEUE_PFN: where the queue is     ring-ref: the ring page's grant
 *      a request is      a chain of descriptors                 a slot of the ring, of fixed size
 *      an answer         names the chain, in a ring of its own  takes a request's slot in the same ring
 *      memory is told by its address: ANY of the guest's        a grant reference: this page, for this domain,
 *                                                               read-only perhaps, until it is taken back
 *      guest -> device   OUT to port QUEUE_NOTIFY, an exit      EVTCHNOP_send, a hypercall
 *      device -> guest   INTA#, up until ISR is read            a bit, pending until it is cleared
 *      "do not tell me"  flags, or EVENT_IDX                    req_event, rsp_event: EVENT_IDX is the same idea
 *      started anew      0 to the status register               XenbusStateClosing, Closed, Initialising
 *
 * The missing part is the grant: a virtio device may read and write all of its guest's memory, and the guest trusts it
 * with that. So it fits hardware, which reaches all memory anyway, and a device model in dom0; it does not fit a back
 * end in a driver domain that the guest need not trust.
 *
 * Invariants: nothing in the guest's memory is believed. What is no queue (a ring or a table that is nowhere, an index
 * that does not exist, a chain that is longer than N, or written parts before read ones) breaks the device: it says
 * DEVICE_NEEDS_RESET, and does nothing until it is reset. No memory is touched but the queue's, the tables' and what
 * descriptors name. Taking a chain is work of at most N + 2 descriptors. INTA# is up exactly if ISR is not 0.
 *
 * Left out: MSI-X, the modern layout (capabilities, 64-bit features), packed queues.
 *
 * Source: OASIS Virtual I/O Device 1.1, 2.6 (split virtqueues), 4.1.4.8 (legacy PCI), 2.4, 3.1.2, 4.1.5.1.1.
 */
#ifndef RINGS_PHYS_VIRTIO_H
#define RINGS_PHYS_VIRTIO_H

#include "rings/dm/pci.h"
#include "sim/trace.h"

#define VIRTIO_QUEUE_MAX 256u /* entries of the largest queue */
#define VIRTIO_QUEUES    2u
#define VIRTIO_CONFIG    44u /* bytes that say more of a device, by its type */
#define VIRTIO_PORTS     64u

/* Registers, at BAR 0; the device's configuration follows. */
enum {
    VIRTIO_HOST_FEATURES = 0,
    VIRTIO_GUEST_FEATURES = 4,
    VIRTIO_QUEUE_PFN = 8, /* of the selected queue, as the next one; 0: there is none */
    VIRTIO_QUEUE_SIZE = 12,
    VIRTIO_QUEUE_SELECT = 14,
    VIRTIO_QUEUE_NOTIFY = 16,
    VIRTIO_STATUS = 18,
    VIRTIO_ISR = 19, /* reading takes the interrupt back */
    VIRTIO_REGS = 20,
};

#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_NEEDS_RESET 64u

#define VIRTIO_ISR_QUEUE  1u
#define VIRTIO_ISR_CONFIG 2u

/* Features of queues; lower bits are a device type's. */
#define VIRTIO_F_ANY_LAYOUT    (1u << 27) /* parts of a request may be cut into descriptors anywhere */
#define VIRTIO_F_INDIRECT_DESC (1u << 28)
#define VIRTIO_F_EVENT_IDX     (1u << 29) /* "tell me from this index on", behind each ring */

struct virtio_queue {
    uint32_t pfn;
    uint16_t avail; /* the next to be taken */
    uint16_t used;  /* the next to be given back, */
    uint16_t told;  /* and that which the driver was told of last */
};

struct virtio_type {
    uint16_t id; /* 1: a network card, 2: a disk, ... */
    uint32_t class_code;
    unsigned int nr_queues;
    uint16_t queue_size; /* entries; a power of two, at most VIRTIO_QUEUE_MAX */
    /* The driver has put something into queue nr, which there is; the device may be broken. */
    void (*notify)(void *dev, unsigned int nr);
    /* What was taken from queue nr must not be given back. */
    void (*stop)(void *dev, unsigned int nr);
};

struct virtio {
    struct dm_board *board;
    struct pci_device pci;
    const struct virtio_type *type;
    void *dev;
    uint32_t features, guest_features;
    uint16_t select;
    uint8_t status, isr;
    struct virtio_queue queue[VIRTIO_QUEUES];
    uint8_t config[VIRTIO_CONFIG], writable[VIRTIO_CONFIG]; /* writable: bits that the driver may change */
};

/* What the driver has put into a queue: the first nr_out parts are to be read, the others to be written. */
struct virtio_chain {
    uint16_t head;
    unsigned int nr_out, nr;
    struct virtio_part {
        uint64_t addr;
        uint32_t len;
    } part[VIRTIO_QUEUE_MAX];
};

/* A function on the bus; config[] is 0. features: the type's, to which those of queues are added. False: no room. */
bool virtio_init(struct virtio *v, struct pci_bus *bus, uint8_t devfn, const struct virtio_type *type,
                 uint32_t features, void *dev);
/* Its number of `size` bytes in config[]; the driver is told if it runs. */
void virtio_set_config(struct virtio *v, unsigned int at, unsigned int size, uint64_t val);
/* The driver has done what it must not: nothing more is done until it resets the device. */
void virtio_broken(struct virtio *v);

/* The next chain of queue nr. False: there is none, or the device is broken. */
bool virtio_take(struct virtio *v, unsigned int nr, struct virtio_chain *c);
/* A chain that was taken, with the first len bytes of its written parts written. */
void virtio_give(struct virtio *v, unsigned int nr, uint16_t head, uint32_t len);
/* For the trace: what it does. sector: TRACE_NONE, if there is none. */
void virtio_work(struct virtio *v, enum trace_device_op op, uint64_t sector, uint64_t len);
/* The driver is interrupted for what was given, if it wants to be. */
void virtio_tell(struct virtio *v, unsigned int nr);

/* How many bytes are to be read, to be written. */
uint64_t virtio_out_bytes(const struct virtio_chain *c);
uint64_t virtio_in_bytes(const struct virtio_chain *c);
/* Where the last byte of those is that are to be written, of which there are some. */
uint64_t virtio_in_last(const struct virtio_chain *c);
/*
 * Bytes [at, at + len) of what is to be read, or written. 0; -EFAULT: some are nowhere, or the device may not be the
 * bus's master; -EINVAL: the chain has less.
 */
int virtio_read(struct virtio *v, const struct virtio_chain *c, uint64_t at, void *buf, size_t len);
int virtio_write(struct virtio *v, const struct virtio_chain *c, uint64_t at, const void *buf, size_t len);
/* Guest memory, if the device may be the bus's master; 0 or -EFAULT. */
int virtio_dma_write(struct virtio *v, uint64_t gpa, const void *buf, size_t len);

#endif
