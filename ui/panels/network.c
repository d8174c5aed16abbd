// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `network`: bridges in dom0, what is at their ports, and what has gone through.
 *
 *      lan vif1.0 d1   [##########..............................]   frames that wait in the queue; FULL since
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BRIDGE, PORT, WHOSE, MACS, SENT, RECEIVED, QUEUE, MOST, DROPPED, OTHERS, RATE, FULL };

static const struct table_column columns[] = {
    [BRIDGE] = { .title = "bridge" },
    [PORT] = { .title = "port" },
    [WHOSE] = { .title = "whose" },
    [MACS] = { .title = "macs", .right = true, .spare = true },
    [SENT] = { .title = "sent" },
    [RECEIVED] = { .title = "received" },
    [QUEUE] = { .title = "queue" },
    [MOST] = { .title = "most", .right = true, .spare = true },
    [DROPPED] = { .title = "dropped", .right = true },
    [OTHERS] = { .title = "others" },
    [RATE] = { .title = "rate" },
    [FULL] = { .title = "full since" },
};

struct taking {
    struct table *t;
    const struct scene *s;
};

/* What else has become of frames: none of it is usual. */
static void others_take(struct table *t, struct table_row *row, const struct host_port *p)
{
    char text[160] = "";
    const struct {
        uint64_t n;
        const char *what;
    } list[] = { { p->nowhere, "for nobody" }, { p->unwanted, "unwanted" }, { p->errors, "wrong" }, { p->cut, "cut" } };

    for (size_t i = 0, len = 0; i < ARRAY_SIZE(list); i++)
        if (list[i].n)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRIu64 " %s", len ? ", " : "", list[i].n,
                                    list[i].what);
    table_cell(t, row, "%s", text);
}

static void port_take(void *data, const struct host_port *p)
{
    const struct taking *k = data;
    struct table *t = k->t;
    struct table_row *row;
    char time[LOOK_TEXT];

    if (k->s->about.given && k->s->about.what.dom != p->domid)
        return;
    row = table_row(t, "%s %s d%u", p->bridge, p->name, p->domid);
    table_cell(t, row, "%s", p->bridge);
    table_cell(t, row, "%s", p->name);
    table_cell(t, row, p->domid ? "d%u" : "outside", p->domid);
    table_cell(t, row, "%u", p->macs);
    table_cell(t, row, "%" PRIu64 ", %" PRIu64 " B", p->in, p->in_bytes);
    table_cell(t, row, "%" PRIu64 ", %" PRIu64 " B", p->out, p->out_bytes);
    table_cell(t, row, "%u of %u", p->queued, p->room);
    table_cell(t, row, "%u", p->most);
    table_cell(t, row, "%" PRIu64, p->dropped);
    others_take(t, row, p);
    look_time(p->interval, time);
    table_cell(t, row, p->interval ? "%" PRIu64 " bytes in %s, %" PRId64 " left" : "", p->rate, time, p->credit);
    look_time(p->full_since, time);
    table_cell(t, row, "%s", p->queued == p->room ? time : "");
    table_ask(t, row, "why netport %s", p->name);
    if (row && p->queued)
        row->style = p->queued == p->room ? STYLE_error : STYLE_key;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct taking k = { t, s };

    host_ports_each(g->host, port_take, &k);
}

/* --- the picture --- */

#define LABEL 26
#define BAR   40

static void queue_draw(const struct table_row *row, struct area *a, unsigned int at)
{
    unsigned int queued, room, used;

    if (sscanf(row->cell[QUEUE] ?: "", "%u of %u", &queued, &room) != 2 || !room || a->cols < LABEL + 10)
        return;
    used = (queued * BAR + room - 1) / room;
    area_print(a, at, 1, row->style, "%s %s %s", row->cell[BRIDGE], row->cell[PORT], row->cell[WHOSE]);
    area_put(a, at, LABEL, STYLE_dim, '[');
    for (unsigned int i = 0; i < BAR; i++)
        area_put(a, at, LABEL + 1 + i, i < used ? STYLE_key : STYLE_dim, i < used ? '#' : '.');
    area_put(a, at, LABEL + 1 + BAR, STYLE_dim, ']');
    if (*(row->cell[FULL] ?: ""))
        area_print(a, at, LABEL + 3 + BAR, row->style, "FULL since %s", row->cell[FULL]);
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const unsigned int room = a->rows / 2;
    unsigned int at = 0;

    for (size_t i = 0; i < t->nr && at < room; i++)
        queue_draw(&t->row[i], a, at++);
    return at;
}

const struct panel_ops panel_network = { .name = "network",
                                         .help = "networks of guests: who is on them, frames, queues; dN: its own",
                                         .empty = "there is no network, or nobody is on it",
                                         .column = columns,
                                         .nr_columns = ARRAY_SIZE(columns),
                                         .about = scene_about_domain,
                                         .take = take,
                                         .draw = draw };
