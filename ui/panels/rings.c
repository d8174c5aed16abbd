// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `rings`: shared rings, by whom they are shared and how they stand.
 *
 *      d1 console out     [..........>####<.....................]      # was produced and not yet consumed; the bar is
 *                                                                      the ring, an index its place in it
 *      d1 vbd requests        [....AAAAAADTTDTRRRRRRR..........]      slots: '.' free, requested, taken by the back end,
 *                                                                      done and waiting for its turn, answered
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FRONT, DEVICE, RING, FROM, PROD, CONS, USED, SIZE, EVENT, NOTIFY, SLOTS, FULL, LOST };

static const struct table_column columns[] = {
    [FRONT] = { .title = "front" },
    [DEVICE] = { .title = "device" },
    [RING] = { .title = "ring" },
    [FROM] = { .title = "producer" },
    [PROD] = { .title = "prod", .right = true },
    [CONS] = { .title = "cons", .right = true },
    [USED] = { .title = "used", .right = true },
    [SIZE] = { .title = "size", .right = true },
    [EVENT] = { .title = "event", .right = true },
    [NOTIFY] = { .title = "notify" },
    [SLOTS] = { .title = "slots" },
    [FULL] = { .title = "full since" },
    [LOST] = { .title = "lost", .right = true },
};

_Static_assert(ARRAY_SIZE(columns) <= TABLE_COLS, "a row has room for them");

#define BAR 64

/* At most BAR letters: one for several slots is that of the one that is farthest from free. */
static void letters(const struct look_ring *r, char text[BAR + 1])
{
    static const char order[] = "RTDA.";
    const unsigned int each = r->size > BAR ? r->size / BAR : 1;
    unsigned int n = 0;

    for (unsigned int i = 0; r->letter[i] && n < BAR; i += each, n++) {
        text[n] = '.';
        for (unsigned int j = i; j < i + each; j++)
            if (strchr(order, r->letter[j]) < strchr(order, text[n]))
                text[n] = r->letter[j];
    }
    text[n] = 0;
}

static void ring_take(struct table *t, const struct look_ring *r)
{
    struct table_row *row = table_row(t, "d%u %s %s %u", r->front, r->device, r->name, r->port);
    const uint32_t used = r->prod - r->cons;
    char slots[BAR + 1], since[LOOK_TEXT] = "";

    letters(r, slots);
    if (r->full_since)
        look_time(r->full_since, since);
    table_cell(t, row, "d%u", r->front);
    table_cell(t, row, "%s", r->device);
    table_cell(t, row, "%s", r->name);
    table_cell(t, row, "d%u", r->from_front ? r->front : r->back);
    table_cell(t, row, "%" PRIu32, r->prod);
    table_cell(t, row, "%" PRIu32, r->cons);
    table_cell(t, row, used > r->size ? "impossible" : "%" PRIu32, used);
    table_cell(t, row, "%" PRIu32, r->size);
    table_cell(t, row, r->has_event ? "%" PRIu32 : "", r->event);
    table_cell(t, row, "d%u port %u: %" PRIu64 " sent, %" PRIu64 " saved", r->back, r->port, r->sent, r->saved);
    table_cell(t, row, "%s", slots);
    table_cell(t, row, "%s", since);
    table_cell(t, row, r->lost ? "%" PRIu64 : "", r->lost);
    table_ask(t, row, "why port d%u %u", r->back, r->port);
    if (row && used)
        row->style = used > r->size ? STYLE_error : STYLE_key;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    size_t nr;
    struct look_ring *r = look_rings(g->host, &nr);

    for (size_t i = 0; i < nr; i++)
        if (scene_wants(s, r[i].front))
            ring_take(t, &r[i]);
    free(r);
}

/* --- the picture --- */

#define LABEL 22
#define BYTES 40 /* the bar of a ring of bytes */

/* A letter a slot, or a few; what is in use stands out. */
static void slots_draw(const struct table_row *row, struct area *a, unsigned int at)
{
    const unsigned int nr = (unsigned int)strlen(row->cell[SLOTS] ?: "");

    area_print(a, at, 1, row->style, "%s %s %s", row->cell[FRONT], row->cell[DEVICE], row->cell[RING]);
    area_put(a, at, LABEL, STYLE_dim, '[');
    for (unsigned int i = 0; i < nr; i++)
        area_put(a, at, LABEL + 1 + i, row->cell[SLOTS][i] == '.' ? STYLE_dim : STYLE_key, row->cell[SLOTS][i]);
    area_put(a, at, LABEL + 1 + nr, STYLE_dim, ']');
    if (*(row->cell[FULL] ?: ""))
        area_print(a, at, LABEL + 3 + nr, row->style, "FULL since %s", row->cell[FULL]);
}

static void bar_draw(const struct table_row *row, struct area *a, unsigned int at)
{
    const uint32_t prod = (uint32_t)strtoul(row->cell[PROD] ?: "", NULL, 10),
                   cons = (uint32_t)strtoul(row->cell[CONS] ?: "", NULL, 10),
                   size = (uint32_t)strtoul(row->cell[SIZE] ?: "", NULL, 10), used = prod - cons;
    const unsigned int cols = a->cols > LABEL + 2 + BYTES ? BYTES : a->cols > LABEL + 10 ? a->cols - LABEL - 2 : 0;

    if (!cols || !size)
        return;
    area_print(a, at, 1, row->style, "%s %s %s", row->cell[FRONT], row->cell[DEVICE], row->cell[RING]);
    area_put(a, at, LABEL, STYLE_dim, '[');
    area_fill(a, at, LABEL + 1, cols, STYLE_dim, '.');
    area_put(a, at, LABEL + 1 + cols, STYLE_dim, ']');
    for (uint32_t i = 0; used <= size && i < used; i++)
        area_put(a, at, LABEL + 1 + (unsigned int)((uint64_t)((cons + i) % size) * cols / size), STYLE_key, '#');
    area_put(a, at, LABEL + 1 + (unsigned int)((uint64_t)(cons % size) * cols / size), STYLE_here, used ? '>' : '|');
}

/* As many rings as a third of the area has rows for; the vCPU's domain's are the first. */
static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const unsigned int room = a->rows / 3;
    char own[16];
    unsigned int at = 0;

    snprintf(own, sizeof(own), "d%u", s->dom);
    for (unsigned int others = 0; others < 2; others++)
        for (size_t i = 0; i < t->nr && at < room; i++)
            if (!strcmp(t->row[i].cell[FRONT] ?: "", own) == !others)
                (*(t->row[i].cell[SLOTS] ?: "") ? slots_draw : bar_draw)(&t->row[i], a, at++);
    return at;
}

const struct panel_ops panel_rings = { .name = "rings",
                                       .help = "shared rings: who produces, what is not consumed yet; dN: its own",
                                       .empty = "there are no rings",
                                       .column = columns,
                                       .nr_columns = ARRAY_SIZE(columns),
                                       .about = scene_about_domain,
                                       .take = take,
                                       .draw = draw };
