// SPDX-License-Identifier: GPL-2.0-or-later
/* What both kinds of drives do: interrupt, take time, end a command, say after a reset what they are. */
#include "rings/dm/ide_private.h"

#include <string.h>

#define DIAGNOSTIC_OK 1
#define BM_INTERRUPT  4 /* of the bus master's status */
#define AWAY_AGAIN    MILLISECS(1)

static struct dm_board *board(const struct ide_channel *ch) { return ch->ide->board; }

/* --- interrupts --- */

void ide_irq_update(struct ide_channel *ch)
{
    const struct ide_drive *d = ide_selected(ch);
    const bool up = d->intrq && !(ch->device_control & ATA_NIEN);

    if (up == ch->line)
        return;
    ch->line = up;
    if (up)
        ch->bm.status |= BM_INTERRUPT;
    board(ch)->ops->isa_irq(board(ch), 14 + ch->nr, up);
}

void ide_interrupt(struct ide_drive *d)
{
    if (d->disk && d->disk->fault.drop) {
        d->disk->fault.drop--;
        return;
    }
    d->intrq = true;
    ide_irq_update(d->channel);
}

void ide_done(struct ide_drive *d, uint8_t status, uint8_t error)
{
    d->status = status;
    d->error = error;
    ide_interrupt(d);
}

/* --- the disk's time --- */

void ide_due(void *dev)
{
    struct ide_channel *ch = dev;
    struct ide_drive *d = ide_selected(ch);

    if (d->disk && d->disk->away)
        board(ch)->ops->timer(board(ch), &ch->timer, board(ch)->ops->now(board(ch)) + AWAY_AGAIN);
    else
        ch->at_due(d);
}

void ide_later(struct ide_drive *d, enum disk_op op, uint64_t sector, uint64_t nr, void (*fn)(struct ide_drive *d))
{
    struct ide_channel *ch = d->channel;
    const s_time_t due = disk_due(d->disk, op, sector, nr, board(ch)->ops->now(board(ch)));

    d->status = ATA_BSY;
    ch->at_due = fn;
    board(ch)->ops->timer(board(ch), &ch->timer, due + d->disk->fault.slower);
}

void ide_when_here(struct ide_drive *d, void (*fn)(struct ide_drive *d))
{
    if (!d->disk->away) {
        fn(d);
        return;
    }
    d->status = ATA_BSY;
    d->channel->at_due = fn;
    ide_due(d->channel);
}

void ide_stop(struct ide_channel *ch)
{
    ch->moving.on = false;
    board(ch)->ops->timer(board(ch), &ch->timer, 0);
}

/* --- what it is --- */

void ide_signature(struct ide_drive *d)
{
    memset(d->reg, 0, sizeof(d->reg));
    d->reg[IDE_NSECTOR][0] = d->reg[IDE_LBA_LOW][0] = 1;
    if (d->kind == IDE_CD) {
        d->reg[IDE_LBA_MID][0] = 0x14;
        d->reg[IDE_LBA_HIGH][0] = 0xeb;
    }
    d->error = DIAGNOSTIC_OK;
    /* A CD is ready for packets, and for nothing else. */
    d->status = d->kind == IDE_DISK ? ATA_DRDY | ATA_DSC : 0;
}

void ide_diagnostic(struct ide_channel *ch)
{
    ch->device = 0;
    for (unsigned int i = 0; i < 2; i++)
        ide_signature(&ch->drive[i]);
    if (ch->drive[0].kind != IDE_NONE)
        ide_interrupt(&ch->drive[0]);
    ide_irq_update(ch);
}
