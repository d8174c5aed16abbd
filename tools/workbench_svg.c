// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's Gantt chart.
 *
 * Concept: time runs to the right. The upper rows are pCPUs, coloured by the domain that runs: what the machine does. The
 * lower rows, if there are few enough, are vCPUs: what each of them gets. The legend tells the colours. A tooltip on every bar
 * gives its exact times. Plain SVG 1.1 without scripts, so that it prints and opens in any browser.
 */
#include "tools/workbench_report.h"

#include <string.h>

#define WIDTH         1200.0
#define LEFT          110.0
#define RIGHT         30.0
#define ROW           26.0
#define TOP           48.0
#define LEGEND_ROW    20.0
#define MAX_VCPU_ROWS 32
#define MAX_LEGEND    40  /* domains; what is beyond is counted */
#define MIN_WIDTH     0.1 /* of a bar, in pixels: what is narrower and next to another is not drawn */

struct chart {
    FILE *f;
    s_time_t from, to;
};

/* Okabe and Ito's palette, which the colour-blind can tell apart. More domains than this share colours. */
static const char *const colours[] = { "#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                       "#56b4e9", "#d55e00", "#f0e442", "#999999" };

static const char *colour(const struct wb_domain *wd) { return colours[wd->d.domain_id % ARRAY_SIZE(colours)]; }

static double x_of(const struct chart *c, s_time_t t)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (double)(t - c->from) / (double)(c->to - c->from);
}

/* Domains' names are harmless, a policy's need not be. */
static void text(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(strchr("<>&", *s) || (unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s, f);
}

/* *drawn: how far the row is filled. */
static void bar(const struct chart *c, const struct wb_span *s, double y, double *drawn)
{
    const struct wb_domain *wd = (const struct wb_domain *)s->v->v.domain;
    const s_time_t start = s->start > c->from ? s->start : c->from, end = s->end < c->to ? s->end : c->to;

    if (start >= end || x_of(c, end) < *drawn + MIN_WIDTH)
        return;
    *drawn = x_of(c, end);
    fprintf(c->f,
            "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"%.2f\">"
            "<title>%s.%u on pCPU %u: %.3f ms to %.3f ms</title></rect>\n",
            x_of(c, start), y + 3, x_of(c, end) - x_of(c, start), ROW - 6, colour(wd), s->v->v.vcpu_id % 2 ? 0.65 : 1.0,
            wd->name, s->v->v.vcpu_id, s->cpu, (double)s->start / 1e6, (double)s->end / 1e6);
}

static void row_label(const struct chart *c, double y, const char *name, unsigned int nr, const char *separator)
{
    fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.14s%s%u</text>\n", LEFT - 8, y + ROW / 2 + 4, name,
            separator, nr);
    fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n", LEFT, WIDTH - RIGHT,
            y + ROW, y + ROW);
}

/* About ten marks, at 1, 2 or 5 times a power of ten. */
static void time_axis(const struct chart *c, double bottom)
{
    s_time_t step = 1;

    for (int i = 0; (c->to - c->from) / step > 12; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    for (s_time_t t = (c->from + step - 1) / step * step; t <= c->to; t += step) {
        fprintf(c->f, "<line x1=\"%.2f\" x2=\"%.2f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", x_of(c, t),
                x_of(c, t), TOP, bottom);
        fprintf(c->f, "<text x=\"%.2f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#555\">%.9g ms</text>\n", x_of(c, t),
                bottom + 16, (double)t / 1e6);
    }
    fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#555\">virtual time</text>\n", LEFT - 24,
            bottom + 16);
}

/* One entry: what the colour is, its name. Entries flow in lines; *x and *y say where the next one goes. */
static void legend_entry(FILE *f, const char *fill, double opacity, const char *name, double *x, double *y)
{
    const double width = 30 + 7.5 * (double)strlen(name);

    if (*x + width > WIDTH - RIGHT) {
        *x = LEFT;
        *y += LEGEND_ROW;
    }
    if (f)
        fprintf(f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"12\" fill=\"%s\" fill-opacity=\"%.2f\" "
                "stroke=\"#999\" stroke-width=\"0.5\"/>\n<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                *x, *y - 10, fill, opacity, *x + 20, *y, name);
    *x += width;
}

/* What the colours mean, from y on; f NULL only measures. Returns where it ends. */
static double legend(const struct wb *wb, FILE *f, double y)
{
    unsigned int nr = 0;
    double x = LEFT;
    char more[48];

    for (const struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        if (nr++ < MAX_LEGEND)
            legend_entry(f, colour(wd), 1, wd->name, &x, &y);
    if (nr > MAX_LEGEND) {
        snprintf(more, sizeof(more), "... and %u more domains", nr - MAX_LEGEND);
        legend_entry(f, "none", 1, more, &x, &y);
    }
    legend_entry(f, "#777", 0.65, "paler: vCPUs 1, 3, 5...", &x, &y);
    legend_entry(f, "white", 1, "idle", &x, &y);
    return y + LEGEND_ROW;
}

static void title(const struct wb *wb, FILE *f)
{
    fputs("<text x=\"10\" y=\"22\" font-size=\"16\">", f);
    text(f, wb->xen.sched->ops->name);
    fprintf(f, ": %u vCPU%s on %u pCPU%s%s</text>\n", wb->nr_vcpus, wb->nr_vcpus == 1 ? "" : "s", wb->xen.nr_pcpus,
            wb->xen.nr_pcpus == 1 ? "" : "s", wb->spans_lost ? " (only the beginning was recorded)" : "");
}

void wb_report_svg(const struct wb *wb, FILE *f, s_time_t from, s_time_t to)
{
    const struct chart c = { f, from, to > from ? to : from + 1 };
    const unsigned int pcpus = wb->xen.nr_pcpus, vcpus = wb->nr_vcpus <= MAX_VCPU_ROWS ? wb->nr_vcpus : 0;
    const double second = TOP + pcpus * ROW + 16, bottom = second + vcpus * ROW;
    double drawn[MACHINE_MAX_PCPUS + MAX_VCPU_ROWS] = { 0 };
    unsigned int base[MAX_VCPU_ROWS] = { 0 }, n = 0;

    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, legend(wb, NULL, bottom + 42));
    title(wb, f);
    time_axis(&c, bottom);
    for (unsigned int cpu = 0; cpu < pcpus; cpu++)
        row_label(&c, TOP + cpu * ROW, "pCPU", cpu, " ");
    for (const struct wb_domain *wd = wb->domains; vcpus && wd; wd = wd->next) {
        base[wd->d.domain_id] = n;
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            row_label(&c, second + n++ * ROW, wd->name, i, ".");
    }
    for (size_t i = 0; i < wb->nr_spans; i++) {
        const struct wb_span *s = &wb->span[i];
        const unsigned int row = vcpus ? base[s->v->v.domain->domain_id] + s->v->v.vcpu_id : 0;

        bar(&c, s, TOP + s->cpu * ROW, &drawn[s->cpu]);
        if (vcpus)
            bar(&c, s, second + row * ROW, &drawn[MACHINE_MAX_PCPUS + row]);
    }
    legend(wb, f, bottom + 42);
    fputs("</svg>\n", f);
}
