// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * balance's chart: what each pCPU does, and who is moved.
 *
 * Concept: time runs to the right, a strip a pCPU, all of the same height. Blue is the time in which it ran a vCPU: up
 * to the dashed line, which is all of it. Red above it is time in which its vCPUs waited, added up. Red in one strip
 * where others are not blue to the dashed line is what a move could have spared. The last strip is migrations.
 */
#include "tools/kit/balance.h"
#include "tools/kit/svg.h"

#define GAP    6.0
#define FEW    8
#define TALL   64.0
#define SHORT  30.0
#define DASHED "stroke=\"#555\" stroke-dasharray=\"5 4\""

/* A pCPU of the model. */
struct strip {
    const struct balance *b;
    unsigned int pcpu;
};

static const struct balance_tick *tick(const void *of, uint64_t i)
{
    const struct strip *s = of;

    return &s->b->tick[i * s->b->host.pcpus + s->pcpu];
}
static uint64_t used(const void *of, uint64_t i) { return tick(of, i)->used; }
static uint64_t load(const void *of, uint64_t i) { return (uint64_t)tick(of, i)->used + tick(of, i)->waited; }
static uint64_t moves(const void *b, uint64_t i) { return ((const struct balance *)b)->moves[i]; }

static void pcpu_strip(const struct svg *c, const struct balance *b, unsigned int p)
{
    const struct strip s = { b, p };
    char name[32], most[32];

    svg_area(c, &s, b->over, load, b->host.tick, "#d62728"); /* what the next one leaves of it, is waiting */
    svg_area(c, &s, b->over, used, b->host.tick, "#9ecae1");
    svg_rule(c, b->host.tick / 1000, DASHED);
    if (b->host.nodes > 1)
        snprintf(name, sizeof(name), "pCPU %u, n%u", p, balance_node(b, p));
    else
        snprintf(name, sizeof(name), "pCPU %u", p);
    snprintf(most, sizeof(most), "%.0f %%", 100 * (double)c->most / ((double)b->host.tick / 1e3));
    svg_frame(c, name, p ? NULL : most);
}

static void moves_strip(struct svg *c, const struct balance *b)
{
    char most[32];

    c->most = 1;
    for (uint64_t i = 0; i < b->over; i++)
        c->most = b->moves[i] > c->most ? b->moves[i] : c->most;
    svg_area(c, b, b->over, moves, b->host.tick, "#08306b");
    snprintf(most, sizeof(most), "%llu a tick", (unsigned long long)c->most);
    svg_frame(c, "migrations", most);
}

void balance_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "the pCPU runs", SVG_AREA },
        { "#d62728", "its vCPUs wait", SVG_AREA },
        { "#555", "all of its time", SVG_DASHED },
        { "#08306b", "vCPUs are moved", SVG_AREA },
        { NULL, NULL, SVG_AREA },
    };
    const struct balance *b = model;
    struct svg c = { f, b->time, SVG_TOP, b->host.pcpus > FEW ? SHORT : TALL, b->host.tick / 1000 };

    for (unsigned int p = 0; p < b->host.pcpus; p++)
        for (uint64_t i = 0; i < b->over; i++)
            c.most = load(&(struct strip){ b, p }, i) > c.most ? load(&(struct strip){ b, p }, i) : c.most;
    svg_begin(&c, SVG_TOP + (c.height + GAP) * (double)b->host.pcpus + TALL + 24, title);
    svg_marks(&c, marks, 190);
    for (unsigned int p = 0; p < b->host.pcpus; p++, c.top += c.height + GAP)
        pcpu_strip(&c, b, p);
    c.height = TALL;
    moves_strip(&c, b);
    svg_axis_ns(&c);
    svg_end(&c);
}
