// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moving through a run, both ways.
 *
 * Concept: every command that moves looks for a position: the next one, or the last one before here, at which something
 * is so (tools/debug/seek.h). A search forward and one backward stop at the same positions. What is found is an event
 * of the trace (its step is done: the machine stands behind it), or an instruction (the machine stands in front of it,
 * as a processor does), or an access to memory (forward the machine stands behind what did it, backward in front).
 *
 * A step may have several events; all of them have the machine at the same position. So what one has stopped at is an
 * event as well, and to go on to the next one may leave the machine where it is. But the user's stops stop at
 * positions, with all that is there.
 *
 * Invariants: a search that finds nothing, or is interrupted, leaves the machine where it was. Nothing here changes the
 * machine but by letting it run, and by input at the end of what is known.
 */
#ifndef TOOLS_DEBUG_DEBUGGER_H
#define TOOLS_DEBUG_DEBUGGER_H

#include "tools/debug/stops.h"

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

/*
 * Those outside, who may say something at the end of what is known, where a search comes to it; in the past nobody asks
 * them. hear NULL: there is nobody.
 */
struct debug_outside {
    void *data;
    /*
     * What has come is handed in. idle: nothing can go on without them, and they may be waited for; false: nothing has
     * come. Otherwise the machine goes on in any case, and may be kept waiting for a moment.
     */
    bool (*hear)(void *data, bool idle);
    /* Somebody has said something lately and is not done: a machine that hardly does anything goes on for that. */
    bool (*talks)(void *data);
};

#define DEBUG_STEP_EVENTS 64 /* of one step that are told apart */
#define DEBUG_HITS        8  /* that are told of one position */

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

    struct debug_stops stops;
    struct debug_outside outside;
    struct condition *besides; /* must hold too, for a stop to count: of whom the stop's own is about; NULL: nothing */
    /* Of the last move, if it has come to something. */
    unsigned int nr_hits;
    struct debug_hit hits[DEBUG_HITS];
    /* An event that is logged, while the machine goes forward in a search; NULL: nobody wants to know. */
    void (*log)(void *data, const struct debug_stop *stop, const struct trace_record *rec);
    void *log_data;
};

void debugger_begin(struct debugger *d, struct rewind *rw, const bool *interrupt);
void debugger_end(struct debugger *d);

/* Where it stands, at which event, and whom commands are about. */
struct debug_place {
    struct position at;
    domid_t dom;
    unsigned int vcpu;
    bool at_event;
    struct trace_record event, step[DEBUG_STEP_EVENTS];
    unsigned int ord, nr_step;
};

void debugger_place(const struct debugger *d, struct debug_place *place);
/* The machine is at place->at: all of it is as it was then. */
void debugger_stand(struct debugger *d, const struct debug_place *place);

static inline struct position debugger_here(const struct debugger *d) { return d->rw->m->at; }

/* To a position: one that does not exist is the next one that does. */
enum debug_result debugger_goto(struct debugger *d, struct position at);
/* To the first position at which the clock shows this time, or later. */
enum debug_result debugger_goto_time(struct debugger *d, s_time_t t);
/* One instruction of the vCPU (or a fault that it meets instead); backward: to in front of the one before. */
enum debug_result debugger_step(struct debugger *d);
enum debug_result debugger_reverse_step(struct debugger *d);
/*
 * The same, but a call, a repeated string instruction, a system call of user mode is one with all that comes of it: to
 * where the vCPU is behind it, with its stack as it was. Backward: to in front of it. A stop on the way counts.
 */
enum debug_result debugger_over(struct debugger *d);
enum debug_result debugger_reverse_over(struct debugger *d);
/*
 * Out of the function that the vCPU executes, or of the handler of an interrupt: to where that has returned to.
 * Backward: to in front of the call, or of the instruction behind which it was interrupted. A stop on the way counts.
 */
enum debug_result debugger_finish(struct debugger *d);
enum debug_result debugger_reverse_finish(struct debugger *d);
/* To the next event that matches; to the last one before here. */
enum debug_result debugger_next_event(struct debugger *d, debug_match *match, void *data);
enum debug_result debugger_last_event(struct debugger *d, debug_match *match, void *data);
/* On to the next stop, or to the end of the run as far as it can be run now; back to the last one before here. */
enum debug_result debugger_continue(struct debugger *d);
/*
 * Running in slices of virtual time, one behind the other: where the next one ends, which is `length` long. While all
 * sleep the machine's clock stands still, and time passes all the same. Zero at first.
 */
struct debug_slices {
    struct position at;
    s_time_t end;
};
s_time_t debugger_slice(const struct debugger *d, struct debug_slices *s, s_time_t length);
enum debug_result debugger_reverse_continue(struct debugger *d);

#endif
