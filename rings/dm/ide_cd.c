// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a CD drive tells of itself and of its disc: one track of data, in one session, closed.
 *
 * Source: MMC-2 (T10/1228D): MODE SENSE 5.2 and 5.1.4, GET CONFIGURATION 6.1.4, GET EVENT STATUS 6.1.5, MECHANISM
 * STATUS 6.1.7, READ DISC INFORMATION 6.1.18, READ TOC 6.1.23, READ TRACK INFORMATION 6.1.24; SPC-2 for INQUIRY.
 */
#include "rings/dm/ide_private.h"

#include <stdio.h>
#include <string.h>

#define LEAD_OUT    0xaa
#define TRACK_DATA  0x14            /* it has an address, and data that are not to be changed */
#define CD_LARGEST  (80u * 60 * 75) /* sectors of a CD; what is larger is a DVD */
#define PROFILE_CD  0x08
#define PROFILE_DVD 0x10

static uint8_t *clear(const struct ide_drive *d, size_t len) { return memset(d->channel->buf, 0, len); }

/* --- itself --- */

static void pad(uint8_t *out, size_t len, const char *s)
{
    memset(out, ' ', len);
    memcpy(out, s, strlen(s) < len ? strlen(s) : len);
}

void cd_inquiry(struct ide_drive *d, const uint8_t *p)
{
    uint8_t *out = clear(d, 36);

    if ((p[1] & 3) || p[2]) { /* pages with more of it: none */
        packet_bad_field(d);
        return;
    }
    out[0] = 0x05; /* a CD, */
    out[1] = 0x80; /* removable */
    out[3] = 0x21; /* answers as ATAPI has them */
    out[4] = 36 - 5;
    pad(out + 8, 8, "xenlab");
    pad(out + 16, 16, "CD-ROM");
    pad(out + 32, 4, IDE_FIRMWARE);
    packet_answer(d, 36, p[4]);
}

static size_t page_errors(const struct ide_drive *d, uint8_t *out)
{
    out[0] = 0x01;
    out[1] = 6;
    out[3] = 5; /* times it tries */
    return 8;
}

static size_t page_capabilities(const struct ide_drive *d, uint8_t *out)
{
    out[0] = 0x2a;
    out[1] = 18;
    out[2] = 0x3b;                             /* reads CD-R, CD-RW, DVD-ROM, DVD-R */
    out[4] = 0x70;                             /* mode 2, several sessions */
    out[6] = (uint8_t)(0x29 | d->locked << 1); /* a tray, which it locks and ejects */
    put_be(out + 8, 2, 4 * 176);               /* KB/s */
    put_be(out + 12, 2, IDE_BUFFER / 1024);
    put_be(out + 14, 2, 4 * 176);
    return 20;
}

/* The pages that were asked for, behind a header of `head` bytes. 0: there is no such page. */
static uint32_t mode_pages(const struct ide_drive *d, const uint8_t *p, uint32_t head)
{
    static const struct {
        uint8_t code;
        size_t (*write)(const struct ide_drive *d, uint8_t *out);
    } pages[] = { { 0x01, page_errors }, { 0x2a, page_capabilities } };
    const unsigned int which = p[2] & 0x3f, control = p[2] >> 6;
    uint8_t *out = clear(d, 256);
    size_t len = head;

    for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const size_t at = len;

        if (which != pages[i].code && which != 0x3f)
            continue;
        len += pages[i].write(d, out + at);
        if (control == 1) /* which bits can be changed? */
            memset(out + at + 2, 0, len - at - 2);
    }
    return len > head ? (uint32_t)len : 0;
}

/* How many there are in front, and what kind of disc is in. */
static void mode_sense(struct ide_drive *d, const uint8_t *p, unsigned int head, uint32_t room)
{
    const uint32_t len = mode_pages(d, p, head);
    uint8_t *out = d->channel->buf;
    const unsigned int numbers = head == 8 ? 2 : 1;

    if (p[2] >> 6 == 3) {
        packet_fail(d, SENSE_ILLEGAL_REQUEST, 0x39, 0); /* nothing is saved */
        return;
    }
    if (!len) {
        packet_bad_field(d);
        return;
    }
    put_be(out, numbers, len - numbers);
    out[numbers] = d->open ? 0x71 : cd_sectors(d) ? 0x01 : 0x70;
    packet_answer(d, len, room);
}

