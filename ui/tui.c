// SPDX-License-Identifier: GPL-2.0-or-later
/* A cockpit on a terminal, or without one: see ui/tui.h. */
#include "ui/tui.h"

#include "ui/debug/keys.h"
#include "ui/debug/said.h"
#include "ui/projector/window.h"
#include "ui/screen/term.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_C 3

static void show(struct tui *t)
{
    struct grid g = { 0 };

    if (cockpit_draw(&t->c, &g) && !grid_equal(&g, &t->shown))
        term_show(&g, t->c.palette, t->c.ascii);
    grid_free(&t->shown);
    t->shown = g;
    if (t->projector) {
        char text[COCKPIT_SENTENCE];

        cockpit_sentence(&t->c, text);
        projector_show(t->projector, &t->c.scene, text, t->c.palette);
    }
}

/* How often the window is asked what was typed into it. */
#define WINDOW_MS 30

/* Keys of the window are keys; closing it leaves the terminal. */
static void projector_take(struct tui *t)
{
    int key = KEY_IS_NONE;

    while (t->projector) {
        if (!projector_event(t->projector, &key)) {
            projector_close(t->projector);
            t->projector = NULL;
        }
        if (!t->projector || key == KEY_IS_NONE)
            return;
        cockpit_key(&t->c, key);
    }
}

static void projector_begin(struct tui *t)
{
    char err[RASTER_ERR_SIZE];

    t->projector = projector_open(err);
    if (!t->projector)
        say_error(&t->s.g.say, "gui", "--gui: %s", err);
}

static void resize(struct tui *t)
{
    unsigned int rows, cols;

    term_size(&rows, &cols);
    cockpit_resize(&t->c, rows, cols);
}

/* A signal while nothing was being done. */
static void signal_take(struct tui *t)
{
    struct run_process *p = t->s.process;

    if (p->continued) {
        p->continued = 0;
        term_again();
        grid_free(&t->shown);
        resize(t);
    }
    if (p->signal == SIGINT) {
        p->signal = 0;
        p->stop = false;
        cockpit_key(&t->c, CONTROL_C);
    }
}

/* In the status: what gdb does, or where it may come. */
static void gdb_state(struct tui *t)
{
    snprintf(t->gdb_state, sizeof(t->gdb_state),
             gdb_door_runs(&t->gdb) ? "gdb runs"
             : t->gdb.server        ? "gdb"
                                    : "gdb: port %u",
             t->gdb.port);
    t->c.gdb = t->gdb_state;
}

/* gdb has its turn, up to a key: it may come and go, and move the machine. */
static void gdb_take(struct tui *t, int timeout_ms)
{
    cockpit_look_all(&t->c);
    gdb_door_wait(&t->gdb, STDIN_FILENO, gdb_door_runs(&t->gdb) ? 0 : timeout_ms);
    if (gdb_door_runs(&t->gdb))
        gdb_door_run_frame(&t->gdb);
    gdb_state(t);
}

/* A key, or something for gdb. Who types wants the machine: if gdb lets it run, it stands. False: nobody can type. */
static bool event_wait(struct tui *t, struct term_event *e)
{
    const int timeout_ms = t->c.running ? 0 : t->projector ? WINDOW_MS : -1;

    if (!t->gdb.port)
        return term_event(timeout_ms, e);
    if (!term_event(0, e))
        return false;
    if (e->key == KEY_IS_NONE && !e->mouse)
        gdb_take(t, timeout_ms);
    else if (gdb_door_runs(&t->gdb) && e->key != KEY_IS_RESIZE)
        gdb_door_interrupt(&t->gdb);
    return true;
}

static void loop(struct tui *t)
{
    struct term_event e;

    while (!t->c.quit && !t->s.process->stop) {
        show(t);
        if (!event_wait(t, &e))
            break;
        signal_take(t);
        if (e.key == KEY_IS_RESIZE)
            resize(t);
        else if (e.mouse)
            cockpit_mouse(&t->c, e.row, e.col, e.wheel);
        else
            cockpit_key(&t->c, e.key);
        projector_take(t);
        cockpit_run(&t->c);
    }
}

int tui_screen(struct tui *t, char err[RUN_ERR_SIZE])
{
    char *back;

    t->s.process->terminal_screen("");
    if (!term_open(err, RUN_ERR_SIZE))
        return -1;
    back = term_restore_text();
    t->s.process->terminal_screen(back ?: "");
    free(back);
    t->s.process->signals_catch();
    t->c.ascii |= !term_has_unicode();
    if (!term_has_colours())
        t->c.palette = palette_find("mono");
    t->c.few_colours = !term_has_256_colours();
    resize(t);
    if (t->gui)
        projector_begin(t);
    t->c.patient = true;
    loop(t);
    projector_close(t->projector);
    grid_free(&t->shown);
    term_close();
    return 0;
}

static bool size_parse(const char *text, unsigned int *cols, unsigned int *rows)
{
    int n = 0;

    return sscanf(text, "%3ux%3u%n", cols, rows, &n) == 2 && !text[n] && *rows && *rows <= GRID_MAX_ROWS && *cols &&
           *cols <= GRID_MAX_COLS;
}

static int screen_take(struct tui *t, const struct run_options *o, char err[RUN_ERR_SIZE])
{
    unsigned int cols = 120, rows = 40;

    if (o->size && !size_parse(o->size, &cols, &rows))
        snprintf(err, RUN_ERR_SIZE, "--size: \"%.40s\" is no size from 1x1 to 999x%d, such as 120x40", o->size,
                 GRID_MAX_ROWS);
    else if (o->palette && !palette_find(o->palette))
        snprintf(err, RUN_ERR_SIZE, "--palette: \"%.40s\" is none of default, safe and mono", o->palette);
    if (err[0])
        return -1;
    cockpit_begin(&t->c, &t->s, rows, cols);
    t->begun = true;
    if (o->palette)
        t->c.palette = palette_find(o->palette);
    t->c.ascii = o->ascii;
    t->gui = o->gui;
    return 0;
}

int tui_begin(struct tui *t, struct run_options *guests, const struct run_options *screen, struct run_process *p,
              char err[RUN_ERR_SIZE])
{
    err[0] = '\0';
    t->s.g.said = said_open();
    if (!t->s.g.said) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    t->s.g.say.out = said_stream(t->s.g.said);
    t->s.consoles_elsewhere = true;
    if (session_open(&t->s, guests, p, err) ||
        (guests->gdb && gdb_door_open(&t->gdb, guests->gdb, err, RUN_ERR_SIZE)) || session_start(&t->s, err) ||
        screen_take(t, screen, err))
        return -1;
    if (guests->gdb && gdb_door_begin(&t->gdb, &t->s.g, p, err, RUN_ERR_SIZE))
        return -1;
    if (guests->gdb)
        gdb_state(t);
    return 0;
}

void tui_no_screen(const struct run_options *o)
{
    if (o->gui)
        fprintf(stderr,
                "xenlab: --gui: a window stands beside a terminal's screen, and there is none: it goes on without\n");
}

void tui_settle(struct tui *t)
{
    while (t->c.running && !t->s.process->stop)
        cockpit_run(&t->c);
}

int tui_end(struct tui *t)
{
    int failed = 0;

    gdb_door_close(&t->gdb);
    if (t->begun)
        cockpit_end(&t->c);
    t->s.g.say = (struct say){ .out = stderr }; /* there is no screen any more */
    if (t->s.process)
        failed = session_close(&t->s);
    said_close(t->s.g.said);
    return failed;
}
