// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memctl's chart: what each VM needs, what it has, and what the host has left.
 *
 * Concept: time runs to the right, a strip a VM. The area is the working set, the line what the VM has: where the area
 * is above the line, in red, it lacks memory; the line far above the area is memory that nobody uses. Below 0 there is
 * nothing: a strip's height is the VM's max. The last strip is the host's free memory, and its reserve.
 */
#include "tools/kit/memctl.h"
#include "tools/kit/svg.h"

#define STRIP   96.0 /* of which so much is for the picture: */
#define PICTURE 78.0
#define DASHED  "stroke=\"#555\" stroke-dasharray=\"5 4\""

static uint64_t needed(const void *vm, uint64_t t) { return ((const struct memctl_vm *)vm)->second[t].needs; }
static uint64_t had(const void *vm, uint64_t t) { return ((const struct memctl_vm *)vm)->second[t].have; }
static uint64_t there(const void *vm, uint64_t t) { return needed(vm, t) < had(vm, t) ? needed(vm, t) : had(vm, t); }
static uint64_t spare(const void *m, uint64_t t) { return ((const struct memctl *)m)->free_at[t]; }

static void frame(const struct svg *c, const char *name)
{
    char most[32];

    snprintf(most, sizeof(most), "%llu MiB", (unsigned long long)c->most);
    svg_frame(c, name, most);
}

static void vm_strip(struct svg *c, const struct memctl_vm *vm, uint64_t over)
{
    c->most = vm->max;
    svg_area(c, vm, over, needed, 1, "#d62728"); /* what the next one leaves of it, is lacking */
    svg_area(c, vm, over, there, 1, "#9ecae1");
    svg_line(c, vm, over, had, 1, "stroke=\"#08306b\" stroke-width=\"1.6\"");
    svg_rule(c, vm->floor, DASHED);
    frame(c, vm->name);
}

static void host_strip(struct svg *c, const struct memctl *m)
{
    c->most = m->host.reserve;
    for (uint64_t t = 0; t < m->over; t++)
        c->most = m->free_at[t] > c->most ? m->free_at[t] : c->most;
    svg_area(c, m, m->over, spare, 1, "#c7e9c0");
    svg_rule(c, m->host.reserve, DASHED);
    frame(c, "host: free");
}

void memctl_svg(const void *model, FILE *f, const char *title)
{
    static const struct svg_mark marks[] = {
        { "#9ecae1", "working set", SVG_AREA },
        { "#d62728", "of that, lacking", SVG_AREA },
        { "#08306b", "what the VM has", SVG_LINE },
        { "#c7e9c0", "free in the host", SVG_AREA },
        { "#555", "floor; the host's reserve", SVG_DASHED },
        { NULL, NULL, SVG_AREA },
    };
    const struct memctl *m = model;
    struct svg c = { f, m->time, SVG_TOP, PICTURE, 0 };

    svg_begin(&c, SVG_TOP + STRIP * (m->nr_vms + 1) + 24, title);
    svg_marks(&c, marks, 170);
    for (unsigned int i = 0; i < m->nr_vms; i++, c.top += STRIP)
        vm_strip(&c, &m->vm[i], m->over);
    host_strip(&c, m);
    svg_axis(&c, 1, "s");
    svg_end(&c);
}
