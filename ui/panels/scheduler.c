// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `scheduler`: who has run where lately, who waits in which queue, and what is left to whom.
 *
 *      p0 d1v0######d2v0==d1v0###      2.70ms..3.00ms, from left to right; blank: nobody. A column shows who had most
 *      p1 d0v0.......     d1v1####     of it.
 *
 * Concept: the picture is made of the trace's switches alone. The table is what the policy says itself, and it is asked
 * so that it changes nothing (`snapshot` in vcpu/sched/sched.h): credits are counted up to now, but not charged.
 */
#include "ui/panels/panel.h"

#include "tools/debug/past.h"
#include "tools/debug/sentence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "queue" },
    { .title = "place", .right = true },
    { .title = "vcpu" },
    { .title = "state" },
    { .title = "credit", .right = true },
    { .title = "weight", .right = true },
    { .title = "cap", .right = true },
    { .title = "what" },
};

struct waiting {
    struct look_vcpu v;
    struct look_sched s;
};

/* By pool and queue; there those who run, those who wait in their order, and those who do neither. */
static int by_queue(const void *a, const void *b)
{
    const struct waiting *x = a, *y = b;
    const int left[] = { (int)x->s.pool, x->s.queue, x->v.on_cpu ? 0 : x->s.queued ? 1 : 2 };
    const int right[] = { (int)y->s.pool, y->s.queue, y->v.on_cpu ? 0 : y->s.queued ? 1 : 2 };

    for (size_t i = 0; i < ARRAY_SIZE(left); i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    if (x->s.key != y->s.key)
        return x->s.key < y->s.key ? -1 : 1;
    if (x->s.seq != y->s.seq)
        return x->s.seq < y->s.seq ? -1 : 1;
    return x->v.dom != y->v.dom ? x->v.dom - y->v.dom : (int)x->v.vcpu - (int)y->v.vcpu;
}

static void credit_take(struct table *t, struct table_row *row, const struct look_sched *s)
{
    if (s->has_credit)
        table_cell(t, row, "%" PRId64 ".%03" PRIu64 "us", s->credit / 1000,
                   (uint64_t)(s->credit < 0 ? -s->credit : s->credit) % 1000);
    else
        table_cell(t, row, "%s", "");
}

static void row_take(struct table *t, const struct scene *s, const struct waiting *w, unsigned int place)
{
    struct table_row *row = table_row(t, "d%uv%u", w->v.dom, w->v.vcpu);
    char pool[24] = "", queue[16] = "";

    if (w->s.pool)
        snprintf(pool, sizeof(pool), "pool %u ", w->s.pool);
    if (w->s.queue >= 0)
        snprintf(queue, sizeof(queue), " q%d", w->s.queue);
    table_cell(t, row, "%s%s%s", pool, w->s.policy, queue);
    if (w->v.on_cpu)
        table_cell(t, row, "p%u", w->v.cpu);
    else if (w->s.queued)
        table_cell(t, row, "%u", place);
    else
        table_cell(t, row, "%s", "");
    table_cell(t, row, "d%uv%u", w->v.dom, w->v.vcpu);
    table_cell(t, row, "%s", w->v.state);
    credit_take(t, row, &w->s);
    table_cell(t, row, w->s.weight ? "%u" : "", w->s.weight);
    table_cell(t, row, w->s.cap ? "%u%%" : "", w->s.cap);
    table_cell(t, row, "%s", w->s.text);
    table_ask(t, row, "why d%uv%u", w->v.dom, w->v.vcpu);
    if (row) {
        row->here = w->v.dom == s->dom && w->v.vcpu == s->vcpu;
        row->style = w->v.on_cpu ? STYLE_kernel : w->s.queued ? STYLE_text : STYLE_idle;
    }
}

static size_t all_take(struct debug *g, struct waiting **all)
{
    struct look_domain d;
    size_t nr = 0, cap = 0;

    *all = NULL;
    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        for (unsigned int i = 0; i < d.vcpus; i++) {
            if (nr == cap) {
                struct waiting *more = reallocarray(*all, cap ? 2 * cap : 16, sizeof(*more));

                if (!more)
                    return nr;
                *all = more;
                cap = cap ? 2 * cap : 16;
            }
            nr += look_vcpu(g->host, d.dom, i, &(*all)[nr].v) && look_sched(g->host, d.dom, i, &(*all)[nr].s);
        }
    return nr;
}

/* --- who has run --- */

#define STRETCHES 4096 /* at most, the last ones */

struct stretch {
    s_time_t from, to;
    uint16_t cpu, vcpu;
    domid_t dom; /* DOMID_INVALID: nobody */
};

struct gantt {
    s_time_t from, to;
    unsigned int cpus;
    size_t nr;
    struct stretch stretch[STRETCHES];
};

static void vcpu_of(uint64_t id, struct stretch *s)
{
    s->dom = id == TRACE_NONE ? DOMID_INVALID : (domid_t)(id >> 16);
    s->vcpu = (uint16_t)id;
}

static void stretch_add(struct gantt *gt, const struct stretch *s)
{
    if (gt->nr == STRETCHES)
        memmove(gt->stretch, gt->stretch + 1, --gt->nr * sizeof(*s));
    if (s->to > s->from && s->dom != DOMID_INVALID)
        gt->stretch[gt->nr++] = *s;
}

/* From switch to switch of one pCPU: from the window's beginning, up to now. */
static void cpu_take(struct gantt *gt, const struct scene *s, const struct look_pcpu *p)
{
    struct stretch last = { .from = gt->from, .cpu = (uint16_t)p->cpu };
    bool known = false;

    for (size_t i = 0; i < s->window->nr; i++) {
        const struct trace_record *rec = &s->window->rec[i];

        if (rec->event != TRC_sched_switch || rec->pcpu != p->cpu)
            continue;
        if (!known)
            vcpu_of(record_field(rec, "prev"), &last);
        known = true;
        last.to = rec->time;
        stretch_add(gt, &last);
        last.from = rec->time;
        vcpu_of(record_field(rec, "next"), &last);
    }
    last.dom = p->idle ? DOMID_INVALID : p->dom;
    last.vcpu = (uint16_t)p->vcpu;
    last.to = p->now;
    stretch_add(gt, &last);
}

static void gantt_take(struct table *t, struct debug *g, const struct scene *s)
{
    struct gantt *gt = calloc(1, sizeof(*gt));
    char from[LOOK_TEXT], to[LOOK_TEXT];
    struct look_pcpu p;

    if (!gt || memcmp(&s->window->to, &s->at, sizeof(s->at)) != 0) { /* or it runs, and nobody has looked back */
        free(gt);
        return;
    }
    gt->from = gt->to = s->now;
    for (size_t i = 0; i < s->window->nr; i++) /* pCPUs are not all at the same time */
        gt->from = s->window->rec[i].time < gt->from ? s->window->rec[i].time : gt->from;
    for (unsigned int cpu = 0; look_pcpu(g->host, cpu, &p); cpu++) {
        gt->to = p.now > gt->to ? p.now : gt->to;
        gt->cpus = cpu + 1;
    }
    for (unsigned int cpu = 0; look_pcpu(g->host, cpu, &p); cpu++)
        cpu_take(gt, s, &p);
    look_time(gt->from, from);
    look_time(gt->to, to);
    snprintf(t->note, sizeof(t->note), "%s..%s", from, to);
    table_picture(t, gt, sizeof(*gt) - (STRETCHES - gt->nr) * sizeof(gt->stretch[0]));
    free(gt);
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct waiting *all;
    const size_t nr = all_take(g, &all);
    unsigned int place = 0;

    if (nr)
        qsort(all, nr, sizeof(*all), by_queue);
    for (size_t i = 0; i < nr; i++) {
        if (!i || all[i].s.queue != all[i - 1].s.queue || all[i].s.pool != all[i - 1].s.pool)
            place = 0;
        place += all[i].s.queued;
        row_take(t, s, &all[i], place);
    }
    free(all);
    gantt_take(t, g, s);
}

/* --- the picture --- */

#define LABEL    4
#define COLS_MAX GRID_MAX_COLS

static char fill_of(domid_t dom) { return dom ? "#=+%ox"[(dom - 1u) % 6] : '.'; }

static enum style style_of(const struct scene *s, const struct stretch *r)
{
    return !r->dom ? STYLE_native : r->dom == s->dom ? STYLE_here : STYLE_kernel;
}

/* Who had most of each column. */
static void columns_make(const struct gantt *gt, unsigned int cpu, unsigned int cols,
                         const struct stretch *most[COLS_MAX])
{
    const double width = (double)(gt->to - gt->from) / cols;
    double had[COLS_MAX] = { 0 };

    memset(most, 0, sizeof(most[0]) * COLS_MAX);
    for (size_t i = 0; i < gt->nr; i++) {
        const struct stretch *r = &gt->stretch[i];
        const double from = (double)(r->from - gt->from) / width, to = (double)(r->to - gt->from) / width;

        for (unsigned int c = (unsigned int)from; r->cpu == cpu && c < cols && c < to; c++) {
            const double part = (to < c + 1 ? to : c + 1) - (from > c ? from : c);

            if (part > had[c]) {
                had[c] = part;
                most[c] = r;
            }
        }
    }
}

static void cpu_draw(const struct gantt *gt, const struct scene *s, unsigned int cpu, struct area *a)
{
    const struct stretch *most[COLS_MAX];
    const unsigned int cols = a->cols < COLS_MAX ? a->cols : COLS_MAX;

    columns_make(gt, cpu, cols, most);
    for (unsigned int c = 0; c < cols;) {
        const struct stretch *r = most[c];
        unsigned int end = c + 1;
        char name[16];

        while (end < cols && most[end] && r && most[end]->dom == r->dom && most[end]->vcpu == r->vcpu)
            end++;
        if (r) {
            area_fill(a, 0, c, end - c, style_of(s, r), (uint32_t)fill_of(r->dom));
            snprintf(name, sizeof(name), "d%uv%u", r->dom, r->vcpu);
            if (strlen(name) < end - c)
                area_text(a, 0, c, style_of(s, r), name);
        }
        c = end;
    }
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    const struct gantt *gt = t->picture;
    const unsigned int room = a->rows / 2, rows = gt && gt->cpus < room ? gt->cpus : room;

    if (!gt || gt->to <= gt->from || a->cols <= LABEL)
        return 0;
    for (unsigned int cpu = 0; cpu < rows; cpu++) {
        struct area bar = area_part(a, cpu, LABEL, 1, a->cols - LABEL);

        area_print(a, cpu, 0, STYLE_title, "p%u", cpu);
        cpu_draw(gt, s, cpu, &bar);
    }
    return rows;
}

const struct panel_ops panel_scheduler = { .name = "scheduler",
                                           .help = "who has run on which pCPU, who waits, and what is left to whom",
                                           .empty = "there are no vCPUs",
                                           .column = columns,
                                           .nr_columns = ARRAY_SIZE(columns),
                                           .of_past = true,
                                           .take = take,
                                           .draw = draw };
