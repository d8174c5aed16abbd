// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long to wait between two slices of virtual time.
 *
 * Concept: virtual time does not wait: when all guests sleep, the clock jumps to the next timer. That is right for
 * tests and wrong for people. With --realtime virtual time passes no faster than real time. Without it, when a person
 * sits at a terminal, only the part of a slice in which the guests slept takes its real time, so a guest that waits for
 * a key does not keep a processor of the host busy, and one that computes is not held back.
 *
 * Invariants: this decides about real time alone. Where slices begin and end does not depend on it.
 */
#ifndef UI_PACE_H
#define UI_PACE_H

#include "sim/types.h"

/* Further behind than this (the host was asleep, or is too slow): do not try to catch up. */
#define PACE_BEHIND_MAX MILLISECS(250)
/* A person's guest is given no longer rest than this between two looks at it. */
#define PACE_REST_MAX MILLISECS(10)

struct pace {
    enum { PACE_NONE, PACE_PERSON, PACE_REALTIME } mode;
    s_time_t base_virtual, base_real; /* PACE_REALTIME: these two were at the same moment */
};

/* Virtual time is now `now`, and shall pass with real time from here on. */
void pace_start(struct pace *p, s_time_t now, s_time_t real);

/*
 * A slice of `slice` ns has ended at virtual time `now`; the guests ran for `busy` ns of it. How many ns of real time
 * are to pass before the next one?
 */
s_time_t pace_rest(struct pace *p, s_time_t now, s_time_t slice, s_time_t busy, s_time_t real);

#endif