void cd_mode_sense_6(struct ide_drive *d, const uint8_t *p) { mode_sense(d, p, 4, p[4]); }
void cd_mode_sense_10(struct ide_drive *d, const uint8_t *p) { mode_sense(d, p, 8, be(p + 7, 2)); }

void cd_mechanism_status(struct ide_drive *d, const uint8_t *p)
{
    uint8_t *out = clear(d, 8);

    out[1] = d->open ? 0x10 : 0;
    packet_answer(d, 8, be(p + 8, 2));
}

static unsigned int profile(const struct ide_drive *d)
{
    const uint32_t sectors = cd_sectors(d);

    return !sectors ? 0 : sectors > CD_LARGEST ? PROFILE_DVD : PROFILE_CD;
}

/* A feature's head; and what follows is its own. */
static uint8_t *feature(uint8_t *out, unsigned int code, uint8_t flags, uint8_t more)
{
    put_be(out, 2, code);
    out[2] = flags; /* version, whether it is always, whether it is now */
    out[3] = more;
    return out + 4;
}

/* What it can do, and whether with this disc. */
static uint8_t *feature_write(const struct ide_drive *d, unsigned int code, uint8_t *out)
{
    const unsigned int is = profile(d);

    switch (code) {
    case 0x00: /* kinds of discs */
        out = feature(out, code, 3, 8);
        put_be(out, 2, PROFILE_DVD);
        out[2] = is == PROFILE_DVD;
        put_be(out + 4, 2, PROFILE_CD);
        out[6] = is == PROFILE_CD;
        return out + 8;
    case 0x01: /* packets over ATA */
        out = feature(out, code, 3, 4);
        put_be(out, 4, 2);
        return out + 4;
    case 0x03: /* the disc can be taken out: a tray, which it ejects and locks */
        out = feature(out, code, 3, 4);
        out[0] = 0x29;
        return out + 4;
    case 0x10: /* it can be read anywhere */
        out = feature(out, code, is ? 1 : 0, 8);
        put_be(out, 4, CD_SECTOR);
        put_be(out + 4, 2, 1);
        return out + 8;
    case 0x1e: /* CDs */ out = feature(out, code, is == PROFILE_CD, 4); return out + 4;
    default: /* 0x1f: DVDs */ return feature(out, code, is == PROFILE_DVD, 0);
    }
}

void cd_get_configuration(struct ide_drive *d, const uint8_t *p)
{
    static const uint8_t features[] = { 0x00, 0x01, 0x03, 0x10, 0x1e, 0x1f };
    const unsigned int how = p[1] & 3, from = be(p + 2, 2);
    uint8_t *out = clear(d, 256), *end = out + 8;

    if (how == 3) {
        packet_bad_field(d);
        return;
    }
    for (unsigned int i = 0; i < sizeof(features); i++) {
        uint8_t *after;

        if (how == 2 ? features[i] != from : features[i] < from)
            continue;
        after = feature_write(d, features[i], end);
        if (how == 1 && !(end[2] & 1)) /* those that are now */
            memset(end, 0, (size_t)(after - end));
        else
            end = after;
    }
    put_be(out, 4, (uint32_t)(end - out) - 4);
    put_be(out + 6, 2, profile(d));
    packet_answer(d, (uint32_t)(end - out), be(p + 7, 2));
}

/* Has anything happened? Of the disc it knows, and of nothing else. */
void cd_get_event(struct ide_drive *d, const uint8_t *p)
{
    uint8_t *out = clear(d, 8);

    if (!(p[1] & 1)) { /* it does not call back */
        packet_bad_field(d);
        return;
    }
    out[3] = 0x10; /* events that it knows */
    if (!(p[4] & 0x10)) {
        out[1] = 2;
        out[2] = 0x80;
        packet_answer(d, 4, be(p + 7, 2));
        return;
    }
    out[1] = 6;
    out[2] = 4;
    out[4] = d->event;
    out[5] = (uint8_t)((d->open ? 1 : 0) | (cd_sectors(d) ? 2 : 0));
    if (be(p + 7, 2) > 4)
        d->event = 0;
    packet_answer(d, 8, be(p + 7, 2));
}

