// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disks of guests, for who looks.
 *
 * Concept: a disk belongs to whoever uses its file, and may be of several guests; a row is a guest's, what was done is
 * the disk's.
 */
#include "tools/host_private.h"

static void disk_tell(const struct host *h, const struct guest *g, const struct guest_disk *gd, host_disk_fn *fn,
                      void *data)
{
    const struct disk *d = gd->disk;
    const struct host_disk look = { .domid = g->domid,
                                    .vdev = gd->cfg.vdev,
                                    .path = d->path,
                                    .format = xl_disk_word(gd->cfg.format),
                                    .readonly = gd->cfg.readonly,
                                    .in_file = d->file && d->file->live,
                                    .sectors = d->sectors,
                                    .kept = d->clusters << PAGE_SHIFT,
                                    .reads = { d->done[DISK_READ].nr, d->done[DISK_READ].sectors },
                                    .writes = { d->done[DISK_WRITE].nr, d->done[DISK_WRITE].sectors },
                                    .discards = { d->done[DISK_DISCARD].nr, d->done[DISK_DISCARD].sectors },
                                    .flushes = { d->done[DISK_FLUSH].nr, 0 },
                                    .failed = d->failed,
                                    .speed = disk_speed_name(d->speed),
                                    .busy = disk_busy(d, host_now(h)),
                                    .channels = disk_speed_channels(d->speed),
                                    .done = d->last };

    fn(data, &look);
}

void host_disks_each(const struct host *h, host_disk_fn *fn, void *data)
{
    for (const struct guest *g = h->guests; g; g = g->next)
        for (unsigned int i = 0; i < g->nr_disks && g->state != GUEST_ENDED; i++)
            if (g->disks[i].disk)
                disk_tell(h, g, &g->disks[i], fn, data);
}
