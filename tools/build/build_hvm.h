// SPDX-License-Identifier: GPL-2.0-or-later
/* Building a PVH domain from a kernel image: see tools/build/build_hvm.c. */
#ifndef TOOLS_BUILD_BUILD_HVM_H
#define TOOLS_BUILD_BUILD_HVM_H

#include "tools/build/build_pv.h"

/*
 * As build_pv_begin() and its kin, for a domain of type PVH; b->image is of mode IMAGE_PVH. In b->console_mfn and
 * store_mfn are the guest's numbers of these frames: by these others name a translated guest's memory.
 */
struct hvm_builder;
struct hvm_builder *build_hvm_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b,
                                    char err[IMAGE_ERR_SIZE]);
int build_hvm_step(struct hvm_builder *w);
void build_hvm_end(struct hvm_builder *w);

#endif
