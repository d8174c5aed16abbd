// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk as a virtio device: rings/phys/virtio_blk.h says what it is. */
#include "rings/phys/virtio_blk.h"

#include <string.h>

#define F_SIZE_MAX (1u << 1)
#define F_SEG_MAX  (1u << 2)
#define F_RO       (1u << 5)
#define F_BLK_SIZE (1u << 6)
#define F_FLUSH    (1u << 9)

/* Its configuration. */
#define CONFIG_CAPACITY 0 /* sectors */
#define CONFIG_SIZE_MAX 8
#define CONFIG_SEG_MAX  12
#define CONFIG_BLK_SIZE 20

#define T_IN     0u
#define T_OUT    1u
#define T_FLUSH  4u
#define T_GET_ID 8u

#define S_OK     0u
#define S_IOERR  1u
#define S_UNSUPP 2u

#define CHUNK 8192u /* bytes that are on their way at once */
#define SOON  MICROSECS(1)
#define AWAY  MILLISECS(1)

struct head {
    uint32_t type, unused;
    uint64_t sector;
};

/* What is being done. */
struct request {
    const struct virtio_chain *chain;
    struct head head;
    uint64_t out, in;             /* bytes of data */
    struct virtio_blk_flight *to; /* its end: how long it takes, what was written */
};

static s_time_t now(const struct virtio_blk *b) { return b->virtio.board->ops->now(b->virtio.board); }

/* --- requests: each a status --- */

/* Through a buffer, since the disk has whole sectors and descriptors may end anywhere. */
static uint8_t transfer(struct virtio_blk *b, struct request *q, bool write)
{
    const uint64_t len = write ? q->out : q->in, nr = len / SECTOR_SIZE;
    const uint64_t sector = q->head.sector;
    uint8_t buf[CHUNK];
    int rc = 0;

    if (!len || len % SECTOR_SIZE || len > VIRTIO_BLK_BYTES_MAX || (write && b->readonly))
        return S_IOERR;
    if (sector > b->disk->sectors || nr > b->disk->sectors - sector)
        return S_IOERR;
    q->to->bytes = (uint32_t)len;
    q->to->due = disk_due(b->disk, write ? DISK_WRITE : DISK_READ, sector, nr, q->to->due);
    for (uint64_t at = 0; at < len && !rc; at += CHUNK) {
        const unsigned int n = len - at < CHUNK ? (unsigned int)(len - at) : CHUNK;
        const uint64_t first = sector + at / SECTOR_SIZE;

        if (write) {
            rc = virtio_read(&b->virtio, q->chain, sizeof(q->head) + at, buf, n);
            rc = rc ? rc : disk_write(b->disk, first, buf, n / SECTOR_SIZE);
        } else {
            rc = disk_read(b->disk, first, buf, n / SECTOR_SIZE);
            rc = rc ? rc : virtio_write(&b->virtio, q->chain, at, buf, n);
        }
    }
    if (!rc && !write)
        q->to->written = (uint32_t)len;
    return rc ? S_IOERR : S_OK;
}

static uint8_t flush(struct virtio_blk *b, struct request *q)
{
    q->to->due = disk_due(b->disk, DISK_FLUSH, 0, 0, q->to->due);
    return disk_flush(b->disk) ? S_IOERR : S_OK;
}

static uint8_t get_id(struct virtio_blk *b, struct request *q)
{
    const uint32_t n = q->in < VIRTIO_BLK_SERIAL ? (uint32_t)q->in : VIRTIO_BLK_SERIAL;

    if (virtio_write(&b->virtio, q->chain, 0, b->serial, n))
        return S_IOERR;
    q->to->written = n;
    return S_OK;
}

static uint8_t execute(struct virtio_blk *b, struct request *q)
{
    if (b->disk->fault.fail) { /* put into the run: nothing of it is done */
        b->disk->fault.fail--;
        return S_IOERR;
    }
    if (virtio_read(&b->virtio, q->chain, 0, &q->head, sizeof(q->head)))
        return S_IOERR;
    q->out = virtio_out_bytes(q->chain) - sizeof(q->head);
    q->in = virtio_in_bytes(q->chain) - 1;
    switch (q->head.type) {
    case T_IN: return transfer(b, q, false);
    case T_OUT: return transfer(b, q, true);
    case T_FLUSH: return flush(b, q);
    case T_GET_ID: return get_id(b, q);
    default: return S_UNSUPP;
    }
}

/* --- flights --- */

/* The timer goes off for what is due first, or when the queue is to be looked at. */
static void arm(struct virtio_blk *b)
{
    s_time_t due = b->again;

    if (b->nr_flights && (!due || b->flight[0].due < due))
        due = b->flight[0].due;
    b->virtio.board->ops->timer(b->virtio.board, &b->timer, due);
}

/* Behind those that are due at the same time. */
static void flight_add(struct virtio_blk *b, const struct virtio_blk_flight *f)
{
    unsigned int i = b->nr_flights++;

    for (; i && b->flight[i - 1].due > f->due; i--)
        b->flight[i] = b->flight[i - 1];
    b->flight[i] = *f;
    b->bytes += f->bytes;
}

