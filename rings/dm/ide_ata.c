// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk's commands, and the few that a CD has beside PACKET.
 *
 * Concept: a table says which commands there are and what distinguishes those of a family; one function runs a family.
 * Reads and writes go through the buffer, a block at a time: a sector, or as many as SET MULTIPLE said, or with DMA as
 * many as there is room for:
 *
 *      read    the disk's time for all of it, then: block from the disk, to the guest; and so on
 *      write   block from the guest, to the disk; and so on; then the disk's time for all of it (with DMA before it)
 *
 * What is behind the disk's end is refused as a whole (IDNF). A command that is not in the table, or whose parameters
 * make no sense, is aborted (ABRT).
 *
 * Budget: a function a family of commands, and the table.
 *
 * Source: ATA/ATAPI-6, chapter 8; addresses of cylinder, head and sector, RECALIBRATE, SEEK: ATA-3 (X3T10/2008D).
 */
#include "rings/dm/ide_private.h"

struct ata_command {
    void (*run)(struct ide_drive *d, const struct ata_command *c, uint8_t code);
    bool cd; /* a CD has it, too */
    bool write, dma, multiple, ext;
};

/* --- addresses --- */

/* A number of nr registers from reg on; with ext what was written before is above. */
static uint64_t number(const struct ide_drive *d, unsigned int reg, unsigned int nr, bool ext)
{
    uint64_t val = 0;

    for (unsigned int i = 0; i < nr; i++)
        val |= (uint64_t)d->reg[reg + i][0] << 8 * i;
    for (unsigned int i = 0; ext && i < nr; i++)
        val |= (uint64_t)d->reg[reg + i][1] << 8 * (nr + i);
    return val;
}

static void put_number(struct ide_drive *d, unsigned int reg, unsigned int nr, bool ext, uint64_t val)
{
    for (unsigned int i = 0; i < nr; i++)
        d->reg[reg + i][0] = (uint8_t)(val >> 8 * i);
    for (unsigned int i = 0; ext && i < nr; i++)
        d->reg[reg + i][1] = (uint8_t)(val >> 8 * (nr + i));
}

/* Which sector is addressed? UINT64_MAX: none by any count. */
static uint64_t address(const struct ide_drive *d, bool ext)
{
    const uint8_t device = d->channel->device, sector = d->reg[IDE_LBA_LOW][0];
    const unsigned int head = device & 0xf, cylinder = (unsigned int)number(d, IDE_LBA_MID, 2, false);

    if (ext)
        return number(d, IDE_LBA_LOW, 3, true);
    if (device & ATA_LBA)
        return number(d, IDE_LBA_LOW, 3, false) | (uint64_t)head << 24;
    if (!sector || sector > d->track || head >= d->heads || cylinder >= d->cylinders)
        return UINT64_MAX;
    return ((uint64_t)cylinder * d->heads + head) * d->track + sector - 1;
}

static void put_address(struct ide_drive *d, bool ext, uint64_t sector)
{
    struct ide_channel *ch = d->channel;
    uint64_t track;

    if (ext) {
        put_number(d, IDE_LBA_LOW, 3, true, sector);
        return;
    }
    if (ch->device & ATA_LBA) {
        put_number(d, IDE_LBA_LOW, 3, false, sector);
        ch->device = (uint8_t)((ch->device & 0xf0) | (sector >> 24 & 0xf));
        return;
    }
    track = sector / d->track;
    d->reg[IDE_LBA_LOW][0] = (uint8_t)(sector % d->track + 1);
    put_number(d, IDE_LBA_MID, 2, false, track / d->heads);
    ch->device = (uint8_t)((ch->device & 0xf0) | track % d->heads);
}

static void not_found(struct ide_drive *d) { ide_done(d, ATA_DRDY | ATA_DSC | ATA_ERR, ATA_IDNF); }

