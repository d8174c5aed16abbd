// SPDX-License-Identifier: GPL-2.0-or-later
/* The projector's picture as SVG, see ui/projector/picture.h. */
#include "ui/projector/picture.h"

#include "tools/debug/sentence.h"
#include "ui/panels/ladder.h"
#include "ui/screen/grid.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define MARGIN 60
#define FONT   40                      /* pixels: a thirtieth is 36 */
#define CHAR   ((double)FONT * 0.6021) /* the width of a character of DejaVu Sans Mono, and most others */

#define LADDER_TOP 130
#define LADDER_ROW 120
#define LABEL      620 /* columns of what rows are called */
#define TRIP       175 /* width of a trip */
#define PEAK       85  /* of that, up there */

#define TEXT_TOP  580
#define TEXT_ROWS 4

#define LANE_TOP    860
#define LANES       4 /* pCPUs */
#define LANE_BOTTOM (PICTURE_HEIGHT - 30)

struct picture {
    const struct scene *s;
    const struct palette *palette;
    FILE *out;
};

/* As it stands in an XML document, whatever the bytes. */
static void xml_text(const char *text, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (c == '<' || c == '>' || c == '&' || c == '"')
            fprintf(out, "&#%u;", c);
        else
            putc(c >= 0x20 && c < 0x7f ? c : '?', out);
    }
}

static uint32_t colour(const struct picture *p, enum style style)
{
    const struct look *l = &p->palette->look[style];

    return l->bg == p->palette->look[STYLE_text].bg ? l->fg : l->bg;
}

static void text_at(const struct picture *p, double x, double y, unsigned int size, enum style style, const char *text,
                    size_t n)
{
    fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%u\" fill=\"#%06x\"%s>", x, y, size, colour(p, style),
            p->palette->look[style].bold ? " font-weight=\"bold\"" : "");
    xml_text(text, n, p->out);
    fputs("</text>\n", p->out);
}

static void line_at(const struct picture *p, double x1, double y1, double x2, double y2, enum style style, bool dotted)
{
    fprintf(p->out,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#%06x\" stroke-width=\"10\" "
            "stroke-linecap=\"round\"%s/>\n",
            x1, y1, x2, y2, colour(p, style), dotted ? " stroke-dasharray=\"2 22\"" : "");
}

/* --- the line at the top --- */

static void title(const struct picture *p)
{
    const struct scene *s = p->s;
    char text[160];

    snprintf(text, sizeof(text), "d%uv%u%s%s, %s", s->dom, s->vcpu, s->name ? " " : "", s->name ?: "",
             s->has_vcpu ? (s->v.native ? "native" : s->v.mode) : "is not there");
    text_at(p, MARGIN, 80, 48, STYLE_title, text, strlen(text));
    text_at(p, PICTURE_WIDTH - MARGIN - (double)strlen(s->where) * 48 * 0.6021, 80, 48, STYLE_title, s->where,
            strlen(s->where));
}

/* --- the ladder --- */

/* Guests with more rings have closer ones. */
static double row_y(const struct picture *p, unsigned int level)
{
    unsigned int nr;
    double row;

    ladder_levels(p->s, &nr);
    row = nr > 3 ? LADDER_ROW * 3.0 / nr : LADDER_ROW;
    return LADDER_TOP + row * level + LADDER_ROW * 0.6;
}

static void label(const struct picture *p, const struct ladder_level *l, unsigned int level)
{
    const enum style style = ladder_level_style(p->s, level);
    char name[16];
    size_t i = 0;

    for (; l->name[i] && i + 1 < sizeof(name); i++)
        name[i] = (char)toupper((unsigned char)l->name[i]);
    text_at(p, MARGIN, row_y(p, level) + 14, FONT, style, name, i);
    text_at(p, MARGIN + 200, row_y(p, level) + 14, FONT, style, l->believed, strlen(l->believed));
    text_at(p, MARGIN + 400, row_y(p, level) + 14, FONT, style, l->real, strlen(l->real));
}

