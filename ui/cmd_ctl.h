// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab ctl`: a running machine is told something, as xl tells it Xen. */
#ifndef UI_CMD_CTL_H
#define UI_CMD_CTL_H

#include "ui/cmd_run.h"

#include <stdio.h>

/* argv are the arguments behind the command. Returns the exit status. */
int cmd_ctl(int argc, char *const *argv, struct run_process *p);
void cmd_ctl_help(FILE *out);
/* The i-th word that may stand behind it; NULL: there are no more. */
const char *cmd_ctl_word(size_t i);

#endif
