// SPDX-License-Identifier: GPL-2.0-or-later
/* What the workbench says about a run: a table, JSON, and a chart. */
#ifndef TOOLS_WORKBENCH_REPORT_H
#define TOOLS_WORKBENCH_REPORT_H

#include <stdio.h>

#include "tools/expect/expect.h"
#include "tools/workbench/figures.h"

/* Why the run ended early, and who it was about; "": it did not. */
#define WB_FAULT_SIZE 480
const char *wb_fault(const struct wb *wb, char buf[WB_FAULT_SIZE]);
/* fig: wb_figures()'s; x: what was expected, and judged. */
void wb_report_table(struct wb *wb, const struct wb_figures *fig, const struct expects *x, FILE *f);
/* A JSON object, without the brace at its end: what is of the command comes behind it. */
void wb_report_json(struct wb *wb, const struct wb_figures *fig, const struct expects *x, FILE *f);
/*
 * Gantt chart of [from, to): a row a pCPU, and if there are few a row a vCPU. policy and workload as the user named
 * them.
 */
struct wb_chart {
    const char *policy, *workload;
    s_time_t from, to;
};
void wb_report_svg(const struct wb *wb, FILE *f, const struct wb_chart *chart);

#endif
