// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What charts of all kits have in common: a title, marks, and strips below each other in which time runs to the right.
 *
 *      title
 *      [] mark  [] mark
 *      name  |  strip         | most
 *            |                | 0
 *      name  |  strip         |
 *            0 s    10 s   20 s
 */
#ifndef TOOLS_KIT_SVG_H
#define TOOLS_KIT_SVG_H

#include <stdint.h>
#include <stdio.h>

#define SVG_WIDTH 1200.0
#define SVG_LEFT  110.0
#define SVG_RIGHT 90.0
#define SVG_TOP   70.0 /* of the first strip */

struct svg {
    FILE *f;
    uint64_t time;      /* from 0 to this, from SVG_LEFT to SVG_RIGHT */
    double top, height; /* of the strip that is drawn, from 0 (below) */
    uint64_t most;      /* to this (above) */
};

double svg_x(const struct svg *c, uint64_t t);

/* A chart's head; svg_end() its end. */
void svg_begin(const struct svg *c, double height, const char *title);
void svg_end(const struct svg *c);

/*
 * A text of anybody's, `room` wide; anchor: start, middle, end. One that is too long is in smaller letters, and if
 * those were illegible its middle is left out: both ends of a name may be what tells it from others.
 */
void svg_text(const struct svg *c, double x, double y, const char *anchor, double room, const char *s);

/* Marks below the title, `width` apart: an area of a colour, or a line. A text of NULL ends them. */
struct svg_mark {
    const char *colour, *text;
    enum { SVG_AREA, SVG_LINE, SVG_DASHED } shape;
};
void svg_marks(const struct svg *c, const struct svg_mark *marks, double width);

/* The strip's frame: its name to the left, `most` to the right, 0 below that; most NULL: neither. */
void svg_frame(const struct svg *c, const char *name, const char *most);
void svg_rule(const struct svg *c, uint64_t value, const char *style);
/* The time below the strip: `unit` is one `name`, such as 10^9 ns one "s". */
void svg_axis(const struct svg *c, uint64_t unit, const char *name);
/* The same of a time that is ns, in what suits it. */
void svg_axis_ns(const struct svg *c);

/* In steps, each `width` of time wide: value(of, i), for i from 0 to nr - 1. Filled down to 0, or the line alone. */
void svg_area(const struct svg *c, const void *of, uint64_t nr, uint64_t (*value)(const void *of, uint64_t i),
              uint64_t width, const char *colour);
void svg_line(const struct svg *c, const void *of, uint64_t nr, uint64_t (*value)(const void *of, uint64_t i),
              uint64_t width, const char *style);

#endif
