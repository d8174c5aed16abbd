// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading variants: see variant.h. */
#include "tools/lab/variant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(char err[VARIANT_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(char err[VARIANT_ERR_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err, VARIANT_ERR_SIZE, fmt, args);
    va_end(args);
    return -1;
}

/* "FAIL iopl: what" or "PASS: what". */
static int head(struct variant *v, const char *text, char err[VARIANT_ERR_SIZE])
{
    const size_t len = strcspn(text, "\n");
    const char *colon = memchr(text, ':', len);
    const size_t name = colon ? (size_t)(colon - text) : 0;

    v->passes = colon && name == 4 && !strncmp(text, "PASS", 4);
    if (!v->passes && !(name > 5 && name - 5 < sizeof(v->property) && !strncmp(text, "FAIL ", 5)))
        return fail(err, "its first line is \"%.60s\", and no \"FAIL PROPERTY: ...\" or \"PASS: ...\"", text);
    if (!v->passes)
        snprintf(v->property, sizeof(v->property), "%.*s", (int)(name - 5), text + 5);
    colon += 1 + (colon[1] == ' ');
    snprintf(v->what, sizeof(v->what), "%.*s", (int)(text + len - colon), colon);
    return 0;
}

/* The one place of `old` in the sources, replaced. */
static int change(struct variant *v, const char *old, size_t old_len, const char *new, size_t new_len,
                  char err[VARIANT_ERR_SIZE])
{
    char **in = NULL, *at = NULL, *changed;
    unsigned int nr = 0;

    for (unsigned int i = 0; old_len && i < v->nr_sources; i++)
        for (char *s = v->source[i]; (s = memmem(s, strlen(s), old, old_len)); s++)
            nr++, at = s, in = &v->source[i];
    if (nr != 1)
        return fail(err, "the text \"%.*s\", to the end of its line, stands there %s", (int)strcspn(old, "\n"), old,
                    nr ? "twice" : "nowhere");
    if (asprintf(&changed, "%.*s%.*s%s", (int)(at - *in), *in, (int)new_len, new, at + old_len) < 0)
        return fail(err, "not enough memory");
    free(*in);
    *in = changed;
    return 0;
}

int variant_read(struct variant *v, const char *text, const char *const *source, unsigned int nr,
                 char err[VARIANT_ERR_SIZE])
{
    unsigned int changes = 0;

    *v = (struct variant){ .nr_sources = nr };
    for (unsigned int i = 0; i < nr; i++)
        if (!(v->source[i] = strdup(source[i])))
            return fail(err, "not enough memory");
    if (head(v, text, err))
        return -1;
    for (const char *p = strstr(text, "\n<<<<\n"); p; changes++) {
        const char *old = p + 6, *mid = strstr(p, "\n====\n"), *end = mid ? strstr(mid, "\n>>>>\n") : NULL;

        if (!end)
            return fail(err, "<<<< is not followed by ==== and >>>>");
        if (change(v, old, mid < old ? 0 : (size_t)(mid + 1 - old), mid + 6,
                   (size_t)(end < mid + 6 ? 0 : end + 1 - (mid + 6)), err))
            return -1;
        p = strstr(end + 5, "\n<<<<\n");
    }
    return changes ? 0 : fail(err, "it changes nothing");
}

void variant_free(struct variant *v)
{
    for (unsigned int i = 0; i < v->nr_sources; i++)
        free(v->source[i]);
    v->nr_sources = 0;
}
