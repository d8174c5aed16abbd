// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcdev: the disk of the first IDE channel: polled, by interrupts, and by the bus master of the PCI function.
 *
 * Its last sectors are written over: the disk is to be one that nobody needs.
 *
 * Sources: ATA/ATAPI-6 (T13 1410D); PCI Local Bus 3.0; "Programming Interface for Bus Master IDE Controller" 1.0.
 */
#include "guests/pcdev/pcdev.h"

#define IDE     0x1f0
#define CONTROL 0x3f6
#define SECTORS 8

static uint16_t bus_master; /* its ports; 0: there is none */

/* ---------------------------------------------------------------------------------------------------------- PCI -- */

static uint32_t pci_read(unsigned int devfn, unsigned int reg)
{
    out32(0xcf8, 0x80000000 | devfn << 8 | reg);
    return in32(0xcfc);
}

static void pci_write(unsigned int devfn, unsigned int reg, uint32_t val)
{
    out32(0xcf8, 0x80000000 | devfn << 8 | reg);
    out32(0xcfc, val);
}

/* Nobody may have given it ports yet. */
static void ide_function(unsigned int devfn)
{
    uint32_t bar = pci_read(devfn, 0x20);

    if (!(bar & 0xfff0)) {
        pci_write(devfn, 0x20, 0xc000);
        bar = pci_read(devfn, 0x20);
    }
    pci_write(devfn, 4, (pci_read(devfn, 4) & 0xffff) | 5); /* ports, and bus master */
    bus_master = bar & 0xfff0;
}

void pci_list(void)
{
    for (unsigned int devfn = 0; devfn < 256; devfn++) {
        const uint32_t id = pci_read(devfn, 0), class = pci_read(devfn, 8) >> 16;

        if ((id & 0xffff) == 0xffff)
            continue;
        note("PCI %u.%u: %x class %x", devfn >> 3, devfn & 7, id, class);
        if (class == 0x0101)
            ide_function(devfn);
    }
}

/* --------------------------------------------------------------------------------------------------------- disk -- */

static uint32_t first; /* of the sectors that are tried */
static uint32_t written[SECTORS * 128] __attribute__((aligned(4096))),
    back[SECTORS * 128] __attribute__((aligned(4096)));
static volatile uint32_t interrupts, bad_status;

static bool idle(void)
{
    const struct deadline d = deadline(500);

    while (in8(IDE + 7) & 0x80)
        if (is_over(&d))
            return false;
    return true;
}

/* It wants to send or be sent data, and there is no error. */
static bool data_ready(void) { return idle() && (in8(IDE + 7) & 0x29) == 8; }

static void command(uint8_t what, uint32_t sector, unsigned int n)
{
    idle();
    out8(IDE + 6, (uint8_t)(0xe0 | (sector >> 24 & 0xf)));
    out8(IDE + 2, (uint8_t)n);
    out8(IDE + 3, (uint8_t)sector);
    out8(IDE + 4, (uint8_t)(sector >> 8));
    out8(IDE + 5, (uint8_t)(sector >> 16));
    out8(IDE + 7, what);
}

static void fill(uint32_t seed)
{
    for (unsigned int i = 0; i < SECTORS * 128; i++) {
        written[i] = seed = seed * 1664525 + 1013904223;
        back[i] = 0;
    }
}

static bool is_back(void)
{
    for (unsigned int i = 0; i < SECTORS * 128; i++)
        if (written[i] != back[i])
            return false;
    return true;
}

static bool identify(void)
{
    uint16_t id[256];
    char model[41] = "";
    uint32_t size;

    out8(CONTROL, 2); /* no interrupts */
    if (in8(IDE + 7) == 0xff)
        return result("IDE", false, "nobody answers");
    command(0xec, 0, 0);
    if (!in8(IDE + 7) || !data_ready())
        return result("IDE", false, "no disk, status %x", in8(IDE + 7));
    in32_rep(IDE, id, 128);
    size = id[60] | (uint32_t)id[61] << 16;
    for (unsigned int i = 0; i < 20; i++)
        model[2 * i] = (char)(id[27 + i] >> 8), model[2 * i + 1] = (char)id[27 + i];
    note("disk: %s, %u sectors", model, size);
    if (!result("IDE", id[49] & 0x200 && size >= 64, "a disk of LBA"))
        return false;
    first = size - SECTORS;
    return true;
}

