// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations, read, judged and told: the idea is in tools/kit/expect.h. */
#include "tools/kit/expect.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"
#include "tools/nearest.h"

#define WITH_EACH 6 /* subjects that are told of with a figure of all of them */

/* --- reading --- */

struct words {
    char *at; /* what is left of the line */
    const struct kit_model *kit;
    const struct kit_metrics *list;
    char *why;
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct words *w, const char *fmt, ...)
{
    const size_t n = strlen(w->why); /* the line's number is there */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->why + n, KIT_WHY - n, fmt, ap);
    va_end(ap);
    return false;
}

static bool figure_read(struct kit_expect *e, struct words *w)
{
    const char *names[32], *word = expect_word(&w->at);
    char hint[NEAREST_HINT_SIZE];
    size_t n = 0;

    for (const struct kit_figure *g = w->kit->figures; g->name && n < sizeof(names) / sizeof(*names); g++) {
        if (!strcmp(g->name, word)) {
            e->figure = g;
            return true;
        }
        names[n++] = g->name;
    }
    return wrong(w, "there is no figure \"%.30s\"%s (see: xenlab kit %s --help)", word,
                 nearest_hint(word, names, n, "", hint), w->kit->name);
}

static const struct kit_metric *metric_of(const struct kit_metrics *list, const struct kit_expect *e)
{
    for (size_t i = 0; i < list->nr; i++)
        if (list->metric[i].figure == e->figure && !strcmp(list->metric[i].subject, e->subject))
            return &list->metric[i];
    return NULL;
}

/* "[SUBJECT] OP". */
static bool subject_read(struct kit_expect *e, struct words *w)
{
    const char *word = expect_word(&w->at);

    if (*word && !expect_is_op(word)) {
        snprintf(e->subject, sizeof(e->subject), "%s", word);
        word = expect_word(&w->at);
    }
    if (!expect_is_op(word))
        return wrong(w, "expected <=, >=, ==, !=, < or >, got \"%.30s\"", word);
    snprintf(e->op, sizeof(e->op), "%s", word);
    return metric_of(w->list, e) ||
           wrong(w, "there is no figure %s of %.40s", e->figure->name, *e->subject ? e->subject : "all together");
}

static bool limit_read(struct kit_expect *e, struct words *w)
{
    const char *word = expect_word(&w->at), *unit = e->figure->unit;
    char *end;

    e->limit = strtod(word, &end);
    if (end != word && *end == '*')
        return wrong(w, "\"%.40s\": FACTOR*POLICY is not for kits: a number is wanted", word);
    if (end == word || (*end && strcmp(end, unit)) || !isfinite(e->limit) || *word < '0' || *word > '9')
        return wrong(w, "\"%.40s\": expected a number%s%s", word, *unit ? ", or a number of " : "", unit);
    word = expect_word(&w->at);
    if (!strcmp(word, "from") || !strcmp(word, "seeds"))
        return wrong(w, "\"%s\" is not for kits: a line is about the whole of one run", word);
    return !*word || wrong(w, "\"%.30s\": nothing more is expected", word);
}

static bool line_read(struct kit_expects *x, const char *text, struct words *w, const char *file, unsigned int line)
{
    struct kit_expect *e;

    x->e = x->e ?: calloc(KIT_EXPECT_MAX, sizeof(*x->e));
    BUG_ON(!x->e);
    if (x->nr == KIT_EXPECT_MAX)
        return wrong(w, "too many expectations: at most %d", KIT_EXPECT_MAX);
    e = &x->e[x->nr];
    *e = (struct kit_expect){ .file = file, .line = line };
    memcpy(e->text, text, sizeof(e->text));
    wrong(w, "expect: ");
    if (!figure_read(e, w) || !subject_read(e, w) || !limit_read(e, w))
        return false;
    x->nr++;
    return true;
}

