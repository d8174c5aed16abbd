// SPDX-License-Identifier: GPL-2.0-or-later
/* The chipset: rings/dm/piix.h says what it is. */
#include "rings/dm/piix.h"

#define VENDOR_INTEL 0x8086
#define STATUS       0x06

/* Host bridge */
#define PAM_FIRST 0x59
#define PAM_LAST  0x5f
#define SMRAM     0x72

/* ISA bridge */
#define LINK_ROUTE 0x60 /* four of them */
#define LINK_OFF   0x80
#define LINK_IRQS  0xdef8 /* 3 to 7, 9 to 12, 14, 15: a link may lead to */
#define RESET_PORT 0xcf9
#define RESET_HARD 2
#define RESET_NOW  4

/* Power management: where the FADT of Xen's firmware has them (tools/libacpi: ACPI_GPE0_BLK_ADDRESS_V1) */
#define GPE_PORT 0xafe0
#define GPE_LEN  4

/* --- the reset control port --- */

static uint64_t reset_read(void *dev, uint64_t offset, unsigned int size)
{
    return ((struct piix *)dev)->reset_control;
}

/* Both kinds of reset, the processors' alone and everything's, are the domain's. */
static void reset_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct piix *p = dev;
    const bool now = (val & RESET_NOW) && !(p->reset_control & RESET_NOW);

    p->reset_control = val & (RESET_HARD | RESET_NOW);
    if (now)
        p->board->ops->reset(p->board);
}

static const struct dm_region_ops reset_ops = { .read = reset_read, .write = reset_write };

/* --- general purpose events: two bytes of status, and two that enable --- */

static uint8_t gpe_read_byte(void *dev, unsigned int offset)
{
    return offset < 2 ? 0 : ((struct piix *)dev)->gpe_enabled[offset - 2];
}

static void gpe_write_byte(void *dev, unsigned int offset, uint8_t val)
{
    if (offset >= 2)
        ((struct piix *)dev)->gpe_enabled[offset - 2] = val;
}

static uint64_t gpe_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, gpe_read_byte, offset, size);
}

static void gpe_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, gpe_write_byte, offset, size, val);
}

static const struct dm_region_ops gpe_ops = { .read = gpe_read, .write = gpe_write };

/* --- the functions --- */

static void isa_written(void *dev, unsigned int reg, unsigned int size)
{
    struct piix *p = dev;

    for (unsigned int i = 0; i < size; i++) {
        const unsigned int link = reg + i - LINK_ROUTE;
        uint8_t irq;

        if (link >= 4)
            continue;
        irq = p->isa.config[reg + i] & 0xf;
        if ((p->isa.config[reg + i] & LINK_OFF) || !(LINK_IRQS >> irq & 1))
            irq = 0;
        p->board->ops->pci_link_route(p->board, link, irq);
    }
}

/* size bytes at reg are val when the machine is switched on, of which the guest may change the bits of mask. */
static void reg_init(struct pci_device *p, unsigned int reg, unsigned int size, uint32_t val, uint32_t mask)
{
    pci_set(p, reg, size, val);
    for (unsigned int i = 0; i < size; i++)
        p->writable[reg + i] = (uint8_t)(mask >> 8 * i);
}

static void host_init(struct piix *p)
{
    pci_device_init(&p->host, 0, VENDOR_INTEL, 0x1237, 0x060000, p);
    p->host.config[PCI_REVISION] = 2;
    reg_init(&p->host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    reg_init(&p->host, STATUS, 2, 0x0280, 0);
    reg_init(&p->host, PAM_FIRST, 1, 0, 0x30); /* the BIOS segment alone; its other half is reserved */
    for (unsigned int reg = PAM_FIRST + 1; reg <= PAM_LAST; reg++)
        reg_init(&p->host, reg, 1, 0, 0x33);
    reg_init(&p->host, SMRAM, 1, 0x02, 0); /* there is no system management mode */
}

static void isa_init(struct piix *p)
{
    pci_device_init(&p->isa, 1 << 3, VENDOR_INTEL, 0x7000, 0x060100, p);
    p->isa.written = isa_written;
    reg_init(&p->isa, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    reg_init(&p->isa, STATUS, 2, 0x0200, 0);
    reg_init(&p->isa, 0x4c, 1, 0x4d, 0xff);  /* I/O recovery */
    reg_init(&p->isa, 0x4e, 2, 0x03, 0x1ff); /* which chips of its own bus it selects */
    reg_init(&p->isa, LINK_ROUTE, 4, 0x80808080, 0x8f8f8f8f);
    reg_init(&p->isa, 0x69, 1, 0x02, 0xfe); /* top of memory, for ISA's masters */
    reg_init(&p->isa, 0x70, 1, 0x80, 0xef); /* interrupts of the mainboard's devices */
    reg_init(&p->isa, 0x76, 2, 0x0c0c, 0x8f8f);
    reg_init(&p->isa, 0x82, 1, 0, 0x0f);    /* delayed transactions */
    reg_init(&p->isa, 0xa0, 1, 0x08, 0x1f); /* system management, of which there is none */
    reg_init(&p->isa, 0xa2, 2, 0, 0x01ff);
    reg_init(&p->isa, 0xa4, 4, 0, 0xe001ffff);
    reg_init(&p->isa, 0xa8, 1, 0x0f, 0xff);
    dm_region_init(&p->reset_port, &reset_ops, p, DM_PORT, RESET_PORT, 1);
}

static void pm_init(struct piix *p)
{
    pci_device_init(&p->pm, 1 << 3 | 3, VENDOR_INTEL, 0x7113, 0x068000, p);
    p->pm.config[PCI_REVISION] = 3;
    reg_init(&p->pm, PCI_COMMAND, 2, 0, PCI_COMMAND_IO);
    reg_init(&p->pm, STATUS, 2, 0x0280, 0);
    reg_init(&p->pm, PCI_INTERRUPT_PIN, 1, 1, 0);
    reg_init(&p->pm, 0x40, 4, 1, 0xffc0); /* its ports */
    for (unsigned int reg = 0x44; reg < 0x80; reg += 4)
        reg_init(&p->pm, reg, 4, 0, ~0u); /* what wakes it */
    reg_init(&p->pm, 0x80, 1, 0, 1);
    reg_init(&p->pm, 0x90, 4, 1, 0xfff0); /* the SMBus's ports: there is none */
    reg_init(&p->pm, 0xd2, 4, 0, 0xffffff0f);
    dm_region_init(&p->gpe, &gpe_ops, p, DM_PORT, GPE_PORT, GPE_LEN);
}

void piix_init(struct piix *p, struct pci_bus *bus)
{
    *p = (struct piix){ .board = bus->board };
    host_init(p);
    isa_init(p);
    pm_init(p);
    pci_add(bus, &p->host);
    pci_add(bus, &p->isa);
    pci_add(bus, &p->pm);
    p->board->ops->region(p->board, &p->reset_port);
    p->board->ops->region(p->board, &p->gpe);
}

void piix_state(struct piix *p, struct dm_state *s)
{
    state_begin(s, "piix", 0);
    pci_state(&p->host, s);
    pci_state(&p->isa, s);
    pci_state(&p->pm, s);
    STATE_MAX(s, p->reset_control, RESET_HARD | RESET_NOW);
    STATE_BYTES(s, p->gpe_enabled);
    state_end(s);
}
