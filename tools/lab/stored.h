// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Golden reports that were kept, for an xenlab whose own files have no answer in them.
 *
 * Concept: a class may get xenlab without the bodies that it is to write (ui/lab/export.h). No golden program can be
 * built of that. In its place there are reports, one a seed, made with the class's sources: labs/golden/NN-NAME/SEED.
 * As each step of a check draws from its own number (labs/kit/kit.h), what is said of some steps is mostly what was
 * said of them in the whole run; where that was tried and holds, steps can be left out as with a golden program.
 *
 *      step 0 ...          whole run         kept for steps 0 and 2:    step 0 ...
 *      step 1 ...                                                       step 2 ...
 *      step 2 ...
 *      count x 12          of its end alone, when all steps were done
 *      end                                                              end
 *
 *      labs/golden/NN-NAME/about:    "apart 1\nlast 1\n": steps may be left out; lines of its end before `end`
 *
 * Invariant: where steps cannot be told apart, the beginning of a run is compared with the beginning of the whole one,
 * and nothing else.
 */
#ifndef TOOLS_LAB_STORED_H
#define TOOLS_LAB_STORED_H

#include "tools/lab/check.h"
#include "tools/lab/facts.h"

struct stored {
    bool apart;  /* steps may be left out */
    size_t last; /* lines of the end, but for `end` */
};

/* Whether the lab's golden reports are stored, and how. */
bool stored_is(const struct check *c, struct stored *s);
/* Of a seed, as form->report() makes it: 0, or -1 and c->err. facts_free() in any case. */
int stored_report(struct check *c, uint64_t seed, const char *keep, struct facts *f);
/* Of a report of some steps, what can be compared with what was kept of them: no line of its end. */
void stored_cut(struct facts *got, const struct facts *golden);

/* Facts as facts_read() has them. */
void stored_write(const struct facts *f, FILE *to);

#endif
