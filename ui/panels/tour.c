// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `tour`: what is told of the step that a tour is at, in whole lines. See ui/tour/. */
#include "ui/panels/panel.h"

#include <string.h>

static const struct table_column columns[] = { { .title = "kind", .quiet = true }, { .title = "text", .quiet = true } };

#define ANSWER_HIDDEN "(Space: the answer)"

static const char *kind_name(char kind) { return kind == '?' ? "question" : kind == '!' ? "answer" : ""; }

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const struct debug_tour *tour = g->tour;
    struct table_row *row;

    if (!tour)
        return;
    row = table_row(t, "title");
    table_cell(t, row, "%zu/%zu", tour->at + 1, tour->nr);
    table_cell(t, row, "%s", tour->step ?: tour->title);
    if (row)
        row->style = STYLE_title;
    for (size_t i = 0; i < tour->nr_lines; i++) {
        const bool hidden = tour->line[i].kind == '!' && !tour->revealed;

        row = table_row(t, "%zu", i);
        table_cell(t, row, "%s", kind_name(tour->line[i].kind));
        table_cell(t, row, "%s", hidden ? ANSWER_HIDDEN : tour->line[i].text);
        if (row)
            row->style = tour->line[i].kind == '|' ? STYLE_text : STYLE_key;
        if (hidden)
            return; /* what follows it would give it away */
    }
}

static unsigned int text_rows(const char *kind, const char *p, unsigned int cols)
{
    unsigned int rows = 0, col = 1 + (kind[0] ? (unsigned int)strlen(kind) + 2 : 0);

    do {
        p += text_row_end(p, cols > col ? cols - col : 1);
        p += strspn(p, " ");
        col = 1;
        rows++;
    } while (*p);
    return rows;
}

/* Of the answer as well, so that nothing moves when it is shown. */
static unsigned int rows(const struct debug *g, unsigned int cols)
{
    unsigned int n = 1;

    for (size_t i = 0; g->tour && i < g->tour->nr_lines; i++)
        n += text_rows(kind_name(g->tour->line[i].kind), g->tour->line[i].text, cols);
    return n;
}

/* All of it, in rows as wide as the panel: the table is the same for who cannot see it. */
static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    unsigned int row = 0;

    for (size_t i = 0; i < t->nr; i++) {
        const char *kind = t->row[i].cell[0] ?: "", *p = t->row[i].cell[1] ?: "";
        unsigned int col = area_print(a, row, 1, STYLE_dim, kind[0] ? "%s: " : "%s", kind);

        do {
            const size_t n = text_row_end(p, a->cols > col ? a->cols - col : 1);

            area_print(a, row++, col, t->row[i].style, "%.*s", (int)n, p);
            p += n + strspn(p + n, " ");
            col = 1;
        } while (*p && row < a->rows);
    }
    return t->nr ? a->rows : 0;
}

const struct panel_ops panel_tour = { .name = "tour",
                                      .help = "what is told of the step that a tour is at",
                                      .empty = "no tour is given here: xenlab tour FILE",
                                      .column = columns,
                                      .nr_columns = ARRAY_SIZE(columns),
                                      .take = take,
                                      .draw = draw,
                                      .rows = rows };
