// SPDX-License-Identifier: GPL-2.0-or-later
/* What expectations (tools/expect/) ask of the workbench: which metrics there are, and what they are in a run. */
#ifndef TOOLS_WORKBENCH_EXPECTED_H
#define TOOLS_WORKBENCH_EXPECTED_H

#include "tools/expect/expect.h"
#include "tools/workbench/figures.h"

/* A run that is looked at: what wb_expected_value() wants. */
struct wb_looked {
    struct wb *wb;
    struct wb_figures figures;
};

/* As struct expect_source wants them; data is for nothing. */
bool wb_expected_metric(void *data, size_t i, struct expect_metric *m);
bool wb_expected_check(void *data, const struct expect *e, char why[EXPECT_WHY]);
bool wb_expected_value(void *looked, const struct expect *e, double *value, char parts[EXPECT_PARTS],
                       char why[EXPECT_WHY]);

/*
 * The path in "./lottery.so,tslice_ms=5"; NULL: it is a name, not a path. A path holds a '/' or ends in ".so", where a
 * file here may be given without a "./". It goes to the first ".so,", else to the first comma in the file's name. To be
 * freed.
 */
char *wb_object_path(const char *policy);

#endif
