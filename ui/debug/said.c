// SPDX-License-Identifier: GPL-2.0-or-later
/* The last lines that were said, see ui/debug/said.h. */
#include "ui/debug/said.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct said {
    FILE *stream;
    char *line[SAID_LINES]; /* the i-th is at i modulo that */
    size_t nr;
    char part[SAID_SIZE]; /* of the next one */
    size_t len;
};

static void line_end(struct said *s)
{
    char **line = &s->line[s->nr % SAID_LINES];
    char *copy = strndup(s->part, s->len);

    s->len = 0;
    if (!copy)
        return;
    free(*line);
    *line = copy;
    s->nr++;
}

static ssize_t take(void *data, const char *buf, size_t size)
{
    struct said *s = data;

    for (size_t i = 0; i < size; i++)
        if (buf[i] == '\n')
            line_end(s);
        else if (s->len < sizeof(s->part))
            s->part[s->len++] = buf[i];
    return (ssize_t)size;
}

struct said *said_open(void)
{
    struct said *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->stream = fopencookie(s, "w", (cookie_io_functions_t){ .write = take });
    if (s->stream)
        return s;
    free(s);
    return NULL;
}

void said_close(struct said *s)
{
    if (!s)
        return;
    fclose(s->stream);
    for (size_t i = 0; i < SAID_LINES; i++)
        free(s->line[i]);
    free(s);
}

FILE *said_stream(struct said *s) { return s->stream; }
size_t said_nr(const struct said *s) { return s->nr; }
size_t said_first(const struct said *s) { return s->nr > SAID_LINES ? s->nr - SAID_LINES : 0; }
const char *said_line(const struct said *s, size_t i) { return s->line[i % SAID_LINES]; }
