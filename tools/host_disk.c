// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disks of guests: their files, who may have which, and their nodes.
 *
 * Concept: a file is opened when the first guest that has it is added, and stays open as long as the host is there: an
 * edge. The disk that it becomes is state (rings/disk.h), and its guests' for as long as there are any: a guest that
 * restarts finds on it what it has written. How a file is read and written, tools/disk/ knows.
 *
 * Invariants: whoever writes a disk has it alone; those who only read it may share it. No other program writes the file
 * meanwhile, if it asks for a lock as this one does; unless the disk is away, and then nobody here asks for the file.
 *
 * Budget: files, disks, what becomes of them in a guest's life, their nodes.
 */
#include "tools/disk/disk_cache.h"
#include "tools/disk/disk_file.h"
#include "tools/disk/disk_redo.h"
#include "tools/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- files --- */

/* A file that a disk is made of, open. */
struct open_disk {
    struct open_file of;
    struct open_disk *next;
    bool is_url;
    dev_t dev; /* of a file */
    ino_t ino;
};

static int disk_fail(const struct guest *g, const char *path, const char *why, char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    snprintf(err, HOST_ERR_SIZE, "%s%.400s: %.500s", xl_where(g->cfg.where, "disk", where), path, why);
    return -1;
}

static bool same_file(const struct open_disk *o, const struct xl_disk *d, const struct stat *st)
{
    if (o->of.place.format != d->format || o->is_url != xl_disk_is_url(d->path))
        return false;
    return o->is_url ? !strcmp(o->of.place.path, d->path) : o->dev == st->st_dev && o->ino == st->st_ino;
}

/* The open file that this is, too; NULL: none. */
static struct open_disk *file_find(const struct host *h, const struct xl_disk *d)
{
    struct open_disk *o = h->edges->disks;
    struct stat st;

    if (!xl_disk_is_url(d->path) && stat(d->path, &st))
        return NULL;
    while (o && !same_file(o, d, &st))
        o = o->next;
    return o;
}

/* It was only read, by guests that are gone. False and why: it is only read still. */
static bool file_upgrade(struct open_disk *o, char why[DISK_WHY_SIZE])
{
    char ignored[DISK_WHY_SIZE];

    disk_file_close(&o->of);
    o->of.writable = true;
    if (!disk_file_open(&o->of, why))
        return true;
    o->of.writable = false;
    disk_file_open(&o->of, ignored);
    return false;
}

static void file_note(struct open_disk *o)
{
    struct stat st;

    if (!o->is_url && stat(o->of.place.path, &st) == 0) {
        o->dev = st.st_dev;
        o->ino = st.st_ino;
    }
}

static void file_free(struct open_disk *o)
{
    disk_file_close(&o->of);
    free((char *)o->of.place.path);
    free(o);
}

/* Its guests get errors from now on. */
static void file_lost(void *data, const char *path, const char *why)
{
    const struct host_edges *edges = data;
    char line[HOST_ERR_SIZE];

    snprintf(line, sizeof(line), "%.400s: this disk is lost, and gives only errors: %.400s", path, why);
    if (edges->loud.message)
        edges->loud.message(edges->loud.data, line);
}

/* NULL and why. */
static struct open_disk *file_open(struct host *h, const struct xl_disk *d, bool writable, char why[DISK_WHY_SIZE])
{
    struct open_disk *o = calloc(1, sizeof(*o));

    if (!o || !(o->of.place.path = strdup(d->path))) {
        free(o);
        snprintf(why, DISK_WHY_SIZE, "out of memory");
        return NULL;
    }
    o->is_url = xl_disk_is_url(d->path);
    o->of.place.format = d->format;
    o->of.writable = writable;
    o->of.is_late = h->edges->disk_writes == HOST_DISKS_EXIT;
    o->of.is_cached = h->edges->power_cut;
    o->of.seed = h->edges->disks ? h->edges->disks->of.seed + 1 : h->seed;
    o->of.lost = file_lost;
    o->of.lost_data = h->edges;
    if (disk_file_open(&o->of, why)) {
        file_free(o);
        return NULL;
    }
    file_note(o);
    o->next = h->edges->disks;
    h->edges->disks = o;
    return o;
}

