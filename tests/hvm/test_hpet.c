// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The HPET: its registers, the counter, ticks once and again, by edges and levels, in the PIT's place; any access.
 *
 * Budget: over 400 lines, since each register and each way to fire is a test.
 */
#include "tests/hvm/board.h"
#include "tests/support/random.h"
#include "vcpu/hvm/hpet.h"
#include "vcpu/hvm/pit.h"

#include <string.h>
#include <xen/hvm/save.h>

#define VECTOR     0x90 /* and the GSI */
#define TICKS(ms)  ((uint64_t)MILLISECS(ms) / HPET_TICK_NS)
#define CAN        (HPET_TN_ROUTE_CAP | HPET_TN_SIZE_CAP | HPET_TN_PERIODIC_CAP)
#define ROUTE(gsi) ((uint64_t)(gsi) << HPET_TN_ROUTE_SHIFT)

static struct hpet h;
static struct pit pit;

static void pin(struct board *b, unsigned int gsi, uint32_t entry)
{
    vioapic_write(&b->irq, 0, 0x10 + 2 * gsi);
    vioapic_write(&b->irq, 0x10, entry);
}

static int setup(void **state)
{
    struct board *b;

    board_setup(state);
    b = *state;
    pit_init(&pit, &b->irq);
    hpet_init(&h, &b->irq, &pit);
    enable_all(b);
    for (unsigned int gsi = 0; gsi < 24; gsi++)
        pin(b, gsi, VECTOR + gsi);
    return 0;
}

static int teardown(void **state)
{
    hpet_deinit(&h);
    pit_deinit(&pit);
    return board_teardown(state);
}

static uint64_t in(unsigned int reg) { return hpet_read(&h, reg, 8); }
static void out(unsigned int reg, uint64_t val) { hpet_write(&h, reg, 8, val); }

/* How many interrupts of the line are there? No others may be. */
static unsigned int interrupts(struct board *b, unsigned int gsi)
{
    unsigned int n = 0;

    for (int vector; (vector = take(b, 0)) >= 0; n++) {
        assert_int_equal(vector, VECTOR + gsi);
        apic(b, 0, APIC_EOI, 0);
        vioapic_update_EOI(&b->irq, (uint8_t)vector);
        assert_in_range(n, 0, 100);
    }
    return n;
}

static void after_reset(void **state)
{
    assert_true(in(HPET_ID) == UINT64_C(0x00f424008086a201));
    assert_int_equal(in(HPET_CFG), 0);
    assert_int_equal(in(HPET_STATUS), 0);
    assert_int_equal(in(HPET_COUNTER), 0);
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        assert_true(in(HPET_Tn_CFG(n)) == (CAN | ROUTE(20)));
        assert_true(in(HPET_Tn_CMP(n)) == UINT64_MAX);
        assert_int_equal(in(HPET_Tn_CMP(n) + 8), 0); /* messages: not there */
    }
    assert_int_equal(in(HPET_Tn_CFG(3)), 0);
    assert_int_equal(in(0x3f8), 0);
    assert_true(in(0x400) == UINT64_MAX);
}

/* What can be written, in each register. */
static void writing(void **state)
{
    for (unsigned int reg = 0; reg < HPET_MMAP_SIZE; reg += 8) {
        const uint64_t was = in(reg);
        uint64_t may = 0;

        if (reg == HPET_CFG || (reg >= HPET_Tn_CFG(0) && reg < HPET_Tn_CFG(3)))
            continue;
        if (reg == HPET_COUNTER)
            may = UINT64_MAX;
        out(reg, ~was);
        assert_true(in(reg) == (was ^ may));
    }
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        out(HPET_Tn_CFG(n), UINT64_MAX);
        assert_true(in(HPET_Tn_CFG(n)) == (CAN | 0x14e | ROUTE(20))); /* there is no line 31 */
        for (unsigned int line = 0; line < 32; line++) {
            out(HPET_Tn_CFG(n), ROUTE(line));
            assert_true(in(HPET_Tn_CFG(n)) == (CAN | ROUTE(line >= 20 && line < 24 ? line : 20)));
        }
        out(HPET_Tn_CMP(n), UINT64_C(0x123456789abcdef0));
        assert_true(in(HPET_Tn_CMP(n)) == UINT64_C(0x123456789abcdef0));
        out(HPET_Tn_CFG(n), HPET_TN_32BIT);
        assert_int_equal(in(HPET_Tn_CMP(n)), 0x9abcdef0);
        out(HPET_Tn_CMP(n), UINT64_C(0x1111111122222222));
        assert_int_equal(in(HPET_Tn_CMP(n)), 0x22222222);
    }
    out(HPET_CFG, UINT64_MAX);
    assert_int_equal(in(HPET_CFG), 3);
}

