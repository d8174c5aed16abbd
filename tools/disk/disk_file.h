// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a disk is made of outside of the machine: a file or a server, opened, and read and written by one of several
 * ways (struct disk_file_ops).
 *
 *      raw file ------------------------- pread, pwrite                                   disk_raw.c
 *      qcow2, vhd, vmdk, vdi... -- qemu-nbd --.
 *      https://... -------------- nbdkit -----+-- NBD on a socket, by libnbd              disk_nbd.c, disk_helper.c
 *      nbd://... ----------------------------'
 *
 * Invariants: whoever writes one has it alone, as long as all ask; the others may share it. What has been written when
 * an operation returns is there when this process is killed.
 */
#ifndef TOOLS_DISK_DISK_FILE_H
#define TOOLS_DISK_DISK_FILE_H

#include "rings/disk.h"
#include "tools/xl/xl_disk.h"

#define DISK_WHY_SIZE 512

/* Where it is: both borrowed while it is open. */
struct disk_place {
    const char *path; /* or a URL */
    enum xl_disk_format format;
};

/* It is gone, whatever was to be read or written. Said once. */
typedef void disk_lost_fn(void *data, const char *path, const char *why);

struct open_file {
    struct disk_file file;
    void (*close)(struct open_file *o); /* NULL: it is not open */
    struct disk_place place;
    bool writable;
    bool is_late;   /* writable, and not before the end: disk_redo.h */
    bool is_cached; /* what is written and not flushed does not outlast the power: disk_cache.h */
    uint64_t seed;  /* for that */
    disk_lost_fn *lost;
    void *lost_data;
    bool is_lost;             /* until it is opened anew */
    int fd;                   /* disk_raw.c */
    struct nbd_disk *nbd;     /* disk_nbd.c */
    struct disk_cache *cache; /* or NULL */
};

/*
 * Open it: place, writable, is_late, is_cached, and lost with its data are set. -1 and why, in words that follow its
 * path and a colon. Who opens what it has open already may not get it.
 */
int disk_file_open(struct open_file *o, char why[DISK_WHY_SIZE]);
/* All that has been written lasts. Harmless for one that is not open. What it is asked for then is an error. */
void disk_file_close(struct open_file *o);

/* The ways: */
int disk_raw_open(struct open_file *o, char why[DISK_WHY_SIZE]);
int disk_nbd_open(struct open_file *o, char why[DISK_WHY_SIZE]);

#endif
