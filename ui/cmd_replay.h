// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab replay`: a recorded run once more. See ui/cmd_replay.c. */
#ifndef UI_CMD_REPLAY_H
#define UI_CMD_REPLAY_H

#include "ui/cmd_run.h"

/* As cmd_run(); o's only guest is the recording, and it is what the recording says afterwards. */
int cmd_replay(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);

#endif
