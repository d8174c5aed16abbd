// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A workload's settings: lines `param NAME VALUE`, "$NAME" in others, and --set: what they mean is in
 * tools/sweep/sweep.h. Lines keep their numbers, so that mistakes in them are told as ever.
 */
#include "tools/sweep/sweep.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

#define MAX_PARAMS 64
#define MAX_VALUE  480
#define BLANKS     " \t\r"

struct param {
    char name[SWEEP_NAME], value[MAX_VALUE];
};

struct reading {
    const struct sweep *s;
    const struct sweep_run *run;
    struct param param[MAX_PARAMS];
    unsigned int nr, line;
    unsigned int used[SWEEP_SETS]; /* lines that a --set has changed */
    bool several[SWEEP_SETS];      /* or would have, but they have more than one value */
    FILE *f;                       /* the new text */
    char *why;
};

static bool __attribute__((format(printf, 2, 3))) wrong(const struct reading *r, const char *fmt, ...)
{
    const int n = snprintf(r->why, SWEEP_WHY, "%u: ", r->line);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why + n, (size_t)(SWEEP_WHY - n), fmt, ap);
    va_end(ap);
    return false;
}

/* --set's for that name; -1: there is none. */
static int set_of(const struct reading *r, const char *name, size_t len)
{
    for (unsigned int i = 0; i < r->s->nr_sets; i++)
        if (strlen(r->s->set[i].text) == len && !memcmp(r->s->set[i].text, name, len))
            return (int)i;
    return -1;
}

static const struct param *param_of(const struct reading *r, const char *name, size_t len)
{
    for (unsigned int i = 0; i < r->nr; i++)
        if (strlen(r->param[i].name) == len && !memcmp(r->param[i].name, name, len))
            return &r->param[i];
    return NULL;
}

static size_t name_len(const char *at)
{
    size_t n = 0;

    while (isalnum((unsigned char)at[n]) || at[n] == '_')
        n++;
    return isalpha((unsigned char)*at) ? n : 0;
}

/* "NAME VALUE" */
static bool param_read(struct reading *r, const char *text)
{
    const size_t n = name_len(text), blanks = strspn(text + n, BLANKS);
    const char *value = text + n + blanks;
    struct param *p = &r->param[r->nr];
    int set;

    if (!n || n >= SWEEP_NAME || !blanks || !*value)
        return wrong(r, "expected: param NAME VALUE, such as param margin 64M");
    if (r->nr == MAX_PARAMS)
        return wrong(r, "more than %d params", MAX_PARAMS);
    if (param_of(r, text, n))
        return wrong(r, "there is a param %.*s already", (int)n, text);
    set = set_of(r, text, n);
    if (set >= 0)
        r->used[set]++;
    memcpy(p->name, text, n);
    if (snprintf(p->value, MAX_VALUE, "%s", set < 0 ? value : r->run->value[set]) >= MAX_VALUE)
        return wrong(r, "a value of more than %d characters", MAX_VALUE - 1);
    r->nr++;
    return true;
}

/* With what $NAME stands for. */
static bool text_put(const struct reading *r, const char *text)
{
    for (const char *at = text; *at;) {
        const size_t n = *at == '$' ? name_len(at + 1) : 0;
        const struct param *p = n ? param_of(r, at + 1, n) : NULL;

        if (n && !p)
            return wrong(r, "there is no param %.*s above", (int)n, at + 1);
        if (p)
            fputs(p->value, r->f);
        else
            fputc(*at, r->f);
        at += 1 + n;
    }
    return true;
}

/* One without its comment and end. */
static bool line_put(struct reading *r, char *text)
{
    char *word = text + strspn(text, BLANKS), *value;
    size_t n = strcspn(word, BLANKS);
    int set;

    for (char *end = text + strlen(text); end > text && strchr(BLANKS, end[-1]);)
        *--end = '\0';
    value = word + n + strspn(word + n, BLANKS);
    if (n == 5 && !memcmp(word, "param", n))
        return param_read(r, value);
    set = param_of(r, word, n) ? -1 : set_of(r, word, n);
    if (set < 0)
        return text_put(r, text);
    if (!*value || value[strcspn(value, BLANKS)]) {
        r->several[set] = true;
        return text_put(r, text);
    }
    r->used[set]++;
    return fprintf(r->f, "%.*s %s", (int)n, word, r->run->value[set]) > 0;
}

static bool lines_put(struct reading *r, const char *text, size_t len)
{
    bool ok = true;

    for (size_t at = 0; ok && at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        const size_t n = end ? (size_t)(end - text) - at : len - at;
        char *line = strndup(text + at, n);

        BUG_ON(!line);
        line[strcspn(line, "#")] = '\0';
        r->line++;
        ok = line_put(r, line);
        fputc('\n', r->f);
        free(line);
        at += n + 1;
    }
    return ok;
}

/* Each --set has had its line; one that is not there is added. */
static bool sets_used(const struct reading *r)
{
    for (unsigned int i = 0; i < r->s->nr_sets; i++) {
        const char *name = r->s->set[i].text;

        if (r->used[i] == 1)
            continue;
        if (r->used[i])
            snprintf(r->why, SWEEP_WHY,
                     "%s: %u lines of the workload are \"%s VALUE\": give the value a name, by a line "
                     "\"param NAME VALUE\"",
                     name, r->used[i], name);
        else if (r->several[i])
            snprintf(r->why, SWEEP_WHY,
                     "%s: its line has more than one value: give the one that is meant a name, by a "
                     "line \"param NAME VALUE\"",
                     name);
        else if (fprintf(r->f, "%s %s\n", name, r->run->value[i]) > 0)
            continue;
        return false;
    }
    return true;
}

char *sweep_workload(const struct sweep *s, const struct sweep_run *run, const char *text, size_t len, size_t *new_len,
                     char why[SWEEP_WHY], bool *option)
{
    struct reading *r = calloc(1, sizeof(*r));
    char *to = NULL;
    bool ok;

    BUG_ON(!r);
    r->s = s, r->run = run, r->why = why;
    r->f = open_memstream(&to, new_len);
    BUG_ON(!r->f);
    ok = lines_put(r, text, len);
    *option = ok && !sets_used(r);
    fclose(r->f);
    free(r);
    if (ok && !*option)
        return to;
    free(to);
    return NULL;
}
