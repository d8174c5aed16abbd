// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When an HVM vCPU sleeps, and what ends it: interrupts that it would take, and not that some event is pending.
 *
 * Made-up exits: the vCPU stands behind a HLT, or asks by SCHEDOP_block, and is asked whether it is blocked.
 */
#include "tests/vcpu/hvm.h"

#include "evtchn/event_channel.h"
#include "vcpu/hvm/irq.h"
#include "vcpu/hvm/vlapic.h"

#include <xen/sched.h>

#define VECTOR 0x55

static struct vlapic *apic(struct fixture *f) { return &f->v->hvm->vlapic; }
static struct hvm_irq *irqs(struct fixture *f) { return &f->d->hvm->irq; }

static void switched_on(struct fixture *f) { vlapic_write(apic(f), APIC_SPIV, 4, APIC_SPIV_APIC_ENABLED | 0xff); }
static void event(struct fixture *f) { vcpu_mark_events_pending(f->v); }
static void interrupt(struct fixture *f) { vlapic_set_irq(apic(f), VECTOR, false); }

static void callback(struct fixture *f, uint64_t type, uint64_t val)
{
    f->d->emulation_flags |= XEN_X86_EMU_IOAPIC | XEN_X86_EMU_PIC;
    hvm_set_callback_via(irqs(f), type << 56 | val);
}

/* Events by a vector of the local APIC's. */
static void own_vector(struct fixture *f)
{
    switched_on(f);
    f->v->hvm->evtchn_upcall_vector = VECTOR;
}

static void own_vector_event(struct fixture *f)
{
    own_vector(f);
    event(f);
}

/* The handler runs, or has not looked at the flag yet: the vector is in service, or has been. */
static void in_service(struct fixture *f)
{
    own_vector_event(f);
    assert_true(vlapic_ack_pending_irq(apic(f), VECTOR));
}

static void handled(struct fixture *f)
{
    in_service(f);
    vlapic_write(apic(f), APIC_EOI, 4, 0);
}

static void too_early(struct fixture *f)
{
    f->v->hvm->evtchn_upcall_vector = VECTOR;
    event(f);
}

/* The event is not lost. */
static void in_time(struct fixture *f)
{
    too_early(f);
    switched_on(f);
}

/* INIT has taken what was there. */
static void again(struct fixture *f)
{
    own_vector_event(f);
    vlapic_reset(apic(f), false);
    switched_on(f);
}

/* What an APIC that is off has got before an event is its own affair. */
static void switched_on_twice(struct fixture *f)
{
    handled(f);
    f->v->vcpu_info->evtchn_upcall_pending = 0;
    switched_on(f);
}

static void callback_vector(struct fixture *f) { callback(f, HVM_PARAM_CALLBACK_TYPE_VECTOR, 0xf3); }

static void callback_vector_event(struct fixture *f)
{
    callback_vector(f);
    event(f);
}

static void line(struct fixture *f)
{
    switched_on(f);
    callback(f, HVM_PARAM_CALLBACK_TYPE_GSI, 20);
}

static void line_masked(struct fixture *f)
{
    line(f);
    event(f);
}

static void line_level(struct fixture *f)
{
    line(f);
    irqs(f)->vioapic.redir[20] = VECTOR; /* to APIC 0, by its edge */
    event(f);
}

/* A PCI device's pin leads to an input of the I/O APIC, and by a link to the 8259 pair. */
static void pin(struct fixture *f)
{
    switched_on(f);
    callback(f, HVM_PARAM_CALLBACK_TYPE_PCI_INTX, 3 << 11);
    irqs(f)->vioapic.redir[hvm_pci_intx_gsi(3, 0)] = VECTOR;
    event(f);
}

static void masked_event(struct fixture *f)
{
    switched_on(f);
    f->v->vcpu_info->evtchn_upcall_mask = 1;
    interrupt(f);
}

static void priority(struct fixture *f)
{
    switched_on(f);
    vlapic_write(apic(f), APIC_TASKPRI, 4, 0x50);
    interrupt(f);
}

static void lower_priority(struct fixture *f)
{
    switched_on(f);
    vlapic_write(apic(f), APIC_TASKPRI, 4, 0x40);
    interrupt(f);
}

static void nmi(struct fixture *f) { f->v->nmi_pending = true; }

static void nmi_blocked(struct fixture *f)
{
    nmi(f);
    f->v->nmi_masked = true;
}

static void interrupts_off(struct fixture *f)
{
    switched_on(f);
    interrupt(f);
    f->v->regs->rflags &= ~(uint64_t)X86_EFLAGS_IF;
}

static void nmi_interrupts_off(struct fixture *f)
{
    interrupts_off(f);
    nmi(f);
}

static void nothing(struct fixture *f) {}

static const struct {
    const char *name;
    void (*set_up)(struct fixture *f);
    bool blocks;
} states[] = {
    { "nothing", nothing, true },
    { "an event of which nobody is told", event, true },
    { "an event, and a vector of its own", own_vector_event, false },
    { "that vector in service, the event still pending", in_service, true },
    { "and acknowledged", handled, true },
    { "that vector, but the local APIC is off", too_early, true },
    { "and switched on then", in_time, false },
    { "reset, and switched on again", again, false },
    { "switched on again, without events", switched_on_twice, true },
    { "a callback by vector, without events", callback_vector, true },
    { "a callback by vector", callback_vector_event, false },
    { "a callback by a line that is masked", line_masked, true },
    { "a callback by a line", line_level, false },
    { "a callback by a PCI device's pin", pin, false },
    { "an interrupt, and events masked", masked_event, false },
    { "an interrupt that the task priority forbids", priority, true },
    { "an interrupt above the task priority", lower_priority, false },
    { "NMI", nmi, false },
    { "NMI while one is handled", nmi_blocked, true },
    { "NMI, and interrupts off", nmi_interrupts_off, false },
};

