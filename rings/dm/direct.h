// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device model inside the hypervisor: --device-model xen. See direct.c.
 */
#ifndef RINGS_DM_DIRECT_H
#define RINGS_DM_DIRECT_H

#include "rings/dm/pc.h"

struct domain;
struct dm_direct;

/* The devices of HVM domain d, from now on. cfg is copied; what it points to is kept. NULL, and *rc is -errno. */
struct dm_direct *dm_direct_create(struct domain *d, const struct pc_config *cfg, int *rc);
/* Before d goes. Harmless for NULL. */
void dm_direct_destroy(struct dm_direct *dm);

/* All of it as bytes, while d stands still. cfg->state is such. */
void dm_direct_save(struct dm_direct *dm, struct dm_state *s);

struct pc *dm_direct_pc(struct dm_direct *dm);

#endif
