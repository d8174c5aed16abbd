// SPDX-License-Identifier: GPL-2.0-or-later
/* Which way a disk's file is opened, and what one is that is not open: see disk_file.h. */
#include "tools/disk/disk_file.h"
#include "tools/disk/disk_cache.h"
#include "tools/disk/disk_redo.h"

#include <errno.h>
#include <stdio.h>

static int closed_read(struct disk_file *f, uint64_t at, void *buf, size_t len) { return -EIO; }
static int closed_write(struct disk_file *f, uint64_t at, const void *buf, size_t len) { return -EIO; }
static int closed_flush(struct disk_file *f) { return -EIO; }

static const struct disk_file_ops closed_ops = { .read = closed_read, .write = closed_write, .flush = closed_flush };

int disk_file_open(struct open_file *o, char why[DISK_WHY_SIZE])
{
    const bool raw = o->place.format == XL_DISK_RAW && !xl_disk_is_url(o->place.path);
    int rc;

    o->is_lost = false;
    rc = raw ? disk_raw_open(o, why) : disk_nbd_open(o, why);
    if (rc == 0 && disk_redo_find(o, why)) {
        disk_file_close(o);
        return -1;
    }
    if (rc || !o->is_cached || !o->writable || disk_cache_begin(o, o->seed))
        return rc;
    disk_file_close(o);
    snprintf(why, DISK_WHY_SIZE, "out of memory");
    return -1;
}

void disk_file_close(struct open_file *o)
{
    disk_cache_end(o);
    if (o->close)
        o->close(o);
    o->close = NULL;
    o->file.ops = &closed_ops;
}
