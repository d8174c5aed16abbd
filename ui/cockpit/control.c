// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What commands want of the screen: struct debug_screen of ui/debug/debug.h, for the cockpit.
 *
 * Budget: a function an op, and the table that names them all.
 */
#include "ui/cockpit/cockpit.h"

#include "tools/nearest.h"
#include "tools/units.h"
#include "ui/projector/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct cockpit *of(void *data)
{
    struct cockpit *c = data;

    c->only_screen = true;
    return c;
}

/* --- places --- */

static void places_reset(struct cockpit *c)
{
    for (unsigned int i = 0; i < LAYOUT_PANELS; i++)
        c->in_place[i] = -1;
    c->zoomed = false;
    cockpit_resize(c, c->rows, c->cols);
}

/* Its number in the layout; l->nr: it is not there. */
static unsigned int place_of(const struct layout *l, unsigned int panel)
{
    unsigned int i = 0;

    while (i < l->nr && l->place[i].panel != panel)
        i++;
    return i;
}

static void focus_move(struct cockpit *c, int by)
{
    struct layout l;
    unsigned int i;

    if (c->zoomed)
        c->focus = (c->focus + (unsigned int)((int)c->nr_panels + by)) % c->nr_panels;
    else if (cockpit_places(c, &l) && l.nr) {
        i = place_of(&l, c->focus);
        c->focus = l.place[(i + l.nr + (unsigned int)(l.nr + (unsigned int)by)) % l.nr].panel;
    }
}

/* NAME THING: from now on it is about that. What it was about then is another table. */
static bool panel_is_about(struct cockpit *c, struct cockpit_panel *p, const char *thing)
{
    struct panel_about about;

    if (!panel_about(p->ops, &c->s->g, thing, &about))
        return false;
    if (memcmp(&about, &p->about, sizeof(about)) != 0) {
        p->about = about;
        p->taken = false;
        table_free(&p->then);
    }
    return true;
}

static bool panel_number(struct cockpit *c, const char *args, size_t len, int *i)
{
    const char *names[COCKPIT_PANELS];
    char hint[NEAREST_HINT_SIZE];

    *i = panel_find(args, (unsigned int)len);
    if (*i >= 0)
        return true;
    for (unsigned int n = 0; n < c->nr_panels; n++)
        names[n] = c->panel[n].ops->name;
    cockpit_complain(c, "panel", "there is no panel \"%.40s\"%s", args,
                     nearest_hint(args, names, c->nr_panels, "", hint));
    return false;
}

/* Where it is, it is focused; a panel that is not on the screen takes the place of the one that is focused. */
static bool panel(void *data, const char *args)
{
    struct cockpit *c = of(data);
    const size_t len = strcspn(args, " ");
    struct layout l;
    unsigned int at;
    int i;

    if (!strcmp(args, "next") || !strcmp(args, "previous")) {
        focus_move(c, args[0] == 'n' ? 1 : -1);
        return true;
    }
    if (!panel_number(c, args, len, &i) || !panel_is_about(c, &c->panel[i], args + len + strspn(args + len, " ")))
        return false;
    if (!c->zoomed && cockpit_places(c, &l) && place_of(&l, (unsigned int)i) == l.nr) {
        at = place_of(&l, c->focus);
        c->in_place[at < l.nr ? at : 0] = i;
    }
    c->focus = (unsigned int)i;
    return true;
}

static void layout_move(struct cockpit *c, bool back)
{
    unsigned int i = 0, nr = 0;

    while (layout_plan_at(nr))
        nr++;
    while (i < nr && (c->plan[0] || strcmp(layout_plan_at(i)->name, c->layout) != 0))
        i++;
    if (i == nr) /* one of the user's own: behind the last one */
        i = back ? nr - 1 : 0;
    else
        i = (i + (back ? nr - 1 : 1)) % nr;
    c->layout = layout_plan_at(i)->name;
    c->plan[0] = '\0';
    places_reset(c);
}

