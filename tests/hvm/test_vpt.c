// SPDX-License-Identifier: GPL-2.0-or-later
/* Ticks that nobody took: each timer_mode; vCPUs without a pCPU; masks; ticks by both kinds of controllers. */
#include "tests/hvm/board.h"

#define PERIOD MILLISECS(1)
#define VECTOR 0x50

static unsigned int ticks; /* that the device was told of */

static void told(void *data) { ticks++; }

/* A tick each ms by ISA interrupt `irq`, which the I/O APIC sends to vCPU 0 as VECTOR. */
static struct periodic_time *ticking(struct board *b, unsigned int irq, uint8_t mode)
{
    static struct periodic_time pt;

    ticks = 0;
    b->irq.timer_mode = mode;
    enable_all(b);
    vioapic_write(&b->irq, 0, 0x10 + 2 * hvm_isa_irq_to_gsi(irq));
    vioapic_write(&b->irq, 0x10, VECTOR);
    vpt_init(&pt, &b->irq, cpu(b, 0), &vpt_line);
    create_periodic_time(&pt, PERIOD, PERIOD, (uint8_t)irq, told, NULL);
    return &pt;
}

/* Take what there is on a vCPU, each with its EOI: how many. */
static unsigned int take_all(struct board *b, unsigned int i)
{
    unsigned int n = 0;

    while (take(b, i) == VECTOR) {
        apic(b, i, APIC_EOI, 0);
        n++;
    }
    return n;
}

/* Ticks for 10 ms, interrupts off all the while; then what comes at once. */
static unsigned int after_ten(struct board *b, struct periodic_time *pt)
{
    pass(b, 10 * PERIOD + PERIOD / 2);
    return take_all(b, 0);
}

static void in_step(void **state)
{
    struct board *b = *state;

    for (uint8_t mode = 0; mode <= 3; mode++) {
        struct periodic_time *pt = ticking(b, 0, mode);

        for (unsigned int i = 0; i < 10; i++) {
            pass(b, PERIOD);
            assert_int_equal(take_all(b, 0), 1);
        }
        assert_int_equal(ticks, 10);
        destroy_periodic_time(pt);
    }
}

static void missed_are_made_up_for(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_delay_for_missed_ticks);

    assert_int_equal(after_ten(b, pt), 10);
    pass(b, PERIOD);
    assert_int_equal(take_all(b, 0), 1);
    assert_int_equal(ticks, 11);
    destroy_periodic_time(pt);
}

static void missed_are_one(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_one_missed_tick_pending);

    assert_int_equal(after_ten(b, pt), 1);
    pass(b, PERIOD / 4);
    assert_int_equal(take_all(b, 0), 0);
    pass(b, PERIOD / 4);
    assert_int_equal(take_all(b, 0), 1); /* on the old grid */
    destroy_periodic_time(pt);
    pt = ticking(b, 0, HVMPTM_no_missed_ticks_pending);
    assert_int_equal(after_ten(b, pt), 1);
    destroy_periodic_time(pt);
}

/* 10 ms without a pCPU: modes 0 and 1 make up for them, 3 has one, 2 none; in mode 0 the guest's clock stood still. */
static void without_a_pcpu(void **state)
{
    static const unsigned int expect[] = { 10, 10, 0, 10 };
    struct board *b = *state;

    for (uint8_t mode = 0; mode <= 3; mode++) {
        struct periodic_time *pt = ticking(b, 0, mode);
        const s_time_t before = hvm_get_guest_time(cpu(b, 0), &b->irq);
        unsigned int n;

        pt_save_timer(cpu(b, 0), &b->irq);
        pass(b, 10 * PERIOD + PERIOD / 2);
        assert_int_equal(hvm_get_guest_time(cpu(b, 0), &b->irq), before + (mode ? 10 * PERIOD + PERIOD / 2 : 0));
        pt_restore_timer(cpu(b, 0), &b->irq);
        n = take_all(b, 0);
        assert_int_equal(n, mode == HVMPTM_one_missed_tick_pending ? 1 : expect[mode]);
        if (!mode) /* each tick has brought the clock to where it belongs */
            assert_int_equal(hvm_get_guest_time(cpu(b, 0), &b->irq), before + 10 * PERIOD);
        destroy_periodic_time(pt);
    }
}

/* Mode 2 lets a timer that has lost ticks go on the next time, so that it is not always lost: as Xen. */
static void every_other_time(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_missed_ticks_pending);

    for (unsigned int i = 0; i < 6; i++) {
        pt_save_timer(cpu(b, 0), &b->irq);
        pass(b, 10 * PERIOD);
        pt_restore_timer(cpu(b, 0), &b->irq);
        assert_int_equal(take_all(b, 0), i % 2);
    }
    destroy_periodic_time(pt);
}

