// SPDX-License-Identifier: GPL-2.0-or-later
/* ACPI's registers: the timer, its overflow, buttons, the interrupt of them all, and going off; any access. */
#include "tests/hvm/board.h"
#include "tests/support/random.h"
#include "vcpu/hvm/pmtimer.h"

#define VECTOR 0x79

static struct pmtimer pm;

static int setup(void **state)
{
    struct board *b;

    board_setup(state);
    b = *state;
    pmtimer_init(&pm, &b->irq, false);
    enable_all(b);
    vioapic_write(&b->irq, 0, 0x22);
    vioapic_write(&b->irq, 0x10, VECTOR | 0x8000);
    return 0;
}

static int teardown(void **state)
{
    pmtimer_deinit(&pm);
    return board_teardown(state);
}

static uint32_t in(unsigned int offset, unsigned int size) { return pmtimer_read(&pm, offset, size); }
static void out(unsigned int offset, unsigned int size, uint32_t val) { pmtimer_write(&pm, offset, size, val); }

static void counting(void **state)
{
    struct board *b = *state;
    uint32_t before;

    pass(b, SECONDS(1) - NOW(b->f->xen) % SECONDS(1));
    before = in(8, 4);
    pass(b, SECONDS(1));
    assert_int_equal(in(8, 4), before + 3579545);
    pass(b, SECONDS(10));
    assert_int_equal(in(8, 4), (before + 11 * 3579545) & 0xffffff);
    assert_int_equal(in(11, 1), 0);
    assert_int_equal(in(9, 2), in(8, 4) >> 8);
    out(8, 4, 0); /* read-only */
    assert_int_equal(in(8, 4), (before + 11 * 3579545) & 0xffffff);
    pmtimer_init(&pm, &b->irq, true);
    assert_int_equal(in(8, 4), before + 11 * 3579545);
    assert_int_equal(pmtimer_base(0), 0x1f40);
    assert_int_equal(pmtimer_base(1), 0xb000);
}

static void overflow(void **state)
{
    struct board *b = *state;

    out(2, 2, PM1_TMR);
    for (unsigned int i = 0; i < 3; i++) {
        const uint32_t half = in(8, 4) & 0x800000;

        while (take(b, 0) != VECTOR) {
            assert_int_equal(in(8, 4) & 0x800000, half);
            pass(b, MILLISECS(10));
        }
        assert_int_not_equal(in(8, 4) & 0x800000, half);
        assert_int_equal(in(0, 2), PM1_TMR);
        assert_false(timer_armed(&pm.half)); /* it is told already */
        out(0, 2, PM1_TMR);
        apic(b, 0, APIC_EOI, 0);
        assert_int_equal(take(b, 0), -1);
    }
    out(2, 2, 0);
    pass(b, SECONDS(5));
    assert_int_equal(take(b, 0), -1);
    assert_int_equal(in(0, 2), PM1_TMR); /* the flag alone */
    assert_false(timer_armed(&pm.half));
}

static void buttons(void **state)
{
    struct board *b = *state;

    pmtimer_button(&pm, PM1_PWRBTN);
    assert_int_equal(take(b, 0), -1);
    out(3, 1, PM1_PWRBTN >> 8); /* a byte */
    assert_int_equal(take(b, 0), VECTOR);
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(take(b, 0), VECTOR); /* a level */
    pmtimer_button(&pm, PM1_SLPBTN);
    out(0, 2, PM1_PWRBTN);
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(take(b, 0), -1);
    assert_int_equal(in(0, 4), PM1_PWRBTN << 16 | PM1_SLPBTN);
    out(0, 1, 0xff); /* the other byte's stay */
    assert_int_equal(in(0, 2), PM1_SLPBTN);
}

static void off(void **state)
{
    struct board *b = *state;

    out(4, 2, 0x0401); /* type 1, not yet */
    assert_int_equal(in(4, 2), 0x0401);
    out(4, 2, 0x2401); /* sleeping as type 1: nobody could wake it */
    assert_int_equal(in(4, 2), 0x0401);
    assert_false(b->f->d->is_shutting_down);
    out(4, 2, 0x2000);
    assert_true(b->f->d->is_shutting_down);
    assert_int_equal(b->f->d->shutdown_code, SHUTDOWN_poweroff);
}

static void any_access(void **state)
{
    struct board *b = *state;
    uint64_t prng = 17;

    for (unsigned int n = 0; n < 20000; n++) {
        const unsigned int offset = (unsigned int)random_of(&prng, 16), size = 1u << random_of(&prng, 3);

        switch (random_of(&prng, 5)) {
        case 0: in(offset, size); break;
        case 1: pass(b, (s_time_t)random_of(&prng, SECONDS(1))); break;
        case 2: pmtimer_button(&pm, random_of(&prng, 2) ? PM1_PWRBTN : PM1_SLPBTN); break;
        default: out(offset, size, (uint32_t)random_of(&prng, UINT64_C(1) << 32));
        }
        assert_int_equal(b->irq.isa_irq >> 9 & 1, (pm.sts & pm.en & 0x721) != 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(counting), TEST(overflow), TEST(buttons), TEST(off), TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
