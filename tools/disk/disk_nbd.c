// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk that is had by NBD, the protocol of network block devices: of a server that a URL names, or of a helper that
 * is started for this disk (disk_helper.h). See disk_file.h.
 *
 * Concept: libnbd speaks it, a library that is loaded when the first such disk is opened: some functions of its
 * interface, which only grows, are declared here. Each operation is sent, and waited for.
 *
 * Invariants: nobody waits for ever: a server that has not answered for PATIENCE_MS is gone. One that is gone has lost
 * what it had not written yet: a disk that is written answers errors from then on. One that is only read is opened
 * again, once each time, as if nothing had been; only if that fails it is gone.
 *
 * Budget: a library's interface, a connection that may go, and what is done over it: each of little use alone.
 *
 * Source: the NBD protocol, doc/proto.md of NetworkBlockDevice/nbd; libnbd(3); qemu-nbd(8).
 */
#include "tools/disk/disk_file.h"
#include "tools/disk/disk_helper.h"
#include "tools/user_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS         30000
#define CONNECT_PATIENCE_MS 10000
#define ZERO_MAX            (UINT64_C(1) << 30) /* bytes at once: a request has 32 bits for them */

/* --- libnbd --- */

struct nbd_handle;

typedef struct {
    int (*callback)(void *user_data, int *error);
    void *user_data;
    void (*free)(void *user_data);
} nbd_completion_callback;

#define NOBODY ((nbd_completion_callback){ NULL, NULL, NULL })

#define NBD_FUNCTIONS(X)                                                                                               \
    X(struct nbd_handle *, create, (void))                                                                             \
    X(void, close, (struct nbd_handle *))                                                                              \
    X(const char *, get_error, (void))                                                                                 \
    X(int, get_errno, (void))                                                                                          \
    X(int, aio_connect_socket, (struct nbd_handle *, int))                                                             \
    X(int, aio_connect_uri, (struct nbd_handle *, const char *))                                                       \
    X(int, poll, (struct nbd_handle *, int))                                                                           \
    X(int, aio_is_ready, (struct nbd_handle *))                                                                        \
    X(int, aio_is_dead, (struct nbd_handle *))                                                                         \
    X(int, aio_is_closed, (struct nbd_handle *))                                                                       \
    X(int, aio_command_completed, (struct nbd_handle *, uint64_t))                                                     \
    X(int64_t, aio_pread, (struct nbd_handle *, void *, size_t, uint64_t, nbd_completion_callback, uint32_t))          \
    X(int64_t, aio_pwrite, (struct nbd_handle *, const void *, size_t, uint64_t, nbd_completion_callback, uint32_t))   \
    X(int64_t, aio_zero, (struct nbd_handle *, uint64_t, uint64_t, nbd_completion_callback, uint32_t))                 \
    X(int64_t, aio_flush, (struct nbd_handle *, nbd_completion_callback, uint32_t))                                    \
    X(int, aio_disconnect, (struct nbd_handle *, uint32_t))                                                            \
    X(int64_t, get_size, (struct nbd_handle *))                                                                        \
    X(int64_t, get_block_size, (struct nbd_handle *, int))                                                             \
    X(int, is_read_only, (struct nbd_handle *))                                                                        \
    X(int, can_zero, (struct nbd_handle *))                                                                            \
    X(int, can_flush, (struct nbd_handle *))

struct library {
    void *handle;
#define X(type, name, args) type(*name) args;
    NBD_FUNCTIONS(X)
#undef X
};

/* False: it is not there, or is no such library. */
static bool library_load(struct library *l)
{
    l->handle = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!l->handle)
        return false;
#define X(type, name, args)                                                                                            \
    *(void **)&l->name = dlsym(l->handle, "nbd_" #name);                                                               \
    if (!l->name)                                                                                                      \
        return false;
    NBD_FUNCTIONS(X)
#undef X
    return true;
}

/* --- a connection --- */

