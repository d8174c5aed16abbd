// SPDX-License-Identifier: GPL-2.0-or-later
/* --trace FILE, see ui/trace_file.h. */
#include "ui/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/clock.h"
#include "ui/version.h"

#define BUFFER_SIZE (1 << 20)

/* --- writing --- */

static void flush(struct trace_file *t)
{
    size_t done = 0;

    while (done < t->len && !t->error) {
        const ssize_t n = write(t->fd, t->buf + done, t->len - done);

        if (n < 0)
            t->error = errno;
        else
            done += (size_t)n;
        if (done < t->len && *t->stop && !t->error) /* a signal came when a part of it was written */
            t->error = EINTR;
    }
    t->len = 0;
}

void trace_file_sink(void *data, const struct trace_record *rec)
{
    struct trace_file *t = data;

    if (t->error)
        return;
    if (t->len + TRACE_JSON_SIZE + 1 > BUFFER_SIZE)
        flush(t);
    t->len += trace_format_json(rec, t->buf + t->len);
    t->buf[t->len++] = '\n';
}

/* --- the header --- */

/* FNV-1a, 64 bits, of a file's bytes. False: it cannot be read, or not a second time. */
static bool file_hash(const char *path, uint64_t *hash)
{
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    struct stat st;
    uint8_t bytes[1 << 16];
    ssize_t n = -1;

    *hash = UINT64_C(0xcbf29ce484222325);
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
            for (ssize_t i = 0; i < n; i++)
                *hash = (*hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    if (fd >= 0)
        close(fd);
    return n == 0;
}

static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned char)*text);
        else
            fputc(*text, out);
    fputc('"', out);
}

static void put_file(FILE *out, const char *key, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    uint64_t hash;

    fprintf(out, ",\"%s\":", key);
    if (!path) {
        fputs("null", out);
        return;
    }
    fputs("{\"file\":", out);
    put_string(out, slash ? slash + 1 : path);
    if (file_hash(path, &hash))
        fprintf(out, ",\"fnv1a64\":\"0x%016" PRIx64 "\"}", hash);
    else
        fputs(",\"fnv1a64\":null}", out);
}

static void put_header(FILE *out, const struct trace_file_guest *guests, size_t nr)
{
    fprintf(out,
            "{\"v\":%d,\"xenlab\":\"%s\",\"build\":\"%s\",\"costs\":{\"insn\":%d,\"exit\":%d,\"hypercall\":%d,"
            "\"step\":%d,\"unit\":%d,\"kib\":%d},\"guests\":[",
            TRACE_VERSION, XENLAB_VERSION, XENLAB_BUILD, CLOCK_NS_PER_INSN, CLOCK_NS_PER_EXIT, CLOCK_NS_PER_HYPERCALL,
            CLOCK_NS_PER_STEP, CLOCK_NS_PER_UNIT, CLOCK_NS_PER_KIB);
    for (size_t i = 0; i < nr; i++) {
        fputs(i ? ",{\"name\":" : "{\"name\":", out);
        put_string(out, guests[i].name);
        put_file(out, "kernel", guests[i].kernel);
        put_file(out, "ramdisk", guests[i].ramdisk);
        fputc('}', out);
    }
    fputs("]}\n", out);
}

/* --- from end to end --- */

static int header_write(struct trace_file *t, const struct trace_file_guest *guests, size_t nr)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return -1;
    put_header(out, guests, nr);
    fclose(out);
    for (size_t at = 0, part; text && at < len; at += part) {
        part = len - at < BUFFER_SIZE ? len - at : BUFFER_SIZE;
        memcpy(t->buf, text + at, part);
        t->len = part;
        if (at + part < len)
            flush(t);
    }
    free(text);
    return 0;
}

int trace_file_open(struct trace_file *t, const char *path, const struct trace_file_guest *guests, size_t nr,
                    const bool *stop)
{
    memset(t, 0, sizeof(*t));
    t->path = path;
    t->stop = stop;
    t->buf = malloc(BUFFER_SIZE);
    if (!t->buf)
        return -1;
    t->fd = strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : dup(STDOUT_FILENO);
    if (t->fd >= 0 && header_write(t, guests, nr) == 0)
        return 0;
    if (t->fd >= 0)
        close(t->fd);
    free(t->buf);
    t->buf = NULL;
    return -1;
}

int trace_file_close(struct trace_file *t)
{
    if (!t->buf)
        return t->error;
    flush(t);
    if (close(t->fd) && !t->error)
        t->error = errno;
    free(t->buf);
    t->buf = NULL;
    return t->error;
}
