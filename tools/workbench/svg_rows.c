// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rows of the Gantt chart.
 *
 * Concept: a row is either drawn stretch by stretch, or, when stretches would be narrower than a few pixels and the
 * chart a smear, in steps of time: each step is a stack, in which every state has the part of the height that it had of
 * the time.
 *
 *      stretches   ████▒▒▒▒▒____████       steps   ▒▒▒▒▒▒▒
 *                  ran waited slept ran            ▒▒███▒▒
 *                                                  ███████
 *
 * What is what can be told without colour: running fills the height in the domain's pattern, waiting is hatched, pause
 * is upright bars, sleep is a line (in steps: pale), idle is nothing, unplugged is crossed out. Where it may be hatched
 * or filled, shape and height differ as well.
 */
#include "tools/workbench/svg.h"

#include <stdlib.h>
#include <string.h>

#define MIN_STRETCH  8.0 /* pixels, on average, else it is drawn in steps of at least */
#define MIN_STEP     4.0
#define MIN_BAR      1.0 /* nobody who ran is invisible */
#define MARK_SPACING 9.0

/* --- paint --- */

/*
 * Okabe and Ito's palette, which the colour-blind can tell apart; the last one darker than theirs. With each its ink.
 */
static const struct {
    const char *fill, *ink;
} colours[] = {
    { "#0072b2", "#fff" }, { "#e69f00", "#000" }, { "#009e73", "#fff" }, { "#cc79a7", "#000" },
    { "#56b4e9", "#000" }, { "#d55e00", "#fff" }, { "#f0e442", "#000" }, { "#44546a", "#fff" },
};

/* In a square of 8 pixels; the first is plain. */
static const char *const patterns[] = {
    NULL,           "M-2 2L2 -2M-1 9L9 -1M6 10L10 6",
    "M2 1v2M6 5v2", "M-2 6L2 10M-1 -1L9 9M6 -2L10 2",
    "M0 2h8M0 6h8", "M2 0v8M6 0v8",
    "M0 4h8M4 0v8", "M0 6L2 2L4 6L6 2L8 6",
};

unsigned int svg_paint(const struct wb_domain *wd) { return wd->d.domain_id % SVG_PAINTS; }

static void pattern(FILE *f, const char *id, const char *fill, const char *ink, const char *path, const char *width)
{
    fprintf(f,
            "<pattern id=\"%s\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" "
            "height=\"8\" fill=\"%s\"/>",
            id, fill);
    if (path)
        fprintf(f, "<path d=\"%s\" stroke=\"%s\" stroke-width=\"%s\" fill=\"none\"/>", path, ink, width);
    fputs("</pattern>\n", f);
}

void svg_paints(const struct svg *c)
{
    bool done[SVG_PAINTS] = { false };

    fputs("<defs>\n", c->f);
    pattern(c->f, "waiting", "#fff", "#777", "M-2 2L2 -2M-1 5L5 -1M-1 9L9 -1M3 9L9 3M6 10L10 6", "0.9");
    pattern(c->f, "paused", "#fff", "#000", "M1.5 0v8M5.5 0v8", "2");
    pattern(c->f, "unplugged", "#555", "#fff", "M0 0L8 8M8 0L0 8", "1.2");
    for (const struct wb_domain *wd = c->wb->domains; wd; wd = wd->next) {
        const unsigned int p = svg_paint(wd), n = ARRAY_SIZE(colours);
        char id[16];

        if (done[p])
            continue;
        done[p] = true;
        snprintf(id, sizeof(id), "d%u", p);
        pattern(c->f, id, colours[p % n].fill, colours[p % n].ink, patterns[(p + p / n) % ARRAY_SIZE(patterns)], "0.9");
    }
    fputs("</defs>\n", c->f);
}

/* --- stretches --- */

/* Cut to the chart. False: it lies outside. */
static bool cut(const struct svg *c, s_time_t *start, s_time_t *end)
{
    *start = *start > c->from ? *start : c->from;
    *end = *end < c->to ? *end : c->to;
    return *start < *end;
}

static void rectangle(const struct svg *c, s_time_t start, s_time_t end, double y, double height, const char *paint)
{
    const double x = svg_x(c, start), width = svg_x(c, end) - x;

    fprintf(c->f, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"%s>", x, y,
            width < MIN_BAR ? MIN_BAR : width, height, paint, width < 3 ? "" : " stroke=\"#fff\" stroke-width=\"0.7\"");
}

