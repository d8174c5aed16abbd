// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of somebody at a terminal: with editing, a history, and completion by Tab (libedit).
 *
 * Invariants: the terminal is as it was whenever a line is not being read. Of several possible completions nothing is
 * chosen, they are listed. What was typed is remembered until the program ends, and nowhere else.
 */
#ifndef UI_DEBUG_LINE_H
#define UI_DEBUG_LINE_H

#include "ui/debug/debug.h"

struct line_editor;

/* On standard input and output. *stop, set by a signal: leave off reading. NULL: no memory. */
struct line_editor *line_open(struct debug *g, const bool *stop);
void line_close(struct line_editor *l);
/* To be called before a key is waited for: it may wait for others as well, and come back when one can be read. */
void line_wait(struct line_editor *l, void (*wait)(void *data), void *data);
/* The next line, until the next call; NULL: there is none, or *stop is set. remember: it goes into the history. */
const char *line_read(struct line_editor *l, const char *prompt, bool remember);

#endif
