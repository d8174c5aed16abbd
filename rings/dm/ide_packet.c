// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CD's packets: commands of twelve bytes, which are moved like data.
 *
 *      PACKET --> DRQ, "a command" --12 bytes--> executed --> DRQ, "to the guest", how many --> data; and so on
 *                                                         \-> status, "done", interrupt  <----'
 *
 * Concept: what a packet asks about is answered at once, from ide_cd.c, in the buffer. Sectors come from the disc after
 * its time, as many as the buffer holds at once. Without DMA they are moved in pieces of what the guest named as its
 * limit. Whatever goes wrong is said by a key, a code and a qualifier, which REQUEST SENSE gets.
 *
 * Source: ATA/ATAPI-6, section 9.8 (the protocol) and 8.23 (PACKET); SFF-8020i; MMC-2 (T10/1228D).
 */
#include "rings/dm/ide_private.h"

uint32_t cd_sectors(const struct ide_drive *d)
{
    return d->disk && !d->open ? (uint32_t)(d->disk->sectors / CD_SECTORS) : 0;
}

/* --- how a packet ends --- */

static void finish(struct ide_drive *d, uint8_t status, uint8_t error)
{
    d->reg[IDE_NSECTOR][0] = ATAPI_COMMAND | ATAPI_IN;
    ide_done(d, status, error);
}

void packet_ok(struct ide_drive *d) { finish(d, ATA_DRDY | ATA_DSC, 0); }

void packet_fail(struct ide_drive *d, uint8_t key, uint8_t code, uint8_t qualifier)
{
    d->sense[0] = key;
    d->sense[1] = code;
    d->sense[2] = qualifier;
    finish(d, ATA_DRDY | ATA_DSC | ATA_ERR,
           (uint8_t)(key << 4 | (key == SENSE_ILLEGAL_REQUEST || key == SENSE_ABORTED ? ATA_ABRT : 0)));
}

/* --- data for the guest --- */

/* How much it takes at once: its limit, which is even unless it ends there. */
static uint32_t piece(const struct ide_drive *d, uint32_t left)
{
    const uint32_t limit = d->channel->job.block;

    return d->channel->job.dma || left <= limit ? left : limit & ~1u;
}

/* What is left in the buffer from pos to end; `then` is called when it is through. */
static void send(struct ide_drive *d, uint32_t pos, uint32_t end, void (*then)(struct ide_drive *d))
{
    const uint32_t nr = piece(d, end - pos);

    d->reg[IDE_NSECTOR][0] = ATAPI_IN;
    d->reg[IDE_LBA_MID][0] = (uint8_t)nr;
    d->reg[IDE_LBA_HIGH][0] = (uint8_t)(nr >> 8);
    ide_to_guest(d, pos, pos + nr, then);
}

void cd_answer_sent(struct ide_drive *d)
{
    struct ide_job *j = &d->channel->job;
    const uint32_t pos = d->channel->moving.end;

    if (pos < j->left)
        send(d, pos, j->left, cd_answer_sent);
    else
        packet_ok(d);
}

void packet_answer(struct ide_drive *d, uint32_t len, uint32_t room)
{
    struct ide_job *j = &d->channel->job;

    j->left = len < room ? len : room;
    if (!j->left)
        packet_ok(d);
    else if (!j->dma && j->block < 2)
        packet_fail(d, SENSE_ABORTED, 0, 0); /* there is no piece that small */
    else
        send(d, 0, j->left, cd_answer_sent);
}

/* --- sectors --- */

void cd_sectors_sent(struct ide_drive *d)
{
    struct ide_channel *ch = d->channel;
    struct ide_job *j = &ch->job;

    if (ch->moving.end < j->done) {
        send(d, ch->moving.end, j->done, cd_sectors_sent);
        return;
    }
    j->sector += j->done / CD_SECTOR;
    j->left -= j->done / CD_SECTOR;
    if (!j->left)
        packet_ok(d);
    else if (!d->disk)
        packet_fail(d, SENSE_NOT_READY, 0x3a, 0);
    else
        ide_when_here(d, cd_read_sectors);
}

void cd_read_sectors(struct ide_drive *d)
{
    struct ide_channel *ch = d->channel;
    struct ide_job *j = &ch->job;
    const uint32_t room = IDE_BUFFER / CD_SECTOR, nr = j->left < room ? j->left : room;
    const bool fault = d->disk->fault.fail != 0;

    if (j->sector + nr > cd_sectors(d)) { /* it is another disc by now */
        packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x21, 0);
        return;
    }
    d->disk->fault.fail -= fault;
    if (fault || disk_read(d->disk, j->sector * CD_SECTORS, ch->buf, nr * CD_SECTORS)) {
        d->disk->failed++;
        packet_fail(d, SENSE_MEDIUM_ERROR, 0x11, 0);
        return;
    }
    j->done = nr * CD_SECTOR;
    send(d, 0, j->done, cd_sectors_sent);
}

bool cd_has(struct ide_drive *d, uint32_t sector, uint32_t nr)
{
    const uint32_t all = cd_sectors(d);

    if (sector <= all && nr <= all - sector)
        return true;
    packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x21, 0);
    return false;
}

void cd_read(struct ide_drive *d, uint32_t sector, uint32_t nr)
{
    struct ide_job *j = &d->channel->job;

    if (!cd_has(d, sector, nr))
        return;
    if (!nr) {
        packet_ok(d);
        return;
    }
    if (!j->dma && j->block < 2) {
        packet_fail(d, SENSE_ABORTED, 0, 0);
        return;
    }
    j->sector = sector;
    j->left = nr;
    ide_later(d, DISK_READ, (uint64_t)sector * CD_SECTORS, (uint64_t)nr * CD_SECTORS, cd_read_sectors);
}
