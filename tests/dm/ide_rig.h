// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An IDE function with two disks and a CD, and what a driver does with it: the test is the guest.
 *
 * Disks hold a pattern, of which each dword tells its place, until they are written.
 */
#ifndef TESTS_DM_IDE_RIG_H
#define TESTS_DM_IDE_RIG_H

#include "rings/dm/ide_private.h"
#include "tests/dm/board.h"

#define RIG_SMALL 40000u                        /* sectors of the first disk */
#define RIG_LARGE (UINT64_C(0x10000000) + 5000) /* of the second one: 28 bits do not suffice */
#define RIG_CD    1000u                         /* sectors of 2048 bytes */
#define BM        0xc000                        /* the bus master's ports */
#define IDE_DEVFN (1 << 3 | 1)
#define PRD_TABLE 0x8000u
#define DMA_AREA  0x20000u

struct rig {
    struct board *board;
    struct pci_bus bus;
    struct ide ide;
    struct arena *arena;
    struct disk_file file[3];
    struct disk *disk[3];
    unsigned int base, bm, irq;   /* of the channel that is used */
    unsigned int flushed, broken; /* broken: so many accesses of a file fail */
};

static struct rig *rig;

static inline uint32_t pattern(uint64_t sector, unsigned int dword)
{
    return (uint32_t)((sector * 128 + dword) * 2654435761u);
}

static inline int rig_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    if (rig->broken) {
        rig->broken--;
        return -EIO;
    }
    for (size_t i = 0; i < len; i += 4) {
        const uint32_t val = pattern((at + i) / 512, (unsigned int)(at + i) % 512 / 4);

        memcpy((uint8_t *)buf + i, &val, 4);
    }
    return 0;
}

static const struct disk_file_ops rig_file_ops = { .read = rig_read };

static inline void rig_channel(unsigned int nr)
{
    rig->base = nr ? 0x170 : 0x1f0;
    rig->bm = BM + 8 * nr;
    rig->irq = 14 + nr;
}

static inline int rig_setup(void **state)
{
    static const uint64_t sectors[] = { RIG_SMALL, RIG_LARGE, RIG_CD * 4 };

    rig = calloc(1, sizeof(*rig));
    rig->board = board_create();
    rig->arena = arena_create();
    pci_bus_init(&rig->bus, &rig->board->dm);
    ide_init(&rig->ide, &rig->bus, IDE_DEVFN);
    for (unsigned int i = 0; i < 3; i++) {
        rig->file[i] = (struct disk_file){ .ops = &rig_file_ops, .sectors = sectors[i] };
        rig->disk[i] = disk_create(rig->arena, &rig->file[i], "disk");
    }
    ide_attach(&rig->ide, 0, 0, IDE_DISK, rig->disk[0]);
    ide_attach(&rig->ide, 0, 1, IDE_DISK, rig->disk[1]);
    ide_attach(&rig->ide, 1, 0, IDE_CD, rig->disk[2]);
    pci_config_write(&rig->bus, IDE_DEVFN, 0x20, 4, BM);
    pci_config_write(&rig->bus, IDE_DEVFN, 4, 2, 5);
    rig_channel(0);
    return 0;
}

static inline int rig_teardown(void **state)
{
    arena_destroy(rig->arena);
    free(rig->board);
    free(rig);
    return 0;
}

static inline void out(unsigned int reg, uint8_t val) { outb(rig->board, (uint16_t)(rig->base + reg), val); }
static inline uint8_t in(unsigned int reg) { return inb(rig->board, (uint16_t)(rig->base + reg)); }
static inline uint8_t alt_status(void) { return inb(rig->board, (uint16_t)(rig->base + 0x206)); }
static inline void control(uint8_t val) { outb(rig->board, (uint16_t)(rig->base + 0x206), val); }
static inline bool line(void) { return rig->board->isa[rig->irq]; }

/* Time passes until the drive is no longer busy; its status, read without taking the interrupt back. */
static inline uint8_t settle(void)
{
    for (unsigned int i = 0; i < 2000 && (alt_status() & ATA_BSY); i++)
        pass(rig->board, MILLISECS(1));
    return alt_status();
}

/* Parameters of 28 bits, LBA, of unit 0 or 1. */
static inline void params(unsigned int unit, uint32_t lba, unsigned int nr)
{
    out(6, (uint8_t)(0xe0 | unit << 4 | (lba >> 24 & 0xf)));
    out(2, (uint8_t)nr);
    out(3, (uint8_t)lba);
    out(4, (uint8_t)(lba >> 8));
    out(5, (uint8_t)(lba >> 16));
}

