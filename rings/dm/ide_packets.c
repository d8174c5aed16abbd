// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which packets there are, and those that are short. Whatever was wrong with the one before is forgotten by the next,
 * unless that asks for it.
 *
 * Source: SFF-8020i, chapter 10; MMC-2 (T10/1228D), chapter 6.
 */
#include "rings/dm/ide_private.h"

#include <string.h>

#define FEATURE_DMA     1
#define FEATURE_OVERLAP 2

struct packet {
    void (*run)(struct ide_drive *d, const uint8_t *p);
    bool needs_disc; /* and is not told as long as a change of it was not */
};

static void test_unit_ready(struct ide_drive *d, const uint8_t *p) { packet_ok(d); }

/* What the last failure was; asked once. */
static void request_sense(struct ide_drive *d, const uint8_t *p)
{
    uint8_t *out = d->channel->buf;

    memset(out, 0, 18);
    out[0] = 0x70;
    out[7] = 10;
    if (d->sense[0] == 0 && d->changed) {
        d->changed = false;
        d->sense[0] = SENSE_UNIT_ATTENTION;
        d->sense[1] = 0x28;
        d->sense[2] = 0;
    }
    out[2] = d->sense[0];
    out[12] = d->sense[1];
    out[13] = d->sense[2];
    memset(d->sense, 0, sizeof(d->sense));
    packet_answer(d, 18, p[4]);
}

/* Spin, or load and eject. */
static void start_stop(struct ide_drive *d, const uint8_t *p)
{
    const bool load = p[4] & 2, start = p[4] & 1;

    if (load && !start && d->locked) {
        packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x53, 2);
        return;
    }
    if (load && d->open == start) {
        d->open = !start;
        d->changed = start && d->disk;
        d->event = d->disk ? (start ? 2 : 3) : 0;
    }
    packet_ok(d);
}

static void prevent_removal(struct ide_drive *d, const uint8_t *p)
{
    d->locked = p[4] & 1;
    packet_ok(d);
}

static void read_capacity(struct ide_drive *d, const uint8_t *p)
{
    put_be(d->channel->buf, 4, cd_sectors(d) - 1);
    put_be(d->channel->buf + 4, 4, CD_SECTOR);
    packet_answer(d, 8, 8);
}

static void read_10(struct ide_drive *d, const uint8_t *p) { cd_read(d, be(p + 2, 4), be(p + 7, 2)); }
static void read_12(struct ide_drive *d, const uint8_t *p) { cd_read(d, be(p + 2, 4), be(p + 6, 4)); }

/* User data of sectors of mode 1, which all are; or nothing of them. */
static void read_cd(struct ide_drive *d, const uint8_t *p)
{
    const unsigned int kind = p[1] >> 2 & 7;

    if (kind != 0 && kind != 2)
        packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x64, 0);
    else if ((p[9] != 0 && p[9] != 0x10) || (p[10] & 7))
        packet_bad_field(d);
    else if (p[9] == 0) {
        if (cd_has(d, be(p + 2, 4), be(p + 6, 3)))
            packet_ok(d);
    } else
        cd_read(d, be(p + 2, 4), be(p + 6, 3));
}

static void seek(struct ide_drive *d, const uint8_t *p)
{
    if (cd_has(d, be(p + 2, 4), 1))
        packet_ok(d);
}

/* It has one. */
static void set_speed(struct ide_drive *d, const uint8_t *p) { packet_ok(d); }

static const struct packet packets[256] = {
    [0x00] = { test_unit_ready, true },
    [0x03] = { request_sense, false },
    [0x12] = { cd_inquiry, false },
    [0x1a] = { cd_mode_sense_6, false },
    [0x1b] = { start_stop, false },
    [0x1e] = { prevent_removal, false },
    [0x25] = { read_capacity, true },
    [0x28] = { read_10, true },
    [0x2b] = { seek, true },
    [0x43] = { cd_read_toc, true },
    [0x46] = { cd_get_configuration, false },
    [0x4a] = { cd_get_event, false },
    [0x51] = { cd_disc_information, true },
    [0x52] = { cd_track_information, true },
    [0x5a] = { cd_mode_sense_10, false },
    [0xa8] = { read_12, true },
    [0xbb] = { set_speed, false },
    [0xbd] = { cd_mechanism_status, false },
    [0xbe] = { read_cd, true },
};

void cd_execute(struct ide_drive *d)
{
    struct ide_job *j = &d->channel->job;
    const struct packet *p;
    bool dma = d->reg[IDE_FEATURES][0] & FEATURE_DMA;

    *j = (struct ide_job){ .dma = dma, .block = d->reg[IDE_LBA_MID][0] | (uint32_t)d->reg[IDE_LBA_HIGH][0] << 8 };
    if (j->block == 0xffff)
        j->block = 0xfffe;
    memcpy(j->packet, d->channel->buf, sizeof(j->packet));
    p = &packets[j->packet[0]];
    d->status = ATA_BSY;
    if (j->packet[0] != 0x03)
        memset(d->sense, 0, sizeof(d->sense));
    if (!p->run) {
        packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x20, 0);
    } else if (p->needs_disc && !cd_sectors(d)) {
        packet_fail(d, SENSE_NOT_READY, 0x3a, d->open ? 2 : 1);
    } else if (p->needs_disc && d->changed) {
        d->changed = false;
        packet_fail(d, SENSE_UNIT_ATTENTION, 0x28, 0);
    } else {
        p->run(d, j->packet);
    }
}

void packet_command(struct ide_drive *d)
{
    if (d->reg[IDE_FEATURES][0] & FEATURE_OVERLAP) {
        ide_abort(d);
        return;
    }
    d->channel->job = (struct ide_job){ 0 };
    d->reg[IDE_NSECTOR][0] = ATAPI_COMMAND;
    d->error = 0;
    ide_from_guest(d, 12, false, cd_execute);
}
