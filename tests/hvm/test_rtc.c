// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock chip: the time in its formats, setting it, its three interrupts and flags, its memory; any access. */
#include "tests/hvm/board.h"
#include "tests/support/random.h"
#include "vcpu/hvm/rtc.h"

#define VECTOR 0x78

static struct rtc rtc;

static int setup(void **state)
{
    struct board *b;

    board_setup(state);
    b = *state;
    rtc_init(&rtc, &b->irq);
    enable_all(b);
    vioapic_write(&b->irq, 0, 0x20);
    vioapic_write(&b->irq, 0x10, VECTOR);
    pass(b, SECONDS(1) - NOW(b->f->xen) % SECONDS(1)); /* to the beginning of a second */
    return 0;
}

static int teardown(void **state)
{
    rtc_deinit(&rtc);
    return board_teardown(state);
}

static uint8_t in(uint8_t index)
{
    rtc_write(&rtc, 0x70, index);
    return rtc_read(&rtc, 0x71);
}

static void out(uint8_t index, uint8_t val)
{
    rtc_write(&rtc, 0x70, index);
    rtc_write(&rtc, 0x71, val);
}

/* Set it as guests do. */
static void set(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t hour, uint8_t min, uint8_t sec)
{
    const uint8_t b = in(RTC_REG_B);

    out(RTC_REG_B, b | RTC_SET);
    out(RTC_CENTURY, century), out(RTC_YEAR, year), out(RTC_MONTH, month), out(RTC_DAY_OF_MONTH, day);
    out(RTC_HOURS, hour), out(RTC_MINUTES, min), out(RTC_SECONDS, sec);
    out(RTC_REG_B, b);
}

static void expect(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t hour, uint8_t min, uint8_t sec)
{
    assert_int_equal(in(RTC_CENTURY), century);
    assert_int_equal(in(RTC_YEAR), year);
    assert_int_equal(in(RTC_MONTH), month);
    assert_int_equal(in(RTC_DAY_OF_MONTH), day);
    assert_int_equal(in(RTC_HOURS), hour);
    assert_int_equal(in(RTC_MINUTES), min);
    assert_int_equal(in(RTC_SECONDS), sec);
}

static unsigned int interrupts(struct board *b)
{
    unsigned int n = 0;

    while (take(b, 0) == VECTOR) {
        apic(b, 0, APIC_EOI, 0);
        n++;
    }
    return n;
}

static void the_time(void **state)
{
    struct board *b = *state;

    expect(0x20, 0x26, 1, 1, 0, 0, 1); /* the machine began with the year, and a second has passed */
    assert_int_equal(in(RTC_DAY_OF_WEEK), 5);
    pass(b, SECONDS(3600 * 13 + 59));
    expect(0x20, 0x26, 1, 1, 0x13, 1, 0);
    out(RTC_REG_B, 0); /* 12 hours */
    assert_int_equal(in(RTC_HOURS), 0x81);
    out(RTC_REG_B, RTC_DM_BIN);
    pass(b, SECONDS(10 * 3600));
    assert_int_equal(in(RTC_HOURS), 0x80 | 11);
    pass(b, SECONDS(3600));
    assert_int_equal(in(RTC_HOURS), 12);
    out(RTC_REG_B, RTC_DM_BIN | RTC_24H);
    assert_int_equal(in(RTC_HOURS), 0);
    assert_int_equal(in(RTC_DAY_OF_MONTH), 2);
    b->f->d->time_offset_seconds = -2 * 3600; /* XEN_DOMCTL_settimeoffset */
    assert_int_equal(in(RTC_HOURS), 22);
    b->f->d->time_offset_seconds = -INT64_C(86400) * 365 * 70; /* before 1970 */
    expect(19, 56, 1, 20, 0, 1, 0);
    b->f->d->time_offset_seconds = 0;
    assert_int_equal(rtc_read(&rtc, 0x70), 0xff);
    assert_int_equal(in(RTC_REG_D), 0x80);
}

