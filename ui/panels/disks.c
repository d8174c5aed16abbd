// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `disks`: what guests have in the way of disks, what was done with them, and where it is.
 *
 *      d1 xvda   [###.....]   operations that the disk works on, of as many as it does at once
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHOSE, DISK, SIZE, MODE, READ, WRITTEN, FLUSHES, DISCARDED, FAILED, BUSY, WRITES_TO, FILE_NAME };

static const struct table_column columns[] = {
    [WHOSE] = { .title = "whose" },
    [DISK] = { .title = "disk" },
    [SIZE] = { .title = "size", .right = true },
    [MODE] = { .title = "mode" },
    [READ] = { .title = "read" },
    [WRITTEN] = { .title = "written" },
    [FLUSHES] = { .title = "flushed", .right = true },
    [DISCARDED] = { .title = "discarded", .spare = true },
    [FAILED] = { .title = "failed", .right = true },
    [BUSY] = { .title = "busy" },
    [WRITES_TO] = { .title = "writes go to" },
    [FILE_NAME] = { .title = "file" },
};

struct taking {
    struct table *t;
    const struct scene *s;
};

static void count_take(struct table *t, struct table_row *row, uint64_t nr, uint64_t sectors)
{
    table_cell(t, row, "%" PRIu64 ", %" PRIu64 " KiB", nr, sectors / 2);
}

static void disk_take(void *data, const struct host_disk *d)
{
    const struct taking *k = data;
    struct table *t = k->t;
    struct table_row *row;
    char time[LOOK_TEXT];

    if (k->s->about.given && k->s->about.what.dom != d->domid)
        return;
    row = table_row(t, "d%u %s", d->domid, d->vdev);
    table_cell(t, row, "d%u", d->domid);
    table_cell(t, row, "%s", d->vdev);
    table_cell(t, row, "%" PRIu64 " KiB", d->sectors / 2);
    table_cell(t, row, d->readonly ? "r" : "w");
    count_take(t, row, d->reads.nr, d->reads.sectors);
    count_take(t, row, d->writes.nr, d->writes.sectors);
    table_cell(t, row, "%" PRIu64, d->flushes.nr);
    count_take(t, row, d->discards.nr, d->discards.sectors);
    table_cell(t, row, "%" PRIu64, d->failed);
    look_time(d->done, time);
    table_cell(t, row, d->busy ? "%u of %u until %s" : "%u of %u", d->busy, d->channels, time);
    table_cell(t, row, d->readonly ? "" : d->in_file ? "the file" : "memory, %" PRIu64 " KiB", d->kept >> 10);
    table_cell(t, row, "%s, %s", d->path, d->format);
    table_ask(t, row, "why disk d%u %s", d->domid, d->vdev);
    if (row && (d->failed || d->busy))
        row->style = d->failed ? STYLE_error : STYLE_key;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct taking k = { t, s };

    host_disks_each(g->host, disk_take, &k);
}

/* --- the picture --- */

#define LABEL 12

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    unsigned int at = 0;

    for (size_t i = 0; i < t->nr && at < a->rows / 2; i++) {
        const struct table_row *row = &t->row[i];
        unsigned int busy, channels;

        if (sscanf(row->cell[BUSY] ?: "", "%u of %u", &busy, &channels) != 2 || a->cols < LABEL + channels + 2)
            continue;
        area_print(a, at, 1, row->style, "%s %s", row->cell[WHOSE], row->cell[DISK]);
        area_put(a, at, LABEL, STYLE_dim, '[');
        for (unsigned int n = 0; n < channels; n++)
            area_put(a, at, LABEL + 1 + n, n < busy ? STYLE_key : STYLE_dim, n < busy ? '#' : '.');
        area_put(a, at++, LABEL + 1 + channels, STYLE_dim, ']');
    }
    return at;
}

const struct panel_ops panel_disks = { .name = "disks",
                                       .help = "disks of guests: what was done, and where it is; dN: its own",
                                       .empty = "no guest has a disk",
                                       .column = columns,
                                       .nr_columns = ARRAY_SIZE(columns),
                                       .about = scene_about_domain,
                                       .take = take,
                                       .draw = draw };
