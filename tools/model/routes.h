// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes of exits, one for each kind of host: see routes.c. */
#ifndef TOOLS_MODEL_ROUTES_H
#define TOOLS_MODEL_ROUTES_H

#include "tools/model/model.h"

/* The guest has exited, the pCPU is in the vmm: all that is done until it is in the guest again. */
void route_type1(struct model *m);
void route_in_kernel(struct model *m);
void route_hosted(struct model *m);

#endif
