// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes that are written all or not at all: the idea is in disk_redo.h. */
#include "tools/disk/disk_redo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "xlredo 1"
#define END   UINT64_MAX
#define ZERO  UINT64_C(1)

static int fail(const char *what, int error, char why[DISK_WHY_SIZE])
{
    snprintf(why, DISK_WHY_SIZE, "%s: %s", what, strerror(error));
    return -1;
}

/* n bytes, a multiple of 8. */
static uint64_t sum_of(uint64_t sum, const void *bytes, size_t n)
{
    for (const uint8_t *p = bytes; n; p += sizeof(sum), n -= sizeof(sum)) {
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return sum;
}

static void put(struct disk_redo *r, const void *bytes, size_t n)
{
    r->sum = sum_of(r->sum, bytes, n);
    fwrite(bytes, 1, n, r->file); /* an error is kept in it */
}

static bool get(FILE *f, void *bytes, size_t n, uint64_t *sum)
{
    const bool good = fread(bytes, 1, n, f) == n;

    *sum = good ? sum_of(*sum, bytes, n) : *sum;
    return good;
}

int disk_redo_begin(struct disk_redo *r, struct open_file *o, char why[DISK_WHY_SIZE])
{
    int fd;

    *r = (struct disk_redo){ .o = o };
    if (xl_disk_is_url(o->place.path)) {
        r->file = tmpfile();
    } else if (asprintf(&r->path, "%s.xlredo", o->place.path) >= 0) {
        fd = open(r->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        r->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
        if (fd >= 0 && !r->file)
            close(fd);
    } else {
        r->path = NULL;
    }
    if (!r->file)
        return fail(r->path ? r->path : "a file for it", errno, why);
    put(r, MAGIC, 8);
    return 0;
}

void disk_redo_add(struct disk_redo *r, uint64_t at, const uint8_t *bytes)
{
    const uint64_t word = bytes ? at : at | ZERO;

    put(r, &word, sizeof(word));
    if (bytes)
        put(r, bytes, DISK_REDO_BYTES);
}

/* The name of a new file lasts, too. */
static int folder_sync(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    int fd, rc = -1;

    if (slash)
        slash[slash == folder] = '\0';
    fd = folder ? open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        rc = fsync(fd);
        close(fd);
    }
    free(folder);
    return rc;
}

/* One change, of a disk with so many bytes. 0 or -errno. */
static int apply(struct disk_file *f, uint64_t word, const uint8_t *bytes, uint64_t size)
{
    const uint64_t at = word & ~ZERO, len = size - at < DISK_REDO_BYTES ? size - at : DISK_REDO_BYTES;

    if (at >= size)
        return 0;
    if (word & ZERO && f->ops->zero)
        return f->ops->zero(f, at, len);
    return f->ops->write(f, at, bytes, len);
}

/* From its beginning on; o NULL: only look. 0, -errno; 1: it is not whole. */
static int run(FILE *file, struct open_file *o, uint64_t *sectors)
{
    uint8_t bytes[DISK_REDO_BYTES];
    uint64_t word = 0, sum = 0, is, size = *sectors << SECTOR_SHIFT;
    int rc = 0;

    rewind(file);
    if (!get(file, bytes, 8, &sum) || memcmp(bytes, MAGIC, 8) != 0)
        return 1;
    while (rc == 0 && get(file, &word, sizeof(word), &sum) && word != END) {
        memset(bytes, 0, sizeof(bytes));
        if (!(word & ZERO) && !get(file, bytes, sizeof(bytes), &sum))
            return 1;
        rc = o ? apply(&o->file, word, bytes, size) : 0;
    }
    if (rc)
        return rc;
    if (word != END || !get(file, sectors, sizeof(*sectors), &sum) || fread(&is, 1, sizeof(is), file) != sizeof(is))
        return 1;
    return is == sum ? 0 : 1;
}

/* It is whole, and for this many sectors. */
static int finish(struct open_file *o, FILE *file, uint64_t sectors, char why[DISK_WHY_SIZE])
{
    int rc = 0;

    if (sectors > o->file.sectors)
        rc = o->file.ops->grow ? o->file.ops->grow(&o->file, sectors << SECTOR_SHIFT) : -EOPNOTSUPP;
    if (rc == 0 && sectors > o->file.sectors)
        o->file.sectors = sectors;
    rc = rc ? rc : run(file, o, &sectors);
    if (rc == 0 && o->file.ops->flush)
        rc = o->file.ops->flush(&o->file);
    else if (rc == 0 && o->fd >= 0 && fdatasync(o->fd))
        rc = -errno;
    return rc ? fail("it cannot be written", rc < 0 ? -rc : EIO, why) : 0;
}

int disk_redo_end(struct disk_redo *r, uint64_t sectors, char why[DISK_WHY_SIZE])
{
    const uint64_t end[] = { END, sectors };
    FILE *file = r->file;

    put(r, end, sizeof(end));
    fwrite(&r->sum, 1, sizeof(r->sum), file);
    if (fflush(file) || ferror(file) || fsync(fileno(file)) || (r->path && folder_sync(r->path))) {
        fail(r->path ? r->path : "a file for it", errno, why);
        if (r->path)
            unlink(r->path);
        return -1;
    }
    if (finish(r->o, file, sectors, why))
        return -1;
    if (r->path)
        unlink(r->path);
    return 0;
}

void disk_redo_free(struct disk_redo *r)
{
    if (r->file)
        fclose(r->file);
    free(r->path);
}

int disk_redo_find(struct open_file *o, char why[DISK_WHY_SIZE])
{
    uint64_t sectors = o->file.sectors;
    struct stat st;
    char *path;
    FILE *file;
    int rc, fd;

    if (xl_disk_is_url(o->place.path))
        return 0;
    if (asprintf(&path, "%s.xlredo", o->place.path) < 0)
        return fail("FILE.xlredo", ENOMEM, why);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !file)
        close(fd);
    rc = !file ? 1 : run(file, NULL, &sectors);
    if (rc == 0 && !o->writable)
        rc = -1,
        snprintf(why, DISK_WHY_SIZE, "%.300s has changes for it: open it to be written, and they are done", path);
    else if (rc == 0)
        rc = finish(o, file, sectors, why);
    else
        rc = 0;
    if (file && rc == 0 && o->writable)
        unlink(path);
    if (file)
        fclose(file);
    free(path);
    return rc;
}