static bool is_blocked(const struct fixture *f) { return f->v->pause_flags & VPF_blocked; }

/* As new. */
static void begin(struct fixture *f)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_unpausedomain };

    hvm_destroy(f);
    hvm_create(f);
    op.domain = f->d->domain_id;
    assert_int_equal(hvm_domctl(f, &op), 0);
    f->v->regs->rflags |= X86_EFLAGS_IF;
}

static void test_hlt(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit hlt = { .kind = EXIT_HLT, .insn_len = 1 };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        begin(f);
        states[i].set_up(f);
        hvm_handle_exit(f->v, &hlt);
        if (is_blocked(f) != states[i].blocks || f->v->regs->rip != HVM_CODE + 1)
            fail_msg("%s: HLT %s", states[i].name, is_blocked(f) ? "blocks" : "does not block");
    }
}

/* SCHEDOP_block asks the same, and so does SCHEDOP_poll. */
static void test_sched_op(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        for (unsigned int poll = 0; poll < 2; poll++) {
            struct hypercall_args args = { .a = { poll ? SCHEDOP_poll : SCHEDOP_block, 0x3000 } };
            const struct sched_poll none = { .nr_ports = 0 };
            bool sleeps;

            begin(f);
            states[i].set_up(f);
            hvm_put(f, 0x3000, &none, sizeof(none));
            assert_int_equal(do_sched_op(f->v, &args), 0);
            sleeps = f->v->pause_flags & (poll ? VPF_poll : VPF_blocked);
            if (sleeps != states[i].blocks)
                fail_msg("%s: SCHEDOP_%s %s", states[i].name, poll ? "poll" : "block", sleeps ? "sleeps" : "does not");
        }
}

/* With interrupts off and no NMI nobody ends it. */
static void test_down(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit hlt = { .kind = EXIT_HLT, .insn_len = 1 };

    begin(f);
    interrupts_off(f);
    hvm_handle_exit(f->v, &hlt);
    assert_true(f->v->pause_flags & VPF_down);
    assert_true(f->d->is_shutting_down && f->d->shutdown_code == SHUTDOWN_poweroff);
}

/* What wakes one that sleeps. */
static void test_wake(void **state)
{
    static const struct {
        const char *name;
        void (*set_up)(struct fixture *f), (*then)(struct fixture *f);
        bool wakes;
    } rows[] = {
        { "an event of which nobody is told", nothing, event, false },
        { "an event, and a vector of its own", own_vector, event, true },
        { "a callback by vector", callback_vector, event, true },
        { "a callback by a line that is masked", line, event, false },
        { "a further event while one is handled", in_service, event, false },
        { "an interrupt", switched_on, interrupt, true },
    };
    struct fixture *f = *state;
    const struct sim_exit hlt = { .kind = EXIT_HLT, .insn_len = 1 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        begin(f);
        rows[i].set_up(f);
        hvm_handle_exit(f->v, &hlt);
        assert_true(is_blocked(f));
        rows[i].then(f);
        if (is_blocked(f) == rows[i].wakes)
            fail_msg("%s %s it", rows[i].name, rows[i].wakes ? "does not wake" : "wakes");
    }
}

/* Who spins gives way, but not at the first PAUSE, and not when he does other things in between. */
static void test_pause(void **state)
{
    struct fixture *f = *state;
    const struct sim_exit pause = { .kind = EXIT_PAUSE, .insn_len = 2 };
    struct xen_pcpu *p = &f->xen->pcpu[f->v->processor];
    const uint64_t rip = f->v->regs->rip;
    unsigned int n = 0;

    f->v->is_running = true;
    p->need_resched = false;
    for (; !p->need_resched && n < 1000; n++) {
        f->m->clock.now += 500;
        hvm_handle_exit(f->v, &pause);
    }
    assert_int_equal(n, 32);
    assert_int_equal(f->v->regs->rip, rip + 2 * 32);
    assert_int_equal(f->v->hvm->exits[EXIT_PAUSE], 32);
    assert_int_equal(f->v->hvm->engine_exits[EXIT_PAUSE], 31);
    p->need_resched = false;
    for (n = 0; n < 1000; n++) {
        f->m->clock.now += MICROSECS(50);
        hvm_handle_exit(f->v, &pause);
        assert_false(p->need_resched);
    }
    f->v->is_running = false;
}

/* In a run: one exit, and virtual time passes. */
static void test_run(void **state)
{
    struct fixture *f = *state;

    event(f);
    HVM_RUN(f, "\xfb\xf4\xf4"); /* sti; hlt; hlt */
    assert_true(is_blocked(f));
    assert_int_equal(f->v->hvm->exits[EXIT_HLT], 1);
    assert_int_equal(f->v->regs->rip, HVM_CODE + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hvm_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_hlt), TEST(test_sched_op), TEST(test_down), TEST(test_wake), TEST(test_pause), TEST(test_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
