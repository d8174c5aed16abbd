// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of panels, see ui/panels/panel.h. */
#include "ui/panels/panel.h"

#include <string.h>

static const struct panel_ops *const panels[] = {
#define X(name) &panel_##name,
    PANELS(X)
#undef X
};

const struct panel_ops *panel_at(unsigned int i) { return i < ARRAY_SIZE(panels) ? panels[i] : NULL; }

int panel_find(const char *name, unsigned int len)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(panels); i++)
        if (strlen(panels[i]->name) == len && !memcmp(panels[i]->name, name, len))
            return (int)i;
    return -1;
}

bool panel_about(const struct panel_ops *p, struct debug *g, const char *text, struct panel_about *about)
{
    *about = (struct panel_about){ .given = *text != '\0' };
    if (!*text)
        return true;
    snprintf(about->text, sizeof(about->text), "%s", text);
    if (p->about) {
        if (!p->about(g, text, &about->what))
            return false;
        about->type = scene_type_of(g, about->what.dom);
        return true;
    }
    debug_fail(g, "arguments", "the panel %s is about nothing else: not \"%s\"", p->name, text);
    return false;
}

void panel_take(const struct panel_ops *p, struct table *t, struct debug *g, const struct scene *s)
{
    table_begin(t, p->column, p->nr_columns, p->empty);
    p->take(t, g, s);
}

static void all_say(struct debug *g)
{
    for (unsigned int n = 0; n < ARRAY_SIZE(panels); n++) {
        say_begin(&g->say, "panel");
        say_field(&g->say, "name", "%s", panels[n]->name);
        say_field(&g->say, "help", "%s", panels[n]->help);
        say(&g->say, "  %-10s %s", panels[n]->name, panels[n]->help);
        say_end(&g->say);
    }
}

static void one_say(const struct panel_ops *p, struct debug *g, const struct panel_about *about)
{
    struct window window = { 0 };
    struct table table = { 0 };
    struct scene scene;

    if (p->of_past && window_take(&g->dbg, PANEL_EVENTS_LEAST, PANEL_EVENTS_MOST, &window) != DEBUG_THERE) {
        debug_fail(g, "interrupted", "left off: what was before here has not been looked at");
        return;
    }
    scene_take(&scene, g, &window);
    scene.about = *about;
    panel_take(p, &table, g, &scene);
    table_say(&table, p->name, &g->say);
    table_free(&table);
    window_free(&window);
}

void panels_say(struct debug *g, const char *args)
{
    const size_t len = strcspn(args, " \t");
    const int i = panel_find(args, (unsigned int)len);
    struct panel_about about;

    if (!*args)
        all_say(g);
    else if (i < 0)
        debug_fail(g, "panel", "there is no panel \"%.*s\" (see: panel)", (int)(len < 40 ? len : 40), args);
    else if (panel_about(panels[i], g, args + len + strspn(args + len, " \t"), &about))
        one_say(panels[i], g, &about);
}
