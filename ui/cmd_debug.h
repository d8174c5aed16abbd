// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab debug`: a run, both ways. See ui/cmd_debug.c. */
#ifndef UI_CMD_DEBUG_H
#define UI_CMD_DEBUG_H

#include "ui/cmd_run.h"
#include "ui/options.h"

/* The status to exit with; err: a message for the user, or empty. */
int cmd_debug(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);

#endif
