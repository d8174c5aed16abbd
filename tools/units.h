// SPDX-License-Identifier: GPL-2.0-or-later
/* Durations and sizes as people write them: one parser for all options and files; see tools/units.c. */
#ifndef TOOLS_UNITS_H
#define TOOLS_UNITS_H

#include <stdbool.h>

#include "sim/types.h"

#define UNITS_WHY_SIZE   160
#define DURATION_EXAMPLE "500us, 20ms, 1.5s or 2m"

/* "250us", "10ms", "1.5s", "2m": nanoseconds. False when it is none, or longer than 28 years. */
bool duration_parse(const char *text, s_time_t *ns);
/* The same, and a number alone has this unit. */
bool duration_parse_in(const char *text, const char *unit, s_time_t *ns);
/* What is wrong with a text that they do not take, or that is less than `least` ns: "5" has no unit... Returns why. */
const char *duration_why(const char *text, s_time_t least, char why[UNITS_WHY_SIZE]);

/* "64", "64M", "1G": MiB. False when it is no such size. */
bool size_parse(const char *text, uint64_t *mib);

#endif
