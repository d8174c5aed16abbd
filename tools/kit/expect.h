// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is expected of an algorithm: lines in a workload, or in a file of their own, that hold or do not.
 *
 *      expect FIGURE [SUBJECT] OP VALUE[UNIT]
 *
 *      expect lacking web <= 3s
 *      expect swaps < 200MiB
 *
 * Concept: a line is about one figure of the run, and all lines are judged, whatever comes of the others. The same for
 * all kits, since a figure has a name, a subject, a value and a unit. They read as those of `xenlab sched`
 * (tools/workbench/expect.h); what is only there is refused: FACTOR*POLICY, windows of time, seeds.
 *
 * Invariant: what is judged follows from the figures alone.
 */
#ifndef TOOLS_KIT_EXPECT_H
#define TOOLS_KIT_EXPECT_H

#include "tools/expect.h"
#include "tools/kit/kit.h"

#define KIT_EXPECT_MAX 256

struct kit_expect {
    const char *file; /* as the user has named it */
    unsigned int line;
    char text[EXPECT_TEXT]; /* without "expect " */
    const struct kit_figure *figure;
    char subject[48], op[4]; /* subject "": of the run as a whole */
    double limit;

    double value, margin; /* how far the value is on the right side of the limit; < 0: it is not */
    bool held;
    int64_t from; /* the model's time, in ns, since when it has not held; 0: it holds */
};

struct kit_expects {
    struct kit_expect *e; /* room for KIT_EXPECT_MAX; or NULL */
    unsigned int nr;
};

/*
 * Lines that begin with `expect`; others are the workload's, or (!workload) wrong. They are added to x. `list` has what
 * figures there will be. False: why, as "LINE: ...". kit_expects_free() in any case.
 */
bool kit_expects_read(struct kit_expects *x, FILE *f, const char *file, bool workload, const struct kit_model *kit,
                      const struct kit_metrics *list, char why[KIT_WHY]);
void kit_expects_free(struct kit_expects *x);
/* May be called as often as one likes, with later times: the last one counts. */
void kit_expects_judge(struct kit_expects *x, const struct kit_metrics *list, int64_t now);
/* How many do not hold. */
unsigned int kit_expects_lost(const struct kit_expects *x);
/* In a table; as a member of a JSON object, with the comma before it. Both have figures of `list`'s subjects, too. */
void kit_expects_table(const struct kit_expects *x, const struct kit_metrics *list, FILE *f);
void kit_expects_json(const struct kit_expects *x, const struct kit_metrics *list, FILE *f);

#endif