/*
 * What files were called when they were opened. A run that goes back opens them once more, and has to get the same
 * files, whatever has their names by then: so there a name stays with its file.
 */
struct disk_name {
    struct disk_name *next;
    char *path;
    enum xl_disk_format format;
    struct open_disk *of;
};

static struct open_disk *name_find(const struct host *h, const struct xl_disk *d)
{
    const struct disk_name *n = h->edges->only_forward ? NULL : h->edges->names;

    while (n && (n->format != d->format || strcmp(n->path, d->path) != 0))
        n = n->next;
    return n ? n->of : NULL;
}

static bool name_note(struct host *h, const struct xl_disk *d, struct open_disk *o)
{
    struct disk_name *n = h->edges->only_forward || name_find(h, d) ? NULL : calloc(1, sizeof(*n));

    if (!n)
        return h->edges->only_forward || name_find(h, d);
    *n = (struct disk_name){ .next = h->edges->names, .path = strdup(d->path), .format = d->format, .of = o };
    if (n->path) {
        h->edges->names = n;
        return true;
    }
    free(n);
    return false;
}

/* NULL and why. */
static struct open_disk *file_get(struct host *h, const struct xl_disk *d, bool writable, char why[DISK_WHY_SIZE])
{
    struct open_disk *o = name_find(h, d);

    if (o)
        return o;
    o = file_find(h, d);
    o = o ? o : file_open(h, d, writable, why);
    if (!o || name_note(h, d, o))
        return o;
    snprintf(why, DISK_WHY_SIZE, "out of memory");
    return NULL;
}

/* The same, live: what has its name now has to be what had it. */
static struct open_disk *file_get_live(struct host *h, const struct xl_disk *d, bool writable, char why[DISK_WHY_SIZE])
{
    const struct open_disk *named = name_find(h, d);
    struct stat st;

    if (!named || named == file_find(h, d))
        return file_get(h, d, writable, why);
    if (stat(d->path, &st))
        snprintf(why, DISK_WHY_SIZE, "%s", strerror(errno));
    else
        snprintf(why, DISK_WHY_SIZE,
                 "another file had this name, and the machine may go back to it: give this one another name");
    return NULL;
}

void host_power_cut(struct host *h)
{
    for (struct open_disk *o = h->edges->disks; o; o = o->next) {
        const struct disk_cut cut = disk_cache_cut(&o->of);

        if (o->of.writable)
            host_message(h, "%.400s: of %u sectors that were written and not flushed %u are on the disk",
                         o->of.place.path, cut.held, cut.kept);
    }
}

static void redo_add(void *data, uint64_t at, const uint8_t *bytes) { disk_redo_add(data, at, bytes); }

int host_disks_save(struct host *h)
{
    int failed = 0;

    for (struct disk *d = h->edges->disk_writes == HOST_DISKS_EXIT ? h->disks.first : NULL; d; d = d->next) {
        struct open_file *o = (struct open_file *)d->file;
        struct disk_redo r;
        char why[DISK_WHY_SIZE];

        if (d->of || !o->writable || !disk_is_changed(d))
            continue;
        if (disk_redo_begin(&r, o, why) || (disk_each_written(d, redo_add, &r), disk_redo_end(&r, d->sectors, why))) {
            host_message(h, "%.400s: what was written is not in the file: %.400s", o->place.path, why);
            failed = -1;
        }
        disk_redo_free(&r);
    }
    return failed;
}

static void disks_close(struct host_edges *edges)
{
    while (edges->names) {
        struct disk_name *n = edges->names;

        edges->names = n->next;
        free(n->path);
        free(n);
    }
    while (edges->disks) {
        struct open_disk *o = edges->disks;

        edges->disks = o->next;
        file_free(o);
    }
}

/* --- disks --- */