static void polled(void)
{
    bool good = true;

    fill(1);
    for (unsigned int i = 0; i < SECTORS && good; i++) {
        command(0x30, first + i, 1);
        good = data_ready();
        if (good)
            out32_rep(IDE, written + 128 * i, 128);
        good &= idle() && !(in8(IDE + 7) & 0x21);
    }
    command(0x20, first, SECTORS);
    for (unsigned int i = 0; i < SECTORS && good; i++) {
        good = data_ready();
        in32_rep(IDE, back + 128 * i, 128);
    }
    result("IDE", good && is_back(), "sectors written and read, by polling");
    command(0x20, first + SECTORS, 1);
    idle();
    result("IDE", in8(IDE + 7) & 1 && in8(IDE + 1) & 0x14, "a sector behind the end is an error");
}

static void interrupt(void)
{
    bad_status |= in8(IDE + 7) & 0x21; /* which acknowledges it */
    interrupts++;
    apic_eoi();
}

static void by_interrupts(void)
{
    bool good = true;

    fill(2);
    ioapic_route(14, interrupt);
    idle();
    in8(IDE + 7);
    out8(CONTROL, 0);
    interrupts = bad_status = 0;
    command(0x30, first, SECTORS);
    for (unsigned int i = 0; i < SECTORS && good; i++) { /* there is none before the first sector */
        good = data_ready();
        if (good)
            out32_rep(IDE, written + 128 * i, 128);
        good &= wait_count(&interrupts, i + 1, 500);
    }
    result("IDE", good && !bad_status, "%u interrupts while 8 sectors were written", interrupts);
    interrupts = 0;
    command(0x20, first, SECTORS);
    for (unsigned int i = 0; i < SECTORS && good; i++) {
        good = wait_count(&interrupts, i + 1, 500);
        in32_rep(IDE, back + 128 * i, 128);
    }
    result("IDE", good && !bad_status && is_back(), "%u interrupts while they were read", interrupts);
}

static bool dma(bool read, void *buf, unsigned int bytes)
{
    static struct {
        uint32_t address;
        uint16_t count, flags;
    } table[2] __attribute__((aligned(16)));
    const struct deadline d = deadline(500);
    uint8_t status;

    table[0].address = (uint32_t)buf;
    table[0].count = (uint16_t)(bytes / 2);
    table[0].flags = 0;
    table[1].address = (uint32_t)buf + bytes / 2;
    table[1].count = (uint16_t)(bytes / 2);
    table[1].flags = 0x8000; /* the last */
    out8(bus_master, read ? 8 : 0);
    out8(bus_master + 2, in8(bus_master + 2) | 6);
    out32(bus_master + 4, (uint32_t)table);
    interrupts = bad_status = 0;
    command(read ? 0xc8 : 0xca, first, SECTORS);
    out8(bus_master, read ? 9 : 1);
    interrupts_on();
    while (!interrupts && !is_over(&d))
        wait_a_little();
    interrupts_off();
    status = in8(bus_master + 2);
    out8(bus_master, read ? 8 : 0);
    return interrupts == 1 && !bad_status && (status & 7) == 4;
}

static void by_dma(void)
{
    bool good;

    if (!bus_master) {
        result("IDE", false, "there is no bus master");
        return;
    }
    fill(3);
    good = dma(false, written, sizeof(written));
    result("IDE", good, "sectors written by the bus master, and one interrupt");
    good = dma(true, back, sizeof(back));
    result("IDE", good && is_back(), "sectors read by the bus master");
}

void ide_test(void)
{
    if (!identify())
        return;
    polled();
    by_interrupts();
    by_dma();
    out8(CONTROL, 2);
    ioapic_route(14, NULL);
    command(0xe7, 0, 0); /* flush */
    result("IDE", idle() && !(in8(IDE + 7) & 0x21), "flushed");
}
