// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memctl's chart: what each VM needs, what it has, and what the host has left.
 *
 * Concept: time runs to the right, a strip a VM. The area is the working set, the line what the VM has: where the area
 * is above the line, in red, it lacks memory; the line far above the area is memory that nobody uses. Below 0 there is
 * nothing: a strip's height is the VM's max. The last strip is the host's free memory, and its reserve.
 */
#include "tools/kit/memctl.h"

#include <string.h>

#define WIDTH   1200.0
#define LEFT    110.0
#define RIGHT   90.0
#define TOP     70.0
#define STRIP   96.0 /* of which so much is for the picture: */
#define PICTURE 78.0

struct chart {
    FILE *f;
    const struct memctl *m;
    double top; /* of the strip */
    uint64_t most;
};

static double x_of(const struct chart *c, uint64_t t)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (double)t / (double)c->m->time;
}

static double y_of(const struct chart *c, uint64_t mib)
{
    return c->top + PICTURE - PICTURE * (double)mib / (double)(c->most ? c->most : 1);
}

static void text(FILE *f, double x, double y, const char *anchor, const char *s)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *s; s++) {
        if (*s == '<' || *s == '>' || *s == '&')
            fputs(*s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;", f);
        else
            fputc((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s, f);
    }
    fputs("</text>\n", f);
}

static void rule(const struct chart *c, uint64_t mib, const char *style)
{
    fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" %s/>\n", LEFT, WIDTH - RIGHT, y_of(c, mib),
            y_of(c, mib), style);
}

static uint64_t needed(const struct memctl_vm *vm, uint64_t t) { return vm->second[t].needs; }
static uint64_t had(const struct memctl_vm *vm, uint64_t t) { return vm->second[t].have; }
static uint64_t there(const struct memctl_vm *vm, uint64_t t)
{
    return vm->second[t].needs < vm->second[t].have ? vm->second[t].needs : vm->second[t].have;
}

/* From second to second in steps. */
static void area(const struct chart *c, const struct memctl_vm *vm,
                 uint64_t (*value)(const struct memctl_vm *vm, uint64_t t), const char *colour)
{
    fprintf(c->f, "<path fill=\"%s\" d=\"M%.1f %.1f", colour, LEFT, y_of(c, 0));
    for (uint64_t t = 0; t < c->m->over; t++)
        fprintf(c->f, "V%.1fH%.1f", y_of(c, value(vm, t)), x_of(c, t + 1));
    fprintf(c->f, "V%.1fZ\"/>\n", y_of(c, 0));
}

static void line(const struct chart *c, const struct memctl_vm *vm,
                 uint64_t (*value)(const struct memctl_vm *vm, uint64_t t), const char *style)
{
    fprintf(c->f, "<path fill=\"none\" %s d=\"M%.1f %.1f", style, LEFT, c->m->over ? y_of(c, value(vm, 0)) : 0);
    for (uint64_t t = 0; t < c->m->over; t++)
        fprintf(c->f, "V%.1fH%.1f", y_of(c, value(vm, t)), x_of(c, t + 1));
    fputs("\"/>\n", c->f);
}

static void scale(const struct chart *c, const char *name)
{
    char most[32];

    snprintf(most, sizeof(most), "%llu MiB", (unsigned long long)c->most);
    text(c->f, LEFT - 8, c->top + PICTURE / 2 + 4, "end", name);
    text(c->f, WIDTH - RIGHT + 6, c->top + 10, "start", most);
    text(c->f, WIDTH - RIGHT + 6, c->top + PICTURE, "start", "0");
    fprintf(c->f,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#999\" "
            "stroke-width=\"0.5\"/>\n",
            LEFT, c->top, WIDTH - LEFT - RIGHT, PICTURE);
}

static void vm_strip(struct chart *c, const struct memctl_vm *vm)
{
    c->most = vm->max;
    area(c, vm, needed, "#d62728"); /* what the next one leaves of it, is lacking */
    area(c, vm, there, "#9ecae1");
    line(c, vm, had, "stroke=\"#08306b\" stroke-width=\"1.6\"");
    rule(c, vm->floor, "stroke=\"#555\" stroke-dasharray=\"5 4\"");
    scale(c, vm->name);
}

static void host_strip(struct chart *c)
{
    const struct memctl *m = c->m;

    c->most = m->host.reserve;
    for (uint64_t t = 0; t < m->over; t++)
        c->most = m->free_at[t] > c->most ? m->free_at[t] : c->most;
    fprintf(c->f, "<path fill=\"#c7e9c0\" d=\"M%.1f %.1f", LEFT, y_of(c, 0));
    for (uint64_t t = 0; t < m->over; t++)
        fprintf(c->f, "V%.1fH%.1f", y_of(c, m->free_at[t]), x_of(c, t + 1));
    fprintf(c->f, "V%.1fZ\"/>\n", y_of(c, 0));
    rule(c, m->host.reserve, "stroke=\"#555\" stroke-dasharray=\"5 4\"");
    scale(c, "host: free");
}

static void axis(const struct chart *c, double y)
{
    static const uint64_t steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800 };
    uint64_t step = 0;
    char label[24];

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && (!step || c->m->time / step > 14); i++)
        step = steps[i];
    for (uint64_t t = 0; t <= c->m->time; t += step) {
        snprintf(label, sizeof(label), "%llu s", (unsigned long long)t);
        text(c->f, x_of(c, t), y + 16, "middle", label);
        fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#999\" stroke-width=\"0.5\"/>\n",
                x_of(c, t), x_of(c, t), y, y + 4);
    }
}

static void legend(FILE *f)
{
    static const struct {
        const char *shape, *text;
    } marks[] = {
        { "<rect x=\"%.1f\" y=\"38\" width=\"16\" height=\"12\" fill=\"#9ecae1\"/>", "working set" },
        { "<rect x=\"%.1f\" y=\"38\" width=\"16\" height=\"12\" fill=\"#d62728\"/>", "of that, lacking" },
        { "<rect x=\"%.1f\" y=\"43\" width=\"16\" height=\"2\" fill=\"#08306b\"/>", "what the VM has" },
        { "<rect x=\"%.1f\" y=\"38\" width=\"16\" height=\"12\" fill=\"#c7e9c0\"/>", "free in the host" },
    };
    double x = LEFT;

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++, x += 170) {
        const char *at = strstr(marks[i].shape, "%.1f");

        fprintf(f, "%.*s%.1f%s\n", (int)(at - marks[i].shape), marks[i].shape, x, at + 4);
        text(f, x + 22, 48, "start", marks[i].text);
    }
    fprintf(f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"44\" y2=\"44\" stroke=\"#555\" stroke-dasharray=\"5 4\"/>\n", x,
            x + 16);
    text(f, x + 22, 48, "start", "floor; the host's reserve");
}

void memctl_svg(const void *model, FILE *f, const char *title)
{
    struct chart c = { f, model, TOP, 0 };
    const double height = TOP + STRIP * (c.m->nr_vms + 1) + 24;

    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"monospace\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, height);
    text(f, LEFT, 22, "start", title);
    legend(f);
    for (unsigned int i = 0; i < c.m->nr_vms; i++, c.top += STRIP)
        vm_strip(&c, &c.m->vm[i]);
    host_strip(&c);
    axis(&c, c.top + PICTURE);
    fputs("</svg>\n", f);
}
