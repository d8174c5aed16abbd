// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `timeline`: what is known of the run, from its first position to its last, and where the machine is.
 *
 *      0 |c.....c.a...^......c.....:.......| 871us     c checkpoint  ^ here  a mark  ! crash  : another future
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = { { .title = "at" }, { .title = "what" } };

static void row_take(struct table *t, struct position at, const char *key, const char *what)
{
    struct table_row *row = table_row(t, "%s", key);

    table_cell(t, row, "#%" PRIu64 ".%" PRIu64, at.insns, at.step);
    table_cell(t, row, "%s", what);
    table_ask(t, row, "explain #%" PRIu64 ".%" PRIu64, at.insns, at.step);
    table_go(t, row, "#%" PRIu64 ".%" PRIu64, at.insns, at.step);
}

static int by_position(const void *a, const void *b)
{
    const struct table_row *x = a, *y = b;

    return strverscmp(x->cell[0], y->cell[0]);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    char key[TABLE_KEY], what[TABLE_KEY + 80];

    snprintf(t->note, sizeof(t->note), "%u checkpoints, branch %s", s->nr_checkpoints, s->branch);
    row_take(t, s->first, "begin", "history begins");
    for (unsigned int i = 0; i < s->nr_marks; i++) {
        snprintf(key, sizeof(key), "mark %s", s->mark[i].name);
        row_take(t, s->mark[i].at, key, key);
    }
    for (unsigned int i = 0; i < s->nr_branches; i++) {
        snprintf(key, sizeof(key), "branch %s", s->other[i].name);
        snprintf(what, sizeof(what), "branch %s leaves this line", s->other[i].name);
        row_take(t, s->other[i].parts, key, what);
    }
    for (unsigned int i = 0; i < s->nr_crashes; i++) {
        snprintf(key, sizeof(key), "crash %u", i);
        snprintf(what, sizeof(what), "d%u crashes: %s", s->crash[i].dom, s->crash[i].why);
        row_take(t, s->crash[i].at, key, what);
    }
    snprintf(what, sizeof(what), "the end of what is known of branch %s", s->branch);
    row_take(t, s->end, "end", what);
    row_take(t, s->at, "here", "here");
    if (t->nr)
        t->row[t->nr - 1].here = true;
    qsort(t->row, t->nr, sizeof(*t->row), by_position);
}

/* The column of a position on a bar of so many. */
static unsigned int column_of(const struct scene *s, struct position at, unsigned int cols)
{
    const uint64_t all = s->end.insns - s->first.insns,
                   done = at.insns > s->first.insns ? at.insns - s->first.insns : 0;

    if (!position_is_before(at, s->end) || !all)
        return position_is_before(s->first, at) ? cols - 1 : 0;
    return (unsigned int)((unsigned __int128)done * (cols - 1) / all);
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    char end[LOOK_TEXT];
    unsigned int cols, begin = 3;
    struct area bar;

    look_time(s->end_now, end);
    cols = a->cols > begin + strlen(end) + 4 ? a->cols - begin - (unsigned int)strlen(end) - 2 : 0;
    if (!cols)
        return 0;
    area_text(a, 0, 0, STYLE_text, "0 |");
    bar = area_part(a, 0, begin, 1, cols);
    area_fill(&bar, 0, 0, cols, STYLE_dim, 0xb7);
    for (unsigned int i = 0; i < s->nr_checkpoints; i++)
        area_put(&bar, 0, column_of(s, s->checkpoint[i], cols), STYLE_dim, 'c');
    for (unsigned int i = 0; i < s->nr_branches; i++)
        area_put(&bar, 0, column_of(s, s->other[i].parts, cols), STYLE_past, ':');
    for (unsigned int i = 0; i < s->nr_marks; i++)
        area_put(&bar, 0, column_of(s, s->mark[i].at, cols), STYLE_key, (uint32_t)s->mark[i].name[0]);
    for (unsigned int i = 0; i < s->nr_crashes; i++)
        area_put(&bar, 0, column_of(s, s->crash[i].at, cols), STYLE_error, '!');
    area_put(&bar, 0, column_of(s, s->at, cols), STYLE_here, '^');
    area_print(a, 0, begin + cols, STYLE_text, "| %s", end);
    return 1;
}

const struct panel_ops panel_timeline = { .name = "timeline",
                                          .help = "the run from its beginning to what is known, marks, branches",
                                          .empty = "there is no history",
                                          .column = columns,
                                          .nr_columns = ARRAY_SIZE(columns),
                                          .take = take,
                                          .draw = draw,
                                          .is_line = true };
