// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evtchn's chart: sends and deliveries in time, as an area and a line; ports below, with what they have waited for on
 * average and at most, in deliveries of others. What was in orders alone is not in time.
 */
#include "tools/kit/evtchn.h"
#include "tools/kit/svg.h"

#define HEIGHT 160.0
#define ROW    22.0
#define BAR    330.0

static const struct evtchn_column *at(const void *m, uint64_t i)
{
    return &((const struct evtchn_model *)m)->column[i];
}
static uint64_t sends(const void *m, uint64_t i) { return at(m, i)->sends; }
static uint64_t delivered(const void *m, uint64_t i) { return at(m, i)->delivered; }

static void row(const struct svg *c, const struct evtchn_kit_port *p, double y, uint64_t most)
{
    const uint64_t good = p->delivered - p->spurious;
    const double mean = good ? (double)p->waited / (double)good : 0;
    char text[240];

    svg_text(c, SVG_LEFT - 8, y + 12, "end", SVG_LEFT - 8, p->name);
    fprintf(c->f, "<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"14\" fill=\"#d9d9d9\"/>\n", SVG_LEFT, y,
            BAR * (double)p->worst / (double)most);
    fprintf(c->f, "<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"14\" fill=\"#2171b5\"/>\n", SVG_LEFT, y,
            BAR * mean / (double)most);
    snprintf(text, sizeof(text),
             "%.1f on average, %llu at most; priority %llu: %llu lost, %llu spurious, %llu reordered, %llu inversions",
             mean, (unsigned long long)p->worst, (unsigned long long)p->priority, (unsigned long long)p->lost,
             (unsigned long long)p->spurious, (unsigned long long)p->reordered, (unsigned long long)p->inversions);
    svg_text(c, SVG_LEFT + BAR + 12, y + 12, "start", SVG_WIDTH - SVG_LEFT - BAR - 18, text);
}

void events_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#fdae6b", "sends", SVG_AREA },
        { "#08306b", "deliveries", SVG_LINE },
        { "#2171b5", "deliveries waited, on average", SVG_AREA },
        { "#d9d9d9", "deliveries waited, at most", SVG_AREA },
        { NULL, NULL, SVG_AREA },
    };
    const struct evtchn_model *m = model;
    struct svg c = { f, EVTCHN_COLUMNS, SVG_TOP, HEIGHT, 1 };
    uint64_t worst = 1;
    char most[32];

    for (uint64_t i = 0; i < EVTCHN_COLUMNS; i++) {
        c.most = sends(m, i) > c.most ? sends(m, i) : c.most;
        c.most = delivered(m, i) > c.most ? delivered(m, i) : c.most;
    }
    for (unsigned int i = 1; i <= m->nr_ports; i++)
        worst = m->port[i].worst > worst ? m->port[i].worst : worst;
    svg_begin(&c, SVG_TOP + HEIGHT + 50 + ROW * m->nr_ports, title);
    svg_marks(&c, marks, 245);
    svg_area(&c, m, EVTCHN_COLUMNS, sends, 1, "#fdae6b");
    svg_line(&c, m, EVTCHN_COLUMNS, delivered, 1, "stroke=\"#08306b\" stroke-width=\"1.6\"");
    snprintf(most, sizeof(most), "%llu", (unsigned long long)c.most);
    svg_frame(&c, "events", most);
    c.time = m->time;
    svg_axis_ns(&c);
    for (unsigned int i = 1; i <= m->nr_ports; i++)
        row(&c, &m->port[i], SVG_TOP + HEIGHT + 40 + ROW * (i - 1), worst);
    svg_end(&c);
}