struct nbd_disk {
    struct library lib;
    struct nbd_handle *nbd; /* NULL: none */
    struct disk_helper helper;
    uint64_t size;
    bool gone; /* for good */
    char why[DISK_WHY_SIZE];
};

static struct open_file *opened(struct disk_file *f) { return (struct open_file *)f; }

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static bool is_down(const struct nbd_disk *n)
{
    return !n->nbd || n->lib.aio_is_dead(n->nbd) == 1 || n->lib.aio_is_closed(n->nbd) == 1;
}

/* Let the connection work once, until `end`. False: that is over, and nothing has happened; or it is down. */
static bool work(struct nbd_disk *n, int64_t end)
{
    const int64_t left = end - now_ms();
    int rc;

    if (left <= 0)
        return false;
    rc = n->lib.poll(n->nbd, (int)left);
    return rc > 0 || (rc < 0 && n->lib.get_errno() == EINTR && !is_down(n));
}

static bool connection_wait(struct nbd_disk *n)
{
    const int64_t end = now_ms() + CONNECT_PATIENCE_MS;

    while (n->lib.aio_is_ready(n->nbd) != 1)
        if (!work(n, end))
            return false;
    return true;
}

/* What was asked and not answered is forgotten. */
static void connection_drop(struct nbd_disk *n)
{
    if (n->nbd)
        n->lib.close(n->nbd);
    n->nbd = NULL;
    disk_helper_end(&n->helper, 0);
}

/* Nothing is asked. */
static void connection_close(struct nbd_disk *n)
{
    const int64_t end = now_ms() + PATIENCE_MS;

    if (n->nbd && !is_down(n) && n->lib.aio_is_ready(n->nbd) == 1 && n->lib.aio_disconnect(n->nbd, 0) == 0)
        while (!is_down(n) && work(n, end))
            ;
    if (n->nbd)
        n->lib.close(n->nbd);
    n->nbd = NULL;
    disk_helper_end(&n->helper, PATIENCE_MS);
}

/* --- the helpers --- */

/* A text within an option: a comma is written twice. The caller frees it; NULL: out of memory. */
static char *comma_double(const char *text)
{
    char *copy = malloc(2 * strlen(text) + 1), *to = copy;

    for (; copy && *text; *to++ = *text++)
        if (*text == ',')
            *to++ = ',';
    if (copy)
        *to = '\0';
    return copy;
}

static int qemu_start(struct open_file *o, char why[DISK_WHY_SIZE])
{
    const int fd = user_file_open(o->place.path, why, DISK_WHY_SIZE);
    char *path = fd >= 0 ? comma_double(o->place.path) : NULL, *image = NULL;
    char program[] = "qemu-nbd", discard[] = "--discard=unmap", options[] = "--image-opts", readonly[] = "--read-only";
    char *argv[6] = { program, discard, options };
    int rc = -1;

    if (fd < 0)
        return -1;
    close(fd);
    if (path &&
        asprintf(&image, "driver=%s,file.driver=file,file.filename=%s", xl_disk_driver(o->place.format), path) < 0)
        image = NULL;
    snprintf(why, DISK_WHY_SIZE, "out of memory");
    if (image) {
        argv[3] = o->writable ? image : readonly;
        argv[4] = o->writable ? NULL : image;
        rc = disk_helper_start(&o->nbd->helper, argv, why, DISK_WHY_SIZE);
    }
    free(path);
    free(image);
    return rc;
}

static int nbdkit_start(struct open_file *o, char why[DISK_WHY_SIZE])
{
    char program[] = "nbdkit", foreground[] = "--foreground", readonly[] = "--readonly", last[] = "--filter=exitlast",
         plugin[] = "curl", *url = NULL;
    int rc = -1;

    snprintf(why, DISK_WHY_SIZE, "out of memory");
    if (o->writable)
        snprintf(why, DISK_WHY_SIZE, "it can only be read (\"ro\" behind its name says that)");
    else if (asprintf(&url, "url=%s", o->place.path) >= 0)
        rc = disk_helper_start(&o->nbd->helper,
                               (char *const[]){ program, foreground, readonly, last, plugin, url, NULL }, why,
                               DISK_WHY_SIZE);
    free(url);
    return rc;
}

