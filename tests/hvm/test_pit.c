// SPDX-License-Identifier: GPL-2.0-or-later
/* The 8254, its three channels and six modes, and channel 0's interrupt. (A PV guest's: tests/vcpu/test_ioport.c.) */
#include "tests/hvm/board.h"
#include "tests/support/random.h"
#include "vcpu/hvm/pit.h"

#define VECTOR 0x70

static struct pit pit;

static int setup(void **state)
{
    struct board *b;

    board_setup(state);
    b = *state;
    pit_init(&pit, &b->irq);
    enable_all(b);
    vioapic_write(&b->irq, 0, 0x14);
    vioapic_write(&b->irq, 0x10, VECTOR);
    return 0;
}

static int teardown(void **state)
{
    pit_deinit(&pit);
    return board_teardown(state);
}

static void out(uint16_t port, uint8_t val) { pit_write(&pit, port, val); }
static uint8_t in(uint16_t port) { return pit_read(&pit, port); }

static void load(unsigned int ch, unsigned int mode, uint16_t count)
{
    out(0x43, (uint8_t)(ch << 6 | 0x30 | mode << 1));
    out((uint16_t)(0x40 + ch), (uint8_t)count);
    out((uint16_t)(0x40 + ch), (uint8_t)(count >> 8));
}

static uint16_t count(unsigned int ch)
{
    const uint16_t port = (uint16_t)(0x40 + ch);
    uint8_t low;

    out(0x43, (uint8_t)(ch << 6));
    low = in(port);
    return (uint16_t)(low | in(port) << 8);
}

static uint8_t status(unsigned int ch)
{
    out(0x43, (uint8_t)(0xe0 | 2 << ch));
    return in((uint16_t)(0x40 + ch));
}

static bool out2(void) { return in(0x61) >> 5 & 1; }
/* Let n ticks pass. */
static void ticks(struct board *b, uint32_t n) { pass(b, i8254_ns(n)); }

static unsigned int interrupts(struct board *b)
{
    unsigned int n = 0;

    while (take(b, 0) == VECTOR) {
        apic(b, 0, APIC_EOI, 0);
        n++;
    }
    return n;
}

static void periodic_interrupt(void **state)
{
    struct board *b = *state;

    for (unsigned int mode = 2; mode <= 3; mode++) {
        load(0, mode, 11932); /* 100 Hz */
        for (unsigned int i = 0; i < 10; i++) {
            pass(b, MILLISECS(9));
            assert_int_equal(interrupts(b), 0);
            pass(b, MILLISECS(1) + 200);
            assert_int_equal(interrupts(b), 1);
        }
    }
    out(0x43, 0x34); /* the mode alone stops it */
    pass(b, MILLISECS(100));
    assert_int_equal(interrupts(b), 0);
    out(0x40, 0x9c);
    pass(b, MILLISECS(100)); /* half a count is none */
    assert_int_equal(interrupts(b), 0);
    out(0x40, 0x2e);
    pass(b, MILLISECS(11));
    assert_int_equal(interrupts(b), 1);
}

static void single_interrupt(void **state)
{
    struct board *b = *state;

    for (unsigned int mode = 0; mode <= 5; mode++) {
        if (mode == 2 || mode == 3)
            continue;
        load(0, mode, 1193);
        assert_int_equal(interrupts(b), 0);
        pass(b, MILLISECS(5));
        assert_int_equal(interrupts(b), mode == 0 || mode == 4 ? 1 : 0);
    }
}

static void counting(void **state)
{
    struct board *b = *state;

    load(0, 0, 1000);
    ticks(b, 400);
    assert_int_equal(count(0), 600);
    assert_int_equal(status(0), 0x30);
    ticks(b, 600);
    assert_int_equal(status(0), 0xb0); /* its end has come */
    ticks(b, 400);
    assert_int_equal(count(0), 0x10000 - 400); /* goes on */
    load(1, 2, 1000);
    ticks(b, 1400);
    assert_int_equal(count(1), 600);
    load(1, 3, 1000);
    ticks(b, 1400);
    assert_int_equal(count(1), 200); /* by two */
    load(1, 6, 1000);                /* as 2 */
    assert_int_equal(status(1), 0x34 | 0x80);
    load(1, 7, 1000);
    assert_int_equal(status(1), 0x36 | 0x80);
    out(0x41, 0x10), out(0x41, 0x20); /* a count alone, again */
    assert_int_equal(count(1), 0x2010);
    out(0x41, 0x20), out(0x41, 0x30);
    assert_int_equal(count(1), 0x3020);
    load(1, 2, 0);
    ticks(b, 1);
    assert_int_equal(count(1), 0xffff);
    out(0x43, 0x71); /* BCD */
    out(0x41, 0), out(0x41, 0x20);
    ticks(b, 1);
    assert_int_equal(count(1), 0x1999);
    out(0x43, 0x71);
    out(0x41, 0x34), out(0x41, 0x12);
    ticks(b, 1200);
    assert_int_equal(count(1), 0x34);
    out(0x43, 0x71);
    assert_int_equal(status(1), 0x40 | 0x31); /* no count yet */
}

