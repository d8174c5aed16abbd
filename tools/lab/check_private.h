// SPDX-License-Identifier: GPL-2.0-or-later
/* What build.c and check.c share. */
#ifndef TOOLS_LAB_CHECK_PRIVATE_H
#define TOOLS_LAB_CHECK_PRIVATE_H

#include "tools/lab/check.h"

/* c->err says so; -1. */
int check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* To be freed; NULL: no memory. */
char *check_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The student's program. 0; 1: it does not compile or link, see c->compiler; -1: see c->err. */
int check_build(struct check *c);

#endif
