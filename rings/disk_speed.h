// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a disk takes: three kinds.
 *
 *      ssd   80 us until a read's first byte, 20 us until a write's; 2 us a KiB; a flush 500 us; eight at once
 *      hdd   an arm, and a platter that turns: one at once, and a write is done when it is on the platter
 *      none  no time: what the guest and dom0 do is all that is seen
 *
 * Concept: of a hard disk everything follows from where its arm is, and what time it is. A track has 2048 sectors (1
 * MiB), and the platter turns once in 8.388608 ms (7,153 times a minute): 4096 ns a sector. So
 *
 *      seek      0 to this track or the next one behind it, otherwise 1 ms + 13 ms * sqrt(tracks to cross / all tracks)
 *      rotation  until the sector, whose place is sector % 2048, is below the head: its time of the turn comes
 *      transfer  4096 ns a sector, and the arm is behind the last one
 *
 * A third of the disk away is 8.5 ms and half a turn. Who asks for the next sectors before the last ones are done gets
 * them without delay; who asks later waits for a whole turn.
 */
#ifndef RINGS_DISK_SPEED_H
#define RINGS_DISK_SPEED_H

#include "sim/types.h"

enum disk_speed { DISK_SSD, DISK_HDD, DISK_NONE, DISK_SPEEDS };

enum disk_op { DISK_READ, DISK_WRITE, DISK_DISCARD, DISK_FLUSH, DISK_OPS };

#define DISK_TRACK        2048u /* sectors */
#define DISK_CHANNELS_MAX 8

struct disk_job {
    enum disk_op op;
    uint64_t sector, nr;
    uint64_t arm, size; /* before which sector the arm is, of how many */
    s_time_t start;
};
/* When is it done that is begun then? */
s_time_t disk_speed_done(enum disk_speed speed, const struct disk_job *job);

/* Operations at once, at most DISK_CHANNELS_MAX. */
unsigned int disk_speed_channels(enum disk_speed speed);

const char *disk_speed_name(enum disk_speed speed);
/* DISK_SPEEDS: none is called so. */
enum disk_speed disk_speed_of(const char *name, size_t len);

#endif