static bool disks_copy(struct guest *g, const struct host_guest *cfg)
{
    const struct xl_disks *disks = cfg->disks;
    struct arena *a = g->host->arena;

    g->disks = disks && disks->nr ? xzalloc_array(a, struct guest_disk, disks->nr) : NULL;
    if (disks && disks->nr && !g->disks)
        return false;
    for (unsigned int i = 0; disks && i < disks->nr; i++) {
        g->disks[i].cfg = disks->list[i];
        g->disks[i].cfg.path = xstrdup(a, disks->list[i].path);
        g->nr_disks++;
        if (!g->disks[i].cfg.path)
            return false;
    }
    g->cfg.disks = NULL;
    return true;
}

/* Whose is this disk, that g may not have it as well? NULL: nobody's. */
static const struct guest *rival(const struct guest *g, const struct disk *d, bool readonly)
{
    for (const struct guest *other = g->host->guests; other; other = other->next)
        for (unsigned int i = 0; other->state != GUEST_ENDED && i < other->nr_disks; i++)
            if (other->disks[i].disk == d && !(readonly && other->disks[i].cfg.readonly))
                return other;
    return NULL;
}

/* Who has this disk, but as gd? NULL: nobody. */
static const struct guest *user(const struct host *h, const struct disk *d, const struct guest_disk *gd)
{
    for (const struct guest *g = h->guests; g; g = g->next)
        for (unsigned int i = 0; g->state != GUEST_ENDED && i < g->nr_disks; i++)
            if (g->disks[i].disk == d && &g->disks[i] != gd)
                return g;
    return NULL;
}

/* The disk that is this file; made if there is none. Its name is as libxl's of QEMU's disks: "vpc:/srv/a.vhd". */
static struct disk *disk_get(struct host *h, struct open_disk *o, const char *path)
{
    const bool raw = o->of.place.format == XL_DISK_RAW;
    struct disk *d = h->disks.first;
    char *name = NULL;

    while (d && (d->of || d->file != &o->of.file))
        d = d->next;
    if (d)
        return d;
    if (asprintf(&name, "%s%s%s", raw ? "" : xl_disk_driver(o->of.place.format), raw ? "" : ":", path) < 0)
        return NULL;
    d = disk_create(h->arena, &o->of.file, name);
    free(name);
    if (d) {
        d->next = h->disks.first;
        h->disks.first = d;
    }
    return d;
}

/* It is away, and comes back. -1 and why: it still is. */
static int disk_back(struct host *h, struct disk *d, const char *backend, char why[DISK_WHY_SIZE])
{
    struct open_disk *o = h->edges->disks;
    const struct disk_file was = *d->file;

    while (&o->of.file != d->file)
        o = o->next;
    if (disk_file_open(&o->of, why))
        return -1;
    if (o->of.file.sectors != was.sectors) {
        snprintf(why, DISK_WHY_SIZE, "it has %llu sectors now, and had %llu", (unsigned long long)o->of.file.sectors,
                 (unsigned long long)was.sectors);
        disk_file_close(&o->of);
        *d->file = was;
        return -1;
    }
    file_note(o);
    d->away = false;
    blkback_resume(driver_bus(h, backend), d);
    return 0;
}

