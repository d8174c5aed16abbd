// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab grade`: see grade.c. */
#ifndef UI_LAB_GRADE_H
#define UI_LAB_GRADE_H

#include "ui/lab/place.h"

/* N SUBMISSION --key FILE --json R and the rest. 0: all properties hold; 2: not all, or no submission; 1: no grade. */
int lab_grade(const struct lab_place *p, int argc, char *const *argv);

#endif
