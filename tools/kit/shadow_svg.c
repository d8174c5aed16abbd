// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shadow's chart: what the hypervisor has to do, and the pool.
 *
 * Concept: time runs to the right. Above: faults, as an area; the line is how many of them were emulated stores. In the
 * middle: entries that were compared at resyncs. Below: frames with shadows, and the pool as a dashed line.
 */
#include "tools/kit/shadow.h"
#include "tools/kit/svg.h"

#define HEIGHT 130.0
#define GAP    22.0

static const struct shadow_column *at(const void *m, uint64_t i) { return &((const struct shadow *)m)->column[i]; }
static uint64_t faults(const void *m, uint64_t i) { return at(m, i)->faults; }
static uint64_t emulated(const void *m, uint64_t i) { return at(m, i)->emulated; }
static uint64_t compared(const void *m, uint64_t i) { return at(m, i)->compared; }
/* Where nothing has happened, as before: a guest always has a root. */
static uint64_t frames(const void *m, uint64_t i)
{
    while (i && !at(m, i)->frames)
        i--;
    return at(m, i)->frames;
}

static void strip(struct svg *c, const struct shadow *m, uint64_t nr, const char *name, const char *colour,
                  uint64_t (*value)(const void *m, uint64_t i))
{
    char most[32];

    for (uint64_t i = 0; i < nr; i++)
        c->most = value(m, i) > c->most ? value(m, i) : c->most;
    svg_area(c, m, nr, value, 1, colour);
    snprintf(most, sizeof(most), "%llu", (unsigned long long)c->most);
    svg_frame(c, name, most);
}

void shadow_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "faults", SVG_AREA },           { "#08306b", "emulated stores", SVG_LINE },
        { "#fdae6b", "compared entries", SVG_AREA }, { "#bdbdbd", "frames with shadows", SVG_AREA },
        { "#000000", "the pool", SVG_DASHED },       { NULL, NULL, SVG_AREA },
    };
    const struct shadow *m = model;
    const uint64_t nr = m->now < m->time ? m->now * SHADOW_COLUMNS / m->time + 1 : SHADOW_COLUMNS;
    struct svg c = { f, SHADOW_COLUMNS, SVG_TOP, HEIGHT, 1 };

    svg_begin(&c, SVG_TOP + 3 * HEIGHT + 2 * GAP + 24, title);
    svg_marks(&c, marks, 190);
    strip(&c, m, nr, "faults", "#9ecae1", faults);
    svg_line(&c, m, nr, emulated, 1, "stroke=\"#08306b\" stroke-width=\"1.6\"");
    c.top += HEIGHT + GAP;
    c.most = 1;
    strip(&c, m, nr, "compared", "#fdae6b", compared);
    c.top += HEIGHT + GAP;
    c.most = m->frames;
    strip(&c, m, nr, "frames", "#bdbdbd", frames);
    svg_rule(&c, m->frames, "stroke=\"#000000\" stroke-dasharray=\"5 4\"");
    c.time = m->time;
    svg_axis_ns(&c);
    svg_end(&c);
}
