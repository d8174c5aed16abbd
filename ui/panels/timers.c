// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `timers`: those that are armed, the first to expire first. */
#include "ui/panels/panel.h"

#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "expires" }, { .title = "in", .right = true, .quiet = true }, { .title = "label" }, { .title = "whose" },
    { .title = "what" },
};

/* The only one of its kind, or one of several, which are counted. */
static struct table_row *row_of(struct table *t, const struct look_timer *timer, unsigned int *others)
{
    if (timer->dom < DOMID_FIRST_RESERVED && strcmp(timer->label, "watchdog") != 0)
        return table_row(t, "%s d%uv%u", timer->label, timer->dom, timer->vcpu);
    return table_row(t, "%.24s %u", timer->what, ++*others);
}

static void timer_take(struct table *t, const struct scene *s, const struct look_timer *timer, size_t nr,
                       unsigned int *others)
{
    struct table_row *row = row_of(t, timer, others);
    char when[LOOK_TEXT], in[LOOK_TEXT];

    look_time(timer->expires, when);
    look_time(timer->expires > s->now ? timer->expires - s->now : 0, in);
    table_cell(t, row, "%s", when);
    table_cell(t, row, "%s", in);
    table_cell(t, row, "%s", timer->label);
    if (timer->dom < DOMID_FIRST_RESERVED)
        table_cell(t, row, "d%uv%u", timer->dom, timer->vcpu);
    else
        table_cell(t, row, "xen");
    table_cell(t, row, "%s", timer->what);
    table_ask(t, row, "why timer %zu", nr);
    if (row && timer->dom == s->dom && timer->vcpu == s->vcpu)
        row->style = STYLE_kernel;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    size_t nr;
    struct look_timer *timer = look_timers(g->host, &nr);
    unsigned int others = 0;

    for (size_t i = 0; i < nr; i++)
        timer_take(t, s, &timer[i], i, &others);
    free(timer);
}

const struct panel_ops panel_timers = { .name = "timers",
                                        .help = "timers that are armed, and what they will do",
                                        .empty = "no timer is armed",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .take = take };