static bool layout(void *data, const char *args)
{
    struct cockpit *c = of(data);
    struct say *say = &c->s->g.say;
    const struct layout_plan *p = layout_plan_find(args);
    char err[LAYOUT_ERR_SIZE];
    struct layout l;

    if (!*args) {
        for (unsigned int i = 0; (p = layout_plan_at(i)); i++)
            say_line(say, "layout", "%s: %s", p->name, p->help);
        say_line(say, "layout", "now: %s", cockpit_plan(c));
        return true;
    }
    if (!strcmp(args, "next") || !strcmp(args, "previous")) {
        layout_move(c, args[0] == 'p');
    } else if (p) {
        c->layout = p->name;
        c->plan[0] = '\0';
        places_reset(c);
    } else if (strlen(args) >= sizeof(c->plan) || !layout_make(&l, args, panel_find, 100, 100, err)) {
        cockpit_complain(c, "layout", "%s, nor is that a layout's name (see: layout)",
                         strlen(args) >= sizeof(c->plan) ? "too long a plan" : err);
        return false;
    } else {
        snprintf(c->plan, sizeof(c->plan), "%s", args);
        places_reset(c);
    }
    return true;
}

/* The same again goes back, to the panel that keys were for. */
static bool zoom(void *data, const char *args)
{
    struct cockpit *c = of(data);
    int i = (int)c->focus;

    if (*args && !panel_number(c, args, strlen(args), &i))
        return false;
    if (!c->zoomed)
        c->unzoomed = c->focus;
    c->zoomed = !c->zoomed || (unsigned int)i != c->focus;
    c->focus = c->zoomed ? (unsigned int)i : c->focus;
    cockpit_resize(c, c->rows, c->cols);
    return true;
}

/* --- rows --- */

static unsigned int rows_of(const struct cockpit *c)
{
    struct layout l;
    unsigned int i;

    if (!cockpit_places(c, &l))
        return 1;
    i = place_of(&l, c->focus);
    return i < l.nr && l.place[i].rows > 3 ? l.place[i].rows - 3 : 1;
}

/* The chosen row, after a move; NULL: there is none. */
static const struct table_row *choose(struct cockpit *c, long move)
{
    struct cockpit_panel *p = cockpit_focused(c);
    struct table shown = { 0 };
    const struct table_row *row;

    cockpit_look(c, p);
    table_share(&shown, &p->table, &p->then);
    table_arrange(&shown, &p->view);
    row = table_choose(&shown, &p->view, move);
    c->chosen = row ? *row : (struct table_row){ 0 };
    table_free(&shown);
    return row ? &c->chosen : NULL;
}

void cockpit_choose_at(struct cockpit *c, const struct layout_place *place, unsigned int row)
{
    struct cockpit_panel *p = cockpit_focused(c);
    const unsigned int head = c->head[c->focus];

    if (row >= head && row < place->rows)
        choose(c, (long)(p->view.top + row - head) - (long)p->view.at);
}

static bool cursor(void *data, const char *args)
{
    struct cockpit *c = of(data);
    const long page = (long)rows_of(c), all = (long)TABLE_ROWS;
    const struct {
        const char *name;
        long by;
    } moves[] = { { "down", 1 },        { "up", -1 },      { "page-down", page },
                  { "page-up", -page }, { "first", -all }, { "last", all } };

    for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
        if (!strcmp(args, moves[i].name)) {
            choose(c, moves[i].by);
            return true;
        }
    cockpit_complain(c, "arguments", "cursor down, up, page-down, page-up, first or last");
    return false;
}

static bool search_in(struct cockpit *c, struct cockpit_panel *p, const char *text, bool backward)
{
    struct table shown = { 0 };
    bool found;

    snprintf(p->view.search, sizeof(p->view.search), "%s", text);
    cockpit_look(c, p);
    table_share(&shown, &p->table, &p->then);
    table_arrange(&shown, &p->view);
    found = table_search(&shown, &p->view, backward);
    table_free(&shown);
    return found;
}

/* In the panel that keys are for, and then in those behind it on the screen: where it is found, keys are for that. */
static bool search(void *data, const char *args, bool backward)
{
    struct cockpit *c = of(data);
    struct layout l;
    unsigned int first;

    if (*args)
        snprintf(c->search, sizeof(c->search), "%s", args);
    if (!c->search[0]) {
        cockpit_complain(c, "arguments", "search for what?");
        return false;
    }
    if (!cockpit_places(c, &l))
        l = (struct layout){ .nr = 1, .place = { { .panel = c->focus } } };
    first = place_of(&l, c->focus);
    for (unsigned int i = 0; i < l.nr; i++) {
        const unsigned int panel = l.place[(first + i) % l.nr].panel;

        if (search_in(c, &c->panel[panel], c->search, backward)) {
            c->focus = panel;
            return true;
        }
    }
    cockpit_complain(c, "not-found", "\"%s\" is in no row of %s%s", c->search, cockpit_focused(c)->ops->name,
                     l.nr > 1 ? ", nor of another panel on the screen" : "");
    return false;
}

