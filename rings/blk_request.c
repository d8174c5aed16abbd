// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a request for a disk does.
 *
 * Concept: a slot has an operation, a number that the answer repeats, the first sector, and where the bytes are: up to
 * 11 segments, each a frame of the front end's by its grant, and which of its sectors; or (indirect) the reference of
 * a page that holds up to BLK_SEGMENTS of them.
 *
 *      slot, a copy --checked--> frames <--GNTTABOP_copy--> bounce frames <----> disk
 *
 * GNTTABOP_copy asks each time whether the bytes may be read or written: who granted a frame can take that back at any
 * moment. So nothing is known of a frame until its bytes are here, or there.
 *
 * Invariants: everything in a request is hostile. It is read once, from a copy; one that makes no sense is answered
 * with an error, and has changed nothing of the disk.
 *
 * Source: public io/blkif.h. Corresponds to Linux's drivers/block/xen-blkback.
 */
#include "rings/blk_private.h"

#include "vcpu/native/grant.h"

#include <string.h>

struct segment {
    grant_ref_t ref;
    uint8_t first, last; /* sectors of the frame */
};

struct request {
    uint8_t op; /* of an indirect one: what it is to do */
    unsigned int nr;
    uint64_t id, sector;
    struct segment seg[BLK_SEGMENTS];
};

/* A field of a slot, whose offset is that of the 64-bit layout. */
static void field(const struct vbd *b, const uint8_t *slot, size_t at, void *out, size_t size)
{
    memcpy(out, slot + at - (at >= 8 && b->x86_32 ? 4 : 0), size);
}

#define FIELD(slot, type, member, out)                                                                                 \
    field(b, slot, offsetof(struct type, member), out, sizeof(((struct type *)0)->member))

/* --- bytes --- */

/* Segment i from or to bounce frame i, at the same place in it. to_front: from there. False: one could not be. */
static bool segments_copy(struct vbd *b, const struct request *q, bool to_front)
{
    struct gnttab_copy op[BLK_SEGMENTS];
    bool ok = true;

    for (unsigned int i = 0; i < q->nr; i++) {
        const uint16_t at = (uint16_t)(q->seg[i].first * SECTOR_SIZE);
        const struct gnttab_copy_ptr front = { .u.ref = q->seg[i].ref, .domid = b->dev->front, .offset = at };
        const struct gnttab_copy_ptr own = { .u.gmfn = native_frame(self(b), b->bounce[i]),
                                             .domid = DOMID_SELF,
                                             .offset = at };

        op[i] = (struct gnttab_copy){
            .source = to_front ? own : front,
            .dest = to_front ? front : own,
            .len = (uint16_t)((q->seg[i].last - q->seg[i].first + 1) * SECTOR_SIZE),
            .flags = to_front ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
        };
    }
    native_grant_copy(self(b), op, q->nr);
    for (unsigned int i = 0; i < q->nr; i++)
        ok &= op[i].status == GNTST_okay;
    return ok;
}

/* The disk's side of the same. */
static bool segments_transfer(struct vbd *b, const struct request *q, bool write)
{
    uint64_t sector = q->sector;
    int rc = 0;

    for (unsigned int i = 0; i < q->nr && !rc; i++) {
        const unsigned int nr = q->seg[i].last - q->seg[i].first + 1u;
        uint8_t *at = (uint8_t *)b->bounce[i] + q->seg[i].first * SECTOR_SIZE;

        rc = write ? disk_write(b->disk, sector, at, nr) : disk_read(b->disk, sector, at, nr);
        sector += nr;
    }
    return rc == 0;
}

/* Sectors [sector, sector + nr) are the disk's. */
static bool on_disk(const struct vbd *b, uint64_t sector, uint64_t nr)
{
    return sector <= b->disk->sectors && nr <= b->disk->sectors - sector;
}

/* How many sectors the segments have; 0: they are wrong. */
static unsigned int sectors_of(const struct request *q)
{
    unsigned int sum = 0;

    for (unsigned int i = 0; i < q->nr; i++) {
        if (q->seg[i].first > q->seg[i].last || q->seg[i].last >= PAGE_SIZE / SECTOR_SIZE)
            return 0;
        sum += q->seg[i].last - q->seg[i].first + 1u;
    }
    return sum;
}

/* --- the operations: each a status, and when it is done in *due --- */

/*
 * Read or write, as q->op says, segments that were decoded. Refused before anything is moved: what the segments, the
 * disk or its mode do not allow. *due: when it begins, then when it is done, which disk_due() knows.
 */
