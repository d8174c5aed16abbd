// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab`: labs in which hypervisor code is written, and checked. */
#ifndef UI_CMD_LAB_H
#define UI_CMD_LAB_H

/* argv are the arguments behind the command. Returns the exit status: 0, 1 it could not be done, 2 a check failed. */
int cmd_lab(int argc, char *const *argv);

#endif
