// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A cockpit on a terminal, or without one: what `xenlab tui` and `xenlab tour` share.
 *
 * Concept: one loop: show what there is, wait for a key, hand it to the cockpit (ui/cockpit/cockpit.h). While the
 * machine runs by itself, it runs for a frame's time instead of waiting.
 *
 * Invariants: Ctrl-C leaves off what takes long, and otherwise is a key. The terminal is as it was, whatever ends it.
 */
#ifndef UI_TUI_H
#define UI_TUI_H

#include "ui/cockpit/cockpit.h"
#include "ui/gdb/door.h"

struct tui {
    struct debug_session s;
    struct cockpit c;
    struct gdb_door gdb;
    char gdb_state[24];
    struct grid shown;
    bool gui;                    /* a window is wanted: */
    struct projector *projector; /* NULL: there is none */
    bool begun;                  /* there is a cockpit */
};

/*
 * The machine that the guests' options say, stopped before its first instruction, and a screen as the screen's options
 * say. t is zero. -1 and a message; tui_end() either way.
 */
int tui_begin(struct tui *t, struct run_options *guests, const struct run_options *screen, struct run_process *p,
              char err[RUN_ERR_SIZE]);
/* On a terminal, until somebody ends it. -1 and a message: it is none. */
int tui_screen(struct tui *t, char err[RUN_ERR_SIZE]);
/* There will be none: say so of what is only of use beside one. */
void tui_no_screen(const struct run_options *o);
/* Without one: as long as the machine runs by itself. */
void tui_settle(struct tui *t);
/* As session_close(). */
int tui_end(struct tui *t);

#endif