/* What has become of it, for the trace. */
static void tell(struct virtio_blk *b, const struct request *q)
{
    const bool moves = q->head.type == T_IN || q->head.type == T_OUT;
    const enum trace_device_op op = q->to->status != S_OK     ? TRACE_DEVICE_FAILED
                                    : q->head.type == T_IN    ? TRACE_DEVICE_READ
                                    : q->head.type == T_OUT   ? TRACE_DEVICE_WRITE
                                    : q->head.type == T_FLUSH ? TRACE_DEVICE_FLUSH
                                                              : TRACE_DEVICE_IDENT;

    virtio_work(&b->virtio, op, moves ? q->head.sector : TRACE_NONE, moves ? q->to->bytes : q->to->written);
}

static void begin(struct virtio_blk *b, const struct virtio_chain *c)
{
    const uint64_t in = virtio_in_bytes(c);
    struct virtio_blk_flight f = { .due = now(b), .head = c->head };
    struct request q = { .chain = c, .to = &f };

    if (!in) {
        virtio_broken(&b->virtio);
        return;
    }
    f.status_at = virtio_in_last(c);
    f.status = execute(b, &q);
    tell(b, &q);
    f.written += f.written == in - 1; /* the status follows what was written */
    f.due += b->disk->fault.slower;
    b->disk->failed += f.status == S_IOERR;
    flight_add(b, &f);
}

static bool has_room(const struct virtio_blk *b)
{
    return b->nr_flights < VIRTIO_BLK_QUEUE && b->bytes <= VIRTIO_BLK_BYTES_MAX;
}

/* What can be taken from the queue is. */
static void serve(struct virtio_blk *b)
{
    struct virtio_chain c;

    b->again = b->disk->away ? now(b) + AWAY : 0; /* its file is somebody else's: requests wait */
    while (!b->again && has_room(b) && virtio_take(&b->virtio, 0, &c))
        begin(b, &c);
    b->full = !has_room(b);
    arm(b);
}

/* Answers for all that is done. False: nothing is. */
static bool land(struct virtio_blk *b)
{
    const s_time_t t = now(b);
    unsigned int nr = 0;

    for (; nr < b->nr_flights && b->flight[nr].due <= t; nr++) {
        const struct virtio_blk_flight *f = &b->flight[nr];

        virtio_work(&b->virtio, TRACE_DEVICE_DONE, TRACE_NONE, f->bytes);
        virtio_dma_write(&b->virtio, f->status_at, &f->status, sizeof(f->status)); /* if it is nowhere, it is lost */
        virtio_give(&b->virtio, 0, f->head, f->written);
        b->bytes -= f->bytes;
    }
    b->nr_flights -= nr;
    memmove(b->flight, b->flight + nr, b->nr_flights * sizeof(b->flight[0]));
    return nr;
}

static void on_time(void *dev)
{
    struct virtio_blk *b = dev;

    if (land(b)) {
        if (b->disk->fault.drop)
            b->disk->fault.drop--;
        else
            virtio_tell(&b->virtio, 0);
        if (b->full) /* later: a request that puts further ones into the queue must not stop the clock */
            b->again = now(b) + SOON;
    }
    if (b->again && b->again <= now(b))
        serve(b);
    arm(b);
}

/* --- the device --- */

static void on_notify(void *dev, unsigned int nr) { serve(dev); }

static void on_stop(void *dev, unsigned int nr)
{
    struct virtio_blk *b = dev;

    b->nr_flights = 0;
    b->bytes = 0;
    b->again = 0;
    arm(b);
}

static const struct virtio_type type = {
    .id = 2,
    .class_code = 0x010000,
    .nr_queues = 1,
    .queue_size = VIRTIO_BLK_QUEUE,
    .notify = on_notify,
    .stop = on_stop,
};

void virtio_blk_resized(struct virtio_blk *b) { virtio_set_config(&b->virtio, CONFIG_CAPACITY, 8, b->disk->sectors); }

bool virtio_blk_init(struct virtio_blk *b, struct pci_bus *bus, uint8_t devfn, struct disk *disk, bool readonly,
                     const char *serial)
{
    const uint32_t features = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (readonly ? F_RO : 0);

    *b = (struct virtio_blk){ .disk = disk, .readonly = readonly };
    memcpy(b->serial, serial, strnlen(serial, VIRTIO_BLK_SERIAL));
    b->timer = (struct dm_timer){ .fn = on_time, .dev = b };
    if (!virtio_init(&b->virtio, bus, devfn, &type, features, b))
        return false;
    virtio_blk_resized(b);
    virtio_set_config(&b->virtio, CONFIG_SIZE_MAX, 4, VIRTIO_BLK_SEGMENT);
    virtio_set_config(&b->virtio, CONFIG_SEG_MAX, 4, VIRTIO_BLK_SEGMENTS);
    virtio_set_config(&b->virtio, CONFIG_BLK_SIZE, 4, SECTOR_SIZE);
    return true;
}
