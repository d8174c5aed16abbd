// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one search: run until something is so.
 *
 * Concept: what is looked for are hits (tools/debug/stops.h), of the user's stops, of events, of addresses of code that
 * a move has its own reasons to look for. Forward the machine runs and is stopped at the first hit. Backward it cannot
 * run: so the stretch from the checkpoint before here is run again with the same question, and its last hit is the one;
 * if there is none, the stretch before that, and so on to the beginning.
 *
 *      checkpoints   c-----------c-----------c-------^        here
 *      1st try                               |--x-x--|        the last x, if there is one
 *      2nd try                   |----x------|
 *
 * Forward only what is behind here counts, backward only what is before.
 *
 * Invariants: both directions notice hits in the same way (seek_run()), so what one finds the other one does. While it
 * runs, and no longer, the engine and the trace tell of what is looked for.
 */
#ifndef TOOLS_DEBUG_SEEK_H
#define TOOLS_DEBUG_SEEK_H

#include "tools/debug/debugger.h"

/* Code that a move looks for. */
struct seek_code {
    uint64_t addr;
    uint64_t data; /* the move's */
};

struct seek {
    struct debugger *d;
    struct position origin;
    bool backward;
    bool patient; /* on past guests that wait for a key, as long as time goes on */
    /* What is looked for, beside the user's stops, if `stops` */
    bool stops;
    debug_match *match; /* NULL: no event */
    bool origin_too;    /* backward: of such events also those of the step that ends at the origin */
    const struct seek_code *code;
    size_t nr_code;
    /* The vCPU that runs is in front of that address. */
    bool (*is_code)(void *data, const struct seek_code *code, const struct vcpu *v);
    void *data;
    /* inside: */
    bool stop; /* looked at by the machine between steps */
    bool watches;
    struct position at; /* the step that is being done, or was, and its events */
    unsigned int nr_step;
    struct trace_record step[DEBUG_STEP_EVENTS];
    /* What was found: all that is there. */
    struct position found_at;
    unsigned int nr;
    struct debug_hit hits[DEBUG_HITS];
};

/*
 * From here on, to a position, or as far as the run goes by itself; forward no further than to the first hit.
 * DEBUG_THERE: it is at the one or the other.
 */
enum debug_result seek_run(struct seek *s, struct position to);
/* Forward, or backward, from here: the machine goes there, and d->hits say what is there. */
enum debug_result seek_go(struct seek *s);

#define FAR ((struct position){ .insns = UINT64_MAX })
static inline bool is_at(struct position a, struct position b) { return a.insns == b.insns && a.step == b.step; }

/* The same, as from that position on. */
enum debug_result seek_go_from(struct seek *s, struct position origin);

/* --- of step.c, for moves: is v about to execute an instruction? On to where it is. --- */
bool debug_is_about(const struct debugger *d, const struct vcpu *v);
enum debug_result debug_step_on(struct debugger *d, struct vcpu *v);

/* --- of visit.c, for moves --- */

/* A command that finds nothing leaves everything as it was before it. */
struct debug_origin {
    struct position at;
    bool at_event;
};
struct debug_origin debug_origin(struct debugger *d);
enum debug_result left_off(struct debugger *d, const struct debug_origin *origin, enum debug_result r);
void debug_go_back(struct debugger *d, struct position origin);
/* To a position that is known, or to the next one that is there. */
enum debug_result debug_visit(struct debugger *d, struct position at);
/* NULL: there is none. */
struct vcpu *debug_vcpu_of(const struct debugger *d);
static inline const struct run_state *debug_loop(const struct debugger *d) { return &host_xen(d->host)->run; }

#endif
