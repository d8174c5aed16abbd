// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys, lines, and what becomes of the machine by them: see ui/cockpit/cockpit.h. */
#include "ui/cockpit/cockpit.h"

#include "ui/debug/complete.h"
#include "ui/debug/keys.h"
#include "ui/debug/said.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_FIRST MICROSECS(100)
#define SLICE_HOST  20000000 /* ns of the host's time that a slice of running is to take */

static struct debug *debug_of(struct cockpit *c) { return &c->s->g; }

/* --------------------------------------------------------------------------------------------------------- lines -- */

static void remember(struct cockpit *c, const char *line)
{
    char *copy = strdup(line);

    if (!copy || (c->nr_past && !strcmp(c->past[c->nr_past - 1], line))) {
        free(copy);
        return;
    }
    if (c->nr_past == COCKPIT_PAST) {
        free(c->past[0]);
        memmove(c->past, c->past + 1, --c->nr_past * sizeof(c->past[0]));
    }
    c->past[c->nr_past++] = copy;
}

void cockpit_line(struct cockpit *c, const char *line)
{
    struct debug *g = debug_of(c);

    cockpit_look_all(c);
    c->only_screen = false;
    c->said = said_nr(g->said);
    c->hint[0] = '\0';
    c->question[0] = '\0';
    session_command(c->s, line);
    if (c->question[0])
        snprintf(c->again, sizeof(c->again), "%s", line);
    c->quit |= g->quit;
    if (!c->only_screen)
        cockpit_forget(c);
}

/* --- running on --- */

