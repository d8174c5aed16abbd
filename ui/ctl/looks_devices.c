// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that list devices, and columns of top that count what they did, see ui/ctl/looks.h. Columns
 * are those of xl_block.c, xl_nic.c and xl_console.c; what they say is found where libxl finds it: which devices there
 * are in /libxl, and how they are in the guest's own directory.
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

/* Whose back end it is: of its path, for the guest may write what it likes into backend-id. */
static int domid_of(const char *back)
{
    int domid;

    return sscanf(back, "/local/domain/%d/", &domid) == 1 ? domid : -1;
}

struct listing {
    const struct host *h;
    FILE *out;
    char above[NODE_SIZE]; /* "/libxl/1/device/vbd/" */
};

/* Of a device: where it is below l->above. NULL: it is something else. */
static const char *device_of(const struct listing *l, const struct host_store_entry *e)
{
    const size_t len = strlen(l->above);

    return e->is_watch || strncmp(e->path, l->above, len) != 0 || strchr(e->path + len, '/') ? NULL : e->path + len;
}

static void block_row(void *data, const struct host_store_entry *e)
{
    const struct listing *l = data;
    const char *devid = device_of(l, e);
    char back[NODE_SIZE], front[NODE_SIZE];

    if (!devid)
        return;
    read_at(l->h, e->path, "backend", back);
    read_at(l->h, e->path, "frontend", front);
    fprintf(l->out, "%-5d %-3d %-6d %-5d %-6d %-8d %-30s\n", atoi(devid), domid_of(back),
            number_at(l->h, e->path, "frontend-id"), number_at(l->h, front, "state"),
            number_at(l->h, front, "event-channel"), number_at(l->h, front, "ring-ref"), back);
}

static void network_row(void *data, const struct host_store_entry *e)
{
    const struct listing *l = data;
    const char *devid = device_of(l, e);
    char back[NODE_SIZE], front[NODE_SIZE], mac[NODE_SIZE];

    if (!devid)
        return;
    read_at(l->h, e->path, "backend", back);
    read_at(l->h, e->path, "frontend", front);
    read_at(l->h, e->path, "mac", mac);
    fprintf(l->out, "%-3d %-2d %s%6d %5d %6d %5d/%-11d %-30s\n", atoi(devid), domid_of(back), mac, atoi(devid),
            number_at(l->h, front, "state"), number_at(l->h, front, "event-channel"),
            number_at(l->h, front, "tx-ring-ref"), number_at(l->h, front, "rx-ring-ref"), back);
}

/* By xl's count, which begins at 0. */
static void channel_row(void *data, const struct host_store_entry *e)
{
    const struct listing *l = data;
    const char *devid = device_of(l, e);
    char back[NODE_SIZE], front[NODE_SIZE], connection[NODE_SIZE], tty[NODE_SIZE] = "";
    bool is_pty;

    if (!devid)
        return;
    read_at(l->h, e->path, "backend", back);
    read_at(l->h, e->path, "frontend", front);
    is_pty = !strcmp(read_at(l->h, e->path, "connection", connection), "pty");
    if (is_pty)
        read_at(l->h, front, "tty", tty);
    fprintf(l->out, "%-3d %-2d %-5d %-6d %-8d %-10s ", atoi(devid) - 1, domid_of(back), number_at(l->h, front, "state"),
            number_at(l->h, front, "port"), number_at(l->h, front, "ring-ref"), connection);
    fprintf(l->out, is_pty ? "%-30s \n" : "%s\n", tty);
}

static const struct list {
    const char *command, *type, *head;
    void (*row)(void *data, const struct host_store_entry *e);
} lists[] = {
    { "block-list", "vbd", "Vdev  BE  handle state evt-ch ring-ref BE-path                       \n", block_row },
    { "network-list", "vif",
      "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n", network_row },
    { "channel-list", "console", "Idx BE state evt-ch ring-ref connection                               \n",
      channel_row },
};

static const struct list *list_of(const char *command)
{
    const struct list *list = lists;

    while (strcmp(list->command, command) != 0)
        list++;
    return list;
}

void ctl_devices_head(const char *command, FILE *out) { fputs(list_of(command)->head, out); }

void ctl_devices_rows(const struct host *h, const char *command, domid_t domid, FILE *out)
{
    const struct list *list = list_of(command);
    struct listing l = { .h = h, .out = out };

    snprintf(l.above, sizeof(l.above), "/libxl/%u/device/%s/", domid, list->type);
    host_store_each(h, list->row, &l);
}

/* --- what they have done --- */

struct sums {
    domid_t domid;
    unsigned int nets, disks;
    uint64_t sent, received; /* bytes */
    uint64_t reads, writes, read_sectors, written_sectors;
};

static void disk_add(void *data, const struct host_disk *d)
{
    struct sums *s = data;

    if (d->domid != s->domid)
        return;
    s->disks++;
    s->reads += d->reads.nr;
    s->writes += d->writes.nr;
    s->read_sectors += d->reads.sectors;
    s->written_sectors += d->writes.sectors;
}

/* What comes in at a port the guest has sent. */
static void port_add(void *data, const struct host_port *p)
{
    struct sums *s = data;

    if (!p->domid || p->domid != s->domid)
        return;
    s->nets++;
    s->sent += p->in_bytes;
    s->received += p->out_bytes;
}

/* VBD_OO, how often a back end had no room for a request, is 0: requests wait in their ring. */
void ctl_devices_top(const struct host *h, domid_t domid, FILE *out)
{
    struct sums s = { .domid = domid };

    host_disks_each(h, disk_add, &s);
    host_ports_each(h, port_add, &s);
    fprintf(out, " %4u %8llu %8llu %4u %8u %8llu %8llu %10llu %10llu", s.nets, (unsigned long long)s.sent >> 10,
            (unsigned long long)s.received >> 10, s.disks, 0, (unsigned long long)s.reads, (unsigned long long)s.writes,
            (unsigned long long)s.read_sectors, (unsigned long long)s.written_sectors);
}
