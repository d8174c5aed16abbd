// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `paging`: how each domain's memory is virtualized, and what that has come to.
 *
 *      domain  paging           walk  own  fills  none  stores  asked  syncs  evicted  shadows
 *      d1      direct              4    9      -     -       0     25      -        -        -
 *      d2      nested             24    9      -   175       -      -      -        -        -
 *      d3      shadow, oos         4    9     45   179       2      -      4        0       18
 *
 * walk: entries that a processor without a TLB reads to come to its vCPU 0's next instruction, and with the nested
 * tables those of both kinds (panels pages, nested show them). Page faults: own ones, that fill a shadow, where there
 * is no memory. Who writes to tables: stores that Xen carried out, entries that it was asked for by hypercall.
 *
 * Concept: what one dimension saves in walks it pays in faults and stores.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "domain" },
    { .title = "paging" },
    { .title = "walk", .right = true },
    { .title = "own", .right = true },
    { .title = "fills", .right = true },
    { .title = "none", .right = true },
    { .title = "stores", .right = true },
    { .title = "asked", .right = true },
    { .title = "syncs", .right = true },
    { .title = "evicted", .right = true },
    { .title = "shadows", .right = true },
};

static unsigned int walk_of(struct host *h, domid_t dom)
{
    struct look_nested n;
    struct look_walk w;
    struct look_vcpu v;
    unsigned int nr = 0;

    if (!look_vcpu(h, dom, 0, &v))
        return 0;
    if (!look_nested(h, dom, 0, v.pc, &n))
        return look_walk(h, dom, 0, v.pc, &w) ? w.nr : 0;
    while (nr < n.nr && n.ref[nr].shadow)
        nr++;
    return nr ?: n.nr;
}

static void number(struct table *t, struct table_row *row, bool has, uint64_t n)
{
    if (has)
        table_cell(t, row, "%" PRIu64, n);
    else
        table_cell(t, row, "-");
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct domain_work w;

    for (unsigned int n = 0; look_work(g->host, &n, &w); n++) {
        struct table_row *row = w.paging ? table_row(t, "d%u", w.domid) : NULL;
        const bool direct = row && !strcmp(w.paging, "direct"), shadow = w.shadow.used;

        if (!row)
            continue;
        table_cell(t, row, "d%u", w.domid);
        table_cell(t, row, "%s", w.paging);
        table_cell(t, row, "%u", walk_of(g->host, w.domid));
        number(t, row, true, w.page_faults);
        number(t, row, shadow, w.shadow.fills);
        number(t, row, !direct, w.nested_faults);
        number(t, row, direct || shadow, w.table_stores);
        number(t, row, direct, w.table_updates);
        number(t, row, shadow, w.shadow.syncs);
        number(t, row, shadow, w.shadow.evictions);
        number(t, row, shadow, w.shadow.nr);
        table_ask(t, row, "why domain d%u", w.domid);
        if (w.domid == s->dom)
            row->style = STYLE_kernel;
    }
}

const struct panel_ops panel_paging = { .name = "paging",
                                        .help = "each domain's way to memory: page faults, stores to tables, shadows",
                                        .empty = "there is no domain with page tables",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .take = take };
