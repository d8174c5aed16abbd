// SPDX-License-Identifier: GPL-2.0-or-later
/* --trace FILE, see ui/trace_file.h. */
#include "ui/trace_file.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (1 << 20)

int trace_file_open(struct trace_file *t, const char *path)
{
    memset(t, 0, sizeof(*t));
    t->path = path;
    t->file = fopen(path, "we");
    if (!t->file)
        return -1;
    setvbuf(t->file, NULL, _IOFBF, BUFFER_SIZE);
    return 0;
}

static void record_write(struct trace_file *t, const struct trace_record *rec)
{
    char line[512];
    int n = trace_format_json(rec, line, sizeof(line) - 1);

    if (t->error || n < 0)
        return;
    if ((size_t)n > sizeof(line) - 2)
        n = sizeof(line) - 2;
    line[n++] = '\n';
    if (fwrite(line, 1, (size_t)n, t->file) != (size_t)n)
        t->error = errno;
}

void trace_file_sink(void *data, const struct trace_record *rec)
{
    struct trace_file *t = data;
    size_t at = t->nr;

    if (t->error)
        return;
    if (t->nr == t->size) {
        const size_t size = t->size ? 2 * t->size : 1024;
        struct trace_record *held = realloc(t->held, size * sizeof(*held));

        if (!held) {
            t->error = ENOMEM;
            return;
        }
        t->held = held;
        t->size = size;
    }
    while (at && t->held[at - 1].time > rec->time)
        at--;
    memmove(&t->held[at + 1], &t->held[at], (t->nr - at) * sizeof(*rec));
    t->held[at] = *rec;
    t->nr++;
}

void trace_file_until(struct trace_file *t, s_time_t now)
{
    size_t n = 0;

    for (; n < t->nr && t->held[n].time <= now; n++)
        record_write(t, &t->held[n]);
    if (n)
        memmove(t->held, &t->held[n], (t->nr - n) * sizeof(*t->held));
    t->nr -= n;
}

int trace_file_close(struct trace_file *t)
{
    trace_file_until(t, STIME_MAX);
    free(t->held);
    t->held = NULL;
    t->size = 0;
    if (t->file && t->error) /* what is left would have to wait again, for the same in vain */
        __fpurge(t->file);
    if (t->file && fclose(t->file) && !t->error)
        t->error = errno;
    t->file = NULL;
    return t->error;
}