/* The job's sectors by the registers. False: they are not all there; it has been said. */
static bool sectors_named(struct ide_drive *d, bool ext)
{
    struct ide_job *j = &d->channel->job;
    const uint32_t nr = (uint32_t)number(d, IDE_NSECTOR, 1, ext);

    j->ext = ext;
    j->sector = address(d, ext);
    j->left = nr ? nr : ext ? 65536 : 256;
    if (j->sector < d->disk->sectors && j->left <= d->disk->sectors - j->sector)
        return true;
    if (j->sector != UINT64_MAX)
        put_address(d, ext, j->sector < d->disk->sectors ? d->disk->sectors : j->sector);
    not_found(d);
    return false;
}

/* --- reading and writing --- */

/* All sectors are through: the last one's address stays behind. */
void ata_rw_done(struct ide_drive *d)
{
    const struct ide_job *j = &d->channel->job;

    put_address(d, j->ext, j->sector - 1);
    put_number(d, IDE_NSECTOR, 1, j->ext, 0);
    ide_ok(d);
}

/* A fault that was put into the run takes one command. */
static bool faulty(struct ide_drive *d)
{
    if (!d->disk->fault.fail)
        return false;
    d->disk->fault.fail--;
    return true;
}

static void rw_failed(struct ide_drive *d)
{
    const struct ide_job *j = &d->channel->job;

    d->disk->failed++;
    put_address(d, j->ext, j->sector);
    put_number(d, IDE_NSECTOR, 1, j->ext, j->left);
    ide_done(d, ATA_DRDY | ATA_DSC | ATA_ERR, j->write ? ATA_ABRT : ATA_UNC);
}

static uint32_t block_sectors(const struct ide_job *j) { return j->left < j->block ? j->left : j->block; }

void ata_block_read(struct ide_drive *d)
{
    struct ide_job *j = &d->channel->job;
    const uint32_t nr = block_sectors(j);

    j->sector += nr;
    j->left -= nr;
    if (j->left) {
        ide_when_here(d, ata_read_block);
    } else if (j->dma) {
        ata_rw_done(d);
    } else { /* the last block's interrupt was the last */
        put_address(d, j->ext, j->sector - 1);
        put_number(d, IDE_NSECTOR, 1, j->ext, 0);
        d->status = ATA_DRDY | ATA_DSC;
        d->error = 0;
    }
}

void ata_read_block(struct ide_drive *d)
{
    struct ide_channel *ch = d->channel;
    const uint32_t nr = block_sectors(&ch->job);

    if (faulty(d) || disk_read(d->disk, ch->job.sector, ch->buf, nr))
        rw_failed(d);
    else
        ide_to_guest(d, 0, nr * SECTOR_SIZE, ata_block_read);
}

void ata_want_block(struct ide_drive *d)
{
    const struct ide_job *j = &d->channel->job;

    ide_from_guest(d, block_sectors(j) * SECTOR_SIZE, true, ata_block_written);
}

void ata_write_block(struct ide_drive *d)
{
    struct ide_channel *ch = d->channel;
    struct ide_job *j = &ch->job;
    const uint32_t nr = block_sectors(j);

    if (faulty(d) || disk_write(d->disk, j->sector, ch->buf, nr)) {
        rw_failed(d);
        return;
    }
    j->sector += nr;
    j->left -= nr;
    j->done += nr;
    if (j->left)
        ata_want_block(d);
    else if (j->dma)
        ata_rw_done(d);
    else
        ide_later(d, DISK_WRITE, j->sector - j->done, j->done, ata_rw_done);
}

void ata_block_written(struct ide_drive *d) { ide_when_here(d, ata_write_block); }

static void read_write(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    struct ide_job *j = &d->channel->job;

    *j = (struct ide_job){ .dma = c->dma, .write = c->write };
    d->standby = false;
    j->block = c->dma ? IDE_BUFFER / SECTOR_SIZE : c->multiple ? d->multiple : 1;
    if (!j->block || (c->ext && !(d->channel->device & ATA_LBA)))
        ide_abort(d);
    else if (!sectors_named(d, c->ext))
        ;
    else if (!c->write)
        ide_later(d, DISK_READ, j->sector, j->left, ata_read_block);
    else if (c->dma)
        ide_later(d, DISK_WRITE, j->sector, j->left, ata_want_block);
    else
        ide_from_guest(d, block_sectors(j) * SECTOR_SIZE, false, ata_block_written);
}

