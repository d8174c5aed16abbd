// SPDX-License-Identifier: GPL-2.0-or-later
/* Xen's platform device: rings/dm/platform.h says what it is. */
#include "rings/dm/platform.h"

#define PORTS         0x10
#define MAGIC         0x49d2
#define VERSION       1
#define FLAG_ROM_LOCK 1

static void log_byte(struct platform *p, uint8_t c)
{
    if (c != '\n' && c != '\r')
        p->line[p->len++] = c >= ' ' && c <= '~' ? (char)c : c == '\t' ? ' ' : '?';
    if (p->len && (c == '\n' || p->len == sizeof(p->line) - 1)) {
        p->line[p->len] = '\0';
        p->len = 0;
        p->ops->log(p->data, p->line);
    }
}

/* --- the ports that are always there --- */

static uint64_t ports_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct platform *p = dev;

    if (size == 2 && offset == 0)
        return MAGIC;
    if (size == 1 && offset == 0)
        return p->flags;
    if (size == 1 && offset == 2)
        return VERSION;
    return ~UINT64_C(0);
}

static void ports_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct platform *p = dev;

    if (size == 1 && offset == 0)
        p->flags = val & FLAG_ROM_LOCK;
    else if (size == 1 && offset == 2)
        log_byte(p, (uint8_t)val);
    else if (size == 2 && offset == 0)
        p->ops->unplug(p->data, (unsigned int)val & 0xffff);
    else if (size == 2 && offset == 2)
        p->product = (uint16_t)val;
    else if (size == 4)
        p->build = (uint32_t)val;
}

static const struct dm_region_ops ports_ops = { .read = ports_read, .write = ports_write };

/* --- BARs --- */

static uint64_t bar_read(void *dev, uint64_t offset, unsigned int size)
{
    return size == 1 && offset == 0 ? ((struct platform *)dev)->flags : ~UINT64_C(0);
}

static void bar_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct platform *p = dev;

    if (size == 1 && offset == 0)
        p->flags = val & FLAG_ROM_LOCK;
    else if (size == 1 && offset == 8)
        log_byte(p, (uint8_t)val);
}

static const struct dm_region_ops bar_ops = { .read = bar_read, .write = bar_write };

/* Until the guest has the hypervisor put pages there. */
static uint64_t memory_read(void *dev, uint64_t offset, unsigned int size) { return 0; }
static void memory_write(void *dev, uint64_t offset, unsigned int size, uint64_t val) {}

static const struct dm_region_ops memory_ops = { .read = memory_read, .write = memory_write };

void platform_init(struct platform *p, struct pci_bus *bus, uint8_t devfn, const struct platform_ops *ops, void *data)
{
    *p = (struct platform){ .ops = ops, .data = data };
    pci_device_init(&p->pci, devfn, 0x5853, 0x0001, 0xff8000, p);
    p->pci.config[PCI_REVISION] = 1;
    p->pci.config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
    p->pci.config[PCI_INTERRUPT_PIN] = 1;
    pci_set(&p->pci, PCI_SUBSYSTEM, 4, 0x00015853);
    pci_bar_init(&p->pci, 0, DM_PORT, 0x100, &bar_ops, p);
    pci_bar_init(&p->pci, 1, DM_MEMORY, UINT64_C(16) << 20, &memory_ops, p);
    p->pci.bar[1].prefetchable = true;
    pci_add(bus, &p->pci);
    dm_region_init(&p->ports, &ports_ops, p, DM_PORT, PORTS, 4);
    bus->board->ops->region(bus->board, &p->ports);
}

void platform_state(struct platform *p, struct dm_state *s)
{
    state_begin(s, "platform", 0);
    pci_state(&p->pci, s);
    STATE_MAX(s, p->flags, FLAG_ROM_LOCK);
    STATE(s, p->product);
    STATE(s, p->build);
    STATE_BYTES(s, p->line);
    STATE_MAX(s, p->len, sizeof(p->line) - 2);
    state_end(s);
}
