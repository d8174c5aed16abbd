// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the user sees: guests' consoles on standard output, messages on standard error.
 *
 * Concept: one guest has the output for itself, byte for byte. Several share it by lines: each line gets its guest in
 * front, "[d1] text", so output that is not yet a line is kept back per guest until it is one (or too long to wait for).
 *
 * Invariants: output appears in the order it was made: what guests wrote is flushed before a message is. While the terminal is
 * in raw mode it no longer returns the carriage at a newline, so lines that we make end in CR LF then; a guest's own bytes
 * are its own business.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONSOLE_LINE_MAX 1024

struct console_line {
    struct console_line *next;
    unsigned int domid;
    size_t len;
    char text[CONSOLE_LINE_MAX];
};

struct console {
    FILE *out, *err;
    bool by_lines;              /* several guests */
    bool out_raw, err_raw;      /* is a terminal in raw mode */
    bool together;              /* both are terminals: a message must not be put in the middle of a guest's line */
    bool in_line;               /* the last byte written to out was no newline */
    int error;                  /* errno of the first failed write to out; afterwards nothing is written */
    struct console_line *lines; /* by_lines: what is kept back */
};

void console_guest_write(struct console *c, unsigned int domid, const char *text, size_t len);
/* A guest will write no more for now: show its unfinished line. */
void console_guest_end(struct console *c, unsigned int domid);
/* Whole lines for the user; what would steer the terminal is shown as '?'. */
void console_message(struct console *c, const char *text, size_t len);
void console_flush(struct console *c);
/* Show what was kept back, flush, free. */
void console_close(struct console *c);

#endif
