// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcdev: the interval timer and the clock chip.
 *
 * Sources: Intel 8254; Motorola MC146818A; of the PC: channel 2's gate and output are bits of port 0x61.
 */
#include "guests/pcdev/pcdev.h"

#define PIT_HZ 1193182u

static uint32_t pit_read(unsigned int channel)
{
    uint32_t low;

    out8(0x43, (uint8_t)(channel << 6)); /* latch */
    low = in8((uint16_t)(0x40 + channel));
    return low | (uint32_t)in8((uint16_t)(0x40 + channel)) << 8;
}

static void pit_program(unsigned int channel, unsigned int mode, uint32_t count)
{
    out8(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out8((uint16_t)(0x40 + channel), (uint8_t)count);
    out8((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

void pit_start(unsigned int hz) { pit_program(0, 2, PIT_HZ / hz); }

/* Mode 0, of which no count follows: its line stays down. */
void pit_stop(void) { out8(0x43, 0x30); }

/* 10 ms of channel 2 tell how fast the TSC is. */
static bool tsc_measure(void)
{
    const struct deadline d = deadline(2000);
    const uint8_t gate = in8(0x61) & 0xfc;
    uint64_t from;

    out8(0x61, gate);
    pit_program(2, 0, PIT_HZ / 100);
    out8(0x61, gate | 1);
    from = tsc();
    if (in8(0x61) & 0x20) /* at once? */
        return false;
    while (!(in8(0x61) & 0x20))
        if (is_over(&d))
            return false;
    from = tsc() - from;
    out8(0x61, gate);
    if (from >> 32 || from < 1000000)
        return false;
    tsc_khz = (uint32_t)from / 10;
    return true;
}

void pit_test(void)
{
    uint32_t first, second, status;

    pit_start(100);
    first = pit_read(0);
    for (volatile int i = 0; i < 10000; i++)
        ;
    second = pit_read(0);
    result("8254", first && first <= PIT_HZ / 100 && second != first, "channel 0 counts");
    out8(0x43, 0xe2); /* read back: the status of channel 0 */
    status = in8(0x40);
    result("8254", (status & 0x3f) == 0x34, "reads back its mode: %x", status & 0x3f);
    pit_stop();
    result("8254", tsc_measure(), "channel 2 comes to its end");
}

/* -------------------------------------------------------------------------------------------------------- clock -- */

static volatile uint32_t beats;

static uint8_t cmos_read(uint8_t reg)
{
    out8(0x70, reg);
    return in8(0x71);
}

static void cmos_write(uint8_t reg, uint8_t val)
{
    out8(0x70, reg);
    out8(0x71, val);
}

static void beat(void)
{
    beats += cmos_read(0xc) >> 6 & 1; /* which acknowledges it */
    apic_eoi();
}

static bool is_bcd(uint8_t val, unsigned int from, unsigned int to)
{
    const unsigned int n = (val >> 4) * 10u + (val & 15);

    return (val & 15) < 10 && val >> 4 < 10 && n >= from && n <= to;
}

void rtc_test(void)
{
    static const struct {
        uint8_t reg, from, to;
    } fields[] = { { 0, 0, 59 }, { 2, 0, 59 }, { 4, 0, 23 }, { 7, 1, 31 }, { 8, 1, 12 }, { 9, 0, 99 } };
    const struct deadline d = deadline(1100);
    const uint8_t b = cmos_read(0xb), spare = cmos_read(0x70);
    bool good = true;

    result("clock", cmos_read(0xd) == 0x80, "its battery is good: %x", cmos_read(0xd));
    cmos_write(0xb, 2); /* BCD, 24 hours */
    while (cmos_read(0xa) & 0x80 && !is_over(&d))
        ;
    for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        good &= is_bcd(cmos_read(fields[i].reg), fields[i].from, fields[i].to);
    result("clock", good, "date and time are such");
    cmos_write(0x70, 0x5a);
    result("clock", cmos_read(0x70) == 0x5a, "a byte of its memory: %x", cmos_read(0x70));
    cmos_write(0x70, spare);
    ioapic_route(8, beat);
    cmos_read(0xc);
    cmos_write(0xa, 0x26);
    cmos_write(0xb, 0x42); /* 1024 times a second */
    good = wait_count(&beats, 5, 200);
    result("clock", good, good ? "5 periodic interrupts" : "%u of 5 periodic interrupts", beats);
    cmos_write(0xb, b & 0x8f);
    cmos_read(0xc);
    ioapic_route(8, NULL);
}
