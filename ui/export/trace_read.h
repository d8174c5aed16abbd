// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as `--trace` writes it, read back into records.
 *
 * Concept: the inverse of sim/trace_json.c, by the same tables: what a line says becomes the words that it was printed
 * from. So whoever works on records need not know whether they come from a file or from a machine.
 *
 * Invariants: a line is taken whole or not at all: it has all fields that its event has and no others, of their types,
 * with names that the vocabulary has; numbers of records grow (there are gaps where --trace-filter let nothing
 * through). Printed again a record gives the same line. Files are anybody's: whatever is wrong is said, with the line's
 * number.
 */
#ifndef UI_EXPORT_TRACE_READ_H
#define UI_EXPORT_TRACE_READ_H

#include <stdio.h>

#include "sim/trace.h"

#define TRACE_READ_ERR_SIZE 256

struct trace_reader;

/* Read from `in`, which stays the caller's and is called `name` (borrowed) in messages. NULL: no memory. */
struct trace_reader *trace_read_begin(FILE *in, const char *name);
void trace_read_end(struct trace_reader *r); /* NULL: harmless */

/* The first line. 0, or -1 and what is wrong. */
int trace_read_header(struct trace_reader *r, char err[TRACE_READ_ERR_SIZE]);
/* The names of the guests that it has, borrowed. */
const char *trace_read_guest(const struct trace_reader *r, size_t i); /* NULL: there are not so many */

/* The next record: 1; 0: that was all; -1: something is wrong. */
int trace_read(struct trace_reader *r, struct trace_record *rec, char err[TRACE_READ_ERR_SIZE]);

#endif
