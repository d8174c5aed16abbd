// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chipset: a 440FX host bridge, and PIIX3 functions for ISA and power management.
 *
 *      00.0  8086:1237  host bridge      how the legacy area's memory is shadowed (PAM): kept, without effect
 *      01.0  8086:7000  ISA bridge       which interrupt a PCI link leads to; the reset control port 0xcf9
 *      01.3  8086:7113  power management where its ports are: kept, they are the hypervisor's
 *
 * Concept: four wires, PCI links A to D, lead from all slots to the ISA bridge, and it leads each to an ISA interrupt
 * or nowhere, as its registers 0x60 to 0x63 say. The controllers that get them are the hypervisor's, which is told.
 *
 * Left out: the level/edge registers 0x4d0 (the hypervisor's), USB (01.2), memory timings. Firmware is put into memory
 * by the domain's builder, so that PAM shows and hides nothing.
 *
 * Source: Intel 82441FX (290549) and 82371FB/82371SB (290550) datasheets, 82371AB (290562) for 01.3.
 */
#ifndef RINGS_DM_PIIX_H
#define RINGS_DM_PIIX_H

#include "rings/dm/pci.h"

struct piix {
    struct dm_board *board;
    struct pci_device host, isa, pm;
    struct dm_region reset_port, gpe;
    uint8_t reset_control;
    uint8_t gpe_enabled[2]; /* ACPI's general purpose events, none of which ever comes */
};

/* All of it is on the bus then: it takes 00.0, 01.0 and 01.3. */
void piix_init(struct piix *p, struct pci_bus *bus);
/* Where links lead the hypervisor knows, and is not told. */
void piix_state(struct piix *p, struct dm_state *s);

#endif
