// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of the clock chip, where a PC keeps its setup.
 *
 * Concept: a guest writes an index to port 0x70 and reads or writes a byte at 0x71. The clock's own registers (0 to
 * 0x0d, and the century) are the hypervisor's, vcpu/hvm/rtc.c; of the rest it passes on index and access. A BIOS finds
 * there how much memory there is, and what is to be booted from:
 *
 *      0x15, 0x17, 0x30, 0x34    memory: KiB below 1 MiB; above, twice; in units of 64 KiB above 16 MiB
 *      0x5b                      in units of 64 KiB above 4 GiB, three bytes
 *      0x3d, 0x38                first and second device in the lower and the upper half; the third in 0x38's upper one:
 *                                1 floppy, 2 disk, 3 CD, 4 network. 0x38 bit 0: any floppy is booted
 *
 * Source: the IBM PC/AT's technical reference for the first half; SeaBIOS's and QEMU's usage for the second.
 */
#ifndef RINGS_DM_CMOS_H
#define RINGS_DM_CMOS_H

#include "rings/dm/state.h"

struct cmos {
    struct dm_region ports;
    uint8_t index, bytes[128];
};

/* Bytes of RAM below 4 GiB and above; boot: letters of a, c, d, n in order, of which three count. */
void cmos_init(struct cmos *c, struct dm_board *board, uint64_t mem_below, uint64_t mem_above, const char *boot);
void cmos_state(struct cmos *c, struct dm_state *s);

#endif
