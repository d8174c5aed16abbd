// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks of a guest, as they are written: see tools/xl/xl_disk.h.
 *
 * Budget: two ways to write a disk, and the words of each.
 */
#include "tools/xl/xl_disk.h"

#include "tools/printable.h"

#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && !memcmp(text, word, len);
}

static enum xl_disk_format format_of_xl(libxl_disk_format format)
{
    switch (format) {
    case LIBXL_DISK_FORMAT_QCOW: return XL_DISK_QCOW;
    case LIBXL_DISK_FORMAT_QCOW2: return XL_DISK_QCOW2;
    case LIBXL_DISK_FORMAT_VHD: return XL_DISK_VHD;
    case LIBXL_DISK_FORMAT_QED: return XL_DISK_QED;
    default: return XL_DISK_RAW;
    }
}

/* --- what is written --- */

/* A disk as it is written, without what libxlutil does not know: that is here. */
struct spec {
    char *text;                 /* for libxlutil; NULL: no memory */
    char *url;                  /* in front, which a word takes the place of there; or NULL */
    enum xl_disk_format format; /* or XL_DISK_NR_FORMATS: libxlutil knows */
    enum disk_speed speed;
    bool untrusted;
    char wrong[64]; /* a speed that there is not; "": none */
};

/* speed=..., and what xl-disk-configuration(5) says that libxlutil knows: false: it is another word. */
static bool word_ours(const char *word, size_t len, struct spec *s)
{
    static const char key[] = "speed=";
    const size_t skip = strlen(key);

    if (is_word(word, len, "trusted") || is_word(word, len, "untrusted")) {
        s->untrusted = *word == 'u';
        return true;
    }
    if (len < skip || memcmp(word, key, skip) != 0)
        return false;
    s->speed = disk_speed_of(word + skip, len - skip);
    if (s->speed == DISK_SPEEDS)
        snprintf(s->wrong, sizeof(s->wrong), "%.*s", (int)(len < 60 ? len : 60), word);
    return true;
}

/* One word: as it is, or "raw" for a format that is ours alone. `first`: a target, if it is not said what it is. */
static void word_put(FILE *out, const char *word, size_t len, bool first, struct spec *s)
{
    static const char key[] = "format=";
    const bool named = len > strlen(key) && !strncmp(word, key, strlen(key));
    const size_t skip = named ? strlen(key) : 0;
    const enum xl_disk_format f = first && !named ? XL_DISK_NR_FORMATS : xl_disk_format_of(word + skip, len - skip);

    if (f == XL_DISK_VDI || f == XL_DISK_VMDK || f == XL_DISK_VHDX || is_word(word + skip, len - skip, "vpc")) {
        s->format = f;
        fprintf(out, "%sraw", named ? key : "");
    } else {
        fwrite(word, 1, len, out);
    }
}

/* What libxlutil gets to read. */
static void spec_begin(struct spec *s, const char *text)
{
    size_t size = 0, len;
    FILE *out = open_memstream(&s->text, &size);
    bool first = true;

    s->format = XL_DISK_NR_FORMATS;
    s->speed = DISK_SSD;
    if (!out)
        return;
    text += strspn(text, " \t");
    if (xl_disk_is_url(text)) {
        len = strcspn(text, ",");
        s->url = strndup(text, len);
        fputs("url", out);
        first = false;
        text += len;
        text = *text ? text + 1 : NULL;
    }
    while (text) {
        text += strspn(text, " \t");
        len = strcspn(text, ",");
        if (!strncmp(text, "target=", 7))
            len = strlen(text);
        if (!word_ours(text, len, s)) {
            if (!first)
                fputc(',', out);
            word_put(out, text, len, first, s);
            first = false;
        }
        text += len;
        text = *text ? text + 1 : NULL;
    }
    if (fclose(out)) {
        free(s->text);
        s->text = NULL;
    }
}

static void spec_end(struct spec *s)
{
    free(s->text);
    free(s->url);
}

