// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures of a run: a table for people, JSON for programs. Both have all of them, in the order of the model's. */
#include "tools/kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

void kit_metric_add(struct kit_metrics *list, const struct kit_figure *figure, const char *subject, double value)
{
    if (!(list->nr & (list->nr - 1))) { /* full, at a power of two */
        list->metric = realloc(list->metric, (list->nr ? 2 * list->nr : 1) * sizeof(*list->metric));
        BUG_ON(!list->metric);
    }
    list->metric[list->nr++] = (struct kit_metric){ figure, subject, value };
}

/* Is it the first of its subject, or of its figure, that is about one? */
static bool first(const struct kit_metrics *list, size_t at, bool subject)
{
    for (size_t i = 0; i < at; i++)
        if (list->metric[i].subject[0] && (subject ? !strcmp(list->metric[i].subject, list->metric[at].subject)
                                                   : list->metric[i].figure == list->metric[at].figure))
            return false;
    return list->metric[at].subject[0] != '\0';
}

static void cell(const struct kit_metrics *list, const char *subject, const struct kit_figure *figure, FILE *f)
{
    for (size_t i = 0; i < list->nr; i++)
        if (!strcmp(list->metric[i].subject, subject) && list->metric[i].figure == figure) {
            fprintf(f, " %12.10g", list->metric[i].value);
            return;
        }
    fprintf(f, " %12s", "-");
}

/* The longest name, or 12. */
static int name_width(const struct kit_metrics *list)
{
    size_t most = 12;

    for (size_t i = 0; i < list->nr; i++)
        most = strlen(list->metric[i].subject) > most ? strlen(list->metric[i].subject) : most;
    return (int)most;
}

/* A row a subject, and a column a figure. */
static void subjects(const struct kit_metrics *list, FILE *f)
{
    const int wide = name_width(list);

    for (int row = 0; row < 2; row++) { /* the head: names, units */
        fprintf(f, "%-*s", wide, "");
        for (size_t i = 0; i < list->nr; i++)
            if (first(list, i, false))
                fprintf(f, " %12s", row ? list->metric[i].figure->unit : list->metric[i].figure->name);
        fputc('\n', f);
    }
    for (size_t i = 0; i < list->nr; i++) {
        if (!first(list, i, true))
            continue;
        fprintf(f, "%-*s", wide, list->metric[i].subject);
        for (size_t j = 0; j < list->nr; j++)
            if (first(list, j, false))
                cell(list, list->metric[i].subject, list->metric[j].figure, f);
        fputc('\n', f);
    }
}

void kit_table(const struct kit_metrics *list, FILE *f)
{
    bool any = false;

    for (size_t i = 0; i < list->nr; i++)
        any |= list->metric[i].subject[0] != '\0';
    if (any)
        subjects(list, f);
    for (size_t i = 0; i < list->nr; i++) {
        const struct kit_metric *m = &list->metric[i];

        if (!m->subject[0])
            fprintf(f, "%s%-12s %12.10g %-6s %s\n", any ? "\n" : "", m->figure->name, m->value, m->figure->unit,
                    m->figure->what);
        any = any && m->subject[0];
    }
}

/* In quotes, as a string of JSON. */
static void json_text(const char *s, FILE *f)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fprintf(f, "\\u%04x", (unsigned char)*s);
        else
            fputc(*s, f);
    }
    fputc('"', f);
}

void kit_json(const struct kit_metrics *list, const struct kit_run *run, FILE *f)
{
    fputs("{\"kit\":", f);
    json_text(run->kit, f);
    fputs(",\"policy\":", f);
    json_text(run->policy, f);
    fputs(",\"workload\":", f);
    json_text(run->workload, f);
    fprintf(f, ",\"seed\":%llu,\"metrics\":[", (unsigned long long)run->seed);
    for (size_t i = 0; i < list->nr; i++) {
        fprintf(f, "%s\n  {\"metric\":", i ? "," : "");
        json_text(list->metric[i].figure->name, f);
        fputs(",\"subject\":", f);
        json_text(list->metric[i].subject, f);
        fprintf(f, ",\"value\":%.10g,\"unit\":", list->metric[i].value);
        json_text(list->metric[i].figure->unit, f);
        fputc('}', f);
    }
    fputs("\n]", f);
}
