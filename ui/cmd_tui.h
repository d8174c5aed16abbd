// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab tui`: a run on a screen. See ui/cmd_tui.c. */
#ifndef UI_CMD_TUI_H
#define UI_CMD_TUI_H

#include "ui/cmd_run.h"

/* The status to exit with; err: a message for the user, or empty. */
int cmd_tui(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);

#endif
