// SPDX-License-Identifier: GPL-2.0-or-later
/* Unpacked kernels, kept on disk: see image_kept.h. */
#include "tools/build/image_kept.h"

#include "tools/build/image_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

/* Raise the number when a file's layout changes, or what unpacking makes of a kernel does. */
#define SUFFIX    "-v1"
#define MAGIC     "xenlab unpacked kernel v1\n"
#define NAME_SIZE 80
/* A file that is being written has this suffix and the writer's pid behind its name; so old, it was given up. */
#define UNFINISHED   ".new-"
#define GIVEN_UP_SEC 3600

struct header {
    char magic[32];
    uint64_t packed_size, size;
    XXH128_canonical_t hash; /* of the unpacked kernel */
};

static void name_of(char name[NAME_SIZE], const uint8_t *packed, size_t size)
{
    XXH128_hash_t h = XXH3_128bits(packed, size);

    snprintf(name, NAME_SIZE, "%016llx%016llx" SUFFIX, (unsigned long long)h.high64, (unsigned long long)h.low64);
}

/* Has the file a name that we give? Of what version does not matter: old ones go in their turn. */
static bool is_our_name(const char *name, bool *unfinished)
{
    const char *const digits = "0123456789";

    if (strlen(name) >= NAME_SIZE || strspn(name, "0123456789abcdef") != 32 || strncmp(name + 32, "-v", 2))
        return false;
    name += 34;
    name += strspn(name, digits);
    *unfinished = !strncmp(name, UNFINISHED, strlen(UNFINISHED));
    if (*unfinished)
        name += strlen(UNFINISHED) + strspn(name + strlen(UNFINISHED), digits);
    return !*name;
}

/* Only the user's own, and nobody else's to write. */
static bool is_trusted(const struct stat *st)
{
    return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * ----------------------------------------------------------------------------------------------------- the folder --
 */

/* As `mkdir -p`, of the folders in which path lies; those that are made are the user's alone. */
static void parents_make(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

int image_kept_open(char said[IMAGE_KEPT_SAID_SIZE])
{
    const char *off = getenv("XENLAB_CACHE"), *base = getenv("XDG_CACHE_HOME"), *below = "/xenlab";
    struct stat st;
    char *path;
    int fd, made;

    said[0] = '\0';
    if (off && !strcmp(off, "off"))
        return -1;
    if (!base || *base != '/') { /* one that is not absolute shall be ignored, says its specification */
        base = getenv("HOME");
        below = "/.cache/xenlab";
    }
    if (!base || *base != '/' || asprintf(&path, "%s%s", base, below) < 0) {
        snprintf(said, IMAGE_KEPT_SAID_SIZE, "neither XDG_CACHE_HOME nor HOME names a folder");
        return -1;
    }
    parents_make(path);
    made = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        snprintf(said, IMAGE_KEPT_SAID_SIZE, "%.120s: %s", path, strerror(made ? made : errno));
    } else if (fstat(fd, &st) || !is_trusted(&st)) {
        snprintf(said, IMAGE_KEPT_SAID_SIZE, "%.120s: not a folder of yours that only you may write", path);
        close(fd);
        fd = -1;
    } else {
        snprintf(said, IMAGE_KEPT_SAID_SIZE, "%.120s", path);
    }
    free(path);
    return fd;
}

/* ------------------------------------------------------------------------------------------------------- reading -- */

/* False: the file ends before. */
static bool read_all(int fd, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)to + done, size - done);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The next bytes of the file are these. */
static bool reads_as(int fd, const uint8_t *expected, size_t size)
{
    static const size_t step = 1 << 16;
    uint8_t *buf = malloc(step);
    bool same = buf;

    for (size_t done = 0, n; same && done < size; done += n) {
        n = size - done < step ? size - done : step;
        same = read_all(fd, buf, n) && !memcmp(buf, expected + done, n);
    }
    free(buf);
    return same;
}

static XXH128_canonical_t hash_of(const uint8_t *data, size_t size)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
    return canonical;
}

