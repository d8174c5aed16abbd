// SPDX-License-Identifier: GPL-2.0-or-later
/* A cockpit without a terminal, on a machine with a guest: for tests. */
#ifndef TESTS_UI_COCKPIT_H
#define TESTS_UI_COCKPIT_H

#include "ui/cockpit/cockpit.h"
#include "ui/debug/keys.h"
#include "ui/debug/said.h"

struct cockpit_scene {
    struct debug_session s;
    struct cockpit c;
    struct run_process process;
    struct run_options o;
    char line[300];
};

/* Of a command line, split at blanks. */
static void cockpit_scene_of(struct cockpit_scene *sc, const char *line, unsigned int rows, unsigned int cols)
{
    char err[RUN_ERR_SIZE] = "", *argv[32], *rest, *word;
    int argc = 0;

    memset(sc, 0, sizeof(*sc));
    snprintf(sc->line, sizeof(sc->line), "%s", line);
    for (word = strtok_r(sc->line, " ", &rest); word && argc < 32; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    assert_int_equal(options_parse(&sc->o, COMMAND_TUI, argc, argv, err), 0);
    sc->s.g.said = said_open();
    assert_non_null(sc->s.g.said);
    sc->s.g.say.out = said_stream(sc->s.g.said);
    sc->s.consoles_elsewhere = true;
    if (session_open(&sc->s, &sc->o, &sc->process, err) || session_start(&sc->s, err))
        fail_msg("%s", err);
    cockpit_begin(&sc->c, &sc->s, rows, cols);
}

static inline void cockpit_scene_begin(struct cockpit_scene *sc, char *guest, unsigned int rows, unsigned int cols)
{
    char line[300];

    snprintf(line, sizeof(line), "--max-vtime=12ms %s", guest);
    cockpit_scene_of(sc, line, rows, cols);
}

static void cockpit_scene_end(struct cockpit_scene *sc)
{
    cockpit_end(&sc->c);
    session_close(&sc->s);
    said_close(sc->s.g.said);
    options_free(&sc->o);
}

/* The screen as text; to be freed. */
static inline char *cockpit_scene_text(struct cockpit_scene *sc)
{
    struct grid g = { 0 };
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    assert_true(f && cockpit_draw(&sc->c, &g));
    grid_write_text(&g, sc->c.ascii, f);
    fclose(f);
    grid_free(&g);
    return out;
}

static inline bool cockpit_scene_shows(struct cockpit_scene *sc, const char *text)
{
    char *screen = cockpit_scene_text(sc);
    const bool found = strstr(screen, text) != NULL;

    free(screen);
    return found;
}

static inline const char *cockpit_scene_said(const struct cockpit_scene *sc)
{
    const size_t nr = said_nr(sc->s.g.said);

    return nr ? said_line(sc->s.g.said, nr - 1) : "";
}

#endif
