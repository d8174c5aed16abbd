// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking the past, and coming back.
 *
 * Concept: a question goes to where the answer is, looks, and returns. Between past_ask() and past_answered() the
 * machine may be taken anywhere, and the debugger used as one likes.
 *
 * Invariants: behind past_answered() the machine and the debugger are what they were, but for an error's text.
 */
#ifndef TOOLS_DEBUG_PAST_H
#define TOOLS_DEBUG_PAST_H

#include "tools/debug/seek.h"

struct past_question {
    struct debugger was;
    struct position here;
};

struct past_question past_ask(const struct debugger *d);
/* What has come of it: r, but that there is none, within what is kept of the past, is an answer: DEBUG_THERE. */
enum debug_result past_answered(struct debugger *d, const struct past_question *q, enum debug_result r);

/* Run from one position to another, which has happened, and show all events between them; the machine is there then. */
enum debug_result past_events(struct debugger *d, struct position from, struct position to,
                              void (*sink)(void *data, const struct trace_record *rec), void *data);

/* The last event that matches. */
struct past_match {
    debug_match *match;
    void *data;
    bool found;
    struct trace_record rec;
};

/* Of the step that ends at this position; the machine goes there. */
enum debug_result past_match_step(struct debugger *d, struct position at, struct past_match *m);
/*
 * The last one at or before where the machine is, or, if it has stopped at an event, not behind that; the machine goes
 * there. DEBUG_BEGIN: there is none.
 */
enum debug_result past_last_event(struct debugger *d, debug_match *match, void *data, struct trace_record *rec);

#define PAST_EPISODE 48

/* False: a sentence of what belongs together gets longer by this event, and says no more. */
bool past_is_said(const struct trace_record *rec);

/*
 * What belongs to an event: all on its pCPU, from the exit or native hypercall before it to where the guest goes on or
 * the call ends, or to where the vCPU is left for others. Without what a sentence gets longer by, and says no more.
 */
struct past_episode {
    const struct trace_record *of;
    bool within, seen; /* within, when all is known: what comes of it has not happened yet */
    unsigned int nr;
    struct trace_record rec[PAST_EPISODE]; /* the first of them */
};
enum debug_result past_episode(struct debugger *d, const struct trace_record *of, struct past_episode *e);

#endif
