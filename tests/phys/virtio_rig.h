// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio device on a board, and what a driver does with it: the test is the driver.
 *
 * The board watches what the device does to memory: it may read what queues and descriptors are made of, and of the
 * rest only what a descriptor that it has read names, in the direction which that one allows. That holds for hostile
 * drivers, too; a test that lets the device do anything else fails on the spot.
 */
#ifndef TESTS_PHYS_VIRTIO_RIG_H
#define TESTS_PHYS_VIRTIO_RIG_H

#include "rings/phys/virtio.h"
#include "tests/dm/board.h"

#define PORT    0xc000u
#define DEVFN   (5 << 3)
#define NOWHERE (UINT64_C(1) << 40)
#define NEXT    1u
#define WRITE   2u
#define INDIR   4u

#define RIG_NAMED 16384u
#define RIG_QUEUE 0x10000u /* where queue 0 is; the next one 0x10000 behind it */

struct driver_queue {
    uint32_t base;
    unsigned int size;
    uint16_t avail, used;
};

struct rig {
    struct board *board;
    struct pci_bus bus;
    struct virtio *virtio;
    struct dm_board_ops ops;
    struct driver_queue queue[VIRTIO_QUEUES];
    uint64_t dma;    /* accesses of guest memory */
    char work[2048]; /* what the device has told of itself: operation, sector, bytes; each with a blank behind it */
    unsigned int nr_named;
    struct named {
        uint64_t addr, len;
        unsigned int flags;
    } named[RIG_NAMED];
};

static struct rig *rig;

/* --- where a queue's parts are, as the specification has it --- */

static inline uint64_t avail_of(uint64_t base, unsigned int size) { return base + 16 * size; }

static inline uint64_t used_of(uint64_t base, unsigned int size)
{
    return (base + 16 * size + 2 * (3 + size) + 4095) / 4096 * 4096;
}

/* --- the watch --- */

static inline void note_work(struct dm_board *b, unsigned int device, enum trace_device_op op, uint64_t sector,
                             uint64_t len)
{
    const size_t n = strlen(rig->work);
    char at[24] = "-";

    assert_int_equal(device, DEVFN >> 3);
    if (sector != TRACE_NONE)
        snprintf(at, sizeof(at), "%llu", (unsigned long long)sector);
    snprintf(rig->work + n, sizeof(rig->work) - n, "%s:%s:%llu ", trace_value_name(TRACE_TYPE_device_op, op), at,
             (unsigned long long)len);
}

/* What it has told since it was asked last. */
static inline void assert_work(const char *said)
{
    assert_string_equal(rig->work, said);
    rig->work[0] = '\0';
}

static inline bool within(uint64_t gpa, size_t len, uint64_t from, uint64_t size)
{
    return gpa >= from && gpa - from <= size && len <= size - (gpa - from);
}

static inline bool is_named(uint64_t gpa, size_t len, unsigned int flags)
{
    for (unsigned int i = rig->nr_named; i--;)
        if (rig->named[i].flags == flags && within(gpa, len, rig->named[i].addr, rig->named[i].len))
            return true;
    return false;
}

static inline void name(const uint8_t *desc)
{
    struct named n;
    uint32_t len;

    memcpy(&n.addr, desc, 8);
    memcpy(&len, desc + 8, 4);
    n.len = len;
    n.flags = desc[12] & INDIR ? INDIR : desc[12] & WRITE;
    for (unsigned int i = 0; i < rig->nr_named; i++)
        if (rig->named[i].addr == n.addr && rig->named[i].len == n.len && rig->named[i].flags == n.flags)
            return;
    assert_true(rig->nr_named < RIG_NAMED);
    rig->named[rig->nr_named++] = n;
}

static inline int watched_read(struct dm_board *b, uint64_t gpa, void *buf, size_t len)
{
    const int rc = board_dma_read(b, gpa, buf, len);
    bool known = is_named(gpa, len, 0), desc = len == 16 && is_named(gpa, len, INDIR);

    rig->dma++;
    for (unsigned int i = 0; i < rig->virtio->type->nr_queues; i++) {
        const unsigned int size = rig->virtio->type->queue_size;
        const uint64_t base = (uint64_t)rig->virtio->queue[i].pfn << 12;

        desc |= base && len == 16 && within(gpa, len, base, 16 * size) && gpa % 16 == 0;
        known |= base && within(gpa, len, avail_of(base, size), 2 * (3 + size));
    }
    if (!known && !desc)
        fail_msg("the device reads %zu bytes at %#llx, which nobody named", len, (unsigned long long)gpa);
    if (desc && !rc)
        name(buf);
    return rc;
}

static inline int watched_write(struct dm_board *b, uint64_t gpa, const void *buf, size_t len)
{
    bool known = is_named(gpa, len, WRITE);

    rig->dma++;
    for (unsigned int i = 0; i < rig->virtio->type->nr_queues; i++) {
        const unsigned int size = rig->virtio->type->queue_size;
        const uint64_t base = (uint64_t)rig->virtio->queue[i].pfn << 12;

        known |= base && within(gpa, len, used_of(base, size), 6 + 8 * size);
    }
    if (!known)
        fail_msg("the device writes %zu bytes at %#llx, which nobody named", len, (unsigned long long)gpa);
    return board_dma_write(b, gpa, buf, len);
}

