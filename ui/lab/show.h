// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab show`: see show.c. */
#ifndef UI_LAB_SHOW_H
#define UI_LAB_SHOW_H

#include "ui/lab/place.h"

/* [N] [PROPERTY | --test FILE] [--gdb | --no-gdb]. Returns the exit status. */
int lab_show(const struct lab_place *p, int argc, char *const *argv);

#endif
