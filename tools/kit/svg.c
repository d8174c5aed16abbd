// SPDX-License-Identifier: GPL-2.0-or-later
/* Charts: tools/kit/svg.h says what one looks like. */
#include "tools/kit/svg.h"

#include <string.h>

#define INNER    (SVG_WIDTH - SVG_LEFT - SVG_RIGHT)
#define SIZE     12.0  /* of letters, */
#define SMALLEST 9.0   /* and in which they are still legible; */
#define WIDE     0.605 /* how wide they are, of their size */

double svg_x(const struct svg *c, uint64_t t) { return SVG_LEFT + INNER * (double)t / (double)(c->time ? c->time : 1); }

static double y_of(const struct svg *c, uint64_t value)
{
    return c->top + c->height - c->height * (double)value / (double)(c->most ? c->most : 1);
}

static void letters(const struct svg *c, const char *s, size_t nr)
{
    for (; nr; s++, nr--) {
        if (*s == '<' || *s == '>' || *s == '&')
            fputs(*s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;", c->f);
        else
            fputc((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s, c->f);
    }
}

void svg_text(const struct svg *c, double x, double y, const char *anchor, double room, const char *s)
{
    const size_t len = strlen(s), most = (size_t)(room / (SMALLEST * WIDE)), half = (most - 2) / 2;

    fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", x, y, anchor);
    if ((double)len * SIZE * WIDE > room)
        fprintf(c->f, " font-size=\"%.1f\"", len > most ? SMALLEST : room / ((double)len * WIDE));
    fputc('>', c->f);
    if (len > most) {
        letters(c, s, most - 2 - half);
        fputs("..", c->f);
        letters(c, s + len - half, half);
    } else {
        letters(c, s, len);
    }
    fputs("</text>\n", c->f);
}

void svg_begin(const struct svg *c, double height, const char *title)
{
    fprintf(c->f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"monospace\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            SVG_WIDTH, height);
    svg_text(c, SVG_LEFT, 22, "start", SVG_WIDTH - SVG_LEFT - 6, title);
}

void svg_end(const struct svg *c) { fputs("</svg>\n", c->f); }

void svg_marks(const struct svg *c, const struct svg_mark *mark, double width)
{
    for (double x = SVG_LEFT; mark->text; mark++, x += width) {
        if (mark->shape == SVG_DASHED)
            fprintf(c->f,
                    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"44\" y2=\"44\" stroke=\"%s\" stroke-dasharray=\"5 4\"/>\n", x,
                    x + 16, mark->colour);
        else
            fprintf(c->f, "<rect x=\"%.1f\" y=\"%d\" width=\"16\" height=\"%d\" fill=\"%s\"/>\n", x,
                    mark->shape == SVG_AREA ? 38 : 43, mark->shape == SVG_AREA ? 12 : 2, mark->colour);
        svg_text(c, x + 22, 48, "start", width - 28, mark->text);
    }
}

void svg_frame(const struct svg *c, const char *name, const char *most)
{
    svg_text(c, SVG_LEFT - 8, c->top + c->height / 2 + 4, "end", SVG_LEFT - 8, name);
    if (most) {
        svg_text(c, SVG_WIDTH - SVG_RIGHT + 6, c->top + 10, "start", SVG_RIGHT - 6, most);
        svg_text(c, SVG_WIDTH - SVG_RIGHT + 6, c->top + c->height, "start", SVG_RIGHT - 6, "0");
    }
    fprintf(c->f,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#999\" "
            "stroke-width=\"0.5\"/>\n",
            SVG_LEFT, c->top, INNER, c->height);
}

void svg_rule(const struct svg *c, uint64_t value, const char *style)
{
    fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" %s/>\n", SVG_LEFT, SVG_WIDTH - SVG_RIGHT,
            y_of(c, value), y_of(c, value), style);
}

void svg_axis(const struct svg *c, uint64_t unit, const char *name)
{
    static const uint64_t steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800 };
    const double y = c->top + c->height;
    uint64_t step = 0;
    char label[24];

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && (!step || c->time / unit / step > 14); i++)
        step = steps[i];
    for (uint64_t t = 0; t * unit <= c->time; t += step) {
        snprintf(label, sizeof(label), "%llu %s", (unsigned long long)t, name);
        svg_text(c, svg_x(c, t * unit), y + 16, "middle", 2 * SVG_RIGHT, label);
        fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#999\" stroke-width=\"0.5\"/>\n",
                svg_x(c, t * unit), svg_x(c, t * unit), y, y + 4);
    }
}

void svg_axis_ns(const struct svg *c)
{
    if (c->time > 4000000000)
        svg_axis(c, 1000000000, "s");
    else if (c->time > 4000000)
        svg_axis(c, 1000000, "ms");
    else
        svg_axis(c, 1000, "us");
}

static void steps(const struct svg *c, const void *of, uint64_t nr, uint64_t (*value)(const void *of, uint64_t i),
                  uint64_t width)
{
    for (uint64_t i = 0; i < nr; i++)
        fprintf(c->f, "V%.1fH%.1f", y_of(c, value(of, i)), svg_x(c, (i + 1) * width));
}

void svg_area(const struct svg *c, const void *of, uint64_t nr, uint64_t (*value)(const void *of, uint64_t i),
              uint64_t width, const char *colour)
{
    fprintf(c->f, "<path fill=\"%s\" d=\"M%.1f %.1f", colour, SVG_LEFT, y_of(c, 0));
    steps(c, of, nr, value, width);
    fprintf(c->f, "V%.1fZ\"/>\n", y_of(c, 0));
}

void svg_line(const struct svg *c, const void *of, uint64_t nr, uint64_t (*value)(const void *of, uint64_t i),
              uint64_t width, const char *style)
{
    fprintf(c->f, "<path fill=\"none\" %s d=\"M%.1f %.1f", style, SVG_LEFT, y_of(c, nr ? value(of, 0) : 0));
    steps(c, of, nr, value, width);
    fputs("\"/>\n", c->f);
}
