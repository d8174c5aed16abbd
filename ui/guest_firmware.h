// SPDX-License-Identifier: GPL-2.0-or-later
/* What an HVM guest starts with: hvmloader or what stands in its place, and the BIOSes that the former starts. */
#ifndef UI_GUEST_FIRMWARE_H
#define UI_GUEST_FIRMWARE_H

#include "ui/guest_list.h"

bool guest_has_firmware(const struct guest_entry *e);
/* Fill in e->guest. kernel: a file that was named instead of a configuration, or NULL. -1 and a message. */
int guest_firmware(struct guest_entry *e, const char *kernel, const struct run_options *o,
                   char err[GUEST_LIST_ERR_SIZE]);
void guest_firmware_free(struct guest_entry *e);

#endif
