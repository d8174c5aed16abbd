// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The devices of the physical machine, for a dom0 that is a guest and has drivers of its own. See phys.c.
 */
#ifndef RINGS_PHYS_PHYS_H
#define RINGS_PHYS_PHYS_H

#include "rings/dm/pci.h"
#include "rings/dm/uart.h"
#include "rings/phys/power.h"
#include "rings/phys/rtc.h"
#include "rings/phys/virtio_blk.h"
#include "rings/phys/virtio_net.h"
#include "vcpu/noun/xen.h"

#define PHYS_GSIS     24 /* inputs of the only IO-APIC */
#define PHYS_PCI_GSI  16 /* from here on those of PCI: device n's pins all lead to number 16 + n % 8 */
#define PHYS_LINE_MAX 160
#define PHYS_DISKS    8 /* vda to vdh: devices 8 and up */
#define PHYS_DISK_DEV 8
#define PHYS_NIC_DEV  3

struct phys {
    struct dm_board board; /* first: ops find the rest by it */
    struct xen *xen;
    struct dm_region *regions;
    struct dm_timer *timers;
    struct timer next;                 /* the first of these */
    uint32_t up, in_service;           /* a bit a GSI: its line; dom0 has been told and has not said EOI */
    uint8_t pins[PCI_DEVICES_MAX / 4]; /* a nibble a device: which of its pins are up */
    struct pci_bus pci;
    struct pci_device host_bridge;
    struct uart com1;
    struct phys_rtc rtc;
    struct phys_power power;
    struct virtio_blk *disk[PHYS_DISKS]; /* in the arena, and nr of them */
    unsigned int nr_disks;
    struct virtio_net *nic;   /* NULL: there is none */
    char line[PHYS_LINE_MAX]; /* of com1, collected until a newline */
    unsigned int line_len;
};

void phys_init(struct phys *p, struct xen *xen);
/* No timer runs any more. */
void phys_deinit(struct phys *p);

/* A disk, which stays the caller's; serial: what it calls itself. False: no room for it, or no memory. */
bool phys_disk_add(struct phys *p, struct disk *disk, bool readonly, const char *serial);
/* The network card, of which there is one. */
bool phys_nic_add(struct phys *p, const uint8_t mac[6], const struct wire_ops *wire, void *owner);

/* What struct board_ops wants of devices; data is a struct phys. */
uint32_t phys_port_read(struct phys *p, uint16_t port, unsigned int size);
void phys_port_write(struct phys *p, uint16_t port, unsigned int size, uint32_t val);
uint32_t phys_pci_config(struct phys *p, uint32_t cf8, unsigned int off, unsigned int size, const uint32_t *val);
void phys_eoi(struct phys *p, unsigned int gsi);

#endif
