// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sweeps: one workload and policy, many seeds and settings, as jobs that know nothing of each other.
 *
 *      xenlab kit memctl --policy even --workload W --seeds 1..50 --set memory=2G,3G      prints 100 lines, such as
 *      xenlab kit memctl --policy even --workload W --seeds 1..50 --set memory=2G,3G --job 17
 *
 * Concept: who has many processors has something that gives them work already: parallel, xargs, make -j, a batch
 * system. So a sweep only prints its jobs, a command a line. Each of them is the sweep's own command and a number, from
 * which seed and settings follow; its figures go to a file of its own, RESULTS/NUMBER.json, together with what the
 * sweep is, so that whoever has all those files (or some, or others) knows which are missing. `xenlab kit merge` reads
 * them.
 *
 *      sweep.c    settings, seeds, jobs        params.c   a workload with its settings      result.c   a job's file
 *      merge.h    results, read, and put together
 *
 * What a setting is: a workload's line of two words, "memory 2G", is one: --set memory=3G has the line say so, or adds
 * it behind the others. Other values get a name by a line "param NAME VALUE", which is above its use: "$NAME" in other
 * lines is that value.
 *
 * Invariants: job numbers are 1 to N; seeds change fastest, then the last --set. Jobs of two sweeps that differ in
 * anything (words of the command, workload, expectations, the policy's file) have another id.
 */
#ifndef TOOLS_SWEEP_SWEEP_H
#define TOOLS_SWEEP_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SWEEP_SETS   8
#define SWEEP_VALUES 64
#define SWEEP_NAME   32
#define SWEEP_TEXT   512
#define SWEEP_JOBS   1000000
#define SWEEP_WHY    320

/* "memory=2G,3G" */
struct sweep_set {
    char text[SWEEP_TEXT]; /* cut into pieces, at these offsets: */
    unsigned short value[SWEEP_VALUES];
    unsigned int nr; /* of values; the name is at 0 */
};

/* The command's options, as they were given. */
struct sweep {
    struct sweep_set set[SWEEP_SETS];
    unsigned int nr_sets;
    bool seeds; /* given: from..to */
    uint64_t from, to;
    uint64_t job;        /* 0: not given */
    const char *results; /* a folder; NULL: not given */
};

/* One run of it. */
struct sweep_run {
    uint64_t seed;
    const char *value[SWEEP_SETS];
};

/* --- sweep.c --- */

/* Values of options. False: why. */
bool sweep_set(struct sweep *s, const char *text, char why[SWEEP_WHY]);
bool sweep_seeds(struct sweep *s, const char *text, char why[SWEEP_WHY]);
bool sweep_job(struct sweep *s, const char *text, char why[SWEEP_WHY]);
/* When all are there; `seed`: --seed is, too. */
bool sweep_check(const struct sweep *s, bool seed, char why[SWEEP_WHY]);

/* Is there more than one run to do? If so, without a job: to be printed. */
bool sweep_is(const struct sweep *s);
uint64_t sweep_jobs(const struct sweep *s);
/* Job 1 to sweep_jobs(); of no sweep, job 1 with that seed. */
struct sweep_run sweep_run_of(const struct sweep *s, uint64_t job, uint64_t seed);
/* All jobs: command ("kit memctl"), then argv. */
void sweep_list(const struct sweep *s, const char *command, int argc, char **argv, FILE *f);

/* --- params.c --- */

/*
 * The workload with its settings: lines have the same numbers, and none is `param`. To be freed. NULL: why, which
 * follows "FILE:", or (*option) "--set ".
 */
char *sweep_workload(const struct sweep *s, const struct sweep_run *run, const char *text, size_t len, size_t *new_len,
                     char why[SWEEP_WHY], bool *option);

/* --- result.c --- */

/* Which sweep it is: of words, and bytes. */
uint64_t sweep_id_words(uint64_t id, int argc, char **argv);
uint64_t sweep_id_bytes(uint64_t id, const void *bytes, size_t len);
/* A file's; what cannot be read is told by who needs it. */
uint64_t sweep_id_file(uint64_t id, const char *path);

/* Members of a JSON object, with a comma before each: settings, and (if it is a job of one) the sweep. */
void sweep_json(const struct sweep *s, const struct sweep_run *run, uint64_t id, FILE *f);
/* In quotes, as a string of JSON. */
void sweep_json_text(const char *text, FILE *f);
/* Where the job's result goes: made anew, and there at once with all of it. False: why. */
bool sweep_result_write(const struct sweep *s, const char *text, size_t len, char why[SWEEP_WHY]);

#endif
