// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A local APIC: priorities, EOI, messages by every kind of address, errors, the timer; and any access in any order.
 *
 * Budget: over 400 lines: fifteen facts about one device.
 */
#include "tests/hvm/board.h"
#include "tests/support/random.h"

#define NS_PER_COUNT 20 /* 10 ns, divided by two as after reset */

static void after_reset(void **state)
{
    struct board *b = *state;

    for (unsigned int i = 0; i < BOARD_CPUS; i++) {
        assert_int_equal(apic_reg(b, i, APIC_ID), i * 2 << 24);
        assert_int_equal(apic_reg(b, i, APIC_LVR), 0x50014);
        assert_int_equal(apic_reg(b, i, APIC_SPIV), 0xff);
        assert_int_equal(apic_reg(b, i, APIC_DFR), 0xffffffff);
        assert_int_equal(apic_reg(b, i, APIC_LVT0), APIC_LVT_MASKED);
        assert_int_equal(b->lapic[i].apic_base_msr, 0xfee00800 | (i ? 0 : 0x100));
    }
    vlapic_message(b->lapic[0].irqs, dest_Fixed, 0x40, 0, false, false); /* switched off: lost */
    assert_false(vlapic_test_irq(&b->lapic[0], 0x40));
    apic(b, 0, APIC_LVT0, 0x700); /* entries stay masked */
    assert_int_equal(apic_reg(b, 0, APIC_LVT0), 0x10700);
}

static void local_vector_table(void **state)
{
    static const struct {
        unsigned int reg;
        uint32_t bits;
    } lvt[] = { { APIC_LVTT, 0x300ff }, { APIC_LVTTHMR, 0x107ff }, { APIC_LVTPC, 0x107ff },
                { APIC_LVT0, 0x1a7ff }, { APIC_LVT1, 0x1a7ff },    { APIC_LVTERR, 0x100ff } };
    struct board *b = *state;

    enable_all(b);
    for (size_t i = 0; i < ARRAY_SIZE(lvt); i++) {
        apic(b, 0, lvt[i].reg, 0xffffffff);
        assert_int_equal(apic_reg(b, 0, lvt[i].reg), lvt[i].bits);
        apic(b, 0, lvt[i].reg, 0x40);
    }
    apic(b, 0, APIC_SPIV, 0xffffffff);
    assert_int_equal(apic_reg(b, 0, APIC_SPIV), 0x3ff);
    for (size_t i = 0; i < ARRAY_SIZE(lvt); i++)
        assert_int_equal(apic_reg(b, 0, lvt[i].reg), 0x40);
    apic(b, 0, APIC_SPIV, 0xff); /* switching it off masks all, for good */
    apic(b, 0, APIC_SPIV, 0x1ff);
    for (size_t i = 0; i < ARRAY_SIZE(lvt); i++)
        assert_int_equal(apic_reg(b, 0, lvt[i].reg), 0x10040);
}

static void priorities(void **state)
{
    struct board *b = *state;

    enable_all(b);
    vlapic_set_irq(&b->lapic[0], 0x41, false);
    vlapic_set_irq(&b->lapic[0], 0x53, false);
    assert_int_equal(take(b, 0), 0x53);
    assert_int_equal(apic_reg(b, 0, APIC_ISR + 0x20), 1u << 0x13);
    assert_int_equal(apic_reg(b, 0, APIC_PROCPRI), 0x50);
    vlapic_set_irq(&b->lapic[0], 0x5f, false); /* the same class: waits */
    assert_int_equal(take(b, 0), -1);
    vlapic_set_irq(&b->lapic[0], 0x60, false);
    assert_int_equal(take(b, 0), 0x60);
    apic(b, 0, APIC_EOI, 0); /* of 0x60 */
    apic(b, 0, APIC_EOI, 0); /* of 0x53 */
    assert_int_equal(take(b, 0), 0x5f);
    apic(b, 0, APIC_EOI, 0);
    apic(b, 0, APIC_TASKPRI, 0x4f);
    assert_int_equal(apic_reg(b, 0, APIC_PROCPRI), 0x4f);
    assert_int_equal(take(b, 0), -1);
    vlapic_set_cr8(&b->lapic[0], 3);
    assert_int_equal(apic_reg(b, 0, APIC_TASKPRI), 0x30);
    assert_int_equal(vlapic_get_cr8(&b->lapic[0]), 3);
    assert_int_equal(take(b, 0), 0x41);
    apic(b, 0, APIC_EOI, 0);
    apic(b, 0, APIC_EOI, 0); /* one too many */
    assert_int_equal(apic_reg(b, 0, APIC_PROCPRI), 0x30);
}

