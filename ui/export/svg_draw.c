// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a picture, drawn: see ui/export/svg.h.
 *
 * Colours are those of the screen (ui/screen/style.h), and nothing is told by them alone: modes have patterns, waiting
 * has other heights, and where there is room a stretch says what it is. Where stretches are too short to be drawn, time
 * is drawn in steps, each a stack of their shares. Arrows that would lie on each other are drawn once.
 */
#include "ui/export/svg.h"

#include <inttypes.h>
#include <string.h>

#include "ui/screen/style.h"

#define WIDTH  1400.0
#define LEFT   120.0
#define RIGHT  30.0
#define TOP    88.0 /* title, legend, axis */
#define LANE   34.0 /* from one to the next */
#define BAR    22.0
#define LOW    7.0 /* a bar of one that waits */
#define STEP   4.0 /* of a stack */
#define ARROW  6.0 /* between arrows from and to the same */
#define LETTER 6.7 /* the width of one, 11 px, monospaced */
#define PLOT   (WIDTH - LEFT - RIGHT)

static const struct paint {
    const char *name;
    enum style style;
    const char *pattern; /* drawn over the colour; NULL: none */
} paints[SVG_NR_STATES] = {
    [SVG_XEN] = { "xen", STYLE_xen, "M-1,1 l2,-2 M0,8 l8,-8 M7,9 l2,-2" },
    [SVG_KERNEL] = { "kernel", STYLE_kernel, NULL },
    [SVG_USER] = { "user", STYLE_user, "M0,4 h8" },
    [SVG_NATIVE] = { "native", STYLE_native, "M4,0 v8" },
    [SVG_RUNNABLE] = { "waits for a pCPU", STYLE_changed, NULL },
    [SVG_BLOCKED] = { "blocked", STYLE_border, NULL },
    [SVG_HELD] = { "has the pCPU", STYLE_border, NULL },
};

static uint32_t colour(enum style style) { return palette_find("default")->look[style].fg; }
static uint32_t ground(void) { return palette_find("default")->look[STYLE_text].bg; }

static double x_of(const struct svg *s, s_time_t t)
{
    const double all = s->to > s->from ? (double)(s->to - s->from) : 1;

    return LEFT + PLOT * (double)(t - s->from) / all;
}

/* Names come from a vocabulary of ours; a guest's, from anybody. */
static void put_text(const struct svg *s, double x, double y, const char *how, const char *text)
{
    fprintf(s->out, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, how);
    for (; *text; text++)
        if (*text == '<' || *text == '&' || *text < ' ' || *text >= 0x7f)
            fputc('?', s->out);
        else
            fputc(*text, s->out);
    fputs("</text>\n", s->out);
}

static void put_rect(const struct svg *s, double x, double y, double width, double height, enum svg_state state)
{
    fprintf(s->out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" class=\"s%d\"/>\n", x, y, width, height,
            (int)state);
}

/* --- the frame --- */

static void put_style(const struct svg *s)
{
    FILE *out = s->out;

    fprintf(out, "<defs>\n");
    for (int i = 0; i < SVG_NR_STATES; i++)
        if (paints[i].pattern)
            fprintf(out,
                    "<pattern id=\"p%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" "
                    "height=\"8\" fill=\"#%06x\"/><path d=\"%s\" stroke=\"#%06x\" stroke-width=\"1.2\" "
                    "stroke-opacity=\".55\"/></pattern>\n",
                    i, colour(paints[i].style), paints[i].pattern, ground());
    fprintf(out,
            "<marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
            "orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#%06x\"/></marker>\n</defs>\n<style>\n"
            "text { font: 11px monospace; fill: #%06x }\n.b { fill: #%06x; font-weight: bold }\n.t { font-size: 15px; "
            "font-weight: bold }\n.g { stroke: #%06x; stroke-opacity: .3 }\n.a { stroke: #%06x; fill: none }\n"
            ".m { text-anchor: middle }\n.e { text-anchor: end }\n",
            colour(STYLE_here), colour(STYLE_text), ground(), colour(STYLE_border), colour(STYLE_here));
    for (int i = SVG_NOTHING + 1; i < SVG_NR_STATES; i++)
        if (i == SVG_HELD || i == SVG_RUNNABLE)
            fprintf(out, ".s%d { fill: none; stroke: #%06x }\n", i, colour(paints[i].style));
        else if (paints[i].pattern)
            fprintf(out, ".s%d { fill: url(#p%d) }\n", i, i);
        else
            fprintf(out, ".s%d { fill: #%06x }\n", i, colour(paints[i].style));
    fprintf(out, "</style>\n");
}

