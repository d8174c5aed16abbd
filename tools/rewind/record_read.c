// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a recording; the format is in tools/rewind/record.h.
 *
 * Concept: the file is read as a whole, and taken apart line by line, word by word: words have one space between them,
 * numbers are digits alone. What does not fit is an error with the line's number and what would be right there.
 *
 * Invariants: every byte is looked at before it counts. A last line without its newline was being written when the
 * writer was killed, and does not count.
 */
#include "tools/rewind/record_private.h"

#include "tools/host.h"
#include "tools/user_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_READ (INT64_C(1) << 30)

struct reader {
    struct record *r;
    const char *path;
    unsigned long number; /* of the line */
    char *rest;           /* of it; NULL: no more words */
    char *err;
};

static bool wrong(const struct reader *rd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(const struct reader *rd, const char *fmt, ...)
{
    char text[RECORD_ERR_SIZE / 2];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(rd->err, RECORD_ERR_SIZE, "%.300s: line %lu: %s", rd->path, rd->number, text);
    return false;
}

/* --- words --- */

static const char *word(struct reader *rd) { return rd->rest ? strsep(&rd->rest, " ") : ""; }

static bool number(struct reader *rd, const char *text, const char *what, uint64_t max, uint64_t *n)
{
    uint64_t v = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            break;
    if (p == text || *p || v > max)
        return wrong(rd, "\"%.40s\" is no %s (a number up to %llu)", text, what, (unsigned long long)max);
    *n = v;
    return true;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool hash(struct reader *rd, uint64_t *hash)
{
    const char *text = word(rd);

    *hash = 0;
    for (size_t i = 0; i < 16; i++) {
        if (hex_digit(text[i]) < 0)
            return wrong(rd, "\"%.40s\" is no hash (16 hexadecimal digits)", text);
        *hash = *hash << 4 | (unsigned int)hex_digit(text[i]);
    }
    return !text[16] || wrong(rd, "\"%.40s\" is no hash (16 hexadecimal digits)", text);
}

static bool position(struct reader *rd, struct position *at)
{
    char *text = (char *)(uintptr_t)word(rd), *dot = strchr(text, '.');
    const struct position last = rd->r->nr ? rd->r->lines[rd->r->nr - 1].at : (struct position){ 0 };

    if (text[0] != '#' || !dot)
        return wrong(rd, "\"%.40s\" is no position (#INSN.STEP)", text);
    *dot = '\0';
    if (!number(rd, text + 1, "count of instructions", UINT64_MAX - 1, &at->insns) ||
        !number(rd, dot + 1, "count of steps", UINT64_MAX - 1, &at->step))
        return false;
    if (position_is_before(*at, last))
        return wrong(rd, "#%llu.%llu is before #%llu.%llu, which stands in front of it", (unsigned long long)at->insns,
                     (unsigned long long)at->step, (unsigned long long)last.insns, (unsigned long long)last.step);
    return true;
}

/* What a record of the journal has beside position and time. */
static bool journal_words(struct reader *rd, struct record_line *l)
{
    uint64_t who;
    const char *text;
    size_t len;

    if (!number(rd, word(rd), "guest or vCPU", UINT32_MAX, &who))
        return false;
    text = word(rd);
    len = strlen(text);
    if (!len || len % 2)
        return wrong(rd, "expected bytes, each of two hexadecimal digits");
    l->in.at = l->at;
    l->in.now = l->now;
    l->in.who = (unsigned int)who;
    l->in.len = len / 2;
    l->in.bytes = malloc(l->in.len);
    if (!l->in.bytes)
        return wrong(rd, "out of memory");
    for (size_t i = 0; i < l->in.len; i++) {
        const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return wrong(rd, "\"%.2s\" is no byte (two hexadecimal digits)", text + 2 * i);
        l->in.bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool ending(struct reader *rd, struct record_line *l)
{
    const char *text = word(rd);
    uint64_t signal;
    size_t why = 0;

    while (why < RECORD_NR_ENDS && strcmp(text, record_end_names[why]))
        why++;
    if (why == RECORD_NR_ENDS)
        return wrong(rd, "\"%.40s\" is no reason for an end (done, limit, stuck, left, signal N, failed or known)",
                     text);
    l->why = (enum record_end)why;
    rd->r->ended = true;
    if (l->why == RECORD_SIGNAL && !number(rd, word(rd), "signal", 64, &signal))
        return false;
    l->signal = l->why == RECORD_SIGNAL ? (int)signal : 0;
    return true;
}

/* Text to the end of the line, with \xHH. */
static bool rest(struct reader *rd, char **text)
{
    char *in = rd->rest, *out = in;

    if (!in || !*in)
        return wrong(rd, "the line ends too early");
    for (*text = in; *in; in++)
        if (*in != '\\')
            *out++ = *in;
        else if (in[1] == 'x' && hex_digit(in[2]) >= 0 && hex_digit(in[3]) >= 0 && (in[2] != '0' || in[3] != '0'))
            *out++ = (char)(hex_digit(in[2]) << 4 | hex_digit(in[3])), in += 3;
        else
            return wrong(rd, "a backslash is to be followed by x and two hexadecimal digits, not both 0");
    *out = '\0';
    rd->rest = NULL;
    return true;
}

/* --- lines --- */

static bool once(struct reader *rd, char **where, const char *text)
{
    if (*where)
        return wrong(rd, "this stands there already");
    *where = strdup(text);
    return *where || wrong(rd, "out of memory");
}

static bool file(struct reader *rd)
{
    const char *digest = word(rd);
    char *path;

    if (strlen(digest) != RECORD_DIGEST_SIZE - 1 || strspn(digest, "0123456789abcdef") != RECORD_DIGEST_SIZE - 1)
        return wrong(rd, "\"%.70s\" is no SHA-256 (64 hexadecimal digits)", digest);
    return rest(rd, &path) && (record_head_add(&rd->r->head, path, digest) || wrong(rd, "out of memory"));
}

/* *begun: it was the last of them. */
static bool head_line(struct reader *rd, bool *begun)
{
    struct record_head *h = &rd->r->head;
    const char *key = word(rd);
    char *text;

    if (!strcmp(key, "file"))
        return file(rd);
    if (!strcmp(key, "begin")) {
        *begun = true;
        if (!h->build || !h->engine || !h->guests.nr)
            return wrong(rd, "there is no %s in front of this", !h->build ? "build" : !h->engine ? "engine" : "guest");
        return !rd->rest || wrong(rd, "nothing comes behind \"begin\"");
    }
    if (strcmp(key, "build") && strcmp(key, "engine") && strcmp(key, "option") && strcmp(key, "guest"))
        return wrong(rd, "\"%.40s\" is none of build, engine, option, guest, file and begin", key);
    if (!rest(rd, &text))
        return false;
    if (*key == 'b' || *key == 'e')
        return once(rd, *key == 'b' ? &h->build : &h->engine, text);
    return record_list_add(*key == 'o' ? &h->options : &h->guests, text) || wrong(rd, "out of memory");
}

/* What it has beside a position and a time. */
static bool line_words(struct reader *rd, struct record_line *l)
{
    uint64_t n;

    switch (l->kind) {
    case RECORD_JOURNAL: return journal_words(rd, l);
    case RECORD_KEYBOARD:
        if (!number(rd, word(rd), "guest", HOST_MAX_GUESTS - 1, &n))
            return false;
        l->guest = (unsigned int)n;
        return true;
    case RECORD_AT: return hash(rd, &l->cpus);
    case RECORD_END: return hash(rd, &l->cpus) && hash(rd, &l->hash) && ending(rd, l);
    }
    return false;
}

/* What kind of line is it? */
static bool line_kind(struct reader *rd, const char *key, struct record_line *l)
{
    l->in.kind = journal_kind_of(key);
    if (l->in.kind != JOURNAL_NR)
        return true;
    for (l->kind = RECORD_KEYBOARD; l->kind < RECORD_NR_KINDS; l->kind++)
        if (!strcmp(key, record_kind_names[l->kind]))
            return true;
    return wrong(rd, "\"%.40s\" is no kind of line (such as console, keyboard, at, end)", key);
}

static bool line(struct reader *rd)
{
    struct record *r = rd->r;
    struct record_line l = { .number = rd->number }, *lines;
    const char *key = word(rd);
    uint64_t now;

    if (r->ended)
        return wrong(rd, "nothing comes behind the end");
    if (!strcmp(key, "file"))
        return file(rd);
    if (!line_kind(rd, key, &l) || !position(rd, &l.at) || !number(rd, word(rd), "time", STIME_MAX, &now))
        return false;
    l.now = (s_time_t)now;
    lines = r->nr & (r->nr - 1) ? r->lines : reallocarray(r->lines, 2 * r->nr + 1, sizeof(l));
    if (!lines)
        return wrong(rd, "out of memory");
    r->lines = lines;
    if (line_words(rd, &l) && (!rd->rest || wrong(rd, "\"%.40s\" is too much", rd->rest))) {
        r->lines[r->nr++] = l;
        return true;
    }
    free(l.in.bytes);
    return false;
}

static bool first_line(struct reader *rd)
{
    uint64_t version;

    if (!number(rd, rd->rest + strlen(RECORD_MAGIC), "version", UINT64_MAX, &version))
        return false;
    return version == RECORD_VERSION || wrong(rd, "the recording is of version %llu, and this xenlab reads version %d",
                                              (unsigned long long)version, RECORD_VERSION);
}

/* --- the file --- */

static bool take_apart(struct reader *rd, char *text, size_t len)
{
    bool begun = false;

    if (strncmp(text, RECORD_MAGIC, strlen(RECORD_MAGIC))) {
        snprintf(rd->err, RECORD_ERR_SIZE, "%.300s: this is no recording (xenlab run --record FILE writes one)",
                 rd->path);
        return false;
    }
    for (char *end; (end = memchr(text, '\n', len)); len -= (size_t)(end + 1 - text), text = end + 1) {
        *end = '\0';
        rd->number++;
        if (strlen(text) != (size_t)(end - text))
            return wrong(rd, "a byte of it is 0");
        rd->rest = text;
        if (rd->number == 1 ? !first_line(rd) : begun ? !line(rd) : !head_line(rd, &begun))
            return false;
    }
    rd->number++;
    if (!begun)
        return wrong(rd, "the recording is cut off here, before it begins: there is nothing to repeat");
    return !rd->r->ended || !len || wrong(rd, "nothing comes behind the end");
}

/* The whole of it, with a 0 behind. NULL and a message. */
static char *contents(const char *path, size_t *len, char err[RECORD_ERR_SIZE])
{
    char why[256] = "", *text = NULL;
    const int fd = user_file_open(path, why, sizeof(why));
    struct stat st;
    ssize_t n = 1;

    *len = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > SIZE_MAX_READ)
        snprintf(why, sizeof(why), "too long for a recording");
    else if (fd >= 0 && !(text = malloc((size_t)st.st_size + 1)))
        snprintf(why, sizeof(why), "out of memory");
    while (text && *len < (size_t)st.st_size && (n = read(fd, text + *len, (size_t)st.st_size - *len)) > 0)
        *len += (size_t)n;
    if (n < 0) {
        snprintf(why, sizeof(why), "%s", strerror(errno));
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (!text)
        snprintf(err, RECORD_ERR_SIZE, "%.300s: %s", path, why);
    else
        text[*len] = '\0';
    return text;
}

int record_read(struct record *r, const char *path, char err[RECORD_ERR_SIZE])
{
    struct reader rd = { .r = r, .path = path, .err = err };
    size_t len;
    char *text;
    bool good;

    *r = (struct record){ 0 };
    text = contents(path, &len, err);
    good = text && take_apart(&rd, text, len);
    free(text);
    return good ? 0 : -1;
}

void record_free(struct record *r)
{
    record_head_free(&r->head);
    while (r->nr)
        free(r->lines[--r->nr].in.bytes);
    free(r->lines);
    *r = (struct record){ 0 };
}
