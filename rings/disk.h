// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk: sectors in a file, and what has been written since.
 *
 * Concept: the machine can go back in time, and a file outside of it cannot. So what a guest writes is kept as part of
 * the machine's state: clusters of 4 KiB in the arena, found by a tree of tables like a processor's page tables. What
 * was never written comes from the file, which stays as it was. A run that never goes back may write to the file at
 * once (`live`): then there are no clusters.
 *
 *      cluster number  | 9 bits | 9 bits | 9 bits |         as many levels as the disk needs
 *                          |        |        '--> 4 KiB, or the page of zeroes: discarded
 *                          '--------'-----------> tables of 512
 *
 * A disk can be cloned: the clone is what the other was at that moment. It has no file, but what neither of both has
 * written since it reads from the other; before that changes a cluster, its clones keep what was there.
 *
 * It takes time: rings/disk_speed.h says how long, and how many operations at once.
 *
 * Invariants: the file's size is what it was when it was opened, or the disk has grown (disk_grow()); nothing but this
 * reads or writes it (the host locks it).
 */
#ifndef RINGS_DISK_H
#define RINGS_DISK_H

#include "rings/disk_speed.h"
#include "sim/arena.h"
#include "sim/types.h"

#define SECTOR_SHIFT 9
#define SECTOR_SIZE  512u

/* The file, which is no state: it stays open as long as there is a machine, whatever becomes of disks. */
struct disk_file {
    const struct disk_file_ops *ops;
    uint64_t sectors;
    bool live; /* it is written */
};

/* One way to have a file: tools/disk/. Each 0 or -errno, and done when it returns; `at` and `len` are bytes. */
struct disk_file_ops {
    /* What is behind its end is zero. */
    int (*read)(struct disk_file *f, uint64_t at, void *buf, size_t len);
    int (*write)(struct disk_file *f, uint64_t at, const void *buf, size_t len);
    /* They are zero from now on, and need no room. NULL: by writing zeroes. */
    int (*zero)(struct disk_file *f, uint64_t at, uint64_t len);
    /* What was written before lasts. NULL: nothing is to be done for that. */
    int (*flush)(struct disk_file *f);
    /* It has so many bytes from now on, which are more. NULL: it cannot grow. */
    int (*grow)(struct disk_file *f, uint64_t size);
};

struct disk {
    struct disk *next; /* of the host's */
    char *path;        /* as the configuration names it; owned */
    struct arena *arena;
    struct disk_file *file;
    uint64_t sectors; /* the file's, or as it has grown since */
    struct disk *of;  /* what it is a clone of; NULL: of none */
    struct disk *clones, *sibling;
    unsigned int levels;
    void *root;
    uint8_t *zeroes;
    enum disk_speed speed;
    uint64_t arm;                        /* before which sector it is */
    s_time_t free_at[DISK_CHANNELS_MAX]; /* when each channel has done what it was given */
    s_time_t last;                       /* when all of it is done */
    uint64_t clusters;                   /* that have been written */
    bool away; /* its file is somebody else's for a while: whoever has the disk keeps requests waiting */
    struct disk_count {
        uint64_t nr, sectors;
    } done[DISK_OPS];            /* by operation; that have begun */
    struct disk_fault {          /* put into the run on purpose: what becomes of the next requests */
        unsigned int fail, drop; /* so many are answered with an error; so many notifications are not sent */
        s_time_t slower;         /* each takes so much longer */
    } fault;
    uint64_t failed; /* requests that were answered with an error */
};

/* NULL: out of memory. */
struct disk *disk_create(struct arena *a, struct disk_file *file, const char *path);
/* A disk like d as it is now, to be written in memory alone. NULL: out of memory. */
struct disk *disk_clone(struct disk *d, const char *path);
/* Harmless for NULL. Its clones must not be used any more. */
void disk_destroy(struct disk *d);

/* Sectors of the disk, which has so many. 0 or -errno: the file cannot be read or written, or no memory is left. */
int disk_read(const struct disk *d, uint64_t sector, void *buf, unsigned int nr);
int disk_write(struct disk *d, uint64_t sector, const void *buf, unsigned int nr);
/* They are zero from now on. */
int disk_discard(struct disk *d, uint64_t sector, uint64_t nr);
/* All that has been written before is on the disk. */
int disk_flush(struct disk *d);

/* Has it anything that its file has not? */
bool disk_is_changed(const struct disk *d);
/* Each cluster of 4 KiB that is kept in memory: where it is, in bytes; NULL: it is zero. */
void disk_each_written(const struct disk *d, void (*fn)(void *data, uint64_t at, const uint8_t *bytes), void *data);

/*
 * It has so many sectors from now on; the new ones are zero. -EINVAL: it has more; -EOPNOTSUPP: no file of its kind
 * grows, nor does a clone; -errno: this one does not.
 */
int disk_grow(struct disk *d, uint64_t sectors);

/* An operation on nr sectors begins now: when is it done? */
s_time_t disk_due(struct disk *d, enum disk_op op, uint64_t sector, uint64_t nr, s_time_t now);
/* How many operations are not done yet? */
unsigned int disk_busy(const struct disk *d, s_time_t now);

#endif
