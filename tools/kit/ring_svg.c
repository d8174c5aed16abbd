// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring's chart: what lies in each ring, and how often its consumer is notified.
 *
 * Concept: time runs to the right, two strips a ring. Above: the most that was in the ring in each stretch of time, of
 * as many slots as it has. Below: notifications in each stretch; red from top to bottom where a sleeper was lost. What
 * is tried in all orders has no time: a strip of its own, as wide as there are orders, red for those in which a sleeper
 * is lost.
 */
#include "tools/kit/ring.h"
#include "tools/kit/svg.h"

#define MOST_HEIGHT   70.0
#define SENT_HEIGHT   30.0
#define ORDERS_HEIGHT 16.0
#define BETWEEN       8.0
#define GAP           16.0
#define AXIS          26.0
#define RED           "#d62728"

static uint64_t most(const void *of, uint64_t i) { return ((const struct ring_timed *)of)->column[i].most; }
static uint64_t sent(const void *of, uint64_t i) { return ((const struct ring_timed *)of)->column[i].notifications; }

static uint64_t columns(const struct ring_model *m) { return m->nr_rings ? m->now / m->width + 1 : 0; }

static uint64_t highest(const struct ring_model *m, const struct ring_timed *t,
                        uint64_t (*value)(const void *of, uint64_t i))
{
    uint64_t high = 1;

    for (uint64_t i = 0; i < columns(m); i++)
        high = value(t, i) > high ? value(t, i) : high;
    return high;
}

static void lost_bands(const struct svg *c, const struct ring_model *m, const struct ring_timed *t)
{
    for (uint64_t i = 0; i < columns(m); i++)
        if (t->column[i].lost)
            fprintf(c->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"" RED "\"/>\n",
                    svg_x(c, i * m->width), c->top, svg_x(c, (i + 1) * m->width) - svg_x(c, i * m->width), c->height);
}

static void ring_strips(struct svg *c, const struct ring_model *m, const struct ring_timed *t)
{
    char text[32];

    c->height = MOST_HEIGHT;
    c->most = highest(m, t, most);
    svg_area(c, t, columns(m), most, m->width, "#9ecae1");
    snprintf(text, sizeof(text), "%llu/%llu slots", (unsigned long long)c->most, (unsigned long long)t->slots);
    svg_frame(c, t->name, text);
    c->top += c->height + BETWEEN;
    c->height = SENT_HEIGHT;
    c->most = highest(m, t, sent);
    lost_bands(c, m, t);
    svg_area(c, t, columns(m), sent, m->width, "#08519c");
    snprintf(text, sizeof(text), "%llu sent", (unsigned long long)c->most);
    svg_frame(c, "", text);
    c->top += c->height + GAP;
}

static void orders_strip(struct svg *c, const struct ring_orders *o)
{
    const double width = SVG_WIDTH - SVG_LEFT - SVG_RIGHT, bad = o->nr ? width * (double)o->lost / (double)o->nr : 0;
    char text[64];

    c->height = ORDERS_HEIGHT;
    fprintf(c->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#c7e9c0\"/>\n", SVG_LEFT, c->top,
            width, c->height);
    fprintf(c->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"" RED "\"/>\n", SVG_LEFT, c->top,
            o->lost && bad < 1 ? 1 : bad, c->height);
    svg_frame(c, o->name, NULL);
    snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)o->lost, (unsigned long long)o->nr);
    svg_text(c, SVG_WIDTH - SVG_RIGHT + 6, c->top + 12, "start", SVG_RIGHT - 6, text);
    c->top += c->height + GAP;
}

void ring_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "most in the ring", SVG_AREA },
        { "#08519c", "notifications", SVG_AREA },
        { RED, "a sleeper lost", SVG_AREA },
        { "#c7e9c0", "orders with none lost", SVG_AREA },
        { NULL, NULL, SVG_AREA },
    };
    const struct ring_model *m = model;
    struct svg c = { f, columns(m) * m->width, SVG_TOP, 0, 0 };

    svg_begin(&c,
              SVG_TOP + (MOST_HEIGHT + BETWEEN + SENT_HEIGHT + GAP) * m->nr_rings + (m->nr_rings ? AXIS : 0) +
                  (ORDERS_HEIGHT + GAP) * m->nr_orders,
              title);
    svg_marks(&c, marks, 190);
    for (unsigned int i = 0; i < m->nr_rings; i++)
        ring_strips(&c, m, &m->ring[i]);
    if (m->nr_rings) {
        c.top -= GAP, c.height = 0;
        svg_axis_ns(&c);
        c.top += AXIS;
    }
    for (unsigned int i = 0; i < m->nr_orders; i++)
        orders_strip(&c, &m->orders[i]);
    svg_end(&c);
}
