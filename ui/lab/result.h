// SPDX-License-Identifier: GPL-2.0-or-later
/* A grade, as a value, and in the words of those who collect them. */
#ifndef UI_LAB_RESULT_H
#define UI_LAB_RESULT_H

#include "tools/lab/check.h"
#include "tools/lab/key.h"

/*
 * Concept: it follows from the submission and the key alone. There are no times in it, no folders and no machine.
 *
 * Points are for what was written: what holds of the files that a student begins with is worth its points only beside
 * something that does not, so these files handed in as they are earn nothing.
 */
enum grade_verdict { GRADE_PASSED, GRADE_FAILED, GRADE_NOT_COMPILED, GRADE_NO_SUBMISSION };

struct grade {
    const struct lab *lab;
    const struct key *key;
    struct key_seeds visible; /* what the student has */
    enum grade_verdict verdict;
    const char *said;               /* the compiler, or why it is no submission; "": nothing */
    const struct check *check;      /* its findings, if it is passed or failed */
    bool begun[LAB_PROPERTIES_MAX]; /* it has failed, and these hold of what a student begins with */
};

/* "passed" */
const char *grade_word(enum grade_verdict v);

/* Whether something holds that did not at the beginning. */
bool grade_earns(const struct grade *g);

void result_json(const struct grade *g, FILE *f);
void result_junit(const struct grade *g, FILE *f);
void result_tap(const struct grade *g, FILE *f);
/* results.json of Gradescope's autograders: what fails on hidden seeds is shown when grades are published. */
void result_gradescope(const struct grade *g, FILE *f);

#endif