static int disk_open(struct host *h, struct guest *g, struct guest_disk *gd, char err[HOST_ERR_SIZE])
{
    const bool write = !gd->cfg.readonly, file_written = write && h->edges->disk_writes != HOST_DISKS_NEVER;
    const struct guest *other;
    struct open_disk *o;
    struct disk *d;
    char why[DISK_WHY_SIZE];

    if (!driver_is_there(g, "disk", gd->cfg.backend, err))
        return -1;
    o = file_get(h, &gd->cfg, file_written, why);
    if (!o && h->edges->is_recorded) /* no such command is recorded */
        host_message(h, "%.400s: %.500s, and was there when this was recorded", gd->cfg.path, why);
    if (!o)
        return disk_fail(g, gd->cfg.path, why, err);
    d = disk_get(h, o, gd->cfg.path);
    if (!d)
        return disk_fail(g, gd->cfg.path, "out of memory", err);
    for (unsigned int i = 0; &g->disks[i] != gd; i++)
        if (g->disks[i].disk == d && (write || !g->disks[i].cfg.readonly))
            return disk_fail(g, gd->cfg.path, "it is another disk of this guest, and one of them is written", err);
    other = rival(g, d, gd->cfg.readonly);
    if (other) {
        snprintf(why, sizeof(why), "%.100s has this disk, and one of both writes it", other->cfg.name);
        return disk_fail(g, gd->cfg.path, why, err);
    }
    other = d->speed == gd->cfg.speed ? NULL : user(h, d, gd);
    if (other) {
        snprintf(why, sizeof(why), "%.100s has this disk with speed=%s", other->cfg.name, disk_speed_name(d->speed));
        return disk_fail(g, gd->cfg.path, why, err);
    }
    d->speed = gd->cfg.speed;
    if (d->away && disk_back(h, d, gd->cfg.backend, why))
        return disk_fail(g, gd->cfg.path, why, err);
    if (file_written && !o->of.writable && !file_upgrade(o, why))
        return disk_fail(g, gd->cfg.path, why, err);
    gd->disk = d;
    if (write && !o->of.file.live)
        host_message(h, "%.400s: what %.100s writes is kept in memory, and %s at the end", gd->cfg.path, g->cfg.name,
                     o->of.writable ? "goes to the file" : "is gone");
    return 0;
}

static int disks_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (disk_open(h, g, &g->disks[i], err))
            return -1;
    return 0;
}

/* --- of a guest that runs --- */

static void disk_drop(struct guest *g, uint32_t devid)
{
    for (unsigned int i = 0; i < g->nr_disks; i++) {
        if (g->disks[i].cfg.devid != devid)
            continue;
        xfree(g->disks[i].cfg.path);
        g->nr_disks--;
        memmove(&g->disks[i], &g->disks[i + 1], (g->nr_disks - i) * sizeof(*g->disks));
    }
}

static bool disk_find(const struct guest *g, const char *word, uint32_t *devid)
{
    if (!xl_disk_devid(word, devid))
        return false;
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (g->disks[i].cfg.devid == *devid)
            return true;
    return false;
}

/* Room for one more, and it is there, but for its file. */
static int disk_append(struct guest *g, const struct xl_disk *cfg, char err[HOST_ERR_SIZE])
{
    struct arena *a = g->host->arena;
    struct guest_disk *more = xrealloc_array(a, g->disks, g->nr_disks + 1);

    if (more)
        g->disks = more;
    if (more)
        more[g->nr_disks] = (struct guest_disk){ .cfg = *cfg };
    if (more && (more[g->nr_disks].cfg.path = xstrdup(a, cfg->path))) {
        g->nr_disks++;
        return 0;
    }
    snprintf(err, HOST_ERR_SIZE, "out of memory");
    return -1;
}

static int disk_attach(struct guest *g, const char *text, unsigned int *i, uint32_t *devid, char err[HOST_ERR_SIZE])
{
    const struct xl_where *where = g->cfg.where;
    struct xl_disks one = { 0 };
    char why[XL_DISK_WHY_SIZE];
    uint32_t there;
    int rc = -1;

    if (!xl_disks_add(&one, text, why))
        snprintf(err, HOST_ERR_SIZE, "disk: %s", why);
    else if (disk_find(g, one.list[0].vdev, &there))
        snprintf(err, HOST_ERR_SIZE, "disk: there is a disk %s already", one.list[0].vdev);
    else
        rc = disk_append(g, &one.list[0], err);
    if (!rc) {
        *devid = one.list[0].devid;
        *i = g->nr_disks - 1;
        g->cfg.where = NULL; /* it is not from there */
        rc = disk_open(g->host, g, &g->disks[*i], err);
        g->cfg.where = where;
        if (rc)
            disk_drop(g, *devid);
    }
    xl_disks_free(&one);
    return rc;
}

