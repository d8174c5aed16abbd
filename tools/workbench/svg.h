// SPDX-License-Identifier: GPL-2.0-or-later
/* What the two halves of the Gantt chart share: svg.c lays out the page, svg_rows.c fills the rows. */
#ifndef TOOLS_WORKBENCH_SVG_H
#define TOOLS_WORKBENCH_SVG_H

#include <stdio.h>

#include "tools/workbench/sim.h"

#define SVG_WIDTH  1200.0
#define SVG_RIGHT  60.0
#define SVG_ROW    26.0
#define SVG_BAR    20.0 /* the part of a row that is filled */
#define SVG_CHAR   7.25 /* a character of 12 px, monospaced */
#define SVG_PAINTS 64   /* domains that look different from each other */

struct svg {
    FILE *f;
    const struct wb *wb;
    s_time_t from, to;
    double left;  /* where time begins */
    s_time_t bin; /* 0: every stretch is drawn; else time is shown in steps of this, each a stack of shares */
};

static inline double svg_x(const struct svg *c, s_time_t t)
{
    return c->left + (SVG_WIDTH - c->left - SVG_RIGHT) * (double)(t - c->from) / (double)(c->to - c->from);
}

/* How a domain is filled: "url(#d3)". Defined by svg_paints(). */
unsigned int svg_paint(const struct wb_domain *wd);
void svg_paints(const struct svg *c);

/* Should the chart be drawn in steps? Their length, or 0. */
s_time_t svg_bin(const struct svg *c);
void svg_pcpu_row(const struct svg *c, unsigned int cpu, double y);
void svg_vcpu_row(const struct svg *c, const struct wb_vcpu *wv, double y);
/* Marks of missed deadlines; wv NULL: everybody's. */
void svg_misses(const struct svg *c, const struct wb_vcpu *wv, double y);

#endif
