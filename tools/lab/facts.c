// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading reports, and finding where two part: see facts.h. */
#include "tools/lab/facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static const char *const kinds[] = {
    [FACT_STEP] = "step", [FACT_FACT] = "fact", [FACT_COUNT] = "count", [FACT_END] = "end"
};

/* The word at *p, which is moved behind it and the space that follows. NULL: too long for size, or empty. */
static char *word(char **p, char *to, size_t size)
{
    const size_t n = strcspn(*p, " ");

    if (!n || n >= size)
        return NULL;
    memcpy(to, *p, n);
    to[n] = '\0';
    *p += n + ((*p)[n] == ' ');
    return to;
}

static bool name_ok(const char *s)
{
    while (isalnum((unsigned char)*s) || *s == '-' || *s == '_')
        s++;
    return !*s;
}

/* Digits alone, of which the value fits. */
static bool number(const char *s, uint64_t *value)
{
    *value = 0;
    for (; isdigit((unsigned char)*s); s++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, (uint64_t)(*s - '0'), value))
            return false;
    return !*s;
}

/* One line, without its end. False: it says nothing that is known. */
static bool line_read(char *line, struct fact *f)
{
    char kind[8], digits[24];

    if (!word(&line, kind, sizeof(kind)))
        return false;
    *f = (struct fact){ .text = "" };
    while (strcmp(kind, kinds[f->kind]))
        if (f->kind++ == FACT_END)
            return false;
    switch (f->kind) {
    case FACT_STEP:
        if (!word(&line, digits, sizeof(digits)) || !number(digits, &f->number))
            return false;
        break;
    case FACT_FACT:
        if (!word(&line, f->name, sizeof(f->name)) || !name_ok(f->name))
            return false;
        break;
    case FACT_COUNT:
        return word(&line, f->name, sizeof(f->name)) && name_ok(f->name) && *line && number(line, &f->number);
    case FACT_END: return !*line;
    }
    f->text = line;
    return true;
}

/* What p says is nothing known. If it is a BUG_ON() (sim/bug.c), which one it was helps more than the line's number. */
static void unknown(struct facts *f, const char *p)
{
    static const char bug[] = "xenlab bug at ";

    if (!strncmp(p, bug, sizeof(bug) - 1))
        snprintf(f->wrong, sizeof(f->wrong), "stopped by a BUG_ON() at %.90s", p + sizeof(bug) - 1);
    else
        snprintf(f->wrong, sizeof(f->wrong), "line %zu is no step, fact, count or end: \"%.60s\"", f->nr + 1, p);
}

static bool printable(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < ' ' || s[i] > '~')
            return false;
    return true;
}

bool facts_read(struct facts *f, const char *text, size_t len)
{
    size_t lines = 0;
    char *p;

    *f = (struct facts){ 0 };
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    if (lines > FACTS_MAX)
        lines = FACTS_MAX;
    f->owned = malloc(len + 1);
    f->fact = calloc(lines + 1, sizeof(*f->fact));
    if (!f->owned || !f->fact)
        return false;
    memcpy(f->owned, text, len);
    f->owned[len] = '\0';
    p = f->owned;
    for (size_t left = len; left;) {
        char *end = memchr(p, '\n', left);
        const size_t n = end ? (size_t)(end - p) : left;

        if (f->nr == lines && end) {
            snprintf(f->wrong, sizeof(f->wrong), "there are more than %d lines", FACTS_MAX);
            break;
        }
        if (!end || n > FACTS_LINE || !printable(p, n)) {
            snprintf(f->wrong, sizeof(f->wrong), "line %zu %s", f->nr + 1,
                     !end             ? "has no end"
                     : n > FACTS_LINE ? "is too long"
                                      : "has bytes that are no text");
            break;
        }
        *end = '\0';
        if (!line_read(p, &f->fact[f->nr])) {
            unknown(f, p);
            break;
        }
        if (f->nr && f->fact[f->nr - 1].kind == FACT_END) {
            snprintf(f->wrong, sizeof(f->wrong), "line %zu comes after the end", f->nr + 1);
            break;
        }
        f->nr++;
        left -= n + 1;
        p = end + 1;
    }
    return true;
}

void facts_free(struct facts *f)
{
    free(f->fact);
    free(f->owned);
    *f = (struct facts){ 0 };
}

bool facts_ended(const struct facts *f) { return !f->wrong[0] && f->nr && f->fact[f->nr - 1].kind == FACT_END; }

size_t facts_steps(const struct facts *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->nr; i++)
        n += f->fact[i].kind == FACT_STEP;
    return n;
}

/* --- comparing --- */

static bool same(const struct fact *a, const struct fact *b, uint64_t limit)
{
    if (a->kind != b->kind || strcmp(a->name, b->name))
        return false;
    if (a->kind == FACT_COUNT)
        return b->number <= limit;
    return a->number == b->number && !strcmp(a->text, b->text);
}

static uint64_t limit_of(const struct fact *f, double factor)
{
    return f->kind != FACT_COUNT || factor < 1 ? UINT64_MAX : (uint64_t)((double)f->number * factor);
}

/*
 * The property that a line is of: its own; a step's or the end's is that of the fact which should have come next, and
 * where none is left, of the last one. `i` when there is none at all.
 */
static size_t named_line(const struct facts *f, size_t i)
{
    for (size_t n = i; n < f->nr; n++)
        if (f->fact[n].name[0])
            return n;
    for (size_t n = i; n > 0; n--)
        if (f->fact[n - 1].name[0])
            return n - 1;
    return i;
}

bool facts_differ(const struct facts *golden, const struct facts *got,
                  double (*factor)(const void *lab, const char *name), const void *lab, struct divergence *d)
{
    *d = (struct divergence){ 0 };
    for (size_t i = 0; i < golden->nr; i++) {
        const struct fact *g = &golden->fact[i], *o = i < got->nr ? &got->fact[i] : NULL;
        size_t named;
        const uint64_t limit = limit_of(g, g->kind == FACT_COUNT ? factor(lab, g->name) : 0);

        if (g->kind == FACT_STEP)
            d->step = g->text;
        if (o && same(g, o, limit))
            continue;
        d->at = i;
        d->forged = o && (g->kind != o->kind || strcmp(g->name, o->name) || g->kind == FACT_STEP);
        named = named_line(golden, i);
        snprintf(d->name, sizeof(d->name), "%s", golden->fact[named].name);
        d->limit = limit;
        d->number = o && o->kind == FACT_COUNT ? o->number : 0;
        d->expected = golden->fact[named].kind == FACT_COUNT ? NULL
                      : named < i                            ? "nothing more, and its end"
                                                             : golden->fact[named].text;
        d->got = o ? o->text : NULL;
        return true;
    }
    return false;
}
