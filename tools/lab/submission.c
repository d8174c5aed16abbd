// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading what was handed in: see submission.h.
 *
 * Concept: of tar (POSIX.1-2017, pax, "ustar Interchange Format") no more is wanted than to find regular files: blocks
 * of 512 bytes, a header with a name, an octal size, a type and a sum, then the content. Names too long for it come in
 * entries of their own; none of ours is.
 */
#include "tools/lab/submission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512

static int none(char err[SUBMISSION_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int none(char err[SUBMISSION_ERR_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err, SUBMISSION_ERR_SIZE, fmt, args);
    va_end(args);
    return 1;
}

static int short_of_memory(char err[SUBMISSION_ERR_SIZE])
{
    none(err, "not enough memory");
    return -1;
}

/* A copy as text; what has NULs is none. */
static int keep(char **to, const char *name, const char *bytes, size_t size, char err[SUBMISSION_ERR_SIZE])
{
    if (*to)
        return none(err, "%s is in it twice", name);
    if (memchr(bytes, 0, size))
        return none(err, "%s is no text", name);
    *to = strndup(bytes, size);
    return *to ? 0 : short_of_memory(err);
}

/* All of an open file, which is closed. */
static int file_take(int fd, const char *name, char **to, char err[SUBMISSION_ERR_SIZE])
{
    char *bytes = malloc(SUBMISSION_FILE + 1);
    struct stat st;
    size_t size = 0;
    ssize_t n = 0;
    int rc = 0;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        rc = none(err, "%s is no regular file", name);
    while (!rc && bytes && size <= SUBMISSION_FILE && (n = read(fd, bytes + size, SUBMISSION_FILE + 1 - size)) > 0)
        size += (size_t)n;
    if (!rc && !bytes)
        rc = short_of_memory(err);
    else if (!rc && n < 0)
        rc = none(err, "%s cannot be read", name);
    else if (!rc && size > SUBMISSION_FILE)
        rc = none(err, "%s is larger than %d KiB", name, SUBMISSION_FILE >> 10);
    rc = rc ?: keep(to, name, bytes, size, err);
    close(fd);
    free(bytes);
    return rc;
}

/* --- a folder --- */

static int folder_read(int folder, const struct lab *l, char *text[], char err[SUBMISSION_ERR_SIZE])
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    const int below = openat(folder, l->name, flags | O_DIRECTORY);
    int rc = 0;

    for (unsigned int i = 0; !rc && i < l->nr_files; i++) {
        const char *name = lab_file_of(l, i);
        int fd = openat(folder, name, flags);

        if (fd < 0 && errno == ENOENT && below >= 0)
            fd = openat(below, name, flags);
        if (fd >= 0)
            rc = file_take(fd, name, &text[i], err);
        else
            rc = errno == ENOENT                    ? none(err, "there is no %s in it", name)
                 : errno == ELOOP || errno == ENXIO ? none(err, "%s is no regular file", name)
                                                    : none(err, "%s cannot be read", name);
    }
    if (below >= 0)
        close(below);
    return rc;
}

/* --- an archive --- */

/* Digits to the base of 8, between spaces and NULs. False: others. */
static bool octal(const char *s, size_t len, uint64_t *value)
{
    *value = 0;
    while (len && *s == ' ')
        s++, len--;
    for (; len && *s && *s != ' '; s++, len--) {
        if (*s < '0' || *s > '7' || *value >> 60)
            return false;
        *value = *value * 8 + (uint64_t)(*s - '0');
    }
    return true;
}

static bool sum_good(const unsigned char *block)
{
    uint64_t sum = 0, said;

    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    return octal((const char *)block + 148, 8, &said) && said == sum;
}

/* The file that an entry is, "emulate.c" or "01-name/emulate.c", with "./" before it or not; nr_files: none of them. */
static unsigned int which(const struct lab *l, const char *header)
{
    char name[101];
    const char *n = name;
    const size_t len = strlen(l->name);
    unsigned int i = 0;

    snprintf(name, sizeof(name), "%.100s", header);
    if (!strncmp(n, "./", 2))
        n += 2;
    if (!strncmp(n, l->name, len) && n[len] == '/')
        n += len + 1;
    while (i < l->nr_files && strcmp(n, lab_file_of(l, i)))
        i++;
    return header[345] ? l->nr_files : i; /* with a prefix, it is longer */
}

static int entry_read(gzFile f, const struct lab *l, const char *header, char *text[], char *bytes, uint64_t *left,
                      char err[SUBMISSION_ERR_SIZE])
{
    const unsigned int i = which(l, header);
    const char *name = i < l->nr_files ? lab_file_of(l, i) : "";
    uint64_t size;

    if (!octal(header + 124, 12, &size) || size > *left)
        return none(err, "it is larger than %d MiB, or no archive", SUBMISSION_ALL >> 20);
    if (i < l->nr_files && header[156] != '0' && header[156] != '\0')
        return none(err, "%s is no regular file", name);
    if (i < l->nr_files && size > SUBMISSION_FILE)
        return none(err, "%s is larger than %d KiB", name, SUBMISSION_FILE >> 10);
    *left -= size;
    for (uint64_t rest = (size + BLOCK - 1) / BLOCK * BLOCK; rest;) {
        const unsigned int some = rest > SUBMISSION_FILE ? SUBMISSION_FILE : (unsigned int)rest;

        if (gzread(f, bytes, some) != (int)some)
            return none(err, "it breaks off in %.60s", i < l->nr_files ? name : "another file");
        rest -= some;
    }
    return i < l->nr_files ? keep(&text[i], name, bytes, (size_t)size, err) : 0;
}

static int archive_read(gzFile f, const struct lab *l, char *text[], char err[SUBMISSION_ERR_SIZE])
{
    char *bytes = malloc(SUBMISSION_FILE + BLOCK), header[BLOCK];
    uint64_t left = SUBMISSION_ALL;
    int rc = bytes ? 0 : short_of_memory(err);

    while (!rc && gzread(f, header, BLOCK) == BLOCK && *header) { /* a block of zeroes is its end */
        if (left < BLOCK || !sum_good((unsigned char *)header))
            rc = none(err, "it is no archive, or a damaged one");
        left -= left < BLOCK ? left : BLOCK;
        rc = rc ?: entry_read(f, l, header, text, bytes, &left, err);
    }
    for (unsigned int i = 0; !rc && i < l->nr_files; i++)
        if (!text[i])
            rc = none(err, "there is no %s in it", lab_file_of(l, i));
    free(bytes);
    return rc;
}

/* Does it begin as an archive does, or as something packed? */
static bool is_archive(int fd)
{
    unsigned char head[BLOCK] = { 0 };
    const ssize_t n = pread(fd, head, sizeof(head), 0);

    return (n > 2 && head[0] == 0x1f && head[1] == 0x8b) || (n == BLOCK && sum_good(head));
}

/* What `submit` made, in a folder without the file itself: as a site gives it that collects what is handed in. */
static int folder_archive(int folder, const struct lab *l)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    char name[300];
    struct stat st;

    snprintf(name, sizeof(name), "%s.tar", l->name);
    if (!faccessat(folder, l->name, F_OK, AT_SYMLINK_NOFOLLOW) ||
        !faccessat(folder, lab_file_of(l, 0), F_OK, AT_SYMLINK_NOFOLLOW) ||
        fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
        return -1;
    return openat(folder, name, flags);
}

int submission_read(const char *path, const struct lab *l, char *text[LAB_FILES_MAX], char err[SUBMISSION_ERR_SIZE])
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), inside;
    struct stat st;
    gzFile f;
    int rc;

    memset(text, 0, LAB_FILES_MAX * sizeof(*text));
    if (fd >= 0 && (inside = folder_archive(fd, l)) >= 0) {
        close(fd);
        fd = inside;
    }
    if (fd < 0 && errno == ENXIO) { /* a socket */
        rc = none(err, "it is neither a folder nor a file");
    } else if (fd < 0 && errno == ELOOP) { /* whose file would it be? */
        rc = none(err, "it is a link");
    } else if (fd < 0 || fstat(fd, &st)) {
        none(err, "%s", strerror(errno));
        rc = -1;
    } else if (S_ISDIR(st.st_mode)) {
        rc = folder_read(fd, l, text, err);
    } else if (!S_ISREG(st.st_mode)) {
        rc = none(err, "it is neither a folder nor a file");
    } else if (is_archive(fd)) {
        f = gzdopen(dup(fd), "r");
        rc = f ? archive_read(f, l, text, err) : short_of_memory(err);
        if (f)
            gzclose(f);
    } else if (l->nr_files == 1) {
        rc = file_take(dup(fd), lab_file_of(l, 0), &text[0], err);
    } else {
        rc = none(err, "it is neither a folder nor an archive, and the lab is about %u files", l->nr_files);
    }
    if (fd >= 0)
        close(fd);
    for (unsigned int i = 0; rc && i < l->nr_files; i++) {
        free(text[i]);
        text[i] = NULL;
    }
    return rc;
}
