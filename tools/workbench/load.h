// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's text formats: workloads (docs/workbench.md), the programs of vCPUs, and the words both are made of.
 */
#ifndef TOOLS_WORKBENCH_LOAD_H
#define TOOLS_WORKBENCH_LOAD_H

#include <stdio.h>

#include "tools/workbench/sim.h"

/* Where a mistake is put into words, in full: what would be right belongs to it. Returns false. */
struct wb_answer {
    char *why;
    size_t len;
};
bool wb_wrong(const struct wb_answer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "0,2-3" or "all". */
bool wb_mask_parse(const char *text, uint64_t *mask);
/*
 * The `pcpus` line of a workload, if it has one; *nr is left alone otherwise. False: err, which is what follows
 * "FILE:", so the line and what is wrong with it.
 */
bool wb_load_pcpus(FILE *f, unsigned int *nr, char *err, size_t errlen);
/* Everything else. *time is set if the workload says how long to run. False: err, as above. */
bool wb_load(struct wb *wb, FILE *f, s_time_t *time, char *err, size_t errlen);

/*
 * What is wrong with a target that wb_target_find() does not find, or with a domain where a vCPU's number is not wanted
 * (whole): there is no such domain, and which there are; or no such vCPU. Returns why.
 */
#define WB_TARGET_WHY 224
const char *wb_target_why(struct wb *wb, const char *text, bool whole, char why[WB_TARGET_WHY]);

/* bench.c: the cost of decisions, one JSON object a line. */
void wb_bench(FILE *f);

/* event.c: what follows `at`. False: why. */
bool wb_event_parse(struct wb *wb, const char *text, unsigned int line, char *why, size_t len);

#endif
