// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's screen for viewers of VNC: see ui/vnc.h.
 *
 * Budget: one protocol, both directions of it.
 */
#include "ui/vnc.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNUSED_TRIES     100u
#define OUT_MAX          (128u << 20) /* bytes that a viewer may leave waiting: two screens of the largest size */
#define DESKTOP_SIZE     (-223)       /* the pseudo-encoding of another size */
#define BUTTON_LEFT      0x110u
#define BUTTON_RIGHT     0x111u
#define BUTTON_MIDDLE    0x112u
#define FORMAT_BITS(f)   ((f)[0])
#define FORMAT_TRUE(f)   ((f)[3])
#define FORMAT_MAX(f, i) ((unsigned int)(f)[4 + 2 * (i)] << 8 | (f)[5 + 2 * (i)])

/* 32 bits, little endian: blue, green, red, nothing. */
static const uint8_t our_format[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };

static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }
static void put32(uint8_t *at, uint32_t n) { put16(at, n >> 16), put16(at + 2, n & 0xffff); }

int vnc_open(struct vnc *v, unsigned int port, bool unused, const char *name, char *err, size_t size)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(addr);
    const int one = 1;
    int rc = -1;

    *v = (struct vnc){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .name = name };
    for (unsigned int i = 0; i < VNC_CLIENTS; i++)
        v->client[i].fd = -1;
    if (v->listener >= 0)
        setsockopt(v->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    for (unsigned int i = 0; v->listener >= 0 && rc && i < (unused ? UNUSED_TRIES : 1) && port + i <= UINT16_MAX; i++) {
        addr.sin_port = htons((uint16_t)(port + i));
        rc = bind(v->listener, (const struct sockaddr *)&addr, sizeof(addr));
        if (!rc)
            rc = listen(v->listener, VNC_CLIENTS);
    }
    if (rc || getsockname(v->listener, (struct sockaddr *)&addr, &len)) {
        snprintf(err, size, "--vnc: 127.0.0.1:%u: %s", port, strerror(errno));
        vnc_close(v);
        return -1;
    }
    v->port = ntohs(addr.sin_port);
    return 0;
}

static void hang_up(struct vnc_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->shown);
    free(c->out);
    *c = (struct vnc_client){ .fd = -1 };
}

void vnc_close(struct vnc *v)
{
    if (v->listener >= 0) {
        for (unsigned int i = 0; i < VNC_CLIENTS; i++)
            hang_up(&v->client[i]);
        close(v->listener);
    }
    v->listener = -1;
}

nfds_t vnc_fds(const struct vnc *v, struct pollfd *fds)
{
    nfds_t nr = 0;

    if (v->listener < 0)
        return 0;
    fds[nr++] = (struct pollfd){ .fd = v->listener, .events = POLLIN };
    for (unsigned int i = 0; i < VNC_CLIENTS; i++)
        if (v->client[i].fd >= 0)
            fds[nr++] = (struct pollfd){ .fd = v->client[i].fd,
                                         .events = (short)(POLLIN | (v->client[i].out_len ? POLLOUT : 0)) };
    return nr;
}

/* -------------------------------------------------------------------------------------------------- what leaves -- */

/* Room for so many more bytes, or NULL: it is hung up on. */
static uint8_t *room(struct vnc_client *c, size_t n)
{
    uint8_t *more = c->out_len + n <= OUT_MAX ? realloc(c->out, c->out_len + n) : NULL;

    if (!more) {
        hang_up(c);
        return NULL;
    }
    c->out = more;
    c->out_len += n;
    return more + c->out_len - n;
}

static void say(struct vnc_client *c, const void *bytes, size_t n)
{
    uint8_t *at = room(c, n);

    if (at)
        memcpy(at, bytes, n);
}

static void give(struct vnc_client *c)
{
    while (c->fd >= 0 && c->out_at < c->out_len) {
        const ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            hang_up(c);
        if (n <= 0)
            return;
        c->out_at += (size_t)n;
    }
    c->out_at = c->out_len = 0;
}

/* Pixels as the viewer likes them. */
static uint8_t *pixels_put(const struct vnc_client *c, uint8_t *at, const uint8_t *rgb, size_t n)
{
    const uint8_t *f = c->format;
    const unsigned int bytes = FORMAT_BITS(f) / 8;

    for (; n--; rgb += 3, at += bytes) {
        uint32_t pixel = 0;

        for (unsigned int i = 0; i < 3; i++)
            pixel |= (uint32_t)(rgb[i] * FORMAT_MAX(f, i) / 255) << f[10 + i];
        for (unsigned int i = 0; i < bytes; i++)
            at[f[2] ? bytes - 1 - i : i] = (uint8_t)(pixel >> 8 * i);
    }
    return at;
}

