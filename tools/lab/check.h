// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checking what a student wrote.
 *
 * Concept: the student's file takes the place of xenlab's own in the program that reports facts, and the program with
 * xenlab's own is run beside it, seed by seed, in a process that holds no code of the student's. Where the two reports
 * part a property is broken; the steps that led there are made as few as can be before they are shown.
 *
 *      source --compile--> object --link--> facts --run, seed 7--> report --+
 *                                                                           +-- first line that differs --> verdict
 *      xenlab's own file ------ link ----> golden --run, seed 7--> report --+
 *
 * Invariant: golden reports are never where the student's program can read them; verdicts are made from reports alone.
 */
#ifndef TOOLS_LAB_CHECK_H
#define TOOLS_LAB_CHECK_H

#include "tools/lab/lab.h"

#include <stdio.h>

#define CHECK_TEXT 200

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_UNREACHED, VERDICT_SKIPPED };

/* What is said of a property. */
struct finding {
    enum verdict verdict;
    uint64_t seed;        /* of the run that failed, */
    size_t steps, shrunk; /* how many it had, and of how many it fails still */
    uint32_t *step;       /* those, by number; owned */
    char *input;          /* what they were, a line each; skipped: the file that is not there; owned */
    char expected[CHECK_TEXT], got[CHECK_TEXT];
};

struct check {
    const struct lab *lab;
    const char *root;   /* where xenlab's sources are, or what was installed of them */
    const char *built;  /* what was built of them: libxenlab.a and the rest */
    const char *folder; /* the student's */
    const char *twist;  /* a folder as a student's, in which what was built is right, or (form P) what is
                           expected: twist.h; NULL: xenlab's own is */
    uint64_t seed_from, seed_to;
    const char *keep;     /* "3,17": those steps alone; NULL: all */
    unsigned int at_once; /* seeds that are run at the same time: ahead.h; 0: one */
    bool bare;            /* without bubblewrap */
    bool brief;           /* of a property that fails nothing is said but the seed */
    bool reveal;          /* form Q: the right answers are said */
    bool again; /* what was built of the same files is used again; a student's own loss, if .build is tampered with */

    struct finding finding[LAB_PROPERTIES_MAX]; /* as lab->property */
    char *compiler;                             /* what it said; owned; NULL: nothing */
    char careful[CHECK_TEXT];                   /* what the compiler's own checks say of it (check_careful()); "" */
    bool sandboxed;                             /* it was all done in bubblewrap */
    bool limited;                               /* a run went beyond a limit: no other one is begun */
    char err[LAB_ERR_SIZE];
};

/* 0: there are findings; 1: it does not compile, or link (see compiler); -1: it could not be done, see err. */
int check_run(struct check *c);
/* After it: other seeds, of what is built. 0, -1. */
int check_more(struct check *c);
/*
 * After it: whether the compiler's own checks (sanitizers) say something of what the student wrote. Of what failed that
 * run is tried, else all seeds.
 */
void check_careful(struct check *c);
/* Whether all properties hold, but for what cannot be asked here. */
bool check_passed(const struct check *c);
/* The first one that cannot be asked here; NULL: all are. */
const struct finding *check_skipped(const struct check *c);
void check_free(struct check *c);

#endif
