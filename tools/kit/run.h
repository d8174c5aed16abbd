// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run of a kit's, and those that expectations want.
 *
 * Concept: kit + policy + workload + seed -> figures. Figures are looked at when the run is over, or on the way, where
 * a window of time ends: then a sum is what came since the window began, and a mean is one of that time. The model
 * knows nothing of it: its time passes in steps (a second, a page, a question), and after each one somebody looks.
 *
 * Invariant: whoever looks changes nothing.
 */
#ifndef TOOLS_KIT_RUN_H
#define TOOLS_KIT_RUN_H

#include "tools/expect/expect.h"
#include "tools/kit/kit.h"

/* What all runs of a command have in common. */
struct kit_session {
    const struct kit_model *kit;
    const char *policy, *workload; /* as the user has named them */
    const char *text;              /* of the workload, of `size` bytes */
    size_t size;
    uint64_t seed;
    unsigned int limit;          /* seconds of CPU time for a call */
    struct kit_metrics subjects; /* figures before a run: which there are */
    char fault[1100];            /* what was said last */
};

/* One of them. */
struct kit_try {
    const struct kit_session *session;
    void *model;
    struct kit_asked asked;
    struct kit_metrics list;    /* figures, as they were when it was looked at last */
    struct expect_probe *probe; /* NULL: the run that is reported */
    bool begun;                 /* its window has: */
    struct kit_metrics base;    /* with these figures, */
    int64_t base_at;            /* at that time */
    unsigned int looked;        /* how often, of probe->looks */
    bool over;                  /* the run is */
};

/* On standard error; kept in s->fault (s may be NULL). Returns 1. */
int __attribute__((format(printf, 2, 3))) kit_complain(struct kit_session *s, const char *fmt, ...);
/*
 * Load the model, ask the session's policy, and look at the end. 0, or an exit status, and it was said why: then
 * t->model is as far as it has come, or NULL. kit_try_end() in any case. `asked`: as kit_start() has it.
 */
int kit_try_run(struct kit_try *t, struct kit_session *s, FILE *asked);
void kit_try_end(struct kit_try *t);

/* Who measures, for expectations of that session; its runs are struct kit_try. */
struct expect_source kit_source(struct kit_session *s);

/*
 * Where the policy of that name is: a path has a '/' or ends in ".so", other names are those of the kit's references,
 * which are beside this program. To be freed; NULL: why.
 */
char *kit_policy_path(const struct kit_model *kit, const char *policy, char why[KIT_WHY]);

#endif
