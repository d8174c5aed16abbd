// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab tour`: a run is explained, step by step (ui/tour/).
 *
 * Concept: on a terminal the tour is given on the cockpit's screen, by whoever presses keys. Without one it is read out
 * from beginning to end. With --check only what is not so is said, and with --export the screen of each step becomes a
 * file. All of these give the tour in the same way.
 */
#include "ui/cmd_tour.h"

#include "ui/debug/said.h"
#include "ui/status.h"
#include "ui/tour/export.h"
#include "ui/tour/play.h"
#include "ui/tui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct giving {
    struct tour tour;
    struct run_options guests; /* of the tour's guest line */
    struct tui t;
    struct tour_play play;
};

static void line(void *data, const char *text)
{
    struct giving *g = data;

    cockpit_line(&g->t.c, text);
    tui_settle(&g->t);
}

/* The tour, its machine and its screen; no step has been given. */
static int begin(struct giving *g, const char *path, const struct run_options *o, struct run_process *p,
                 char err[RUN_ERR_SIZE])
{
    char why[TOUR_ERR_SIZE], what[RUN_ERR_SIZE] = "";

    if (tour_load(&g->tour, path, why)) {
        snprintf(err, RUN_ERR_SIZE, "%s", why);
        return -1;
    }
    if (options_parse(&g->guests, COMMAND_TUI, (int)g->tour.nr_words, g->tour.guest, why)) {
        snprintf(err, RUN_ERR_SIZE, "%s:%u: %s", path, g->tour.guest_number, why);
        return -1;
    }
    if (tui_begin(&g->t, &g->guests, o, p, what)) {
        snprintf(err, RUN_ERR_SIZE, "%.200s:%u: %.800s", path, g->tour.guest_number, what);
        return -1;
    }
    if (!play_begin(&g->play, &g->tour, &g->t.s.g)) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    g->play.line = line;
    g->play.data = g;
    cockpit_line(&g->t.c, "layout tour");
    return 0;
}

static void end(struct giving *g)
{
    play_end(&g->play);
    tui_end(&g->t);
    options_free(&g->guests);
    tour_free(&g->tour);
    free(g);
}

/* What has been said since `from`; errors alone: what is not so. */
static size_t print_said(const struct said *said, size_t from, bool errors, FILE *out)
{
    for (size_t i = from > said_first(said) ? from : said_first(said); i < said_nr(said); i++) {
        const char *text = said_line(said, i);

        if (!errors || !strncmp(text, "error: ", 7))
            fprintf(out, "%s\n", text);
    }
    return said_nr(said);
}

static int read_out(struct giving *g, bool errors)
{
    const struct said *said = g->t.s.g.said;
    size_t printed = said_nr(said);

    g->play.aloud = !errors;
    if (!errors)
        printf("%s\n", g->tour.title);
    while (!g->t.s.process->stop && play_next(&g->play))
        printed = print_said(said, printed, errors, errors ? stderr : stdout);
    return g->play.failures ? STATUS_ENVIRONMENT : STATUS_OK;
}

static int check(const char *path, const struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct giving *g = calloc(1, sizeof(*g));
    int status = STATUS_ENVIRONMENT;

    if (!g) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        return status;
    }
    if (begin(g, path, o, p, err) == 0) {
        status = read_out(g, true);
        printf("%s  %s: %zu steps, %u wrong\n", status == STATUS_OK ? "PASS" : "FAIL", path, g->tour.nr,
               g->play.failures);
        fflush(stdout);
    }
    end(g);
    return status;
}

static bool draw(void *data, struct grid *grid)
{
    struct giving *g = data;

    return cockpit_draw(&g->t.c, grid);
}

static int give(struct giving *g, const struct run_options *o, char err[RUN_ERR_SIZE])
{
    const struct tour_export e = { &g->play, draw, g, g->t.c.palette, g->t.c.cols, g->t.c.rows };

    const bool screen = !o->export && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

    if (!screen)
        tui_no_screen(o);
    if (o->export)
        return tour_export(&e, o->export, err, RUN_ERR_SIZE) || g->play.failures ? STATUS_ENVIRONMENT : STATUS_OK;
    if (!screen)
        return read_out(g, false);
    play_next(&g->play);
    return tui_screen(&g->t, err) ? STATUS_ENVIRONMENT : STATUS_OK;
}

int cmd_tour(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    int status = STATUS_OK;
    struct giving *g;

    err[0] = '\0';
    if (o->check) {
        for (unsigned int i = 0; i < o->nr_guests && !p->stop && !err[0]; i++)
            if (check(o->guests[i], o, p, err) != STATUS_OK)
                status = STATUS_ENVIRONMENT;
        return status;
    }
    g = calloc(1, sizeof(*g));
    if (!g) {
        snprintf(err, RUN_ERR_SIZE, "out of memory");
        return STATUS_ENVIRONMENT;
    }
    status = begin(g, o->guests[0], o, p, err) ? STATUS_ENVIRONMENT : give(g, o, err);
    end(g);
    return p->signal ? 128 + p->signal : status;
}
