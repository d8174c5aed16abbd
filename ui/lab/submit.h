// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab submit`: see submit.c. */
#ifndef UI_LAB_SUBMIT_H
#define UI_LAB_SUBMIT_H

#include "ui/lab/place.h"

/* [N]. Returns the exit status. */
int lab_submit(const struct lab_place *p, int argc, char *const *argv);

#endif
