// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tour is given: forward and back through its steps.
 *
 * Concept: a step that is given for the first time carries out its commands, and each condition is looked at where it
 * stands. Where the step ended is kept: to go to it again is to go to where it ended, without commands, as the run is
 * the same; so one may stray as far as one likes, and come back. Who changes something in the past, a step or somebody
 * who strays, begins another future: the steps' are still there, as branches, which are gone to as well.
 *
 * Invariants: a step begins as the one before it has ended, in everything that commands go by: position, event, vCPU,
 * and no breakpoints but the tour's. An expectation that does not hold is told with file, line, position, and the
 * values that it is about.
 */
#ifndef UI_TOUR_PLAY_H
#define UI_TOUR_PLAY_H

#include "ui/debug/debug.h"
#include "ui/tour/tour.h"

/* Where a step has ended, on which of all futures. */
struct tour_end {
    struct debug_place place;
    uint64_t way; /* rewind_way() */
};

struct tour_play {
    const struct tour *tour;
    struct debug *g;
    void (*line)(void *data, const char *line); /* carries out a line of commands */
    void *data;
    bool aloud;              /* its words are said among what commands say, as nobody sees the panel */
    const char *layout;      /* the command that the screen's is from, when it is not for a room */
    struct debug_tour shown; /* what there is to see of it: g->tour */
    struct tour_end *end;    /* of each step that has been given */
    size_t given;            /* so many, from the first on */
    unsigned int last_stop;  /* the number of the last breakpoint that is the tour's */
    unsigned int failures;
};

/* From now on it is what g's command `tour` is about. False: no memory. */
bool play_begin(struct tour_play *p, const struct tour *t, struct debug *g);
void play_end(struct tour_play *p);
/* The next step; false: there is none. */
bool play_next(struct tour_play *p);

#endif