/* --- its disc --- */

/* As a number, or as minute, second and frame, which begin 2 seconds before the first sector. */
static void put_place(uint8_t *out, uint32_t sector, bool msf)
{
    const uint32_t frame = sector + 150;

    if (!msf) {
        put_be(out, 4, sector);
        return;
    }
    out[0] = 0;
    out[1] = (uint8_t)(frame / (60 * 75));
    out[2] = (uint8_t)(frame / 75 % 60);
    out[3] = (uint8_t)(frame % 75);
}

static uint8_t *toc_entry(uint8_t *out, uint8_t track, uint32_t sector, bool msf)
{
    out[1] = TRACK_DATA;
    out[2] = track;
    put_place(out + 4, sector, msf);
    return out + 8;
}

/* Each track from the one that is asked for on, and where the disc ends. */
static uint8_t *toc(const struct ide_drive *d, uint8_t *out, uint8_t from, bool msf)
{
    if (from > 1 && from != LEAD_OUT)
        return NULL;
    if (from <= 1)
        out = toc_entry(out, 1, 0, msf);
    return toc_entry(out, LEAD_OUT, cd_sectors(d), msf);
}

/* As it is written on the disc: the first track, the last one, the end, the track. */
static uint8_t *toc_raw(const struct ide_drive *d, uint8_t *out, bool msf)
{
    static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 1 };

    for (unsigned int i = 0; i < sizeof(points); i++, out += 11) {
        out[0] = 1; /* session */
        out[1] = TRACK_DATA;
        out[3] = points[i];
        if (i < 2)
            out[8] = 1;
        else
            put_place(out + 7, i == 2 ? cd_sectors(d) : 0, msf);
    }
    return out;
}

void cd_read_toc(struct ide_drive *d, const uint8_t *p)
{
    const bool msf = p[1] & 2;
    /* Where it was before MMC, or is. */
    const unsigned int format = p[2] & 0xf ? p[2] & 0xf : p[9] >> 6;
    uint8_t *out = clear(d, 64), *end = NULL;

    switch (format) {
    case 0: end = toc(d, out + 4, p[6], msf); break;
    case 1: end = toc_entry(out + 4, 1, 0, msf); break;
    case 2: end = toc_raw(d, out + 4, msf); break;
    default: break;
    }
    if (!end) {
        packet_bad_field(d);
        return;
    }
    put_be(out, 2, (uint32_t)(end - out) - 2);
    out[2] = out[3] = 1; /* first and last: tracks, or sessions */
    packet_answer(d, (uint32_t)(end - out), be(p + 7, 2));
}

void cd_disc_information(struct ide_drive *d, const uint8_t *p)
{
    uint8_t *out = clear(d, 34);

    out[1] = 32;
    out[2] = 0x0e; /* complete, and so is its last session */
    out[3] = out[4] = out[5] = out[6] = 1;
    out[7] = 0x20;             /* for any use */
    memset(out + 16, 0xff, 8); /* no place to write at */
    packet_answer(d, 34, be(p + 7, 2));
}

/* The track that has a sector; or by its number, or its session's. */
void cd_track_information(struct ide_drive *d, const uint8_t *p)
{
    const unsigned int by = p[1] & 3;
    const uint32_t which = be(p + 2, 4);
    uint8_t *out = clear(d, 28);

    if (by == 3 || (by == 0 ? which >= cd_sectors(d) : which != 1)) {
        packet_bad_field(d);
        return;
    }
    out[1] = 26;
    out[2] = out[3] = 1;
    out[5] = 4; /* data, */
    out[6] = 1; /* mode 1 */
    put_be(out + 24, 4, cd_sectors(d));
    packet_answer(d, 28, be(p + 7, 2));
}
