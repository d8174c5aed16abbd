// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cockpit: the debugger on a screen.
 *
 * Concept: there are no modes to get lost in, and no loops within loops. The cockpit is a value that takes one key at a
 * time and can be drawn at any time:
 *
 *      key ──> a line of commands (ui/debug/keys.h) ──> the debugger ──> the machine is elsewhere
 *                                                                             │
 *      grid <── draw: panels, by a plan of the screen <── values <── look ────┘
 *
 * Who has a terminal gives it keys and shows the grid (ui/cmd_tui.c); a test does the same with no terminal at all.
 *
 *      status     d1v0 rings | kernel | 2.703347ms#80477.1 | LIVE main
 *      panels     as the plan says (ui/screen/layout.h)
 *      sentence   what was said last: why it stopped, an answer, a complaint
 *      footer     what keys there are; or the prompt, while something is typed
 *
 * Changes are marked against the last stop: where the machine stood before the last command that moved it.
 *
 * Invariants: drawing changes nothing, of the machine nor of what the user has chosen, but that a list is scrolled so
 * that what is chosen is seen. What the cockpit shows can be had by `panel NAME` in lines.
 */
#ifndef UI_COCKPIT_COCKPIT_H
#define UI_COCKPIT_COCKPIT_H

#include "ui/debug/session.h"
#include "ui/panels/panel.h"
#include "ui/screen/layout.h"

#define COCKPIT_PANELS 32
#define COCKPIT_LINE   512
#define COCKPIT_PAST   100 /* lines that were typed */

/* One of the panels, and what was chosen of it. */
struct cockpit_panel {
    const struct panel_ops *ops;
    struct table table, then; /* now, and at the last stop */
    struct table_view view;
    struct condition *filter; /* of events; NULL: none */
    char filter_text[96];
    struct panel_about about;
    bool taken; /* table is of here */
};

struct cockpit {
    struct debug_session *s;
    struct debug_screen screen;
    unsigned int rows, cols;
    const struct palette *palette;
    bool ascii;
    bool few_colours; /* there are no 256: pictures are made of characters */
    bool quit;
    const char *gdb; /* it is here: what it does, in a word or two; or NULL */

    struct cockpit_panel panel[COCKPIT_PANELS];
    unsigned int nr_panels;
    struct scene scene;
    struct window window;
    bool seen;         /* scene and window are of here, as far as is known */
    bool seen_running; /* and are of a moment at which it ran */
    bool went_back;    /* from the last stop to here, which was at: */
    char last_stop[POSITION_TEXT];

    /* The plan of the screen. */
    const char *layout;          /* name */
    char plan[256];              /* of the user's own, or empty */
    int in_place[LAYOUT_PANELS]; /* another panel than the plan says; -1: none */
    unsigned int focus;          /* panel */
    bool zoomed;
    unsigned int unzoomed; /* the focus that was, and will be again */
    char search[64];

    /* What is typed. */
    bool prompt;
    char line[COCKPIT_LINE];
    size_t len, cursor;
    char *past[COCKPIT_PAST];
    unsigned int nr_past, past_at;
    unsigned int count; /* digits before a key */

    /* A question that a command has asked; the line that is carried out if the answer is yes. */
    char question[256], again[COCKPIT_LINE];
    bool sure;

    /* Running on by itself. */
    bool running;
    bool patient;   /* with those outside who may come: somebody sits there and can end it */
    s_time_t speed; /* virtual time a second; 0: as fast as it goes */
    s_time_t limit; /* --max-vtime */
    s_time_t slice;
    struct debug_slices slices;

    bool only_screen;                  /* the last command has not asked the machine for anything */
    struct table_row chosen;           /* of the panel that keys are for */
    unsigned int head[COCKPIT_PANELS]; /* rows of a panel above its first row */
    size_t said;                       /* lines that were there when the last command began */
    char hint[160];                    /* of a key that means nothing, or candidates of a completion */
};

/* s has been started, and says into s->g.said. */
void cockpit_begin(struct cockpit *c, struct debug_session *s, unsigned int rows, unsigned int cols);
void cockpit_end(struct cockpit *c);

void cockpit_resize(struct cockpit *c, unsigned int rows, unsigned int cols);
/* A key: a character, or one of enum key. */
void cockpit_key(struct cockpit *c, int key);
/* The mouse: a click, or the wheel (-1 up, 1 down). */
void cockpit_mouse(struct cockpit *c, unsigned int row, unsigned int col, int wheel);
/* A line of commands, as if typed. */
void cockpit_line(struct cockpit *c, const char *line);
/* If it runs: a slice of that, about a frame long. */
void cockpit_run(struct cockpit *c);
/* The screen, of the cockpit's size. False: no memory. */
bool cockpit_draw(struct cockpit *c, struct grid *g);

/* --- plans.c --- */

struct layout_plan {
    const char *name, *help;
    const char *small, *medium, *large; /* below 100 columns, below 160, from there on */
};
const struct layout_plan *layout_plan_at(unsigned int i);
const struct layout_plan *layout_plan_find(const char *name);

/* The plan of the screen as it is. */
const char *cockpit_plan(const struct cockpit *c);
/* Where panels are now. False: the screen is too small. */
bool cockpit_places(const struct cockpit *c, struct layout *l);
/* What was said last, or is asked; rows of the screen that it takes: one, or up to a few. */
#define COCKPIT_SENTENCE 1400
enum style cockpit_sentence(const struct cockpit *c, char text[COCKPIT_SENTENCE]);
unsigned int cockpit_sentence_rows(const struct cockpit *c);

/* --- look.c --- */

void cockpit_complain(struct cockpit *c, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The panel that keys are for. */
struct cockpit_panel *cockpit_focused(struct cockpit *c);
/* So that its table is of here; so that all are. */
void cockpit_look(struct cockpit *c, struct cockpit_panel *p);
void cockpit_look_all(struct cockpit *c);
/* What is shown may not be so any more. */
void cockpit_forget(struct cockpit *c);

/* --- control.c --- */

/* Commands about the screen are for this one. */
void cockpit_control(struct cockpit *c);
/* The row of the panel that was clicked on, counted in its place. */
void cockpit_choose_at(struct cockpit *c, const struct layout_place *place, unsigned int row);

#define COCKPIT_MIN_ROWS 24
#define COCKPIT_MIN_COLS 80

#endif
