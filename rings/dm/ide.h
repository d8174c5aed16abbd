// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks and CDs at an IDE function as the PIIX3 has it: two channels, two drives each.
 *
 *      channel   command block   control   interrupt   bus master (BAR 4)
 *      0         0x1f0 to 0x1f7  0x3f6     14          +0
 *      1         0x170 to 0x177  0x376     15          +8
 *
 * Concept: both drives of a channel listen to the same registers, and the one that is selected answers. A command is
 * written behind its parameters; the drive is busy (BSY), then either wants data through the data port (DRQ), or moves
 * them itself, through the bus master and a table of places in memory (PRDs), or has none; and it interrupts:
 *
 *      command --> BSY --time--> buffer <--> data port, a block at a time        --> status, INTRQ
 *                                       <--> bus master <--> guest memory
 *
 * A CD takes one ATA command, PACKET, whose data are commands of another kind.
 *
 *      ide.c            registers, selection, reset, the function on the bus
 *      ide_drive.c      interrupts, time, how a command ends
 *      ide_transfer.c   the buffer's two doors: data port and bus master
 *      ide_ata.c        a disk's commands        ide_identify.c   what a drive says of itself
 *      ide_packet.c     how a packet is answered ide_cd.c         what a CD tells of itself and its disc
 *      ide_packets.c    which packets there are ide_state.c all of it as bytes
 *
 * Invariants: a channel does one thing at a time: while its selected drive is busy or wants data, writes to the command
 * block are ignored, but for DEVICE RESET to a CD and for SRST. What a disk takes is what rings/disk.h says, at the end
 * of which its bytes are read or written.
 *
 * Left out: overlap and queues, SMART, security, host protected areas, media that are written to by packets, sound.
 *
 * Source: ATA/ATAPI-6 (T13/1410D), SFF-8020i and MMC-2 for packets, Intel 82371SB (PIIX3), section 2.3, and the
 * Programming Interface for Bus Master IDE Controller 1.0.
 */
#ifndef RINGS_DM_IDE_H
#define RINGS_DM_IDE_H

#include "rings/disk.h"
#include "rings/dm/pci.h"

#define IDE_BUFFER 16384u /* bytes that are moved between two looks at the disk */

enum ide_kind { IDE_NONE, IDE_DISK, IDE_CD };

struct ide;
struct ide_channel;

/* Registers of the command block that are written in twos: what was written last is [0], and before it [1]. */
enum ide_reg { IDE_FEATURES = 1, IDE_NSECTOR, IDE_LBA_LOW, IDE_LBA_MID, IDE_LBA_HIGH, IDE_REGS };

struct ide_drive {
    struct ide_channel *channel;
    enum ide_kind kind;
    struct disk *disk; /* NULL: a CD drive without a disc */
    unsigned int unit; /* 0 or 1 */
    uint8_t reg[IDE_REGS][2];
    uint8_t error, status;
    bool intrq; /* it has something to tell */
    bool standby, asleep;
    uint8_t mode; /* of transfers, as SET FEATURES names it */
    /* A disk's: */
    uint8_t multiple;                 /* sectors in a block; 0: off */
    uint16_t cylinders, heads, track; /* as addresses count them; track: sectors in one */
    bool write_cache, look_ahead;
    /* A CD's: */
    uint8_t sense[3]; /* key, code, qualifier */
    bool changed;     /* the disc; nobody was told yet: as a sense, */
    uint8_t event;    /* or as an event */
    bool locked, open;
};

/* What goes on at a channel. */
struct ide_job {
    bool dma, write, ext;
    uint64_t sector; /* the next one; a CD's are four of a disk's */
    uint32_t left;   /* sectors, or a packet's bytes */
    uint32_t block;  /* at once */
    uint32_t done;   /* of those that are written */
    uint8_t packet[12];
};

struct ide_channel {
    struct ide *ide;
    unsigned int nr;
    struct dm_region command, control;
    struct ide_drive drive[2];
    uint8_t device, device_control;
    bool line; /* its interrupt's */
    struct ide_job job;
    /* The disk's time: at_due is called when it has passed. */
    struct dm_timer timer;
    void (*at_due)(struct ide_drive *d);
    /* The buffer, of which pos to end are on their way; `then` is called when they are through. */
    struct ide_moving {
        bool on, in, dma; /* in: to the guest */
        uint32_t pos, end;
        void (*then)(struct ide_drive *d);
    } moving;
    struct ide_bus_master {
        uint8_t command, status;
        uint32_t table, next; /* the next descriptor's address; 0: the first one's */
        uint32_t addr, left;  /* of the one that is being used */
        bool last, busy;      /* it is the last one; somebody is at it already */
    } bm;
    uint8_t buf[IDE_BUFFER + 4];
};

struct ide {
    struct dm_board *board;
    struct pci_device pci;
    struct ide_channel channel[2];
};

/* The function devfn, with no drives. */
void ide_init(struct ide *ide, struct pci_bus *bus, uint8_t devfn);
/* Before the guest runs: drive 0 or 1 of a channel. disk: what it holds, which stays the caller's; NULL: no disc. */
void ide_attach(struct ide *ide, unsigned int channel, unsigned int unit, enum ide_kind kind, struct disk *disk);
/* A CD drive's disc is another one, or none (NULL). False: there is no CD drive. */
bool ide_change_disc(struct ide *ide, unsigned int channel, unsigned int unit, struct disk *disk);
/*
 * All disks are gone, CDs stay. auxiliary: but for the first channel's first. What they were doing is not done.
 */
void ide_unplug_disks(struct ide *ide, bool auxiliary);
/* Drives are attached as they were; of a disk that was unplugged it is in the state that it was. */
void ide_state(struct ide *ide, struct dm_state *s);

#endif
