// SPDX-License-Identifier: GPL-2.0-or-later
/* A second PV domain like one that has suspended: see tools/build/copy_pv.c. */
#ifndef TOOLS_BUILD_COPY_PV_H
#define TOOLS_BUILD_COPY_PV_H

#include "tools/build/build_pv.h"

struct arena;
struct copier;

/*
 * Create a domain as b says, with memory and registers of `from`, a 64-bit PV domain that has suspended, a step at a
 * time; or that is itself such a copy, and has not run yet (fresh). Of b the sizes, limits and the handle are used, and
 * its results are given as by build_pv_step(). b and err are the caller's, and are needed until the end. NULL: out of
 * memory, and err says so.
 */
struct copier *copy_pv_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b, domid_t from, bool fresh,
                             char err[IMAGE_ERR_SIZE]);
/* 1: there is more to do; 0: the domain is whole, and paused; -1 with a message in err. No step after the last two. */
int copy_pv_step(struct copier *w);
/* At any time; of a domain that is not whole nothing is left behind. NULL: nothing to do. */
void copy_pv_end(struct copier *w);

#endif