static void setting(void **state)
{
    struct board *b = *state;

    set(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    expect(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    pass(b, SECONDS(2));
    expect(0x20, 0x24, 2, 0x29, 0, 0, 0);
    assert_int_equal(in(RTC_DAY_OF_WEEK), 5);
    out(RTC_MINUTES, 0x30); /* without SET */
    expect(0x20, 0x24, 2, 0x29, 0, 0x30, 0);
    out(RTC_REG_B, RTC_24H | RTC_SET);
    pass(b, SECONDS(100)); /* stands still */
    expect(0x20, 0x24, 2, 0x29, 0, 0x30, 0);
    out(RTC_REG_B, RTC_24H);
    pass(b, SECONDS(1));
    expect(0x20, 0x24, 2, 0x29, 0, 0x30, 1);
    set(0x20, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99); /* nonsense is some time */
    in(RTC_SECONDS);
    out(RTC_REG_B, RTC_24H | RTC_DM_BIN);
    set(255, 255, 12, 31, 23, 59, 59); /* a century is a byte */
    assert_int_equal(in(RTC_SECONDS), 59);
    out(RTC_REG_B, RTC_24H);
    b->f->d->time_offset_seconds = INT64_MAX; /* the toolstack's doing */
    in(RTC_SECONDS);
    set(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    in(RTC_SECONDS);
    b->f->d->time_offset_seconds = 0;
    set(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    expect(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    set(0x19, 0x60, 1, 1, 0, 0, 0); /* before 1970: not taken */
    assert_int_not_equal(in(RTC_CENTURY), 0x19);
}

static void update_flag(void **state)
{
    struct board *b = *state;

    in(RTC_REG_C);
    assert_int_equal(in(RTC_REG_A), 0x26);
    pass(b, SECONDS(1) - MICROSECS(200));
    assert_int_equal(in(RTC_REG_A), 0xa6); /* about to change */
    assert_int_equal(in(RTC_REG_C)&RTC_UF, 0);
    pass(b, MICROSECS(200));
    assert_int_equal(in(RTC_REG_A), 0x26);
    assert_int_equal(in(RTC_REG_C) & (RTC_UF | RTC_IRQF), RTC_UF); /* without an interrupt, too */
    assert_int_equal(in(RTC_REG_C)&RTC_UF, 0);
    assert_int_equal(interrupts(b), 0);
}

static void update_interrupt(void **state)
{
    struct board *b = *state;

    in(RTC_REG_C);
    out(RTC_REG_B, RTC_24H | RTC_UF);
    for (unsigned int i = 0; i < 3; i++) {
        pass(b, MILLISECS(999));
        assert_int_equal(interrupts(b), 0);
        pass(b, MILLISECS(1));
        assert_int_equal(interrupts(b), 1);
        assert_int_equal(in(RTC_REG_C) & ~RTC_PF, RTC_IRQF | RTC_UF);
    }
    pass(b, SECONDS(1));
    assert_int_equal(interrupts(b), 1);
    pass(b, SECONDS(1)); /* C was not read: the line is up, and makes no edge */
    assert_int_equal(interrupts(b), 0);
    in(RTC_REG_C);
    out(RTC_REG_B, RTC_24H);
    pass(b, SECONDS(2));
    assert_int_equal(interrupts(b), 0);
    assert_false(timer_armed(&rtc.event));
}

static void alarm_interrupt(void **state)
{
    struct board *b = *state;

    set(0x20, 0x26, 5, 6, 0x10, 0, 0);
    out(RTC_HOURS_ALARM, 0x10), out(RTC_MINUTES_ALARM, 1), out(RTC_SECONDS_ALARM, 5);
    in(RTC_REG_C);
    out(RTC_REG_B, RTC_24H | RTC_AF);
    pass(b, SECONDS(64));
    assert_int_equal(interrupts(b), 0);
    pass(b, SECONDS(1));
    assert_int_equal(interrupts(b), 1);
    assert_int_equal(in(RTC_REG_C) & (RTC_IRQF | RTC_AF), RTC_IRQF | RTC_AF);
    out(RTC_HOURS_ALARM, 0xff), out(RTC_MINUTES_ALARM, 0xc0); /* each minute */
    for (unsigned int i = 0; i < 3; i++) {
        pass(b, SECONDS(60));
        assert_int_equal(interrupts(b), 1);
        in(RTC_REG_C);
    }
    out(RTC_REG_B, RTC_24H);
    out(RTC_HOURS_ALARM, 0x09), out(RTC_MINUTES_ALARM, 0);
    pass(b, SECONDS(5 * 86400)); /* the flag alone, after days */
    assert_true(in(RTC_REG_C)&RTC_AF);
}

static void periodic_interrupt(void **state)
{
    struct board *b = *state;

    out(RTC_REG_B, RTC_24H | RTC_PF); /* 1024 Hz */
    for (unsigned int i = 0; i < 10; i++) {
        pass(b, SECONDS(1) / 1024 + 1);
        assert_int_equal(interrupts(b), 1);
        assert_int_equal(in(RTC_REG_C) & (RTC_IRQF | RTC_PF), RTC_IRQF | RTC_PF);
    }
    out(RTC_REG_A, 0x2f); /* 2 Hz */
    pass(b, SECONDS(1) - MILLISECS(10));
    assert_int_equal(interrupts(b), 1);
    in(RTC_REG_C);
    out(RTC_REG_A, 0x20); /* off */
    pass(b, SECONDS(2));
    assert_int_equal(interrupts(b), 0);
    out(RTC_REG_A, 0x66); /* the divider is held */
    pass(b, SECONDS(2));
    assert_int_equal(interrupts(b), 0);
    out(RTC_REG_B, RTC_24H);
    out(RTC_REG_A, 0x26);
    in(RTC_REG_C);
    pass(b, MILLISECS(2));
    assert_int_equal(in(RTC_REG_C) & (RTC_IRQF | RTC_PF), RTC_PF); /* without an interrupt */
}

/* Its own registers; the rest of the memory is another's. */
static void whose(void **state)
{
    for (unsigned int index = 0; index < 256; index++) {
        rtc_write(&rtc, 0x70, (uint8_t)index);
        assert_int_equal(rtc_has(&rtc), (index & 0x7f) <= RTC_REG_D || (index & 0x7f) == RTC_CENTURY);
    }
    out(RTC_REG_C, 0xff);
    out(RTC_REG_D, 0);
    assert_int_equal(in(RTC_REG_D), 0x80);
}

static void any_access(void **state)
{
    struct board *b = *state;
    uint64_t prng = 13;

    for (unsigned int n = 0; n < 20000; n++) {
        const uint16_t port = (uint16_t)(0x70 + random_of(&prng, 2));

        switch (random_of(&prng, 5)) {
        case 0: rtc_read(&rtc, port); break;
        case 1: pass(b, (s_time_t)random_of(&prng, MILLISECS(2))); break;
        case 2: take(b, 0), apic(b, 0, APIC_EOI, 0); break;
        case 3: out((uint8_t)random_of(&prng, 14), (uint8_t)random_of(&prng, 256)); break;
        default: rtc_write(&rtc, port, (uint8_t)random_of(&prng, 256));
        }
        assert_int_equal(rtc.cmos[RTC_REG_A] & RTC_UIP, 0);
        assert_int_equal(rtc.cmos[RTC_REG_D], 0x80);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_time),           TEST(setting), TEST(update_flag), TEST(update_interrupt), TEST(alarm_interrupt),
        TEST(periodic_interrupt), TEST(whose),   TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
