// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stub domain: a device model in a domain of its own, --device-model domain.
 *
 * Concept: what a device model is trusted with is one guest, not the machine. So it can run in a domain that has
 * power over that guest and nothing else (XEN_DOMCTL_set_target): a bug of an emulated device, used by a hostile guest,
 * is then a bug in a domain without privileges. The price is one more domain to switch to. A native domain's kernel and
 * the task of dm.c are all there is in it.
 *
 * Corresponds to Xen's stubdom/ and to libxl__spawn_stub_dm().
 */
#ifndef RINGS_DM_STUBDOM_H
#define RINGS_DM_STUBDOM_H

#include "rings/dm/dm.h"

struct stubdom;

/*
 * Make native domain d, which is paused and whose target domid is, the device model of domid. cfg as of dm_create().
 * NULL, and *rc is -errno.
 */
struct stubdom *stubdom_create(struct domain *d, domid_t domid, const struct pc_config *cfg, int *rc);
/* The device model ends; d does not run any more. Then d is destroyed, and then the rest. Harmless for NULL. */
void stubdom_stop(struct stubdom *s);
void stubdom_destroy(struct stubdom *s);
struct dm *stubdom_dm(const struct stubdom *s);

#endif
