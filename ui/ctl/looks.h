// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that only look: what xl prints of the machine as it stands there. Nothing changes, and no
 * time passes.
 */
#ifndef UI_CTL_LOOKS_H
#define UI_CTL_LOOKS_H

#include "tools/ctl.h"
#include "tools/host.h"

#include <stdio.h>

/* By its number or its name. False: there is none. */
bool ctl_domain_find(const struct host *h, const char *who, domid_t *domid);
/* As messages say that. */
#define CTL_NO_DOMAIN "%s is an invalid domain identifier (rc=-6)\n"
/* The exit status. */
int ctl_look(struct host *h, const struct ctl_request *r, FILE *out, FILE *err);

/* block-list, network-list and channel-list: ui/ctl/looks_devices.c. */
void ctl_devices_head(const char *command, FILE *out);
void ctl_devices_rows(const struct host *h, const char *command, domid_t domid, FILE *out);

/* What its networks and disks have done, as columns of top. */
void ctl_devices_top(const struct host *h, domid_t domid, FILE *out);

#endif
