// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The window: what the trace says of the time before here.
 *
 * Concept: a machine that stands still has a past, and nobody has kept what was traced of it. So the stretch from a
 * checkpoint up to here is run again with somebody who listens; the machine is then where it was. It does not matter
 * how one has come here: the window of a position is always the same, but for how far back it goes. So of a window that
 * one has what is before here is used again, and only what is new is run again.
 *
 * Invariants: the records are all that there were from `from` on, in their order, unless there were more than `most`:
 * then the last of them, and `from` is where these begin.
 */
#ifndef TOOLS_DEBUG_WINDOW_H
#define TOOLS_DEBUG_WINDOW_H

#include "tools/debug/debugger.h"

struct window {
    struct position from, to; /* to: where the machine stood when it was taken */
    bool from_begin;          /* nothing is known before */
    struct trace_record *rec;
    size_t nr, cap;
    bool lost; /* there was no memory for all */
    /* Whose past it is (tools/rewind/rewind.h): */
    char line[REWIND_NAME_SIZE];
    size_t nr_branches;
};

/*
 * The window here, with `least` records if the past has so many and it does not take longer than a few stretches, and
 * at most `most`; w is zero, or an earlier window of the same machine. DEBUG_THERE, or DEBUG_INTERRUPTED, DEBUG_ERROR:
 * then w is an earlier one, or empty.
 */
enum debug_result window_take(struct debugger *d, size_t least, size_t most, struct window *w);
void window_free(struct window *w);

#endif
