// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `grants`: frames that domains offer to each other, and what use is made of that. */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "domain" }, { .title = "ref", .right = true },
    { .title = "state" },  { .title = "for" },
    { .title = "access" }, { .title = "frame" },
    { .title = "mfn" },    { .title = "pins", .right = true },
};

static void grant_take(struct table *t, domid_t dom, const struct look_grant *gr)
{
    struct table_row *row = table_row(t, "d%u.%u", dom, gr->ref);

    table_cell(t, row, "d%u", dom);
    table_cell(t, row, "%u", gr->ref);
    table_cell(t, row, "%s", gr->state);
    table_cell(t, row, "d%u", gr->user);
    table_cell(t, row, "%s", gr->readonly ? "read only" : "writable");
    if (gr->frame == UINT64_MAX)
        table_cell(t, row, "%s", "");
    else
        table_cell(t, row, "0x%" PRIx64, gr->frame);
    table_ask(t, row, "why grant d%u %u", dom, gr->ref);
    if (!gr->pins)
        return;
    table_cell(t, row, "0x%" PRIx64, mfn_x(gr->mfn));
    table_cell(t, row, "%u", gr->pins);
    if (row)
        row->style = strcmp(gr->state, "withdrawn") != 0 ? STYLE_key : STYLE_error;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_domain d;
    struct look_grant gr;

    for (unsigned int i = 0; look_domain(g->host, &i, &d); i++)
        for (unsigned int n = 0; scene_wants(s, d.dom) && look_grant(g->host, d.dom, &n, &gr); n++)
            grant_take(t, d.dom, &gr);
}

const struct panel_ops panel_grants = { .name = "grants",
                                        .help = "frames that domains offer, and who uses them; dN: its own",
                                        .empty = "nothing is granted to anybody",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .about = scene_about_domain,
                                        .take = take };