/* The guest reads the page itself: what it finds there is what vlapic_read() says. */
static void page_is_the_registers(void **state)
{
    struct board *b = *state;
    uint32_t word;

    enable_all(b);
    vlapic_set_irq(&b->lapic[1], 0x77, true);
    memcpy(&word, b->page[1] + APIC_IRR + 0x30, 4);
    assert_int_equal(word, 1u << 0x17);
    memcpy(&word, b->page[1] + APIC_TMR + 0x30, 4);
    assert_int_equal(word, 1u << 0x17);
    assert_int_equal(vlapic_read(&b->lapic[1], APIC_IRR + 0x32, 1), 0x80);
    assert_int_equal(vlapic_read(&b->lapic[1], APIC_IRR + 0x32, 2), 0x80);
    assert_int_equal(vlapic_read(&b->lapic[1], APIC_IRR + 0x32, 4), 0); /* not within a register */
    assert_int_equal(vlapic_read(&b->lapic[1], APIC_IRR + 0x31, 4), 0);
    assert_int_equal(vlapic_read(&b->lapic[1], APIC_IRR + 0x34, 4), 0);
    assert_int_equal(vlapic_read(&b->lapic[3], PAGE_SIZE, 4), 0);
    vlapic_write(&b->lapic[1], APIC_TASKPRI, 1, 0x20);
    vlapic_write(&b->lapic[1], APIC_TASKPRI + 1, 1, 0xff); /* reserved bits */
    vlapic_write(&b->lapic[1], APIC_TASKPRI + 4, 4, 0xff);
    vlapic_write(&b->lapic[1], APIC_LVR, 4, 0); /* read-only */
    assert_int_equal(apic_reg(b, 1, APIC_TASKPRI), 0x20);
    assert_int_equal(apic_reg(b, 1, APIC_LVR), 0x50014);
}

/* vCPUs that have vec now, a bit each; it is taken. */
static unsigned int reached(struct board *b, uint8_t vec)
{
    unsigned int who = 0;

    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        if (vlapic_test_irq(&b->lapic[i], vec)) {
            who |= 1u << i;
            assert_int_equal(take(b, i), vec);
            apic(b, i, APIC_EOI, 0);
        }
    return who;
}

static unsigned int ipi(struct board *b, uint8_t dest, uint32_t icr)
{
    apic(b, 1, APIC_ICR2, (uint32_t)dest << 24);
    apic(b, 1, APIC_ICR, icr);
    assert_int_equal(apic_reg(b, 1, APIC_ICR), icr & ~0x1000u); /* sent */
    return reached(b, (uint8_t)icr);
}