/* Not what a condition is made of, but a word or two that rows may have: "cli", "answers -EINVAL". */
static bool is_plain_text(struct cockpit *c, const char *args)
{
    char err[EXPR_ERR_SIZE];
    struct condition cond;

    if (strpbrk(args, "=<>&|!()[]%"))
        return false;
    if (condition_parse(&cond, c->s->g.host, c->s->g.dbg.dom, args, err))
        return true;
    condition_free(&cond);
    return false;
}

/* Of events: what must hold of them. */
static bool filter_events(struct cockpit *c, struct cockpit_panel *p, const char *args)
{
    struct condition *cond = *args ? calloc(1, sizeof(*cond)) : NULL;
    char err[EXPR_ERR_SIZE] = "out of memory";

    if (*args && (!cond || condition_parse(cond, c->s->g.host, c->s->g.dbg.dom, args, err))) {
        cockpit_complain(c, "expression", "%s", err);
        free(cond);
        return false;
    }
    if (p->filter)
        condition_free(p->filter);
    free(p->filter);
    p->filter = cond;
    table_free(&p->then);
    p->taken = false;
    return true;
}

static bool filter(void *data, const char *args)
{
    struct cockpit *c = of(data);
    struct cockpit_panel *p = cockpit_focused(c);
    const bool is_text = !p->ops->of_events || is_plain_text(c, args);

    if (p->ops->of_events && !filter_events(c, p, is_text ? "" : args))
        return false;
    snprintf(p->view.filter, sizeof(p->view.filter), "%s", is_text ? args : "");
    snprintf(p->filter_text, sizeof(p->filter_text), "%s", args);
    return true;
}

static bool sort(void *data, const char *args)
{
    struct cockpit *c = of(data);
    struct cockpit_panel *p = cockpit_focused(c);
    const int nr = (int)p->ops->nr_columns;

    if (!strcmp(args, "right"))
        p->view.sort = p->view.sort + 1 < nr ? p->view.sort + 1 : -1;
    else if (!strcmp(args, "left"))
        p->view.sort = p->view.sort < 0 ? nr - 1 : p->view.sort - 1;
    else if (!strcmp(args, "turn"))
        p->view.descending = !p->view.descending;
    else
        cockpit_complain(c, "arguments", "sort right, left or turn");
    return !strcmp(args, "right") || !strcmp(args, "left") || !strcmp(args, "turn");
}

/* --- what is chosen --- */

/* It is about a position, or a domain, and can be asked anywhere. */
static bool is_of_anywhere(const char *ask)
{
    return ask && (!strncmp(ask, "explain ", 8) || !strncmp(ask, "why d", 5));
}

static bool ask(void *data)
{
    struct cockpit *c = data;
    const struct table_row *row = choose(c, 0);

    if (row && row->gone && !is_of_anywhere(row->ask)) {
        say_line(&c->s->g.say, "why",
                 "what is marked by ~ is not there: it was at the last stop, %s (Backspace, or goto)", c->last_stop);
        return true;
    }
    debug_command(&c->s->g, row && row->ask ? row->ask : "why");
    return !c->s->g.failed;
}

static bool visit(void *data)
{
    struct cockpit *c = data;
    const struct table_row *row = choose(c, 0);
    char line[64];

    if (row && row->go) {
        snprintf(line, sizeof(line), "goto %s", row->go);
        debug_command(&c->s->g, line);
        return !c->s->g.failed;
    }
    cockpit_complain(c, "nowhere", "what is chosen in %s is at no position to go to", cockpit_focused(c)->ops->name);
    return false;
}

/* --- others --- */

