// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab trace`: what can be done with a trace that was written. */
#ifndef UI_CMD_TRACE_H
#define UI_CMD_TRACE_H

#include <stdio.h>

/* argv are the arguments behind the command. Returns the exit status. */
int cmd_trace(int argc, char *const *argv);
/* `xenlab kit workload from-trace`: the same, of formats that are workloads of kits. argv are those behind that. */
int cmd_trace_workload(int argc, char *const *argv);
void cmd_trace_help(FILE *out);
/* The i-th word that may stand behind it; NULL: there are no more. */
const char *cmd_trace_word(size_t i);

#endif
