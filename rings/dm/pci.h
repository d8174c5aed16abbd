// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI bus of a device model: configuration space, and the devices in it.
 *
 * Concept: a device on the bus has 256 bytes that describe it, of which the guest may change some bits, and base
 * address registers (BARs): the guest writes where a region of the device's is to be, and reads back how large it is.
 * The bus keeps those bytes and moves the regions; what a device does with its own registers there is its affair.
 *
 * Invariants: a bit of config[] that is not in writable[] changes by the device alone. A region of a BAR is present
 * exactly if the command register allows its space, and its address is not 0 nor what sizing writes.
 *
 * Sources: PCI Local Bus Specification 3.0, chapter 6; Intel 82441FX (i440FX) and 82371SB (PIIX3) datasheets.
 */
#ifndef RINGS_DM_PCI_H
#define RINGS_DM_PCI_H

#include "rings/dm/state.h"

#define PCI_DEVICES_MAX 32 /* on the bus, functions counted one by one */
#define PCI_BARS        7  /* six, and the expansion ROM */
#define PCI_BAR_ROM     6

struct pci_bus;

struct pci_device {
    uint8_t config[256], writable[256];
    uint8_t devfn; /* device << 3 | function */
    struct pci_bus *bus;
    void *dev;
    /* Bytes of config[] have been written, if the device wants to hear of it. */
    void (*written)(void *dev, unsigned int reg, unsigned int size);
    struct pci_bar {
        struct dm_region region; /* size 0: there is no such BAR */
        bool prefetchable;
    } bar[PCI_BARS];
    bool gone; /* unplugged: nobody answers */
};

struct pci_bus {
    struct dm_board *board;
    struct pci_device *device[PCI_DEVICES_MAX];
    unsigned int nr_devices;
};

void pci_bus_init(struct pci_bus *bus, struct dm_board *board);
/*
 * Configuration of the function devfn at reg (its dword's bytes; size 1, 2, 4, not across a dword): all ones if there
 * is none.
 */
uint32_t pci_config_read(struct pci_bus *bus, unsigned int devfn, unsigned int reg, unsigned int size);
void pci_config_write(struct pci_bus *bus, unsigned int devfn, unsigned int reg, unsigned int size, uint32_t val);

/*
 * A function with these identifiers, class code 0xccsspp; the rest of config[] is 0, the command register's I/O, memory
 * and master bits and the interrupt line can be written. Put it on the bus with pci_add() when its BARs are described.
 */
void pci_device_init(struct pci_device *p, uint8_t devfn, uint16_t vendor, uint16_t device, uint32_t class_code,
                     void *dev);
/* size is a power of two, at least 4 (ports) or 16 (memory). */
void pci_bar_init(struct pci_device *p, unsigned int nr, enum dm_space space, uint64_t size,
                  const struct dm_region_ops *ops, void *dev);
/* False: the bus is full or devfn is taken. */
bool pci_add(struct pci_bus *bus, struct pci_device *p);
/* Take it away: nobody answers any more. */
void pci_unplug(struct pci_device *p);
/* Its configuration, as fields of a record. Loaded, its BARs are where they were; `written` is not called. */
void pci_state(struct pci_device *p, struct dm_state *s);

/* The registers that every function has, and that somebody here asks for. */
#define PCI_COMMAND            0x04
#define PCI_COMMAND_IO         1
#define PCI_COMMAND_MEMORY     2
#define PCI_COMMAND_MASTER     4
#define PCI_COMMAND_INVALIDATE 0x10 /* writes of whole cache lines */
#define PCI_REVISION           0x08
#define PCI_CACHE_LINE_SIZE    0x0c
#define PCI_LATENCY_TIMER      0x0d
#define PCI_SUBSYSTEM          0x2c /* vendor and device, like the first four bytes */
#define PCI_INTERRUPT_LINE     0x3c
#define PCI_INTERRUPT_PIN      0x3d

/* A number that begins at reg, for the function itself: no bit of it is protected. */
static inline void pci_set(struct pci_device *p, unsigned int reg, unsigned int size, uint32_t val)
{
    for (unsigned int i = 0; i < size; i++)
        p->config[reg + i] = (uint8_t)(val >> 8 * i);
}

static inline uint32_t pci_get(const struct pci_device *p, unsigned int reg, unsigned int size)
{
    uint32_t val = 0;

    for (unsigned int i = 0; i < size; i++)
        val |= (uint32_t)p->config[reg + i] << 8 * i;
    return val;
}

#endif
