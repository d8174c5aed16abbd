// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the IDE function share; rings/dm/ide.h draws how they lie. */
#ifndef RINGS_DM_IDE_PRIVATE_H
#define RINGS_DM_IDE_PRIVATE_H

#include "rings/dm/ide.h"

/* Status */
#define ATA_BSY  0x80
#define ATA_DRDY 0x40
#define ATA_DF   0x20
#define ATA_DSC  0x10
#define ATA_DRQ  0x08
#define ATA_ERR  0x01
/* Error */
#define ATA_UNC  0x40
#define ATA_IDNF 0x10
#define ATA_ABRT 0x04
/* Device */
#define ATA_LBA 0x40
#define ATA_DEV 0x10
/* Device control */
#define ATA_HOB  0x80
#define ATA_SRST 0x04
#define ATA_NIEN 0x02
/* A packet's interrupt reason, in the sector count: a command is moved, and to the guest */
#define ATAPI_COMMAND 1
#define ATAPI_IN      2

#define ATA_MULTIPLE_MAX 16
#define ATA_DIAGNOSE     0x90 /* EXECUTE DEVICE DIAGNOSTIC */
#define CD_SECTOR        2048u
#define CD_SECTORS       (CD_SECTOR / SECTOR_SIZE)

static inline struct ide_drive *ide_selected(struct ide_channel *ch)
{
    return &ch->drive[ch->device & ATA_DEV ? 1 : 0];
}
void ide_irq_update(struct ide_channel *ch);
/* The command is done: status beside BSY and DRQ, error, and an interrupt. */
void ide_done(struct ide_drive *d, uint8_t status, uint8_t error);
static inline void ide_ok(struct ide_drive *d) { ide_done(d, ATA_DRDY | ATA_DSC, 0); }
static inline void ide_abort(struct ide_drive *d) { ide_done(d, ATA_DRDY | ATA_DSC | ATA_ERR, ATA_ABRT); }
/* It interrupts, unless a fault put into the run has this one lost. */
void ide_interrupt(struct ide_drive *d);
/* The drive is busy until the disk has done op, then fn is called. nr 0: until its file is back, if it is away. */
void ide_later(struct ide_drive *d, enum disk_op op, uint64_t sector, uint64_t nr, void (*fn)(struct ide_drive *d));
/* At once, or when the disk's file is back. */
void ide_when_here(struct ide_drive *d, void (*fn)(struct ide_drive *d));
/* The timer of a channel. */
void ide_due(void *channel);
/* Are the channels' ports there, as configuration says? */
void ide_ports_update(struct ide *ide);
/* Whatever goes on at the channel does no longer. */
void ide_stop(struct ide_channel *ch);
/* What a drive's registers say after a reset, by which a disk is told from a CD. */
void ide_signature(struct ide_drive *d);
/* EXECUTE DEVICE DIAGNOSTIC: both drives. */
void ide_diagnostic(struct ide_channel *ch);

/*
 * What goes on when the disk's time has passed, or the buffer is through: of a disk, of a CD. Which of them it is is
 * state, too: ide_state.c numbers them.
 */
typedef void ide_next_fn(struct ide_drive *d);
ide_next_fn ata_read_block, ata_want_block, ata_write_block, ata_block_read, ata_block_written, ata_rw_done;
ide_next_fn ata_verified, ata_flushed, ata_identified;
ide_next_fn cd_read_sectors, cd_sectors_sent, cd_answer_sent, cd_execute;

/* ide_transfer.c */
/* buf[pos] to buf[end] go to the guest, or come from it, by DMA if the job is of that kind; then fn is called. */
void ide_to_guest(struct ide_drive *d, uint32_t pos, uint32_t end, void (*fn)(struct ide_drive *d));
void ide_from_guest(struct ide_drive *d, uint32_t end, bool interrupt, void (*fn)(struct ide_drive *d));
uint32_t ide_data_read(struct ide_channel *ch, unsigned int size);
void ide_data_write(struct ide_channel *ch, unsigned int size, uint32_t val);
extern const struct dm_region_ops ide_bm_ops; /* of both channels */

/* ide_ata.c */
void ata_command(struct ide_drive *d, uint8_t code);

/* ide_identify.c: the 512 bytes */
void ide_identify(const struct ide_drive *d, uint8_t *out);
#define IDE_FIRMWARE "1.0"

/* ide_packets.c */
void packet_command(struct ide_drive *d);

/* ide_packet.c */
/* len bytes of the buffer are the answer, of which the guest wants `room` at most. */
void packet_answer(struct ide_drive *d, uint32_t len, uint32_t room);
void packet_ok(struct ide_drive *d);
void packet_fail(struct ide_drive *d, uint8_t key, uint8_t code, uint8_t qualifier);
#define SENSE_NOT_READY       2
#define SENSE_MEDIUM_ERROR    3
#define SENSE_ILLEGAL_REQUEST 5
#define SENSE_UNIT_ATTENTION  6
#define SENSE_ABORTED         0xb
/* A field of the packet makes no sense. */
static inline void packet_bad_field(struct ide_drive *d) { packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x24, 0); }
/* Sectors of 2048 bytes of the disc; 0: there is none. */
uint32_t cd_sectors(const struct ide_drive *d);
/* Are they all on it? It is said if not. */
bool cd_has(struct ide_drive *d, uint32_t sector, uint32_t nr);
/* The answer is so many sectors. */
void cd_read(struct ide_drive *d, uint32_t sector, uint32_t nr);

/* ide_cd.c: packets that ask; each answers. */
void cd_inquiry(struct ide_drive *d, const uint8_t *p);
void cd_mode_sense_6(struct ide_drive *d, const uint8_t *p);
void cd_mode_sense_10(struct ide_drive *d, const uint8_t *p);
void cd_read_toc(struct ide_drive *d, const uint8_t *p);
void cd_get_configuration(struct ide_drive *d, const uint8_t *p);
void cd_get_event(struct ide_drive *d, const uint8_t *p);
void cd_mechanism_status(struct ide_drive *d, const uint8_t *p);
void cd_disc_information(struct ide_drive *d, const uint8_t *p);
void cd_track_information(struct ide_drive *d, const uint8_t *p);

/* Numbers of packets and their answers are big-endian. */
static inline uint32_t be(const uint8_t *p, unsigned int size)
{
    uint32_t val = 0;

    for (unsigned int i = 0; i < size; i++)
        val = val << 8 | p[i];
    return val;
}

static inline void put_be(uint8_t *p, unsigned int size, uint32_t val)
{
    for (unsigned int i = 0; i < size; i++)
        p[i] = (uint8_t)(val >> 8 * (size - 1 - i));
}

#endif