static void destinations(void **state)
{
    struct board *b = *state;

    enable_all(b);
    assert_int_equal(ipi(b, 4, 0x4050), 1 << 2); /* by id: vCPU 2's is 4 */
    assert_int_equal(ipi(b, 5, 0x50), 0);
    assert_int_equal(ipi(b, 0xff, 0x50), 15);
    assert_int_equal(ipi(b, 0, 0x40050), 1 << 1); /* shorthands: self, all, all others */
    assert_int_equal(ipi(b, 0, 0x80050), 15);
    assert_int_equal(ipi(b, 0, 0xc0050), 15 & ~(1 << 1));
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        apic(b, i, APIC_LDR, 1u << (24 + i));
    assert_int_equal(ipi(b, 5, 0x850), 5); /* flat */
    assert_int_equal(ipi(b, 0xff, 0x850), 15);
    for (unsigned int i = 0; i < BOARD_CPUS; i++) {
        apic(b, i, APIC_DFR, 0);
        apic(b, i, APIC_LDR, (i / 2 << 4 | 1u << i % 2) << 24);
    }
    assert_int_equal(apic_reg(b, 0, APIC_DFR), 0x0fffffff);
    assert_int_equal(ipi(b, 0x13, 0x850), 12); /* clusters of two */
    assert_int_equal(ipi(b, 0x02, 0x850), 2);
    assert_int_equal(ipi(b, 0x22, 0x850), 0);
    assert_int_equal(ipi(b, 0xff, 0x850), 15);
    apic(b, 3, APIC_ID, 0x09ffffff); /* an id can be changed */
    assert_int_equal(apic_reg(b, 3, APIC_ID), 0x09000000);
    assert_int_equal(ipi(b, 9, 0x50), 8);
}

/* The one that has the least to do; among equals in turn. */
static void lowest_priority(void **state)
{
    struct board *b = *state;
    unsigned int who = 0;

    enable_all(b);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        apic(b, i, APIC_LDR, 1u << (24 + i));
    apic(b, 0, APIC_TASKPRI, 0x30);
    apic(b, 1, APIC_TASKPRI, 0x20);
    apic(b, 2, APIC_TASKPRI, 0x30);
    apic(b, 3, APIC_TASKPRI, 0x30);
    assert_int_equal(ipi(b, 15, 0x960), 1 << 1);
    assert_int_equal(ipi(b, 15, 0x960), 1 << 1);
    assert_int_equal(ipi(b, 0xd, 0x960), 1 << 2);
    apic(b, 1, APIC_TASKPRI, 0x30);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        who |= ipi(b, 15, 0x960);
    assert_int_equal(who, 15);
    apic(b, 2, APIC_SPIV, 0xff);
    assert_int_equal(ipi(b, 4, 0x960), 0); /* switched off */
}

/* What comes for one that has not begun yet, or has been stopped, is there when it begins; no second INIT takes it. */
static void early(void **state)
{
    struct board *b = *state;

    enable_all(b);
    apic(b, 1, APIC_SPIV, 0xff);
    cpu(b, 1)->is_initialised = false;
    vlapic_set_irq(&b->lapic[1], 0xf3, false); /* of an event, which knows nothing of APICs */
    assert_int_equal(take(b, 1), -1);
    apic(b, 0, APIC_ICR2, 2u << 24);
    apic(b, 0, APIC_ICR, 0xc500); /* INIT */
    assert_string_equal(b->log, "");
    apic(b, 1, APIC_SPIV, 0x1ff);
    assert_int_equal(take(b, 1), 0xf3);
}

static void nmi_init_startup(void **state)
{
    struct board *b = *state;

    enable_all(b);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        cpu(b, i)->is_initialised = true;
    apic(b, 1, APIC_LVTT, 0x2040);
    apic(b, 0, APIC_ICR2, 2u << 24);
    apic(b, 0, APIC_ICR, 0x4400); /* NMI, no vector needed */
    assert_true(cpu(b, 1)->nmi_pending);
    assert_int_equal(take(b, 1), 2);
    assert_false(cpu(b, 1)->nmi_pending);
    apic(b, 0, APIC_ICR, 0xc500); /* INIT */
    apic(b, 0, APIC_ICR, 0x8500); /* its end: nothing */
    assert_string_equal(b->log, "init1 ");
    assert_int_equal(apic_reg(b, 1, APIC_SPIV), 0xff);
    assert_int_equal(apic_reg(b, 1, APIC_ID), 2u << 24);
    apic(b, 0, APIC_ICR, 0x4608); /* start at 0x8000; reaches one that is switched off */
    assert_string_equal(b->log, "init1 start1:08 ");
    apic(b, 3, APIC_ID, 9u << 24);
    apic(b, 0, APIC_ICR, 0xc4500);
    assert_int_equal(apic_reg(b, 3, APIC_ID), 9u << 24); /* is kept */
    apic(b, 0, APIC_ICR, 0xc4699);
    assert_string_equal(b->log, "init1 start1:08 init1 init2 init3 start1:99 start2:99 start3:99 ");
}

