// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What guests start with that their configuration need not name: an HVM guest with hvmloader, or what stands in its
 * place, and the BIOSes that the former starts; a PVH guest that has pvshim with Xen's shim.
 */
#ifndef UI_GUEST_FIRMWARE_H
#define UI_GUEST_FIRMWARE_H

#include "ui/guest_list.h"

bool guest_has_firmware(const struct guest_entry *e);
/* Fill in e->guest. kernel: a file that was named instead of a configuration, or NULL. -1 and a message. */
int guest_firmware(struct guest_entry *e, const char *kernel, const struct run_options *o,
                   char err[GUEST_LIST_ERR_SIZE]);

/* The same for a PVH guest with pvshim, of which the rest is filled in. */
bool guest_has_shim(const struct guest_entry *e);
int guest_shim(struct guest_entry *e, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE]);

void guest_firmware_free(struct guest_entry *e);

#endif
