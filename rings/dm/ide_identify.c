// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a drive says of itself: IDENTIFY DEVICE and IDENTIFY PACKET DEVICE, 256 words each.
 *
 * Source: ATA/ATAPI-6, sections 8.15 and 8.16.
 */
#include "rings/dm/ide_private.h"

#include <stdio.h>
#include <string.h>

static void word(uint8_t *out, unsigned int nr, uint32_t val)
{
    out[2 * nr] = (uint8_t)val;
    out[2 * nr + 1] = (uint8_t)(val >> 8);
}

static void words(uint8_t *out, unsigned int nr, unsigned int count, uint64_t val)
{
    for (unsigned int i = 0; i < count; i++)
        word(out, nr + i, (uint32_t)(val >> 16 * i) & 0xffff);
}

/* Letters lie in words the upper half first, and blanks fill the rest. */
static void string(uint8_t *out, unsigned int nr, unsigned int count, const char *s)
{
    const size_t len = strlen(s);

    for (size_t i = 0; i < 2 * count; i++)
        out[(2 * nr + i) ^ 1] = i < len ? (uint8_t)s[i] : ' ';
}

static const char *model(const struct ide_drive *d) { return d->kind == IDE_CD ? "xenlab CD-ROM" : "xenlab HARDDISK"; }

/* Modes that can be had, and the one that is set. */
static uint32_t modes(const struct ide_drive *d, unsigned int family, uint32_t all)
{
    return all | (d->mode >> 3 == family ? 0x100u << (d->mode & 7) : 0);
}

/* What both kinds have in the same words. */
static void common(const struct ide_drive *d, uint8_t *out)
{
    char serial[21];

    snprintf(serial, sizeof(serial), "XL%05u", 1 + 2 * d->channel->nr + d->unit);
    string(out, 10, 10, serial);
    string(out, 23, 4, IDE_FIRMWARE);
    string(out, 27, 20, model(d));
    word(out, 48, 1);      /* the data port can be read by dwords */
    word(out, 49, 0x0f00); /* DMA, LBA, IORDY */
    word(out, 50, 0x4000);
    word(out, 51, 0x0200); /* PIO 2 without IORDY */
    word(out, 53, 7);      /* words 54 to 58, 64 to 70 and 88 are valid */
    word(out, 63, modes(d, 4, 7));
    word(out, 64, 3); /* PIO 3 and 4 */
    words(out, 65, 4, UINT64_C(0x0078007800780078));
    word(out, 80, 0x0070); /* ATA/ATAPI-4 to 6 */
    word(out, 88, modes(d, 8, 0x3f));
    word(out, 93, d->unit ? 0x6900 : 0x600b); /* how it was reset: found by its jumper, the cable has 80 wires */
}

static void identify_disk(const struct ide_drive *d, uint8_t *out)
{
    const uint64_t sectors = d->disk->sectors, lba28 = sectors < 0xfffffff ? sectors : 0xfffffff;
    const uint64_t chs = (uint64_t)d->cylinders * d->heads * d->track;
    const uint64_t tracks = sectors / (16 * 63);

    word(out, 0, 0x0040);
    word(out, 1, (uint32_t)(tracks > 16383 ? 16383 : tracks ? tracks : 1));
    word(out, 3, 16);
    word(out, 6, 63);
    word(out, 47, 0x8000 | ATA_MULTIPLE_MAX);
    word(out, 54, d->cylinders);
    word(out, 55, d->heads);
    word(out, 56, d->track);
    words(out, 57, 2, chs < sectors ? chs : sectors);
    word(out, 59, d->multiple ? 0x100 | d->multiple : 0);
    words(out, 60, 2, lba28);
    word(out, 82, 0x4068); /* NOP, look-ahead, write cache, power management */
    word(out, 83, 0x7400); /* FLUSH CACHE, also EXT, 48-bit addresses */
    word(out, 84, 0x4000);
    word(out, 85, 0x4008 | (d->write_cache ? 0x20 : 0) | (d->look_ahead ? 0x40 : 0));
    word(out, 86, 0x3400);
    word(out, 87, 0x4000);
    words(out, 100, 4, sectors);
}

static void identify_cd(const struct ide_drive *d, uint8_t *out)
{
    word(out, 0, 0x85c0); /* a CD, removable; DRQ follows PACKET at once; 12 bytes */
    words(out, 71, 2, 0x001e001e);
    word(out, 82, 0x4218); /* NOP, DEVICE RESET, PACKET, power management */
    word(out, 83, 0x4000);
    word(out, 84, 0x4000);
    word(out, 85, 0x4218);
    word(out, 87, 0x4000);
}

void ide_identify(const struct ide_drive *d, uint8_t *out)
{
    memset(out, 0, SECTOR_SIZE);
    common(d, out);
    if (d->kind == IDE_CD)
        identify_cd(d, out);
    else
        identify_disk(d, out);
}
