// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk: the idea is in rings/disk.h. */
#include "rings/disk.h"

#include <errno.h>
#include <string.h>

#define CLUSTER_SECTORS 8u
#define CLUSTER_SIZE    (CLUSTER_SECTORS * SECTOR_SIZE)
#define TABLE_BITS      9
#define TABLE_ENTRIES   (1u << TABLE_BITS)

/* How many levels of tables it takes. */
static unsigned int levels_for(uint64_t sectors)
{
    unsigned int levels = 0;

    for (uint64_t n = sectors / CLUSTER_SECTORS; n; n >>= TABLE_BITS)
        levels++;
    return levels;
}

struct disk *disk_create(struct arena *a, struct disk_file *file, const char *path)
{
    struct disk *d = xzalloc(a, struct disk);

    if (!d)
        return NULL;
    d->arena = a;
    d->file = file;
    d->path = xstrdup(a, path);
    d->zeroes = xzalloc_array(a, uint8_t, CLUSTER_SIZE);
    d->sectors = file->sectors;
    d->levels = levels_for(d->sectors);
    if (d->path && d->zeroes)
        return d;
    disk_destroy(d);
    return NULL;
}

struct disk *disk_clone(struct disk *d, const char *path)
{
    struct disk *c = disk_create(d->arena, d->file, path);

    if (!c)
        return NULL;
    c->sectors = d->sectors;
    c->speed = d->speed;
    c->levels = levels_for(c->sectors);
    c->of = d;
    c->sibling = d->clones;
    d->clones = c;
    return c;
}

/* Its file is written at once. */
static bool is_live(const struct disk *d) { return !d->of && d->file->live; }

static void table_free(const struct disk *d, void *node, unsigned int level)
{
    if (node == d->zeroes)
        return;
    for (unsigned int i = 0; node && level && i < TABLE_ENTRIES; i++)
        table_free(d, ((void **)node)[i], level - 1);
    xfree(node);
}

void disk_destroy(struct disk *d)
{
    if (!d)
        return;
    table_free(d, d->root, d->levels);
    xfree(d->zeroes);
    xfree(d->path);
    xfree(d);
}

/* Where the pointer to a cluster is. NULL: its table is not there, or (make) there is no memory for it. */
static void **entry_of(struct disk *d, uint64_t cluster, bool make)
{
    void **entry = &d->root;

    for (unsigned int level = d->levels; level; level--) {
        if (!*entry && make)
            *entry = xzalloc_array(d->arena, void *, TABLE_ENTRIES);
        if (!*entry)
            return NULL;
        entry = (void **)*entry + (cluster >> (level - 1) * TABLE_BITS) % TABLE_ENTRIES;
    }
    return entry;
}

/* What has been written of it; NULL: nothing. */
static const uint8_t *cluster_find(const struct disk *d, uint64_t cluster)
{
    void *node = d->root;

    for (unsigned int level = d->levels; level && node; level--)
        node = ((void **)node)[(cluster >> (level - 1) * TABLE_BITS) % TABLE_ENTRIES];
    return node;
}

/* Sectors of one cluster that d has not written. */
static int below_read(const struct disk *d, uint64_t sector, void *buf, unsigned int nr)
{
    return d->of ? disk_read(d->of, sector, buf, nr)
                 : d->file->ops->read(d->file, sector << SECTOR_SHIFT, buf, nr * (size_t)SECTOR_SIZE);
}

/* A cluster that can be written, as it was. */
static int cluster_make(struct disk *d, uint64_t cluster, uint8_t **out)
{
    void **entry = entry_of(d, cluster, true);
    uint8_t *own;
    int rc = 0;

    if (!entry)
        return -ENOMEM;
    if (*entry && *entry != d->zeroes) {
        *out = *entry;
        return 0;
    }
    own = xzalloc_array(d->arena, uint8_t, CLUSTER_SIZE);
    if (!own)
        return -ENOMEM;
    if (!*entry)
        rc = below_read(d, cluster * CLUSTER_SECTORS, own, CLUSTER_SECTORS);
    if (rc) {
        xfree(own);
        return rc;
    }
    d->clusters++;
    *out = *entry = own;
    return 0;
}

/* Of nr sectors from `sector` on, those in the first cluster. */
static unsigned int within(uint64_t sector, uint64_t nr)
{
    const unsigned int left = CLUSTER_SECTORS - (unsigned int)(sector % CLUSTER_SECTORS);

    return nr < left ? (unsigned int)nr : left;
}

int disk_read(const struct disk *d, uint64_t sector, void *buf, unsigned int nr)
{
    uint8_t *to = buf;
    int rc = 0;

    for (unsigned int n; nr && !rc; sector += n, nr -= n, to += n * SECTOR_SIZE) {
        const uint8_t *own = cluster_find(d, sector / CLUSTER_SECTORS);

        n = within(sector, nr);
        if (own)
            memcpy(to, own + sector % CLUSTER_SECTORS * SECTOR_SIZE, n * SECTOR_SIZE);
        else
            rc = below_read(d, sector, to, n);
    }
    return rc;
}

