// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock chip of an HVM domain.
 *
 * Concept: a guest writes an index to port 0x70 and reads or writes the byte of that index at 0x71. The time is the
 * machine's wallclock with the domain's offset, and one that the guest adds by setting it; it is taken apart when
 * somebody reads. So nothing runs but a timer to the next second's beginning while an interrupt of it is wanted, and
 * the periodic interrupt's.
 *
 *      register A   7 UIP    6..4 divider (2: on)   3..0 rate of the periodic interrupt: 2^(16 - rate) Hz
 *               B   7 SET    6 PIE  5 AIE  4 UIE    2 binary  1 24 hours
 *               C   7 IRQF   6 PF   5 AF   4 UF     cleared by reading: what has happened since
 *               D   7 valid
 *
 * IRQF = one of PF, AF, UF that B enables; while it is set ISA interrupt 8 is up.
 *
 * The century (0x32) belongs to the time. All other bytes of the chip's memory are the device model's, which hears of
 * the index, too (rings/dm/cmos.c).
 *
 * Corresponds to xen/arch/x86/hvm/rtc.c, which leaves the century to the device model as well. Source: Motorola
 * MC146818A data sheet.
 */
#include "vcpu/hvm/rtc.h"

#include <string.h>
#include <time.h>
#include <xen/hvm/save.h>

#define RTC_IRQ    8
#define UIP_LENGTH MICROSECS(244)
#define DAY        86400

static s_time_t now_of(const struct rtc *rtc) { return NOW(rtc->irqs->domain->xen); }
static struct vclock *clock_of(const struct rtc *rtc) { return &rtc->irqs->domain->xen->machine->clock; }

/* --- the time --- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Seconds since 1970 at a virtual time. What is set may be far away: it wraps, and is no time then. */
static int64_t second_at(const struct rtc *rtc, s_time_t at)
{
    const struct domain *d = rtc->irqs->domain;
    const int64_t machine = floor_div(d->xen->wallclock_offset + at, SECONDS(1));

    return (int64_t)((uint64_t)machine + (uint64_t)d->time_offset_seconds + (uint64_t)rtc->offset);
}

static s_time_t in_second(const struct rtc *rtc, s_time_t at)
{
    const int64_t machine = rtc->irqs->domain->xen->wallclock_offset + at;

    return machine - floor_div(machine, SECONDS(1)) * SECONDS(1);
}

static uint8_t encode(const struct rtc *rtc, int n)
{
    return (uint8_t)(rtc->cmos[RTC_REG_B] & RTC_DM_BIN ? n : n / 10 << 4 | n % 10);
}