static void parts(void **state)
{
    out(HPET_COUNTER, UINT64_C(0x8877665544332211));
    for (unsigned int size = 1; size <= 4; size *= 2)
        for (unsigned int at = 0; at < 8; at += size) {
            uint64_t expect = 0;

            for (unsigned int i = 0; i < size; i++)
                expect |= (uint64_t)(0x11 * (at + i + 1)) << 8 * i;
            assert_true(hpet_read(&h, HPET_COUNTER + at, size) == expect);
        }
    hpet_write(&h, HPET_COUNTER + 4, 4, UINT64_C(0xffffffff01020304));
    hpet_write(&h, HPET_COUNTER + 2, 2, 0xabcd);
    hpet_write(&h, HPET_COUNTER + 1, 1, 0xef);
    assert_true(in(HPET_COUNTER) == UINT64_C(0x01020304abcdef11));
    for (unsigned int size = 1; size <= 16; size++)
        for (unsigned int at = 0; at < 8; at++)
            if (size > 8 || (size & (size - 1)) || (at & (size - 1))) {
                assert_true(hpet_read(&h, HPET_COUNTER + at, size) == UINT64_MAX);
                hpet_write(&h, HPET_COUNTER + at, size, 0);
            }
    assert_true(in(HPET_COUNTER) == UINT64_C(0x01020304abcdef11));
}

static void counting(void **state)
{
    struct board *b = *state;

    out(HPET_COUNTER, 1000);
    pass(b, SECONDS(1));
    assert_int_equal(in(HPET_COUNTER), 1000);
    out(HPET_CFG, HPET_CFG_ENABLE);
    assert_int_equal(in(HPET_COUNTER), 1000);
    pass(b, SECONDS(1));
    assert_int_equal(in(HPET_COUNTER), 1000 + 62500000);
    out(HPET_COUNTER, 5); /* not while it runs */
    assert_int_equal(in(HPET_COUNTER), 1000 + 62500000);
    out(HPET_CFG, 0);
    pass(b, SECONDS(1));
    assert_int_equal(in(HPET_COUNTER), 1000 + 62500000);
    out(HPET_COUNTER, UINT64_MAX - 62499999);
    out(HPET_CFG, HPET_CFG_ENABLE);
    pass(b, SECONDS(1));
    assert_int_equal(in(HPET_COUNTER), 0);
}

