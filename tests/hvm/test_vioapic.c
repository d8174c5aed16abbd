// SPDX-License-Identifier: GPL-2.0-or-later
/* The I/O APIC: registers, edges, levels with remote IRR and EOI, delivery modes and addresses; any access. */
#include "tests/hvm/board.h"
#include "tests/support/random.h"

static void set(struct board *b, unsigned int reg, uint32_t val)
{
    vioapic_write(&b->irq, 0, reg);
    vioapic_write(&b->irq, 0x10, val);
}

static uint32_t get(struct board *b, unsigned int reg)
{
    vioapic_write(&b->irq, 0, reg);
    return vioapic_read(&b->irq, 0x10);
}

static void route(struct board *b, unsigned int pin, uint8_t dest, uint32_t low)
{
    set(b, 0x11 + 2 * pin, (uint32_t)dest << 24);
    set(b, 0x10 + 2 * pin, low);
}

static void registers(void **state)
{
    struct board *b = *state;

    assert_int_equal(get(b, 1), 47 << 16 | 0x11);
    set(b, 1, 0);
    assert_int_equal(get(b, 1), 47 << 16 | 0x11);
    set(b, 0, 0xf7ffffff);
    assert_int_equal(get(b, 0), 7u << 24);
    assert_int_equal(get(b, 2), 7u << 24);
    assert_int_equal(vioapic_read(&b->irq, 0), 2);
    for (unsigned int pin = 0; pin < 48; pin++) {
        assert_int_equal(get(b, 0x10 + 2 * pin), 0x10000);
        set(b, 0x11 + 2 * pin, 0xffffffff);
        assert_int_equal(get(b, 0x11 + 2 * pin), 0xff000000);
        set(b, 0x10 + 2 * pin, 0xffffffff);
        assert_int_equal(get(b, 0x10 + 2 * pin), 0x1afff); /* status and remote IRR are not to be written */
    }
    set(b, 0x10 + 2 * 48, 0);
    assert_int_equal(get(b, 0x10 + 2 * 48), 0);
    assert_int_equal(get(b, 0xff), 0);
    assert_int_equal(vioapic_read(&b->irq, 0x20), 0);
    vioapic_write(&b->irq, 0x40, 0xffffffff); /* version 0x11 has no EOI register */
}

static void edges(void **state)
{
    struct board *b = *state;

    enable_all(b);
    route(b, 20, 2, 0x61);
    hvm_gsi_assert(&b->irq, 20);
    assert_int_equal(take(b, 1), 0x61);
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(take(b, 1), -1); /* up, and no edge */
    set(b, 0x10 + 40, 0x10061);
    hvm_gsi_deassert(&b->irq, 20);
    hvm_gsi_assert(&b->irq, 20); /* masked: lost */
    set(b, 0x10 + 40, 0x61);
    assert_int_equal(take(b, 1), -1);
    hvm_gsi_deassert(&b->irq, 20);
    hvm_gsi_assert(&b->irq, 20);
    assert_int_equal(take(b, 1), 0x61);
}

static void levels(void **state)
{
    struct board *b = *state;

    enable_all(b);
    route(b, 20, 2, 0x8061);
    hvm_gsi_assert(&b->irq, 20);
    assert_int_equal(get(b, 0x38), 0xc061); /* remote IRR */
    assert_int_equal(take(b, 1), 0x61);
    assert_int_equal(take(b, 1), -1);
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(take(b, 1), 0x61); /* still up */
    hvm_gsi_deassert(&b->irq, 20);
    assert_int_equal(get(b, 0x38), 0xc061);
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(get(b, 0x38), 0x8061);
    assert_int_equal(take(b, 1), -1);
    set(b, 0x38, 0x18061);
    hvm_gsi_assert(&b->irq, 20);
    assert_int_equal(take(b, 1), -1);
    set(b, 0x38, 0x8061); /* unmasked while up */
    assert_int_equal(take(b, 1), 0x61);
    set(b, 0x38, 0x10061); /* how guests get rid of remote IRR: an edge, and back */
    set(b, 0x38, 0x8061);
    assert_int_equal(get(b, 0x38), 0xc061); /* sent again at once, since it is up */
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(take(b, 1), 0x61);
}

