// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The physical machine in its DSDT: what a dom0 that is a guest cannot find by itself.
 *
 *      Device (PCI0) { _HID PNP0A03, _CRS: bus 0 to 255, all ports; _PRT: the pins of device n to GSI 16 + n % 8 }
 *      Device (COM1) { _HID PNP0501, _CRS: ports 0x3f8 to 0x3ff, interrupt 4 }
 *      Device (RTC0) { _HID PNP0B00, _CRS: ports 0x70 and 0x71; no interrupt }
 *
 * Resources are descriptors of ACPI Specification 5.0, chapter 6.4; the routing is that of rings/phys/phys.h.
 */
#include "tools/build/acpi_private.h"

#include <string.h>

#define PCI_SLOTS 32
#define PCI_GSI   16

static void put32(struct acpi_area *a, uint32_t n)
{
    for (unsigned int i = 0; i < 4; i++)
        aml_put8(a, (uint8_t)(n >> 8 * i));
}

static void put_dword(struct acpi_area *a, uint32_t n)
{
    aml_put8(a, AML_DWORD);
    put32(a, n);
}

/* "PNP0A03" in four bytes: three letters of five bits, and four digits. */
static void put_eisa_id(struct acpi_area *a, const char *name, uint16_t product)
{
    const uint8_t id[4] = { ('P' - 0x40) << 2 | ('N' - 0x40) >> 3, (uint8_t)(('N' - 0x40) << 5 | ('P' - 0x40)),
                            (uint8_t)(product >> 8), (uint8_t)product };

    aml_name(a, name);
    aml_put8(a, AML_DWORD);
    aml_put(a, id, sizeof(id));
}

/* Name (_CRS, Buffer () { the descriptors, and the end tag }) */
static void put_resources(struct acpi_area *a, const uint8_t *bytes, size_t size)
{
    size_t from;

    aml_name(a, "_CRS");
    aml_put8(a, AML_BUFFER);
    from = a->used;
    aml_put8(a, AML_BYTE);
    aml_put8(a, (uint8_t)(size + 2));
    aml_put(a, bytes, size);
    aml_put(a, "\x79", 2); /* its checksum is 0: there is none */
    aml_length(a, from);
}

/* Name (_PRT, Package () { Package () { slot, pin, 0, GSI }, ... }) */
static void put_routing(struct acpi_area *a)
{
    size_t all, one;

    aml_name(a, "_PRT");
    aml_put8(a, AML_PACKAGE);
    all = a->used;
    aml_put8(a, PCI_SLOTS * 4);
    for (unsigned int i = 0; i < PCI_SLOTS * 4; i++) {
        aml_put8(a, AML_PACKAGE);
        one = a->used;
        aml_put8(a, 4);
        put_dword(a, (i / 4) << 16 | 0xffff);
        aml_put8(a, AML_BYTE);
        aml_put8(a, (uint8_t)(i % 4));
        aml_put8(a, 0);
        aml_put8(a, AML_BYTE);
        aml_put8(a, (uint8_t)(PCI_GSI + i / 4 % 8));
        aml_length(a, one);
    }
    aml_length(a, all);
}

static size_t device_begin(struct acpi_area *a, const char *name, uint16_t product)
{
    size_t from;

    aml_put(a, AML_DEVICE, 2);
    from = a->used;
    aml_put(a, name, 4);
    put_eisa_id(a, "_HID", product);
    aml_name(a, "_UID");
    aml_put8(a, 0);
    return from;
}

void acpi_put_machine(struct acpi_area *a)
{
    /* A window of words: type, flags, granularity, first, last, offset, length. */
    static const uint8_t pci[] = {
        0x88, 13, 0,    2,    0x0c, 0,    0, 0, 0, 0,    0xff, 0,    0, 0, 0,    1, /* buses 0 to 255 */
        0x47, 1,  0xf8, 0x0c, 0xf8, 0x0c, 1, 8,                                     /* the configuration's own ports */
        0x88, 13, 0,    1,    0x0c, 3,    0, 0, 0, 0,    0xf7, 0x0c, 0, 0, 0xf8, 0x0c, /* those below, */
        0x88, 13, 0,    1,    0x0c, 3,    0, 0, 0, 0x0d, 0xff, 0xff, 0, 0, 0,    0xf3, /* and above */
    };
    static const uint8_t com1[] = { 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x22, 1 << 4, 0 };
    static const uint8_t rtc[] = { 0x47, 1, 0x70, 0, 0x70, 0, 1, 2 };
    size_t from = device_begin(a, "PCI0", 0x0a03);

    put_resources(a, pci, sizeof(pci));
    put_routing(a);
    aml_length(a, from);
    from = device_begin(a, "COM1", 0x0501);
    put_resources(a, com1, sizeof(com1));
    aml_length(a, from);
    from = device_begin(a, "RTC0", 0x0b00);
    put_resources(a, rtc, sizeof(rtc));
    aml_length(a, from);
}