/* A time as people say it, to the step of the axis. */
static const char *time_text(char text[48], s_time_t t, s_time_t step)
{
    static const struct {
        s_time_t ns;
        const char *name;
    } units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
    size_t i = 0;
    int digits = 0;

    while (i < ARRAY_SIZE(units) - 1 && t < units[i].ns && step < units[i].ns)
        i++;
    for (s_time_t unit = units[i].ns; unit > step && unit > 1; unit /= 10)
        digits++;
    snprintf(text, 48, "%.*f %s", digits, (double)t / (double)units[i].ns, units[i].name);
    return text;
}

static void put_axis(const struct svg *s, double bottom)
{
    static const s_time_t factors[] = { 2, 5, 10 };
    s_time_t step = 1, power = 1;
    char text[48];

    for (size_t i = 0; (s->to - s->from) / step > 8; i++) {
        step = power * factors[i % 3];
        power *= i % 3 == 2 ? 10 : 1;
    }
    for (s_time_t t = (s->from + step - 1) / step * step; t <= s->to; t += step) {
        fprintf(s->out, "<path class=\"g\" d=\"M%.1f,%.1f V%.1f\"/>\n", x_of(s, t), TOP - 8, bottom);
        put_text(s, x_of(s, t), TOP - 13, " class=\"m\"", time_text(text, t, step));
    }
}

static void put_legend(const struct svg *s)
{
    static const uint8_t shown[] = { SVG_XEN, SVG_KERNEL, SVG_USER, SVG_NATIVE, SVG_RUNNABLE, SVG_BLOCKED };
    double x = LEFT;

    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        const struct paint *p = &paints[shown[i]];
        const double height = shown[i] == SVG_RUNNABLE ? LOW : shown[i] == SVG_BLOCKED ? 1.5 : 14;

        put_rect(s, x, 51 - height, 26, height, (enum svg_state)shown[i]);
        put_text(s, x + 32, 49, "", p->name);
        x += 32 + LETTER * (double)strlen(p->name) + 22;
    }
    fprintf(s->out, "<path class=\"a\" marker-end=\"url(#a)\" d=\"M%.1f,45 h26\"/>\n", x);
    put_text(s, x + 32, 49, "", "an event is sent");
}

/* --- lanes --- */

/* Where it says something, from its beginning to its end. */
static void put_stretch(const struct svg *s, const struct svg_lane *lane, const struct svg_change *c, s_time_t end)
{
    const double x = x_of(s, c->at), width = x_of(s, end) - x, y = lane->y;
    const char *name = c->why ? c->why : paints[c->state].name;
    char who[32];

    switch (c->state) {
    case SVG_NOTHING: return;
    case SVG_BLOCKED: put_rect(s, x, y + BAR - 2, width, 1.5, SVG_BLOCKED); return;
    case SVG_RUNNABLE: put_rect(s, x, y + BAR - LOW, width, LOW, SVG_RUNNABLE); return;
    case SVG_HELD:
        snprintf(who, sizeof(who), "d%uv%u", c->who >> 16, c->who & 0xffff);
        name = who;
        break;
    default: break;
    }
    put_rect(s, x, y, width, BAR, (enum svg_state)c->state);
    if (width < LETTER * (double)strlen(name) + 6)
        return;
    if (paints[c->state].pattern) /* so that the pattern does not run through the letters */
        fprintf(s->out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"15\" fill=\"#%06x\"/>\n",
                x + width / 2 - LETTER * (double)strlen(name) / 2 - 2, y + 4, LETTER * (double)strlen(name) + 4,
                colour(paints[c->state].style));
    put_text(s, x + width / 2, y + 15, c->state == SVG_HELD ? " class=\"m\"" : " class=\"m b\"", name);
}

/* A step of time: shares, the lowest first. */
static void put_stack(const struct svg *s, const struct svg_lane *lane, double x, const double share[SVG_NR_STATES])
{
    double y = lane->y + BAR;

    for (int i = SVG_NOTHING + 1; i < SVG_NR_STATES; i++) {
        const double height = BAR * share[i];

        if (i == SVG_BLOCKED || i == SVG_RUNNABLE) {
            /* Of waiting the place is enough, but where there is little else. */
            if (share[i] > .5)
                put_rect(s, x, lane->y + BAR - (i == SVG_BLOCKED ? 2 : LOW), STEP, i == SVG_BLOCKED ? 1.5 : LOW,
                         (enum svg_state)i);
            continue;
        }
        y -= height;
        if (height > 0.05)
            put_rect(s, x, y, STEP, height, (enum svg_state)i);
    }
}

