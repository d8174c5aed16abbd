// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IDE function's state as bytes: rings/dm/state.h.
 *
 * Concept: a command that is on its way is state like a register: what it is about, how far it has come, what is in the
 * buffer, and what is to be done next, which is a function here and a number there. So nothing has to be finished
 * before a guest is saved; a disk's time goes on where it was.
 *
 * Invariant: what is loaded is a state that a guest could have brought about, as far as anybody relies on it: sectors
 * that the disk has, places in the buffer, a drive of the kind that what comes next is about.
 */
#include "rings/dm/ide_private.h"

/* Numbered from 1 on, in the file: what comes next at a channel, and whose it is. */
static const struct next {
    ide_next_fn *fn;
    enum ide_kind kind;
    bool sectors; /* it reads or writes those of the job */
} nexts[] = {
    { ata_read_block, IDE_DISK, true }, { ata_want_block, IDE_DISK, true },    { ata_write_block, IDE_DISK, true },
    { ata_block_read, IDE_DISK, true }, { ata_block_written, IDE_DISK, true }, { ata_rw_done, IDE_DISK, false },
    { ata_verified, IDE_DISK, false },  { ata_flushed, IDE_DISK, false },      { ata_identified, IDE_NONE, false },
    { cd_read_sectors, IDE_CD, false }, { cd_sectors_sent, IDE_CD, false },    { cd_answer_sent, IDE_CD, false },
    { cd_execute, IDE_CD, false },
};
#define NR_NEXTS (sizeof(nexts) / sizeof(nexts[0]))

/* The function that is pointed to, as its number; what it is about, or NULL: there is none. */
static const struct next *next_state(struct dm_state *s, ide_next_fn **fn)
{
    uint8_t next = 0;

    while (*fn && next < NR_NEXTS && nexts[next].fn != *fn)
        next++;
    next += *fn != NULL;
    STATE_MAX(s, next, NR_NEXTS);
    if (state_loaded(s))
        *fn = next ? nexts[next - 1].fn : NULL;
    return next ? &nexts[next - 1] : NULL;
}

static void drive_state(struct ide_drive *d, struct dm_state *s)
{
    uint8_t kind = (uint8_t)d->kind;

    STATE_MAX(s, kind, IDE_CD);
    if (kind == IDE_NONE && d->kind == IDE_DISK) /* it was unplugged */
        *d = (struct ide_drive){ .channel = d->channel, .unit = d->unit };
    if (kind != d->kind)
        state_refuse(s, "drive %u is another: the configuration is of another machine", d->unit);
    STATE_BYTES(s, d->reg);
    STATE(s, d->error);
    STATE(s, d->status);
    STATE_BOOL(s, d->intrq);
    STATE_BOOL(s, d->standby);
    STATE_BOOL(s, d->asleep);
    STATE(s, d->mode);
    STATE_MAX(s, d->multiple, ATA_MULTIPLE_MAX);
    STATE_RANGE(s, d->cylinders, kind != IDE_NONE, UINT16_MAX);
    STATE_RANGE(s, d->heads, kind != IDE_NONE, UINT16_MAX);
    STATE_RANGE(s, d->track, kind != IDE_NONE, UINT16_MAX);
    STATE_BOOL(s, d->write_cache);
    STATE_BOOL(s, d->look_ahead);
    STATE_BYTES(s, d->sense);
    STATE_BOOL(s, d->changed);
    STATE(s, d->event);
    STATE_BOOL(s, d->locked);
    STATE_BOOL(s, d->open);
}

static void job_state(struct ide_job *j, struct dm_state *s)
{
    STATE_BOOL(s, j->dma);
    STATE_BOOL(s, j->write);
    STATE_BOOL(s, j->ext);
    STATE(s, j->sector);
    STATE(s, j->left);
    STATE(s, j->block);
    STATE(s, j->done);
    STATE_BYTES(s, j->packet);
}

static void bus_master_state(struct ide_bus_master *bm, struct dm_state *s)
{
    STATE(s, bm->command);
    STATE(s, bm->status);
    STATE(s, bm->table);
    STATE(s, bm->next);
    STATE(s, bm->addr);
    STATE_MAX(s, bm->left, 0x10000);
    STATE_BOOL(s, bm->last);
}

/* Can what is to come next be? */
static void next_check(struct ide_channel *ch, const struct next *next, struct dm_state *s)
{
    const struct ide_drive *d = ide_selected(ch);
    const struct ide_job *j = &ch->job;

    if (!next)
        state_refuse(s, "it waits for nothing");
    else if (d->kind == IDE_NONE || (next->kind != IDE_NONE && next->kind != d->kind))
        state_refuse(s, "drive %u cannot do what it does", d->unit);
    else if ((next->kind == IDE_DISK || next->fn == cd_read_sectors) && !d->disk)
        state_refuse(s, "drive %u has no disc any more, and reads it", d->unit);
    else if (next->sectors && (!j->block || j->block > IDE_BUFFER / SECTOR_SIZE || j->sector > d->disk->sectors ||
                               j->left > d->disk->sectors - j->sector))
        state_refuse(s, "drive %u has no such sectors: its file has become another", d->unit);
    else if (next->kind == IDE_CD && ((!j->dma && j->block < 2 && next->fn != cd_execute) || j->done > IDE_BUFFER ||
                                      (next->fn == cd_answer_sent && j->left > IDE_BUFFER)))
        state_refuse(s, "drive %u has no such packet", d->unit);
}

static void channel_state(struct ide_channel *ch, struct dm_state *s)
{
    struct ide_moving *m = &ch->moving;
    const struct next *due, *then;
    uint8_t busy;

    state_begin(s, "ide", ch->nr);
    for (unsigned int i = 0; i < 2; i++)
        drive_state(&ch->drive[i], s);
    STATE(s, ch->device);
    STATE_MAX(s, ch->device_control, ATA_HOB | ATA_SRST | ATA_NIEN);
    STATE_BOOL(s, ch->line);
    job_state(&ch->job, s);
    state_timer(s, "timer", ch->ide->board, &ch->timer);
    due = next_state(s, &ch->at_due);
    STATE_BOOL(s, m->on);
    STATE_BOOL(s, m->in);
    STATE_BOOL(s, m->dma);
    STATE_MAX(s, m->pos, IDE_BUFFER + 3);
    STATE_MAX(s, m->end, IDE_BUFFER);
    then = next_state(s, &m->then);
    bus_master_state(&ch->bm, s);
    STATE_BYTES(s, ch->buf);
    busy = ide_selected(ch)->status & (ATA_BSY | ATA_DRQ);
    if (ch->timer.due)
        next_check(ch, due, s);
    if (m->on)
        next_check(ch, then, s);
    if ((ch->timer.due && !(busy & ATA_BSY)) || (m->on && (!busy || m->pos > m->end)))
        state_refuse(s, "it is idle, and does something");
    state_end(s);
}

void ide_state(struct ide *ide, struct dm_state *s)
{
    state_begin(s, "idepci", 0);
    pci_state(&ide->pci, s);
    state_end(s);
    if (state_loaded(s))
        ide_ports_update(ide);
    for (unsigned int nr = 0; nr < 2; nr++)
        channel_state(&ide->channel[nr], s);
}
