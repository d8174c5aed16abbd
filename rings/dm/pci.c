// SPDX-License-Identifier: GPL-2.0-or-later
/* The PCI bus of a device model: rings/dm/pci.h says what it is. */
#include "rings/dm/pci.h"

#include <string.h>

#define HEADER_TYPE   0x0e
#define MULTIFUNCTION 0x80
#define BASE_ADDRESS  0x10
#define ROM_ADDRESS   0x30
#define ROM_ENABLE    1
#define PORTS         0x10000

static unsigned int bar_reg(unsigned int nr) { return nr == PCI_BAR_ROM ? ROM_ADDRESS : BASE_ADDRESS + 4 * nr; }

static struct pci_device *find(const struct pci_bus *bus, unsigned int devfn)
{
    for (unsigned int i = 0; i < bus->nr_devices; i++)
        if (bus->device[i]->devfn == devfn && !bus->device[i]->gone)
            return bus->device[i];
    return NULL;
}

void pci_bus_init(struct pci_bus *bus, struct dm_board *board) { *bus = (struct pci_bus){ .board = board }; }

/* --- base addresses --- */

/* Where the guest has put the BAR; 0: nowhere. */
static uint32_t bar_address(const struct pci_device *p, unsigned int nr)
{
    const struct dm_region *r = &p->bar[nr].region;
    const uint32_t reg = pci_get(p, bar_reg(nr), 4), sizing = (uint32_t)-r->size, addr = reg & sizing;
    const unsigned int enable = r->space == DM_PORT ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

    if (p->gone || !(p->config[PCI_COMMAND] & enable) || (nr == PCI_BAR_ROM && !(reg & ROM_ENABLE)))
        return 0;
    if (addr == sizing || (r->space == DM_PORT && addr + r->size > PORTS))
        return 0;
    return addr;
}

static void bars_update(struct pci_device *p)
{
    for (unsigned int nr = 0; nr < PCI_BARS; nr++) {
        struct dm_region *r = &p->bar[nr].region;
        const uint32_t addr = r->size ? bar_address(p, nr) : 0;

        if ((addr != 0) == r->present && (!addr || addr == r->base))
            continue;
        r->present = addr != 0;
        r->base = addr;
        p->bus->board->ops->region(p->bus->board, r);
    }
}

/* --- configuration --- */

uint32_t pci_config_read(struct pci_bus *bus, unsigned int devfn, unsigned int reg, unsigned int size)
{
    const struct pci_device *p = find(bus, devfn);

    return p && reg + size <= sizeof(p->config) ? pci_get(p, reg, size) : ~0u;
}

void pci_config_write(struct pci_bus *bus, unsigned int devfn, unsigned int reg, unsigned int size, uint32_t val)
{
    struct pci_device *p = find(bus, devfn);

    if (!p || reg + size > sizeof(p->config))
        return;
    for (unsigned int i = 0; i < size; i++) {
        uint8_t *byte = &p->config[reg + i];
        const uint8_t mask = p->writable[reg + i];

        *byte = (uint8_t)((*byte & ~mask) | ((val >> 8 * i) & mask));
    }
    bars_update(p);
    if (p->written)
        p->written(p->dev, reg, size);
}

/* --- devices --- */

void pci_device_init(struct pci_device *p, uint8_t devfn, uint16_t vendor, uint16_t device, uint32_t class_code,
                     void *dev)
{
    *p = (struct pci_device){ .devfn = devfn, .dev = dev };
    pci_set(p, 0, 4, vendor | (uint32_t)device << 16);
    pci_set(p, PCI_REVISION + 1, 3, class_code);
    p->writable[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    p->writable[PCI_INTERRUPT_LINE] = 0xff;
}

void pci_bar_init(struct pci_device *p, unsigned int nr, enum dm_space space, uint64_t size,
                  const struct dm_region_ops *ops, void *dev)
{
    dm_region_init(&p->bar[nr].region, ops, dev, space, 0, size);
    p->bar[nr].region.present = false;
}

/* The bits of a BAR's register: an address that is a multiple of the size, below it what kind it is. */
static void bar_describe(struct pci_device *p, unsigned int nr)
{
    const struct pci_bar *b = &p->bar[nr];
    uint32_t fixed = 0, mask;

    if (!b->region.size)
        return;
    mask = (uint32_t)-b->region.size;
    if (nr == PCI_BAR_ROM)
        mask |= ROM_ENABLE;
    else if (b->region.space == DM_PORT)
        fixed = 1;
    else if (b->prefetchable)
        fixed = 8;
    pci_set(p, bar_reg(nr), 4, fixed);
    for (unsigned int i = 0; i < 4; i++)
        p->writable[bar_reg(nr) + i] = (uint8_t)(mask >> 8 * i);
}

/* Whoever looks for functions asks function 0 whether there are others. */
static void mark_multifunction(const struct pci_bus *bus, unsigned int device)
{
    struct pci_device *first = find(bus, device << 3);

    for (unsigned int fn = 1; first && fn < 8; fn++)
        if (find(bus, device << 3 | fn))
            first->config[HEADER_TYPE] |= MULTIFUNCTION;
}

bool pci_add(struct pci_bus *bus, struct pci_device *p)
{
    if (bus->nr_devices == PCI_DEVICES_MAX || find(bus, p->devfn))
        return false;
    p->bus = bus;
    bus->device[bus->nr_devices++] = p;
    for (unsigned int nr = 0; nr < PCI_BARS; nr++) {
        bar_describe(p, nr);
        if (p->bar[nr].region.size) /* of two at one place, which one answers does not depend on who came first */
            bus->board->ops->region(bus->board, &p->bar[nr].region);
    }
    mark_multifunction(bus, p->devfn >> 3);
    return true;
}

void pci_unplug(struct pci_device *p)
{
    p->gone = true;
    bars_update(p);
}

void pci_state(struct pci_device *p, struct dm_state *s)
{
    uint8_t config[sizeof(p->config)];

    memcpy(config, p->config, sizeof(config));
    STATE_BYTES(s, config);
    STATE_BOOL(s, p->gone);
    if (!state_loaded(s))
        return;
    for (unsigned int i = 0; i < sizeof(config); i++)
        if ((config[i] ^ p->config[i]) & ~p->writable[i]) {
            state_refuse(s, "byte %#x of its configuration cannot be %#x", i, config[i]);
            return;
        }
    memcpy(p->config, config, sizeof(config));
    bars_update(p);
}
