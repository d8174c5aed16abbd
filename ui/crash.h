// SPDX-License-Identifier: GPL-2.0-or-later
/* What is shown of a vCPU that crashed its domain. See ui/crash.c. */
#ifndef UI_CRASH_H
#define UI_CRASH_H

#include "tools/build/image.h"
#include "tools/snapshot.h"

#include <stdio.h>

/* name: of the domain, or NULL. img: the kernel it was started from, for symbols, or NULL. */
void crash_print(FILE *out, const struct crash_report *r, const char *name, const struct image *img);

#endif
