// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a channel's buffer is filled and emptied: by the guest's own accesses to the data port, or by the bus master.
 *
 * The bus master reads a table of physical region descriptors from guest memory, one after the other:
 *
 *        31                             0 63     62 ... 48 47          32
 *       | address, even                  | last |         | bytes, even  |      0 bytes are 64 KiB
 *
 * and moves bytes between those places and the drive as long as the drive has some, or wants some. It stops behind the
 * last descriptor; a drive that is not through then waits until it is started again. The table lies within 64 KiB, as
 * the datasheet demands, so it ends there at the latest. What it cannot read, or move, stops it with the error bit.
 */
#include "rings/dm/ide_private.h"

#include <string.h>

/* Registers of a channel: command, status, and the table's address */
#define BM_COMMAND   0
#define BM_START     0x01
#define BM_TO_MEMORY 0x08 /* kept: the drive's command says which way bytes go */
#define BM_STATUS    2
#define BM_ACTIVE    0x01
#define BM_ERROR     0x02
#define BM_INTERRUPT 0x04
#define BM_DRIVES    0x60
#define BM_TABLE     4
#define PRD_LAST     0x80000000u
#define TABLE_END    0xfff8u /* of 64 KiB: where the last one can be */

/* --- the bus master --- */

static bool bm_fail(struct ide_bus_master *bm)
{
    bm->status = (uint8_t)((bm->status & ~BM_ACTIVE) | BM_ERROR);
    return false;
}

static bool bm_fetch(struct ide_channel *ch)
{
    struct ide_bus_master *bm = &ch->bm;
    struct dm_board *b = ch->ide->board;
    uint32_t prd[2];

    if (b->ops->dma_read(b, bm->next, prd, sizeof(prd)))
        return bm_fail(bm);
    bm->addr = prd[0] & ~1u;
    bm->left = prd[1] & 0xfffe ? prd[1] & 0xfffe : 0x10000;
    bm->last = (prd[1] & PRD_LAST) || (bm->next & 0xffff) >= TABLE_END;
    bm->next += sizeof(prd);
    return true;
}

/* As much of the buffer as fits one descriptor. */
static bool bm_move(struct ide_channel *ch)
{
    struct ide_bus_master *bm = &ch->bm;
    struct ide_moving *m = &ch->moving;
    struct dm_board *b = ch->ide->board;
    const uint32_t nr = bm->left < m->end - m->pos ? bm->left : m->end - m->pos;

    if (m->in ? b->ops->dma_write(b, bm->addr, ch->buf + m->pos, nr)
              : b->ops->dma_read(b, bm->addr, ch->buf + m->pos, nr))
        return bm_fail(bm);
    bm->addr += nr;
    bm->left -= nr;
    m->pos += nr;
    if (!bm->left && bm->last)
        bm->status &= (uint8_t)~BM_ACTIVE;
    return true;
}

static void moved(struct ide_channel *ch)
{
    ch->moving.on = false;
    ch->moving.then(ide_selected(ch));
}

/* What can be moved is. What follows a full buffer comes back here, and is left to the one who is here already. */
static void bm_run(struct ide_channel *ch)
{
    struct ide_bus_master *bm = &ch->bm;

    if (bm->busy)
        return;
    bm->busy = true;
    while (ch->moving.on && ch->moving.dma && (bm->status & BM_ACTIVE)) {
        if ((!bm->left && !bm_fetch(ch)) || !bm_move(ch))
            break;
        if (ch->moving.pos == ch->moving.end)
            moved(ch);
    }
    bm->busy = false;
}

static void bm_command(struct ide_channel *ch, uint8_t val)
{
    struct ide_bus_master *bm = &ch->bm;
    const bool was = bm->command & BM_START;

    bm->command = val & (BM_START | BM_TO_MEMORY);
    if (!(val & BM_START)) {
        bm->status &= (uint8_t)~BM_ACTIVE;
    } else if (!was) {
        bm->status |= BM_ACTIVE;
        bm->next = bm->table;
        bm->left = 0;
        bm->last = false;
        bm_run(ch);
    }
}

