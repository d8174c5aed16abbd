// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening files that a user has named.
 *
 * Concept: a path may lead to anything, and open() waits for the other end of a FIFO, winds a tape, and takes a
 * directory. What is read here is a kernel, a RAM disk, a configuration: read as a whole, some of them twice. So it is
 * to be a regular file (by whatever links), opening it never waits, and for everything else the message says what it is
 * instead.
 *
 * What is written at a guest's wish (a core: its name is the guest's) goes to a regular file of this very name and of
 * no other: never through a link, of either kind, that somebody has put there.
 */
#include "tools/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *type_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO: return "a FIFO";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    case S_IFSOCK: return "a socket";
    default: return "something else";
    }
}

/* Why open() has failed. */
static int refuse(const char *path, int error, char *why, size_t len)
{
    char target[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (error == ENOENT && (n = readlink(path, target, sizeof(target))) > 0)
        snprintf(why, len, "a link to \"%.*s\", which is not there", (int)n, target);
    else if (error == ENXIO && stat(path, &st) == 0)
        snprintf(why, len, "%s, and not a regular file", type_name(st.st_mode));
    else
        snprintf(why, len, "%s", strerror(error));
    return -1;
}

/* An open file is kept if it is a regular one. */
static int regular(int fd, char *why, size_t len)
{
    struct stat st;

    if (fstat(fd, &st))
        snprintf(why, len, "%s", strerror(errno));
    else if (S_ISREG(st.st_mode))
        return fd;
    else if (S_ISDIR(st.st_mode))
        snprintf(why, len, "%s", strerror(EISDIR));
    else
        snprintf(why, len, "%s, and not a regular file", type_name(st.st_mode));
    close(fd);
    return -1;
}

/* What the examples name is there when it has been made, and in the project's folder. */
static void hint_to_make(const char *path, char *why, size_t len)
{
    const char *hint = NULL;

    if (!strncmp(path, "build/guests/", 13))
        hint = "make builds it";
    else if (!strncmp(path, "build/assets/", 13))
        hint = "make assets gets it";
    if (hint)
        snprintf(why + strlen(why), len - strlen(why), " (in the project's folder, %s)", hint);
}

int user_file_open(const char *path, char *why, size_t len)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error = errno;

    if (fd >= 0)
        return regular(fd, why, len);
    refuse(path, error, why, len);
    if (error == ENOENT)
        hint_to_make(path, why, len);
    return -1;
}

int user_file_create(const char *path, char *why, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0 && errno == ELOOP) {
        snprintf(why, len, "a link: it is not written through");
        return -1;
    }
    fd = fd < 0 ? refuse(path, errno, why, len) : regular(fd, why, len);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && st.st_nlink > 1)
        snprintf(why, len, "a link: the file has another name, too");
    else if (ftruncate(fd, 0))
        snprintf(why, len, "%s", strerror(errno));
    else
        return fd;
    close(fd);
    return -1;
}

int user_file_output_open(struct user_file_output *out, const char *path, char *why, size_t len)
{
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;

    out->fd = open(path, flags | O_EXCL, 0666);
    out->is_new = out->fd >= 0;
    if (out->fd < 0 && errno == EEXIST)
        out->fd = open(path, flags, 0666);
    return out->fd < 0 ? refuse(path, errno, why, len) : 0;
}

FILE *user_file_output_start(const struct user_file_output *out)
{
    const int fd = dup(out->fd);
    struct stat st;
    FILE *f;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0)) {
        close(fd);
        return NULL;
    }
    f = fdopen(fd, "w");
    if (!f)
        close(fd);
    return f;
}

void user_file_output_close(struct user_file_output *out, const char *path)
{
    struct stat st;

    if (out->is_new && fstat(out->fd, &st) == 0 && st.st_size == 0)
        unlink(path);
    close(out->fd);
    out->fd = -1;
}

bool user_file_is_open(const char *path, int fd)
{
    struct stat a, b;

    return stat(path, &a) == 0 && fstat(fd, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}
