// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab watch`: see watch.c. */
#ifndef UI_LAB_WATCH_H
#define UI_LAB_WATCH_H

#include "ui/lab/place.h"

/* [N]. Returns the exit status: that of the last check. */
int lab_watch(const struct lab_place *p, int argc, char *const *argv);

#endif