/* libxlutil's own complaint, without what it begins with. */
static void complaint(const char *report, const char *spec, char why[XL_DISK_WHY_SIZE])
{
    static const char before[] = "disk specification: ";
    const char *p = strstr(report, before);
    const int len = (int)strcspn(report, "\n");

    p = p ? p + strlen(before) : report;
    if (len)
        snprintf(why, XL_DISK_WHY_SIZE, "%.*s", (int)strcspn(p, "\n"), p);
    else
        snprintf(why, XL_DISK_WHY_SIZE, "is no disk: \"%.200s\"", spec);
    make_printable(why, strlen(why), false);
}

/* What of it is not understood here; false: something. */
static bool understood(const libxl_device_disk *d, char why[XL_DISK_WHY_SIZE])
{
    if (d->format == LIBXL_DISK_FORMAT_EMPTY || !d->pdev_path || !*d->pdev_path)
        snprintf(why, XL_DISK_WHY_SIZE,
                 "an empty drive can only be a CD drive of an HVM guest, hda to hdd, from its start: name a file");
    else if (d->script)
        snprintf(why, XL_DISK_WHY_SIZE, "script=%.100s: scripts are not run", d->script);
    else if (d->specification == LIBXL_DISK_SPECIFICATION_VIRTIO || d->backend == LIBXL_DISK_BACKEND_STANDALONE)
        snprintf(why, XL_DISK_WHY_SIZE, "specification=virtio: disks are Xen's here");
    else if (d->colo_enable.val > 0 || d->colo_restore_enable.val > 0)
        snprintf(why, XL_DISK_WHY_SIZE, "colo is not supported");
    else
        return true;
    return false;
}

static void disk_dispose(libxl_device_disk *d)
{
    free(d->backend_domname);
    free(d->pdev_path);
    free(d->vdev);
    free(d->script);
    free(d->colo_host);
    free(d->colo_export);
    free(d->active_disk);
    free(d->hidden_disk);
}

/* Let libxlutil read it. */
static bool spec_parse(const struct spec *s, libxl_device_disk *d, char why[XL_DISK_WHY_SIZE])
{
    const char *const spec = s->text;
    char *report = NULL;
    size_t report_size = 0;
    FILE *stream = open_memstream(&report, &report_size);
    XLU_Config *xlu = stream && spec ? xlu_cfg_init(stream, "disk") : NULL;
    int rc = -1;

    snprintf(why, XL_DISK_WHY_SIZE, "not enough memory");
    if (xlu) {
        rc = xlu_disk_parse(xlu, 1, &spec, d);
        fflush(stream);
        if (rc)
            complaint(report, spec, why);
        xlu_cfg_destroy(xlu);
    }
    if (stream)
        fclose(stream);
    free(report);
    return rc == 0;
}

bool xl_backend_read(const char *name, char backend[XL_BACKEND_SIZE])
{
    if (strlen(name) >= XL_BACKEND_SIZE)
        return false;
    strcpy(backend, strcmp(name, "0") && strcmp(name, "Domain-0") ? name : "");
    return true;
}

static struct xl_disk *devid_find(const struct xl_disks *disks, uint32_t devid)
{
    for (unsigned int i = 0; i < disks->nr; i++)
        if (disks->list[i].devid == devid)
            return &disks->list[i];
    return NULL;
}

static bool list_put(struct xl_disks *disks, const struct xl_disk *d, const char *path, char why[XL_DISK_WHY_SIZE])
{
    char *copy = strdup(path);
    struct xl_disk *more = NULL;

    if (disks->nr == XL_DISKS_MAX)
        snprintf(why, XL_DISK_WHY_SIZE, "more than %d disks", XL_DISKS_MAX);
    else if (!copy || !(more = reallocarray(disks->list, disks->nr + 1, sizeof(*more))))
        snprintf(why, XL_DISK_WHY_SIZE, "not enough memory");
    if (!more) {
        free(copy);
        return false;
    }
    disks->list = more;
    more[disks->nr] = *d;
    more[disks->nr++].path = copy;
    return true;
}