static void trip(const struct picture *p, const struct ladder *l, unsigned int i, double x)
{
    const struct ladder_trip *t = &l->trip[i];
    const unsigned int from = ladder_level_of(t->from), to = ladder_level_of(t->to);
    const double up = x + TRIP - PEAK;
    const char letter[] = { ladder_letter(l, i), '\0' };

    line_at(p, x, row_y(p, from), up, row_y(p, from), ladder_level_style(p->s, from), false);
    line_at(p, up, row_y(p, from), up, row_y(p, 0), ladder_level_style(p->s, from), false);
    line_at(p, up, row_y(p, 0), x + TRIP, row_y(p, 0), STYLE_xen, t->over && t->silent);
    text_at(p, up + PEAK / 2.0 - CHAR / 2, row_y(p, 0) - 18, FONT, STYLE_xen, letter, 1);
    if (t->over)
        line_at(p, x + TRIP, row_y(p, 0), x + TRIP, row_y(p, to), ladder_level_style(p->s, to), false);
}

static void ladder(const struct picture *p, const struct ladder *l)
{
    const unsigned int fit = (PICTURE_WIDTH - MARGIN - MARGIN - LABEL - 60) / TRIP, now = ladder_level_now(l);
    const unsigned int first = l->nr > fit ? l->nr - fit : 0;
    double x = MARGIN + LABEL;
    unsigned int nr;
    const struct ladder_level *levels = ladder_levels(p->s, &nr);

    for (unsigned int i = 0; i < nr; i++)
        label(p, &levels[i], i);
    for (unsigned int i = first; i < l->nr; i++, x += TRIP)
        trip(p, l, i, x);
    line_at(p, x, row_y(p, now), x + 40, row_y(p, now), ladder_level_style(p->s, now), false);
    fprintf(p->out, "<path d=\"M %.1f %.1f l 45 28 l -45 28 z\" fill=\"#%06x\"/>\n", x + 38, row_y(p, now) - 28,
            colour(p, STYLE_here));
}

/* --- the sentence --- */

static void sentence(const struct picture *p, const char *text)
{
    const unsigned int cols = (unsigned int)((PICTURE_WIDTH - 2 * MARGIN) / CHAR);

    for (unsigned int row = 0; row < TEXT_ROWS && *text; row++) {
        const bool more = row + 1 == TEXT_ROWS && strlen(text) > cols;
        const size_t n = text_row_end(text, more ? cols - 3 : cols);

        text_at(p, MARGIN, TEXT_TOP + row * 60, FONT, STYLE_text, text, n);
        if (more)
            text_at(p, MARGIN + (double)n * CHAR, TEXT_TOP + row * 60, FONT, STYLE_text, "...", 3);
        text += n + strspn(text + n, " ");
    }
}

/* --- who ran --- */

static const enum style lane_styles[] = { STYLE_native, STYLE_kernel, STYLE_user, STYLE_xen, STYLE_past };

