// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8254 interval timer.
 *
 * Concept: three counters run down at 1.193182 MHz of virtual time from values that the guest writes, byte by byte.
 * Nothing ticks: the present count and the output follow from the time of loading, and are computed when somebody asks.
 *
 *      port 0x43 (write)   7 6      5 4          3 2 1   0
 *                          channel  access       mode    BCD          access 0: latch the count
 *                          1 1      /count /status   channels  0      read-back
 *      port 0x40 + n       the count, as `access` says: 1 low byte, 2 high byte, 3 low, then high
 *      port 0x61           0: gate of channel 2   1: loudspeaker   4: refresh clock   5: output of channel 2
 *
 *      mode   begins with   its output                                        a low gate
 *      0      loading       low, high from the end on                         holds it
 *      1      the gate      low until the end                                 nothing
 *      2      loading       low in the last tick of each period               stops it, high; rising: anew
 *      3      loading       high for half of each period                      likewise
 *      4      loading       low for a tick at the end                         holds it
 *      5      the gate      likewise                                          nothing
 *
 * The gates of channels 0 and 1 are always high. A new count is taken at once in modes 2 and 3, too, as in Xen; the
 * chip finishes the period before. Nobody hears the loudspeaker.
 *
 * Invariants: `started` implies `loaded`; a channel's elapsed ticks only grow until it begins anew.
 *
 * Corresponds to xen/arch/x86/emul-i8254.c. Source: Intel 8254 data sheet.
 */
#include "vcpu/i8254.h"

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_WORD, ACCESS_WORD_HIGH }; /* the last: a word's second byte */

/* Begins, or begins anew, when its gate goes up. */
static bool triggered(const struct i8254_channel *c) { return c->mode == 1 || c->mode == 5; }
static bool periodic(const struct i8254_channel *c) { return c->mode == 2 || c->mode == 3; }

static bool counts(const struct i8254_channel *c) { return c->started && (c->gate || triggered(c)); }

/* Ticks since it began. */
static uint64_t elapsed(const struct i8254_channel *c, s_time_t now)
{
    if (!counts(c))
        return c->before;
    return c->before + (uint64_t)((unsigned __int128)(now - c->since) * PIT_HZ / (uint64_t)SECONDS(1));
}

static uint32_t wrap(const struct i8254_channel *c) { return c->bcd ? 10000 : 0x10000; }

static uint16_t to_bcd(uint32_t n)
{
    return (uint16_t)(n / 1000 % 10 << 12 | n / 100 % 10 << 8 | n / 10 % 10 << 4 | n % 10);
}

static uint32_t from_bcd(uint16_t n)
{
    return (uint32_t)((n >> 12) * 1000 + (n >> 8 & 15) * 100 + (n >> 4 & 15) * 10 + (n & 15));
}

static uint16_t count(const struct i8254_channel *c, s_time_t now)
{
    const uint64_t t = elapsed(c, now), n = c->count;
    uint64_t left;

    if (c->mode == 3)
        left = n - 2 * t % n; /* counts down by two, twice a period */
    else if (c->mode == 2)
        left = n - t % n;
    else
        left = n + wrap(c) - t % wrap(c); /* goes on at the end */
    left %= wrap(c);
    return c->bcd ? to_bcd((uint32_t)left) : (uint16_t)left;
}

static bool output(const struct i8254_channel *c, s_time_t now)
{
    const uint64_t t = elapsed(c, now), n = c->count;

    if (!c->started || (periodic(c) && !c->gate))
        return c->mode != 0;
    switch (c->mode) {
    case 0:
    case 1: return t >= n;
    case 2: return t % n != n - 1;
    case 3: return t % n < (n + 1) / 2;
    default: return t != n;
    }
}

static void begin(struct i8254_channel *c, s_time_t now)
{
    c->started = true;
    c->before = 0;
    c->since = now;
}

static void load(struct i8254_channel *c, uint16_t val, s_time_t now)
{
    c->count = c->bcd ? from_bcd(val) : val;
    if (!c->count || c->count > wrap(c))
        c->count = wrap(c);
    c->loaded = true;
    if (!triggered(c))
        begin(c, now);
}

