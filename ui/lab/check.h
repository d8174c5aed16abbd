// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab check`: see check.c. */
#ifndef UI_LAB_CHECK_H
#define UI_LAB_CHECK_H

#include "ui/lab/place.h"

/* [N] [--seed A[-B] | --test FILE]. Returns the exit status. */
int lab_check(const struct lab_place *p, int argc, char *const *argv);

#endif
