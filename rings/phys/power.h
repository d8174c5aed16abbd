// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI's fixed hardware of the physical machine, as far as there is any.
 *
 * Concept: an ACPI machine that is not "hardware reduced" has registers for power events. Nothing ever happens in this
 * one: no button, no event (status reads 0; what is enabled is remembered), and ACPI is on already (SCI_EN). That it is
 * there matters all the same: a Linux on a reduced machine does without Xen's timer. Sleep states are none, so that
 * dom0 powers off by asking Xen.
 *
 *      0xb000  16 PM1 status    0xb002  16 PM1 enable    0xb004  16 PM1 control    0xafe0  GPE0 status, enable: 16 each
 *
 * Source: ACPI Specification 5.0, 4.8.3. The ports are those that tools/build/acpi.c states.
 */
#ifndef RINGS_PHYS_POWER_H
#define RINGS_PHYS_POWER_H

#include "rings/dm/device.h"

struct phys_power {
    struct dm_region pm1, gpe0;
    uint16_t pm1_enable, pm1_control, gpe0_enable;
};

void phys_power_init(struct phys_power *p, struct dm_board *board);

#endif
