// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's Gantt chart: the page.
 *
 * Concept: time runs to the right. The upper rows are pCPUs: what the machine does. The lower rows, if there are few
 * enough, are vCPUs: what each of them gets. How a row is filled is in svg_rows.c. The title says what can be seen,
 * since charts are put next to each other; the legend explains what appears, and nothing else. Plain SVG 1.1 without
 * scripts, so that it prints and opens in any browser.
 *
 * Invariant: text does not meet text. It is monospaced, so that its width is known; what does not fit is cut, and says
 * so.
 */
#include "tools/workbench/svg.h"
#include "tools/workbench/report.h"

#include <string.h>

#define TOP        64.0
#define LEGEND_ROW 20.0
#define MAX_LEGEND 40 /* domains; what is beyond is counted */
#define BIG        (SVG_CHAR * 16 / 12)

static void svg_text(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '<' || *s == '>' || *s == '&')
            fputs(*s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;", f);
        else
            fputc((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s, f);
    }
}

/* At most `most` characters; of a longer one the beginning and the end. */
static void text_cut(FILE *f, const char *s, size_t most)
{
    const size_t len = strlen(s), half = (most - 3) / 2;
    char text[256];

    if (len <= most)
        snprintf(text, sizeof(text), "%s", s);
    else
        snprintf(text, sizeof(text), "%.*s...%s", (int)half, s, s + len - half);
    svg_text(f, text);
}

/* --- rows --- */

static void row_label(const struct svg *c, double y, const char *name, unsigned int nr, const char *separator)
{
    fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s%s%u</text>\n", c->left - 8, y + SVG_ROW / 2 + 4,
            name, separator, nr);
    fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#bbb\"/>\n", c->left,
            SVG_WIDTH - SVG_RIGHT, y + SVG_ROW - 2.5, y + SVG_ROW - 2.5);
}

static size_t longest_label(const struct wb *wb, bool vcpus)
{
    size_t most = strlen("pCPU 15");

    for (const struct wb_domain *wd = wb->domains; vcpus && wd; wd = wd->next) {
        const size_t len = strlen(wd->name) + (wd->d.max_vcpus > 10 ? 3 : 2);

        most = len > most ? len : most;
    }
    return wb->nr_misses && !vcpus && most < 16 ? 16 : most;
}

/* --- the frame --- */

/* Marks as far apart as their labels need, at 1, 2 or 5 times a power of ten. */
static void time_axis(const struct svg *c, double bottom)
{
    const double plot = SVG_WIDTH - c->left - SVG_RIGHT;
    s_time_t step = 1, unit = c->to - c->from < SECONDS(5) ? MILLISECS(1) : SECONDS(1);
    char label[40];
    int need;

    for (int i = 0;; i++) {
        need = snprintf(label, sizeof(label), "%.12g ms", (double)(c->to / step * step) / (double)unit) + 3;
        if (need * SVG_CHAR <= plot * (double)step / (double)(c->to - c->from) || step > INT64_MAX / 20)
            break;
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    }
    for (s_time_t t = (c->from + step - 1) / step * step; t <= c->to; t += step) {
        fprintf(c->f, "<line x1=\"%.2f\" x2=\"%.2f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", svg_x(c, t),
                svg_x(c, t), TOP, bottom + 4);
        fprintf(c->f, "<text x=\"%.2f\" y=\"%.1f\" text-anchor=\"middle\">%.12g %s</text>\n", svg_x(c, t), bottom + 18,
                (double)t / (double)unit, unit == SECONDS(1) ? "s" : "ms");
    }
}

/*
 * One entry: what it looks like, what it is. Entries flow in lines; *x and *y say where the next one goes. f NULL:
 * measure.
 */
static void legend_entry(const struct svg *c, FILE *f, const char *look, const char *name, double *x, double *y)
{
    const double width = 40 + SVG_CHAR * (double)strlen(name);

    if (*x + width > SVG_WIDTH - 10 && *x > 10) {
        *x = 10;
        *y += LEGEND_ROW;
    }
    if (f) {
        fprintf(f, "<g transform=\"translate(%.1f %.1f)\">%s<text x=\"28\" y=\"10\">", *x, *y - 10, look);
        svg_text(f, name);
        fputs("</text></g>\n", f);
    }
    *x += width;
}

#define SWATCH(fill) "<rect width=\"22\" height=\"12\" stroke=\"#777\" stroke-width=\"0.5\" fill=\"" fill "\"/>"

static bool appears(const struct svg *c, enum wb_doing doing)
{
    for (size_t i = 0; i < c->wb->nr_states; i++)
        if (c->wb->state[i].doing == doing && c->wb->state[i].end > c->from && c->wb->state[i].start < c->to)
            return true;
    return false;
}

