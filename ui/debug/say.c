// SPDX-License-Identifier: GPL-2.0-or-later
/* Announcements, see ui/debug/say.h. */
#include "ui/debug/say.h"

#include "tools/printable.h"

#include <stdarg.h>
#include <string.h>

#define SAY_MAX 1024

/* As a JSON string, in ASCII whatever the bytes are: others are escaped, each for itself. */
static void put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (const char *p = text; *p; p++) {
        const unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f) /* no part of a character that a reader could not take */
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void put_key(struct say *s, const char *key)
{
    putc(',', s->out);
    put_string(s->out, key);
    putc(':', s->out);
}

void say_begin(struct say *s, const char *kind)
{
    if (s->before)
        s->before(s->before_data);
    if (!s->json)
        return;
    fputs("{\"v\":1,\"kind\":", s->out);
    put_string(s->out, kind);
}

void say_end(struct say *s)
{
    fputs(s->json ? "}\n" : "\n", s->out);
    fflush(s->out);
}

static void put_text(struct say *s, const char *fmt, va_list ap)
{
    char text[SAY_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    make_printable(text, strlen(text), true);
    fputs(text, s->out);
}

void say(struct say *s, const char *fmt, ...)
{
    va_list ap;

    if (s->json)
        return;
    va_start(ap, fmt);
    put_text(s, fmt, ap);
    va_end(ap);
}

static void put_field(struct say *s, const char *key, const char *fmt, va_list ap)
{
    char text[SAY_MAX];

    if (!s->json)
        return;
    put_key(s, key);
    vsnprintf(text, sizeof(text), fmt, ap);
    put_string(s->out, text);
}

void say_field(struct say *s, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put_field(s, key, fmt, ap);
    va_end(ap);
}

void say_number(struct say *s, const char *key, uint64_t value)
{
    if (!s->json)
        return;
    put_key(s, key);
    fprintf(s->out, "%llu", (unsigned long long)value);
}

void say_bool(struct say *s, const char *key, bool value)
{
    if (!s->json)
        return;
    put_key(s, key);
    fputs(value ? "true" : "false", s->out);
}

void say_line(struct say *s, const char *kind, const char *fmt, ...)
{
    va_list ap;

    say_begin(s, kind);
    va_start(ap, fmt);
    if (s->json)
        put_field(s, "text", fmt, ap);
    else
        put_text(s, fmt, ap);
    va_end(ap);
    say_end(s);
}

void say_error(struct say *s, const char *code, const char *fmt, ...)
{
    va_list ap;

    say_begin(s, "error");
    say_field(s, "code", "%s", code);
    va_start(ap, fmt);
    if (s->json) {
        put_field(s, "text", fmt, ap);
    } else {
        fputs("error: ", s->out);
        put_text(s, fmt, ap);
    }
    va_end(ap);
    say_end(s);
}