/* What is checked is what was read: that somebody changes the file meanwhile does no harm. */
static uint8_t *read_kept(int fd, const uint8_t *packed, size_t packed_size, size_t *size)
{
    struct header h;
    struct stat st;
    uint8_t *data;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !is_trusted(&st))
        return NULL;
    if (!read_all(fd, &h, sizeof(h)) || strncmp(h.magic, MAGIC, sizeof(h.magic)) || h.packed_size != packed_size ||
        h.size == 0 || h.size > IMAGE_UNPACKED_MAX || (uint64_t)st.st_size != sizeof(h) + h.packed_size + h.size)
        return NULL;
    if (!reads_as(fd, packed, packed_size) || !(data = image_alloc(h.size)))
        return NULL;
    if (read_all(fd, data, h.size)) {
        XXH128_canonical_t hash = hash_of(data, h.size);

        if (!memcmp(&hash, &h.hash, sizeof(hash))) {
            *size = h.size;
            return data;
        }
    }
    free(data);
    return NULL;
}

bool image_kept_get(int folder, const uint8_t *packed, size_t packed_size, uint8_t **out, size_t *out_size)
{
    char name[NAME_SIZE];
    int fd;

    if (folder < 0)
        return false;
    name_of(name, packed, packed_size);
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    *out = read_kept(fd, packed, packed_size, out_size);
    if (*out)
        futimens(fd, NULL); /* its last use */
    close(fd);
    return *out;
}

/* ------------------------------------------------------------------------------------------------------- writing -- */

static bool write_all(int fd, const void *from, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)from + done, size - done);

        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

struct kept {
    char name[NAME_SIZE];
    uint64_t size;
    struct timespec used;
};

/* One look at the folder: all that our files take, and the one whose last use is longest ago. */
static uint64_t survey(int folder, struct kept *oldest)
{
    const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const time_t now = time(NULL);
    const struct dirent *entry;
    uint64_t total = 0;

    oldest->name[0] = '\0';
    while (dir && (entry = readdir(dir))) {
        bool unfinished;
        struct stat st;

        if (!is_our_name(entry->d_name, &unfinished) || fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(st.st_mode))
            continue;
        if (unfinished && now - st.st_mtim.tv_sec > GIVEN_UP_SEC) {
            unlinkat(folder, entry->d_name, 0);
            continue;
        }
        total += (uint64_t)st.st_size;
        if (unfinished)
            continue; /* its writer counts on it */
        if (!oldest->name[0] || st.st_mtim.tv_sec < oldest->used.tv_sec ||
            (st.st_mtim.tv_sec == oldest->used.tv_sec && st.st_mtim.tv_nsec < oldest->used.tv_nsec)) {
            strcpy(oldest->name, entry->d_name);
            oldest->size = (uint64_t)st.st_size;
            oldest->used = st.st_mtim;
        }
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return total;
}

/* 0, or errno: it cannot be had. */
static int room_make(int folder, uint64_t size, uint64_t max_bytes)
{
    struct kept oldest;

    while (survey(folder, &oldest) > max_bytes - size) {
        if (!oldest.name[0])
            return ENOSPC; /* others are writing so much */
        if (unlinkat(folder, oldest.name, 0))
            return errno;
    }
    return 0;
}

int image_kept_put(int folder, const uint8_t *packed, size_t packed_size, const uint8_t *unpacked, size_t size,
                   uint64_t max_bytes)
{
    struct header h = { .magic = MAGIC, .packed_size = packed_size, .size = size };
    const uint64_t room = sizeof(h) + packed_size + size;
    char name[NAME_SIZE], unfinished[NAME_SIZE];
    int fd, error;

    if (folder < 0)
        return 0;
    name_of(name, packed, packed_size);
    unlinkat(folder, name, 0); /* one that could not be used, if any: it takes no room */
    if (room > max_bytes)
        return 0;
    error = room_make(folder, room, max_bytes);
    if (error)
        return error;

    snprintf(unfinished, sizeof(unfinished), "%.40s" UNFINISHED "%ld", name, (long)getpid());
    unlinkat(folder, unfinished, 0); /* of a former process with our number */
    fd = openat(folder, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    h.hash = hash_of(unpacked, size);
    if (!write_all(fd, &h, sizeof(h)) || !write_all(fd, packed, packed_size) || !write_all(fd, unpacked, size))
        error = errno;
    if (close(fd) && !error)
        error = errno;
    if (!error && renameat(folder, unfinished, folder, name))
        error = errno;
    if (error)
        unlinkat(folder, unfinished, 0);
    return error;
}
