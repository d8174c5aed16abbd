// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab doctor`: is this machine as it should be, and what does it cost where it is not? */
#ifndef UI_CMD_DOCTOR_H
#define UI_CMD_DOCTOR_H

#include <stdio.h>

/* One line a check on `out`; argv are the arguments behind the command. Returns the exit status. */
int cmd_doctor(int argc, char *const *argv, FILE *out);

#endif