static void once(void **state)
{
    struct board *b = *state;

    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        out(HPET_CFG, 0);
        out(HPET_COUNTER, 0);
        out(HPET_Tn_CMP(n), TICKS(5));
        out(HPET_Tn_CFG(n), ROUTE(21 + n)); /* not enabled */
        out(HPET_CFG, HPET_CFG_ENABLE);
        pass(b, MILLISECS(6));
        assert_int_equal(interrupts(b, 21 + n), 0);
        out(HPET_Tn_CMP(n), TICKS(10));
        out(HPET_Tn_CFG(n), HPET_TN_ENABLE | ROUTE(21 + n));
        pass(b, MILLISECS(4) - 1000);
        assert_int_equal(interrupts(b, 21 + n), 0);
        pass(b, 1000);
        assert_int_equal(interrupts(b, 21 + n), 1);
        pass(b, SECONDS(1));
        out(HPET_Tn_CFG(n), HPET_TN_ENABLE | ROUTE(20)); /* what has fired does not again */
        out(HPET_Tn_CFG(n), HPET_TN_ENABLE | ROUTE(21 + n));
        pass(b, SECONDS(1));
        assert_int_equal(interrupts(b, 21 + n), 0);
        assert_int_equal(in(HPET_STATUS), 0);
        out(HPET_Tn_CMP(n), in(HPET_COUNTER)-1); /* too late: at once */
        pass(b, MICROSECS(1));
        assert_int_equal(interrupts(b, 21 + n), 1);
        out(HPET_Tn_CMP(n), in(HPET_COUNTER) + TICKS(1));
        out(HPET_Tn_CFG(n), ROUTE(21 + n));
        pass(b, MILLISECS(2));
        assert_int_equal(interrupts(b, 21 + n), 0);
        out(HPET_Tn_CMP(n), in(HPET_COUNTER) + TICKS(1));
        out(HPET_Tn_CFG(n), HPET_TN_ENABLE | ROUTE(21 + n));
        out(HPET_CFG, 0); /* the counter never comes there */
        pass(b, MILLISECS(2));
        assert_int_equal(interrupts(b, 21 + n), 0);
        out(HPET_CFG, HPET_CFG_ENABLE);
        pass(b, MILLISECS(1));
        assert_int_equal(interrupts(b, 21 + n), 1);
        out(HPET_Tn_CFG(n), 0);
    }
}

/* A comparator of 32 bits is met once in 2^32 ticks, 68.7 s. */
static void narrow(void **state)
{
    struct board *b = *state;

    out(HPET_COUNTER, UINT64_C(0x5fffffff0));
    out(HPET_Tn_CFG(0), HPET_TN_32BIT | HPET_TN_ENABLE);
    out(HPET_CFG, HPET_CFG_ENABLE);
    out(HPET_Tn_CMP(0), TICKS(1));
    assert_int_equal(in(HPET_Tn_CMP(0)), TICKS(1));
    pass(b, MILLISECS(1));
    assert_int_equal(interrupts(b, 20), 0);
    pass(b, MICROSECS(1));
    assert_int_equal(interrupts(b, 20), 1);
    out(HPET_Tn_CMP(0), in(HPET_COUNTER)-10); /* just missed */
    pass(b, MICROSECS(1));
    assert_int_equal(interrupts(b, 20), 1);
    out(HPET_Tn_CMP(0), in(HPET_COUNTER)-TICKS(2)); /* 2^32 - 2 ms */
    pass(b, SECONDS(68));
    assert_int_equal(interrupts(b, 20), 0);
    pass(b, SECONDS(1));
    assert_int_equal(interrupts(b, 20), 1);
}

/* As Linux sets it: where it stands, then the period. And as the specification does: both at once. */
static void again(void **state)
{
    struct board *b = *state;

    for (unsigned int i = 0; i < 4; i++) {
        const uint64_t narrow = i & 1 ? HPET_TN_32BIT : 0;
        const bool twice = i & 2;

        out(HPET_CFG, 0);
        out(HPET_COUNTER, twice ? UINT64_C(0xfffffff000) : 0);
        out(HPET_Tn_CFG(1), narrow | HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL | ROUTE(23));
        assert_true(in(HPET_Tn_CFG(1)) & HPET_TN_SETVAL);
        if (twice) {
            out(HPET_CFG, HPET_CFG_ENABLE);
            out(HPET_Tn_CMP(1), in(HPET_COUNTER) + TICKS(1));
            assert_false(in(HPET_Tn_CFG(1)) & HPET_TN_SETVAL);
            out(HPET_Tn_CMP(1), TICKS(1));
        } else {
            out(HPET_Tn_CMP(1), TICKS(1));
            out(HPET_CFG, HPET_CFG_ENABLE);
        }
        for (unsigned int ms = 0; ms < 5; ms++) {
            pass(b, MICROSECS(999));
            assert_int_equal(interrupts(b, 23), 0);
            assert_in_range((uint32_t)(in(HPET_Tn_CMP(1)) - in(HPET_COUNTER)), 62, 63); /* of 16 ns */
            pass(b, MICROSECS(1));
            assert_int_equal(interrupts(b, 23), 1);
        }
        pass(b, SECONDS(100) + MICROSECS(500)); /* long not looked at; the ticks wait */
        assert_in_range((uint32_t)(in(HPET_Tn_CMP(1)) - in(HPET_COUNTER)), 31250, 31251);
        out(HPET_Tn_CFG(1), in(HPET_Tn_CFG(1)) & 0x3fff & ~HPET_TN_ENABLE);
        interrupts(b, 23);
        pass(b, MILLISECS(5));
        assert_int_equal(interrupts(b, 23), 0);
    }
}

