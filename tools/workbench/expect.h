// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is expected of a policy: lines in a workload, or in a file of their own, that hold or do not.
 *
 *      expect METRIC [DOMAIN[.VCPU]] OP VALUE[UNIT]|FACTOR*POLICY [from TIME to TIME] [seeds A..B]
 *
 *      expect share web >= 60%
 *      expect p99 web <= 1.1*credit2 seeds 1..50
 *      expect misses audio == 0 from 1s to 10s
 *
 * Concept: a line is judged by runs. Each has one seed, and one window of time in which figures count
 * (tools/workbench/figures.h); with FACTOR*POLICY another policy's run, same seed and window, has the limit. All lines
 * are judged, whatever comes of the others. What is told of a line is its worst seed: that with the least *margin*,
 * which is how far the value is on the right side of the limit, less than 0 where it is not. For a line that does not
 * hold that seed is run once more, to see from when on: the window in a hundred parts, the end of the first one of
 * those that are all wrong.
 *
 * Invariant: what is judged follows from workload, policy and seeds alone, and not from other lines.
 */
#ifndef TOOLS_WORKBENCH_EXPECT_H
#define TOOLS_WORKBENCH_EXPECT_H

#include <stdio.h>

#include "tools/expect.h"
#include "tools/workbench/figures.h"

#define WB_EXPECT_MAX 256
#define WB_EXPECT_WHY 512
#define WB_SEEDS_MAX  10000

struct wb_expect {
    const char *file; /* as the user has named it */
    unsigned int line;
    char text[EXPECT_TEXT]; /* without "expect " */
    const struct wb_metric *metric;
    char subject[48], op[4], policy[64]; /* "": of all; policy "": limit is the limit, else a factor */
    double limit;
    s_time_t from, to; /* to 0: to the end */
    bool seeds;        /* given: seed_from to seed_to; else the run's own */
    uint64_t seed_from, seed_to;

    /* of the worst seed */
    bool judged, held;
    double value, bound, margin;
    uint64_t seed;
    s_time_t at;  /* from then on it does not hold; it holds: when it was measured */
    double other; /* POLICY's figure with the run's own seed, if that is wanted by the run that is reported */
};

struct wb_expects {
    struct wb_expect *e; /* room for WB_EXPECT_MAX; or NULL */
    unsigned int nr;
};

/*
 * Lines that begin with `expect`; others are the workload's, or (!workload) wrong. They are added to x. False: why,
 * which follows "FILE:". wb_expects_free() in any case.
 */
bool wb_expects_read(struct wb_expects *x, FILE *f, const char *file, bool workload, char *why, size_t len);
void wb_expects_free(struct wb_expects *x);

/* One run with figures that count from `from` to `to` (0: its end), looked at `parts` times. */
struct wb_probe {
    const struct wb_expect *of; /* for whose sake */
    s_time_t from, to;
    unsigned int parts;
    void (*look)(struct wb_probe *p, struct wb *wb);
    void *data;
    char why[WB_EXPECT_WHY]; /* written by look(): the run is of no use */
};
/* It carries one out; policy NULL: the one that is tried. 0, or an exit status, and it has said why. */
typedef int wb_probe_fn(void *data, const char *policy, uint64_t seed, struct wb_probe *p);

/* Judge all but what wb_expects_own() will. seed: the run's own. 0, or an exit status. */
int wb_expects_judge(struct wb_expects *x, uint64_t seed, wb_probe_fn *run, void *data);
/* Lines about all of the run's time, with its own seed, by that run, which has ended. False: why, "FILE:LINE: ...". */
bool wb_expects_own(struct wb_expects *x, struct wb *wb, const struct wb_figures *f, uint64_t seed,
                    char why[WB_EXPECT_WHY]);
/* Then: from when on what does not hold does not. 0, or an exit status. */
int wb_expects_when(struct wb_expects *x, wb_probe_fn *run, void *data);
/* How many do not hold. */
unsigned int wb_expects_lost(const struct wb_expects *x);

/* "expectations" of a table; a member of a JSON object, with the comma before it; TAP 14; JUnit's XML. */
void wb_expects_table(const struct wb_expects *x, FILE *f);
void wb_expects_json(const struct wb_expects *x, FILE *f);
/* fault: the policy was at fault, nothing could be judged; or NULL. */
void wb_expects_tap(const struct wb_expects *x, const char *policy, const char *fault, FILE *f);
void wb_expects_junit(const struct wb_expects *x, const char *policy, const char *fault, FILE *f);

#endif
