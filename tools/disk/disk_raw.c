// SPDX-License-Identifier: GPL-2.0-or-later
/* A disk that is a file of raw sectors: see disk_file.h. */
#include "tools/disk/disk_file.h"
#include "tools/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * QEMU locks single bytes: one for each thing that it does to a file, and one for each that it lets nobody else do. Who
 * writes has locked, to be read by others as well, this one:
 */
#define QEMU_WRITES 101

static bool lock(int fd, int cmd, short type, off_t at, off_t len)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = len };

    if (fcntl(fd, cmd, &l))
        return errno != EACCES && errno != EAGAIN;
    return cmd != F_OFD_GETLK || l.l_type == F_UNLCK;
}

/* Others may read what fd is, too, or (alone) nobody may have it. False: somebody has it who does not let us. */
static bool disk_lock(int fd, bool alone)
{
    if (alone)
        return lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0);
    return lock(fd, F_OFD_SETLK, F_RDLCK, 0, QEMU_WRITES) && lock(fd, F_OFD_SETLK, F_RDLCK, QEMU_WRITES + 1, 0) &&
           lock(fd, F_OFD_GETLK, F_WRLCK, QEMU_WRITES, 1);
}

static struct open_file *raw_of(struct disk_file *f) { return (struct open_file *)f; }

_Static_assert(offsetof(struct open_file, file) == 0, "raw_of()");

static int raw_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    uint8_t *to = buf;

    while (len) {
        const ssize_t n = pread(raw_of(f)->fd, to, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0) {
            memset(to, 0, len);
            return 0;
        }
        to += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int raw_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    const uint8_t *from = buf;

    while (len) {
        const ssize_t n = pwrite(raw_of(f)->fd, from, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        from += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int raw_grow(struct disk_file *f, uint64_t size) { return ftruncate(raw_of(f)->fd, (off_t)size) ? -errno : 0; }

static const struct disk_file_ops raw_ops = { .read = raw_read, .write = raw_write, .grow = raw_grow };

static void raw_close(struct open_file *o)
{
    close(o->fd);
    o->fd = -1;
}

/* Open the file once more: to be written as well, if it is. -1 and why. */
static int descriptor(const char *path, bool writable, char why[DISK_WHY_SIZE])
{
    char proc[32];
    int fd = user_file_open(path, why, DISK_WHY_SIZE), again;

    if (fd < 0)
        return -1;
    if (writable) {
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd); /* this very file, whatever the path leads to by now */
        again = open(proc, O_RDWR | O_CLOEXEC);
        if (again < 0)
            snprintf(why, DISK_WHY_SIZE, "it cannot be written (\"ro\" behind its name says that it need not): %s",
                     strerror(errno));
        close(fd);
        fd = again;
    }
    if (fd >= 0 && !disk_lock(fd, writable)) {
        snprintf(why, DISK_WHY_SIZE, "another program uses it");
        close(fd);
        fd = -1;
    }
    return fd;
}

int disk_raw_open(struct open_file *o, char why[DISK_WHY_SIZE])
{
    struct stat st;

    o->fd = descriptor(o->place.path, o->writable, why);
    if (o->fd < 0)
        return -1;
    if (fstat(o->fd, &st)) {
        snprintf(why, DISK_WHY_SIZE, "%s", strerror(errno));
    } else if (st.st_size < SECTOR_SIZE) {
        snprintf(why, DISK_WHY_SIZE, "it has no sectors: a disk is a file of at least %u bytes", SECTOR_SIZE);
    } else {
        o->file = (struct disk_file){ &raw_ops, (uint64_t)st.st_size >> SECTOR_SHIFT, o->writable && !o->is_late };
        o->close = raw_close;
        return 0;
    }
    raw_close(o);
    return -1;
}