static void short_periods(void **state)
{
    struct board *b = *state;

    out(HPET_Tn_CFG(2), HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL);
    out(HPET_CFG, HPET_CFG_ENABLE);
    out(HPET_Tn_CMP(2), 1);
    pass(b, MILLISECS(1) + MICROSECS(10));
    assert_in_range(interrupts(b, 20), 10, 11);
    assert_in_range(in(HPET_Tn_CMP(2)) - in(HPET_COUNTER), 1, TICKS(1) / 10);
    out(HPET_Tn_CMP(2), UINT64_MAX); /* half of what there is */
    pass(b, SECONDS(1));
    assert_int_equal(interrupts(b, 20), 1);
}

static void levels(void **state)
{
    struct board *b = *state;

    pin(b, 22, 0x8000 | (VECTOR + 22));
    hvm_pci_intx_assert(&b->irq, 1, 0); /* another's, at GSI 20 */
    out(HPET_Tn_CFG(0), HPET_TN_LEVEL | HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL | ROUTE(22));
    out(HPET_Tn_CMP(0), TICKS(1));
    out(HPET_CFG, HPET_CFG_ENABLE);
    interrupts(b, 20);
    pass(b, MICROSECS(2500));
    assert_int_equal(in(HPET_STATUS), 1);
    assert_int_equal(b->irq.gsi_assert_count[22], 1);
    assert_int_equal(take(b, 0), VECTOR + 22);
    out(HPET_STATUS, ~UINT64_C(1));
    hpet_write(&h, HPET_STATUS + 1, 1, 0xff); /* another byte's bits */
    assert_int_equal(in(HPET_STATUS), 1);
    apic(b, 0, APIC_EOI, 0); /* not yet served: again */
    assert_int_equal(take(b, 0), VECTOR + 22);
    hpet_write(&h, HPET_STATUS, 1, 1);
    assert_int_equal(in(HPET_STATUS), 0);
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(interrupts(b, 22), 0);
    pass(b, MILLISECS(1)); /* none is made up for */
    assert_int_equal(b->irq.gsi_assert_count[22], 1);
    out(HPET_Tn_CFG(0), HPET_TN_LEVEL | HPET_TN_ENABLE | HPET_TN_PERIODIC | ROUTE(20)); /* the line moves */
    assert_int_equal(b->irq.gsi_assert_count[22], 0);
    assert_int_equal(b->irq.gsi_assert_count[20], 2);
    out(HPET_CFG, 0); /* what has fired stays */
    assert_int_equal(in(HPET_STATUS), 1);
    out(HPET_Tn_CFG(0), HPET_TN_ENABLE | HPET_TN_PERIODIC | ROUTE(20));
    assert_int_equal(in(HPET_STATUS), 0);
    assert_int_equal(b->irq.gsi_assert_count[20], 1);
}

/* Ticks that the controllers do not take: they wait. */
static void masked(void **state)
{
    struct board *b = *state;

    pin(b, 20, 0x10000 | (VECTOR + 20));
    out(HPET_Tn_CFG(0), HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL);
    out(HPET_Tn_CMP(0), TICKS(1));
    out(HPET_CFG, HPET_CFG_ENABLE);
    pass(b, MICROSECS(3500));
    assert_int_equal(interrupts(b, 20), 0);
    pin(b, 20, VECTOR + 20);
    assert_int_equal(interrupts(b, 20), 3);
}

