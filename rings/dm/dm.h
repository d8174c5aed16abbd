// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device model of an HVM domain, as a task of a native domain. See dm.c.
 */
#ifndef RINGS_DM_DM_H
#define RINGS_DM_DM_H

#include "rings/dm/pc.h"
#include "vcpu/native/kernel.h"

struct dm;

/*
 * Make one for domain domid, which is paused and whose frames for I/O requests are there. cfg is copied; what it points
 * to is kept, but cfg->state, which is read, and is what dm_save() wrote. NULL, and *rc is -errno: a hypercall was
 * refused, the state is none (state_error() says why), or out of memory.
 */
struct dm *dm_create(struct native_kernel *k, domid_t domid, const struct pc_config *cfg, int *rc);
/* After its domain has been destroyed, or while it is paused. Harmless for NULL. */
void dm_destroy(struct dm *dm);

/*
 * The domain stands still: what it has asked for is done, and its frames for I/O requests are its own again, as long as
 * it does. 0 or -errno.
 */
int dm_stop(struct dm *dm);
int dm_go_on(struct dm *dm);
/* All of it, stopped, as bytes. */
void dm_save(struct dm *dm, struct dm_state *s);

/* There may be input for the devices from outside. */
void dm_kick(struct dm *dm);

/* The devices: to give them input, and to look at them. */
struct pc *dm_pc(struct dm *dm);

#endif
