// SPDX-License-Identifier: GPL-2.0-or-later
/* The workbench's text formats: workloads (docs/workbench.md), the programs of vCPUs, and the words both are made of. */
#ifndef TOOLS_WORKBENCH_LOAD_H
#define TOOLS_WORKBENCH_LOAD_H

#include <stdio.h>

#include "tools/workbench_sim.h"

/* "10ms": number and unit ns, us, ms, s. *end points behind it. */
bool wb_time_parse(const char *text, s_time_t *out, const char **end);
/* "0,2-3" or "all". */
bool wb_mask_parse(const char *text, uint64_t *mask);
/*
 * The `pcpus` line of a workload, if it has one; *nr is left alone otherwise. False: err, which is what follows "FILE:", so the
 * line and what is wrong with it.
 */
bool wb_load_pcpus(FILE *f, unsigned int *nr, char *err, size_t errlen);
/* Everything else. *time is set if the workload says how long to run. False: err, as above. */
bool wb_load(struct wb *wb, FILE *f, s_time_t *time, char *err, size_t errlen);

/* workbench_bench.c: the cost of decisions, one JSON object a line. */
void wb_bench(FILE *f);

/* workbench_event.c: what follows `at`. NULL: fine, else what is wrong. */
const char *wb_event_parse(struct wb *wb, const char *text, unsigned int line);

#endif