/* A vCPU that ran on a pCPU from x to x + w: by its colour, its hatching and its name. */
static void block(const struct picture *p, double x, double w, double y, double h, uint64_t who)
{
    const unsigned int dom = (unsigned int)TRACE_VCPU_DOM(who), vcpu = (unsigned int)TRACE_VCPU_NR(who);
    const enum style style = lane_styles[dom % (sizeof(lane_styles) / sizeof(lane_styles[0]))];
    char name[32];
    const int n = snprintf(name, sizeof(name), "d%uv%u", dom, vcpu);

    fprintf(
        p->out,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#%06x\" "
        "stroke-width=\"4\"/>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"url(#hatch%u)\"/>\n",
        x, y, w, h, colour(p, style), x, y, w, h, dom % 5);
    if (w > n * CHAR)
        text_at(p, x + (w - n * CHAR) / 2, y + h / 2 + 14, FONT, STYLE_here, name, (size_t)n);
}

struct lanes {
    unsigned int nr;
    s_time_t begin, end;
    uint64_t runs[LANES]; /* TRACE_VCPU_ID(), or TRACE_NONE */
    s_time_t since[LANES];
};

/* Who ran when the window begins: whom the first switch takes the pCPU from; if there is none, who runs now. */
static void lanes_begin(const struct scene *s, struct lanes *l)
{
    const struct window *w = s->window;

    *l = (struct lanes){ .nr = s->nr_pcpus < LANES ? s->nr_pcpus : LANES, .begin = w->nr ? w->rec[0].time : s->now };
    l->end = s->now;
    for (unsigned int i = 0; i < l->nr; i++) {
        l->runs[i] = s->pcpu[i].idle ? TRACE_NONE : TRACE_VCPU_ID(s->pcpu[i].dom, s->pcpu[i].vcpu);
        l->since[i] = l->begin;
    }
    for (size_t i = w->nr; i-- > 0;)
        if (w->rec[i].event == TRC_sched_switch && w->rec[i].pcpu < l->nr)
            l->runs[w->rec[i].pcpu] = record_field(&w->rec[i], "prev");
}

/* From the beginning of the window on, on the pCPUs that there is room for. */
static void lanes(const struct picture *p)
{
    const struct window *w = p->s->window;
    const double left = MARGIN + 200;
    double scale, h;
    struct lanes l;

    lanes_begin(p->s, &l);
    if (l.begin >= l.end || !l.nr)
        return;
    scale = (PICTURE_WIDTH - MARGIN - left) / (double)(l.end - l.begin);
    h = (double)(LANE_BOTTOM - LANE_TOP) / l.nr - 16;
    for (unsigned int lane = 0; lane < l.nr; lane++) {
        const double y = LANE_TOP + lane * (h + 16);
        char name[16];
        const int n = snprintf(name, sizeof(name), "pCPU %u", lane);

        text_at(p, MARGIN, y + h / 2 + 14, FONT, STYLE_text, name, (size_t)n);
        for (size_t i = 0; i <= w->nr; i++) {
            const struct trace_record *rec = i < w->nr ? &w->rec[i] : NULL;
            const s_time_t t = rec && rec->time < l.end ? rec->time : l.end;

            if (rec && (rec->event != TRC_sched_switch || rec->pcpu != lane))
                continue;
            if (l.runs[lane] != TRACE_NONE && t > l.since[lane])
                block(p, left + (double)(l.since[lane] - l.begin) * scale, (double)(t - l.since[lane]) * scale, y, h,
                      l.runs[lane]);
            l.since[lane] = t;
            l.runs[lane] = rec ? record_field(rec, "next") : TRACE_NONE;
        }
    }
}

/* One for each of five domains; more share them, and have their names. */
static void hatches(const struct picture *p)
{
    static const char *const paths[] = { "M 0 0", "M 0 20 L 20 0", "M 0 0 L 20 20", "M 0 10 L 20 10",
                                         "M 10 0 L 10 20" };

    fputs("<defs>\n", p->out);
    for (unsigned int i = 0; i < 5; i++)
        fprintf(p->out,
                "<pattern id=\"hatch%u\" width=\"20\" height=\"20\" patternUnits=\"userSpaceOnUse\">"
                "<path d=\"%s\" stroke=\"#%06x\" stroke-width=\"3\" stroke-opacity=\"0.5\"/></pattern>\n",
                i, paths[i], colour(p, lane_styles[i]));
    fputs("</defs>\n", p->out);
}

void picture_write(const struct scene *s, const char *text, const struct palette *palette, FILE *out)
{
    const struct picture p = { s, palette, out };
    struct ladder l;

    ladder_make(&l, s);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n"
            "<title>",
            PICTURE_WIDTH, PICTURE_HEIGHT, PICTURE_WIDTH, PICTURE_HEIGHT);
    xml_text(s->where, strlen(s->where), out);
    fprintf(out,
            "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n"
            "<g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\">\n",
            PICTURE_WIDTH, PICTURE_HEIGHT, palette->look[STYLE_text].bg);
    hatches(&p);
    title(&p);
    ladder(&p, &l);
    sentence(&p, text);
    lanes(&p);
    fputs("</g>\n</svg>\n", out);
}