/* The disk looks whether it can read them. */
void ata_verified(struct ide_drive *d)
{
    struct ide_job *j = &d->channel->job;

    if (faulty(d)) {
        rw_failed(d);
        return;
    }
    j->sector += j->left;
    ata_rw_done(d);
}

static void verify(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    struct ide_job *j = &d->channel->job;

    *j = (struct ide_job){ 0 };
    if (c->ext && !(d->channel->device & ATA_LBA))
        ide_abort(d);
    else if (sectors_named(d, c->ext))
        ide_later(d, DISK_READ, j->sector, j->left, ata_verified);
}

void ata_flushed(struct ide_drive *d)
{
    if (!faulty(d) && !disk_flush(d->disk)) {
        ide_ok(d);
        return;
    }
    d->disk->failed++;
    ide_abort(d);
}

static void flush(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    if (d->kind == IDE_DISK)
        ide_later(d, DISK_FLUSH, 0, 0, ata_flushed);
    else
        ide_ok(d);
}

/* --- what takes no time --- */

static void no_operation(struct ide_drive *d, const struct ata_command *c, uint8_t code) { ide_abort(d); }
static void nothing(struct ide_drive *d, const struct ata_command *c, uint8_t code) { ide_ok(d); }

static void seek(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    if (address(d, false) < d->disk->sectors)
        ide_ok(d);
    else
        not_found(d);
}

static void standby(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    d->standby = true;
    ide_ok(d);
}

static void idle(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    d->standby = false;
    ide_ok(d);
}

/* Only a reset wakes it. */
static void go_to_sleep(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    ide_ok(d);
    d->asleep = true;
}

static void check_power(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    d->reg[IDE_NSECTOR][0] = d->standby ? 0 : 0xff;
    ide_ok(d);
}

static void initialize_parameters(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    const unsigned int track = d->reg[IDE_NSECTOR][0], heads = (d->channel->device & 0xf) + 1u;
    uint64_t cylinders;

    if (!track) {
        ide_abort(d);
        return;
    }
    cylinders = d->disk->sectors / (heads * track);
    d->track = (uint16_t)track;
    d->heads = (uint16_t)heads;
    d->cylinders = (uint16_t)(cylinders > 65535 ? 65535 : cylinders ? cylinders : 1);
    ide_ok(d);
}

static void set_multiple(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    const uint8_t nr = d->reg[IDE_NSECTOR][0];

    if (nr > ATA_MULTIPLE_MAX || (nr & (nr - 1))) {
        ide_abort(d);
        return;
    }
    d->multiple = nr;
    ide_ok(d);
}

/* PIO by default, PIO with a mode, multiword DMA, Ultra DMA: a family in the upper five bits, a mode in the others. */
static bool set_mode(struct ide_drive *d, uint8_t mode)
{
    static const uint8_t modes[] = { [0] = 2, [1] = 5, [4] = 3, [8] = 6 };
    const unsigned int family = mode >> 3;

    if (family >= sizeof(modes) || (mode & 7) >= modes[family])
        return false;
    if (family > 1)
        d->mode = mode;
    return true;
}

static void set_features(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    bool ok = true;

    switch (d->reg[IDE_FEATURES][0]) {
    case 0x03: ok = set_mode(d, d->reg[IDE_NSECTOR][0]); break;
    case 0x02:
    case 0x82:
        ok = d->kind == IDE_DISK;
        d->write_cache = d->reg[IDE_FEATURES][0] == 0x02;
        break;
    case 0x55:
    case 0xaa:
        ok = d->kind == IDE_DISK;
        d->look_ahead = d->reg[IDE_FEATURES][0] == 0xaa;
        break;
    case 0x66: /* what was set outlives a reset, or does not: it is taken note of, and nothing here depends on it */
    case 0xcc: break;
    default: ok = false; break;
    }
    if (ok)
        ide_ok(d);
    else
        ide_abort(d);
}