static uint8_t bm_read(void *dev, unsigned int offset)
{
    const struct ide_bus_master *bm = &((struct ide *)dev)->channel[offset / 8].bm;

    switch (offset % 8) {
    case BM_COMMAND: return bm->command;
    case BM_STATUS: return bm->status;
    case BM_TABLE:
    case BM_TABLE + 1:
    case BM_TABLE + 2:
    case BM_TABLE + 3: return (uint8_t)(bm->table >> 8 * (offset % 4));
    default: return 0;
    }
}

static void bm_write(void *dev, unsigned int offset, uint8_t val)
{
    struct ide_channel *ch = &((struct ide *)dev)->channel[offset / 8];
    struct ide_bus_master *bm = &ch->bm;
    const unsigned int shift = 8 * (offset % 4);

    switch (offset % 8) {
    case BM_COMMAND: bm_command(ch, val); break;
    case BM_STATUS:
        bm->status = (uint8_t)((bm->status & ~BM_DRIVES & ~(val & (BM_ERROR | BM_INTERRUPT))) | (val & BM_DRIVES));
        break;
    case BM_TABLE:
    case BM_TABLE + 1:
    case BM_TABLE + 2:
    case BM_TABLE + 3: bm->table = ((bm->table & ~(0xffu << shift)) | (uint32_t)val << shift) & ~3u; break;
    default: break;
    }
}

static uint64_t bm_region_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, bm_read, offset, size);
}

static void bm_region_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, bm_write, offset, size, val);
}

const struct dm_region_ops ide_bm_ops = { .read = bm_region_read, .write = bm_region_write };

/* --- the data port --- */

/* It is a word wide: a byte takes a word along, a dword two. NULL: the drive wants none, or not this way. */
static uint8_t *port_at(struct ide_channel *ch, bool in)
{
    const struct ide_drive *d = ide_selected(ch);
    const struct ide_moving *m = &ch->moving;

    return (d->status & ATA_DRQ) && m->on && !m->dma && m->in == in ? ch->buf + m->pos : NULL;
}

static void port_moved(struct ide_channel *ch, unsigned int size)
{
    struct ide_moving *m = &ch->moving;

    m->pos += size == 1 ? 2 : size;
    if (m->pos < m->end)
        return;
    ide_selected(ch)->status &= (uint8_t)~ATA_DRQ;
    moved(ch);
}

uint32_t ide_data_read(struct ide_channel *ch, unsigned int size)
{
    const uint8_t *at = port_at(ch, true);
    const uint32_t left = ch->moving.end - ch->moving.pos;
    uint32_t val = 0;

    if (!at)
        return ide_selected(ch)->kind == IDE_NONE ? 0 : ~0u;
    memcpy(&val, at, left < size ? left : size);
    port_moved(ch, size);
    return val;
}

void ide_data_write(struct ide_channel *ch, unsigned int size, uint32_t val)
{
    uint8_t *at = port_at(ch, false);

    if (!at)
        return;
    memcpy(at, &val, size);
    if (size == 1)
        at[1] = 0;
    port_moved(ch, size);
}

/* --- both --- */

static void begin(struct ide_drive *d, uint32_t pos, uint32_t end, bool in, bool interrupt,
                  void (*fn)(struct ide_drive *d))
{
    struct ide_channel *ch = d->channel;

    ch->moving = (struct ide_moving){ .on = true, .in = in, .dma = ch->job.dma, .pos = pos, .end = end, .then = fn };
    if (ch->job.dma) {
        d->status = ATA_BSY;
        bm_run(ch);
        return;
    }
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (interrupt)
        ide_interrupt(d);
}

void ide_to_guest(struct ide_drive *d, uint32_t pos, uint32_t end, void (*fn)(struct ide_drive *d))
{
    if ((end - pos) % 2) /* the rest of the last word; nothing else follows then */
        d->channel->buf[end++] = 0;
    begin(d, pos, end, true, true, fn);
}

void ide_from_guest(struct ide_drive *d, uint32_t end, bool interrupt, void (*fn)(struct ide_drive *d))
{
    begin(d, 0, end, false, interrupt, fn);
}
