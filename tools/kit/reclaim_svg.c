// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reclaim's chart: faults, beside those of MIN, and where in memory they are.
 *
 * Concept: time runs to the right. Above: faults, as an area; the line is what MIN would have had, so what is between
 * them is what a better algorithm could spare. Below: memory, gfn 0 at the bottom: orange where pages are touched, the
 * darker the more; a blue bar, in the lower half of each row, where pages come in, the darker the more. Orange that is
 * never blue stays.
 */
#include "tools/kit/reclaim.h"
#include "tools/kit/svg.h"

#define FAULTS_HEIGHT 150.0
#define ROW_HEIGHT    11.0
#define GAP           20.0

static uint64_t faults(const void *m, uint64_t i) { return ((const struct reclaim *)m)->column[i].faults; }
static uint64_t least(const void *m, uint64_t i) { return ((const struct reclaim *)m)->column[i].least; }

/* Columns as far as the run has come. */
static uint64_t columns(const struct reclaim *m)
{
    return m->told.now < m->time ? m->told.now * RECLAIM_COLUMNS / m->time + 1 : RECLAIM_COLUMNS;
}

static void faults_strip(struct svg *c, const struct reclaim *m)
{
    const uint64_t nr = columns(m);
    char most[32];

    for (uint64_t i = 0; i < nr; i++) {
        c->most = faults(m, i) > c->most ? faults(m, i) : c->most;
        c->most = least(m, i) > c->most ? least(m, i) : c->most;
    }
    svg_area(c, m, nr, faults, 1, "#9ecae1");
    if (m->least)
        svg_line(c, m, nr, least, 1, "stroke=\"#08306b\" stroke-width=\"1.6\"");
    snprintf(most, sizeof(most), "%.0f/s", (double)c->most * RECLAIM_COLUMNS / ((double)m->time / 1e9));
    svg_frame(c, "faults", most);
}

/* One row of memory in one stretch of time; `most`: what of each would be darkest. */
static void cell(const struct svg *c, const struct reclaim_column *col, uint64_t i, unsigned int row,
                 const uint32_t most[2])
{
    const double x = svg_x(c, i), w = svg_x(c, i + 1) - x, y = c->top + c->height - ROW_HEIGHT * (row + 1);

    if (col->touched[row])
        fprintf(c->f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#f16913\" "
                "fill-opacity=\"%.2f\"/>\n",
                x, y, w + 0.3, ROW_HEIGHT, 0.15 + 0.75 * (double)col->touched[row] / (double)most[0]);
    if (col->came[row])
        fprintf(c->f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#08519c\" "
                "fill-opacity=\"%.2f\"/>\n",
                x, y + ROW_HEIGHT / 2, w + 0.3, ROW_HEIGHT / 2, 0.25 + 0.75 * (double)col->came[row] / (double)most[1]);
}

static void memory_strip(const struct svg *c, const struct reclaim *m)
{
    const uint64_t nr = columns(m);
    uint32_t most[2] = { 1, 1 };
    char name[32];

    for (uint64_t i = 0; i < nr; i++)
        for (unsigned int r = 0; r < RECLAIM_ROWS; r++) {
            most[0] = m->column[i].touched[r] > most[0] ? m->column[i].touched[r] : most[0];
            most[1] = m->column[i].came[r] > most[1] ? m->column[i].came[r] : most[1];
        }
    for (uint64_t i = 0; i < nr; i++)
        for (unsigned int r = 0; r < RECLAIM_ROWS; r++)
            cell(c, &m->column[i], i, r, most);
    snprintf(name, sizeof(name), "%llu MiB", (unsigned long long)m->memory);
    svg_frame(c, "memory", name);
}

void reclaim_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "faults", SVG_AREA },  { "#08306b", "those of MIN", SVG_LINE },
        { "#f16913", "touched", SVG_AREA }, { "#08519c", "came in", SVG_AREA },
        { NULL, NULL, SVG_AREA },
    };
    const struct reclaim *m = model;
    struct svg c = { f, RECLAIM_COLUMNS, SVG_TOP, FAULTS_HEIGHT, 1 };

    svg_begin(&c, SVG_TOP + FAULTS_HEIGHT + GAP + ROW_HEIGHT * RECLAIM_ROWS + 24, title);
    svg_marks(&c, marks, 170);
    faults_strip(&c, m);
    c.top += FAULTS_HEIGHT + GAP;
    c.height = ROW_HEIGHT * RECLAIM_ROWS;
    memory_strip(&c, m);
    c.time = m->time;
    svg_axis_ns(&c);
    svg_end(&c);
}
