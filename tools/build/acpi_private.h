// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of the ACPI tables share: writing AML, the code of a DSDT (ACPI Specification 5.0, chapter 20).
 */
#ifndef TOOLS_BUILD_ACPI_PRIVATE_H
#define TOOLS_BUILD_ACPI_PRIVATE_H

#include "tools/build/acpi.h"

struct acpi_area {
    uint8_t *bytes;
    size_t used;
    uint32_t at;
};

#define AML_NAME      0x08
#define AML_BYTE      0x0a
#define AML_DWORD     0x0c
#define AML_STRING    0x0d
#define AML_SCOPE     0x10
#define AML_BUFFER    0x11
#define AML_PACKAGE   0x12
#define AML_PROCESSOR "\x5b\x83"
#define AML_DEVICE    "\x5b\x82"

/* Room for the next piece, cleared. */
void *acpi_take(struct acpi_area *a, size_t size);
void aml_put(struct acpi_area *a, const void *data, size_t size);
void aml_put8(struct acpi_area *a, uint8_t byte);
/* Name (XXXX, ...), what follows being put next. */
void aml_name(struct acpi_area *a, const char *name);
/*
 * What began at `from` is complete: insert its length, which counts itself. Up to 63 it is one byte; else the first
 * byte says in its highest bits how many follow, and has the lowest four bits of the number.
 */
void aml_length(struct acpi_area *a, size_t from);

/* acpi_machine.c: within Scope (\_SB), the devices of the physical machine. */
void acpi_put_machine(struct acpi_area *a);

#endif