static void errors(void **state)
{
    struct board *b = *state;

    enable_all(b);
    apic(b, 0, APIC_LVTERR, 0xee);
    assert_int_equal(ipi(b, 0, 0x405), 0); /* as an NMI vector 5 is nothing wrong */
    assert_int_equal(take(b, 0), 2);
    apic(b, 0, APIC_ICR, 5);
    assert_int_equal(apic_reg(b, 0, APIC_ESR), 0); /* not before it is written */
    apic(b, 0, APIC_ESR, 0);
    assert_int_equal(apic_reg(b, 0, APIC_ESR), APIC_ESR_SENDILL);
    assert_int_equal(take(b, 0), 0xee);
    apic(b, 0, APIC_EOI, 0);
    vlapic_set_irq(&b->lapic[0], 15, false);
    vlapic_set_irq(&b->lapic[0], 15, false);
    assert_int_equal(take(b, 0), 0xee); /* once for the same error */
    apic(b, 0, APIC_EOI, 0);
    assert_int_equal(take(b, 0), -1);
    apic(b, 0, APIC_ESR, 0);
    assert_int_equal(apic_reg(b, 0, APIC_ESR), APIC_ESR_RECVILL);
    apic(b, 0, APIC_ESR, 0);
    assert_int_equal(apic_reg(b, 0, APIC_ESR), 0);
}

static void one_shot(void **state)
{
    struct board *b = *state;

    enable_all(b);
    apic(b, 0, APIC_LVTT, 0x30);
    apic(b, 0, APIC_TMICT, 1000);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 1000);
    pass(b, 300 * NS_PER_COUNT + 1);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 700);
    assert_int_equal(take(b, 0), -1);
    pass(b, 700 * NS_PER_COUNT);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 0);
    assert_int_equal(take(b, 0), 0x30);
    apic(b, 0, APIC_EOI, 0);
    pass(b, 5000 * NS_PER_COUNT);
    assert_int_equal(take(b, 0), -1);
    assert_int_equal(apic_reg(b, 0, APIC_TMICT), 1000);
    apic(b, 0, APIC_TMICT, 1000);
    apic(b, 0, APIC_TMICT, 0); /* stops it */
    pass(b, 5000 * NS_PER_COUNT);
    assert_int_equal(take(b, 0), -1);
}

static void periodic(void **state)
{
    struct board *b = *state;

    enable_all(b);
    apic(b, 2, APIC_TDCR, 0xb); /* by one */
    apic(b, 2, APIC_LVTT, 0x20031);
    apic(b, 2, APIC_TMICT, 20000); /* 200 us */
    for (unsigned int i = 0; i < 5; i++) {
        pass(b, MICROSECS(199));
        assert_int_equal(take(b, 2), -1);
        assert_int_equal(apic_reg(b, 2, APIC_TMCCT), 100);
        pass(b, MICROSECS(1));
        assert_int_equal(apic_reg(b, 2, APIC_TMCCT), 20000);
        assert_int_equal(take(b, 2), 0x31);
        assert_int_equal(take(b, 2), -1);
        apic(b, 2, APIC_EOI, 0);
    }
    apic(b, 2, APIC_LVTT, 0x30031);
    pass(b, MICROSECS(200));
    assert_int_equal(take(b, 2), -1);
    apic(b, 2, APIC_LVTT, 0x20032); /* another vector; the tick that waited comes */
    assert_int_equal(take(b, 2), 0x32);
}

