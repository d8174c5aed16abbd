// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of others, made fit for a terminal: see tools/printable.c. */
#ifndef TOOLS_PRINTABLE_H
#define TOOLS_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* In place, length and all: every byte that would steer a terminal becomes '?'. `lines`: newlines and tabs may stay. */
void make_printable(char *text, size_t len, bool lines);

#endif
