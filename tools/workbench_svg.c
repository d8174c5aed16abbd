// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's Gantt chart.
 *
 * Concept: time runs to the right. The upper rows are pCPUs, coloured by the domain that runs: what the machine does. The
 * lower rows, if there are few enough, are vCPUs: what each of them gets. A tooltip on every bar gives its exact times. Plain
 * SVG 1.1 without scripts, so that it prints and opens in any browser.
 */
#include "tools/workbench_report.h"

#define WIDTH         1200.0
#define LEFT          110.0
#define ROW           26.0
#define TOP           48.0
#define MAX_VCPU_ROWS 32

struct chart {
    FILE *f;
    s_time_t from, to;
};

/* Okabe and Ito's palette, which the colour-blind can tell apart. */
static const char *const colours[] = { "#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                       "#56b4e9", "#d55e00", "#f0e442", "#999999" };

static double x_of(const struct chart *c, s_time_t t)
{
    return LEFT + (WIDTH - LEFT - 10) * (double)(t - c->from) / (double)(c->to - c->from);
}

/* Domains' names are harmless, a policy's need not be. */
static void text(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(*s == '<' || *s == '&' || (unsigned char)*s < ' ' ? '?' : *s, f);
}

static void bar(const struct chart *c, const struct wb_span *s, double y)
{
    const struct wb_domain *wd = (const struct wb_domain *)s->v->v.domain;
    const s_time_t start = s->start > c->from ? s->start : c->from, end = s->end < c->to ? s->end : c->to;

    if (start >= end)
        return;
    fprintf(c->f,
            "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"%.2f\">"
            "<title>%s.%u on pCPU %u: %.3f ms to %.3f ms</title></rect>\n",
            x_of(c, start), y + 3, x_of(c, end) - x_of(c, start), ROW - 6,
            colours[wd->d.domain_id % ARRAY_SIZE(colours)], s->v->v.vcpu_id % 2 ? 0.65 : 1.0, wd->name, s->v->v.vcpu_id,
            s->cpu, (double)s->start / 1e6, (double)s->end / 1e6);
}

static void row_label(const struct chart *c, double y, const char *name, unsigned int nr, const char *separator)
{
    fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.14s%s%u</text>\n", LEFT - 8, y + ROW / 2 + 4, name,
            separator, nr);
    fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n", LEFT, WIDTH - 10,
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
        fprintf(c->f, "<text x=\"%.2f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#555\">%g ms</text>\n", x_of(c, t),
                bottom + 16, (double)t / 1e6);
    }
}

void wb_report_svg(const struct wb *wb, FILE *f, s_time_t from, s_time_t to)
{
    const struct chart c = { f, from, to > from ? to : from + 1 };
    const unsigned int pcpus = wb->xen.nr_pcpus, vcpus = wb->nr_vcpus <= MAX_VCPU_ROWS ? wb->nr_vcpus : 0;
    const double second = TOP + pcpus * ROW + 16, bottom = second + vcpus * ROW;
    unsigned int base[MAX_VCPU_ROWS] = { 0 }, n = 0;

    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, bottom + 28);
    fputs("<text x=\"10\" y=\"22\" font-size=\"16\">", f);
    text(f, wb->xen.sched->ops->name);
    fprintf(f, ": %u vCPUs on %u pCPUs%s</text>\n", wb->nr_vcpus, pcpus,
            wb->spans_lost ? " (only the beginning was recorded)" : "");
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

        bar(&c, s, TOP + s->cpu * ROW);
        if (vcpus)
            bar(&c, s, second + (base[s->v->v.domain->domain_id] + s->v->v.vcpu_id) * ROW);
    }
    fputs("</svg>\n", f);
}