bool kit_expects_read(struct kit_expects *x, FILE *f, const char *file, bool workload, const struct kit_model *kit,
                      const struct kit_metrics *list, char why[KIT_WHY])
{
    char text[EXPECT_TEXT], words[EXPECT_TEXT];
    enum expect_found found;
    unsigned int line = 0;
    const char *wrong_line;

    while ((found = expect_line(f, workload, text, &line, &wrong_line)) == EXPECT_LINE) {
        struct words w = { words, kit, list, why };

        memcpy(words, text, sizeof(words));
        snprintf(why, KIT_WHY, "%u: ", line);
        if (!line_read(x, text, &w, file, line))
            return false;
    }
    if (found == EXPECT_WRONG)
        snprintf(why, KIT_WHY, "%u: %s", line, wrong_line);
    return found == EXPECT_END;
}

void kit_expects_free(struct kit_expects *x)
{
    free(x->e);
    *x = (struct kit_expects){ 0 };
}

/* --- judging --- */

void kit_expects_judge(struct kit_expects *x, const struct kit_metrics *list, int64_t now)
{
    for (unsigned int i = 0; i < x->nr; i++) {
        struct kit_expect *e = &x->e[i];

        e->value = metric_of(list, e)->value;
        e->margin = expect_margin(e->op, e->value, e->limit);
        e->held = expect_holds(e->op, e->margin);
        e->from = e->held ? 0 : e->from ?: now;
    }
}

unsigned int kit_expects_lost(const struct kit_expects *x)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < x->nr; i++)
        nr += !x->e[i].held;
    return nr;
}

/* --- telling --- */

/* "is 12 s (web 10, db 2), limit 3 s, margin -9 s": of all together, who makes it up. */
static void said(const struct kit_expect *e, const struct kit_metrics *list, FILE *f)
{
    const char *space = *e->figure->unit ? " " : "", *unit = e->figure->unit, *between = " (";
    unsigned int nr = 0;

    fprintf(f, "is %.10g%s%s", e->value, space, unit);
    for (size_t i = 0; i < list->nr && !*e->subject && nr < WITH_EACH; i++) {
        const struct kit_metric *m = &list->metric[i];

        if (m->figure != e->figure || !*m->subject)
            continue;
        fprintf(f, "%s%s %.10g", between, m->subject, m->value);
        between = ", ";
        nr++;
    }
    fprintf(f, "%s, limit %.10g%s%s, margin %+.10g%s%s", nr ? ")" : "", e->limit, space, unit, e->margin, space, unit);
}

void kit_expects_table(const struct kit_expects *x, const struct kit_metrics *list, FILE *f)
{
    if (x->nr)
        fprintf(f, "\nexpectations: %u of %u held\n", x->nr - kit_expects_lost(x), x->nr);
    for (unsigned int i = 0; i < x->nr; i++) {
        fprintf(f, "  %s  %s: ", x->e[i].held ? "held" : "LOST", x->e[i].text);
        said(&x->e[i], list, f);
        fprintf(f, " (%s:%u)\n", x->e[i].file, x->e[i].line);
    }
}

void kit_expects_json(const struct kit_expects *x, const struct kit_metrics *list, FILE *f)
{
    fputs(",\"expectations\":[", f);
    for (unsigned int i = 0; i < x->nr; i++) {
        const struct kit_expect *e = &x->e[i];
        char *text = NULL;
        size_t len = 0;
        FILE *memory = open_memstream(&text, &len);

        BUG_ON(!memory);
        said(e, list, memory);
        fclose(memory);
        fputs(i ? ",\n  {\"expect\":" : "\n  {\"expect\":", f);
        kit_json_text(e->text, f);
        fprintf(f, ",\"line\":%u,\"held\":%s,\"said\":", e->line, e->held ? "true" : "false");
        kit_json_text(text, f);
        fputs(",\"unit\":", f);
        kit_json_text(e->figure->unit, f);
        fprintf(f, ",\"value\":%.10g,\"limit\":%.10g,\"margin\":%.10g", e->value, e->limit, e->margin);
        if (!e->held)
            fprintf(f, ",\"time_ns\":%lld", (long long)e->from);
        fputc('}', f);
        free(text);
    }
    fputs("]", f);
}
