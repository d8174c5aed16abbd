// SPDX-License-Identifier: GPL-2.0-or-later
/* A cache that does not outlast the power: the idea is in disk_cache.h. */
#include "tools/disk/disk_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384u /* sectors: 8 MiB */
#define HEADS 4096u  /* of the lists by which they are found */
#define RUN   128u   /* sectors that are written at once */
#define NONE  UINT32_MAX

struct disk_cache {
    struct disk_file_ops ops;          /* the file has these */
    const struct disk_file_ops *under; /* which had these */
    uint64_t prng;
    uint32_t nr; /* slots are filled from the first one on */
    uint32_t heads[HEADS];
    struct slot {
        uint64_t sector;
        uint32_t next; /* of the same list */
        uint8_t bytes[SECTOR_SIZE];
    } slots[SLOTS];
};

static struct disk_cache *cache_of(struct disk_file *f) { return ((struct open_file *)f)->cache; }

/* Below n. */
static uint32_t cache_random(struct disk_cache *c, uint32_t n)
{
    c->prng = c->prng * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((c->prng >> 33) % n);
}

static uint32_t *head_of(struct disk_cache *c, uint64_t sector) { return &c->heads[sector % HEADS]; }

/* Where its number is: *there is NONE if it is not in the cache. */
static uint32_t *slot_find(struct disk_cache *c, uint64_t sector)
{
    uint32_t *at = head_of(c, sector);

    while (*at != NONE && c->slots[*at].sector != sector)
        at = &c->slots[*at].next;
    return at;
}

/* It is not in the cache any more; the last one takes its slot. */
static void slot_drop(struct disk_cache *c, uint32_t *at)
{
    const uint32_t slot = *at, last = c->nr - 1;

    *at = c->slots[slot].next;
    if (slot != last) {
        *slot_find(c, c->slots[last].sector) = slot;
        c->slots[slot] = c->slots[last];
    }
    c->nr--;
}

static int slot_write(struct disk_cache *c, struct disk_file *f, uint32_t slot)
{
    return c->under->write(f, c->slots[slot].sector << SECTOR_SHIFT, c->slots[slot].bytes, SECTOR_SIZE);
}

/* Any one leaves, to make room. */
static int slot_evict(struct disk_cache *c, struct disk_file *f)
{
    const uint32_t slot = cache_random(c, c->nr);
    const int rc = slot_write(c, f, slot);

    if (!rc)
        slot_drop(c, slot_find(c, c->slots[slot].sector));
    return rc;
}

static int cache_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    struct disk_cache *c = cache_of(f);
    const uint64_t first = at >> SECTOR_SHIFT;
    const int rc = c->under->read(f, at, buf, len);

    for (uint64_t i = 0; !rc && i < len >> SECTOR_SHIFT; i++) {
        const uint32_t slot = *slot_find(c, first + i);

        if (slot != NONE)
            memcpy((uint8_t *)buf + i * SECTOR_SIZE, c->slots[slot].bytes, SECTOR_SIZE);
    }
    return rc;
}

static int cache_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    struct disk_cache *c = cache_of(f);
    uint64_t sector = at >> SECTOR_SHIFT;
    int rc = 0;

    for (const uint8_t *from = buf; len && !rc; from += SECTOR_SIZE, len -= SECTOR_SIZE, sector++) {
        uint32_t *there = slot_find(c, sector), slot = *there;

        if (slot != NONE && cache_random(c, 2)) /* what was to be there before may have reached the disk, or not */
            rc = slot_write(c, f, slot);
        if (slot == NONE && c->nr == SLOTS)
            rc = slot_evict(c, f);
        if (slot == NONE && !rc) {
            slot = c->nr++;
            c->slots[slot].sector = sector;
            c->slots[slot].next = *head_of(c, sector);
            *head_of(c, sector) = slot;
        }
        if (!rc)
            memcpy(c->slots[slot].bytes, from, SECTOR_SIZE);
    }
    return rc;
}

/* Of what was to be there before nothing is left. */
static int cache_zero(struct disk_file *f, uint64_t at, uint64_t len)
{
    struct disk_cache *c = cache_of(f);
    const uint64_t first = at >> SECTOR_SHIFT, nr = len >> SECTOR_SHIFT;

    for (uint32_t slot = c->nr; slot-- > 0;)
        if (c->slots[slot].sector - first < nr)
            slot_drop(c, slot_find(c, c->slots[slot].sector));
    return c->under->zero(f, at, len);
}

static int by_sector(const void *a, const void *b)
{
    const struct slot *left = a, *right = b;

    return left->sector < right->sector ? -1 : left->sector > right->sector;
}

static void cache_empty(struct disk_cache *c)
{
    c->nr = 0;
    for (unsigned int i = 0; i < HEADS; i++)
        c->heads[i] = NONE;
}

/* All of it is written, a few neighbours at once. If that fails, it is lost as it would be in a disk. */
static int cache_write_out(struct disk_cache *c, struct disk_file *f)
{
    uint8_t run[RUN * SECTOR_SIZE];
    int rc = 0;

    qsort(c->slots, c->nr, sizeof(*c->slots), by_sector);
    for (uint32_t i = 0, n; i < c->nr && !rc; i += n) {
        for (n = 0; n < RUN && i + n < c->nr && c->slots[i + n].sector == c->slots[i].sector + n; n++)
            memcpy(run + n * SECTOR_SIZE, c->slots[i + n].bytes, SECTOR_SIZE);
        rc = c->under->write(f, c->slots[i].sector << SECTOR_SHIFT, run, n * (size_t)SECTOR_SIZE);
    }
    cache_empty(c);
    return rc;
}

static int cache_flush(struct disk_file *f)
{
    struct disk_cache *c = cache_of(f);
    const int rc = cache_write_out(c, f);

    return rc || !c->under->flush ? rc : c->under->flush(f);
}

bool disk_cache_begin(struct open_file *o, uint64_t seed)
{
    struct disk_cache *c = malloc(sizeof(*c));

    if (!c)
        return false;
    c->under = o->file.ops;
    c->ops = (struct disk_file_ops){ .read = cache_read,
                                     .write = cache_write,
                                     .zero = c->under->zero ? cache_zero : NULL,
                                     .flush = cache_flush,
                                     .grow = c->under->grow };
    c->prng = seed;
    cache_empty(c);
    o->cache = c;
    o->file.ops = &c->ops;
    return true;
}

void disk_cache_end(struct open_file *o)
{
    if (!o->cache)
        return;
    cache_write_out(o->cache, &o->file);
    o->file.ops = o->cache->under;
    free(o->cache);
    o->cache = NULL;
}

/* Nearly nothing, or nearly all of it, comes about as often as anything between. */
struct disk_cut disk_cache_cut(struct open_file *o)
{
    struct disk_cache *c = o->cache;
    struct disk_cut cut = { 0 };
    uint32_t of_eight;

    if (!c)
        return cut;
    cut.held = c->nr;
    of_eight = cache_random(c, 9);
    for (uint32_t slot = 0; slot < c->nr; slot++)
        if (cache_random(c, 8) < of_eight && !slot_write(c, &o->file, slot))
            cut.kept++;
    cache_empty(c);
    return cut;
}
