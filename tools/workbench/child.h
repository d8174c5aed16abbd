// SPDX-License-Identifier: GPL-2.0-or-later
/* A student's policy runs in a process of its own, so that whatever it does ends there. */
#ifndef TOOLS_WORKBENCH_CHILD_H
#define TOOLS_WORKBENCH_CHILD_H

#include <stdio.h>

#include "tools/workbench/guard.h"

/*
 * What the child does with the policy's table; its return value is the exit status. The report goes to `out`: what the
 * policy itself prints must not get between, and goes to standard error.
 */
typedef int wb_child_fn(void *data, const struct sched_ops *ops, struct wb_watch *watch, FILE *out);

/*
 * Load the shared object and call fn in a child process. Returns fn's result, or 2 when the policy crashed, left or was
 * stopped because one call took longer than `limit` seconds (said on stderr), or 1 when it could not be loaded.
 */
int wb_child_run(const char *path, unsigned int limit, wb_child_fn *fn, void *data);

#endif