static void put_stacks(const struct svg *s, const struct svg_lane *lane)
{
    const double per_ns = PLOT / (double)(s->to - s->from);
    double share[SVG_NR_STATES] = { 0 }, x = 0; /* x: where the stack begins, from the left */

    for (size_t i = 0; i < lane->nr; i++) {
        double at = x_of(s, lane->change[i].at) - LEFT;
        const double end =
            i + 1 < lane->nr ? x_of(s, lane->change[i + 1].at) - LEFT : per_ns * (double)(s->to - s->from);

        while (at < end) {
            if (at >= x + STEP) {
                put_stack(s, lane, LEFT + x, share);
                memset(share, 0, sizeof(share));
                x = STEP * (double)(uint64_t)(at / STEP);
                if (at >= x + STEP) /* rounding */
                    x += STEP;
            }
            const double part = end < x + STEP ? end : x + STEP;

            share[lane->change[i].state] += (part - at) / STEP;
            at = part;
        }
    }
    put_stack(s, lane, LEFT + x, share);
}

static void put_lane(struct svg *s, struct svg_lane *lane, const char *name, double y)
{
    lane->y = y;
    put_text(s, LEFT - 10, y + 15, " class=\"e\"", name);
    fprintf(s->out, "<path class=\"g\" d=\"M%.1f,%.1f H%.1f\"/>\n", LEFT, y + BAR + 1, WIDTH - RIGHT);
    if ((double)lane->nr > PLOT / STEP) {
        put_stacks(s, lane);
        return;
    }
    for (size_t i = 0; i < lane->nr; i++)
        put_stretch(s, lane, &lane->change[i], i + 1 < lane->nr ? lane->change[i + 1].at : s->to);
}

/* --- sends --- */

static void put_sends(const struct svg *s)
{
    for (size_t i = 0; i < s->nr_sends; i++) {
        const struct svg_send *e = &s->send[i];
        const bool down = e->from->y < e->to->y;
        const double x = x_of(s, e->sent), x2 = x_of(s, e->arrived);
        const double y = e->from->y + (down ? BAR : 0), y2 = e->to->y + (down ? 0 : BAR);

        if (e->from->arrow_to == e->to && x - e->from->arrow < ARROW)
            continue;
        e->from->arrow_to = e->to;
        e->from->arrow = x;
        if (e->from == e->to) /* to itself: a loop below */
            fprintf(s->out, "<path class=\"a\" marker-end=\"url(#a)\" d=\"M%.1f,%.1f c-8,10 8,10 %.1f,0\"/>\n", x, y,
                    x2 - x);
        else
            fprintf(s->out, "<path class=\"a\" marker-end=\"url(#a)\" d=\"M%.1f,%.1f L%.1f,%.1f\"/>\n", x, y, x2, y2);
    }
}

void svg_draw(struct svg *s)
{
    size_t nr = s->vcpus.nr;
    char name[EXPORT_NAME], from[48], to[48], title[160];
    double y = TOP;

    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        nr += s->pcpu[i].nr != 0;
    const double height = TOP + LANE * (double)nr + 16;

    fprintf(s->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
            WIDTH, height, WIDTH, height);
    put_style(s);
    fprintf(s->out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#%06x\"/>\n", ground());
    snprintf(title, sizeof(title), "%s to %s, virtual time; %zu events sent", time_text(from, s->from, 1),
             time_text(to, s->to, 1), s->nr_sends);
    put_text(s, LEFT, 24, " class=\"t\"", title);
    put_legend(s);
    put_axis(s, height - 12);
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        if (s->pcpu[i].nr) {
            snprintf(name, sizeof(name), "pCPU %u", i);
            put_lane(s, &s->pcpu[i], name, y);
            y += LANE;
        }
    for (size_t i = 0; i < s->vcpus.nr; i++, y += LANE) {
        const uint32_t key = s->vcpus.row[i]->key;
        char guest[EXPORT_NAME];

        export_domain_name(s->about, key >> 16, guest);
        snprintf(name, sizeof(name), "d%uv%u%.10s", key >> 16, key & 0xffff,
                 strchr(guest, ' ') ? strchr(guest, ' ') : "");
        put_lane(s, (struct svg_lane *)s->vcpus.row[i], name, y);
    }
    put_sends(s);
    fputs("</svg>\n", s->out);
}