static int decode(const struct rtc *rtc, uint8_t val)
{
    return rtc->cmos[RTC_REG_B] & RTC_DM_BIN ? val : (val >> 4) * 10 + (val & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, int hour)
{
    if (rtc->cmos[RTC_REG_B] & RTC_24H)
        return encode(rtc, hour);
    return (uint8_t)(encode(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0));
}

static int decode_hour(const struct rtc *rtc, uint8_t val)
{
    if (rtc->cmos[RTC_REG_B] & RTC_24H)
        return decode(rtc, val);
    return decode(rtc, val & 0x7f) % 12 + (val & 0x80 ? 12 : 0);
}

static bool is_time(unsigned int index)
{
    return index == RTC_CENTURY || index == RTC_SECONDS || index == RTC_MINUTES || index == RTC_HOURS ||
           (index >= RTC_DAY_OF_WEEK && index <= RTC_YEAR);
}

/* The time as bytes, into the memory. */
static void time_to_bytes(struct rtc *rtc)
{
    const time_t now = (time_t)second_at(rtc, now_of(rtc));
    uint8_t *c = rtc->cmos;
    struct tm tm;

    if (!gmtime_r(&now, &tm))
        return;
    c[RTC_SECONDS] = encode(rtc, tm.tm_sec);
    c[RTC_MINUTES] = encode(rtc, tm.tm_min);
    c[RTC_HOURS] = encode_hour(rtc, tm.tm_hour);
    c[RTC_DAY_OF_WEEK] = encode(rtc, tm.tm_wday + 1);
    c[RTC_DAY_OF_MONTH] = encode(rtc, tm.tm_mday);
    c[RTC_MONTH] = encode(rtc, tm.tm_mon + 1);
    c[RTC_YEAR] = encode(rtc, (tm.tm_year + 100) % 100);
    c[RTC_CENTURY] = encode(rtc, (tm.tm_year + 1900) / 100);
}

/* And back: what the bytes say is the time from now on. */
static void bytes_to_time(struct rtc *rtc)
{
    const uint8_t *c = rtc->cmos;
    struct tm tm = {
        .tm_sec = decode(rtc, c[RTC_SECONDS]),
        .tm_min = decode(rtc, c[RTC_MINUTES]),
        .tm_hour = decode_hour(rtc, c[RTC_HOURS]),
        .tm_mday = decode(rtc, c[RTC_DAY_OF_MONTH]),
        .tm_mon = decode(rtc, c[RTC_MONTH]) - 1,
        .tm_year = decode(rtc, c[RTC_CENTURY]) * 100 + decode(rtc, c[RTC_YEAR]) - 1900,
    };

    if (tm.tm_year >= 70)
        rtc->offset = (int64_t)((uint64_t)rtc->offset + (uint64_t)timegm(&tm) - (uint64_t)second_at(rtc, now_of(rtc)));
}

/* --- events --- */

/* ns of the periodic interrupt, 0: off */
static s_time_t period_of(const struct rtc *rtc)
{
    const unsigned int a = rtc->cmos[RTC_REG_A], rate = a & 15;

    if (!rate || (a & 0x70) != 0x20)
        return 0;
    return SECONDS(1) * (1 << ((rate <= 2 ? rate + 7 : rate) - 1)) / 32768;
}

static bool alarm_byte(uint8_t alarm, uint8_t now) { return (alarm & 0xc0) == 0xc0 || alarm == now; }

/* Does the alarm go off at that second? */
static bool alarm_at(const struct rtc *rtc, int64_t second)
{
    const int day = (int)(second - floor_div(second, DAY) * DAY);
    const uint8_t *c = rtc->cmos;

    return alarm_byte(c[RTC_SECONDS_ALARM], encode(rtc, day % 60)) &&
           alarm_byte(c[RTC_MINUTES_ALARM], encode(rtc, day / 60 % 60)) &&
           alarm_byte(c[RTC_HOURS_ALARM], encode_hour(rtc, day / 3600));
}

/* Bring register C up to now, and the line with it. */
static void collect(struct rtc *rtc)
{
    const s_time_t now = now_of(rtc), period = period_of(rtc);
    const int64_t to = second_at(rtc, now);
    int64_t from = second_at(rtc, rtc->seen);
    uint8_t *c = &rtc->cmos[RTC_REG_C];

    if (period && now / period != rtc->seen / period)
        *c |= RTC_PF;
    if (to > from && !(rtc->cmos[RTC_REG_B] & RTC_SET)) {
        *c |= RTC_UF;
        for (from = to - from > DAY ? to - DAY : from; from < to && !(*c & RTC_AF); from++)
            if (alarm_at(rtc, from + 1))
                *c |= RTC_AF;
    }
    rtc->seen = now;
    if (!(*c & rtc->cmos[RTC_REG_B] & (RTC_PF | RTC_AF | RTC_UF)))
        return;
    *c |= RTC_IRQF;
    if (*c & rtc->cmos[RTC_REG_B] & (RTC_AF | RTC_UF)) /* ticks pull the line by themselves */
        hvm_isa_irq_assert(rtc->irqs, RTC_IRQ);
}

/* Set the timer to the next second's beginning, if that is wanted. */
static void arm(struct rtc *rtc)
{
    const uint8_t b = rtc->cmos[RTC_REG_B];
    const s_time_t now = now_of(rtc);

    if (!(b & (RTC_AF | RTC_UF)) || (b & RTC_SET))
        timer_stop(clock_of(rtc), &rtc->event);
    else
        timer_set(clock_of(rtc), &rtc->event, now + SECONDS(1) - in_second(rtc, now));
}

static void second_begins(void *data)
{
    collect(data);
    arm(data);
}

/* The guest has taken a periodic tick. One that was made up for later is one, too. */
static void periodic_taken(void *data)
{
    struct rtc *rtc = data;

    rtc->cmos[RTC_REG_C] |= RTC_PF | RTC_IRQF;
}

static void set_periodic(struct rtc *rtc)
{
    const s_time_t period = period_of(rtc), now = now_of(rtc);

    if (period && (rtc->cmos[RTC_REG_B] & RTC_PF))
        create_periodic_time(&rtc->pt, period - now % period, period, RTC_IRQ, periodic_taken, rtc);
    else
        destroy_periodic_time(&rtc->pt);
}

/* --- the ports --- */

static void write_b(struct rtc *rtc, uint8_t val)
{
    const uint8_t was = rtc->cmos[RTC_REG_B];

    if ((val & RTC_SET) && !(was & RTC_SET)) {
        time_to_bytes(rtc);
        val &= (uint8_t)~RTC_UF; /* as the chip does */
    }
    rtc->cmos[RTC_REG_B] = val;
    if (!(val & RTC_SET) && (was & RTC_SET)) {
        bytes_to_time(rtc);
        rtc->seen = now_of(rtc);
    }
    if ((val ^ was) & RTC_PF)
        set_periodic(rtc);
    collect(rtc); /* what has happened, and is now wanted */
    arm(rtc);
}

static void write_byte(struct rtc *rtc, unsigned int index, uint8_t val)
{
    collect(rtc);
    switch (index) {
    case RTC_REG_A:
        rtc->cmos[index] = val & (uint8_t)~RTC_UIP;
        set_periodic(rtc);
        return;
    case RTC_REG_B: write_b(rtc, val); return;
    case RTC_REG_C:
    case RTC_REG_D: return;
    default: break;
    }
    if (!is_time(index) || (rtc->cmos[RTC_REG_B] & RTC_SET)) { /* an alarm; or not yet the time */
        rtc->cmos[index] = val;
        return;
    }
    time_to_bytes(rtc);
    rtc->cmos[index] = val;
    bytes_to_time(rtc);
    rtc->seen = now_of(rtc);
    arm(rtc);
}

static uint8_t read_byte(struct rtc *rtc, unsigned int index)
{
    const bool set = rtc->cmos[RTC_REG_B] & RTC_SET;
    uint8_t val;

    if (is_time(index) && !set)
        time_to_bytes(rtc);
    switch (index) {
    case RTC_REG_A:
        return rtc->cmos[index] | (!set && in_second(rtc, now_of(rtc)) >= SECONDS(1) - UIP_LENGTH ? RTC_UIP : 0);
    case RTC_REG_C:
        collect(rtc);
        val = rtc->cmos[index];
        rtc->cmos[index] = 0;
        hvm_isa_irq_deassert(rtc->irqs, RTC_IRQ);
        return val;
    default: return rtc->cmos[index];
    }
}

bool rtc_has(const struct rtc *rtc) { return is_time(rtc->index) || rtc->index <= RTC_REG_D; }

uint8_t rtc_read(struct rtc *rtc, uint16_t port) { return port & 1 ? read_byte(rtc, rtc->index) : 0xff; }

void rtc_write(struct rtc *rtc, uint16_t port, uint8_t val)
{
    if (port & 1)
        write_byte(rtc, rtc->index, val);
    else
        rtc->index = val & 0x7f; /* bit 7 would keep NMIs back */
}

/* --- its life --- */

void rtc_init(struct rtc *rtc, struct hvm_irq *irqs)
{
    *rtc = (struct rtc){ .irqs = irqs };
    rtc->cmos[RTC_REG_A] = 0x26;
    rtc->cmos[RTC_REG_B] = RTC_24H;
    rtc->cmos[RTC_REG_D] = 0x80;
    rtc->seen = now_of(rtc);
    timer_init(&rtc->event, second_begins, rtc);
    timer_label(&rtc->event, TIMER_PLATFORM, irqs->domain->domain_id, 0);
    vpt_init(&rtc->pt, irqs, irqs->vlapic[0]->vcpu, &vpt_line);
}

void rtc_deinit(struct rtc *rtc)
{
    timer_stop(clock_of(rtc), &rtc->event);
    destroy_periodic_time(&rtc->pt);
}

/* --- as a record --- */

void rtc_save(struct rtc *rtc, struct hvm_hw_rtc *r)
{
    collect(rtc);
    if (!(rtc->cmos[RTC_REG_B] & RTC_SET))
        time_to_bytes(rtc);
    *r = (struct hvm_hw_rtc){ .cmos_index = rtc->index, .rtc_offset = rtc->offset };
    memcpy(r->cmos_data, rtc->cmos, sizeof(r->cmos_data));
}

int rtc_load(struct rtc *rtc, const struct hvm_hw_rtc *r)
{
    memcpy(rtc->cmos, r->cmos_data, sizeof(r->cmos_data));
    rtc->cmos[RTC_REG_A] &= (uint8_t)~RTC_UIP;
    rtc->cmos[RTC_REG_D] = 0x80;
    rtc->index = r->cmos_index & 0x7f;
    rtc->offset = r->rtc_offset;
    rtc->seen = now_of(rtc);
    set_periodic(rtc);
    arm(rtc);
    return 0;
}
