// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * precopy's chart: what is missing on the other host, what the link carries, and where in memory both happen.
 *
 * Concept: time runs to the right. Above: pages that are missing there; a line where each round begins, and red from
 * when the VM is paused. Below: memory, gfn 0 at the bottom: orange where the VM stores, the darker the more; a blue
 * bar, in the lower half of each row, where pages are sent. Orange that is never blue was skipped until the end.
 */
#include "tools/kit/precopy.h"
#include "tools/kit/svg.h"

#define LEFT_HEIGHT 150.0
#define ROW_HEIGHT  11.0
#define GAP         20.0

static uint64_t left(const void *vm, uint64_t i) { return ((const struct precopy_vm *)vm)->column[i].left; }

/* From one moment to another, as high as the strip. */
static void band(const struct svg *c, uint64_t from, uint64_t to, const char *colour)
{
    fprintf(c->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", svg_x(c, from), c->top,
            svg_x(c, to) - svg_x(c, from) + 0.5, c->height, colour);
}

static void left_strip(const struct svg *c, const struct precopy_model *p)
{
    char most[32];

    if (p->vm.paused)
        band(c, p->paused_at, p->vm.now, "#fcbba1");
    svg_area(c, &p->vm, precopy_vm_columns(&p->vm), left, p->vm.width, "#9ecae1");
    for (uint64_t i = 0; i < p->told.round && i < PRECOPY_MAX_ROUNDS; i++)
        fprintf(c->f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#555\" stroke-width=\"0.6\"/>\n",
                svg_x(c, p->round_at[i]), svg_x(c, p->round_at[i]), c->top, c->top + c->height);
    snprintf(most, sizeof(most), "%llu pages", (unsigned long long)p->vm.nr_pages);
    svg_frame(c, "missing", most);
}

/* One row of memory in one stretch of time; `most`: what would be darkest. */
static void cell(const struct svg *c, const struct precopy_vm *vm, uint64_t i, unsigned int row, uint32_t most)
{
    const struct precopy_column *col = &vm->column[i];
    const double x = svg_x(c, i * vm->width), w = svg_x(c, (i + 1) * vm->width) - x,
                 y = c->top + c->height - ROW_HEIGHT * (row + 1);

    if (col->stores[row])
        fprintf(c->f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#f16913\" "
                "fill-opacity=\"%.2f\"/>\n",
                x, y, w + 0.3, ROW_HEIGHT, 0.15 + 0.75 * (double)col->stores[row] / (double)most);
    if (col->sent[row])
        fprintf(c->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#08519c\"/>\n", x,
                y + ROW_HEIGHT / 2, w + 0.3, ROW_HEIGHT / 2);
}

static void memory_strip(const struct svg *c, const struct precopy_model *p)
{
    const uint64_t nr = precopy_vm_columns(&p->vm);
    uint32_t most = 1;
    char name[32];

    for (uint64_t i = 0; i < nr; i++)
        for (unsigned int r = 0; r < PRECOPY_ROWS; r++)
            most = p->vm.column[i].stores[r] > most ? p->vm.column[i].stores[r] : most;
    for (uint64_t i = 0; i < nr; i++)
        for (unsigned int r = 0; r < PRECOPY_ROWS; r++)
            cell(c, &p->vm, i, r, most);
    snprintf(name, sizeof(name), "%llu MiB", (unsigned long long)p->memory);
    svg_frame(c, "memory", name);
}

void precopy_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "missing there", SVG_AREA }, { "#555", "a round begins", SVG_LINE },
        { "#fcbba1", "paused", SVG_AREA },        { "#f16913", "stored to", SVG_AREA },
        { "#08519c", "sent", SVG_AREA },          { NULL, NULL, SVG_AREA },
    };
    const struct precopy_model *p = model;
    struct svg c = { f, precopy_vm_columns(&p->vm) * p->vm.width, SVG_TOP, LEFT_HEIGHT, p->vm.nr_pages };

    svg_begin(&c, SVG_TOP + LEFT_HEIGHT + GAP + ROW_HEIGHT * PRECOPY_ROWS + 24, title);
    svg_marks(&c, marks, 170);
    left_strip(&c, p);
    c.top += LEFT_HEIGHT + GAP;
    c.height = ROW_HEIGHT * PRECOPY_ROWS;
    memory_strip(&c, p);
    svg_axis_ns(&c);
    svg_end(&c);
}
