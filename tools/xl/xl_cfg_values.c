// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: reading one kind of value, whatever it means.
 */
#include "tools/xl/xl_cfg_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int xl_get_text(struct xl_reader *r, const char *key, const char **text)
{
    switch (xlu_cfg_get_string(r->xlu, key, text, 1)) {
    case 0: return 1;
    case ESRCH: return 0;
    default: return xl_fail(r, key, "expected a single value, got a list");
    }
}

int xl_read_string(struct xl_reader *r, const char *key, void *out)
{
    const char *text;
    char **string = out;
    int got = xl_get_text(r, key, &text);

    if (got != 1)
        return got;
    *string = strdup(text);
    return *string ? 0 : xl_fail(r, key, "not enough memory");
}

int xl_read_number(struct xl_reader *r, const char *key, unsigned int min, unsigned int max, const char *expected,
                   unsigned int *out)
{
    const char *text;
    long n = 0;
    int got = xl_get_text(r, key, &text);

    if (got != 1)
        return got;
    if (xlu_cfg_get_long(r->xlu, key, &n, 1) || n < (long)min || n > (long)max)
        return xl_fail(r, key, "expected %s, got \"%.100s\"", expected, text);
    *out = (unsigned int)n;
    return 0;
}

int xl_path_find(struct xl_reader *r, const char *key, char **path)
{
    const char *slash = strrchr(r->path, '/');
    char *beside;

    if (**path == '/' || !slash || access(*path, F_OK) == 0)
        return 0;
    if (asprintf(&beside, "%.*s/%s", (int)(slash - r->path), r->path, *path) < 0)
        return xl_fail(r, key, "not enough memory");
    if (access(beside, F_OK) == 0) {
        free(*path);
        *path = beside;
    } else {
        free(beside); /* opening it will fail, with the path as it was written */
    }
    return 0;
}

int xl_read_path(struct xl_reader *r, const char *key, void *out)
{
    char **path = out;

    if (xl_read_string(r, key, out))
        return -1;
    if (!*path)
        return 0;
    if (!**path)
        return xl_fail(r, key, "expected a path, got \"\"");
    return xl_path_find(r, key, path);
}
