// SPDX-License-Identifier: GPL-2.0-or-later
/* ACPI's fixed hardware: rings/phys/power.h says what is there. */
#include "rings/phys/power.h"

#define PM1  0xb000
#define GPE0 0xafe0

#define SCI_EN 1u
#define SLP_EN (1u << 13) /* reads as 0 */

/* A byte of these registers; the others are status. */
static uint16_t *register_at(struct phys_power *p, unsigned int offset)
{
    return offset >= 4 ? &p->pm1_control : offset >= 2 ? &p->pm1_enable : NULL;
}

static uint8_t pm1_byte(void *dev, unsigned int offset)
{
    const uint16_t *r = register_at(dev, offset);

    return r ? (uint8_t)(*r >> 8 * (offset & 1)) : 0;
}

static void pm1_byte_set(void *dev, unsigned int offset, uint8_t val)
{
    struct phys_power *p = dev;
    uint16_t *r = register_at(p, offset);

    if (r)
        *r = (uint16_t)((*r & ~(0xff << 8 * (offset & 1))) | val << 8 * (offset & 1));
    p->pm1_control = (uint16_t)((p->pm1_control | SCI_EN) & ~SLP_EN);
}

static uint64_t pm1_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, pm1_byte, offset, size);
}

static void pm1_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, pm1_byte_set, offset, size, val);
}

static uint8_t gpe0_byte(void *dev, unsigned int offset)
{
    const struct phys_power *p = dev;

    return offset < 2 ? 0 : (uint8_t)(p->gpe0_enable >> 8 * (offset & 1));
}

static void gpe0_byte_set(void *dev, unsigned int offset, uint8_t val)
{
    struct phys_power *p = dev;

    if (offset >= 2)
        p->gpe0_enable = (uint16_t)((p->gpe0_enable & ~(0xff << 8 * (offset & 1))) | val << 8 * (offset & 1));
}

static uint64_t gpe0_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, gpe0_byte, offset, size);
}

static void gpe0_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, gpe0_byte_set, offset, size, val);
}

static const struct dm_region_ops pm1_ops = { pm1_read, pm1_write }, gpe0_ops = { gpe0_read, gpe0_write };

void phys_power_init(struct phys_power *p, struct dm_board *board)
{
    *p = (struct phys_power){ .pm1_control = SCI_EN };
    dm_region_init(&p->pm1, &pm1_ops, p, DM_PORT, PM1, 6);
    dm_region_init(&p->gpe0, &gpe0_ops, p, DM_PORT, GPE0, 4);
    board->ops->region(board, &p->pm1);
    board->ops->region(board, &p->gpe0);
}
