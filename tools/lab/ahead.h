// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Work on several seeds at the same time.
 *
 * Concept: what is run for one seed has nothing to do with what is run for the next one, and each waits for programs of
 * its own. So as many as check.at_once are under way, each in a thread with its own copy of the check; what came of
 * them is taken one after the other, in the order of the seeds, by who called.
 *
 *      thread 1   work(seed 1)        work(seed 3)
 *      thread 2   work(seed 2)              work(seed 4)
 *      caller           take(seed 1)  take(seed 2) ...
 *
 * Invariant: what is taken, and in which order, does not depend on how many are under way.
 */
#ifndef TOOLS_LAB_AHEAD_H
#define TOOLS_LAB_AHEAD_H

#include "tools/lab/check.h"
#include "tools/lab/pair.h"

#include <pthread.h>

#define AHEAD_MAX 4

/* One seed of them. */
struct ahead {
    struct check c; /* a copy: what work() writes there is its own */
    uint64_t seed;
    struct pair pair; /* what comes of it, */
    char *missing;    /* or why nothing does */
    int rc;
    bool under_way; /* in that thread: */
    pthread_t thread;
    void (*work)(struct ahead *a);
};

/*
 * work() of the seeds of c, and take() of each. take() returns false: no more are begun, and those that are under way
 * are waited for. free() of each, taken or not. c->at_once 0: no threads.
 */
struct ahead_work {
    void (*work)(struct ahead *a);
    bool (*take)(struct check *c, struct ahead *a);
    void (*free)(struct ahead *a, bool taken);
};
void ahead_run(struct check *c, const struct ahead_work *w);

#endif
