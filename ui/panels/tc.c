// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `tc`: the translation cache of a guest that runs by binary translation (vcpu/five/translate.h).
 *
 * Concept: a block is a source and its product. That of %rip, or of ADDR, is shown whole: each instruction beside those
 * that run in its place, and in the last column what the guest's state is in front of each. Below it all blocks whose
 * text is what it was, a row each. Marked is where the machine stands. On a narrow panel there is no room for
 * addresses: what is side by side matters more.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_tc.h"

#include <inttypes.h>

static const struct table_column columns[] = { { .title = "source", .right = true, .spare = true },
                                               { .title = "the guest's" },
                                               { .title = "product", .right = true, .spare = true },
                                               { .title = "runs in its place" },
                                               { .title = "the guest is", .spare = true } };

/* pc: where the machine stands. */
static void line_take(struct table *t, struct debug *g, domid_t dom, uint32_t nr, uint32_t line, uint64_t pc)
{
    struct table_row *row;
    struct look_tc_line l;

    if (!look_tc_line(g->host, dom, nr, line, &l))
        return;
    row = table_row(t, "%" PRIx64, l.at);
    if (l.begins)
        table_cell(t, row, "%" PRIx64, l.rip);
    else
        table_cell(t, row, "%s", "");
    table_cell(t, row, "%s", l.source);
    table_cell(t, row, "%" PRIx64, l.at);
    table_cell(t, row, "%s", l.text);
    table_cell(t, row, "%s", l.state);
    table_ask(t, row, "why d%u:0x%" PRIx64, dom, l.rip);
    if (row) {
        row->style = l.begins ? STYLE_kernel : STYLE_text;
        row->here = l.begins && l.rip == pc;
    }
}

static void block_take(struct table *t, struct debug *g, domid_t dom, uint32_t nr, bool here)
{
    struct look_tc_block b;
    struct table_row *row;
    char symbol[LOOK_SYMBOL];

    if (!look_tc_block(g->host, dom, nr, &b) || b.dead)
        return;
    look_symbol(g->host, dom, b.rip, symbol);
    row = table_row(t, "block %u", nr);
    table_cell(t, row, "%" PRIx64, b.rip);
    table_cell(t, row, "%s", symbol);
    table_cell(t, row, "%" PRIx64, b.product);
    table_cell(t, row, "%u bytes -> %u", b.len, b.size);
    table_cell(t, row, "entered %" PRIu64 ", branches %" PRIu64 "%s", b.entered, b.links,
               b.looked_up ? ", looked up" : "");
    table_ask(t, row, "why d%u:0x%" PRIx64, dom, b.rip);
    if (row) {
        row->style = STYLE_title;
        row->here = here;
    }
}

static void sum_take(struct table *t, domid_t dom, const struct look_tc *all)
{
    struct table_row *row = table_row(t, "all");

    table_cell(t, row, "all");
    table_cell(t, row, "%" PRIu64 " blocks, %" PRIu64 " dead", all->blocks, all->died);
    table_cell(t, row, "dropped %" PRIu64, all->dropped);
    table_cell(t, row, "%" PRIu64 " bytes -> %" PRIu64, all->bytes, all->product_bytes);
    table_cell(t, row, "entered %" PRIu64 ", chained %" PRIu64 ", looked up %" PRIu64, all->entered, all->chained,
               all->looked_up);
    table_ask(t, row, "why domain d%u", dom);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const domid_t dom = s->about.given ? s->about.what.dom : s->dom;
    const uint64_t rip = s->about.given ? s->about.what.addr : s->v.pc;
    const bool ours = dom == s->dom;
    struct look_tc_block b;
    struct look_tc all;
    uint32_t nr, here = UINT32_MAX;

    if (!look_tc(g->host, dom, &all))
        return;
    snprintf(t->note, sizeof(t->note), "d%u: %" PRIu64 " blocks", dom, all.blocks);
    if (look_tc_find(g->host, dom, rip, &nr) && look_tc_block(g->host, dom, nr, &b))
        for (uint32_t i = 0; i < b.nr_lines; i++)
            line_take(t, g, dom, nr, i, ours ? s->v.pc : UINT64_MAX);
    if (ours)
        look_tc_find(g->host, dom, s->v.pc, &here);
    for (uint32_t i = 0; i < all.nr_blocks; i++)
        block_take(t, g, dom, i, i == here);
    sum_take(t, dom, &all);
}

const struct panel_ops panel_tc = { .name = "tc",
                                    .help = "translated code: the block at %rip, or at ADDR, and all blocks",
                                    .empty = "there are no translations: --technique translate makes them",
                                    .column = columns,
                                    .nr_columns = ARRAY_SIZE(columns),
                                    .about = scene_about_address,
                                    .take = take };
