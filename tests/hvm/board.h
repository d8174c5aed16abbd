// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interrupt controllers of an HVM domain with four vCPUs, on a machine without processors: tests are the guest, and
 * let virtual time pass. The vCPUs themselves are the fixture's, of another kind: the devices do not look at that.
 */
#ifndef TESTS_HVM_BOARD_H
#define TESTS_HVM_BOARD_H

#include "tests/vcpu/fixture.h"
#include "vcpu/hvm/irq.h"

#define BOARD_CPUS 4

struct board {
    struct fixture *f;
    struct hvm_irq irq;
    struct vlapic lapic[BOARD_CPUS];
    uint8_t page[BOARD_CPUS][PAGE_SIZE];
    char log[256]; /* what INIT and start-up messages have done */
};

static struct board *the_board;

static void board_init_ipi(struct vcpu *v)
{
    snprintf(the_board->log + strlen(the_board->log), 32, "init%u ", v->vcpu_id);
}

static void board_startup(struct vcpu *v, uint8_t vector)
{
    snprintf(the_board->log + strlen(the_board->log), 32, "start%u:%02x ", v->vcpu_id, vector);
}

static void board_enabled(struct vcpu *v) {}

static const struct hvm_irq_ops board_ops = { .init = board_init_ipi,
                                              .startup = board_startup,
                                              .enabled = board_enabled };

static struct vcpu *cpu(struct board *b, unsigned int i) { return b->f->d->vcpu[i]; }

static int board_setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    fix_setup((void **)&b->f);
    b->f->d->emulation_flags = XEN_X86_EMU_ALL;
    hvm_irq_init(&b->irq, b->f->d, &board_ops);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        vlapic_init(&b->lapic[i], cpu(b, i), &b->irq, b->page[i]);
    b->irq.timer_mode = HVMPTM_no_delay_for_missed_ticks; /* as libxl has it */
    *state = the_board = b;
    return 0;
}

static int board_teardown(void **state)
{
    struct board *b = *state;

    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        vlapic_reset(&b->lapic[i], true); /* its timer stops */
    fix_teardown((void **)&b->f);
    free(b);
    return 0;
}

static inline void pass(struct board *b, s_time_t ns) { fix_pass(b->f, ns); }

/* Let a vCPU take what it would take: the vector; -1: nothing. */
static inline int take(struct board *b, unsigned int i)
{
    struct hvm_intack a;

    pt_update_irq(&b->irq);
    a = hvm_vcpu_has_pending_irq(cpu(b, i), &b->irq);
    if (a.source != hvm_intsrc_none)
        a = hvm_vcpu_ack_pending_irq(cpu(b, i), &b->irq, a);
    return a.source == hvm_intsrc_none ? -1 : a.vector;
}

static inline void apic(struct board *b, unsigned int i, unsigned int reg, uint32_t val)
{
    vlapic_write(&b->lapic[i], reg, 4, val);
}

static inline uint32_t apic_reg(struct board *b, unsigned int i, unsigned int reg)
{
    return vlapic_read(&b->lapic[i], reg, 4);
}

/* All local APICs are switched on. */
static inline void enable_all(struct board *b)
{
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        apic(b, i, APIC_SPIV, 0x1ff);
}

#endif
