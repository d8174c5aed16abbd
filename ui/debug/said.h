// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the debugger has said, for who shows it otherwise than by writing it down: the last lines.
 *
 * Invariants: a line is whole, printable, and has no newline. The last SAID_LINES are there.
 */
#ifndef UI_DEBUG_SAID_H
#define UI_DEBUG_SAID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SAID_LINES 2000
#define SAID_SIZE  1200

struct said;

/* NULL: no memory. */
struct said *said_open(void);
void said_close(struct said *s);
/* Where to write: it is closed by said_close(). */
FILE *said_stream(struct said *s);
/* Lines so far; those before said_first() are forgotten. */
size_t said_nr(const struct said *s);
size_t said_first(const struct said *s);
const char *said_line(const struct said *s, size_t i);

#endif
