// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `console`: what guests have said up to here, and what it is known that they say later. */
#include "ui/panels/panel.h"

#include <inttypes.h>

static const struct table_column columns[] = { { .title = "dom" }, { .title = "text" } };

struct taking {
    struct table *t;
    const struct scene *s;
    size_t nr;
};

static void row_take(void *data, domid_t dom, struct position at, bool later, const char *text)
{
    struct taking *k = data;
    struct table_row *row = table_row(k->t, "%zu", k->nr++);

    table_cell(k->t, row, "d%u", dom);
    table_cell(k->t, row, "%s", text);
    table_go(k->t, row, "#%" PRIu64 ".%" PRIu64, at.insns, at.step);
    table_ask(k->t, row, "explain #%" PRIu64 ".%" PRIu64, at.insns, at.step);
    if (row)
        row->later = later;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct taking k = { t, s, 0 };

    debug_console_each(g, -1, row_take, &k);
    for (size_t i = t->nr; i-- > 0;)
        if (!t->row[i].later) {
            t->row[i].here = true;
            break;
        }
}

const struct panel_ops panel_console = { .name = "console",
                                         .help = "what guests have said up to here, and behind ~ say later",
                                         .empty = "nothing has been said yet",
                                         .column = columns,
                                         .nr_columns = ARRAY_SIZE(columns),
                                         .take = take,
                                         .is_line = true };
