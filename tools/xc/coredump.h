// SPDX-License-Identifier: GPL-2.0-or-later
/* A domain's memory and registers in a file: see tools/xc/coredump.c. */
#ifndef TOOLS_XC_COREDUMP_H
#define TOOLS_XC_COREDUMP_H

#include "tools/xc/xc.h"

#define COREDUMP_ERR_SIZE 256

/*
 * Write the core of domain domid, which does not run, to `path`. 0, or -1 with a message; then there is no file.
 * is64: of a PV domain's kernel. path NULL: do to the domain what that does, and write nothing.
 */
int coredump_write(struct xc_handle *xc, domid_t domid, bool is64, const char *path, char err[COREDUMP_ERR_SIZE]);

#endif
