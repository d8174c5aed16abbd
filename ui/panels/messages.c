// SPDX-License-Identifier: GPL-2.0-or-later
/* The panels `messages`, what commands have said, and `help`, what can be typed. */
#include "ui/panels/panel.h"

#include "ui/debug/keys.h"
#include "ui/debug/said.h"

#include <ctype.h>
#include <string.h>

static const struct table_column message_columns[] = { { .title = "text", .quiet = true } };

static void messages_take(struct table *t, struct debug *g, const struct scene *s)
{
    const size_t nr = g->said ? said_nr(g->said) : 0;

    for (size_t i = g->said ? said_first(g->said) : 0; i < nr; i++) {
        struct table_row *row = table_row(t, "%zu", i);

        table_cell(t, row, "%s", said_line(g->said, i));
        if (row)
            row->here = i + 1 == nr;
    }
}

const struct panel_ops panel_messages = { .name = "messages",
                                          .help = "what commands have said on this screen",
                                          .empty = "nothing has been said on a screen",
                                          .column = message_columns,
                                          .nr_columns = ARRAY_SIZE(message_columns),
                                          .take = messages_take,
                                          .is_line = true };

static const struct table_column help_columns[] = { { .title = "key" }, { .title = "command" }, { .title = "what" } };

/* The capital goes back. */
static void help_key(struct table *t, struct table_row *row, const struct debug_command_info *c)
{
    if (c->key && c->backward)
        table_cell(t, row, "%c %c", c->key, toupper((unsigned char)c->key));
    else if (c->key)
        table_cell(t, row, c->key == ' ' ? "Space" : "%c", c->key);
    else
        table_cell(t, row, "%s", "");
}

/* What is written on a screen, and is no command. */
static void legend_take(struct table *t)
{
    static const char *const legend[][3] = {
        { "9C", "a number, then a key", "so many times: 10X is ten exits back" },
        { ">", "in front of a row", "where the machine stands" },
        { "*", "in front of a row", "not what it was at the last stop" },
        { "~", "in front of a row", "there at the last stop and no more; or it is known to come later" },
        { "c^!:", "on the timeline", "checkpoint, here, a guest crashes, another future begins; letters: marks" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(legend); i++) {
        struct table_row *row = table_row(t, "legend %s", legend[i][0]);

        for (unsigned int c = 0; c < 3; c++)
            table_cell(t, row, "%s", legend[i][c]);
        if (row)
            row->style = STYLE_title;
    }
}

static void help_take(struct table *t, struct debug *g, const struct scene *s)
{
    struct debug_command_info c;
    const struct key_binding *k;

    legend_take(t);
    for (size_t i = 0; debug_command_info(i, &c); i++) {
        struct table_row *row = table_row(t, "%s", c.name);

        help_key(t, row, &c);
        table_cell(t, row, "%s %s", c.name, c.args);
        table_cell(t, row, "%s", c.help);
        table_ask(t, row, "help %s", c.name);
    }
    for (size_t i = 0; (k = key_at(i)); i++) {
        struct table_row *row = table_row(t, "key %s", k->name);

        table_cell(t, row, "%s", k->name);
        table_cell(t, row, "%s", k->line);
        table_cell(t, row, "this key is that line");
        if (*k->line != ' ')
            table_ask(t, row, "help %.*s", (int)strcspn(k->line, " "), k->line);
    }
}

const struct panel_ops panel_help = { .name = "help",
                                      .help = "all commands and keys; & filters them",
                                      .empty = "there are no commands",
                                      .column = help_columns,
                                      .nr_columns = ARRAY_SIZE(help_columns),
                                      .take = help_take };
