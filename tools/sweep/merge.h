// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab kit merge`: results of a sweep's jobs, put together.
 *
 *      merge.c         files, which of them are results of one sweep, and which of its jobs are there
 *      merge_rows.c    figures: a row for each of a combination of settings; expectations
 *      merge_report.c  table, JSON, CSV
 *
 * Concept: each file says which sweep it is of, which job, and how many there are. The sweep that most files are of is
 * the one. Files of others, or of none, are *foreign*; jobs without a file are *missing*; jobs with more than one are
 * *there twice*, and if those differ none of them counts. All that is told; what is there is put together all the same.
 * For each combination of settings, figure and subject there is a row: the mean over seeds, and how sure it is
 * (student.h).
 *
 * Invariant: the order in which files are named changes nothing.
 */
#ifndef TOOLS_SWEEP_MERGE_H
#define TOOLS_SWEEP_MERGE_H

#include <stdio.h>

#include "tools/sweep/json.h"
#include "tools/sweep/student.h"
#include "tools/sweep/sweep.h"

struct merge_result {
    char *path, *text; /* owned */
    struct json *json;
    const char *id; /* "": it is no result */
    unsigned long long job, jobs;
};

struct merge_row {
    unsigned long long combination; /* from 0: (job - 1) / seeds */
    const char *figure, *subject, *unit;
    double *x; /* by job; until it is known what comes of them */
    struct student is;
};

/* A line `expect`, with one combination of settings. */
struct merge_expectation {
    unsigned long long combination, nr, held, worst; /* worst: the job with the least margin */
    const char *text;
    double margin; /* of that; not a number: it has no value */
};

struct merge {
    struct merge_result *result; /* by path; then those of the sweep alone, by job */
    size_t nr;
    unsigned long long jobs, seeds, faults; /* faults: jobs in which the policy was at fault */
    const struct json *sets;                /* of the sweep: [["memory","1G","2G"],...] */
    struct merge_row *row;
    size_t nr_rows;
    struct merge_expectation *expectation;
    size_t nr_expectations;
    bool whole; /* all jobs are there, once, and nothing else is */
};

/* argv: behind "merge". 0; 1, something is missing, twice or foreign, or wrong; 2, 4: as a job's status, of any. */
int merge_command(int argc, char **argv);

/* merge_rows.c */
void merge_rows(struct merge *m);
void merge_rows_free(struct merge *m);
/* The value of setting i (from 0) in a combination; its name. NULL: there is none. */
const char *merge_setting(const struct merge *m, size_t i, unsigned long long combination);
const char *merge_setting_name(const struct merge *m, size_t i);

/* merge_report.c */
void merge_table(const struct merge *m, FILE *f);
void merge_json(const struct merge *m, FILE *f);
void merge_csv(const struct merge *m, FILE *f);

#endif
