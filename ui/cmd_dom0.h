// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab dom0`: a Linux that is dom0, in one line. See cmd_dom0.c.
 */
#ifndef UI_CMD_DOM0_H
#define UI_CMD_DOM0_H

#include <stddef.h>
#include <stdio.h>

/*
 * The words after `xenlab` that argv, the words after `dom0`, stand for: to[0] is run, tui or debug, and *nr how many
 * there are, at most argc + DOM0_WORDS. The strings are argv's, or in `files`. -1, and err: its kernel is not there.
 */
#define DOM0_WORDS     12
#define DOM0_FILE_SIZE 4096
#define DOM0_ERR_SIZE  512
struct dom0_files {
    char kernel[DOM0_FILE_SIZE], ramdisk[DOM0_FILE_SIZE];
};
int cmd_dom0_words(int argc, char **argv, char **to, int *nr, struct dom0_files *files, char err[DOM0_ERR_SIZE]);
void cmd_dom0_help(FILE *out);

#endif
