// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IDE function: registers of its channels, which drive answers, resets, interrupts. rings/dm/ide.h draws it.
 *
 * Of two drives that are there each has its registers. One that is not has none: the first one answers for a second
 * that is missing, with a status of 0; where there is no first one either all registers are 0.
 */
#include "rings/dm/ide_private.h"

#include <string.h>

#define TIMING        0x40   /* of the PCI function: a word a channel */
#define TIMING_DECODE 0x8000 /* the channel's ports are there */
#define REG_DEVICE    6
#define REG_STATUS    7
#define DEVICE_FIXED  0xa0 /* bits that drives of old have set */
#define CMD_RESET     0x08

/* --- resets --- */

static void drive_reset(struct ide_drive *d)
{
    ide_signature(d);
    d->intrq = d->standby = d->asleep = false;
    d->multiple = ATA_MULTIPLE_MAX;
}

/* Both drives have the signature; the first one is selected. */
static void reset_done(struct ide_channel *ch)
{
    ch->device = 0;
    for (unsigned int i = 0; i < 2; i++)
        drive_reset(&ch->drive[i]);
    ide_irq_update(ch);
}

static void device_control_write(struct ide_channel *ch, uint8_t val)
{
    const uint8_t changed = ch->device_control ^ val;

    ch->device_control = val & (ATA_HOB | ATA_SRST | ATA_NIEN);
    if (changed & val & ATA_SRST) {
        ide_stop(ch);
        for (unsigned int i = 0; i < 2; i++) {
            ch->drive[i].status = ATA_BSY;
            ch->drive[i].intrq = false;
        }
    } else if (changed & ATA_SRST) {
        reset_done(ch);
    }
    ide_irq_update(ch);
}

/* --- the command block --- */

static uint8_t status_read(struct ide_channel *ch)
{
    const struct ide_drive *d = ide_selected(ch);

    return d->kind == IDE_NONE ? 0 : d->status;
}

static uint8_t command_block_read(struct ide_channel *ch, unsigned int reg)
{
    struct ide_drive *d = ide_selected(ch);

    if (reg == REG_STATUS) {
        d->intrq = false;
        ide_irq_update(ch);
        return status_read(ch);
    }
    if (d->kind == IDE_NONE)
        d = &ch->drive[0];
    if (d->kind == IDE_NONE)
        return 0;
    if (reg == REG_DEVICE)
        return ch->device | DEVICE_FIXED;
    return reg == IDE_FEATURES ? d->error : d->reg[reg][ch->device_control & ATA_HOB ? 1 : 0];
}

static void command_write(struct ide_channel *ch, uint8_t code)
{
    struct ide_drive *d = ide_selected(ch);
    const bool busy = d->status & (ATA_BSY | ATA_DRQ);

    if (d->kind == IDE_NONE && code != ATA_DIAGNOSE)
        return;
    if ((ch->device_control & ATA_SRST) || ((busy || d->asleep) && (code != CMD_RESET || d->kind != IDE_CD)))
        return;
    d->intrq = false;
    ide_irq_update(ch);
    ata_command(d, code);
}

static void command_block_write(struct ide_channel *ch, unsigned int reg, uint8_t val)
{
    ch->device_control &= (uint8_t)~ATA_HOB;
    if (reg == REG_STATUS) {
        command_write(ch, val);
        return;
    }
    if (status_read(ch) & (ATA_BSY | ATA_DRQ))
        return;
    if (reg == REG_DEVICE) {
        ch->device = val;
        ide_irq_update(ch);
        return;
    }
    for (unsigned int i = 0; i < 2; i++) {
        uint8_t *r = ch->drive[i].reg[reg];

        r[1] = r[0];
        r[0] = val;
    }
}

/* The data port is as wide as the access, the others take a byte each. */
static uint64_t command_read(void *dev, uint64_t offset, unsigned int size)
{
    struct ide_channel *ch = dev;
    uint64_t val = 0;

    if (offset == 0)
        return ide_data_read(ch, size);
    for (unsigned int i = 0; i < size; i++)
        val |= (uint64_t)command_block_read(ch, (unsigned int)offset + i) << 8 * i;
    return val;
}

static void command_written(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct ide_channel *ch = dev;

    if (offset == 0)
        ide_data_write(ch, size, (uint32_t)val);
    else
        for (unsigned int i = 0; i < size; i++)
            command_block_write(ch, (unsigned int)offset + i, (uint8_t)(val >> 8 * i));
}

static uint64_t control_read(void *dev, uint64_t offset, unsigned int size) { return status_read(dev); }

static void control_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    device_control_write(dev, (uint8_t)val);
}

