// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two reports of the same steps: xenlab's own, and the student's.
 *
 * Invariant: xenlab's own is made first, and is whole, else there is no pair.
 */
#ifndef TOOLS_LAB_PAIR_H
#define TOOLS_LAB_PAIR_H

#include "tools/lab/form.h"

struct pair {
    struct report golden, got;
};

/* Both reports of a seed; of those steps alone that keep names, if it does. 0: pair_free() is wanted. -1: c->err. */
int pair_run(struct check *c, uint64_t seed, const char *keep, struct pair *p);
/* xenlab's own alone: of its golden program, of a twist's, or as it was kept. 0, -1: c->err. */
int pair_golden(struct check *c, uint64_t seed, const char *keep, struct report *r);
void pair_free(struct pair *p);
/* One that says all that it should, and then does not end well, differs where it should have ended. */
bool pair_differs(const struct check *c, const struct pair *p, struct divergence *d);
/*
 * To somebody who wants to see it: the lines in front of where the two part, and of both what they say of that step.
 */
void pair_show(const struct check *c, const struct pair *p, FILE *out);

#endif