static void legacy(void **state)
{
    struct board *b = *state;

    pit_write(&pit, 0x43, 0x34), pit_write(&pit, 0x40, 0), pit_write(&pit, 0x40, 0x10); /* 3.4 ms */
    pass(b, MILLISECS(4));
    assert_int_equal(interrupts(b, 2), 1);
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        out(HPET_Tn_CFG(n), HPET_TN_ENABLE | ROUTE(23));
        out(HPET_Tn_CMP(n), TICKS(100 + 10 * n));
    }
    out(HPET_CFG, HPET_CFG_ENABLE | HPET_CFG_LEGACY);
    pass(b, MILLISECS(99));
    assert_int_equal(interrupts(b, 0), 0);                                              /* nor does the PIT tick */
    pit_write(&pit, 0x43, 0x34), pit_write(&pit, 0x40, 0), pit_write(&pit, 0x40, 0x10); /* even if it is set anew */
    pass(b, MILLISECS(6));
    assert_int_equal(interrupts(b, 2), 1);
    pass(b, MILLISECS(10));
    assert_int_equal(interrupts(b, 8), 1);
    pass(b, MILLISECS(10));
    assert_int_equal(interrupts(b, 23), 1);
    out(HPET_CFG, HPET_CFG_ENABLE);
    pass(b, MICROSECS(3433));
    assert_int_equal(interrupts(b, 2), 1); /* it ticks again */
    out(HPET_Tn_CFG(0), HPET_TN_ENABLE | HPET_TN_LEVEL);
    out(HPET_CFG, HPET_CFG_ENABLE | HPET_CFG_LEGACY);
    out(HPET_Tn_CMP(0), in(HPET_COUNTER) + 1);
    hvm_isa_irq_deassert(&b->irq, 0); /* where the PIT's tick has left it */
    pass(b, MICROSECS(1));
    assert_int_equal(b->irq.gsi_assert_count[2], 1);
    out(HPET_CFG, HPET_CFG_ENABLE);
    assert_int_equal(b->irq.gsi_assert_count[2], 0);
    assert_int_equal(b->irq.gsi_assert_count[20], 1);
}

/* As a record; the lines of others are loaded before. */
static void record(void **state)
{
    struct board *b = *state;
    struct hvm_hw_hpet r, again;
    struct hvm_hw_pci_irqs lines = { .pad = { 0 } };

    pin(b, 22, 0x8000 | (VECTOR + 22));
    out(HPET_Tn_CFG(0), HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL | HPET_TN_32BIT | ROUTE(21));
    out(HPET_Tn_CMP(0), TICKS(1));
    out(HPET_Tn_CFG(1), HPET_TN_ENABLE | HPET_TN_LEVEL | ROUTE(22));
    out(HPET_Tn_CMP(1), TICKS(1));
    out(HPET_CFG, HPET_CFG_ENABLE);
    pass(b, MICROSECS(1500));
    assert_int_equal(take(b, 0), VECTOR + 22);
    apic(b, 0, APIC_EOI, 0);
    hpet_save(&h, &r);
    assert_int_equal(r.mc64, TICKS(3) / 2);
    assert_int_equal(r.timers[0].cmp, TICKS(2));
    assert_int_equal(r.period[0], TICKS(1));
    assert_int_equal(r.isr, 2);
    pass(b, SECONDS(1));
    out(HPET_CFG, 0);
    out(HPET_STATUS, 2);
    hvm_irq_load_pci(&b->irq, &lines);
    hpet_load(&h, &r);
    hpet_save(&h, &again);
    assert_memory_equal(&r, &again, sizeof(r));
    assert_int_equal(b->irq.gsi_assert_count[22], 1);
    hvm_irq_load_pci(&b->irq, &lines);
    assert_int_equal(b->irq.gsi_assert_count[22], 1);
    hpet_load(&h, &r);
    out(HPET_STATUS, 2);
    assert_int_equal(b->irq.gsi_assert_count[22], 0);

    memset(&r, 0xff, sizeof(r)); /* what no HPET is */
    hpet_load(&h, &r);
    assert_true(in(HPET_ID) == UINT64_C(0x00f424008086a201));
    assert_true(in(HPET_Tn_CFG(2)) == (CAN | 0x14e | ROUTE(20)));
    assert_int_equal(in(HPET_STATUS), 7);
    assert_int_equal(in(HPET_CFG), 3);
}

