// SPDX-License-Identifier: GPL-2.0-or-later
/* What the server says: see ui/gdb/private.h. */
#include "ui/gdb/private.h"

#include <stdarg.h>
#include <string.h>

static void reply(struct gdb_server *s, const void *data, size_t n)
{
    s->last.len = 0;
    packet_put(&s->last, data, n);
    bytes_put(&s->out, s->last.at, s->last.len);
}

void gdb_reply_bytes(struct gdb_server *s, const struct bytes *b) { reply(s, b->at, b->len); }

void gdb_reply(struct gdb_server *s, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    reply(s, text, strlen(text));
}

void gdb_refuse(struct gdb_server *s, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say_line(&s->g->say, "gdb", "gdb: refused: %s", text);
    gdb_reply(s, "E.%s", text);
}

void gdb_console(struct gdb_server *s, const char *text, size_t n)
{
    const size_t most = (PACKET_MAX - 1) / 2;

    for (size_t part; n; text += part, n -= part) {
        struct bytes b = { 0 };

        part = n < most ? n : most;
        bytes_put(&b, "O", 1);
        bytes_hex(&b, text, part);
        gdb_reply_bytes(s, &b);
        bytes_free(&b);
    }
}

int gdb_thread(struct gdb_server *s, const char **p, int any)
{
    struct look_vcpu v;
    uint64_t n;

    if (**p == 'p') { /* of a process: there is one */
        ++*p;
        if (!strncmp(*p, "-1", 2))
            *p += 2;
        else
            hex_number(p, &n);
        if (**p != '.')
            return GDB_ALL;
        ++*p;
    }
    if (!strncmp(*p, "-1", 2)) {
        *p += 2;
        return GDB_ALL;
    }
    if (!hex_number(p, &n))
        return GDB_NOBODY;
    if (!n)
        return any;
    return n <= 65536 && look_vcpu(s->g->host, s->dom, (unsigned int)n - 1, &v) ? (int)n - 1 : GDB_NOBODY;
}