static bool speed(void *data, const char *args)
{
    struct cockpit *c = of(data);
    const char *end = strstr(args, "/s");
    const size_t len = end && !end[2] ? (size_t)(end - args) : strlen(args);
    char text[32];
    s_time_t t = 0;

    snprintf(text, sizeof(text), "%.*s", len < sizeof(text) ? (int)len : 0, args);
    if (*args && (!duration_parse(text, &t) || !t)) {
        cockpit_complain(c, "arguments", "a speed is virtual time a second, such as 10ms; nothing: as fast as it goes");
        return false;
    }
    c->speed = t;
    if (t)
        say_line(&c->s->g.say, "speed", "the machine runs at %s a second", text);
    else
        say_line(&c->s->g.say, "speed", "the machine runs as fast as it goes");
    return true;
}

static bool run(void *data, const char *args)
{
    struct cockpit *c = data;

    if (*args && !speed(c, args))
        return false;
    c->running = true;
    say_line(&c->s->g.say, "run", "runs; a key stops it");
    return true;
}

static bool palette(void *data, const char *args)
{
    struct cockpit *c = of(data);
    const struct palette *p = palette_find(args);

    if (p) {
        c->palette = p;
        return true;
    }
    for (unsigned int i = 0; !*args && (p = palette_at(i)); i++)
        say_line(&c->s->g.say, "palette", "%s: %s", p->name, p->help);
    if (*args)
        cockpit_complain(c, "palette", "there is no palette \"%.40s\" (see: palette)", args);
    return !*args;
}

/* The screen, as a picture or as text. */
static bool screen_shot(struct cockpit *c, const char *path, bool svg)
{
    const bool few_colours = c->few_colours;
    struct grid g = { 0 };
    FILE *out = fopen(path, "we");
    bool fine;

    c->few_colours = !svg;
    fine = out && cockpit_draw(c, &g);
    c->few_colours = few_colours;
    if (fine && svg)
        grid_write_svg(&g, c->palette, c->scene.where, out);
    else if (fine)
        grid_write_text(&g, c->ascii, out);
    if (out && (ferror(out) | fclose(out)))
        fine = false;
    grid_free(&g);
    if (!fine)
        cockpit_complain(c, "file", "shot: %.100s: %s", path, strerror(errno));
    return fine;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n > m && !strcmp(text + n - m, end);
}

/* The projector's picture: pixels, or as it is drawn. */
static bool projector_shot(struct cockpit *c, const char *path)
{
    char text[COCKPIT_SENTENCE], err[RASTER_ERR_SIZE];
    FILE *out;
    bool fine;

    cockpit_look(c, cockpit_focused(c));
    cockpit_sentence(c, text);
    if (ends_in(path, ".png")) {
        fine = projector_png(&c->scene, text, c->palette, path, err);
    } else if ((out = fopen(path, "we"))) {
        picture_write(&c->scene, text, c->palette, out);
        fine = !(ferror(out) | fclose(out));
        snprintf(err, sizeof(err), "%.100s could not be written", path);
    } else {
        fine = false;
        snprintf(err, sizeof(err), "%.100s: %s", path, strerror(errno));
    }
    if (!fine)
        cockpit_complain(c, "file", "shot: %s", err);
    return fine;
}

/* What the file is called says what it is; PNG is the projector's picture in any case. */
static bool shot(void *data, const char *args)
{
    static const char word[] = "projector ";
    const bool projector = !strncmp(args, word, sizeof(word) - 1);
    struct cockpit *c = data;
    char path[DEBUG_PATH];
    bool fine;

    if (!debug_path(&c->s->g, projector ? args + sizeof(word) - 1 : args, false, path))
        return false;
    if (!*path) {
        cockpit_complain(c, "arguments", "shot [projector] FILE: FILE.svg, FILE.png, or text");
        return false;
    }
    fine = projector || ends_in(path, ".png") ? projector_shot(c, path) : screen_shot(c, path, ends_in(path, ".svg"));
    if (fine)
        say_line(&c->s->g.say, "shot", "%s is written", path);
    return fine;
}

void cockpit_control(struct cockpit *c)
{
    c->screen = (struct debug_screen){ .data = c,
                                       .panel = panel,
                                       .layout = layout,
                                       .zoom = zoom,
                                       .cursor = cursor,
                                       .search = search,
                                       .filter = filter,
                                       .sort = sort,
                                       .ask = ask,
                                       .visit = visit,
                                       .run = run,
                                       .speed = speed,
                                       .palette = palette,
                                       .shot = shot };
    c->s->g.screen = &c->screen;
}