/* Its vCPU stands still, and a timer runs out long before it is saved: the tick comes when it is loaded. */
static void missed_then_saved(void **state)
{
    static const uint64_t config[] = { HPET_TN_32BIT, 0, HPET_TN_32BIT | HPET_TN_LEVEL };
    struct board *b = *state;
    struct hvm_hw_hpet r;

    for (unsigned int i = 0; i < 3; i++) {
        pin(b, 21, (config[i] & HPET_TN_LEVEL ? 0x8000 : 0) | (VECTOR + 21));
        out(HPET_Tn_CFG(0), HPET_TN_ENABLE | config[i] | ROUTE(21));
        out(HPET_Tn_CMP(0), in(HPET_COUNTER) + TICKS(1));
        out(HPET_CFG, HPET_CFG_ENABLE);
        pt_save_timer(cpu(b, 0), &b->irq);
        pass(b, MILLISECS(20));
        assert_int_equal(take(b, 0), -1);
        hpet_save(&h, &r);
        pt_restore_timer(cpu(b, 0), &b->irq);
        hpet_deinit(&h);
        pass(b, MILLISECS(100));
        while (interrupts(b, 21))
            ;
        hpet_init(&h, &b->irq, &pit);
        hpet_load(&h, &r);
        pass(b, MICROSECS(10));
        assert_int_equal(take(b, 0), VECTOR + 21);
        apic(b, 0, APIC_EOI, 0);
        out(HPET_STATUS, 7);
        out(HPET_CFG, 0);
        out(HPET_Tn_CFG(0), 0);
    }
}

static void any_access(void **state)
{
    struct board *b = *state;
    struct hvm_hw_hpet r;
    uint64_t prng = 19;

    hpet_save(&h, &r);
    for (unsigned int n = 0; n < 30000; n++) {
        const unsigned int reg = (unsigned int)random_of(&prng, 3) ? 8 * (unsigned int)random_of(&prng, 0x30)
                                                                   : (unsigned int)random_of(&prng, HPET_MMAP_SIZE);
        const unsigned int size = random_of(&prng, 8) ? 1u << random_of(&prng, 4) : (unsigned int)random_of(&prng, 12);
        const uint64_t val = random_of(&prng, UINT64_MAX) >> random_of(&prng, 64);

        switch (random_of(&prng, 8)) {
        case 0: hpet_read(&h, reg, size); break;
        case 1: pass(b, (s_time_t)random_of(&prng, MILLISECS(2))); break;
        case 2: take(b, 0), apic(b, 0, APIC_EOI, 0); break;
        case 3: pin(b, (unsigned int)random_of(&prng, 24), (uint32_t)val & 0x1ffff); break;
        case 4: n % 16 ? hpet_save(&h, &r) : (void)hpet_load(&h, &r); break;
        default: hpet_write(&h, reg, size, val);
        }
        if (n % 1000 == 0) /* somebody's bytes */
            for (size_t i = 0; i < sizeof(r); i++)
                ((uint8_t *)&r)[i] = (uint8_t)random_of(&prng, 256);
        for (unsigned int i = 0; i < HPET_TIMERS; i++) {
            const uint64_t c = h.timer[i].config;

            assert_in_range((c & HPET_TN_ROUTE) >> HPET_TN_ROUTE_SHIFT, 20, 23);
            assert_true(!(h.isr >> i & 1) || c & HPET_TN_LEVEL);
            assert_true((h.isr >> i & 1) == !!b->irq.hpet_gsi[i]);
        }
        assert_in_range(b->irq.gsi_assert_count[20], 0, HPET_TIMERS);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(after_reset),
        TEST(writing),
        TEST(parts),
        TEST(counting),
        TEST(once),
        TEST(narrow),
        TEST(again),
        TEST(short_periods),
        TEST(levels),
        TEST(masked),
        TEST(legacy),
        TEST(record),
        TEST(missed_then_saved),
        TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
