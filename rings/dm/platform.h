// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xen's platform device: how a guest tells that it has drivers of its own for Xen, and what is to be taken away then.
 *
 * Concept: a guest starts on emulated disks and network cards. A system that has found Xen asks for them to be
 * unplugged before it looks for them, since each is the same disk as one that it is about to find as a virtual device.
 * The function on the PCI bus is what makes systems load such a driver at all; the first of its BARs has the platform's
 * flags and a log, the second is a place among memory where no RAM is. The protocol is at ports:
 *
 *              read                                    written
 *      0x10    word: 0x49d2, there is such a device    word: bits of PLATFORM_UNPLUG_
 *              byte: flags                             byte: flags; dword: the drivers' build number
 *      0x12    byte: version of the protocol, 1        word: product number; byte: a letter of the log
 *
 * Left out: versions of drivers that are refused (a blacklist): there are none. The flag that makes the BIOS's memory
 * read-only is kept, without effect.
 *
 * Source: Xen docs/misc/hvm-emulated-unplug.pandoc.
 */
#ifndef RINGS_DM_PLATFORM_H
#define RINGS_DM_PLATFORM_H

#include "rings/dm/pci.h"

#define PLATFORM_UNPLUG_IDE     1 /* all disks, not CDs */
#define PLATFORM_UNPLUG_NICS    2
#define PLATFORM_UNPLUG_AUX_IDE 4 /* all disks but the first channel's first; not CDs */
#define PLATFORM_UNPLUG_NVME    8

struct platform_ops {
    /* The guest wants it: bits of PLATFORM_UNPLUG_. */
    void (*unplug)(void *data, unsigned int what);
    /* It has written a line: what can be printed of it, without its end. */
    void (*log)(void *data, const char *line);
};

struct platform {
    const struct platform_ops *ops;
    void *data;
    struct pci_device pci;
    struct dm_region ports;
    uint8_t flags;
    uint16_t product; /* that the guest's drivers say they are; 0: nothing so far */
    uint32_t build;
    char line[128]; /* of its log */
    unsigned int len;
};

void platform_init(struct platform *p, struct pci_bus *bus, uint8_t devfn, const struct platform_ops *ops, void *data);
void platform_state(struct platform *p, struct dm_state *s);

#endif
