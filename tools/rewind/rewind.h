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
 * are taken at the end alone. Who wants another future from a position in the past begins a branch: the known future is
 * kept under a name, what of it can be computed again is forgotten, and here is the end.
 *
 *      begin                                     end of A
 *      |---------------------.-------i---------i----|        i: input
 *                            '---i------|                    the line that the machine is on
 *                          here they part
 *
 * Which of the lines the machine is on can be changed at any time: from where they part, or before, the other journal
 * is ahead, and its future is the known one. So none is ever lost.
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

#define REWIND_HISTORY_MIB 256      /* by default */
#define REWIND_EVERY       10000000 /* instructions from checkpoint to checkpoint */
#define REWIND_MIN_LIMIT   1

#define REWIND_NAME_SIZE 32

/* Another future. */
struct rewind_branch {
    char name[REWIND_NAME_SIZE];
    struct journal journal; /* all of it, from the beginning on */
    struct position end;
    s_time_t end_now;
    uint64_t line;
};

/*
 * What a recording knows of the run: when it has come to `at`, or past it, for the first time, fn says whether the
 * machine is as it was, and where it is to be asked again. False: it has diverged, and err says how. NULL: nothing is
 * known; so it is once somebody has handed in something else.
 */
struct rewind_compare {
    bool (*fn)(void *data, struct position *at, char err[REWIND_ERR_SIZE]);
    void *data;
    struct position at;
    bool differs; /* it has: r->err says how */
};

struct rewind {
    struct host *host;
    struct machine *m;
    struct history *history;
    struct journal journal;
    size_t next;         /* the journal's record that is to be handed in next */
    struct position end; /* so far the run is known, */
    s_time_t end_now;    /* and the time there */
    uint64_t every;
    struct rewind_compare compare;
    char name[REWIND_NAME_SIZE]; /* of the line that the machine is on: at first "main" */
    uint64_t line, lines;        /* its number, which no other one gets; and the last */
    struct rewind_branch *branches;
    size_t nr_branches;
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

/* That it differs from a recording has been said: it may go on, as a run of its own. */
void rewind_go_on(struct rewind *r);

/* Is this the end of what is known? Otherwise it is the past. */
static inline bool rewind_is_live(const struct rewind *r) { return !position_is_before(r->m->at, r->end); }
/* The first position that can be gone to. */
struct position rewind_first(const struct rewind *r);

/*
 * Go to a position. One that does not exist (nothing stops in the middle of a step) is the next one that does. *stop,
 * at any time: leave off somewhere on the way. -1 and a message: it lies before the beginning or beyond the end; the
 * machine is where it was.
 */
int rewind_goto(struct rewind *r, struct position at, const bool *stop, char err[REWIND_ERR_SIZE]);

/* Before the run: this will come in, behind what was expected before. False: no memory. */
bool rewind_expect(struct rewind *r, const struct journal_record *rec);
/* Live, and more of that is to come. */
bool rewind_expects(const struct rewind *r);

/*
 * Something comes in, live: see tools/rewind/journal.h for who and bytes, and host_console_input() for now. -1 and a
 * message: this is the past, or it is refused (tools/rewind/input.h), and nothing has changed.
 */
int rewind_hand_in(struct rewind *r, enum journal_kind kind, unsigned int who, const void *bytes, size_t len,
                   s_time_t now, char err[REWIND_ERR_SIZE]);

/* A checkpoint here; if there is one already, the machine is compared with it. */
void rewind_checkpoint(struct rewind *r);

/* --- branch.c --- */

/*
 * What is known of the future becomes the last branch, of this name (NULL: the next free letter); here is the end. -1
 * and a message: there is no such future, the name is not free or none, no memory.
 */
int rewind_branch(struct rewind *r, const char *name, char err[REWIND_ERR_SIZE]);
/* The same, but what is known of the future is forgotten. Here is the end. */
void rewind_forget(struct rewind *r);
/* The number of the branch of this name; nr_branches: there is none. */
size_t rewind_branch_find(const struct rewind *r, const char *name);
/*
 * What has come in on the way here. A position and its way are one place in the run, of all its futures; the line that
 * it is on is the present one, a branch's, or none. A branch whose line it is has a number.
 */
uint64_t rewind_way(const struct rewind *r);
#define REWIND_PRESENT ((size_t)-1)
#define REWIND_NOWHERE ((size_t)-2)
size_t rewind_line_of(const struct rewind *r, struct position at, uint64_t way);
/* Where branch i leaves the line that the machine is on. */
struct position rewind_branch_parts(const struct rewind *r, size_t i);
/* Branch i is the future from now on, and the one that was is a branch. The machine is no further than they part. */
void rewind_branch_take(struct rewind *r, size_t i);

#endif
