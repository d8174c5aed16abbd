// SPDX-License-Identifier: GPL-2.0-or-later
/* What the cockpit has looked at, and when it looks again: see ui/cockpit/cockpit.h. */
#include "ui/cockpit/cockpit.h"

#include <stdarg.h>
#include <string.h>

void cockpit_complain(struct cockpit *c, const char *code, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say_error(&c->s->g.say, code, "%s", text);
}

void cockpit_forget(struct cockpit *c) { c->seen = false; }

static void panels_forget(struct cockpit *c)
{
    for (unsigned int i = 0; i < c->nr_panels; i++)
        c->panel[i].taken = false;
}

/* What is shown becomes what was shown: of the last stop, or of nothing that this could be compared with. */
static void leave(struct cockpit *c, bool comparable)
{
    for (unsigned int i = 0; i < c->nr_panels; i++) {
        struct cockpit_panel *p = &c->panel[i];
        const struct table then = p->then;

        if (!p->taken)
            continue;
        p->then = p->table;
        p->table = then;
        if (!comparable)
            table_free(&p->then);
        p->taken = false;
    }
}

/*
 * Everything, once for each place; while it runs, what is on the screen, and not what led there. What was seen while it
 * ran is no stop: marks stay against the one before.
 */
static void look(struct cockpit *c)
{
    struct debug *g = &c->s->g;
    const struct position here = debugger_here(&g->dbg);
    const bool same_vcpu = c->scene.dom == g->dbg.dom && c->scene.vcpu == g->dbg.vcpu;
    const bool same = same_vcpu && !memcmp(&here, &c->scene.at, sizeof(here));

    if (c->seen && same)
        return;
    if (same || c->seen_running) {
        panels_forget(c);
    } else {
        leave(c, same_vcpu);
        c->went_back = position_is_before(here, c->scene.at);
        memcpy(c->last_stop, c->scene.where, sizeof(c->last_stop));
    }
    c->seen_running = c->running;
    if (!c->running) {
        window_take(&g->dbg, PANEL_EVENTS_LEAST, PANEL_EVENTS_MOST, &c->window);
        rewind_checkpoint(&g->rw); /* the next step, or the one back, will begin here */
    }
    scene_take(&c->scene, g, &c->window);
    c->seen = true;
}

void cockpit_look(struct cockpit *c, struct cockpit_panel *p)
{
    look(c);
    if (p->taken)
        return;
    c->scene.filter = p->filter;
    c->scene.about = p->about;
    panel_take(p->ops, &p->table, &c->s->g, &c->scene);
    c->scene.about = (struct panel_about){ 0 };
    p->table.grows |= p->ops->of_past && p->ops->is_line && !c->went_back;
    p->taken = true;
}

void cockpit_look_all(struct cockpit *c)
{
    for (unsigned int i = 0; i < c->nr_panels; i++)
        cockpit_look(c, &c->panel[i]);
}

struct cockpit_panel *cockpit_focused(struct cockpit *c) { return &c->panel[c->focus]; }