/* A vCPU that waits of its own accord is woken by its ticks. */
static void blocked(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_delay_for_missed_ticks);

    cpu(b, 0)->pause_flags |= VPF_blocked;
    pt_save_timer(cpu(b, 0), &b->irq);
    pass(b, PERIOD);
    assert_false(cpu(b, 0)->pause_flags & VPF_blocked);
    assert_int_equal(take_all(b, 0), 1);
    destroy_periodic_time(pt);
}

static void masks(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_one_missed_tick_pending);

    vioapic_write(&b->irq, 0x10, VECTOR | 0x10000);
    vpic_write(&b->irq, 0x21, 0xff);
    pass(b, 3 * PERIOD);
    assert_int_equal(take_all(b, 0), 0);
    vioapic_write(&b->irq, 0x10, VECTOR); /* what was pending comes */
    assert_int_equal(take_all(b, 0), 1);
    destroy_periodic_time(pt);
}

/* The pair loses a request when it is initialised anew; the tick does not. */
static void by_the_pair(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 8, HVMPTM_no_delay_for_missed_ticks);

    vioapic_write(&b->irq, 0x10, 0x10000);
    vlapic_virtual_wire(&b->lapic[0]);
    pass(b, PERIOD);
    for (unsigned int i = 0; i < 2; i++) {
        vpic_write(&b->irq, i ? 0xa0 : 0x20, 0x11);
        vpic_write(&b->irq, i ? 0xa1 : 0x21, i ? 0x28 : 0x20);
        vpic_write(&b->irq, i ? 0xa1 : 0x21, i ? 2 : 4);
        vpic_write(&b->irq, i ? 0xa1 : 0x21, 1);
    }
    vpic_write(&b->irq, 0x21, 1); /* others' masks are nothing to it */
    assert_int_equal(take(b, 0), 0x28);
    assert_int_equal(ticks, 1);
    vpic_write(&b->irq, 0xa0, 0x20);
    vpic_write(&b->irq, 0x20, 0x20);
    pass(b, PERIOD);
    assert_int_equal(take(b, 0), 0x28);
    destroy_periodic_time(pt);
}

/* The I/O APIC may send a tick to any vCPU: the one that takes it tells the timer. */
static void on_another_vcpu(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_delay_for_missed_ticks);

    vioapic_write(&b->irq, 0, 0x15);
    vioapic_write(&b->irq, 0x10, 6u << 24);
    for (unsigned int i = 0; i < 5; i++) {
        pass(b, PERIOD);
        assert_int_equal(take_all(b, 0), 0);
        assert_int_equal(take_all(b, 3), 1);
    }
    assert_int_equal(ticks, 5);
    destroy_periodic_time(pt);
}

/* As a watchdog's NMI a tick is nobody's to acknowledge: it comes each time, not more often. */
static void as_nmi(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_delay_for_missed_ticks);

    vioapic_write(&b->irq, 0x10, 0x400);
    vpic_write(&b->irq, 0x21, 1);
    for (unsigned int i = 0; i < 5; i++) {
        pass(b, PERIOD);
        assert_int_equal(take(b, 0), 2);
        assert_int_equal(take(b, 0), -1);
    }
    assert_int_equal(ticks, 5);
    destroy_periodic_time(pt);
}

/* Two timers of one vCPU, both with ticks that wait: each is told of its own. */
static void two_timers(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_delay_for_missed_ticks);

    apic(b, 0, APIC_LVTT, 0x20060);
    apic(b, 0, APIC_TMICT, PERIOD / 20);
    pass(b, 3 * PERIOD);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(take(b, 0), 0x60);
        apic(b, 0, APIC_EOI, 0);
    }
    assert_int_equal(ticks, 0);
    assert_int_equal(take_all(b, 0), 3);
    assert_int_equal(ticks, 3);
    destroy_periodic_time(pt);
}

static void once(void **state)
{
    struct board *b = *state;
    struct periodic_time *pt = ticking(b, 0, HVMPTM_no_delay_for_missed_ticks);

    create_periodic_time(pt, PERIOD, 0, 0, told, NULL);
    pass(b, 5 * PERIOD);
    assert_int_equal(take_all(b, 0), 1);
    assert_false(pt->running);
    create_periodic_time(pt, PERIOD, 10, 0, told, NULL); /* too fast: made slower */
    assert_int_equal(pt->period, VPT_PERIOD_MIN);
    destroy_periodic_time(pt);
    destroy_periodic_time(pt);
    pass(b, 5 * PERIOD);
    assert_int_equal(take_all(b, 0), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, board_setup, board_teardown)
    const struct CMUnitTest tests[] = {
        TEST(in_step),         TEST(missed_are_made_up_for),
        TEST(missed_are_one),  TEST(without_a_pcpu),
        TEST(blocked),         TEST(every_other_time),
        TEST(masks),           TEST(by_the_pair),
        TEST(on_another_vcpu), TEST(as_nmi),
        TEST(two_timers),      TEST(once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