/* --- registers --- */

static inline uint32_t reg_in(unsigned int reg, unsigned int size)
{
    return (uint32_t)board_read(rig->board, DM_PORT, PORT + reg, size);
}

static inline void reg_out(unsigned int reg, unsigned int size, uint32_t val)
{
    board_write(rig->board, DM_PORT, PORT + reg, size, val);
}

static inline bool line(void) { return rig->board->intx[DEVFN >> 3][0]; }
static inline bool needs_reset(void) { return reg_in(VIRTIO_STATUS, 1) & VIRTIO_STATUS_NEEDS_RESET; }

static inline void reset(void)
{
    reg_out(VIRTIO_STATUS, 1, 0);
    if (!reg_in(VIRTIO_STATUS, 1)) /* otherwise its ports are not there */
        rig->nr_named = 0;
}

/* The device is reset, set up, and wants these features. */
static inline void start(uint32_t features)
{
    reset();
    reg_out(VIRTIO_STATUS, 1, 3);
    reg_out(VIRTIO_GUEST_FEATURES, 4, features);
    for (unsigned int nr = 0; nr < rig->virtio->type->nr_queues; nr++) {
        struct driver_queue *q = &rig->queue[nr];

        reg_out(VIRTIO_QUEUE_SELECT, 2, nr);
        *q = (struct driver_queue){ .base = RIG_QUEUE * (nr + 1), .size = reg_in(VIRTIO_QUEUE_SIZE, 2) };
        memset(rig->board->memory + q->base, 0, RIG_QUEUE);
        reg_out(VIRTIO_QUEUE_PFN, 4, q->base >> 12);
    }
    reg_out(VIRTIO_STATUS, 1, 7);
}

/* A new board; the device is to be put on its bus, and then rig_place(). */
static inline void rig_create(void)
{
    rig = calloc(1, sizeof(*rig));
    rig->board = board_create();
    rig->ops = board_ops;
    rig->ops.work = note_work;
    rig->ops.dma_read = watched_read;
    rig->ops.dma_write = watched_write;
    rig->board->dm.ops = &rig->ops;
    pci_bus_init(&rig->bus, &rig->board->dm);
}

static inline void rig_place(struct virtio *v)
{
    rig->virtio = v;
    pci_config_write(&rig->bus, DEVFN, 0x10, 4, PORT);
    pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
}

static inline void rig_free(void)
{
    free(rig->board);
    free(rig);
}

/* --- memory --- */

static inline void put(uint64_t at, unsigned int size, uint64_t val) { memcpy(rig->board->memory + at, &val, size); }

static inline uint64_t get(uint64_t at, unsigned int size)
{
    uint64_t val = 0;

    memcpy(&val, rig->board->memory + at, size);
    return val;
}

/* --- a queue --- */

static inline void desc_put(uint64_t table, unsigned int i, uint64_t addr, uint32_t len, unsigned int flags,
                            unsigned int next)
{
    put(table + 16 * i, 8, addr);
    put(table + 16 * i + 8, 4, len);
    put(table + 16 * i + 12, 2, flags);
    put(table + 16 * i + 14, 2, next);
}

static inline void desc(unsigned int nr, unsigned int i, uint64_t addr, uint32_t len, unsigned int flags,
                        unsigned int next)
{
    desc_put(rig->queue[nr].base, i, addr, len, flags, next);
}

/* It is available; nobody is told. */
static inline void offer(unsigned int nr, uint16_t head)
{
    struct driver_queue *q = &rig->queue[nr];
    const uint64_t ring = avail_of(q->base, q->size);

    put(ring + 4 + 2 * (q->avail % q->size), 2, head);
    put(ring + 2, 2, ++q->avail);
}

static inline void kick(unsigned int nr) { reg_out(VIRTIO_QUEUE_NOTIFY, 2, nr); }

static inline uint64_t avail_flags(unsigned int nr) { return avail_of(rig->queue[nr].base, rig->queue[nr].size); }
static inline uint64_t used_event(unsigned int nr) { return avail_flags(nr) + 4 + 2 * rig->queue[nr].size; }
static inline uint16_t avail_event(unsigned int nr)
{
    return (uint16_t)get(used_of(rig->queue[nr].base, rig->queue[nr].size) + 4 + 8 * rig->queue[nr].size, 2);
}

/* The next that was given back: its number, its length in *len. -1: none. */
static inline int take_used(unsigned int nr, uint32_t *len)
{
    struct driver_queue *q = &rig->queue[nr];
    const uint64_t ring = used_of(q->base, q->size);

    if (get(ring + 2, 2) == q->used)
        return -1;
    *len = (uint32_t)get(ring + 8 + 8 * (q->used % q->size), 4);
    return (int)get(ring + 4 + 8 * (q->used++ % q->size), 4);
}

static inline void assert_used(unsigned int nr, int id, uint32_t len)
{
    uint32_t said = 0;

    assert_int_equal(take_used(nr, &said), id);
    if (id >= 0)
        assert_int_equal(said, len);
}

#endif
