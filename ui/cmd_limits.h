// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab limits`: in what the processor that guests see differs from a real one. docs/cpu.md has the same list. */
#ifndef UI_CMD_LIMITS_H
#define UI_CMD_LIMITS_H

#include <stdio.h>

/* argv are the arguments behind the command. Returns the exit status. */
int cmd_limits(int argc, char *const *argv, FILE *out);

#endif
