// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a disk takes: the formulas are in rings/disk_speed.h. */
#include "rings/disk_speed.h"

#include <string.h>

#define SECTOR_NS 4096 /* of a hard disk */
#define TURN      (DISK_TRACK * (s_time_t)SECTOR_NS)

static const char *const names[DISK_SPEEDS] = { [DISK_SSD] = "ssd", [DISK_HDD] = "hdd", [DISK_NONE] = "none" };

/* The whole part of the root. */
static uint64_t root(uint64_t n)
{
    uint64_t r = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= n)
            r |= bit;
    return r;
}

static s_time_t ssd_done(const struct disk_job *j)
{
    switch (j->op) {
    case DISK_READ: return j->start + MICROSECS(80) + (s_time_t)j->nr * 1024;
    case DISK_WRITE: return j->start + MICROSECS(20) + (s_time_t)j->nr * 1024;
    case DISK_FLUSH: return j->start + MICROSECS(500);
    default: return j->start + MICROSECS(20);
    }
}

static s_time_t seek(const struct disk_job *j)
{
    const uint64_t from = j->arm / DISK_TRACK, to = j->sector / DISK_TRACK;
    const uint64_t far = to < from ? from - to : to - from, tracks = j->size / DISK_TRACK + 1;

    if (to == from || to == from + 1)
        return 0;
    return MILLISECS(1) + (s_time_t)root((uint64_t)((unsigned __int128)MILLISECS(13) * MILLISECS(13) * far / tracks));
}

static s_time_t hdd_done(const struct disk_job *j)
{
    const s_time_t there = j->start + seek(j), place = (s_time_t)(j->sector % DISK_TRACK) * SECTOR_NS;

    if (j->op != DISK_READ && j->op != DISK_WRITE)
        return j->start;
    return there + (place + TURN - there % TURN) % TURN + (s_time_t)j->nr * SECTOR_NS;
}

s_time_t disk_speed_done(enum disk_speed speed, const struct disk_job *job)
{
    switch (speed) {
    case DISK_SSD: return ssd_done(job);
    case DISK_HDD: return hdd_done(job);
    default: return job->start;
    }
}

unsigned int disk_speed_channels(enum disk_speed speed) { return speed == DISK_SSD ? DISK_CHANNELS_MAX : 1; }

const char *disk_speed_name(enum disk_speed speed) { return names[speed]; }

enum disk_speed disk_speed_of(const char *name, size_t len)
{
    unsigned int speed = 0;

    while (speed < DISK_SPEEDS && (strlen(names[speed]) != len || memcmp(names[speed], name, len) != 0))
        speed++;
    return (enum disk_speed)speed;
}
