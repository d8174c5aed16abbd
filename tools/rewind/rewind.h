// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rewind: a host whose whole run can be visited.
 *
 * Concept: time goes on at the end of what is known. Everything before that has happened, and can be gone to: by a
 * checkpoint at or before the position, and by running from there, with the inputs of the journal.
 *
 *      begin          checkpoints, every so many instructions                  end
 *      |----c---------c---------c---------c---------c----^----c---------c------|
 *                                                        here                     |
 *                                       the past: what it says and writes is not  |  here it happens
 *                                       heard again, inputs are the journal's     |  for the first time
 *
 * Where the run was when it was last left is not special: it is the end, and to go on from there is to go on. Inputs
 * are taken at the end alone. Who wants another future from a position in the past cuts off the one that is known.
 *
 * Invariants: whoever runs the machine does it through here. Between two calls it stands between two steps, at a
 * position. The same position has the same state, whichever way it was reached: checkpoints compare, and a difference
 * ends the run with a message, since it is a mistake of this program.
 */
#ifndef TOOLS_REWIND_REWIND_H
#define TOOLS_REWIND_REWIND_H

#include "sim/checkpoint.h"
#include "tools/host.h"
#include "tools/rewind/journal.h"

#define REWIND_ERR_SIZE    512
#define REWIND_HISTORY_MIB 256      /* by default */
#define REWIND_EVERY       10000000 /* instructions from checkpoint to checkpoint */
#define REWIND_MIN_LIMIT   1

struct rewind {
    struct host *host;
    struct machine *m;
    struct history *history;
    struct journal journal;
    size_t next;         /* the journal's record that is to be handed in next */
    struct position end; /* so far the run is known */
    s_time_t end_now;
    uint64_t every;
    char err[REWIND_ERR_SIZE]; /* what has gone wrong for good, or empty */
};

/*
 * From here on, with at most history_mib of memory for what was. -1 and a message: this engine cannot be rewound, or no
 * memory. The host is borrowed, and is not run otherwise meanwhile.
 */
int rewind_begin(struct rewind *r, struct host *h, unsigned int history_mib, char err[REWIND_ERR_SIZE]);
void rewind_finish(struct rewind *r);

/*
 * Run on from here, as xen_run_to(); over the end of what is known, if the limit lies there. RUN_STOP with r->err set:
 * the run has diverged.
 */
enum run_result rewind_run(struct rewind *r, const struct run_limit *l);

/* Is this the end of what is known? Otherwise it is the past. */
bool rewind_is_live(const struct rewind *r);
/* The first position that can be gone to. */
struct position rewind_first(const struct rewind *r);

/*
 * Go to a position. One that does not exist (nothing stops in the middle of a step) is the next one that does. *stop,
 * at any time: leave off somewhere on the way. -1 and a message: it lies before the beginning or beyond the end; the
 * machine is where it was.
 */
int rewind_goto(struct rewind *r, struct position at, const bool *stop, char err[REWIND_ERR_SIZE]);

/* Console input, live: see host_console_input(). -1 and a message: this is the past. */
int rewind_input(struct rewind *r, unsigned int guest, const char *text, size_t len, s_time_t now,
                 char err[REWIND_ERR_SIZE]);

/* What was known of the future from here on is forgotten: here is the end. */
void rewind_cut(struct rewind *r);

#endif
