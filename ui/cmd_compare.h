// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab compare`: one kernel, by each technique of virtualization. See ui/compare/compare.h. */
#ifndef UI_CMD_COMPARE_H
#define UI_CMD_COMPARE_H

#include <stddef.h>
#include <stdio.h>

/* The status to exit with; messages go to standard error. */
int cmd_compare(int argc, char *const *argv, FILE *out);
void cmd_compare_help(FILE *out);
const char *cmd_compare_word(size_t i);

#endif
