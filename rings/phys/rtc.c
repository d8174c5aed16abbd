// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock chip of the physical machine.
 *
 * Concept: an index at port 0x70, the byte of that index at 0x71. The time is made when somebody reads a part of it,
 * from the machine's wallclock at power-on and the time since then; who sets a part of it moves the clock by the
 * difference (what dom0 tells Xen of the time does not). It counts in BCD and 24 hours, as a BIOS leaves it, and these
 * bits of register B cannot be changed. What is no number of a date is lost.
 *
 *      0 seconds  2 minutes  4 hours  6 day of the week  7 day  8 month  9 year  0x32 century
 *      A 0x26: runs   B 0x02: 24 hours   C 0: no interrupt   D 0x80: valid   all others: memory
 *
 * It has no interrupt, and its ACPI device names none: dom0's time comes from Xen. So there is no alarm.
 *
 * Source: Motorola MC146818A data sheet.
 */
#include "rings/phys/rtc.h"

#include <time.h>

enum { SECONDS_REG, MINUTES = 2, HOURS = 4, WEEKDAY = 6, DAY, MONTH, YEAR, REG_A, REG_B, REG_C, REG_D, CENTURY = 0x32 };

static uint8_t bcd(int n) { return (uint8_t)(n / 10 % 10 << 4 | n % 10); }
static int from_bcd(uint8_t b) { return (b >> 4) * 10 + (b & 15); }

static time_t now_of(const struct phys_rtc *r) { return (time_t)((r->at_boot + NOW(r->xen)) / SECONDS(1) + r->offset); }

static bool part_get(const struct tm *tm, unsigned int index, uint8_t *val)
{
    switch (index) {
    case SECONDS_REG: *val = bcd(tm->tm_sec); break;
    case MINUTES: *val = bcd(tm->tm_min); break;
    case HOURS: *val = bcd(tm->tm_hour); break;
    case WEEKDAY: *val = bcd(tm->tm_wday + 1); break;
    case DAY: *val = bcd(tm->tm_mday); break;
    case MONTH: *val = bcd(tm->tm_mon + 1); break;
    case YEAR: *val = bcd(tm->tm_year % 100); break;
    case CENTURY: *val = bcd((tm->tm_year + 1900) / 100); break;
    default: return false;
    }
    return true;
}

/* Is it a number that this part of a date has? The day of the week follows from the others. */
static bool part_okay(unsigned int index, uint8_t val)
{
    const int n = from_bcd(val);

    if ((val & 15) > 9 || val >> 4 > 9)
        return false;
    switch (index) {
    case SECONDS_REG:
    case MINUTES: return n < 60;
    case HOURS: return n < 24;
    case DAY: return n >= 1 && n <= 31;
    case MONTH: return n >= 1 && n <= 12;
    case YEAR: return true;
    case CENTURY: return n >= 19;
    default: return false;
    }
}

static void part_set(struct tm *tm, unsigned int index, int n)
{
    switch (index) {
    case SECONDS_REG: tm->tm_sec = n; break;
    case MINUTES: tm->tm_min = n; break;
    case HOURS: tm->tm_hour = n; break;
    case DAY: tm->tm_mday = n; break;
    case MONTH: tm->tm_mon = n - 1; break;
    case YEAR: tm->tm_year = tm->tm_year / 100 * 100 + n; break;
    case CENTURY: tm->tm_year = tm->tm_year % 100 + n * 100 - 1900; break;
    default: break; /* the day of the week follows from the others */
    }
}

static uint64_t rtc_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct phys_rtc *r = dev;
    const time_t now = now_of(r);
    struct tm tm;
    uint8_t val;

    (void)size;
    if (!offset)
        return r->index;
    if (gmtime_r(&now, &tm) && part_get(&tm, r->index, &val))
        return val;
    switch (r->index) {
    case REG_A: return 0x26;
    case REG_B: return 0x02;
    case REG_C: return 0;
    case REG_D: return 0x80;
    default: return r->memory[r->index];
    }
}

static void rtc_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct phys_rtc *r = dev;
    const time_t now = now_of(r);
    struct tm tm;
    uint8_t was;

    (void)size;
    if (!offset) {
        r->index = val & 0x7f;
        return;
    }
    if (!gmtime_r(&now, &tm) || !part_get(&tm, r->index, &was)) {
        if (r->index > REG_D)
            r->memory[r->index] = (uint8_t)val;
        return;
    }
    if (!part_okay(r->index, (uint8_t)val))
        return;
    part_set(&tm, r->index, from_bcd((uint8_t)val));
    r->offset += timegm(&tm) - now;
}

static const struct dm_region_ops rtc_ops = { rtc_read, rtc_write };

void phys_rtc_init(struct phys_rtc *r, struct dm_board *board, struct xen *xen)
{
    *r = (struct phys_rtc){ .xen = xen, .at_boot = xen->wallclock_offset };
    dm_region_init(&r->ports, &rtc_ops, r, DM_PORT, 0x70, 2);
    board->ops->region(board, &r->ports);
}