static void set_gate(struct i8254_channel *c, bool gate, s_time_t now)
{
    if (gate == c->gate)
        return;
    c->before = elapsed(c, now);
    c->since = now;
    c->gate = gate;
    if (gate && c->loaded && (triggered(c) || periodic(c)))
        begin(c, now);
}

/* --- the ports --- */

static void latch(struct i8254_channel *c, bool want_count, bool want_status, s_time_t now)
{
    if (want_count && !c->count_latched) {
        c->latched_count = count(c, now);
        c->count_latched = c->access;
    }
    if (want_status && !c->status_latched) {
        c->status = (uint8_t)(output(c, now) << 7 | !c->loaded << 6 | c->access << 4 | c->mode << 1 | c->bcd);
        c->status_latched = true;
    }
}

static void write_control(struct i8254 *p, uint8_t val, s_time_t now)
{
    const uint8_t access = val >> 4 & 3;
    struct i8254_channel *c = &p->ch[val >> 6 & 3];

    if (val >> 6 == 3) { /* read-back */
        for (unsigned int i = 0; i < 3; i++)
            if (val >> (i + 1) & 1)
                latch(&p->ch[i], !(val & 0x20), !(val & 0x10), now);
        return;
    }
    if (access == ACCESS_LATCH) {
        latch(c, true, false, now);
        return;
    }
    c->access = c->reads = c->writes = access;
    c->mode = val >> 1 & 7;
    if (c->mode > 5)
        c->mode -= 4; /* the upper bit does not count for modes 2 and 3 */
    c->bcd = val & 1;
    c->loaded = c->started = false;
    c->count_latched = c->status_latched = false;
    c->before = 0;
}

static void write_count(struct i8254_channel *c, uint8_t val, s_time_t now)
{
    switch (c->writes) {
    case ACCESS_HIGH: load(c, (uint16_t)(val << 8), now); break;
    case ACCESS_WORD:
        c->low_written = val;
        c->writes = ACCESS_WORD_HIGH;
        break;
    case ACCESS_WORD_HIGH:
        load(c, (uint16_t)(c->low_written | val << 8), now);
        c->writes = ACCESS_WORD;
        break;
    default: load(c, val, now);
    }
}

static uint8_t read_count(struct i8254_channel *c, s_time_t now)
{
    uint8_t *state = c->count_latched ? &c->count_latched : &c->reads;
    const uint16_t n = c->count_latched ? c->latched_count : count(c, now);
    const uint8_t access = *state;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (access == ACCESS_WORD)
        *state = ACCESS_WORD_HIGH;
    else if (c->count_latched)
        c->count_latched = 0;
    else if (access == ACCESS_WORD_HIGH)
        *state = ACCESS_WORD;
    return (uint8_t)(access == ACCESS_HIGH || access == ACCESS_WORD_HIGH ? n >> 8 : n);
}

uint8_t i8254_read(struct i8254 *p, uint16_t port, s_time_t now)
{
    const bool refresh = now >> 14 & 1; /* toggles every 16 us */

    if (port == 0x61)
        return (uint8_t)(output(&p->ch[2], now) << 5 | refresh << 4 | p->speaker << 1 | p->ch[2].gate);
    return (port & 3) == 3 ? 0 : read_count(&p->ch[port & 3], now);
}

void i8254_write(struct i8254 *p, uint16_t port, uint8_t val, s_time_t now)
{
    if (port == 0x61) {
        set_gate(&p->ch[2], val & 1, now);
        p->speaker = val >> 1 & 1;
    } else if ((port & 3) == 3) {
        write_control(p, val, now);
    } else {
        write_count(&p->ch[port & 3], val, now);
    }
}

void i8254_init(struct i8254 *p)
{
    *p = (struct i8254){ .speaker = false };
    for (unsigned int i = 0; i < 3; i++)
        p->ch[i] = (struct i8254_channel){ .count = 0x10000,
                                           .mode = 3,
                                           .access = ACCESS_WORD,
                                           .reads = ACCESS_WORD,
                                           .writes = ACCESS_WORD,
                                           .gate = i != 2 };
}
