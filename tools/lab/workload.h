// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Workloads of a lab of form P: the file `workloads` beside the lab's text.
 *
 *      step shares two that always run, weights $A and 256       a step, and the property that it is of
 *      let A 256 512 1024                                        one of these, by the seed
 *      expect fairness <= 2%                                     of the workload, as one of those has them:
 *      domain one weight=$A : compute forever                    so is all else
 *
 * Invariant: a step follows from its number and the seed.
 */
#ifndef TOOLS_LAB_WORKLOAD_H
#define TOOLS_LAB_WORKLOAD_H

#include "tools/lab/check.h"
#include "tools/lab/facts.h"

#define LETS_MAX 8

struct let {
    char name, value[16];
};

/* One step, as the seed makes it. */
struct workload {
    struct let let[LETS_MAX];
    unsigned int nr_lets;
    char property[FACTS_NAME];
};

/* The file's text, to be freed; NULL: c->err. */
char *workloads_read(struct check *c);
/* Where in it step `number` begins; NULL: there are fewer. */
const char *workload_find(const char *text, unsigned int number);
/*
 * Step `number`, which begins at `text`: a line that says what it is, those that say what is expected, and the
 * workload. To be freed; NULL: no memory.
 */
char *workload_make(struct workload *w, const char *text, uint64_t seed, unsigned int number);

/* Lines of a text: the next one; does this one begin so? */
const char *workload_line(const char *line);
bool workload_begins(const char *line, const char *word);

#endif
