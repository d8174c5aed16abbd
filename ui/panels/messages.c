// SPDX-License-Identifier: GPL-2.0-or-later
/* The panels `messages`, what commands have said, and `help`, what can be typed. */
#include "ui/panels/panel.h"

#include "ui/debug/keys.h"
#include "ui/debug/said.h"

#include <ctype.h>

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

static void help_take(struct table *t, struct debug *g, const struct scene *s)
{
    struct debug_command_info c;
    const struct key_binding *k;

    for (size_t i = 0; debug_command_info(i, &c); i++) {
        struct table_row *row = table_row(t, "%s", c.name);

        help_key(t, row, &c);
        table_cell(t, row, "%s %s", c.name, c.args);
        table_cell(t, row, "%s", c.help);
    }
    for (size_t i = 0; (k = key_at(i)); i++) {
        struct table_row *row = table_row(t, "key %s", k->name);

        table_cell(t, row, "%s", k->name);
        table_cell(t, row, "%s", k->line);
        table_cell(t, row, "this key is that line");
    }
}

const struct panel_ops panel_help = { .name = "help",
                                      .help = "all commands and keys; & filters them",
                                      .empty = "there are no commands",
                                      .column = help_columns,
                                      .nr_columns = ARRAY_SIZE(help_columns),
                                      .take = help_take };