void ata_identified(struct ide_drive *d) { d->status = ATA_DRDY | ATA_DSC; }

static void identify(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    d->channel->job = (struct ide_job){ 0 };
    ide_identify(d, d->channel->buf);
    d->error = 0;
    ide_to_guest(d, 0, SECTOR_SIZE, ata_identified);
}

/* --- a CD's --- */

/* IDENTIFY DEVICE and READ SECTORS tell who does not know it yet that this is a CD. */
static void refuse_with_signature(struct ide_drive *d)
{
    ide_signature(d);
    ide_abort(d);
}

static void identify_packet(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    if (d->kind == IDE_CD)
        identify(d, c, code);
    else
        ide_abort(d);
}

static void packet(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    if (d->kind == IDE_CD)
        packet_command(d);
    else
        ide_abort(d);
}

/* It ends whatever the drive does, and no interrupt tells of it. */
static void device_reset(struct ide_drive *d, const struct ata_command *c, uint8_t code)
{
    if (d->kind != IDE_CD) {
        ide_abort(d);
        return;
    }
    ide_stop(d->channel);
    d->asleep = d->standby = false;
    ide_signature(d);
}

/* --- which there are --- */

/* clang-format off */
static const struct ata_command commands[256] = {
    [0x00] = { no_operation, .cd = true },
    [0x08] = { device_reset, .cd = true },
    [0x10 ... 0x1f] = { nothing }, /* RECALIBRATE */
    [0x20 ... 0x21] = { read_write },
    [0x24] = { read_write, .ext = true },
    [0x25] = { read_write, .dma = true, .ext = true },
    [0x29] = { read_write, .multiple = true, .ext = true },
    [0x30 ... 0x31] = { read_write, .write = true },
    [0x34] = { read_write, .write = true, .ext = true },
    [0x35] = { read_write, .write = true, .dma = true, .ext = true },
    [0x39] = { read_write, .write = true, .multiple = true, .ext = true },
    [0x40 ... 0x41] = { verify },
    [0x42] = { verify, .ext = true },
    [0x70 ... 0x7f] = { seek },
    [0x91] = { initialize_parameters },
    [0x94] = { standby, .cd = true }, /* 94 to 99: as ATA-1 numbered them */
    [0x95] = { idle, .cd = true },
    [0x96] = { standby, .cd = true },
    [0x97] = { idle, .cd = true },
    [0x98] = { check_power, .cd = true },
    [0x99] = { go_to_sleep, .cd = true },
    [0xa0] = { packet, .cd = true },
    [0xa1] = { identify_packet, .cd = true },
    [0xc4] = { read_write, .multiple = true },
    [0xc5] = { read_write, .write = true, .multiple = true },
    [0xc6] = { set_multiple },
    [0xc8 ... 0xc9] = { read_write, .dma = true },
    [0xca ... 0xcb] = { read_write, .write = true, .dma = true },
    [0xe0] = { standby, .cd = true },
    [0xe1] = { idle, .cd = true },
    [0xe2] = { standby, .cd = true },
    [0xe3] = { idle, .cd = true },
    [0xe5] = { check_power, .cd = true },
    [0xe6] = { go_to_sleep, .cd = true },
    [0xe7] = { flush, .cd = true },
    [0xea] = { flush },
    [0xec] = { identify },
    [0xef] = { set_features, .cd = true },
};
/* clang-format on */

void ata_command(struct ide_drive *d, uint8_t code)
{
    const struct ata_command *c = &commands[code];

    if (code == ATA_DIAGNOSE)
        ide_diagnostic(d->channel);
    else if (d->kind == IDE_CD && (code == 0xec || code == 0x20))
        refuse_with_signature(d);
    else if (!c->run || (d->kind == IDE_CD && !c->cd))
        ide_abort(d);
    else
        c->run(d, c, code);
}