static void tooltip(const struct svg *c, const char *what, s_time_t start, s_time_t end)
{
    fprintf(c->f, "<title>%s: %.6g ms, from %.9g ms to %.9g ms</title></rect>\n", what, (double)(end - start) / 1e6,
            (double)start / 1e6, (double)end / 1e6);
}

/* A name on a bar that is long enough for it. */
static void bar_label(const struct svg *c, s_time_t start, s_time_t end, double y, const char *name)
{
    const double x = svg_x(c, start), width = svg_x(c, end) - x, need = SVG_CHAR * (double)strlen(name) * 10 / 12 + 6;

    if (width < need)
        return;
    fprintf(c->f,
            "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"12\" fill=\"#fff\" rx=\"2\"/><text x=\"%.2f\" "
            "y=\"%.1f\" font-size=\"10\" text-anchor=\"middle\">%s</text>\n",
            x + width / 2 - need / 2 + 1, y + 7, need - 2, x + width / 2, y + 16.5, name);
}

/* Where v ran: on the row of its pCPU its name, on its own the pCPU's number. */
static void span_draw(const struct svg *c, const struct wb_span *s, double y, bool pcpu_row)
{
    const struct wb_domain *wd = (const struct wb_domain *)s->v->v.domain;
    s_time_t start = s->start, end = s->end;
    char paint[16], name[48], what[80];

    if (!cut(c, &start, &end))
        return;
    snprintf(paint, sizeof(paint), "url(#d%u)", svg_paint(wd));
    snprintf(name, sizeof(name), "%s.%u", wd->name, s->v->v.vcpu_id);
    snprintf(what, sizeof(what), "%s on pCPU %u", name, s->cpu);
    rectangle(c, start, end, y + 3, SVG_BAR, paint);
    tooltip(c, what, s->start, s->end);
    if (!pcpu_row)
        snprintf(name, sizeof(name), "%u", s->cpu);
    if (pcpu_row || c->wb->xen.nr_pcpus > 1)
        bar_label(c, start, end, y, name);
}

static void state_draw(const struct svg *c, const struct wb_state *s, double y)
{
    static const struct {
        const char *what, *paint;
        double top, height;
    } looks[] = {
        [WB_WAITING] = { "waits", "url(#waiting)", 11, 12 },
        [WB_SLEEPING] = { "sleeps", "#667", 21, 2 },
        [WB_PAUSED] = { "paused", "url(#paused)", 11, 12 },
        [WB_UNPLUGGED] = { "unplugged", "url(#unplugged)", 3, 20 },
    };
    s_time_t start = s->start, end = s->end;

    if (!cut(c, &start, &end))
        return;
    rectangle(c, start, end, y + looks[s->doing].top, looks[s->doing].height, looks[s->doing].paint);
    tooltip(c, looks[s->doing].what, s->start, s->end);
}

/* --- steps --- */

/* Layers of a stack, from below: the domains, then the states. */
#define LAYERS (SVG_PAINTS + WB_UNPLUGGED + 1)

struct steps {
    unsigned int nr;
    double *share; /* [LAYERS][nr], of a step */
};

static void steps_add(const struct svg *c, struct steps *st, unsigned int layer, s_time_t start, s_time_t end)
{
    if (!cut(c, &start, &end))
        return;
    for (s_time_t i = (start - c->from) / c->bin; i < st->nr; i++) {
        const s_time_t a = c->from + i * c->bin, b = c->to - a < c->bin ? c->to : a + c->bin;
        const s_time_t lo = start > a ? start : a, hi = end < b ? end : b;

        if (lo >= hi)
            return;
        st->share[layer * st->nr + (unsigned int)i] += (double)(hi - lo) / (double)(b - a);
    }
}

/* One path a layer: rectangles next to each other. `base` grows by what was drawn. */
static void layer_draw(const struct svg *c, const struct steps *st, unsigned int layer, double y, double *base)
{
    const double *share = st->share + layer * st->nr;
    bool open = false;

    for (unsigned int i = 0; i < st->nr; i++) {
        const s_time_t a = c->from + i * c->bin;
        const double x = svg_x(c, a), x2 = svg_x(c, c->to - a < c->bin ? c->to : a + c->bin);
        double height = share[i] * SVG_BAR;

        if (share[i] <= 0)
            continue;
        if (layer < SVG_PAINTS && height < MIN_BAR && base[i] <= 0) /* once: shares must add up */
            height = MIN_BAR;
        if (base[i] + height > SVG_BAR)
            height = SVG_BAR - base[i];
        if (!open)
            fputs("<path d=\"", c->f);
        open = true;
        fprintf(c->f, "M%.1f %.1fH%.1fv%.1fH%.1fz", x, y + 3 + SVG_BAR - base[i], x2, -height, x);
        base[i] += height;
    }
    if (!open)
        return;
    if (layer < SVG_PAINTS)
        fprintf(c->f, "\" fill=\"url(#d%u)\"/>\n", layer);
    else
        fprintf(c->f, "\" fill=\"%s\"/>\n",
                layer == SVG_PAINTS + WB_WAITING    ? "url(#waiting)"
                : layer == SVG_PAINTS + WB_PAUSED   ? "url(#paused)"
                : layer == SVG_PAINTS + WB_SLEEPING ? "#d5dbe6"
                                                    : "url(#unplugged)");
}

