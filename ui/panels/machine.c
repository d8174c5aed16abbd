// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `machine`: pCPUs, domains and their vCPUs, as xentop(1) shows them. */
#include "ui/panels/panel.h"

#include <inttypes.h>

static const struct table_column columns[] = {
    { .title = "what" },
    { .title = "name" },
    { .title = "state" },
    { .title = "time", .right = true, .quiet = true },
    { .title = "share", .right = true, .quiet = true },
    { .title = "pages", .right = true },
    { .title = "rings", .quiet = true },
    { .title = "detail" },
};

#define NO_LIMIT UINT32_MAX /* pages: what dom0 may have */

/* A time, and what part of all the time that is. */
static void time_take(struct table *t, struct table_row *row, s_time_t part, s_time_t all)
{
    const uint64_t permille = all > 0 ? (uint64_t)part * 1000 / (uint64_t)all : 0;
    char text[LOOK_TEXT];

    look_time(part, text);
    table_cell(t, row, "%s", text);
    table_cell(t, row, "%" PRIu64 ".%" PRIu64 "%%", permille / 10, permille % 10);
}

static void pcpu_take(struct table *t, const struct look_pcpu *p)
{
    struct table_row *row = table_row(t, "p%u", p->cpu);

    table_cell(t, row, "pCPU %u", p->cpu);
    table_cell(t, row, "%s", p->sched ?: "in no pool");
    if (!p->online)
        table_cell(t, row, "offline");
    else if (p->idle)
        table_cell(t, row, "idle");
    else
        table_cell(t, row, "runs d%uv%u", p->dom, p->vcpu);
    time_take(t, row, p->now - p->idled, p->now);
    table_ask(t, row, "why pcpu %u", p->cpu);
    if (row && p->idle)
        row->style = STYLE_idle;
}

/*
 * Where a domain's time went, in percent: rings that it was in, k and u of a PV guest, and Xen's, ring -1. "x3 k41 u56"
 */
static void rings_take(struct table *t, struct table_row *row, const struct look_domain *d)
{
    const s_time_t user = d->in_ring[3] - d->in_kernel, rest = d->in_ring[0] + d->in_ring[1] + d->in_ring[2];
    const bool hvm = d->type[0] != 'p' || d->type[2] == 'h';
    const s_time_t kernel = d->in_kernel + rest, all = kernel + user + d->in_xen;
    char text[LOOK_TEXT];
    int n;

    if (!d->works || all <= 0) {
        table_cell(t, row, "%s", "");
        return;
    }
    n = snprintf(text, sizeof(text), "x%d", (int)(d->in_xen * 100 / all));
    if (!hvm) {
        snprintf(text + n, sizeof(text) - (size_t)n, " k%d u%d", (int)(kernel * 100 / all), (int)(user * 100 / all));
    } else {
        for (unsigned int cpl = 0; cpl < ARRAY_SIZE(d->in_ring); cpl++)
            if (d->in_ring[cpl])
                n += snprintf(text + n, sizeof(text) - (size_t)n, " %u:%d", cpl, (int)(d->in_ring[cpl] * 100 / all));
    }
    table_cell(t, row, "%s", text);
}

static void vcpu_take(struct table *t, struct debug *g, const struct scene *s, const struct look_vcpu *v)
{
    struct table_row *row = table_row(t, "d%uv%u", v->dom, v->vcpu);
    char since[LOOK_TEXT], symbol[LOOK_SYMBOL] = "";

    look_time(v->since, since);
    if (!v->native)
        look_symbol(g->host, v->dom, v->pc, symbol);
    table_cell(t, row, "  d%uv%u", v->dom, v->vcpu);
    if (v->native)
        table_cell(t, row, "native");
    else
        table_cell(t, row, "%s", v->mode);
    table_cell(t, row, "%s", v->state);
    time_take(t, row, v->ran, s->now);
    table_cell(t, row, "%s", "");
    table_cell(t, row, "%s", "");
    table_cell(t, row, v->native ? "on pCPU %u, since %s%s%s" : "on pCPU %u, since %s%s%s; at 0x%" PRIx64 "%s", v->cpu,
               since, *v->why ? ": " : "", v->why, v->pc, symbol);
    table_ask(t, row, "why d%uv%u", v->dom, v->vcpu);
    if (row) {
        row->here = v->dom == s->dom && v->vcpu == s->vcpu;
        row->style = v->native                                             ? STYLE_native
                     : v->mode && (v->mode[0] == 'u' || v->mode[3] == '3') ? STYLE_user
                                                                           : STYLE_kernel;
    }
}

static void domain_take(struct table *t, struct debug *g, const struct scene *s, const struct look_domain *d)
{
    struct table_row *row = table_row(t, "d%u", d->dom);
    const size_t at = row ? (size_t)(row - t->row) : 0;
    s_time_t ran = 0;
    char limit[LOOK_TEXT] = "";
    struct look_vcpu v;

    for (unsigned int i = 0; i < d->vcpus; i++)
        if (look_vcpu(g->host, d->dom, i, &v))
            ran += v.ran;
    table_cell(t, row, "d%u", d->dom);
    table_cell(t, row, "%s", d->name ?: "");
    table_cell(t, row, "%s", d->state);
    time_take(t, row, ran, s->now);
    table_cell(t, row, "%" PRIu64, d->pages);
    rings_take(t, row, d);
    if (d->max_pages < NO_LIMIT)
        snprintf(limit, sizeof(limit), ", at most %" PRIu64 " pages", d->max_pages);
    table_cell(t, row, "%s, %u vCPU%s%s", d->type, d->vcpus, d->vcpus == 1 ? "" : "s", limit);
    table_ask(t, row, "why domain d%u", d->dom);
    if (row)
        t->row[at].style = STYLE_title;
    for (unsigned int i = 0; i < d->vcpus; i++)
        if (look_vcpu(g->host, d->dom, i, &v))
            vcpu_take(t, g, s, &v);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_pcpu p;
    struct look_domain d;

    for (unsigned int i = 0; look_pcpu(g->host, i, &p); i++)
        pcpu_take(t, &p);
    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        domain_take(t, g, s, &d);
}

const struct panel_ops panel_machine = { .name = "machine",
                                         .help = "pCPUs, domains and vCPUs: what they do, and their time",
                                         .empty = "there is no machine",
                                         .column = columns,
                                         .nr_columns = ARRAY_SIZE(columns),
                                         .take = take };
