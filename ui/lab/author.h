// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab test`: see author.c. */
#ifndef UI_LAB_AUTHOR_H
#define UI_LAB_AUTHOR_H

#include "ui/lab/place.h"

/* argv[0] names the lab, or all of them; then --sample, or --write DIR. Returns the exit status. */
int lab_test(const struct lab_place *p, int argc, char *const *argv);

#endif