static bool disk_append(struct xl_disks *disks, const libxl_device_disk *d, const struct spec *s,
                        char why[XL_DISK_WHY_SIZE])
{
    struct xl_disk disk = { .format = s->format < XL_DISK_NR_FORMATS ? s->format : format_of_xl(d->format),
                            .speed = s->speed,
                            .readonly = !d->readwrite,
                            .cdrom = d->is_cdrom,
                            .discard = d->discard_enable.val >= 0,
                            .direct_io_safe = d->direct_io_safe,
                            .untrusted = s->untrusted };
    const char *path = s->url ? s->url : d->pdev_path;

    if (!d->vdev || strlen(d->vdev) >= sizeof(disk.vdev) || !xl_disk_devid(d->vdev, &disk.devid)) {
        snprintf(why, XL_DISK_WHY_SIZE, "expected a name such as xvda, hdb or sdc1, got \"%.100s\"",
                 d->vdev ? d->vdev : "");
        return false;
    }
    if (strstr(path, "://") && !xl_disk_is_url(path)) {
        snprintf(why, XL_DISK_WHY_SIZE,
                 "%.200s is no URL for a disk: nbd, nbd+unix, nbds, https, http, ftp and sftp are", path);
        return false;
    }
    if (xl_disk_is_url(path) && disk.format != XL_DISK_RAW) {
        snprintf(why, XL_DISK_WHY_SIZE, "%.200s: what a server gives is raw, and not %s", path,
                 xl_disk_driver(disk.format));
        return false;
    }
    if (s->speed == DISK_SPEEDS) {
        snprintf(why, XL_DISK_WHY_SIZE, "expected speed=ssd, hdd or none, got \"%s\"", s->wrong);
        return false;
    }
    strcpy(disk.vdev, d->vdev);
    if (d->backend_domname && !xl_backend_read(d->backend_domname, disk.backend)) {
        snprintf(why, XL_DISK_WHY_SIZE, "backend=%.100s...: no domain has so long a name", d->backend_domname);
        return false;
    }
    if (devid_find(disks, disk.devid)) {
        snprintf(why, XL_DISK_WHY_SIZE, "there is a disk %s already", disk.vdev);
        return false;
    }
    return list_put(disks, &disk, path, why);
}

bool xl_disks_add(struct xl_disks *disks, const char *spec, char why[XL_DISK_WHY_SIZE])
{
    libxl_device_disk d;
    struct spec s = { 0 };
    bool good;

    memset(&d, 0, sizeof(d));
    spec_begin(&s, spec);
    good = spec_parse(&s, &d, why) && understood(&d, why) && disk_append(disks, &d, &s, why);
    disk_dispose(&d);
    spec_end(&s);
    return good;
}

bool xl_disk_is_empty_cd(const char *spec, unsigned int *drive)
{
    char why[XL_DISK_WHY_SIZE];
    libxl_device_disk d;
    struct spec s = { 0 };
    uint32_t devid;

    memset(&d, 0, sizeof(d));
    spec_begin(&s, spec);
    *drive = XL_IDE_DRIVES;
    if (spec_parse(&s, &d, why) && d.is_cdrom && !s.url && (!d.pdev_path || !*d.pdev_path) && d.vdev &&
        xl_disk_devid(d.vdev, &devid))
        *drive = xl_disk_drive(devid);
    disk_dispose(&d);
    spec_end(&s);
    return *drive != XL_IDE_DRIVES;
}

/* The first of xvda, xvdb... xvdaa... that is free: one is. */
static void vdev_free(const struct xl_disks *disks, char vdev[8])
{
    uint32_t devid;

    for (unsigned int i = 0; i <= XL_DISKS_MAX; i++) {
        if (i < 26)
            snprintf(vdev, 8, "xvd%c", 'a' + i);
        else
            snprintf(vdev, 8, "xvd%c%c", 'a' + (i - 26) / 26, 'a' + (i - 26) % 26);
        xl_disk_devid(vdev, &devid);
        if (!devid_find(disks, devid))
            return;
    }
}