/* It has been opened for reading, and nobody needs it that has to be asked first. */
static bool file_unused(const struct host *h, const struct open_disk *o)
{
    for (const struct guest *g = h->guests; g; g = g->next)
        for (unsigned int i = 0; g->state != GUEST_ENDED && i < g->nr_disks; i++)
            if (g->disks[i].disk && g->disks[i].disk->file == &o->of.file)
                return false;
    return true;
}

/* What is no disk for other reasons is refused when the command is carried out. */
static int disk_prepare(struct host *h, const char *text, char err[HOST_ERR_SIZE])
{
    struct xl_disks one = { 0 };
    char why[XL_DISK_WHY_SIZE > DISK_WHY_SIZE ? XL_DISK_WHY_SIZE : DISK_WHY_SIZE];
    struct open_disk *o;
    int rc = 0;

    if (xl_disks_add(&one, text, why)) {
        const struct xl_disk *d = &one.list[0];
        const bool write = !d->readonly && h->edges->disk_writes != HOST_DISKS_NEVER;

        o = file_get_live(h, d, write, why);
        if (!o || (write && !o->of.writable && file_unused(h, o) && !file_upgrade(o, why))) {
            snprintf(err, HOST_ERR_SIZE, "%.400s: %.500s", d->path, why);
            rc = -1;
        }
    }
    xl_disks_free(&one);
    return rc;
}

static char *disk_file(const char *text)
{
    struct xl_disks one = { 0 };
    char why[XL_DISK_WHY_SIZE], *path = NULL;

    if (xl_disks_add(&one, text, why) && !xl_disk_is_url(one.list[0].path))
        path = strdup(one.list[0].path);
    xl_disks_free(&one);
    return path;
}

/* It has one of that number. */
static struct guest_disk *disk_numbered(const struct guest *g, uint32_t devid)
{
    struct guest_disk *gd = g->disks;

    while (gd->cfg.devid != devid)
        gd++;
    return gd;
}

int guest_disk_resize(struct guest *g, uint32_t devid, uint64_t sectors, char err[HOST_ERR_SIZE])
{
    const struct guest_disk *gd = disk_numbered(g, devid);
    int rc;

    if (gd->cfg.readonly || gd->disk->away) {
        snprintf(err, HOST_ERR_SIZE, gd->disk->away ? "it is released" : "it is read only");
        return -1;
    }
    rc = disk_grow(gd->disk, sectors);
    if (rc == -EINVAL)
        snprintf(err, HOST_ERR_SIZE, "it has %llu sectors: a disk only grows", (unsigned long long)gd->disk->sectors);
    else if (rc == -EOPNOTSUPP)
        snprintf(err, HOST_ERR_SIZE, "only files of raw sectors grow, and no clones");
    else if (rc)
        snprintf(err, HOST_ERR_SIZE, "%s", strerror(-rc));
    else
        blkback_resized(driver_bus(g->host, gd->cfg.backend), gd->disk);
    return rc ? -1 : 0;
}

int guest_disk_release(struct guest *g, uint32_t devid, char err[HOST_ERR_SIZE])
{
    const struct guest_disk *gd = disk_numbered(g, devid);
    const struct host *h = g->host;
    struct open_disk *o = h->edges->disks;
    struct disk *d = gd->disk;
    int rc;

    while (&o->of.file != d->file)
        o = o->next;
    if (d->away)
        snprintf(err, HOST_ERR_SIZE, "it is released already");
    else if (d->of || d->clones)
        snprintf(err, HOST_ERR_SIZE, "it is a clone, or has some");
    else if (h->edges->disk_writes != HOST_DISKS_LIVE || ((gd->cfg.readonly || !o->of.writable) && !o->of.is_lost))
        snprintf(err, HOST_ERR_SIZE, "its file is not written");
    else if ((rc = disk_flush(d)) && !o->of.is_lost)
        snprintf(err, HOST_ERR_SIZE, "%s", strerror(-rc));
    else {
        disk_file_close(&o->of);
        d->away = true;
        return 0;
    }
    return -1;
}

