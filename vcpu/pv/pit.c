// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interval timer that a PV guest may play with: channel 2 of an 8254, which drives the loudspeaker.
 *
 * Concept: a counter runs down from a value that the guest writes, byte by byte, at 1.193182 MHz of virtual time.
 * Nothing ticks: the present count follows from the time of loading, and is computed when somebody asks.
 *
 *      port 0x43 (write)   7 6      5 4          3 2 1   0
 *                          channel  access       mode    BCD          access 0: latch the count
 *                          1 1      /count /status   channels  0      read-back
 *      port 0x42           the count, as `access` says: 1 low byte, 2 high byte, 3 low, then high
 *      port 0x61           0: gate of channel 2   1: loudspeaker   4: refresh clock   5: output of channel 2
 *
 * Channels 0 and 1 have no port that reaches a PV guest, so what 0x43 says of them is lost. Nobody hears the
 * loudspeaker.
 *
 * Corresponds to xen/arch/x86/emul-i8254.c (pv_pit_handler). Source: Intel 8254 data sheet.
 */
#include "vcpu/pv/pv.h"

#define PIT_HZ 1193182u

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_WORD, ACCESS_WORD_HIGH }; /* the last: a word's second byte */

/* Ticks since the counter was loaded. */
static uint64_t elapsed(const struct domain *d)
{
    return (uint64_t)((unsigned __int128)(NOW(d->xen) - d->pv.pit.loaded) * PIT_HZ / (uint64_t)SECONDS(1));
}

static uint16_t count(const struct domain *d)
{
    const uint32_t n = d->pv.pit.count;
    const uint64_t t = elapsed(d);

    switch (d->pv.pit.mode) {
    case 0:
    case 1:
    case 4:
    case 5: return (uint16_t)(n - t);
    case 3: return (uint16_t)(n - 2 * t % n); /* counts down by two, twice a period */
    default: return (uint16_t)(n - t % n);
    }
}

static bool output(const struct domain *d)
{
    const uint32_t n = d->pv.pit.count;
    const uint64_t t = elapsed(d);

    switch (d->pv.pit.mode) {
    case 1: return t < n;
    case 2: return t && t % n == 0;
    case 3: return t % n < (n + 1) / 2;
    case 4:
    case 5: return t == n;
    default: return t >= n;
    }
}

static void load(struct domain *d, uint16_t val)
{
    d->pv.pit.count = val ? val : 0x10000;
    d->pv.pit.loaded = NOW(d->xen);
}

static void latch_count(struct pv_pit *p, uint16_t now)
{
    if (p->count_latched)
        return;
    p->latched_count = now;
    p->count_latched = p->access;
}

static void latch_status(struct domain *d)
{
    struct pv_pit *p = &d->pv.pit;

    if (!p->status_latched)
        p->status = (uint8_t)(output(d) << 7 | p->access << 4 | p->mode << 1 | p->bcd);
    p->status_latched = true;
}

static void write_control(struct domain *d, uint8_t val)
{
    struct pv_pit *p = &d->pv.pit;
    const uint8_t access = val >> 4 & 3;

    if (val >> 6 == 3 && (val & 8)) { /* read-back, of channel 2 too */
        if (!(val & 0x20))
            latch_count(p, count(d));
        if (!(val & 0x10))
            latch_status(d);
    }
    if (val >> 6 != 2)
        return;
    if (access == ACCESS_LATCH) {
        latch_count(p, count(d));
        return;
    }
    p->access = p->reads = p->writes = access;
    p->mode = val >> 1 & 7;
    if (p->mode > 5)
        p->mode -= 4; /* the upper bit does not count for modes 2 and 3 */
    p->bcd = val & 1;
}

static void write_count(struct domain *d, uint8_t val)
{
    struct pv_pit *p = &d->pv.pit;

    switch (p->writes) {
    case ACCESS_HIGH: load(d, (uint16_t)(val << 8)); break;
    case ACCESS_WORD:
        p->low_written = val;
        p->writes = ACCESS_WORD_HIGH;
        break;
    case ACCESS_WORD_HIGH:
        load(d, (uint16_t)(p->low_written | val << 8));
        p->writes = ACCESS_WORD;
        break;
    default: load(d, val);
    }
}

static uint8_t read_count(struct domain *d)
{
    struct pv_pit *p = &d->pv.pit;
    uint8_t *state = p->count_latched ? &p->count_latched : &p->reads;
    const uint16_t n = p->count_latched ? p->latched_count : count(d);
    const uint8_t access = *state;

    if (p->status_latched) {
        p->status_latched = false;
        return p->status;
    }
    if (access == ACCESS_WORD)
        *state = ACCESS_WORD_HIGH;
    else if (p->count_latched)
        p->count_latched = 0;
    else if (access == ACCESS_WORD_HIGH)
        *state = ACCESS_WORD;
    return (uint8_t)(access == ACCESS_HIGH || access == ACCESS_WORD_HIGH ? n >> 8 : n);
}

/* A rising gate starts the counter again, but for the modes in which it only holds the counter (not done). */
static void write_speaker(struct domain *d, uint8_t val)
{
    struct pv_pit *p = &d->pv.pit;

    if ((val & 1) && !p->gate && p->mode != 0 && p->mode != 4)
        p->loaded = NOW(d->xen);
    p->gate = val & 1;
    p->speaker = val >> 1 & 1;
}

static uint8_t read_speaker(const struct domain *d)
{
    const bool refresh = NOW(d->xen) >> 14 & 1; /* toggles every 16 us */

    return (uint8_t)(output(d) << 5 | refresh << 4 | d->pv.pit.speaker << 1 | d->pv.pit.gate);
}

void pv_pit_init(struct domain *d)
{
    d->pv.pit = (struct pv_pit){ .count = 0x10000, .loaded = NOW(d->xen), .mode = 7 };
}

uint8_t pv_pit_read(struct domain *d, uint16_t port)
{
    return port == 0x61 ? read_speaker(d) : port == 0x42 ? read_count(d) : 0;
}

void pv_pit_write(struct domain *d, uint16_t port, uint8_t val)
{
    if (port == 0x61)
        write_speaker(d, val);
    else if (port == 0x42)
        write_count(d, val);
    else
        write_control(d, val);
}
