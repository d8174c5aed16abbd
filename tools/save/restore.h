// SPDX-License-Identifier: GPL-2.0-or-later
/* Making a domain of a saved one: see tools/save/restore.c. */
#ifndef TOOLS_SAVE_RESTORE_H
#define TOOLS_SAVE_RESTORE_H

#include "tools/build/build_hvm.h"
#include "tools/build/build_pv.h"
#include "tools/save/in.h"

struct arena;
struct restorer;

/*
 * Create a domain as b says, with memory and state of a saved one, a step at a time. Of b the sizes, limits and the
 * handle are used, and its results are given as by build_pv_step(); settings are those of an HVM or PVH domain. What
 * saved->libxc points to, b and err are the caller's, and are needed until the end. NULL: out of memory, and err says
 * so.
 */
struct restorer *restore_begin(struct xc_handle *xc, struct arena *arena, const struct saved *saved, struct pv_build *b,
                               const struct hvm_settings *settings, char err[IMAGE_ERR_SIZE]);
/* 1: there is more to do; 0: the domain is whole, and paused; -1 with a message in err. No step after the last two. */
int restore_step(struct restorer *r);
/* At any time; of a domain that is not whole nothing is left behind. NULL: nothing to do. */
void restore_end(struct restorer *r);

#endif
