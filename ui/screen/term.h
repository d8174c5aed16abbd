// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The terminal: shows grids, and gives keys (ncurses).
 *
 * Concept: this is the one file that touches a terminal's screen. It gets whole grids; what differs from what is shown
 * is written.
 *
 * Invariants: without colours, or with NO_COLOR in the environment, the palette is `mono`; without UTF-8 what is drawn
 * is ASCII. term_close() leaves the terminal as it was.
 */
#ifndef UI_SCREEN_TERM_H
#define UI_SCREEN_TERM_H

#include "ui/screen/grid.h"

struct term_event {
    int key;    /* ui/debug/keys.h; KEY_IS_NONE: time is up, or a signal has come */
    bool mouse; /* instead: */
    unsigned int row, col;
    int wheel; /* -1 up, 1 down, 0: a click */
};

/* False and a message: this is no terminal, or one that cannot be used. */
bool term_open(char *err, size_t size);
void term_close(void);
/* What brings a terminal back whatever happens, as text to be written to it: to be freed. NULL: no memory. */
char *term_restore_text(void);
bool term_has_unicode(void);
bool term_has_colours(void);
bool term_has_256_colours(void);
void term_size(unsigned int *rows, unsigned int *cols);
/* The process was stopped, and goes on: the screen is drawn anew. */
void term_again(void);
void term_show(const struct grid *g, const struct palette *palette, bool ascii);
/* Wait for a key, so many ms at most; -1: for ever. False: nobody can type any more. */
bool term_event(int timeout_ms, struct term_event *e);

#endif