/* One that has a name. */
static bool named_merge(struct xl_disks *to, const struct xl_disk *d, char why[XL_DISK_WHY_SIZE])
{
    struct xl_disk *there = devid_find(to, d->devid);
    char *path;

    if (!there)
        return list_put(to, d, d->path, why);
    path = strdup(d->path);
    if (!path) {
        snprintf(why, XL_DISK_WHY_SIZE, "not enough memory");
        return false;
    }
    free(there->path);
    *there = *d;
    there->path = path;
    return true;
}

bool xl_disks_merge(struct xl_disks *to, const struct xl_disks *more, char why[XL_DISK_WHY_SIZE])
{
    bool good = true;

    for (unsigned int i = 0; good && i < more->nr; i++)
        good = more->list[i].unnamed || named_merge(to, &more->list[i], why);
    for (unsigned int i = 0; good && i < more->nr; i++) {
        struct xl_disk d = more->list[i];

        if (!d.unnamed)
            continue;
        vdev_free(to, d.vdev);
        xl_disk_devid(d.vdev, &d.devid);
        good = list_put(to, &d, d.path, why);
    }
    return good;
}

/* What a file's name ends in; raw. */
static enum xl_disk_format format_by_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    const enum xl_disk_format f = dot ? xl_disk_format_of(dot + 1, strlen(dot + 1)) : XL_DISK_RAW;

    return f == XL_DISK_NR_FORMATS || xl_disk_is_url(path) ? XL_DISK_RAW : f;
}

/* The words behind FILE. False: there is one too many. */
static bool short_words(char *rest, const char **access, const char **vdev, const char **speed,
                        enum xl_disk_format *format, const char **backend)
{
    enum xl_disk_format f;
    const char *word;

    while ((word = strsep(&rest, ","))) {
        f = xl_disk_format_of(word, strlen(word));
        if (!strcmp(word, "ro") || !strcmp(word, "r"))
            *access = "ro";
        else if (!strcmp(word, "rw") || !strcmp(word, "w"))
            *access = "rw";
        else if (f != XL_DISK_NR_FORMATS)
            *format = f;
        else if (!strncmp(word, "speed=", 6))
            *speed = word;
        else if (!strncmp(word, "backend=", 8))
            *backend = word;
        else if (!*vdev && *word)
            *vdev = word;
        else
            return false;
    }
    return true;
}

bool xl_disks_add_short(struct xl_disks *disks, const char *text, char why[XL_DISK_WHY_SIZE])
{
    char *copy = strdup(text), *rest = copy, *path = strsep(&rest, ","), *spec = NULL;
    enum xl_disk_format format = path ? format_by_name(path) : XL_DISK_RAW;
    const char *access = "rw", *vdev = NULL, *speed = "speed=ssd", *backend = NULL;
    char first[8];
    bool good = false;

    snprintf(why, XL_DISK_WHY_SIZE, "expected FILE[,NAME][,ro][,FORMAT][,speed=SPEED][,backend=DOMAIN], got \"%.200s\"",
             text);
    if (path && *path && short_words(rest, &access, &vdev, &speed, &format, &backend)) {
        if (!vdev)
            vdev_free(disks, first);
        if (asprintf(&spec, "format=%s,vdev=%s,access=%s,%s,%s%starget=%s", xl_disk_word(format), vdev ? vdev : first,
                     access, speed, backend ? backend : "", backend ? "," : "", path) > 0)
            good = xl_disks_add(disks, spec, why);
        if (good)
            disks->list[disks->nr - 1].unnamed = !vdev;
    }
    free(spec);
    free(copy);
    return good;
}

void xl_disks_free(struct xl_disks *disks)
{
    while (disks->nr)
        free(disks->list[--disks->nr].path);
    free(disks->list);
    disks->list = NULL;
}