/* Why the connection has come to nothing. */
static void failure(const struct open_file *o, char why[DISK_WHY_SIZE])
{
    const struct nbd_disk *n = o->nbd;
    const char *helper = xl_disk_is_url(o->place.path) ? "nbdkit" : "qemu-nbd";
    const char *package = xl_disk_is_url(o->place.path) ? "nbdkit" : "qemu-utils";
    const int error = n->lib.get_errno();
    char said[DISK_WHY_SIZE - 64];

    disk_helper_said(&n->helper, said, sizeof(said));
    if (!strcmp(said, DISK_HELPER_MISSING))
        snprintf(why, DISK_WHY_SIZE, "%s is needed for it, and is not here (Debian: %s)", helper, package);
    else if (*said)
        snprintf(why, DISK_WHY_SIZE, "%s: %s", helper, said);
    else if (n->nbd && !is_down(n))
        snprintf(why, DISK_WHY_SIZE, "its server does not answer: it may have another client");
    else
        snprintf(why, DISK_WHY_SIZE, "no connection%s%.300s", error ? ": " : " to its server",
                 error ? strerror(error) : "");
}

/* --- opening --- */

/* There is a connection, and its server does what is wanted. -1 and why. */
static int export_check(struct open_file *o, char why[DISK_WHY_SIZE])
{
    struct nbd_disk *n = o->nbd;
    const int64_t size = n->lib.get_size(n->nbd), least = n->lib.get_block_size(n->nbd, 0);

    if (size < (int64_t)SECTOR_SIZE)
        snprintf(why, DISK_WHY_SIZE, "it has no sectors: a disk has at least %u bytes", SECTOR_SIZE);
    else if (least > (int64_t)SECTOR_SIZE)
        snprintf(why, DISK_WHY_SIZE, "its server has blocks of %lld bytes, and a disk has sectors of %u",
                 (long long)least, SECTOR_SIZE);
    else if (o->writable && n->lib.is_read_only(n->nbd) == 1)
        snprintf(why, DISK_WHY_SIZE,
                 "its server does not let it be written (\"ro\" behind its name says that it need "
                 "not)");
    else if (n->size && n->size != (uint64_t)size)
        snprintf(why, DISK_WHY_SIZE, "it has another size than it had");
    else {
        n->size = (uint64_t)size;
        return 0;
    }
    return -1;
}

/* A connection of its own. -1 and why. */
static int connection_open(struct open_file *o, char why[DISK_WHY_SIZE])
{
    struct nbd_disk *n = o->nbd;
    const char *path = o->place.path;
    const bool server = xl_disk_is_nbd(path);
    int rc = server ? 0 : xl_disk_is_url(path) ? nbdkit_start(o, why) : qemu_start(o, why);

    if (rc)
        return -1;
    n->nbd = n->lib.create();
    rc = !n->nbd  ? -1
         : server ? n->lib.aio_connect_uri(n->nbd, path)
                  : n->lib.aio_connect_socket(n->nbd, n->helper.socket);
    if (rc == 0 && connection_wait(n))
        return export_check(o, why);
    failure(o, why);
    return -1;
}

static void nbd_end(struct open_file *o)
{
    if (o->nbd->lib.handle)
        connection_close(o->nbd);
    if (o->nbd->lib.handle)
        dlclose(o->nbd->lib.handle);
    free(o->nbd);
    o->nbd = NULL;
}

/* --- operations --- */

/* The server is gone. True: it is there again. */
static bool again(struct open_file *o)
{
    struct nbd_disk *n = o->nbd;
    char why[DISK_WHY_SIZE];

    disk_helper_said(&n->helper, n->why, sizeof(n->why));
    if (!*n->why)
        snprintf(n->why, sizeof(n->why), "%s", is_down(n) ? "its server is gone" : "its server does not answer");
    connection_drop(n);
    if (!o->writable && connection_open(o, why) == 0)
        return true;
    connection_drop(n);
    n->gone = o->is_lost = true;
    if (o->lost)
        o->lost(o->lost_data, o->place.path, n->why);
    return false;
}

