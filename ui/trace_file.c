// SPDX-License-Identifier: GPL-2.0-or-later
/* --trace FILE, see ui/trace_file.h. */
#include "ui/trace_file.h"

#include <errno.h>
#include <stdio_ext.h>
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

void trace_file_sink(void *data, const struct trace_record *rec)
{
    struct trace_file *t = data;
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

int trace_file_close(struct trace_file *t)
{
    if (t->file && t->error) /* what is left would have to wait again, for the same in vain */
        __fpurge(t->file);
    if (t->file && fclose(t->file) && !t->error)
        t->error = errno;
    t->file = NULL;
    return t->error;
}