/* An EOI is for its vector's pin alone. */
static void eoi_of_one(void **state)
{
    struct board *b = *state;

    enable_all(b);
    route(b, 20, 0, 0x8061);
    route(b, 21, 0, 0x8072);
    hvm_gsi_assert(&b->irq, 20);
    hvm_gsi_assert(&b->irq, 21);
    assert_int_equal(take(b, 0), 0x72);
    hvm_gsi_deassert(&b->irq, 21);
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(get(b, 0x38), 0xc061);
    assert_int_equal(get(b, 0x3a), 0x8072);
}

/* Two devices on a line: the pin is up until both have let go. */
static void shared(void **state)
{
    struct board *b = *state;

    enable_all(b);
    route(b, 20, 0, 0x8061);
    hvm_gsi_assert(&b->irq, 20);
    hvm_gsi_assert(&b->irq, 20);
    assert_int_equal(take(b, 0), 0x61);
    hvm_gsi_deassert(&b->irq, 20);
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(take(b, 0), 0x61);
    hvm_gsi_deassert(&b->irq, 20);
    hvm_gsi_deassert(&b->irq, 20); /* nobody's */
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(take(b, 0), -1);
}

static void modes(void **state)
{
    struct board *b = *state;

    enable_all(b);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        apic(b, i, APIC_LDR, 1u << (24 + i));
    route(b, 20, 0xa, 0x861); /* logical */
    route(b, 21, 0xff, 0x400);
    route(b, 22, 0xc, 0x962);
    route(b, 23, 2, 0x500);
    route(b, 24, 2, 0x600);
    for (unsigned int gsi = 20; gsi <= 24; gsi++)
        hvm_gsi_assert(&b->irq, gsi);
    for (unsigned int i = 0; i < BOARD_CPUS; i++) {
        assert_int_equal(take(b, i), 2); /* NMI */
        if (i & 1)
            assert_true(vlapic_test_irq(&b->lapic[i], 0x61));
    }
    assert_int_equal(vlapic_test_irq(&b->lapic[2], 0x62) + vlapic_test_irq(&b->lapic[3], 0x62), 1);
    assert_string_equal(b->log, ""); /* neither INIT nor start-up */
}

static void any_access(void **state)
{
    struct board *b = *state;
    uint64_t prng = 11;

    enable_all(b);
    for (unsigned int n = 0; n < 60000; n++) {
        const unsigned int gsi = (unsigned int)random_of(&prng, 60), i = (unsigned int)random_of(&prng, BOARD_CPUS);
        const unsigned int offset =
            random_of(&prng, 4) ? 16 * (unsigned int)random_of(&prng, 2) : (unsigned int)random_of(&prng, 256);

        switch (random_of(&prng, 6)) {
        case 0: vioapic_write(&b->irq, offset, (uint32_t)random_of(&prng, UINT64_C(1) << 32)); break;
        case 1: vioapic_read(&b->irq, offset); break;
        case 2: hvm_gsi_assert(&b->irq, gsi); break;
        case 3: hvm_gsi_deassert(&b->irq, gsi); break;
        case 4: take(b, i); break;
        default: apic(b, i, APIC_EOI, 0);
        }
        for (unsigned int pin = 0; pin < 48; pin++) {
            const uint64_t e = b->irq.vioapic.redir[pin];

            assert_true((e & IOAPIC_RTE_LEVEL) || !(e & IOAPIC_RTE_REMOTE_IRR));
            assert_true(!(e & IOAPIC_RTE_STATUS));
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, board_setup, board_teardown)
    const struct CMUnitTest tests[] = {
        TEST(registers), TEST(edges), TEST(levels), TEST(eoi_of_one), TEST(shared), TEST(modes), TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
