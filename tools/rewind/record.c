// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing a recording; the format is in tools/rewind/record.h, reading in record_read.c. */
#include "tools/rewind/record.h"

#include "tools/rewind/record_private.h"
#include "tools/user_file.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const record_kind_names[RECORD_NR_KINDS] = {
    [RECORD_KEYBOARD] = "keyboard",
    [RECORD_AT] = "at",
    [RECORD_END] = "end",
};
const char *const record_end_names[RECORD_NR_ENDS] = {
    [RECORD_DONE] = "done",     [RECORD_LIMIT] = "limit",   [RECORD_STUCK] = "stuck", [RECORD_LEFT] = "left",
    [RECORD_SIGNAL] = "signal", [RECORD_FAILED] = "failed", [RECORD_KNOWN] = "known",
};

/* --- what a run is made from --- */

bool record_list_add(struct record_list *l, const char *text)
{
    char **texts = reallocarray(l->texts, l->nr + 1, sizeof(*texts)), *copy = strdup(text);

    if (texts)
        l->texts = texts;
    if (!texts || !copy) {
        free(copy);
        return false;
    }
    l->texts[l->nr++] = copy;
    return true;
}

static void list_free(struct record_list *l)
{
    while (l->nr)
        free(l->texts[--l->nr]);
    free(l->texts);
}

void record_head_free(struct record_head *h)
{
    free(h->build);
    free(h->engine);
    list_free(&h->options);
    list_free(&h->guests);
    while (h->nr_files)
        free(h->files[--h->nr_files].path);
    free(h->files);
    *h = (struct record_head){ 0 };
}

int record_digest(const char *path, char digest[RECORD_DIGEST_SIZE], char err[RECORD_ERR_SIZE])
{
    uint8_t bytes[1 << 15], sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    char why[256];
    const int fd = user_file_open(path, why, sizeof(why));
    ssize_t n = -1;

    sha256_init(&sha);
    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
        sha256_update(&sha, (size_t)n, bytes);
    if (n < 0)
        snprintf(err, RECORD_ERR_SIZE, "%s: %s", path, fd < 0 ? why : strerror(errno));
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return -1;
    sha256_digest(&sha, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(digest + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

bool record_head_add(struct record_head *h, const char *path, const char *digest)
{
    struct record_file *files = reallocarray(h->files, h->nr_files + 1, sizeof(*files));
    char *copy = strdup(path);

    if (files)
        h->files = files;
    if (!files || !copy) {
        free(copy);
        return false;
    }
    h->files[h->nr_files].path = copy;
    memcpy(h->files[h->nr_files++].digest, digest, RECORD_DIGEST_SIZE);
    return true;
}

int record_file_add(struct record_head *h, const char *path, char err[RECORD_ERR_SIZE])
{
    char digest[RECORD_DIGEST_SIZE];

    for (size_t i = 0; i < h->nr_files; i++)
        if (!strcmp(h->files[i].path, path))
            return 0;
    if (record_digest(path, digest, err))
        return -1;
    if (record_head_add(h, path, digest))
        return 0;
    snprintf(err, RECORD_ERR_SIZE, "out of memory");
    return -1;
}

/* --- lines --- */

/* A line is a line: what would end it, and what is not to be seen, is written as \xHH. */
static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "%s ", key);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < ' ' || *p == 0x7f || *p == '\\')
            fprintf(out, "\\x%02x", *p);
        else
            fputc(*p, out);
    fputc('\n', out);
}

static bool put_out(FILE *out) { return fflush(out) == 0 && !ferror(out); }

bool record_write_file(FILE *out, const char *path, const char *digest)
{
    fprintf(out, "file ");
    put_text(out, digest, path);
    return put_out(out);
}

bool record_write_head(FILE *out, const struct record_head *h)
{
    fprintf(out, RECORD_MAGIC "%d\n", RECORD_VERSION);
    put_text(out, "build", h->build);
    put_text(out, "engine", h->engine);
    for (size_t i = 0; i < h->options.nr; i++)
        put_text(out, "option", h->options.texts[i]);
    for (size_t i = 0; i < h->guests.nr; i++)
        put_text(out, "guest", h->guests.texts[i]);
    for (size_t i = 0; i < h->nr_files; i++)
        record_write_file(out, h->files[i].path, h->files[i].digest);
    fprintf(out, "begin\n");
    return put_out(out);
}

bool record_write_line(FILE *out, const struct record_line *l)
{
    const bool journal = l->kind == RECORD_JOURNAL;

    fprintf(out, "%s #%llu.%llu %lld", journal ? journal_kind_name(l->in.kind) : record_kind_names[l->kind],
            (unsigned long long)l->at.insns, (unsigned long long)l->at.step, (long long)l->now);
    if (journal)
        fprintf(out, " %u ", l->in.who);
    for (size_t i = 0; journal && i < l->in.len; i++)
        fprintf(out, "%02x", l->in.bytes[i]);
    if (l->kind == RECORD_KEYBOARD)
        fprintf(out, " %u", l->guest);
    if (l->kind == RECORD_AT || l->kind == RECORD_END)
        fprintf(out, " %016llx", (unsigned long long)l->cpus);
    if (l->kind == RECORD_END)
        fprintf(out, " %016llx %s", (unsigned long long)l->hash, record_end_names[l->why]);
    if (l->kind == RECORD_END && l->why == RECORD_SIGNAL)
        fprintf(out, " %d", l->signal);
    fputc('\n', out);
    return put_out(out);
}