/* The mode changes: a timer goes on from its count, and one that has ended, or never began, does not begin by that. */
static void mode_changes(void **state)
{
    struct board *b = *state;

    enable_all(b);
    apic(b, 0, APIC_LVTT, 0x20030);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 0);
    apic(b, 0, APIC_TMICT, 10000);
    pass(b, 14000 * NS_PER_COUNT);
    assert_int_equal(take(b, 0), 0x30);
    apic(b, 0, APIC_EOI, 0);
    apic(b, 0, APIC_LVTT, 0x30); /* one-shot: ends with this period */
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 6000);
    pass(b, 6000 * NS_PER_COUNT);
    assert_int_equal(take(b, 0), 0x30);
    apic(b, 0, APIC_EOI, 0);
    apic(b, 0, APIC_LVTT, 0x20030);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 0);
    pass(b, 30000 * NS_PER_COUNT);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 0);
    assert_int_equal(take(b, 0), -1);
}

static void divisors(void **state)
{
    static const struct {
        uint8_t code, by;
    } d[] = { { 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 } };
    struct board *b = *state;

    enable_all(b);
    apic(b, 0, APIC_LVTT, 0x10030);
    for (size_t i = 0; i < ARRAY_SIZE(d); i++) {
        apic(b, 0, APIC_TDCR, d[i].code | 0xfffffff4);
        assert_int_equal(apic_reg(b, 0, APIC_TDCR), d[i].code);
        apic(b, 0, APIC_TMICT, 1000000);
        pass(b, 12800);
        assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 1000000 - 1280 / d[i].by);
    }
    apic(b, 0, APIC_TDCR, 0); /* slower from where it is */
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 1000000 - 1280);
    pass(b, 2000);
    assert_int_equal(apic_reg(b, 0, APIC_TMCCT), 1000000 - 1380);
    vlapic_refresh(&b->lapic[0]);
    assert_memory_equal(b->page[0] + APIC_TMCCT, &(uint32_t){ 1000000 - 1380 }, 4);
}

/* By MSRs: the LDR follows from the id, and logical destinations from it. */
static void x2apic(void **state)
{
    struct board *b = *state;
    struct vlapic *l = &b->lapic[1];
    uint64_t val;

    enable_all(b);
    assert_false(vlapic_x2apic_read(l, 0x802, &val));
    assert_true(vlapic_msr_set(l, 0xfee00c00));
    assert_true(vlapic_x2apic_read(l, 0x802, &val));
    assert_int_equal(val, 2);
    assert_true(vlapic_x2apic_read(l, 0x80d, &val));
    assert_int_equal(val, 4);
    vlapic_message(l->irqs, dest_Fixed, 0x50, 0x10004, true, false); /* of another cluster */
    assert_false(vlapic_test_irq(l, 0x50));
    vlapic_message(l->irqs, dest_Fixed, 0x50, 4, true, false);
    assert_true(vlapic_test_irq(l, 0x50));
    vlapic_message(l->irqs, dest_Fixed, 0x52, 0x8004, true, false); /* of others of the cluster, too */
    assert_true(vlapic_test_irq(l, 0x52));
    assert_false(vlapic_x2apic_read(l, 0x80b, &val)); /* EOI */
    assert_false(vlapic_x2apic_write(l, 0x808, 0x120));
    assert_true(vlapic_x2apic_write(l, 0x808, 0x20));
    assert_int_equal(vlapic_get_reg(l, APIC_TASKPRI), 0x20);
    assert_true(vlapic_x2apic_write(l, 0x83f, 0x51));
    assert_true(vlapic_test_irq(l, 0x51));
    assert_false(vlapic_x2apic_write(l, 0x83f, 0x151));
    assert_false(vlapic_msr_set(l, 0xfee00800)); /* not back, */
    assert_true(vlapic_msr_set(l, 0xfee00000));  /* but off */
    assert_false(vlapic_x2apic_read(l, 0x802, &val));
    assert_false(vlapic_msr_set(l, 0xfee00c00));
}

