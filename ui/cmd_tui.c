// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab tui`: guests on a machine that goes both ways, on a screen.
 *
 * Concept: one loop: show what there is, wait for a key, hand it to the cockpit (ui/cockpit/cockpit.h). While the
 * machine runs by itself, it runs for a frame's time instead of waiting. With --script there is no terminal: lines are
 * carried out, and `shot` writes what would be seen.
 *
 * Invariants: Ctrl-C leaves off what takes long, and otherwise is a key. The terminal is as it was, whatever ends it.
 */
#include "ui/cmd_tui.h"

#include "ui/cockpit/cockpit.h"
#include "ui/debug/keys.h"
#include "ui/debug/said.h"
#include "ui/screen/term.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_C 3

struct tui {
    struct debug_session s;
    struct cockpit c;
    struct grid shown;
};

/* --- without a terminal --- */

static bool size_parse(const char *text, unsigned int *cols, unsigned int *rows)
{
    int n = 0;

    return sscanf(text, "%3ux%3u%n", cols, rows, &n) == 2 && !text[n] && *rows && *rows <= GRID_MAX_ROWS && *cols &&
           *cols <= GRID_MAX_COLS;
}

/* What has been said since, a line each. */
static size_t print_said(const struct said *said, size_t from)
{
    for (size_t i = from > said_first(said) ? from : said_first(said); i < said_nr(said); i++)
        puts(said_line(said, i));
    return said_nr(said);
}

static int script_run(struct tui *t, const char *path, char err[RUN_ERR_SIZE])
{
    FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
    size_t size = 0, said = 0;
    char *line = NULL;

    if (!in) {
        snprintf(err, RUN_ERR_SIZE, "--script: %s: %s", path, strerror(errno));
        return STATUS_ENVIRONMENT;
    }
    while (!t->c.quit && !t->s.process->stop && getline(&line, &size, in) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '#')
            cockpit_line(&t->c, line);
        while (t->c.running && !t->s.process->stop)
            cockpit_run(&t->c);
        said = print_said(t->s.g.said, said);
    }
    free(line);
    if (in != stdin)
        fclose(in);
    return t->s.g.failed ? STATUS_ENVIRONMENT : STATUS_OK;
}

/* --- with one --- */

static void show(struct tui *t)
{
    struct grid g = { 0 };

    if (cockpit_draw(&t->c, &g) && !grid_equal(&g, &t->shown))
        term_show(&g, t->c.palette, t->c.ascii);
    grid_free(&t->shown);
    t->shown = g;
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

static void loop(struct tui *t)
{
    struct term_event e;

    while (!t->c.quit && !t->s.process->stop) {
        show(t);
        if (!term_event(t->c.running ? 0 : -1, &e))
            break;
        signal_take(t);
        if (e.key == KEY_IS_RESIZE)
            resize(t);
        else if (e.mouse)
            cockpit_mouse(&t->c, e.row, e.col, e.wheel);
        else
            cockpit_key(&t->c, e.key);
        cockpit_run(&t->c);
    }
}

static int screen_run(struct tui *t, char err[RUN_ERR_SIZE])
{
    if (!term_open(err, RUN_ERR_SIZE))
        return STATUS_ENVIRONMENT;
    t->s.process->terminal_screen(term_restore_text());
    t->s.process->signals_catch();
    t->c.ascii |= !term_has_unicode();
    if (!term_has_colours())
        t->c.palette = palette_find("mono");
    resize(t);
    loop(t);
    grid_free(&t->shown);
    term_close();
    return STATUS_OK;
}

static int options_take(struct tui *t, const struct run_options *o, char err[RUN_ERR_SIZE])
{
    unsigned int cols = 120, rows = 40;

    if (o->size && !size_parse(o->size, &cols, &rows))
        snprintf(err, RUN_ERR_SIZE, "--size: \"%.40s\" is no size from 1x1 to 999x%d, such as 120x40", o->size,
                 GRID_MAX_ROWS);
    else if (o->size && !o->script)
        snprintf(err, RUN_ERR_SIZE, "--size: a terminal has its own (it is for --script)");
    else if (o->palette && !palette_find(o->palette))
        snprintf(err, RUN_ERR_SIZE, "--palette: \"%.40s\" is none of default, safe and mono", o->palette);
    if (err[0])
        return -1;
    cockpit_begin(&t->c, &t->s, rows, cols);
    if (o->palette)
        t->c.palette = palette_find(o->palette);
    t->c.ascii = o->ascii;
    return 0;
}

int cmd_tui(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct tui *t = calloc(1, sizeof(*t));
    int status = STATUS_ENVIRONMENT;

    err[0] = '\0';
    if (!t || !(t->s.g.said = said_open())) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        free(t);
        return status;
    }
    t->s.g.say.out = said_stream(t->s.g.said);
    t->s.consoles_elsewhere = true;
    if (session_open(&t->s, o, p, err) == 0 && session_start(&t->s, err) == 0 && options_take(t, o, err) == 0) {
        debug_stop_say(&t->s.g, "before the first instruction");
        status = o->script ? script_run(t, o->script, err) : screen_run(t, err);
        cockpit_end(&t->c);
    }
    session_close(&t->s);
    said_close(t->s.g.said);
    free(t);
    return p->signal ? 128 + p->signal : status;
}