static int16_t transfer(struct vbd *b, const struct request *q, s_time_t *due)
{
    const bool write = q->op == BLKIF_OP_WRITE;
    const unsigned int nr = sectors_of(q);

    if (!nr || !on_disk(b, q->sector, nr) || (write && b->readonly))
        return BLKIF_RSP_ERROR;
    *due = disk_due(b->disk, write ? DISK_WRITE : DISK_READ, q->sector, nr, *due);
    if (write)
        return segments_copy(b, q, false) && segments_transfer(b, q, true) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
    return segments_transfer(b, q, false) && segments_copy(b, q, true) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

static void segment_decode(struct segment *s, const uint8_t *bytes)
{
    struct blkif_request_segment raw;

    memcpy(&raw, bytes, sizeof(raw));
    *s = (struct segment){ raw.gref, raw.first_sect, raw.last_sect };
}

/* The segments are in the slot. */
static int16_t direct(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    struct blkif_request_segment raw[BLKIF_MAX_SEGMENTS_PER_REQUEST];

    q->nr = slot[offsetof(struct blkif_request, nr_segments)];
    if (!q->nr || q->nr > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return BLKIF_RSP_ERROR;
    FIELD(slot, blkif_request, seg, raw);
    for (unsigned int i = 0; i < q->nr; i++)
        segment_decode(&q->seg[i], (const uint8_t *)&raw[i]);
    return transfer(b, q, due);
}

/* The segments are in a page of the front end's: copied once, as the slot is. */
static int16_t indirect(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    struct gnttab_copy op = { .flags = GNTCOPY_source_gref, .source.domid = b->dev->front, .dest.domid = DOMID_SELF };
    grant_ref_t refs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
    uint16_t nr;

    q->op = slot[offsetof(struct blkif_request_indirect, indirect_op)];
    FIELD(slot, blkif_request_indirect, nr_segments, &nr);
    FIELD(slot, blkif_request_indirect, indirect_grefs, refs);
    if ((q->op != BLKIF_OP_READ && q->op != BLKIF_OP_WRITE) || !nr || nr > BLK_SEGMENTS)
        return BLKIF_RSP_ERROR;
    q->nr = nr;
    op.source.u.ref = refs[0];
    op.dest.u.gmfn = native_frame(self(b), b->bounce[0]);
    op.len = (uint16_t)(nr * sizeof(struct blkif_request_segment));
    native_grant_copy(self(b), &op, 1);
    if (op.status != GNTST_okay)
        return BLKIF_RSP_ERROR;
    for (unsigned int i = 0; i < nr; i++)
        segment_decode(&q->seg[i], (const uint8_t *)b->bounce[0] + i * sizeof(struct blkif_request_segment));
    return transfer(b, q, due);
}

/* What was written before is on the disk when this is answered. It may have something to write itself. */
static int16_t flush(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    int16_t status = BLKIF_RSP_OKAY;

    if (slot[offsetof(struct blkif_request, nr_segments)]) {
        q->op = BLKIF_OP_WRITE;
        status = direct(b, slot, q, due);
        q->op = BLKIF_OP_FLUSH_DISKCACHE;
    }
    *due = disk_due(b->disk, DISK_FLUSH, 0, 0, *due);
    if (disk_flush(b->disk))
        status = BLKIF_RSP_ERROR;
    return status;
}

static int16_t discard(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    const uint8_t flag = slot[offsetof(struct blkif_request_discard, flag)];
    uint64_t nr;

    FIELD(slot, blkif_request_discard, nr_sectors, &nr);
    if (!b->discards)
        return BLKIF_RSP_EOPNOTSUPP;
    if (flag & BLKIF_DISCARD_SECURE || !nr || nr > DISCARD_MAX || !on_disk(b, q->sector, nr))
        return BLKIF_RSP_ERROR;
    *due = disk_due(b->disk, DISK_DISCARD, q->sector, nr, *due);
    task_charge(&b->task, (unsigned int)(nr >> 11), 0);
    return disk_discard(b->disk, q->sector, nr) ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY;
}

/* The fault is put into the run: nothing of the request is done. */
static int16_t fails(struct vbd *b, const uint8_t *slot, struct request *q)
{
    b->disk->fault.fail--;
    if (q->op == BLKIF_OP_INDIRECT)
        q->op = slot[offsetof(struct blkif_request_indirect, indirect_op)];
    return BLKIF_RSP_ERROR;
}

static int16_t operation(struct vbd *b, const uint8_t *slot, struct request *q, s_time_t *due)
{
    switch (q->op) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE: return direct(b, slot, q, due);
    case BLKIF_OP_INDIRECT: return indirect(b, slot, q, due);
    case BLKIF_OP_FLUSH_DISKCACHE: return flush(b, slot, q, due);
    case BLKIF_OP_DISCARD: return discard(b, slot, q, due);
    case BLKIF_OP_WRITE_BARRIER: return BLKIF_RSP_EOPNOTSUPP;
    default: return BLKIF_RSP_ERROR;
    }
}

void blk_execute(struct vbd *b, const uint8_t *slot, struct answer *a)
{
    struct request q = { .op = slot[0] };

    a->due = NOW(self(b)->domain->xen);
    FIELD(slot, blkif_request, id, &q.id);
    FIELD(slot, blkif_request, sector_number, &q.sector);
    a->status = b->disk->fault.fail ? fails(b, slot, &q) : operation(b, slot, &q, &a->due);
    a->due += b->disk->fault.slower;
    a->id = q.id;
    a->op = q.op;
    b->disk->failed += a->status == BLKIF_RSP_ERROR;
}