/* Bits of the table that cannot be changed (delivery status, remote IRR) may be written there; reserved ones not. */
static void x2apic_lvt(void **state)
{
    static const struct {
        unsigned int reg;
        uint32_t kept, ignored;
    } t[] = { { APIC_LVTT, 0x300ff, 0x1000 }, { APIC_LVTTHMR, 0x107ff, 0x1000 }, { APIC_LVTPC, 0x107ff, 0x1000 },
              { APIC_LVT0, 0x1a7ff, 0x5000 }, { APIC_LVT1, 0x1a7ff, 0x5000 },    { APIC_LVTERR, 0x100ff, 0x1000 } };
    struct board *b = *state;
    struct vlapic *l = &b->lapic[1];

    enable_all(b);
    assert_true(vlapic_msr_set(l, 0xfee00c00));
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        for (unsigned int bit = 0; bit < 64; bit++) {
            const uint64_t one = UINT64_C(1) << bit, val = one | 0x10000;

            assert_int_equal(vlapic_x2apic_write(l, 0x800 + t[i].reg / 16, val),
                             (one & (t[i].kept | t[i].ignored)) != 0);
            if (one & t[i].ignored)
                assert_int_equal(vlapic_get_reg(l, t[i].reg), 0x10000);
        }
}

static void base_msr(void **state)
{
    struct board *b = *state;

    enable_all(b);
    assert_false(vlapic_msr_set(&b->lapic[1], 0xfee00400)); /* x2APIC, but off */
    assert_false(vlapic_msr_set(&b->lapic[1], 0xfee00801));
    assert_false(vlapic_msr_set(&b->lapic[1], UINT64_C(1) << 60 | 0xfee00800));
    assert_true(vlapic_enabled(&b->lapic[1]));
    assert_true(vlapic_msr_set(&b->lapic[1], 0xfee00000));
    assert_true(vlapic_hw_disabled(&b->lapic[1]));
    apic(b, 1, APIC_SPIV, 0x1ff); /* nothing is there */
    assert_true(vlapic_msr_set(&b->lapic[1], 0xfee00800));
    assert_false(vlapic_enabled(&b->lapic[1])); /* as after reset */
}

/* Any write of any width, messages and time between: no crash, and what the head promises holds. */
static void any_access(void **state)
{
    struct board *b = *state;
    uint64_t prng = 31;

    enable_all(b);
    for (unsigned int n = 0; n < 60000; n++) {
        const unsigned int i = (unsigned int)random_of(&prng, BOARD_CPUS);
        const unsigned int near = 16 * (unsigned int)random_of(&prng, 64), size = 1u << random_of(&prng, 4);
        const unsigned int offset = near + (random_of(&prng, 8) ? 0 : (unsigned int)random_of(&prng, 4096));
        const uint32_t val = (uint32_t)(random_of(&prng, UINT64_C(1) << 32) >> random_of(&prng, 32));

        b->log[0] = 0;
        switch (random_of(&prng, 8)) {
        case 0: vlapic_set_irq(&b->lapic[i], (uint8_t)val, val & 0x100); break;
        case 1: take(b, i); break;
        case 2: pass(b, (s_time_t)random_of(&prng, 20000)); break;
        case 3: vlapic_read(&b->lapic[i], offset, size); break;
        case 4:
            if (!random_of(&prng, 50))
                vlapic_msr_set(&b->lapic[i], random_of(&prng, 2) ? 0xfee00800 : val);
            break;
        case 5: apic(b, i, APIC_SPIV, 0x1ff); break;
        default: vlapic_write(&b->lapic[i], offset, size, val);
        }
        assert_int_equal(apic_reg(b, i, APIC_IRR) & 0xffff, 0);
        assert_int_equal(apic_reg(b, i, APIC_ISR) & 0xffff, 0);
        assert_int_equal(apic_reg(b, i, APIC_ICR) & 0x1000, 0);
        assert_int_equal(apic_reg(b, i, APIC_LVR), 0x50014);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, board_setup, board_teardown)
    const struct CMUnitTest tests[] = {
        TEST(after_reset),  TEST(local_vector_table), TEST(priorities),       TEST(page_is_the_registers),
        TEST(destinations), TEST(lowest_priority),    TEST(nmi_init_startup), TEST(early),
        TEST(errors),       TEST(one_shot),           TEST(periodic),         TEST(mode_changes),
        TEST(divisors),     TEST(base_msr),           TEST(any_access),       TEST(x2apic),
        TEST(x2apic_lvt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
