// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers and strings of 9P2000.L messages, in order.
 *
 * Concept: all are little-endian and without padding; a string is its length in two bytes and its bytes. A cursor that
 * has run over the end, or met a string that is none, is `bad`, and what is read from it then is zero or empty.
 *
 * Source: intro(5) of Plan 9, and Linux's include/net/9p/9p.h for the messages of 9P2000.L.
 */
#ifndef RINGS_P9_WIRE_H
#define RINGS_P9_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define P9_HEADER    7u /* size[4] type[1] tag[2] */
#define P9_NAME_MAX  255u
#define P9_PATH_MAX  4095u
#define P9_QID_SIZE  13u
#define P9_WALK_MAX  16u
#define P9_MSIZE_MAX 32768u

/* Requests; the answer's number is one more. */
enum p9_type {
    P9_RLERROR = 7,
    P9_TSTATFS = 8,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TSYMLINK = 16,
    P9_TMKNOD = 18,
    P9_TRENAME = 20,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TXATTRWALK = 30,
    P9_TXATTRCREATE = 32,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TLOCK = 52,
    P9_TGETLOCK = 54,
    P9_TLINK = 70,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TAUTH = 102,
    P9_TATTACH = 104,
    P9_TFLUSH = 108,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
    P9_TREMOVE = 122,
};

struct p9_cursor {
    uint8_t *at, *end;
    bool bad;
};

struct p9_string {
    const char *text; /* len bytes, and none of them 0 */
    uint16_t len;
};

static inline struct p9_cursor p9_cursor(void *bytes, size_t len)
{
    return (struct p9_cursor){ bytes, (uint8_t *)bytes + len, false };
}

static inline uint64_t p9_get(struct p9_cursor *c, unsigned int size)
{
    uint64_t n = 0;

    if (c->bad || (size_t)(c->end - c->at) < size) {
        c->bad = true;
        return 0;
    }
    memcpy(&n, c->at, size);
    c->at += size;
    return n;
}

static inline struct p9_string p9_get_string(struct p9_cursor *c)
{
    struct p9_string s = { "", (uint16_t)p9_get(c, 2) };

    if (c->bad || c->end - c->at < s.len || memchr(c->at, 0, s.len)) {
        c->bad = true;
        return (struct p9_string){ "", 0 };
    }
    s.text = (const char *)c->at;
    c->at += s.len;
    return s;
}

static inline void p9_put(struct p9_cursor *c, unsigned int size, uint64_t n)
{
    if (c->bad || (size_t)(c->end - c->at) < size) {
        c->bad = true;
        return;
    }
    memcpy(c->at, &n, size);
    c->at += size;
}

static inline void p9_put_bytes(struct p9_cursor *c, const void *bytes, size_t len)
{
    if (c->bad || (size_t)(c->end - c->at) < len) {
        c->bad = true;
        return;
    }
    memcpy(c->at, bytes, len);
    c->at += len;
}

static inline void p9_put_string(struct p9_cursor *c, const char *text, size_t len)
{
    p9_put(c, 2, len);
    p9_put_bytes(c, text, len);
}

#endif
