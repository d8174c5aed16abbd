// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing AML: see acpi_private.h. */
#include "tools/build/acpi_private.h"

#include <assert.h>
#include <string.h>

void *acpi_take(struct acpi_area *a, size_t size)
{
    uint8_t *p = a->bytes + a->used;

    assert(size <= ACPI_SIZE_MAX - a->used);
    a->used += size;
    return p;
}

void aml_put(struct acpi_area *a, const void *data, size_t size) { memcpy(acpi_take(a, size), data, size); }

void aml_put8(struct acpi_area *a, uint8_t byte) { aml_put(a, &byte, 1); }

void aml_name(struct acpi_area *a, const char *name)
{
    aml_put8(a, AML_NAME);
    aml_put(a, name, 4);
}

void aml_length(struct acpi_area *a, size_t from)
{
    const size_t body = a->used - from, n = body + 1 <= 0x3f ? 1 : body + 2 <= 0xfff ? 2 : 3, length = body + n;
    uint8_t *p = a->bytes + from;

    acpi_take(a, n);
    memmove(p + n, p, body);
    p[0] = (uint8_t)(n == 1 ? length : (n - 1) << 6 | (length & 0xf));
    for (size_t i = 1; i < n; i++)
        p[i] = (uint8_t)(length >> (8 * i - 4));
}
