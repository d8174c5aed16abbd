// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is expected of a policy: lines in a workload, or in a file of their own, that hold or do not.
 *
 *      expect METRIC [SUBJECT] OP VALUE[UNIT]|FACTOR*POLICY [from TIME to TIME] [seeds A..B]
 *
 *      expect share web >= 60%
 *      expect p99 web <= 1.1*credit2 seeds 1..50
 *      expect swaps web == 0 from 10s to 60s
 *
 * Concept: a line is judged by runs. Each has one seed, and one window of time in which figures count; with
 * FACTOR*POLICY another policy's run, same seed and window, has the limit. All lines are judged, whatever comes of the
 * others. What is told of a line is its worst seed: that with the least *margin*, which is how far the value is on the
 * right side of the limit, less than 0 where it is not. For a line that does not hold that seed is run once more, to
 * see from when on: the window in a hundred parts, the end of the first one of those that are all wrong.
 *
 * Who measures is somebody else, a struct expect_source: schedulers (tools/workbench/), other algorithms (tools/kit/).
 * It knows metrics and subjects, and carries runs out; nothing here knows what a run is.
 *
 *      read.c    lines, from text       judge.c   runs, and what they say       report.c  table, JSON, TAP, JUnit
 *      lines.c   their words, and what it is for one to hold
 *
 * Invariants: what is judged follows from workload, policy and seeds alone, and not from other lines. All lines of a
 * window and a seed have one run of the policy, and one of each other policy that they name.
 */
#ifndef TOOLS_EXPECT_EXPECT_H
#define TOOLS_EXPECT_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPECT_TEXT  160 /* of a line without "expect ", with its 0 */
#define EXPECT_WHY   512
#define EXPECT_MAX   256 /* lines */
#define EXPECT_SEEDS 10000
#define EXPECT_PARTS 120

/* --- lines.c --- */

enum expect_found { EXPECT_END, EXPECT_LINE, EXPECT_WRONG };
/*
 * The next such line of f, without "expect ", comment and blanks around it, and its number (*line: that of the one
 * before). Other lines are the workload's, and skipped, or (!workload) wrong. EXPECT_WRONG: *why says what it is.
 */
enum expect_found expect_line(FILE *f, bool workload, char text[EXPECT_TEXT], unsigned int *line, const char **why);

/* The next word at *at, which is cut off there and moves on; or "". */
char *expect_word(char **at);
/* "<=", ">=", "==", "!=", "<" or ">". */
bool expect_is_op(const char *word);
/* How far the value is on the right side of the limit, less than 0 where it is not; of no value, not a number. */
double expect_margin(const char *op, double value, double limit);
/* < and > and != want a margin, the others none. Without a value nothing holds. */
bool expect_holds(const char *op, double margin);

/* --- a line --- */

/* How values are written: a number of `unit`s; of a time, in ns; a part, 0 to 1, as 30% or 0.3. */
enum expect_kind { EXPECT_NUMBER, EXPECT_TIME, EXPECT_PART };

struct expect_metric {
    const char *name, *unit; /* EXPECT_NUMBER: "MiB", or "" */
    enum expect_kind kind;
    const char *none; /* what it means that there is no value */
    const void *of;   /* the source's */
};

struct expect {
    const char *file; /* as the user has named it */
    unsigned int line;
    char text[EXPECT_TEXT]; /* without "expect " */
    struct expect_metric metric;
    char subject[48], op[4], policy[EXPECT_TEXT]; /* subject "": of all; policy "": limit is the limit, else a factor */
    double limit;
    int64_t from, to; /* ns; to 0: to the end */
    bool seeds;       /* given: seed_from to seed_to; else the run's own */
    uint64_t seed_from, seed_to;

    /* of the worst seed */
    bool judged, held;
    double value, bound, margin;
    char parts[EXPECT_PARTS]; /* "web 10, db 2": who makes the value up, or "" */
    uint64_t seed;
    int64_t at;   /* from then on it does not hold; it holds: when it was measured */
    double other; /* POLICY's figure with the run's own seed, if that is wanted by the run that is reported */
};

struct expects {
    struct expect *e; /* room for EXPECT_MAX; or NULL */
    unsigned int nr;
};

/* --- who measures --- */

/* One run: figures count from `from` to `to` (0: its end), and are looked at `looks` times, at ends of equal parts. */
struct expect_probe {
    const struct expect *of; /* for whose sake */
    const char *policy;      /* NULL: the one that is tried */
    uint64_t seed;
    int64_t from, to;
    unsigned int looks;
    /* To be called then; `run` is for value(). */
    void (*look)(struct expect_probe *p, void *run, int64_t now);
    void *data;
    char why[EXPECT_WHY]; /* written by look(): the run is of no use, and this follows "FILE:LINE: " */
};

struct expect_source {
    const char *metric;                                                /* what it calls one */
    bool (*metric_get)(void *data, size_t i, struct expect_metric *m); /* false: there are no more */
    /* Can that line be judged at all, as far as it is known before any run? */
    bool (*check)(void *data, const struct expect *e, char why[EXPECT_WHY]);
    /* Of that run, as it is when it is looked at. NAN: there is none. False: why. parts is "" before. */
    bool (*value)(void *run, const struct expect *e, double *value, char parts[EXPECT_PARTS], char why[EXPECT_WHY]);
    /* Carry it out. 0, or an exit status, and it has said why; of another policy's fault, 1. */
    int (*run)(void *data, struct expect_probe *p);
    void *data;
};

/* --- read.c --- */

/*
 * Lines that begin with `expect`; others are the workload's, or (!workload) wrong. They are added to x. False: why,
 * which follows "FILE:". expects_free() in any case.
 */
bool expects_read(struct expects *x, const struct expect_source *source, FILE *f, const char *file, bool workload,
                  char why[EXPECT_WHY]);
void expects_free(struct expects *x);

/* --- judge.c --- */

/* Judge all but what expects_own() will. seed: the run's own. 0, or an exit status. */
int expects_judge(struct expects *x, const struct expect_source *source, uint64_t seed);
/* Lines about all of the run, with its own seed, by that run, which has ended now. False: why, with FILE:LINE. */
bool expects_own(struct expects *x, const struct expect_source *source, void *run, uint64_t seed, int64_t now,
                 char why[EXPECT_WHY]);
/* Then: from when on what does not hold does not. 0, or an exit status. */
int expects_when(struct expects *x, const struct expect_source *source);
/* How many do not hold. */
unsigned int expects_lost(const struct expects *x);

/* --- report.c --- */

/* "expectations" of a table; a member of a JSON object, with the comma before it; TAP 14; JUnit's XML. */
void expects_table(const struct expects *x, FILE *f);
void expects_json(const struct expects *x, FILE *f);
/* fault: the policy was at fault, nothing could be judged; or NULL. */
void expects_tap(const struct expects *x, const char *policy, const char *fault, FILE *f);
void expects_junit(const struct expects *x, const char *title, const char *policy, const char *fault, FILE *f);

#endif
