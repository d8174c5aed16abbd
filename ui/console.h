// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the user sees: guests' consoles on standard output, messages on standard error.
 *
 * Concept: one guest has the output for itself, byte for byte, until a second one (xenlab ctl clone) says something.
 * Several share it by lines: each line gets its guest in front, "[d1] text", so output that is not yet a line is kept
 * back per guest until it is one (or too long to wait for). What stays unfinished is likely a prompt: after a while, or
 * when it is the prompt of the guest whom the keyboard talks to, it is shown as it is, and goes on where it stands
 * unless somebody else has written in between:
 *
 *      [d1] login:                         [d1] login:
 *      [d1] login: root                    [d2] meanwhile
 *                                          [d1] root
 *
 * Invariants: output appears in the order it was made: what guests wrote is flushed before a message is. While the
 * terminal is in raw mode it no longer returns the carriage at a newline, so lines that we make end in CR LF then; a
 * guest's own bytes are its own business. Of several guests only the one that the keyboard talks to can steer the
 * terminal; what the others write is made printable.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include "sim/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONSOLE_LINE_MAX 1024

struct console_line {
    struct console_line *next;
    unsigned int domid;
    size_t len, shown; /* shown <= len: so much of it has been put out already */
    bool touched;      /* written to since the last tick, */
    s_time_t since;    /* which came at this time */
    char text[CONSOLE_LINE_MAX];
};

/* A line that has stayed unfinished for so long is shown. */
#define CONSOLE_PROMPT_AFTER MILLISECS(50)
#define CONSOLE_NOBODY       (-1)

struct console {
    FILE *out, *err;
    bool by_lines;              /* several guests */
    int attached;               /* by_lines: the guest that the keyboard of a terminal talks to, or CONSOLE_NOBODY */
    bool out_raw, err_raw;      /* is a terminal in raw mode */
    bool together;              /* both are terminals: a message must not be put in the middle of a guest's line */
    bool end_line;              /* out is for people: it shall not end within a line */
    bool in_line;               /* the last byte written to out was no newline */
    int error;                  /* errno of the first failed write to out; afterwards nothing is written */
    struct console_line *lines; /* by_lines: what is kept back, in the order in which the guests first wrote */
    struct console_line *last;  /* of these */
    struct console_line **of;   /* the same by domid, NULL: none */
    struct console_line *open;  /* whose unfinished line is the last thing on the output; or NULL */
};

void console_guest_write(struct console *c, unsigned int domid, const char *text, size_t len);
/* One guest had it for itself so far; from now on it is shared. */
void console_share(struct console *c);
/* Virtual time is now `now`; idle: nobody will write anything for now. Show prompts. */
void console_tick(struct console *c, s_time_t now, bool idle);
/* The keyboard talks to this guest from now on. Its unfinished line is shown (again). */
void console_attach(struct console *c, unsigned int domid);
/* A guest will write no more for now: show its unfinished line. */
void console_guest_end(struct console *c, unsigned int domid);
/* Whole lines for the user; what would steer the terminal is shown as '?'. */
void console_message(struct console *c, const char *text, size_t len);
void console_flush(struct console *c);
/* Show what was kept back, flush, free. */
void console_close(struct console *c);

#endif
