// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ACPI tables of a PVH guest.
 *
 * Concept: a guest without firmware still asks ACPI which processors there are, and whether there is an IO-APIC. The
 * toolstack writes the tables, into pages that are no RAM of the guest, and start_info says where they begin:
 *
 *      rsdp --> XSDT --> FADT --> FACS, DSDT           RSDT and the FADT of ACPI 1.0: the same with addresses of 32
 *                    `-> MADT                          bits, for guests that know no other
 *
 * As tools/libacpi of Xen 4.17 fills them in for libxl: the same header fields, FADT of revision 5, MADT with the local
 * APIC of vCPU n at id 2 * n, and not enabled if the vCPU is not online at the start. Simplifies its DSDT: the
 * processors are there, but what Xen has for plugging them in (an ACPI event that its PVH guests never get) is not; so
 * the page acpi_info, which only that reads, is missing, too.
 *
 * Invariants: a pure function. Every table adds up to 0, begins at a multiple of 16, and lies below 4 GiB.
 */
#ifndef TOOLS_BUILD_ACPI_H
#define TOOLS_BUILD_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_VCPUS_MAX 128                  /* HVM_MAX_VCPUS of <xen/hvm/hvm_info_table.h> */
#define ACPI_SIZE_MAX  (16 * 4096)          /* as in libxl */
#define ACPI_RSDP_SIZE 64                   /* of which the structure is 36 */
#define ACPI_ADDRESS   UINT32_C(0xfc000000) /* where libxl puts them: ACPI_INFO_PHYSICAL_ADDRESS */

struct acpi_config {
    uint32_t at;            /* where the tables begin: a page */
    uint32_t rsdp_at;       /* 0: in a page of its own after the tables */
    unsigned int nr_vcpus;  /* 1 to ACPI_VCPUS_MAX */
    unsigned int nr_online; /* the first so many are enabled; 1 to nr_vcpus */
    bool io_apic;           /* at 0xfec00000, with the overrides of ISA interrupts that hvmloader states */
    bool hardware_reduced;  /* unlike libxl: none of ACPI's fixed hardware, and no interrupt of it */
    bool machine;           /* the physical one: the DSDT has its PCI bus, serial line and clock (rings/phys/) */
    bool s5;                /* the DSDT has _S5: for machines with PM1 blocks */
};

struct acpi_tables {
    uint8_t bytes[ACPI_SIZE_MAX]; /* at config.at */
    size_t size;                  /* whole pages */
    uint8_t rsdp[ACPI_RSDP_SIZE];
    uint32_t rsdp_at;
};

void acpi_build(struct acpi_tables *t, const struct acpi_config *c);

#endif
