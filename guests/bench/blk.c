// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/blk: a disk. op=read, write (4 KiB at a random place, BLK_DEPTH at once), one (a read, one after the other),
 * read1m, write1m (1 MiB, one behind the other: eight indirect requests of 32 pages), flush (a write and a flush, which
 * is waited for).
 */
#include "guests/bench/bench.h"
#include "guests/rt/blkfront.h"

#define SEGMENTS     32u /* of an indirect request: each of blk_page[] once */
#define INDIRECT_REF (BLK_PAGE_REF + BLK_DEPTH)

_Static_assert(SEGMENTS <= BLK_DEPTH, "pages");

static uint64_t seed = 88172645463325252ull;

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static bool done(void) { return blk_get().status == BLKIF_RSP_OKAY; }

/* n requests, at most `depth` of them at once: put(i) puts number i. What is in the pages does not matter. */
static long pipeline(long n, long depth, void (*put)(long i))
{
    long sent = 0, left = n;

    while (left > 0) {
        while (sent < n && sent - (n - left) < depth)
            put(sent++);
        blk_push();
        do
            if (!done())
                return -1;
        while (--left > 0 && RING_HAS_UNCONSUMED_RESPONSES(&blk_ring));
    }
    return 0;
}

static void put_random(uint8_t op, long i)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    blk_put(op, (unsigned int)i % BLK_DEPTH, seed % (blk_sectors / BLK_SECTORS) * BLK_SECTORS, BLK_SECTORS);
}

static void put_read(long i) { put_random(BLKIF_OP_READ, i); }
static void put_write(long i) { put_random(BLKIF_OP_WRITE, i); }

static void put_indirect(uint8_t op, long i)
{
    blkif_request_indirect_t *q = (void *)RING_GET_REQUEST(&blk_ring, blk_ring.req_prod_pvt);
    const uint64_t sectors = SEGMENTS * BLK_SECTORS;

    memset(q, 0, sizeof(*q));
    q->operation = BLKIF_OP_INDIRECT;
    q->indirect_op = op;
    q->nr_segments = SEGMENTS;
    q->sector_number = (uint64_t)i % (blk_sectors / sectors) * sectors;
    q->indirect_grefs[0] = INDIRECT_REF;
    blk_ring.req_prod_pvt++;
}

static void put_read_long(long i) { put_indirect(BLKIF_OP_READ, i); }
static void put_write_long(long i) { put_indirect(BLKIF_OP_WRITE, i); }

static long read(long n) { return pipeline(n, BLK_DEPTH, put_read); }
static long write(long n) { return pipeline(n, BLK_DEPTH, put_write); }
static long one(long n) { return pipeline(n, 1, put_read); }

static long mib(long n, void (*put)(long i))
{
    struct blkif_request_segment *seg = page_alloc();

    for (unsigned int i = 0; i < SEGMENTS; i++)
        seg[i] = (struct blkif_request_segment){ BLK_PAGE_REF + i, 0, BLK_SECTORS - 1 };
    grant_access(INDIRECT_REF, device.peer, seg, true);
    return pipeline(n * (long)((1u << 20) / (SEGMENTS * PAGE_SIZE)), 8, put);
}

static long read_mib(long n) { return mib(n, put_read_long); }
static long write_mib(long n) { return mib(n, put_write_long); }

static long flush(long n)
{
    while (n-- > 0) {
        put_write(0);
        blk_put(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
        blk_push();
        if (!done() || !done())
            return -1;
    }
    return 0;
}

int guest_main(void)
{
    static const struct bench list[] = { { "read", read },       { "write", write },       { "one", one },
                                         { "read1m", read_mib }, { "write1m", write_mib }, { "flush", flush } };

    if (!blk_connect() || blk_sectors < SEGMENTS * BLK_SECTORS) {
        printf("Give me a disk of 128 KiB or more: --disk FILE.\n");
        return 1;
    }
    return bench_main(list, ARRAY_SIZE(list));
}
