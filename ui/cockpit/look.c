// SPDX-License-Identifier: GPL-2.0-or-later
/* What the cockpit has looked at, and when it looks again: see ui/cockpit/cockpit.h. */
#include "ui/cockpit/cockpit.h"

#include <stdarg.h>

void cockpit_complain(struct cockpit *c, const char *code, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say_error(&c->s->g.say, code, "%s", text);
}

void cockpit_forget(struct cockpit *c)
{
    c->seen = false;
    for (unsigned int i = 0; i < c->nr_panels; i++)
        c->panel[i].taken = false;
}

/* What is shown becomes what was shown: of the last stop, or of nothing that this could be compared with. */
void cockpit_leave(struct cockpit *c, bool comparable)
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
    c->seen = false;
}

/* Everything, once for each place; while it runs, what is on the screen, and not what led there. */
static void look(struct cockpit *c)
{
    struct debug *g = &c->s->g;

    if (c->seen)
        return;
    if (!c->running)
        window_take(&g->dbg, PANEL_EVENTS_LEAST, PANEL_EVENTS_MOST, &c->window);
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
    p->taken = true;
}

void cockpit_look_all(struct cockpit *c)
{
    for (unsigned int i = 0; i < c->nr_panels; i++)
        cockpit_look(c, &c->panel[i]);
}

struct cockpit_panel *cockpit_focused(struct cockpit *c) { return &c->panel[c->focus]; }