/* 0 or -errno; 1: the server is gone. */
static int command_wait(struct nbd_disk *n, int64_t cookie)
{
    const int64_t end = now_ms() + PATIENCE_MS;
    int rc;

    if (cookie < 0)
        return is_down(n) ? 1 : -EIO;
    while ((rc = n->lib.aio_command_completed(n->nbd, (uint64_t)cookie)) == 0)
        if (is_down(n) || !work(n, end))
            return 1;
    if (rc < 0 && is_down(n))
        return 1;
    if (rc < 0)
        return n->lib.get_errno() ? -n->lib.get_errno() : -EIO;
    return 0;
}

static int nbd_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    struct nbd_disk *n = opened(f)->nbd;
    const size_t there = at >= n->size ? 0 : n->size - at < len ? (size_t)(n->size - at) : len;
    int rc = 0;

    memset((uint8_t *)buf + there, 0, len - there);
    do
        rc = n->gone ? -EIO : !there ? 0 : command_wait(n, n->lib.aio_pread(n->nbd, buf, there, at, NOBODY, 0));
    while (rc == 1 && again(opened(f)));
    return rc == 1 ? -EIO : rc;
}

static int nbd_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    struct nbd_disk *n = opened(f)->nbd;
    const int rc = n->gone ? -EIO : command_wait(n, n->lib.aio_pwrite(n->nbd, buf, len, at, NOBODY, 0));

    return rc == 1 && !again(opened(f)) ? -EIO : rc;
}

static int nbd_zero(struct disk_file *f, uint64_t at, uint64_t len)
{
    struct nbd_disk *n = opened(f)->nbd;
    int rc = n->gone ? -EIO : 0;

    for (uint64_t part; len && rc == 0; at += part, len -= part) {
        part = len < ZERO_MAX ? len : ZERO_MAX;
        rc = command_wait(n, n->lib.aio_zero(n->nbd, part, at, NOBODY, 0));
    }
    return rc == 1 && !again(opened(f)) ? -EIO : rc;
}

static int nbd_flush(struct disk_file *f)
{
    struct nbd_disk *n = opened(f)->nbd;
    const int rc = n->gone ? -EIO : command_wait(n, n->lib.aio_flush(n->nbd, NOBODY, 0));

    return rc == 1 && !again(opened(f)) ? -EIO : rc;
}

/* By what the server can. */
static const struct disk_file_ops ops[2][2] = {
    { { nbd_read, nbd_write, NULL, NULL, NULL }, { nbd_read, nbd_write, NULL, nbd_flush, NULL } },
    { { nbd_read, nbd_write, nbd_zero, NULL, NULL }, { nbd_read, nbd_write, nbd_zero, nbd_flush, NULL } },
};

/* What is not flushed is so before it ends. */
static void nbd_close_file(struct open_file *o)
{
    if (o->writable && o->file.ops->flush && !o->nbd->gone)
        nbd_flush(&o->file);
    nbd_end(o);
}

int disk_nbd_open(struct open_file *o, char why[DISK_WHY_SIZE])
{
    struct nbd_disk *n = calloc(1, sizeof(*n));

    snprintf(why, DISK_WHY_SIZE, "out of memory");
    if (!n)
        return -1;
    o->nbd = n;
    if (!library_load(&n->lib))
        snprintf(why, DISK_WHY_SIZE, "such disks are had by libnbd, which is not here (Debian: libnbd0)");
    else if (connection_open(o, why) == 0) {
        o->file = (struct disk_file){ &ops[n->lib.can_zero(n->nbd) == 1][n->lib.can_flush(n->nbd) == 1],
                                      n->size >> SECTOR_SHIFT, o->writable && !o->is_late };
        o->close = nbd_close_file;
        return 0;
    }
    nbd_end(o);
    return -1;
}