static void steps_draw(const struct svg *c, struct steps *st, double y)
{
    double *base = calloc(st->nr, sizeof(*base));

    BUG_ON(!base);
    for (unsigned int layer = 0; layer < LAYERS; layer++)
        layer_draw(c, st, layer, y, base);
    free(base);
    free(st->share);
}

static struct steps steps_new(const struct svg *c)
{
    struct steps st = { .nr = c->bin ? (unsigned int)((c->to - c->from + c->bin - 1) / c->bin) : 0 };

    st.share = calloc((size_t)LAYERS * st.nr + 1, sizeof(*st.share));
    BUG_ON(!st.share);
    return st;
}

/* --- rows --- */

/* wv: of that vCPU; NULL: of that pCPU. */
static void row(const struct svg *c, const struct wb_vcpu *wv, unsigned int cpu, double y)
{
    struct steps st = steps_new(c);

    for (size_t i = 0; i < c->wb->nr_states; i++) {
        const struct wb_state *s = &c->wb->state[i];

        if (s->v != wv || (!wv && s->cpu != cpu))
            continue;
        if (c->bin)
            steps_add(c, &st, SVG_PAINTS + s->doing, s->start, s->end);
        else
            state_draw(c, s, y);
    }
    for (size_t i = 0; i < c->wb->nr_spans; i++) {
        const struct wb_span *s = &c->wb->span[i];

        if (wv ? s->v != wv : s->cpu != cpu)
            continue;
        if (c->bin)
            steps_add(c, &st, svg_paint((const struct wb_domain *)s->v->v.domain), s->start, s->end);
        else
            span_draw(c, s, y, !wv);
    }
    steps_draw(c, &st, y);
}

void svg_pcpu_row(const struct svg *c, unsigned int cpu, double y) { row(c, NULL, cpu, y); }
void svg_vcpu_row(const struct svg *c, const struct wb_vcpu *wv, double y) { row(c, wv, 0, y); }

void svg_misses(const struct svg *c, const struct wb_vcpu *wv, double y)
{
    double last = -1;

    for (size_t i = 0; i < c->wb->nr_misses; i++) {
        const struct wb_miss *m = &c->wb->miss[i];
        const double x = svg_x(c, m->deadline);

        if ((wv && m->v != wv) || m->deadline < c->from || m->deadline >= c->to ||
            (last >= 0 && x < last + MARK_SPACING))
            continue;
        last = x;
        fprintf(c->f,
                "<path d=\"M%.1f %.1fh10l-5 9z\" fill=\"#c00\" stroke=\"#fff\"><title>%s.%u missed its deadline at "
                "%.9g ms</title></path>\n",
                x - 5, y, ((const struct wb_domain *)m->v->v.domain)->name, m->v->v.vcpu_id, (double)m->deadline / 1e6);
    }
}

/* 1, 2 or 5 times a power of ten, in ns. */
static s_time_t round_up(double least)
{
    s_time_t step = 1;

    for (int i = 0; (double)step < least && step < INT64_MAX / 10; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

s_time_t svg_bin(const struct svg *c)
{
    const double plot = SVG_WIDTH - c->left - SVG_RIGHT;
    size_t nr[MACHINE_MAX_PCPUS] = { 0 }, crowded = 0;

    for (size_t i = 0; i < c->wb->nr_spans; i++) {
        const struct wb_span *s = &c->wb->span[i];

        if (s->end <= c->from || s->start >= c->to)
            continue;
        if (++nr[s->cpu] > crowded)
            crowded = nr[s->cpu];
    }
    return (double)crowded > plot / MIN_STRETCH ? round_up((double)(c->to - c->from) / plot * MIN_STEP) : 0;
}