static void rectangle(uint8_t at[12], unsigned int y, unsigned int width, unsigned int height, int32_t encoding)
{
    put16(at, 0);
    put16(at + 2, y);
    put16(at + 4, width);
    put16(at + 6, height);
    put32(at + 8, (uint32_t)encoding);
}

static void size_tell(struct vnc_client *c, const struct vnc_screen *s)
{
    uint8_t update[16] = { 0, 0, 0, 1 };

    if (!c->resizes) {
        hang_up(c);
        return;
    }
    rectangle(update + 4, 0, s->width, s->height, DESKTOP_SIZE);
    say(c, update, sizeof(update));
    if (c->fd < 0)
        return;
    free(c->shown);
    c->width = s->width;
    c->height = s->height;
    c->shown = calloc((size_t)c->width * c->height, 3);
    c->asks = false;
    c->all = true;
    c->updates = 0;
    if (!c->shown)
        hang_up(c);
}

/* The rows from the first to the last that are not as they were shown; it may be all of them. */
static void changes_tell(struct vnc_client *c, const struct vnc_source *source, const struct vnc_screen *s)
{
    const size_t line = (size_t)c->width * 3, bytes = FORMAT_BITS(c->format) / 8;
    unsigned int first = c->height, last = 0;
    uint8_t *row = malloc(line), *at;

    for (unsigned int y = 0; row && y < c->height; y++) {
        source->row(source->data, y, row);
        if (!c->all && !memcmp(row, c->shown + y * line, line))
            continue;
        memcpy(c->shown + y * line, row, line);
        first = y < first ? y : first;
        last = y;
    }
    free(row);
    c->updates = s->updates;
    if (first > last)
        return;
    at = room(c, 16 + (size_t)(last - first + 1) * c->width * bytes);
    if (!at)
        return;
    memcpy(at, (uint8_t[4]){ 0, 0, 0, 1 }, 4);
    rectangle(at + 4, first, c->width, last - first + 1, 0);
    pixels_put(c, at + 16, c->shown + first * line, (size_t)(last - first + 1) * c->width);
    c->asks = c->all = false;
}

static bool screen_of(const struct vnc_source *source, struct vnc_screen *s)
{
    if (!source->screen(source->data, s))
        return false;
    s->width = s->width < VNC_SIDE ? s->width : VNC_SIDE;
    s->height = s->height < VNC_SIDE ? s->height : VNC_SIDE;
    return true;
}

static void show(struct vnc_client *c, const struct vnc_source *source)
{
    struct vnc_screen s;

    if (c->fd < 0 || c->state != VNC_TALK || !c->asks || c->out_len || !screen_of(source, &s))
        return;
    if (s.width != c->width || s.height != c->height)
        size_tell(c, &s);
    else if (c->all || s.updates != c->updates)
        changes_tell(c, source, &s);
}

/* --------------------------------------------------------------------------------------------------- what comes -- */

static bool format_good(const uint8_t *f)
{
    const unsigned int bits = FORMAT_BITS(f);

    if ((bits != 8 && bits != 16 && bits != 32) || !FORMAT_TRUE(f))
        return false;
    for (unsigned int i = 0; i < 3; i++)
        if (f[10 + i] >= bits)
            return false;
    return true;
}

/* Buttons 1 to 3 are keys of the pointer, 4 and 5 its wheel. */
static void pointer(struct vnc_client *c, const struct vnc_source *source, const uint8_t *m)
{
    static const unsigned int button[3] = { BUTTON_LEFT, BUTTON_MIDDLE, BUTTON_RIGHT };
    const uint8_t now = m[1], changed = now ^ c->buttons;
    const int wheel = (changed & now & 0x10) ? 1 : (changed & now & 0x08) ? -1 : 0;

    source->pointer(source->data, (int)get16(m + 2), (int)get16(m + 4), wheel);
    for (unsigned int i = 0; i < 3; i++)
        if (changed & 1 << i)
            source->key(source->data, now & 1 << i, button[i]);
    c->buttons = now;
}

static void encodings(struct vnc_client *c, const uint8_t *m, size_t nr)
{
    c->resizes = false;
    for (size_t i = 0; i < nr; i++)
        c->resizes |= (int32_t)get32(m + 4 + 4 * i) == DESKTOP_SIZE;
}

