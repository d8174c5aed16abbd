// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames and digits of gdb's remote protocol, see ui/gdb/packet.h. */
#include "ui/gdb/packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BREAK  0x03
#define ESCAPE '}'

/* Its value; -1: it is none. */
static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool hex_number(const char **p, uint64_t *value)
{
    const char *begin = *p;

    *value = 0;
    while (hex_digit(**p) >= 0 && *p - begin < 17)
        *value = *value << 4 | (uint64_t)hex_digit(*(*p)++);
    return *p > begin && *p - begin <= 16;
}

bool hex_bytes(const char *text, void *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        ((uint8_t *)data)[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* --- in --- */

static void begin(struct packet_reader *r)
{
    r->state = PACKET_INSIDE;
    r->escaped = r->wrong = false;
    r->sum = 0;
    r->len = 0;
}

static enum packet_event outside(struct packet_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$': begin(r); return PACKET_MORE;
    case '+': return PACKET_ACK;
    case '-': return PACKET_NAK;
    case BREAK: return PACKET_BREAK;
    default: return PACKET_MORE; /* noise of the line */
    }
}

static void inside(struct packet_reader *r, uint8_t byte)
{
    if (byte == '#') {
        r->state = PACKET_SUM;
        return;
    }
    r->sum = (uint8_t)(r->sum + byte);
    if (byte == ESCAPE && !r->escaped) {
        r->escaped = true;
        return;
    }
    if (r->len == PACKET_MAX)
        r->wrong = true;
    else
        r->text[r->len++] = (char)(r->escaped ? byte ^ 0x20 : byte);
    r->escaped = false;
}

enum packet_event packet_take(struct packet_reader *r, uint8_t byte)
{
    if (r->state == PACKET_OUTSIDE)
        return outside(r, byte);
    if (byte == '$') {
        begin(r);
        return PACKET_MORE;
    }
    if (r->state == PACKET_INSIDE) {
        inside(r, byte);
        return PACKET_MORE;
    }
    r->wrong |= hex_digit((char)byte) < 0;
    r->said = (uint8_t)(r->said << 4 | (hex_digit((char)byte) & 15));
    if (r->state == PACKET_SUM) {
        r->state = PACKET_SUM_LOW;
        return PACKET_MORE;
    }
    r->state = PACKET_OUTSIDE;
    r->text[r->len] = '\0';
    return r->wrong || r->escaped || r->said != r->sum ? PACKET_WRONG : PACKET_WHOLE;
}

/* --- out --- */

void bytes_put(struct bytes *b, const void *data, size_t n)
{
    if (b->cap - b->len < n) {
        const size_t cap = 2 * b->cap + n + 256;
        char *more = realloc(b->at, cap);

        if (!more) {
            b->lost = true;
            return;
        }
        b->at = more;
        b->cap = cap;
    }
    if (n)
        memcpy(b->at + b->len, data, n);
    b->len += n;
}

void bytes_text(struct bytes *b, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    bytes_put(b, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void bytes_hex(struct bytes *b, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes_text(b, "%02x", ((const uint8_t *)data)[i]);
}

void bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){ 0 };
}

void packet_put(struct bytes *out, const void *data, size_t n)
{
    uint8_t sum = 0;

    bytes_put(out, "$", 1);
    for (size_t i = 0; i < n; i++) {
        const char c = ((const char *)data)[i], escaped[2] = { ESCAPE, (char)(c ^ 0x20) };
        const bool escape = c == '$' || c == '#' || c == '*' || c == ESCAPE;

        bytes_put(out, escape ? escaped : &c, escape ? 2 : 1);
        sum = (uint8_t)(sum + (uint8_t)(escape ? escaped[0] + escaped[1] : c));
    }
    bytes_text(out, "#%02x", sum);
}