/* Of 48 bits. */
static inline void params_ext(unsigned int unit, uint64_t lba, unsigned int nr)
{
    out(6, (uint8_t)(0x40 | unit << 4));
    out(2, (uint8_t)(nr >> 8));
    out(3, (uint8_t)(lba >> 24));
    out(4, (uint8_t)(lba >> 32));
    out(5, (uint8_t)(lba >> 40));
    out(2, (uint8_t)nr);
    out(3, (uint8_t)lba);
    out(4, (uint8_t)(lba >> 8));
    out(5, (uint8_t)(lba >> 16));
}

static inline void port_in(void *buf, size_t len)
{
    for (size_t i = 0; i < len; i += 4) {
        const uint32_t val = inl(rig->board, (uint16_t)rig->base);

        memcpy((uint8_t *)buf + i, &val, len - i < 4 ? len - i : 4);
    }
}

static inline void port_out(const void *buf, size_t len)
{
    for (size_t i = 0; i < len; i += 4) {
        uint32_t val;

        memcpy(&val, (const uint8_t *)buf + i, 4);
        outl(rig->board, (uint16_t)rig->base, val);
    }
}

/* One descriptor of the table. */
static inline void prd(unsigned int nr, uint32_t addr, uint32_t len, bool last)
{
    const uint32_t desc[2] = { addr, (len & 0xffff) | (last ? 0x80000000u : 0) };

    memcpy(rig->board->memory + PRD_TABLE + 8 * nr, desc, 8);
}

static inline void bm_start(bool to_memory)
{
    outl(rig->board, (uint16_t)(rig->bm + 4), PRD_TABLE);
    outb(rig->board, (uint16_t)(rig->bm + 2), 6);
    outb(rig->board, (uint16_t)rig->bm, (uint8_t)(to_memory ? 8 : 0));
    outb(rig->board, (uint16_t)rig->bm, (uint8_t)(to_memory ? 9 : 1));
}

static inline uint8_t bm_status(void) { return inb(rig->board, (uint16_t)(rig->bm + 2)); }
static inline void bm_stop(void) { outb(rig->board, (uint16_t)rig->bm, 0); }

static inline void assert_pattern(const void *buf, uint64_t sector, unsigned int nr)
{
    for (unsigned int i = 0; i < nr * 128; i++) {
        uint32_t val;

        memcpy(&val, (const uint8_t *)buf + 4 * i, 4);
        assert_int_equal(val, pattern(sector + i / 128, i % 128));
    }
}

/* --- packets --- */

/* It is taken; its answer, or its end, is there. */
static inline uint8_t packet_send(const uint8_t *p, unsigned int limit, bool dma)
{
    out(6, 0xa0);
    out(1, dma);
    out(4, (uint8_t)limit);
    out(5, (uint8_t)(limit >> 8));
    out(7, 0xa0);
    assert_int_equal(settle() & (ATA_BSY | ATA_DRQ | ATA_ERR), ATA_DRQ);
    assert_int_equal(in(2), ATAPI_COMMAND);
    port_out(p, 12);
    return settle();
}

/* An answer without DMA, in as many pieces as there are: how many bytes there were; -1: it failed. */
static inline int packet_in(const uint8_t *p, void *buf, unsigned int room, unsigned int limit)
{
    unsigned int got = 0;
    uint8_t status = packet_send(p, limit, false);

    while (status & ATA_DRQ) {
        unsigned int nr = in(4) | (unsigned int)in(5) << 8;

        assert_int_equal(in(2), ATAPI_IN);
        assert_true(line() && nr && nr <= limit && nr <= room - got);
        assert_true(in(7) & ATA_DRQ);
        assert_false(line());
        for (unsigned int i = 0; i < nr; i += 2) {
            const uint16_t val = inw(rig->board, (uint16_t)rig->base);

            memcpy((uint8_t *)buf + got + i, &val, nr - i < 2 ? nr - i : 2);
        }
        got += nr;
        status = settle();
    }
    assert_true(line());
    assert_int_equal(in(2), ATAPI_IN | ATAPI_COMMAND);
    return in(7) & ATA_ERR ? -1 : (int)got;
}

/* Key, code and qualifier of what failed. */
static inline uint32_t sense(void)
{
    uint8_t p[12] = { 0x03, 0, 0, 0, 18 }, buf[18];

    assert_int_equal(packet_in(p, buf, sizeof(buf), 18), 18);
    assert_int_equal(buf[0], 0x70);
    return (uint32_t)buf[2] << 16 | (uint32_t)buf[12] << 8 | buf[13];
}

#endif