static const struct dm_region_ops command_ops = { .read = command_read, .write = command_written };
static const struct dm_region_ops control_ops = { .read = control_read, .write = control_write };

/* --- the function --- */

void ide_ports_update(struct ide *ide)
{
    for (unsigned int i = 0; i < 2; i++) {
        struct ide_channel *ch = &ide->channel[i];
        const bool present = pci_get(&ide->pci, TIMING + 2 * i, 2) & TIMING_DECODE;

        if (present == ch->command.present)
            continue;
        ch->command.present = ch->control.present = present;
        ide->board->ops->region(ide->board, &ch->command);
        ide->board->ops->region(ide->board, &ch->control);
    }
}

static void config_written(void *dev, unsigned int reg, unsigned int size) { ide_ports_update(dev); }

static void channel_init(struct ide *ide, unsigned int nr)
{
    struct ide_channel *ch = &ide->channel[nr];

    ch->ide = ide;
    ch->nr = nr;
    ch->timer = (struct dm_timer){ .fn = ide_due, .dev = ch };
    dm_region_init(&ch->command, &command_ops, ch, DM_PORT, nr ? 0x170 : 0x1f0, 8);
    dm_region_init(&ch->control, &control_ops, ch, DM_PORT, nr ? 0x376 : 0x3f6, 1);
    for (unsigned int i = 0; i < 2; i++)
        ch->drive[i] = (struct ide_drive){ .channel = ch, .unit = i };
    ide->board->ops->region(ide->board, &ch->command);
    ide->board->ops->region(ide->board, &ch->control);
}

void ide_init(struct ide *ide, struct pci_bus *bus, uint8_t devfn)
{
    memset(ide, 0, sizeof(*ide));
    ide->board = bus->board;
    for (unsigned int nr = 0; nr < 2; nr++)
        channel_init(ide, nr);
    pci_device_init(&ide->pci, devfn, 0x8086, 0x7010, 0x010180, ide);
    ide->pci.written = config_written;
    pci_set(&ide->pci, 0x06, 2, 0x0280);
    pci_set(&ide->pci, TIMING, 4, TIMING_DECODE | (uint32_t)TIMING_DECODE << 16);
    for (unsigned int reg = TIMING; reg < TIMING + 5; reg++)
        ide->pci.writable[reg] = 0xff;
    ide->pci.writable[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
    ide->pci.writable[0x0d] = 0xf0; /* latency */
    pci_bar_init(&ide->pci, 4, DM_PORT, 16, &ide_bm_ops, ide);
    pci_add(bus, &ide->pci);
}

void ide_attach(struct ide *ide, unsigned int channel, unsigned int unit, enum ide_kind kind, struct disk *disk)
{
    struct ide_drive *d = &ide->channel[channel].drive[unit];
    const uint64_t tracks = disk ? disk->sectors / (16 * 63) : 0;

    d->kind = disk || kind == IDE_CD ? kind : IDE_NONE;
    d->disk = disk;
    d->mode = 0x22; /* multiword DMA 2 */
    d->write_cache = d->look_ahead = true;
    d->heads = 16;
    d->track = 63;
    d->cylinders = (uint16_t)(tracks > 16383 ? 16383 : tracks ? tracks : 1);
    ide->channel[channel].bm.status |= (uint8_t)(0x20 << unit);
    drive_reset(d);
}

bool ide_change_disc(struct ide *ide, unsigned int channel, unsigned int unit, struct disk *disk)
{
    struct ide_channel *ch = &ide->channel[channel];
    struct ide_drive *d = &ch->drive[unit];
    const bool busy = d == ide_selected(ch) && (d->status & ATA_BSY);

    if (d->kind != IDE_CD)
        return false;
    d->disk = disk;
    d->open = d->locked = false;
    d->changed = disk != NULL;
    d->event = disk ? 2 : 3; /* there is a new one; it has been removed */
    if (busy) {              /* what it was reading is not there */
        ide_stop(ch);
        packet_fail(d, SENSE_NOT_READY, 0x3a, 0);
    }
    return true;
}

void ide_unplug_disks(struct ide *ide, bool auxiliary)
{
    for (unsigned int i = 0; i < 4; i++) {
        struct ide_channel *ch = &ide->channel[i / 2];
        struct ide_drive *d = &ch->drive[i % 2];

        if (d->kind != IDE_DISK || (auxiliary && i == 0))
            continue;
        if (d == ide_selected(ch))
            ide_stop(ch);
        *d = (struct ide_drive){ .channel = ch, .unit = i % 2 };
        ide_irq_update(ch);
    }
}
