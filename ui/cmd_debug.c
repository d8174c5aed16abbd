// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab debug`: guests on a machine that goes both ways, driven by lines.
 *
 * Concept: the machine is set up as for `xenlab run`, and stops before the guests' first instruction. From then on it
 * moves only as commands say. What guests write appears as it is written, when it happens for the first time; while the
 * past is repeated it does not appear again.
 *
 * Invariants: lines are only appended. A line of a script whose first character is # is a comment. Ctrl-C leaves off
 * the command that is being carried out, and the machine is where it was; at the prompt, the line that is typed.
 */
#include "ui/cmd_debug.h"

#include "ui/debug/line.h"
#include "ui/debug/session.h"
#include "ui/gdb/door.h"
#include "ui/panels/panel.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
    struct debug_session s;
    struct gdb_door gdb;
    FILE *in;
    struct line_editor *editor; /* of somebody at a terminal, or NULL */
    char *text;                 /* otherwise the line that was read */
    size_t size;
};

/* Ctrl-C was for the line that was being typed. */
static bool interrupted(struct lines *l)
{
    if (l->s.process->signal != SIGINT)
        return false;
    l->s.process->signal = 0;
    l->s.process->stop = false;
    if (l->editor)
        putchar('\n');
    else
        clearerr(l->in);
    return true;
}

/* Until somebody types, gdb may come and go, and move the machine. */
static void wait_with_gdb(void *data)
{
    struct lines *l = data;

    while (l->gdb.port && !l->s.process->stop) {
        const bool runs = gdb_door_runs(&l->gdb);

        if (gdb_door_wait(&l->gdb, runs ? -1 : fileno(l->in), runs ? 0 : -1))
            return;
        if (gdb_door_runs(&l->gdb))
            gdb_door_run_frame(&l->gdb);
    }
}

/* There are no more lines; but gdb, if it is to come, or is here. */
static void gdb_alone(struct lines *l)
{
    while (l->gdb.port && !l->s.process->stop && (!l->gdb.clients || l->gdb.server)) {
        gdb_door_wait(&l->gdb, -1, gdb_door_runs(&l->gdb) ? 0 : -1);
        if (gdb_door_runs(&l->gdb))
            gdb_door_run_frame(&l->gdb);
    }
}

/* NULL: there is none. */
static const char *next_line(struct lines *l)
{
    ssize_t n;

    if (l->editor)
        return line_read(l->editor, rewind_is_live(&l->s.g.rw) ? "LIVE xenlab> " : "REPLAY xenlab> ", true);
    wait_with_gdb(l);
    n = getline(&l->text, &l->size, l->in);
    l->s.g.line_nr++;
    if (n < 0)
        return NULL;
    if (strlen(l->text) == (size_t)n)
        return l->text;
    debug_fail(&l->s.g, "line", "a line with a zero byte is no command");
    return "";
}

static void lines_do(struct lines *l)
{
    while (!l->s.g.quit && !l->s.process->stop) {
        const char *line = next_line(l);

        if (!line && !interrupted(l))
            break;
        if (line && line[0] != '#')
            session_command(&l->s, line);
    }
}

static void loop(struct lines *l)
{
    lines_do(l);
    if (!l->s.g.quit)
        gdb_alone(l);
    if (l->editor && !l->s.g.quit)
        putchar('\n');
}

static bool ask(void *data, const char *question)
{
    struct lines *l = data;
    const char *line;

    printf("%s\n", question);
    line = line_read(l->editor, "sure> ", false);

    if (!line)
        interrupted(l);
    return line && (line[0] == 'y' || line[0] == 'Y');
}

/* The lines of --first FILE, as those of a script. False: it cannot be read; err says why. */
static bool first_do(struct lines *l, const char *file, char err[RUN_ERR_SIZE])
{
    struct line_editor *editor = l->editor;
    FILE *in = l->in, *first = fopen(file, "re");
    bool read = false;

    if (first) {
        l->in = first, l->editor = NULL;
        lines_do(l);
        read = !ferror(first);
        l->in = in, l->editor = editor;
        l->s.g.line_nr = 0;
        fclose(first);
    }
    if (!read)
        snprintf(err, RUN_ERR_SIZE, "--first: %s: %s", file, strerror(errno));
    return read;
}

static int input_open(struct lines *l, const struct run_options *o, char err[RUN_ERR_SIZE])
{
    l->in = o->script ? fopen(o->script, "re") : stdin;
    if (!l->in) {
        snprintf(err, RUN_ERR_SIZE, "--script: %s: %s", o->script, strerror(errno));
        return -1;
    }
    if (o->gdb) /* whether there is a line is asked of the file */
        setvbuf(l->in, NULL, _IONBF, 0);
    if (o->script || o->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return 0;
    l->editor = line_open(&l->s.g, &l->s.process->stop);
    l->s.g.ask = ask;
    l->s.g.ask_data = l;
    if (!l->editor)
        snprintf(err, RUN_ERR_SIZE, "out of memory");
    else if (o->gdb)
        line_wait(l->editor, wait_with_gdb, l);
    return l->editor ? 0 : -1;
}

int cmd_debug(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct lines l = { .s = { .g = { .say = { stdout, o->json }, .panels = panels_say } } };
    int status = STATUS_ENVIRONMENT;

    err[0] = '\0';
    if (session_open(&l.s, o, p, err) == 0 && input_open(&l, o, err) == 0 &&
        (!o->gdb || gdb_door_open(&l.gdb, o->gdb, err, RUN_ERR_SIZE) == 0) && session_start(&l.s, err) == 0 &&
        (!o->gdb || gdb_door_begin(&l.gdb, &l.s.g, p, err, RUN_ERR_SIZE) == 0)) {
        p->signals_catch();
        debug_stop_say(&l.s.g, "before the first instruction");
        if (!o->first || first_do(&l, o->first, err))
            loop(&l);
        else
            l.s.g.failed = true;
        if (!l.editor && ferror(l.in) && !p->signal) {
            snprintf(err, RUN_ERR_SIZE, "%s: %s", o->script ? o->script : "standard input", strerror(errno));
            l.s.g.failed = true;
        }
        status = l.s.g.failed ? STATUS_ENVIRONMENT : STATUS_OK;
    }
    gdb_door_close(&l.gdb);
    if (session_close(&l.s) && status == STATUS_OK)
        status = STATUS_ENVIRONMENT;
    if (o->script && l.in)
        fclose(l.in);
    line_close(l.editor);
    free(l.text);
    return p->signal ? 128 + p->signal : status;
}