static void legend_states(const struct svg *c, FILE *f, double *x, double *y)
{
    const char *line = "<rect y=\"10\" width=\"22\" height=\"2\" fill=\"#667\"/>";

    if (appears(c, WB_WAITING))
        legend_entry(c, f, SWATCH("url(#waiting)"), "vCPU waits for a pCPU", x, y);
    if (appears(c, WB_SLEEPING))
        legend_entry(c, f, c->bin ? SWATCH("#d5dbe6") : line, "sleeps", x, y);
    if (appears(c, WB_PAUSED))
        legend_entry(c, f, SWATCH("url(#paused)"), "paused", x, y);
    if (appears(c, WB_UNPLUGGED))
        legend_entry(c, f, SWATCH("url(#unplugged)"), "pCPU unplugged", x, y);
    legend_entry(c, f, SWATCH("#fff"), "pCPU idle", x, y);
    if (c->wb->nr_misses)
        legend_entry(c, f, "<path d=\"M6 1h10l-5 9z\" fill=\"#c00\"/>", "deadline missed", x, y);
}

/* From y on; f NULL only measures. Returns where it ends. */
static double legend(const struct svg *c, FILE *f, double y)
{
    unsigned int nr = 0;
    char text[96];
    double x = 10;

    for (const struct wb_domain *wd = c->wb->domains; wd; wd = wd->next) {
        if (nr++ >= MAX_LEGEND)
            continue;
        snprintf(text, sizeof(text), SWATCH("url(#d%u)"), svg_paint(wd));
        legend_entry(c, f, text, wd->name, &x, &y);
    }
    if (nr > MAX_LEGEND) {
        snprintf(text, sizeof(text), "... and %u more domain%s", nr - MAX_LEGEND, PLURAL(nr - MAX_LEGEND));
        legend_entry(c, f, "", text, &x, &y);
    }
    x = 10;
    y += LEGEND_ROW;
    legend_states(c, f, &x, &y);
    if (c->bin) {
        x = 10;
        y += LEGEND_ROW;
        snprintf(text, sizeof(text), "In steps of %.6g ms: the part of the height is the part of that time.",
                 (double)c->bin / 1e6);
        if (f)
            fprintf(f, "<text x=\"10\" y=\"%.1f\">%s</text>\n", y, text);
    }
    return y + LEGEND_ROW;
}

/* The policy's name; below, how it was called, with what, and what part of the run this is. */
static void title(const struct svg *c, const struct wb_chart *chart)
{
    const struct wb *wb = c->wb;
    FILE *f = c->f;

    fputs("<title>", f);
    svg_text(f, chart->policy);
    fputs(", ", f);
    svg_text(f, chart->workload);
    fprintf(f, "</title>\n<text x=\"10\" y=\"22\" font-size=\"16\" font-weight=\"bold\">");
    text_cut(f, wb->xen.sched->ops->name, (size_t)((SVG_WIDTH - 20) / BIG));
    fputs("</text>\n<text x=\"10\" y=\"38\">--policy ", f);
    text_cut(f, chart->policy, 60);
    if (wb->settings[0]) {
        fputs(", set", f);
        text_cut(f, wb->settings, 70);
    }
    fputs("</text>\n<text x=\"10\" y=\"54\">", f);
    text_cut(f, chart->workload, 60);
    fprintf(f, ": %u vCPU%s on %u pCPU%s, virtual time %.9g ms to %.9g ms", wb->nr_vcpus, PLURAL(wb->nr_vcpus),
            wb->xen.nr_pcpus, PLURAL(wb->xen.nr_pcpus), (double)c->from / 1e6, (double)c->to / 1e6);
    fprintf(f, "%s</text>\n", wb->lost_at ? " (too much for more: see --window)" : "");
}

void wb_report_svg(const struct wb *wb, FILE *f, const struct wb_chart *chart)
{
    const bool vcpus = wb->nr_vcpus <= WB_MAX_VCPU_ROWS, misses = !vcpus && wb->nr_misses;
    const double second = TOP + wb->xen.nr_pcpus * SVG_ROW + 14;
    const double bottom = second + (vcpus ? wb->nr_vcpus : misses) * SVG_ROW;
    struct svg c = { f, wb, chart->from, chart->to, 16 + SVG_CHAR * (double)longest_label(wb, vcpus), 0 };
    double y = second;

    if (wb->lost_at > c.from && wb->lost_at < c.to)
        c.to = wb->lost_at;
    if (c.to <= c.from)
        c.to = c.from + 1;
    c.bin = svg_bin(&c);
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"'DejaVu Sans "
            "Mono', Menlo, Consolas, monospace\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"white\"/>\n",
            SVG_WIDTH, legend(&c, NULL, bottom + 46));
    title(&c, chart);
    svg_paints(&c);
    time_axis(&c, bottom);
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++) {
        row_label(&c, TOP + cpu * SVG_ROW, "pCPU", cpu, " ");
        svg_pcpu_row(&c, cpu, TOP + cpu * SVG_ROW);
    }
    for (struct wb_domain *wd = wb->domains; vcpus && wd; wd = wd->next) {
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++, y += SVG_ROW) {
            row_label(&c, y, wd->name, i, ".");
            svg_vcpu_row(&c, wb_vcpu(wd, i), y);
            svg_misses(&c, wb_vcpu(wd, i), y);
        }
    }
    if (misses) {
        fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">missed deadlines</text>\n", c.left - 8,
                y + SVG_ROW / 2 + 4);
        svg_misses(&c, NULL, y + 8);
    }
    legend(&c, f, bottom + 46);
    fputs("</svg>\n", f);
}
