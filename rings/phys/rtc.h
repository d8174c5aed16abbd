// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock chip of the physical machine, MC146818. See rtc.c.
 */
#ifndef RINGS_PHYS_RTC_H
#define RINGS_PHYS_RTC_H

#include "rings/dm/device.h"
#include "vcpu/noun/xen.h"

struct phys_rtc {
    struct xen *xen;
    struct dm_region ports;
    uint8_t index, memory[128];
    s_time_t at_boot; /* the machine's wallclock at power-on */
    int64_t offset;   /* seconds that setting it has added since */
};

void phys_rtc_init(struct phys_rtc *r, struct dm_board *board, struct xen *xen);

#endif
