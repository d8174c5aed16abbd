// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blkcat: a disk, by hand.
 *
 * Shows the whole of a split driver: how the two ends find each other (guests/rt/blkfront.h), and how requests and
 * answers go through one shared page. It prints the text that the disk begins with. With a command line it is who
 * checks that a disk keeps what it has promised:
 *
 *      write=N [flush=F] [depth=D]     writes block 1 to N, D at once, each with its number in each sector, and says of
 *                                      each that it is acknowledged; after every F it says what is flushed
 *      verify=N [upto=M]               looks whether block 1 to N are there; and whether each other sector is zero, or
 *                                      one of its place in a block from 1 to M
 *
 * Blocks of 4 KiB go round: where the disk ends they begin at its start again.
 */
#include "guests/rt/blkfront.h"

#define MAGIC 0x746163b6cb6c62ull

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static uint64_t slots(void) { return blk_sectors / BLK_SECTORS; }

static blkif_response_t done(void)
{
    blkif_response_t rsp = blk_get();

    if (rsp.status)
        guest_panic("the disk says %d", rsp.status);
    return rsp;
}

static void read_block(uint64_t block)
{
    blk_put(BLKIF_OP_READ, 0, block * BLK_SECTORS, BLK_SECTORS);
    blk_push();
    done();
}

/* The text that the disk begins with. */
static void cat(void)
{
    for (uint64_t block = 0; block < slots(); block++) {
        size_t len = 0;

        read_block(block);
        while (len < PAGE_SIZE && blk_page[0][len])
            len++;
        console_write((const char *)blk_page[0], len);
        if (len < PAGE_SIZE)
            break;
    }
}

static void put_block(unsigned int slot, uint64_t n)
{
    for (unsigned int s = 0; s < BLK_SECTORS; s++) {
        uint64_t *sector = (uint64_t *)(blk_page[slot] + s * 512);

        sector[0] = MAGIC;
        sector[1] = sector[63] = n;
    }
    blk_put(BLKIF_OP_WRITE, slot, n % slots() * BLK_SECTORS, BLK_SECTORS);
}

static void write_blocks(uint64_t from, uint64_t n, uint64_t flush, uint64_t depth)
{
    for (uint64_t i = from, last; i <= n; i = last + 1) {
        last = i + depth - 1 < n ? i + depth - 1 : n;
        if (flush && (last - 1) / flush != (i - 1) / flush)
            last = (i - 1) / flush * flush + flush;
        for (uint64_t b = i; b <= last; b++)
            put_block((unsigned int)(b - i), b);
        blk_push();
        for (uint64_t b = i; b <= last; b++) {
            done();
            printf("acknowledged %lu\n", (unsigned long)b);
        }
        if (flush && last % flush == 0) {
            blk_put(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
            blk_push();
            done();
            printf("flushed %lu\n", (unsigned long)last);
        }
    }
}

/* The number that a sector of this place has got; 0: none, it is zero; UINT64_MAX: it is something else. */
static uint64_t sector_number(const uint64_t *sector, uint64_t place)
{
    uint64_t seen = 0;

    for (unsigned int i = 0; i < 64; i++)
        seen |= sector[i];
    if (!seen)
        return 0;
    if (sector[0] == MAGIC && sector[1] && sector[1] == sector[63] && sector[1] % slots() == place)
        return sector[1];
    return UINT64_MAX;
}

/* All sectors of a place have numbers from `least` to `most`? */
static bool place_good(uint64_t place, uint64_t least, uint64_t most)
{
    bool good = true;

    read_block(place);
    for (unsigned int s = 0; s < BLK_SECTORS; s++) {
        const uint64_t n = sector_number((const uint64_t *)(blk_page[0] + s * 512), place);

        good = good && n >= least && n <= most;
    }
    return good;
}

/* A place may have been written once more since: then it has a later number of its own. */
static bool verify(uint64_t n, uint64_t upto)
{
    uint64_t first = n > slots() ? n - slots() + 1 : 1, wrong = 0;

    for (uint64_t b = first; b <= n; b++)
        if (!place_good(b % slots(), b, upto ? upto : UINT64_MAX - 1) && !wrong++)
            printf("block %lu is not as it was written\n", (unsigned long)b);
    for (uint64_t b = n + 1; upto && b < first + slots(); b++)
        if (!place_good(b % slots(), 0, upto) && !wrong++)
            printf("in the place of block %lu is something else\n", (unsigned long)b);
    printf("%lu blocks, %lu wrong\n", (unsigned long)(n - first + 1), (unsigned long)wrong);
    return !wrong;
}

int guest_main(void)
{
    uint64_t write = (uint64_t)cmdline_number("write", 0), check = (uint64_t)cmdline_number("verify", 0);
    uint64_t flush = (uint64_t)cmdline_number("flush", 0), depth = (uint64_t)cmdline_number("depth", 1);

    if (!blk_connect() || !slots()) {
        printf("Give me a disk: --disk FILE.\n");
        return 1;
    }
    if (write)
        write_blocks((uint64_t)cmdline_number("from", 1), write, flush,
                     depth < 1           ? 1
                     : depth > BLK_DEPTH ? BLK_DEPTH
                                         : depth);
    if (check)
        return !verify(check, (uint64_t)cmdline_number("upto", 0));
    if (!write)
        cat();
    return 0;
}
