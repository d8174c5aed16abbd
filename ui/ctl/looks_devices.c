// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that list devices, see ui/ctl/looks.h. Columns are those of xl_block.c; what they
 * say is found where libxl finds it: which devices there are in /libxl, and how they are in the guest's own directory.
 */
#include "ui/ctl/looks.h"

#include <stdlib.h>
#include <string.h>

#define NODE_SIZE 160

struct wanted {
    const char *path;
    char *value; /* NODE_SIZE, "": it is not there */
};

static void on_node(void *data, const struct host_store_entry *e)
{
    struct wanted *w = data;

    if (!e->is_watch && !strcmp(e->path, w->path))
        snprintf(w->value, NODE_SIZE, "%s", e->value);
}

static const char *read_at(const struct host *h, const char *dir, const char *name, char value[NODE_SIZE])
{
    char path[2 * NODE_SIZE];
    struct wanted w = { path, value };

    *value = '\0';
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    host_store_each(h, on_node, &w);
    return value;
}

static int number_at(const struct host *h, const char *dir, const char *name)
{
    char value[NODE_SIZE];

    return *read_at(h, dir, name, value) ? atoi(value) : -1;
}

struct listing {
    const struct host *h;
    FILE *out;
    char above[NODE_SIZE]; /* "/libxl/1/device/vbd/" */
};

static void block_row(void *data, const struct host_store_entry *e)
{
    const struct listing *l = data;
    const size_t len = strlen(l->above);
    char back[NODE_SIZE], front[NODE_SIZE];

    if (e->is_watch || strncmp(e->path, l->above, len) != 0 || strchr(e->path + len, '/'))
        return;
    read_at(l->h, e->path, "backend", back);
    read_at(l->h, e->path, "frontend", front);
    fprintf(l->out, "%-5d %-3d %-6d %-5d %-6d %-8d %-30s\n", atoi(e->path + len), number_at(l->h, front, "backend-id"),
            number_at(l->h, e->path, "frontend-id"), number_at(l->h, front, "state"),
            number_at(l->h, front, "event-channel"), number_at(l->h, front, "ring-ref"), back);
}

void ctl_block_rows(const struct host *h, domid_t domid, FILE *out)
{
    struct listing l = { .h = h, .out = out };

    snprintf(l.above, sizeof(l.above), "/libxl/%u/device/vbd/", domid);
    host_store_each(h, block_row, &l);
}
