// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels of a guest, as they are written: see tools/xl/xl_channel.h. */
#include "tools/xl/xl_channel.h"

#include "tools/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
    struct xl_channel channel;
    char connection[8];
};

__attribute__((format(printf, 2, 3))) static bool fail(char why[XL_CHANNEL_WHY_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, XL_CHANNEL_WHY_SIZE, fmt, ap);
    va_end(ap);
    make_printable(why, strlen(why), false);
    return false;
}

static bool text_read(char *to, size_t size, const char *key, const char *value, char why[XL_CHANNEL_WHY_SIZE])
{
    if (!*value || strlen(value) >= size)
        return fail(why, "%s=%.100s: expected 1 to %zu characters", key, value, size - 1);
    strcpy(to, value);
    return true;
}

static bool word_read(struct words *w, const char *key, const char *value, char why[XL_CHANNEL_WHY_SIZE])
{
    if (!strcmp(key, "name"))
        return text_read(w->channel.name, sizeof(w->channel.name), key, value, why);
    if (!strcmp(key, "path"))
        return text_read(w->channel.path, sizeof(w->channel.path), key, value, why);
    if (!strcmp(key, "connection"))
        return strcmp(value, "pty") && strcmp(value, "socket")
                   ? fail(why, "connection=%.100s: expected pty or socket", value)
                   : text_read(w->connection, sizeof(w->connection), key, value, why);
    if (!strcmp(key, "backend"))
        return !strcmp(value, "0") || !strcmp(value, "Domain-0") ||
               fail(why, "backend=%.100s: only dom0 has channels", value);
    return fail(why, "there is no %.100s= of a channel", key);
}

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return s + strspn(s, " \t");
}

static bool words_read(struct words *w, char *rest, char why[XL_CHANNEL_WHY_SIZE])
{
    char *word;

    while ((word = strsep(&rest, ","))) {
        char *value = strchr(word = trim(word), '=');

        if (!*word)
            continue;
        if (!value)
            return fail(why, "expected NAME=VALUE, got \"%.100s\"", word);
        *value++ = 0;
        if (!word_read(w, trim(word), trim(value), why))
            return false;
    }
    return true;
}

static bool list_put(struct xl_channels *channels, const struct xl_channel *c, char why[XL_CHANNEL_WHY_SIZE])
{
    if (channels->nr == XL_CHANNELS_MAX)
        return fail(why, "more than %d channels", XL_CHANNELS_MAX);
    channels->list[channels->nr++] = *c;
    return true;
}

bool xl_channels_add(struct xl_channels *channels, const char *spec, char why[XL_CHANNEL_WHY_SIZE])
{
    struct words w = { .connection = "" };
    char *copy = strdup(spec);
    const bool good = copy ? words_read(&w, copy, why) : fail(why, "not enough memory");

    free(copy);
    if (!good)
        return false;
    if (!*w.channel.name || !*w.connection)
        return fail(why, "%s= is missing", *w.channel.name ? "connection" : "name");
    if (!strcmp(w.connection, "socket") != !!*w.channel.path)
        return fail(why, *w.channel.path ? "a pty has no path=" : "connection=socket: path= is missing");
    return list_put(channels, &w.channel, why);
}

bool xl_channels_merge(struct xl_channels *to, const struct xl_channels *more, char why[XL_CHANNEL_WHY_SIZE])
{
    bool good = true;

    for (unsigned int i = 0; good && i < more->nr; i++)
        good = list_put(to, &more->list[i], why);
    return good;
}
