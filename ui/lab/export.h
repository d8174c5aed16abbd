// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab lab export`: see export.c. */
#ifndef UI_LAB_EXPORT_H
#define UI_LAB_EXPORT_H

#include "ui/lab/place.h"

/* --class NAME --labs LIST [--twist WORD] [--open] DIR: the folder of a class, and its key in DIR.key. */
int lab_export(const struct lab_place *p, int argc, char *const *argv);

#endif
