// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forms of labs: what it is that a student writes, and how a report comes of it.
 *
 * Concept: check.c compares reports, shrinks and says what came of it; it does not know whether a report came from a
 * program with the student's object in it, or from a guest. A form is what makes reports: two functions, in a file of
 * its own, form_h.c and so on.
 *
 *      build()                 once: what the student wrote, compiled where that is wanted
 *      report(golden, seed)    what xenlab's own code says, then what the student's does: facts.h
 *
 * Invariant: a golden report is made by code that holds nothing of the student's, and is nowhere that the student's
 * code can read it.
 */
#ifndef TOOLS_LAB_FORM_H
#define TOOLS_LAB_FORM_H

#include "tools/lab/check.h"
#include "tools/lab/facts.h"
#include "tools/lab/run.h"

/* One report, and how it ended. */
struct report {
    struct facts facts;
    char ended[RUN_ERR_SIZE]; /* what was no report in it, or how it ended if not by itself; "" else */
    bool limited;             /* it went beyond a limit: again takes as long */
};

struct form {
    const char *name;
    bool apart; /* steps stand alone: what goes wrong in one says nothing of the next, which is looked at as well */
    bool alone; /* reports are made one after the other, never two at a time */
    /* 0; 1: it does not compile or link, see c->compiler; -1: see c->err. */
    int (*build)(struct check *c);
    /* All of it, or the steps that `keep` names ("3,17"). 0, or -1: see c->err; r->facts is to be freed in any case. */
    int (*report)(struct check *c, bool golden, uint64_t seed, const char *keep, struct report *r);
    /*
     * A form whose seeds are the lab's alone, which nobody may choose others for: the file with what is missing in it
     * done rightly, by which `lab test` makes xenlab's own. To be freed; NULL: see c->err. Others have none: NULL.
     */
    char *(*complete)(struct check *c, const char *text);
    /* The file without which nothing can be asked about this seed; to be freed. NULL: none. Others ask always: NULL. */
    char *(*lacks)(const struct check *c, uint64_t seed);
    /*
     * A run of the student's code with the compiler's own checks in it (sanitizers): what they say, as one line; "":
     * nothing, or they cannot be had. It is advice: nothing is judged by it. NULL: there is no such thing.
     * careful_build() makes what is run, where nobody has done that; false: it cannot be had.
     */
    bool (*careful_build)(struct check *c);
    void (*careful)(struct check *c, uint64_t seed, const char *keep, char said[CHECK_TEXT]);
};

/* "H", "G", "Q", "P"; NULL: there is none. */
const struct form *form_find(const char *name);

extern const struct form form_h, form_g, form_q, form_p;

/* --- for forms --- */

/* c->err says so; -1. */
int check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* To be freed; NULL: no memory. */
char *check_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Where the engine is that programs of xenlab's are linked with, if it is not the system's. To be freed. */
char *check_engine(const struct check *c);
/* A program in the folder .build beside the student's files: what reports, their objects, and `rest`. */
struct program {
    const char *name, *cflags, *ldflags; /* flags: files of c->built */
    const char *what[5];                 /* the first is what reports; NULL ends it */
    bool careful;                        /* with the compiler's own checks in it */
};
/*
 * In a sandbox where no more can be written to than .build. The compiler sees the student's folder, the lab's, and
 * headers; the linker the student's folder, and the library, the lab's and guests' objects in c->built. 0; 1: see
 * c->compiler; -1.
 */
int check_program(struct check *c, const struct program *p);
/* Whether this machine may run what is built in the student's folder. 0, -1. */
int check_runs(struct check *c);
/* Run a program whose output is a report, or becomes one by what edit() makes of it (NULL: it is). 0, -1. */
int check_report(struct check *c, const struct sandbox *s, const char *const argv[], const struct run_limits *limits,
                 bool (*edit)(const struct lab *lab, struct run *run), struct report *report);

#endif
