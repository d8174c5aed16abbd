// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl.cfg: what is said of a mistake in one, with the line and the key. See xl_cfg.h for the whole.
 */
#include "tools/xl/xl_cfg_private.h"

#include "tools/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int xl_key_line(const struct xl_reader *r, const char *key)
{
    for (size_t i = r->nr_settings; i-- > 0;)
        if (!strncmp(r->settings[i].name, key, (size_t)r->settings[i].name_len) && !key[r->settings[i].name_len])
            return r->settings[i].line;
    return 0;
}

__attribute__((format(printf, 4, 0))) static void describe(struct xl_reader *r, int line, const char *key,
                                                           const char *fmt, va_list ap)
{
    char where[32] = "", what[512];

    if (line)
        snprintf(where, sizeof(where), ":%d", line);
    vsnprintf(what, sizeof(what), fmt, ap);
    snprintf(r->err, XL_ERR_SIZE, "%.400s%s: %s%s%s", r->path, where, key ? key : "", key ? ": " : "", what);
    make_printable(r->err, strlen(r->err), false);
}

int xl_fail(struct xl_reader *r, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    describe(r, key ? xl_key_line(r, key) : 0, key, fmt, ap);
    va_end(ap);
    return -1;
}

int xl_fail_at(struct xl_reader *r, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    describe(r, line, NULL, fmt, ap);
    va_end(ap);
    return -1;
}

int xl_warn(struct xl_reader *r, int line, const char *what)
{
    char *more = NULL, *old = r->cfg->warnings;

    if (asprintf(&more, "%s%.400s:%d: warning: %s\n", old ? old : "", r->path, line, what) < 0)
        return xl_fail(r, NULL, "not enough memory");
    free(old);
    r->cfg->warnings = more;
    return 0;
}
