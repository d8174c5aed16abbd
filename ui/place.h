// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the files of guests are, which in a replay may be elsewhere than they were. */
#ifndef UI_PLACE_H
#define UI_PLACE_H

#include "ui/options.h"

/*
 * Where a file is that is named so (NULL: NULL). What a path in an xl.cfg comes to depends on which files there are: so
 * in the end the last part of it counts.
 */
const char *place(const struct run_options *o, const char *named);

#endif
