// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab tour`: a run is explained, step by step. See ui/cmd_tour.c. */
#ifndef UI_CMD_TOUR_H
#define UI_CMD_TOUR_H

#include "ui/cmd_run.h"

/* The status to exit with; err: a message for the user, or empty. */
int cmd_tour(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);

#endif
