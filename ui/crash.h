// SPDX-License-Identifier: GPL-2.0-or-later
/* What is shown of a vCPU that crashed its domain. See ui/crash.c. */
#ifndef UI_CRASH_H
#define UI_CRASH_H

#include "tools/build/image.h"
#include "vcpu/noun/domain.h"

#include <stdio.h>

/* v's registers and memory are still those of the crash. img: the kernel it was started from, for symbols, or NULL. */
void crash_print(FILE *out, struct vcpu *v, const char *name, const char *why, const struct image *img);

#endif
