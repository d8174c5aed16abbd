// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab start`: see start.c. */
#ifndef UI_LAB_START_H
#define UI_LAB_START_H

#include "ui/lab/place.h"

/* N [FOLDER]. Returns the exit status. */
int lab_start(const struct lab_place *p, int argc, char *const *argv);

#endif
