// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenes, see ui/panels/scene.h. */
#include "ui/panels/scene.h"

#include <string.h>

enum style scene_mode_style(unsigned int mode)
{
    switch (mode) {
    case TRACE_MODE_XEN: return STYLE_xen;
    case TRACE_MODE_USER:
    case TRACE_MODE_HVM3: return STYLE_user;
    case TRACE_MODE_NATIVE: return STYLE_native;
    default: return STYLE_kernel;
    }
}

static void domain_take(struct scene *s, struct debug *g)
{
    struct look_domain d;

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        if (d.dom == s->dom) {
            s->name = d.name;
            s->type = d.type;
        }
}

static void line_take(struct scene *s, struct debug *g)
{
    const size_t nr = history_nr(g->rw.history);

    for (size_t i = 0; i < nr && s->nr_checkpoints < SCENE_CHECKPOINTS; i++)
        s->checkpoint[s->nr_checkpoints++] = history_info(g->rw.history, i).at;
    s->nr_marks = g->nr_marks;
    memcpy(s->mark, g->marks, sizeof(s->mark));
    for (size_t i = 0; i < g->rw.nr_branches && s->nr_branches < SCENE_BRANCHES; i++) {
        snprintf(s->other[s->nr_branches].name, REWIND_NAME_SIZE, "%s", g->rw.branches[i].name);
        s->other[s->nr_branches++].parts = rewind_branch_parts(&g->rw, i);
    }
}

static void crash_take(void *data, domid_t dom, struct position at, const char *why)
{
    struct scene *s = data;

    if (s->nr_crashes == SCENE_CRASHES)
        return;
    s->crash[s->nr_crashes].dom = dom;
    s->crash[s->nr_crashes].at = at;
    snprintf(s->crash[s->nr_crashes].why, sizeof(s->crash[0].why), "%s", why);
    s->nr_crashes++;
}

void scene_take(struct scene *s, struct debug *g, const struct window *window)
{
    *s = (struct scene){ .at = debugger_here(&g->dbg),
                         .first = rewind_first(&g->rw),
                         .end = g->rw.end,
                         .now = host_now(g->host),
                         .end_now = g->rw.end_now,
                         .live = rewind_is_live(&g->rw),
                         .dom = g->dbg.dom,
                         .vcpu = g->dbg.vcpu,
                         .at_event = g->dbg.at_event,
                         .event = g->dbg.event,
                         .window = window };
    snprintf(s->branch, sizeof(s->branch), "%s", g->rw.name);
    position_text(g, s->where);
    while (s->nr_pcpus < SCENE_PCPUS && look_pcpu(g->host, s->nr_pcpus, &s->pcpu[s->nr_pcpus]))
        s->nr_pcpus++;
    s->has_vcpu = look_vcpu(g->host, s->dom, s->vcpu, &s->v);
    domain_take(s, g);
    line_take(s, g);
    debug_crash_each(g, crash_take, s);
}

bool scene_about_domain(struct debug *g, const char *text, struct debug_addr *what)
{
    return debug_domain(g, text, &what->dom);
}

bool scene_about_vcpu(struct debug *g, const char *text, struct debug_addr *what)
{
    return debug_vcpu_named(g, text, &what->dom, &what->vcpu);
}

bool scene_about_address(struct debug *g, const char *text, struct debug_addr *what)
{
    if (!debug_address(g, text, what))
        return false;
    if (what->space != LOOK_VIRTUAL)
        debug_fail(g, "arguments", "a virtual address, not \"%s\": others have no page tables", text);
    return what->space == LOOK_VIRTUAL;
}

const char *scene_type_of(struct debug *g, domid_t dom)
{
    struct look_domain d;

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        if (d.dom == dom)
            return d.type;
    return NULL;
}
