// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared folders of a guest, as they are written: see tools/xl/xl_p9.h. */
#include "tools/xl/xl_p9.h"

#include "tools/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool fail(char why[XL_P9_WHY_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, XL_P9_WHY_SIZE, fmt, ap);
    va_end(ap);
    make_printable(why, strlen(why), false);
    return false;
}

static bool text_read(char *to, size_t size, const char *key, const char *value, char why[XL_P9_WHY_SIZE])
{
    if (!*value || strlen(value) >= size)
        return fail(why, "%s=%.100s: expected 1 to %zu characters", key, value, size - 1);
    strcpy(to, value);
    return true;
}

static bool word_read(struct xl_p9 *p, const char *key, const char *value, char why[XL_P9_WHY_SIZE])
{
    if (!strcmp(key, "tag"))
        return text_read(p->tag, sizeof(p->tag), key, value, why);
    if (!strcmp(key, "path"))
        return text_read(p->path, sizeof(p->path), key, value, why);
    if (!strcmp(key, "security_model") || !strcmp(key, "security-model")) /* libxl's spelling, and xl.cfg(5)'s */
        return !strcmp(value, "none") || fail(why, "%s=%.100s: only none is supported", key, value);
    if (!strcmp(key, "backend"))
        return !strcmp(value, "0") || !strcmp(value, "Domain-0") ||
               fail(why, "backend=%.100s: only dom0 shares folders", value);
    return fail(why, "there is no %.100s= of a shared folder", key);
}

static struct xl_p9 *tag_find(struct xl_p9s *p9s, const char *tag)
{
    for (unsigned int i = 0; i < p9s->nr; i++)
        if (!strcmp(p9s->list[i].tag, tag))
            return &p9s->list[i];
    return NULL;
}

/* share, share1... */
static void tag_free(struct xl_p9s *p9s, struct xl_p9 *p)
{
    *p->tag = '\0';
    for (unsigned int n = 0; !*p->tag; n++) {
        snprintf(p->tag, sizeof(p->tag), n ? "share%u" : "share", n);
        if (tag_find(p9s, p->tag))
            *p->tag = '\0';
    }
}

static bool append(struct xl_p9s *p9s, const struct xl_p9 *p, char why[XL_P9_WHY_SIZE])
{
    if (!*p->tag || !*p->path)
        return fail(why, "%s= is missing", *p->tag ? "path" : "tag");
    if (tag_find(p9s, p->tag))
        return fail(why, "tag=%s: there is a folder with this tag already", p->tag);
    if (p9s->nr == XL_P9S_MAX)
        return fail(why, "more than %d shared folders", XL_P9S_MAX);
    p9s->list[p9s->nr++] = *p;
    return true;
}

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return s + strspn(s, " \t");
}

static bool words_read(struct xl_p9 *p, char *rest, bool brief, char why[XL_P9_WHY_SIZE])
{
    char *word;

    for (bool first = brief; (word = strsep(&rest, ",")); first = false) {
        char *value = first ? NULL : strchr(word = trim(word), '=');

        if (first && !text_read(p->path, sizeof(p->path), "path", word, why))
            return false;
        if (first || !*word)
            continue;
        if (brief && (!strcmp(word, "rw") || !strcmp(word, "ro"))) {
            p->readonly = word[1] == 'o';
            continue;
        }
        if (!value)
            return fail(why, "expected %sNAME=VALUE, got \"%.100s\"", brief ? "rw, ro or " : "", word);
        *value++ = 0;
        if (!word_read(p, trim(word), trim(value), why))
            return false;
    }
    return true;
}

static bool words_of(struct xl_p9 *p, const char *text, bool brief, char why[XL_P9_WHY_SIZE])
{
    char *copy = strdup(text);
    const bool good = copy ? words_read(p, copy, brief, why) : fail(why, "not enough memory");

    free(copy);
    return good;
}

bool xl_p9s_add(struct xl_p9s *p9s, const char *spec, char why[XL_P9_WHY_SIZE])
{
    struct xl_p9 p = { .readonly = false };

    return words_of(&p, spec, false, why) && append(p9s, &p, why);
}

bool xl_p9s_add_short(struct xl_p9s *p9s, const char *text, char why[XL_P9_WHY_SIZE])
{
    struct xl_p9 p = { .readonly = true };

    if (!words_of(&p, text, true, why))
        return false;
    p.untagged = !*p.tag;
    if (p.untagged)
        tag_free(p9s, &p);
    return append(p9s, &p, why);
}

bool xl_p9s_merge(struct xl_p9s *to, const struct xl_p9s *more, char why[XL_P9_WHY_SIZE])
{
    bool good = true;

    for (unsigned int i = 0; good && i < more->nr; i++) {
        struct xl_p9 *there = more->list[i].untagged ? NULL : tag_find(to, more->list[i].tag);

        if (there)
            *there = more->list[i];
        else
            good = more->list[i].untagged || append(to, &more->list[i], why);
    }
    for (unsigned int i = 0; good && i < more->nr; i++) {
        struct xl_p9 p = more->list[i];

        if (!p.untagged)
            continue;
        tag_free(to, &p);
        good = append(to, &p, why);
    }
    return good;
}
