// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `nested`: the walk of an HVM guest's address through both kinds of page tables, entry by entry.
 *
 *      nr  table    index for gpa  at machine  entry       The guest's tables are said in guest-physical addresses; so
 *       1  nested 4     0 104000   m:5c8000    5c9007      to read one of their entries the processor first goes through
 *       2  nested 3     0 104000   ...                     the nested tables. In long mode, with pages of 4 KiB on both
 *       5  GUEST 4      0 104000   m:616000    103027      sides, that is 24 entries for one address: 4 levels of the
 *       =               m:6ca36e                           guest's and the page, each 4 nested ones, and 4 of its own.
 *
 * Of a guest without nested paging the shadow page tables come first, which are all that the processor walks; the rest
 * is what Xen reads to fill them.
 *
 * Concept: why a TLB matters more under nested paging, and why large pages in either kind of tables pay.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>

static const struct table_column columns[] = {
    { .title = "nr", .right = true },
    { .title = "table" },
    { .title = "index", .right = true },
    { .title = "for gpa", .right = true },
    { .title = "at machine", .right = true },
    { .title = "entry", .right = true },
    { .title = "says" },
};

#define PRESENT  (UINT64_C(1) << 0)
#define WRITABLE (UINT64_C(1) << 1)
#define USER     (UINT64_C(1) << 2)

static void ref_take(struct table *t, unsigned int nr, const struct look_nested_ref *r)
{
    struct table_row *row = table_row(t, "%u", nr);

    table_cell(t, row, "%u", nr);
    table_cell(t, row, r->shadow ? "shadow %u" : r->guest ? "GUEST %u" : "nested %u", r->level);
    table_cell(t, row, "%u", r->index);
    table_cell(t, row, "%" PRIx64, r->gpa);
    table_cell(t, row, "%" PRIx64, r->maddr);
    table_cell(t, row, "%" PRIx64, r->entry);
    if (r->entry & PRESENT)
        table_cell(t, row, "%s%s%s%s", r->entry & WRITABLE ? "W" : "-", r->entry & USER ? "U" : "-",
                   r->large ? " large page" : "", r->oos ? " out of sync" : "");
    else
        table_cell(t, row, "not present");
    if (row)
        row->style = !(r->entry & PRESENT) ? STYLE_error : r->guest ? STYLE_kernel : STYLE_xen;
}

static void end_take(struct table *t, const struct look_nested *n)
{
    struct table_row *row = table_row(t, "=");

    table_cell(t, row, "=");
    table_cell(t, row, n->found ? "the page" : n->npf ? "exit: NPF" : "#PF");
    table_cell(t, row, "%s", "");
    if (n->found || n->npf)
        table_cell(t, row, "%" PRIx64, n->gpa);
    if (n->found)
        table_cell(t, row, "%" PRIx64, n->maddr);
    if (row)
        row->style = n->found ? STYLE_title : STYLE_error;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const struct debug_addr here = { .dom = s->dom, .vcpu = s->vcpu, .addr = s->v.pc };
    const struct debug_addr *a = s->about.given ? &s->about.what : &here;
    struct look_nested n;
    struct look_vcpu v;

    if (!look_nested(g->host, a->dom, a->vcpu, a->addr, &n) || !look_vcpu(g->host, a->dom, a->vcpu, &v))
        return;
    snprintf(t->note, sizeof(t->note), "%s = d%uv%u:0x%" PRIx64 ", %s: %u entries",
             s->about.given ? s->about.text : "%rip", a->dom, a->vcpu, a->addr, v.works, n.nr);
    for (unsigned int i = 0; i < n.nr; i++)
        ref_take(t, i + 1, &n.ref[i]);
    end_take(t, &n);
}

const struct panel_ops panel_nested = {
    .name = "nested",
    .help = "the walk to %rip, or to ADDR, through an HVM guest's and the nested tables",
    .empty = "there are no nested tables: a PV guest's or a native vCPU, or none",
    .column = columns,
    .nr_columns = ARRAY_SIZE(columns),
    .about = scene_about_address,
    .take = take
};
