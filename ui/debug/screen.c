// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about a screen, and a tour: see struct debug_screen, struct debug_tour in ui/debug/debug.h. `panel`, those
 * that say what a panel shows, and `run` are of use without a screen.
 */
#include "ui/debug/debug.h"

#include <stdio.h>

static bool has_screen(struct debug *g)
{
    if (!g->screen)
        debug_fail(g, "no-screen", "there is no screen here: xenlab tui has one (panel NAME says what a panel shows)");
    return g->screen != NULL;
}

static void done(struct debug *g, bool well) { g->failed |= !well; }

/* Nothing may stand behind the command's name. */
static bool is_alone(struct debug *g, const char *args)
{
    if (*args)
        debug_fail(g, "arguments", "nothing stands behind this command: not \"%s\"", args);
    return !*args;
}

void debug_panel(struct debug *g, const char *args, unsigned long count)
{
    if (g->screen)
        done(g, g->screen->panel(g->screen->data, args));
    else if (g->panels)
        g->panels(g, args);
    else
        has_screen(g);
}

void debug_run(struct debug *g, const char *args, unsigned long count)
{
    if (g->screen)
        done(g, g->screen->run(g->screen->data, args));
    else if (is_alone(g, args))
        debug_continue(g, args, 1);
}

void debug_speed(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->speed(g->screen->data, args));
}

void debug_layout(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->layout(g->screen->data, args));
}

void debug_zoom(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->zoom(g->screen->data, args));
}

void debug_cursor(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->cursor(g->screen->data, args));
}

void debug_search(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->search(g->screen->data, args, false));
}

void debug_search_upwards(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->search(g->screen->data, args, true));
}

void debug_filter(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->filter(g->screen->data, args));
}

void debug_sort(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->sort(g->screen->data, args));
}

void debug_ask_chosen(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g) && is_alone(g, args))
        done(g, g->screen->ask(g->screen->data));
}

void debug_visit_chosen(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g) && is_alone(g, args))
        done(g, g->screen->visit(g->screen->data));
}

void debug_palette(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->palette(g->screen->data, args));
}

void debug_shot(struct debug *g, const char *args, unsigned long count)
{
    if (has_screen(g))
        done(g, g->screen->shot(g->screen->data, args));
}

void debug_tour_move(struct debug *g, const char *args, unsigned long count)
{
    if (g->tour)
        done(g, g->tour->carry_out(g->tour->data, args));
    else
        debug_fail(g, "no-tour", "no tour is given here: xenlab tour FILE does");
}

/* --- what a panel shows, as a line of its own --- */

static void panel_say(struct debug *g, const char *name, const char *args)
{
    char line[512];

    if ((size_t)snprintf(line, sizeof(line), "%s %s", name, args) >= sizeof(line))
        debug_fail(g, "arguments", "%s: too long", name);
    else if (g->panels)
        g->panels(g, line);
    else
        has_screen(g);
}

void debug_walk(struct debug *g, const char *args, unsigned long count) { panel_say(g, "pages", args); }
void debug_machine(struct debug *g, const char *args, unsigned long count) { panel_say(g, "machine", args); }
void debug_frames(struct debug *g, const char *args, unsigned long count) { panel_say(g, "frames", args); }
void debug_ports(struct debug *g, const char *args, unsigned long count) { panel_say(g, "events", args); }
void debug_grants(struct debug *g, const char *args, unsigned long count) { panel_say(g, "grants", args); }
void debug_timers(struct debug *g, const char *args, unsigned long count) { panel_say(g, "timers", args); }