static s_time_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (s_time_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_run(struct cockpit *c)
{
    c->running = false;
    c->slices = (struct debug_slices){ 0 };
    cockpit_forget(c);
}

/* As long as a frame, by what the last slice took; or as much as the speed says. */
void cockpit_run(struct cockpit *c)
{
    struct debugger *d = &debug_of(c)->dbg;
    const s_time_t began = host_ns();
    enum debug_result r;
    s_time_t end;

    if (!c->running)
        return;
    c->slice = c->slice ? c->slice : SLICE_FIRST;
    if (c->speed)
        c->slice = c->speed / 30 ? c->speed / 30 : 1;
    end = debugger_slice(d, &c->slices, live_slice(debug_of(c)->live, c->slice));
    d->limit = end < c->limit ? end : c->limit;
    r = debugger_continue(d);
    d->limit = c->limit;
    live_slice_end(debug_of(c)->live);
    if (r == DEBUG_END && c->patient && live_goes_on(debug_of(c)->live))
        return;
    if (r != DEBUG_LIMIT || end >= c->limit) {
        pause_run(c);
        c->said = said_nr(debug_of(c)->said);
        if (debug_moved(debug_of(c), r, "stop"))
            debug_hits_say(debug_of(c), "continue");
        return;
    }
    if (!c->speed) {
        const s_time_t took = host_ns() - began;

        c->slice = took > SLICE_HOST ? c->slice - c->slice / 4 : took < SLICE_HOST / 2 ? c->slice * 2 : c->slice;
        c->slice = c->slice < MICROSECS(1) ? MICROSECS(1) : c->slice > SECONDS(10) ? SECONDS(10) : c->slice;
    }
    cockpit_forget(c);
}

/* -------------------------------------------------------------------------------------------------------- prompt -- */

static void prompt_open(struct cockpit *c, const char *line)
{
    c->prompt = true;
    snprintf(c->line, sizeof(c->line), "%s", line[0] == ' ' ? "" : line);
    c->len = c->cursor = strlen(c->line);
    c->past_at = c->nr_past;
}

static void prompt_close(struct cockpit *c)
{
    c->prompt = false;
    c->line[0] = '\0';
    c->len = c->cursor = 0;
}

static void prompt_insert(struct cockpit *c, const char *text, size_t n)
{
    if (c->len + n >= sizeof(c->line))
        return;
    memmove(c->line + c->cursor + n, c->line + c->cursor, c->len - c->cursor + 1);
    memcpy(c->line + c->cursor, text, n);
    c->len += n;
    c->cursor += n;
}

static void prompt_delete(struct cockpit *c, size_t from, size_t to)
{
    memmove(c->line + from, c->line + to, c->len - to + 1);
    c->len -= to - from;
    c->cursor = from;
}

static void prompt_complete(struct cockpit *c)
{
    struct completion *m = malloc(sizeof(*m));
    size_t n = 0;

    if (!m)
        return;
    debug_complete(debug_of(c), c->line, c->cursor, m);
    c->hint[0] = '\0';
    if (m->nr)
        prompt_insert(c, m->common + m->begun, strlen(m->common + m->begun));
    if (m->nr == 1)
        prompt_insert(c, " ", 1);
    for (size_t i = 0; m->nr > 1 && i < m->nr && n < sizeof(c->hint); i++)
        n += (size_t)snprintf(c->hint + n, sizeof(c->hint) - n, "%s ", m->word[i]);
    if (!m->nr)
        snprintf(c->hint, sizeof(c->hint), "nothing begins so");
    free(m);
}

static void prompt_past(struct cockpit *c, bool back)
{
    if (back ? !c->past_at : c->past_at == c->nr_past)
        return;
    c->past_at += back ? -1u : 1u;
    snprintf(c->line, sizeof(c->line), "%s", c->past_at < c->nr_past ? c->past[c->past_at] : "");
    c->len = c->cursor = strlen(c->line);
}

static void prompt_enter(struct cockpit *c)
{
    char line[COCKPIT_LINE];

    snprintf(line, sizeof(line), "%s", c->line);
    prompt_close(c);
    if (!line[strspn(line, " ")])
        return;
    remember(c, line);
    cockpit_line(c, line);
}

#define CONTROL(letter) ((letter)-64)

static void prompt_key(struct cockpit *c, int key)
{
    const char ch = (char)key;

    switch (key) {
    case KEY_IS_ENTER: prompt_enter(c); return;
    case KEY_IS_ESCAPE:
    case CONTROL('C'): prompt_close(c); return;
    case KEY_IS_TAB: prompt_complete(c); return;
    case KEY_IS_UP: prompt_past(c, true); return;
    case KEY_IS_DOWN: prompt_past(c, false); return;
    case KEY_IS_LEFT: c->cursor -= c->cursor > 0; return;
    case KEY_IS_RIGHT: c->cursor += c->cursor < c->len; return;
    case CONTROL('A'):
    case KEY_IS_HOME: c->cursor = 0; return;
    case CONTROL('E'):
    case KEY_IS_END: c->cursor = c->len; return;
    case CONTROL('U'): prompt_delete(c, 0, c->cursor); return;
    case CONTROL('K'): prompt_delete(c, c->cursor, c->len); return;
    case KEY_IS_BACKSPACE:
        if (!c->len)
            prompt_close(c);
        else if (c->cursor)
            prompt_delete(c, c->cursor - 1, c->cursor);
        return;
    case KEY_IS_DELETE:
        if (c->cursor < c->len)
            prompt_delete(c, c->cursor, c->cursor + 1);
        return;
    default:
        if (key >= ' ' && key < 0x7f)
            prompt_insert(c, &ch, 1);
    }
}

/* ---------------------------------------------------------------------------------------------------------- keys -- */

static void question_key(struct cockpit *c, int key)
{
    char line[COCKPIT_LINE];

    c->question[0] = '\0';
    if (key != 'y' && key != 'Y')
        return;
    snprintf(line, sizeof(line), "%s", c->again);
    c->sure = true;
    cockpit_line(c, line);
    c->sure = false;
}

static void bound_key(struct cockpit *c, int key)
{
    char line[COCKPIT_LINE], counted[COCKPIT_LINE + 16];

    if (!key_line(key, debug_of(c)->tour, line, sizeof(line))) {
        snprintf(c->hint, sizeof(c->hint),
                 key > ' ' && key < 0x7f ? "%c is no key here: ? lists all" : "? lists all keys", key);
        c->count = 0;
        return;
    }
    c->hint[0] = '\0';
    if (line[0] && line[strlen(line) - 1] == ' ') {
        prompt_open(c, line);
    } else {
        snprintf(counted, sizeof(counted), "%u %s", c->count, line);
        cockpit_line(c, c->count ? counted : line);
    }
    c->count = 0;
}

/* What was begun is forgotten: a number, a complaint about a key; or else the panel is not alone any more. */
static void escape(struct cockpit *c)
{
    if (!c->count && !c->hint[0] && c->zoomed)
        cockpit_line(c, "zoom");
    c->count = 0;
    c->hint[0] = '\0';
}

void cockpit_key(struct cockpit *c, int key)
{
    if (key == KEY_IS_NONE || key == KEY_IS_RESIZE)
        return;
    if (c->running) {
        pause_run(c);
        c->said = said_nr(debug_of(c)->said);
        debug_stop_say(debug_of(c), "paused");
        if (key == ' ' || key == KEY_IS_ESCAPE || key == CONTROL('C'))
            return;
    }
    if (c->question[0])
        question_key(c, key);
    else if (c->prompt)
        prompt_key(c, key);
    else if ((key >= '1' && key <= '9') || (key == '0' && c->count))
        c->count = c->count < 100000000 ? c->count * 10 + (unsigned int)(key - '0') : c->count;
    else if ((key == KEY_IS_ESCAPE && !debug_of(c)->tour) || key == CONTROL('C'))
        escape(c);
    else
        bound_key(c, key);
}

void cockpit_mouse(struct cockpit *c, unsigned int row, unsigned int col, int wheel)
{
    struct layout l;

    if (!row || !cockpit_places(c, &l))
        return;
    row--; /* the status */
    for (unsigned int i = 0; i < l.nr; i++) {
        const struct layout_place *p = &l.place[i];

        if (row < p->row || row >= p->row + p->rows || col < p->col || col >= p->col + p->cols)
            continue;
        c->focus = p->panel;
        if (wheel)
            cockpit_line(c, wheel < 0 ? "cursor up; cursor up; cursor up" : "cursor down; cursor down; cursor down");
        else
            cockpit_choose_at(c, p, row - p->row);
        return;
    }
}

/* ------------------------------------------------------------------------------------------------- up and down -- */

/* There is no waiting for an answer here: the question is shown, and the command is not carried out. */
static bool ask(void *data, const char *question)
{
    struct cockpit *c = data;

    if (c->sure)
        return true;
    snprintf(c->question, sizeof(c->question), "%s (y: yes)", question);
    return false;
}

void cockpit_begin(struct cockpit *c, struct debug_session *s, unsigned int rows, unsigned int cols)
{
    const struct panel_ops *ops;

    *c = (struct cockpit){
        .s = s, .palette = palette_at(0), .layout = "main", .limit = s->g.dbg.limit, .said = said_nr(s->g.said)
    };
    while (c->nr_panels < COCKPIT_PANELS && (ops = panel_at(c->nr_panels))) {
        struct cockpit_panel *p = &c->panel[c->nr_panels++];

        p->ops = ops;
        p->view = (struct table_view){ .sort = -1, .follow = ops->is_line };
    }
    for (unsigned int i = 0; i < LAYOUT_PANELS; i++)
        c->in_place[i] = -1;
    cockpit_control(c);
    s->g.panels = panels_say;
    s->g.ask = ask;
    s->g.ask_data = c;
    cockpit_resize(c, rows, cols);
}

void cockpit_end(struct cockpit *c)
{
    for (unsigned int i = 0; i < c->nr_panels; i++) {
        table_free(&c->panel[i].table);
        table_free(&c->panel[i].then);
        if (c->panel[i].filter)
            condition_free(c->panel[i].filter);
        free(c->panel[i].filter);
    }
    for (unsigned int i = 0; i < c->nr_past; i++)
        free(c->past[i]);
    window_free(&c->window);
    c->s->g.screen = NULL;
}