int guest_disk_take(struct guest *g, uint32_t devid, char err[HOST_ERR_SIZE])
{
    const struct guest_disk *gd = disk_numbered(g, devid);
    char why[DISK_WHY_SIZE];

    if (!gd->disk->away)
        snprintf(err, HOST_ERR_SIZE, "it is not released");
    else if (disk_back(g->host, gd->disk, gd->cfg.backend, why))
        snprintf(err, HOST_ERR_SIZE, "%.400s: %.500s", gd->cfg.path, why);
    else
        return 0;
    return -1;
}

const char *guest_disk_away(const struct guest *g)
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (g->disks[i].disk && g->disks[i].disk->away)
            return g->disks[i].cfg.vdev;
    return NULL;
}

static void disks_free(struct guest *g)
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        xfree(g->disks[i].cfg.path);
    xfree(g->disks);
}

/* --- the kind of device --- */

static void *disks_data(struct host *h) { return &h->disks; }

static unsigned int disks_nr(const struct guest *g) { return g->nr_disks; }

/* As device_disk_add() in tools/libs/light/libxl_disk.c writes them. */
static void disk_nodes(struct node_writer *w, unsigned int i)
{
    const struct guest_disk *d = &w->g->disks[i];
    const char *const type = d->cfg.cdrom ? "cdrom" : "disk";
    struct device_nodes dev;

    device_begin(&dev, w, blkback.type, driver_domid(w->h, d->cfg.backend), d->cfg.devid);
    device_front(&dev, "virtual-device", "%u", d->cfg.devid);
    device_front(&dev, "device-type", "%s", type);
    device_front(&dev, "trusted", "%d", !d->cfg.untrusted);
    device_back(&dev, "online", "1");
    device_back(&dev, "removable", "%d", d->cfg.cdrom);
    device_back(&dev, "bootable", "1");
    device_back(&dev, "dev", "%s", d->cfg.vdev);
    device_back(&dev, "type", "phy");
    device_back(&dev, "mode", d->cfg.readonly ? "r" : "w");
    device_back(&dev, "device-type", "%s", type);
    device_back(&dev, "discard-enable", "%d", d->cfg.discard);
    device_back(&dev, "specification", "xen");
    if (d->cfg.direct_io_safe)
        device_back(&dev, "direct-io-safe", "1");
    device_back(&dev, "params", "%s", d->disk->path);
    device_back(&dev, "state", "1");
}

/* Each is a clone of the other's, or if that is only read the same. */
static bool disks_clone(struct guest *g, const struct guest *of)
{
    struct host *h = g->host;

    g->disks = xzalloc_array(h->arena, struct guest_disk, of->nr_disks);
    for (unsigned int i = 0; g->disks && i < of->nr_disks; i++) {
        struct guest_disk *gd = &g->disks[g->nr_disks++];
        const struct guest_disk *other = &of->disks[i];
        char path[512];

        gd->cfg = other->cfg;
        gd->cfg.path = xstrdup(h->arena, other->cfg.path);
        gd->disk = other->disk;
        if (!other->cfg.readonly) {
            snprintf(path, sizeof(path), "%.400s of %.64s", other->cfg.path, g->cfg.name);
            gd->disk = disk_clone(other->disk, path);
        }
        if (!gd->cfg.path || !gd->disk)
            return false;
        if (other->cfg.readonly)
            continue;
        gd->disk->next = h->disks.first;
        h->disks.first = gd->disk;
    }
    return g->disks;
}

static void disks_end(struct host *h)
{
    while (h->disks.first) {
        struct disk *d = h->disks.first;

        h->disks.first = d->next;
        disk_destroy(d);
    }
}

const struct device_kind vbd_devices = {
    .back = &blkback,
    .data = disks_data,
    .copy = disks_copy,
    .nr = disks_nr,
    .open = disks_open,
    .nodes = disk_nodes,
    .prepare = disk_prepare,
    .file = disk_file,
    .attach = disk_attach,
    .find = disk_find,
    .clone = disks_clone,
    .drop = disk_drop,
    .free = disks_free,
    .end = disks_end,
    .close = disks_close,
};
