// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `frames`: all frames of the machine, by owner and type.
 *
 *      type   x x x x . 4 3 2 1 w w w w n . . . .      a column is a range of frames, and shows what is rarest in it:
 *      owner  X X X X . 1 1 1 1 1 1 1 1 1 . . . .      page tables before what is written before what is free
 */
#include "ui/panels/panel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "owner" },
    { .title = "type" },
    { .title = "frames", .right = true },
    { .title = "MiB", .right = true },
    { .title = "pinned", .right = true },
    { .title = "first" },
    { .title = "letter" },
};

/* What a type is called in the picture; later ones hide earlier ones. */
static const char letters[LOOK_FRAME_KINDS] = {
    [LOOK_FRAME_FREE] = '.',   [LOOK_FRAME_XEN] = 'x',      [LOOK_FRAME_NONE] = 'n', [LOOK_FRAME_WRITABLE] = 'w',
    [LOOK_FRAME_SHARED] = 's', [LOOK_FRAME_SEG_DESC] = 'g', [LOOK_FRAME_L1] = '1',   [LOOK_FRAME_L2] = '2',
    [LOOK_FRAME_L3] = '3',     [LOOK_FRAME_L4] = '4'
};

static void kind_take(struct table *t, const struct look_frames_of *f)
{
    char owner[16];
    struct table_row *row;

    if (f->kind == LOOK_FRAME_FREE)
        snprintf(owner, sizeof(owner), "free");
    else if (f->owner == DOMID_INVALID)
        snprintf(owner, sizeof(owner), "xen");
    else
        snprintf(owner, sizeof(owner), "d%u", f->owner);
    row = table_row(t, "%s %s", owner, look_frame_kind(f->kind));
    table_cell(t, row, "%s", owner);
    table_cell(t, row, "%s", look_frame_kind(f->kind));
    table_cell(t, row, "%" PRIu64, f->frames);
    table_cell(t, row, "%" PRIu64 ".%" PRIu64, f->frames / 256, f->frames % 256 * 10 / 256);
    table_cell(t, row, "%" PRIu64, f->pinned);
    table_cell(t, row, "0x%" PRIx64, mfn_x(f->first));
    table_cell(t, row, "%c", letters[f->kind]);
    table_ask(t, row, "why frame 0x%" PRIx64, mfn_x(f->first));
}

static int by_owner(const void *a, const void *b)
{
    const struct look_frames_of *x = a, *y = b;
    const unsigned int left = x->kind == LOOK_FRAME_FREE ? UINT16_MAX + 1u : x->owner,
                       right = y->kind == LOOK_FRAME_FREE ? UINT16_MAX + 1u : y->owner;

    return left != right ? (left > right) - (left < right) : (x->kind > y->kind) - (x->kind < y->kind);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_frames *f = look_frames(g->host);
    size_t cells;

    if (!f)
        return;
    qsort(f->of, f->nr, sizeof(f->of[0]), by_owner);
    for (size_t i = 0; i < f->nr; i++)
        if (scene_wants(s, f->of[i].owner))
            kind_take(t, &f->of[i]);
    cells = f->nr_cells;
    while (cells && f->cell[cells - 1].kind == LOOK_FRAME_FREE)
        cells--;
    snprintf(t->note, sizeof(t->note), "%" PRIu64 " frames; from 0x%" PRIx64 " on all are free", f->frames,
             f->frames * cells / f->nr_cells);
    table_picture(t, f->cell, cells * sizeof(f->cell[0])); /* up to there */
    look_frames_free(f);
}

/* --- the picture --- */

#define LABEL 8
#define BANDS 4

static char owner_letter(domid_t owner)
{
    return owner == DOMID_INVALID ? 'X' : "0123456789abcdefghijklmnopqrstuvw"[owner % 33];
}

static enum style owner_style(const struct scene *s, const struct look_frame_cell *c)
{
    return c->kind == LOOK_FRAME_FREE  ? STYLE_dim
           : c->owner == DOMID_INVALID ? STYLE_xen
           : c->owner == s->dom        ? STYLE_here
                                       : STYLE_text;
}

/* Of the cells that one column stands for, the one that is shown. */
static struct look_frame_cell rarest(const struct look_frame_cell *cell, size_t nr)
{
    struct look_frame_cell best = cell[0];

    for (size_t i = 1; i < nr; i++)
        if (cell[i].kind > best.kind)
            best = cell[i];
    return best;
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const struct look_frame_cell *cell = t->picture;
    const size_t nr = t->picture_size / sizeof(*cell);
    const unsigned int cols = a->cols > LABEL + 1 ? a->cols - LABEL - 1 : 0;
    const unsigned int room = a->rows / 2 > 2 ? (a->rows / 2 - 1) / 2 : 0, bands = room < BANDS ? room : BANDS;
    const size_t all = (size_t)bands * cols < nr ? (size_t)bands * cols : nr;

    if (!all)
        return 0;
    for (unsigned int b = 0; b < bands; b++) {
        area_text(a, 2 * b, 1, STYLE_title, "type");
        area_text(a, 2 * b + 1, 1, STYLE_title, "owner");
    }
    for (size_t i = 0; i < all; i++) {
        const size_t from = nr * i / all, to = nr * (i + 1) / all;
        const struct look_frame_cell c = rarest(&cell[from], to - from);
        const unsigned int row = (unsigned int)(i / cols), col = LABEL + (unsigned int)(i % cols);

        area_put(a, 2 * row, col, owner_style(s, &c), (uint32_t)letters[c.kind]);
        area_put(a, 2 * row + 1, col, owner_style(s, &c),
                 c.kind == LOOK_FRAME_FREE ? '.' : (uint32_t)owner_letter(c.owner));
    }
    return 2 * bands;
}

const struct panel_ops panel_frames = { .name = "frames",
                                        .help = "all frames of memory by owner and type; dN: its own",
                                        .empty = "there is no memory",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .about = scene_about_domain,
                                        .take = take,
                                        .draw = draw };
