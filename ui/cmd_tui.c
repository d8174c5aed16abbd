// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab tui`: guests on a machine that goes both ways, on a screen (ui/tui.h). With --script there is no terminal:
 * lines are carried out, what is said is printed, and `shot` writes what would be seen.
 */
#include "ui/cmd_tui.h"

#include "ui/debug/said.h"
#include "ui/status.h"
#include "ui/tui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
        t->s.g.line_nr++;
        if (line[0] != '#')
            cockpit_line(&t->c, line);
        tui_settle(t);
        said = print_said(t->s.g.said, said);
    }
    free(line);
    if (in != stdin)
        fclose(in);
    return t->s.g.failed ? STATUS_ENVIRONMENT : STATUS_OK;
}

/* Where it has come to. */
static int shot_write(struct tui *t, const char *path, char err[RUN_ERR_SIZE])
{
    char line[COCKPIT_LINE];

    t->s.g.failed = false;
    snprintf(line, sizeof(line), strchr(path, '"') ? "shot %s" : "shot \"%s\"", path);
    cockpit_line(&t->c, line);
    if (t->s.g.failed)
        snprintf(err, RUN_ERR_SIZE, "%s", said_line(t->s.g.said, said_nr(t->s.g.said) - 1));
    return t->s.g.failed ? STATUS_ENVIRONMENT : STATUS_OK;
}

int cmd_tui(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct tui *t = calloc(1, sizeof(*t));
    int status = STATUS_ENVIRONMENT;

    err[0] = '\0';
    if (!t) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        return status;
    }
    if (o->size && !o->script && !o->shot) {
        snprintf(err, RUN_ERR_SIZE, "--size: a terminal has its own (it is for --script and --shot)");
    } else if (tui_begin(t, o, o, p, err) == 0) {
        debug_stop_say(&t->s.g, "before the first instruction");
        if (o->script || o->shot)
            tui_no_screen(o);
        if (o->script)
            status = script_run(t, o->script, err);
        else if (!o->shot)
            status = tui_screen(t, err) ? STATUS_ENVIRONMENT : STATUS_OK;
        else
            status = STATUS_OK;
        if (o->shot && status == STATUS_OK)
            status = shot_write(t, o->shot, err);
    }
    if (tui_end(t) && status == STATUS_OK)
        status = STATUS_ENVIRONMENT;
    free(t);
    return p->signal ? 128 + p->signal : status;
}
