// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of the clock chip: rings/dm/cmos.h says what is in it. */
#include "rings/dm/cmos.h"

#include <string.h>

static uint64_t cmos_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct cmos *c = dev;

    return offset ? c->bytes[c->index] : 0xff;
}

static void cmos_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct cmos *c = dev;

    if (offset)
        c->bytes[c->index] = (uint8_t)val;
    else
        c->index = val & 0x7f; /* bit 7 would keep NMIs back */
}

static const struct dm_region_ops cmos_ops = { cmos_read, cmos_write };

static void put16(struct cmos *c, unsigned int index, uint64_t val)
{
    const uint64_t most = val > 0xffff ? 0xffff : val;

    c->bytes[index] = (uint8_t)most;
    c->bytes[index + 1] = (uint8_t)(most >> 8);
}

/* What the nth letter is to a BIOS; 0: nothing. */
static unsigned int boot_device(const char *boot, size_t n)
{
    static const char letters[] = "acdn";
    const char *at = n < strlen(boot) ? strchr(letters, boot[n]) : NULL;

    return at ? (unsigned int)(at - letters) + 1 : 0;
}

void cmos_init(struct cmos *c, struct dm_board *board, uint64_t mem_below, uint64_t mem_above, const char *boot)
{
    const uint64_t mib = UINT64_C(1) << 20, above_1 = mem_below > mib ? mem_below - mib : 0;

    *c = (struct cmos){ 0 };
    put16(c, 0x15, 640);
    put16(c, 0x17, above_1 >> 10);
    put16(c, 0x30, above_1 >> 10);
    put16(c, 0x34, mem_below > 16 * mib ? (mem_below - 16 * mib) >> 16 : 0);
    put16(c, 0x5b, mem_above >> 16 & 0xffff);
    c->bytes[0x5d] = (uint8_t)(mem_above >> 32);
    c->bytes[0x3d] = (uint8_t)(boot_device(boot, 0) | boot_device(boot, 1) << 4);
    c->bytes[0x38] = (uint8_t)(boot_device(boot, 2) << 4 | 1);
    dm_region_init(&c->ports, &cmos_ops, c, DM_PORT, 0x70, 2);
    board->ops->region(board, &c->ports);
}

void cmos_state(struct cmos *c, struct dm_state *s)
{
    state_begin(s, "cmos", 0);
    STATE_MAX(s, c->index, sizeof(c->bytes) - 1);
    STATE_BYTES(s, c->bytes);
    state_end(s);
}
