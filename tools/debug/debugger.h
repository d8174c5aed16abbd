// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moving through a run, both ways.
 *
 * Concept: every command that moves looks for a position: the next one, or the last one before here, at which something
 * is so. Forward the machine runs and is stopped there. Backward it cannot run: so the stretch from the checkpoint
 * before here is run again with the same question, and the last answer before here is the one; if there is none, the
 * stretch before that, and so on to the beginning.
 *
 *      checkpoints   c-----------c-----------c-------^        here
 *      1st try                               |--x-x--|        the last x, if there is one
 *      2nd try                   |----x------|
 *
 * So a search forward and one backward stop at the same positions. An answer is an event of the trace (its step is
 * done: the machine stands behind it), or an instruction (the machine stands in front of it, as a processor does).
 *
 * A step may have several events; all of them have the machine at the same position. So what one has stopped at is an
 * event as well, and to go on to the next one may leave the machine where it is.
 *
 * Invariants: a search that finds nothing, or is interrupted, leaves the machine where it was. Nothing here changes the
 * machine but by letting it run, and by input at the end of what is known.
 */
#ifndef TOOLS_DEBUG_DEBUGGER_H
#define TOOLS_DEBUG_DEBUGGER_H

#include "tools/rewind/rewind.h"

enum debug_result {
    DEBUG_THERE,       /* found, and the machine is there */
    DEBUG_END,         /* the run has come to its end: nothing runs any more; the machine is there */
    DEBUG_INPUT,       /* the same: a guest waits for input, and the others have hardly anything to do */
    DEBUG_LIMIT,       /* the same: the limit of virtual time is reached */
    DEBUG_BEGIN,       /* there is none since history begins; the machine is where it was */
    DEBUG_INTERRUPTED, /* the same */
    DEBUG_ERROR,       /* the same; d->err says why */
};

/* Is this event one that is looked for? The machine is in the middle of a step: to be looked at only. */
typedef bool debug_match(void *data, const struct trace_record *rec);

#define DEBUG_STEP_EVENTS 64 /* of one step that are told apart */

/* A breakpoint of the user's: code at an address of a domain. */
struct debug_break {
    unsigned int id;
    domid_t dom;
    uint64_t addr;
};

struct debugger {
    struct rewind *rw;
    struct host *host;
    const bool *interrupt; /* set: leave off */
    s_time_t limit;        /* of virtual time; STIME_MAX: none */
    struct position bound; /* looking for something before here: no further than that */
    domid_t dom;           /* the vCPU that commands are about */
    unsigned int vcpu;
    char err[REWIND_ERR_SIZE];

    bool at_event; /* has stopped at `event`, the ord-th of those of its step that were kept */
    struct trace_record event;
    unsigned int ord;
    struct trace_record step[DEBUG_STEP_EVENTS];
    unsigned int nr_step;

    struct debug_break *breaks; /* in the order in which they were made */
    size_t nr_breaks;
    unsigned int last_id;
    const struct debug_break *stopped_at; /* by the last move; or NULL */
};

void debugger_begin(struct debugger *d, struct rewind *rw, const bool *interrupt);
void debugger_end(struct debugger *d);

static inline struct position debugger_here(const struct debugger *d) { return d->rw->m->at; }

/* To a position: one that does not exist is the next one that does. */
enum debug_result debugger_goto(struct debugger *d, struct position at);
/* To the first position at which the clock shows this time, or later. */
enum debug_result debugger_goto_time(struct debugger *d, s_time_t t);
/* One instruction of the vCPU (or a fault that it meets instead); backward: to in front of the one before. */
enum debug_result debugger_step(struct debugger *d);
enum debug_result debugger_reverse_step(struct debugger *d);
/* To the next event that matches; to the last one before here. */
enum debug_result debugger_next_event(struct debugger *d, debug_match *match, void *data);
enum debug_result debugger_last_event(struct debugger *d, debug_match *match, void *data);
/*
 * On to the next breakpoint, or to the end of the run as far as it can be run now; back to the last one before here.
 * Both stop in front of the instruction.
 */
enum debug_result debugger_continue(struct debugger *d);
enum debug_result debugger_reverse_continue(struct debugger *d);
/* A further one; its number, 0: no memory. Forget one; false: there is none of this number. */
unsigned int debugger_break_add(struct debugger *d, domid_t dom, uint64_t addr);
bool debugger_break_delete(struct debugger *d, unsigned int id);

#endif