static void bytes(void **state)
{
    struct board *b = *state;

    out(0x43, 0x50); /* low byte only */
    out(0x41, 200);
    ticks(b, 50);
    assert_int_equal(in(0x41), 150);
    assert_int_equal(in(0x41), 150);
    out(0x43, 0x60); /* high byte only */
    out(0x41, 2);
    assert_int_equal(in(0x41), 2);
    ticks(b, 1);
    assert_int_equal(in(0x41), 1);
    load(1, 0, 0x1234);
    out(0x43, 0xd4); /* read-back of count of channel 1, channel 0's word stays */
    ticks(b, 0x234);
    assert_int_equal(in(0x41), 0x34);
    assert_int_equal(in(0x41), 0x12);
    out(0x43, 0xc4); /* both: status first */
    assert_int_equal(in(0x41), 0x30);
    assert_int_equal(in(0x41), 0x00);
    assert_int_equal(in(0x41), 0x10);
    assert_int_equal(in(0x43), 0);
}

static void gates(void **state)
{
    struct board *b = *state;

    out(0x61, 0);
    load(2, 0, 1000);
    ticks(b, 5000);
    assert_int_equal(count(2), 1000); /* held */
    out(0x61, 1);
    ticks(b, 400);
    out(0x61, 0);
    ticks(b, 5000);
    assert_int_equal(count(2), 600);
    assert_false(out2());
    out(0x61, 1);
    ticks(b, 600);
    assert_true(out2());

    load(2, 1, 1000); /* the rise is what begins */
    ticks(b, 5000);
    assert_true(out2());
    out(0x61, 0);
    out(0x61, 1);
    assert_false(out2());
    ticks(b, 500);
    out(0x61, 0); /* it does not mind */
    ticks(b, 499);
    assert_false(out2());
    ticks(b, 2);
    assert_true(out2());

    out(0x61, 1);
    load(2, 3, 1000);
    ticks(b, 600);
    assert_false(out2());
    out(0x61, 0);
    assert_true(out2()); /* high while it is held */
    out(0x61, 1);
    ticks(b, 400);
    assert_true(out2()); /* and anew */
    ticks(b, 200);
    assert_false(out2());

    load(2, 5, 1000);
    ticks(b, 3000);
    assert_int_equal(count(2), 1000);
    out(0x61, 2);
    out(0x61, 3);
    ticks(b, 999);
    assert_true(out2());
    assert_int_equal(in(0x61) & 3, 3);
}

static void any_access(void **state)
{
    static const uint16_t ports[] = { 0x40, 0x41, 0x42, 0x43, 0x43, 0x61 };
    struct board *b = *state;
    uint64_t prng = 5;

    for (unsigned int n = 0; n < 30000; n++) {
        const uint16_t port = ports[random_of(&prng, ARRAY_SIZE(ports))];

        switch (random_of(&prng, 4)) {
        case 0: in(port); break;
        case 1: pass(b, (s_time_t)random_of(&prng, 100000)); break;
        case 2: take(b, 0), apic(b, 0, APIC_EOI, 0); break;
        default: out(port, (uint8_t)random_of(&prng, 256));
        }
        for (unsigned int i = 0; i < 3; i++) {
            const struct i8254_channel *c = &pit.chip.ch[i];

            assert_in_range(c->count, 1, c->bcd && c->loaded ? 10000 : 0x10000);
            assert_in_range(c->mode, 0, 5);
            assert_true(c->loaded || !c->started);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(periodic_interrupt), TEST(single_interrupt), TEST(counting), TEST(bytes), TEST(gates), TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