/* The first message of TALK, of n bytes: how long it is; 0: not all of it is there; -1: it is none. */
static long talk(struct vnc_client *c, const struct vnc_source *source, const uint8_t *m, size_t n)
{
    static const uint8_t sizes[] = { 20, 0, 4, 10, 8, 6, 8 };
    unsigned int key;
    size_t len;

    if (m[0] >= sizeof(sizes) || !sizes[m[0]])
        return -1;
    if (n < sizes[m[0]])
        return 0;
    len = sizes[m[0]] + (m[0] == 2 ? (size_t)4 * get16(m + 2) : 0);
    if (len > VNC_IN_MAX)
        return -1;
    if (n < len)
        return 0;
    switch (m[0]) {
    case 0:
        if (!format_good(m + 4))
            return -1;
        memcpy(c->format, m + 4, sizeof(c->format));
        c->all = true;
        break;
    case 2: encodings(c, m, get16(m + 2)); break;
    case 3:
        c->asks = true;
        c->all |= !m[1];
        break;
    case 4:
        key = vnc_key(get32(m + 4));
        if (key)
            source->key(source->data, m[1], key);
        break;
    case 5: pointer(c, source, m); break;
    default: c->skip = get32(m + 4); /* what it has copied */
    }
    return (long)len;
}

static void init(const struct vnc *v, struct vnc_client *c, const struct vnc_source *source)
{
    struct vnc_screen s = { .width = 1, .height = 1 };
    const size_t len = strlen(v->name);
    uint8_t head[24];

    screen_of(source, &s);
    c->width = s.width;
    c->height = s.height;
    c->shown = calloc((size_t)c->width * c->height, 3);
    memcpy(c->format, our_format, sizeof(our_format));
    put16(head, c->width);
    put16(head + 2, c->height);
    memcpy(head + 4, our_format, sizeof(our_format));
    put32(head + 20, (uint32_t)len);
    say(c, head, sizeof(head));
    say(c, v->name, len);
    c->all = true;
    c->state = VNC_TALK;
    if (c->fd >= 0 && !c->shown)
        hang_up(c);
}

/* As talk(), in every state. */
static long deal(const struct vnc *v, struct vnc_client *c, const struct vnc_source *source, const uint8_t *m, size_t n)
{
    switch (c->state) {
    case VNC_VERSION:
        if (n < 12)
            return 0;
        if (memcmp(m, "RFB 003.00", 10) || (m[10] != '7' && m[10] != '8'))
            return -1;
        c->is_told = m[10] == '8';
        say(c, (uint8_t[]){ 1, 1 }, 2);
        c->state = VNC_SECURITY;
        return 12;
    case VNC_SECURITY:
        if (m[0] != 1)
            return -1;
        if (c->is_told)
            say(c, (uint8_t[4]){ 0 }, 4);
        c->state = VNC_INIT;
        return 1;
    case VNC_INIT: init(v, c, source); return 1;
    case VNC_TALK: break;
    }
    return talk(c, source, m, n);
}

static void messages(const struct vnc *v, struct vnc_client *c, const struct vnc_source *source)
{
    size_t at = 0;

    while (c->fd >= 0 && at < c->in_len) {
        const size_t left = c->in_len - at, skipped = c->skip < left ? c->skip : left;
        long n = (long)skipped;

        c->skip -= skipped;
        if (!skipped)
            n = deal(v, c, source, c->in + at, left);
        if (n < 0)
            hang_up(c);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    if (c->fd < 0)
        return;
    c->in_len -= at;
    memmove(c->in, c->in + at, c->in_len);
}

static void come_in(struct vnc *v)
{
    unsigned int i = 0;
    int fd;

    while (i < VNC_CLIENTS && v->client[i].fd >= 0)
        i++;
    fd = i < VNC_CLIENTS ? accept4(v->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
    if (fd < 0)
        return; /* nobody; or it waits at the door */
    v->client[i] = (struct vnc_client){ .fd = fd };
    say(&v->client[i], "RFB 003.008\n", 12);
}

void vnc_take(struct vnc *v, const struct vnc_source *source)
{
    if (v->listener < 0)
        return;
    come_in(v);
    for (unsigned int i = 0; i < VNC_CLIENTS; i++) {
        struct vnc_client *c = &v->client[i];
        ssize_t n;

        if (c->fd < 0)
            continue;
        n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            hang_up(c);
            continue;
        }
        c->in_len += n > 0 ? (size_t)n : 0;
        messages(v, c, source);
        give(c);
        show(c, source);
        give(c);
    }
}
