// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures of jobs, as rows: the idea is in tools/sweep/merge.h. */
#include "tools/sweep/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"

/* One more, of size bytes, at the end of a list of nr. */
static void *grown(void *list, size_t nr, size_t size)
{
    if (!(nr & (nr - 1))) { /* full, at a power of two */
        list = realloc(list, (nr ? 2 * nr : 1) * size);
        BUG_ON(!list);
    }
    return list;
}

/* --- settings --- */

static const struct json *nth(const struct json *list, size_t i)
{
    const struct json *j = list ? list->first : NULL;

    while (j && i--)
        j = j->next;
    return j;
}

const char *merge_setting_name(const struct merge *m, size_t i)
{
    const struct json *name = nth(nth(m->sets, i), 0);

    return name ? name->text : NULL;
}

static unsigned long long values(const struct json *set)
{
    unsigned long long n = 0;

    for (const struct json *v = nth(set, 1); v; v = v->next)
        n++;
    return n;
}

const char *merge_setting(const struct merge *m, size_t i, unsigned long long combination)
{
    const struct json *set = nth(m->sets, i), *value;

    for (const struct json *behind = set ? set->next : NULL; behind; behind = behind->next)
        combination /= values(behind);
    value = set ? nth(set, 1 + combination % values(set)) : NULL;
    return value ? value->text : NULL;
}

/* --- figures --- */

/* Rows of one combination are in the order of its first result's figures, and mostly in that of all: hint is where. */
static struct merge_row *row_of(struct merge *m, size_t first, size_t hint, unsigned long long combination,
                                const struct json *metric)
{
    const char *figure = json_text(metric, "metric"), *subject = json_text(metric, "subject");
    struct merge_row *r;

    for (size_t i = 0, nr = m->nr_rows - first; i < nr; i++) {
        r = &m->row[first + (hint + i) % nr];
        if (!strcmp(r->figure, figure) && !strcmp(r->subject, subject))
            return r;
    }
    m->row = grown(m->row, m->nr_rows, sizeof(*m->row));
    r = &m->row[m->nr_rows++];
    *r = (struct merge_row){ .combination = combination,
                             .figure = figure,
                             .subject = subject,
                             .unit = json_text(metric, "unit"),
                             .x = calloc(m->seeds, sizeof(double)) };
    BUG_ON(!r->x);
    return r;
}

static void figures_add(struct merge *m, const struct merge_result *r, size_t first, unsigned long long combination)
{
    const struct json *list = json_member(r->json, "metrics", JSON_ARRAY);
    size_t hint = 0;

    for (const struct json *metric = list ? list->first : NULL; metric; metric = metric->next, hint++) {
        const struct json *value = json_member(metric, "value", JSON_NUMBER);
        struct merge_row *row = row_of(m, first, hint, combination, metric);

        if (value && row->is.n < m->seeds) /* null: there was none */
            row->x[row->is.n++] = value->number;
    }
}

/* --- expectations --- */

static struct merge_expectation *expectation_of(struct merge *m, size_t first, unsigned long long combination,
                                                const char *text)
{
    for (size_t i = first; i < m->nr_expectations; i++)
        if (!strcmp(m->expectation[i].text, text))
            return &m->expectation[i];
    m->expectation = grown(m->expectation, m->nr_expectations, sizeof(*m->expectation));
    m->expectation[m->nr_expectations] = (struct merge_expectation){ .combination = combination, .text = text };
    return &m->expectation[m->nr_expectations++];
}

static void expectations_add(struct merge *m, const struct merge_result *r, size_t first,
                             unsigned long long combination)
{
    const struct json *list = json_member(r->json, "expectations", JSON_ARRAY);

    for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
        const struct json *number = json_member(e, "margin", JSON_NUMBER);
        const double margin = number ? number->number : NAN;
        struct merge_expectation *is = expectation_of(m, first, combination, json_text(e, "expect"));

        is->held += json_member(e, "held", JSON_TRUE) != NULL;
        if (!is->nr++ || (!isnan(is->margin) && !(margin >= is->margin))) { /* nothing is worse than no value */
            is->margin = margin;
            is->worst = r->job;
        }
    }
}

void merge_rows(struct merge *m)
{
    size_t rows = 0, expectations = 0;
    unsigned long long at = 0;

    for (size_t i = 0; i < m->nr; i++) {
        const unsigned long long combination = (m->result[i].job - 1) / m->seeds;

        if (combination != at)
            at = combination, rows = m->nr_rows, expectations = m->nr_expectations;
        m->faults += json_member(m->result[i].json, "fault", JSON_TEXT) != NULL;
        figures_add(m, &m->result[i], rows, combination);
        expectations_add(m, &m->result[i], expectations, combination);
    }
    for (size_t i = 0; i < m->nr_rows; i++)
        m->row[i].is = student_of(m->row[i].x, m->row[i].is.n);
}

void merge_rows_free(struct merge *m)
{
    for (size_t i = 0; i < m->nr_rows; i++)
        free(m->row[i].x);
    free(m->row);
    free(m->expectation);
}