/* These sectors are about to change: clones that read them from here keep them. */
static int clones_keep(struct disk *d, uint64_t sector, uint64_t nr)
{
    uint8_t *own;
    int rc = 0;

    for (struct disk *c = d->clones; c && !rc; c = c->sibling)
        for (uint64_t i = sector / CLUSTER_SECTORS; !rc && i * CLUSTER_SECTORS < sector + nr; i++)
            if (i * CLUSTER_SECTORS < c->sectors && !cluster_find(c, i))
                rc = cluster_make(c, i, &own);
    return rc;
}

int disk_write(struct disk *d, uint64_t sector, const void *buf, unsigned int nr)
{
    const uint8_t *from = buf;
    int rc = clones_keep(d, sector, nr);

    if (rc)
        return rc;
    if (is_live(d))
        return d->file->ops->write(d->file, sector << SECTOR_SHIFT, buf, nr * (size_t)SECTOR_SIZE);
    for (unsigned int n; nr && !rc; sector += n, nr -= n, from += n * SECTOR_SIZE) {
        uint8_t *own;

        n = within(sector, nr);
        rc = cluster_make(d, sector / CLUSTER_SECTORS, &own);
        if (!rc)
            memcpy(own + sector % CLUSTER_SECTORS * SECTOR_SIZE, from, n * SECTOR_SIZE);
    }
    return rc;
}

/* A whole cluster: no memory is needed for it. */
static int cluster_discard(struct disk *d, uint64_t cluster)
{
    void **entry = entry_of(d, cluster, true);

    if (!entry)
        return -ENOMEM;
    if (*entry && *entry != d->zeroes) {
        xfree(*entry);
        d->clusters--;
    }
    *entry = d->zeroes;
    return 0;
}

int disk_discard(struct disk *d, uint64_t sector, uint64_t nr)
{
    int rc = clones_keep(d, sector, nr);

    if (!rc && is_live(d) && d->file->ops->zero)
        return d->file->ops->zero(d->file, sector << SECTOR_SHIFT, nr << SECTOR_SHIFT);
    for (unsigned int n; nr && !rc; sector += n, nr -= n) {
        n = within(sector, nr);
        rc = n < CLUSTER_SECTORS || is_live(d) ? disk_write(d, sector, d->zeroes, n)
                                               : cluster_discard(d, sector / CLUSTER_SECTORS);
    }
    return rc;
}

int disk_flush(struct disk *d) { return is_live(d) && d->file->ops->flush ? d->file->ops->flush(d->file) : 0; }

bool disk_is_changed(const struct disk *d) { return d->root || d->sectors != d->file->sectors; }

typedef void written_fn(void *data, uint64_t at, const uint8_t *bytes);

static void each_written(const struct disk *d, void *node, unsigned int level, uint64_t first, written_fn *fn,
                         void *data)
{
    for (unsigned int i = 0; node && level && i < TABLE_ENTRIES; i++)
        each_written(d, ((void **)node)[i], level - 1, first << TABLE_BITS | i, fn, data);
    if (node && !level)
        fn(data, first * CLUSTER_SIZE, node == d->zeroes ? NULL : node);
}

void disk_each_written(const struct disk *d, written_fn *fn, void *data)
{
    each_written(d, d->root, d->levels, 0, fn, data);
}

int disk_grow(struct disk *d, uint64_t sectors)
{
    int rc;

    if (sectors < d->sectors)
        return -EINVAL;
    if (sectors > INT64_MAX >> SECTOR_SHIFT)
        return -EFBIG;
    if (d->of || !d->file->ops->grow)
        return -EOPNOTSUPP;
    rc = d->file->live ? d->file->ops->grow(d->file, sectors << SECTOR_SHIFT) : 0;
    if (rc)
        return rc;
    for (const unsigned int levels = levels_for(sectors); d->levels < levels; d->levels++) {
        void **table = d->root ? xzalloc_array(d->arena, void *, TABLE_ENTRIES) : NULL;

        if (!d->root)
            continue;
        if (!table)
            return -ENOMEM;
        table[0] = d->root;
        d->root = table;
    }
    d->sectors = sectors;
    return 0;
}

s_time_t disk_due(struct disk *d, enum disk_op op, uint64_t sector, uint64_t nr, s_time_t now)
{
    s_time_t *channel = op == DISK_FLUSH ? &d->last : d->free_at;
    struct disk_job job = { op, sector, nr, d->arm, d->sectors, now };

    d->done[op].nr++;
    d->done[op].sectors += nr;
    for (unsigned int i = 1; op != DISK_FLUSH && i < disk_speed_channels(d->speed); i++)
        if (d->free_at[i] < *channel)
            channel = &d->free_at[i];
    job.start = *channel > now ? *channel : now;
    *channel = disk_speed_done(d->speed, &job);
    d->last = *channel > d->last ? *channel : d->last;
    if (op == DISK_READ || op == DISK_WRITE)
        d->arm = sector + nr;
    return *channel;
}

unsigned int disk_busy(const struct disk *d, s_time_t now)
{
    unsigned int busy = 0;

    for (unsigned int i = 0; i < disk_speed_channels(d->speed); i++)
        busy += d->free_at[i] > now;
    return busy;
}
