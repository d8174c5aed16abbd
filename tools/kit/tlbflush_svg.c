// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tlbflush's chart: flushes, of which some were needed; walks that they bring; and stale uses, of which there should be
 * none.
 *
 * Concept: time runs to the right. In the strip of flushes the light area is all of them in a stretch of time, the dark
 * one those where the TLB had an entry of the page; a line where the clock wrapped. Below, walks of page tables; and
 * red, stale uses.
 */
#include "tools/kit/svg.h"
#include "tools/kit/tlbflush.h"

#define HEIGHT 110.0
#define GAP    18.0
#define STRIPS 3

static uint64_t flushes(const void *of, uint64_t i) { return ((const struct tlb_model *)of)->column[i].flushes; }
static uint64_t needed(const void *of, uint64_t i) { return ((const struct tlb_model *)of)->column[i].needed; }
static uint64_t fills(const void *of, uint64_t i) { return ((const struct tlb_model *)of)->column[i].fills; }
static uint64_t stale(const void *of, uint64_t i) { return ((const struct tlb_model *)of)->column[i].stale; }

static void strip(struct svg *c, const struct tlb_model *m, uint64_t nr, const char *name,
                  uint64_t (*value)(const void *of, uint64_t i), const char *colour)
{
    char most[32];

    c->most = 1;
    for (uint64_t i = 0; i < nr; i++)
        c->most = value(m, i) > c->most ? value(m, i) : c->most;
    svg_area(c, m, nr, value, m->width, colour);
    if (value == flushes)
        svg_area(c, m, nr, needed, m->width, "#08519c");
    for (uint64_t i = 0; value == flushes && i < nr; i++)
        if (m->column[i].wraps)
            fprintf(c->f,
                    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#555\" stroke-width=\"0.8\" "
                    "stroke-dasharray=\"5 4\"/>\n",
                    svg_x(c, i * m->width), svg_x(c, i * m->width), c->top, c->top + c->height);
    snprintf(most, sizeof(most), "%llu", (unsigned long long)c->most);
    svg_frame(c, name, most);
    c->top += c->height + GAP;
}

void tlbflush_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "flushes for a page", SVG_AREA }, { "#08519c", "of these, needed", SVG_AREA },
        { "#555", "the clock wraps", SVG_DASHED },     { "#c7e9c0", "walks", SVG_AREA },
        { "#d62728", "stale uses", SVG_AREA },         { NULL, NULL, SVG_AREA },
    };
    const struct tlb_model *m = model;
    const uint64_t nr = m->now / m->width + (m->now % m->width > 0);
    struct svg c = { f, nr * m->width, SVG_TOP, HEIGHT, 1 };

    svg_begin(&c, SVG_TOP + (HEIGHT + GAP) * STRIPS + 14, title);
    svg_marks(&c, marks, 190);
    strip(&c, m, nr, "flushes", flushes, "#9ecae1");
    strip(&c, m, nr, "walks", fills, "#c7e9c0");
    strip(&c, m, nr, "stale uses", stale, "#d62728");
    c.top -= GAP, c.height = 0;
    svg_axis_ns(&c);
    svg_end(&c);
}
