// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8254 interval timer: a chip, as PV and HVM guests are given one. See i8254.c.
 */
#ifndef VCPU_I8254_H
#define VCPU_I8254_H

#include "sim/types.h"

#define PIT_HZ 1193182u

struct i8254_channel {
    s_time_t since;  /* it counts since then; if it does */
    uint64_t before; /* ticks that it had counted by then */
    uint32_t count;  /* what was loaded: 1 to 65536, in BCD to 10000 */
    uint16_t latched_count;
    uint8_t mode, access;        /* as last written */
    uint8_t reads, writes;       /* which byte is next */
    uint8_t count_latched;       /* 0, or which byte of it is next */
    uint8_t low_written, status; /* a word's first byte; what was latched */
    bool bcd, status_latched, gate;
    bool loaded;  /* a count was, since the mode was set */
    bool started; /* counting began, though the gate may hold it */
};

struct i8254 {
    struct i8254_channel ch[3];
    bool speaker;
};

void i8254_init(struct i8254 *p);
/* Ports 0x40 to 0x43, and 0x61 (gate and output of channel 2, loudspeaker). now: virtual time. */
uint8_t i8254_read(struct i8254 *p, uint16_t port, s_time_t now);
void i8254_write(struct i8254 *p, uint16_t port, uint8_t val, s_time_t now);
/* How long a count of n takes, in ns, rounded up. */
static inline s_time_t i8254_ns(uint32_t n) { return ((s_time_t)n * SECONDS(1) + PIT_HZ - 1) / PIT_HZ; }

#endif
