// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O APIC of an HVM domain.
 *
 * Concept: each pin has a redirection entry that says which message it sends, to whom, and when: at a rising edge, or
 * (level) once while the line is up, and again if it is up still when the guest is through with it. Until then "remote
 * IRR" keeps the pin quiet; a local APIC's EOI of the vector clears it.
 *
 *      63 .. 56   16     15      14           13           12       11        10 9 8     7 .. 0
 *      who        mask   level   remote IRR   active low   status   logical   delivery   vector
 *
 *      offset 0x00  which register     0 id, 1 version and last pin, 2 id again, 0x10 + 2n and 0x11 + 2n: entry n
 *             0x10  the register
 *
 * Invariants: an entry with remote IRR is level-triggered. Status (12) is always 0: messages do not wait.
 * Polarity is kept and means nothing: lines are up or not.
 *
 * Corresponds to xen/arch/x86/hvm/vioapic.c. Source: Intel 82093AA data sheet.
 */
#include "vcpu/hvm/irq.h"

#include <errno.h>
#include <xen/hvm/save.h>

#define READ_ONLY (IOAPIC_RTE_STATUS | IOAPIC_RTE_REMOTE_IRR)

static void deliver(struct hvm_irq *irq, unsigned int pin)
{
    const uint64_t e = irq->vioapic.redir[pin];
    const enum apic_dm mode = (e & IOAPIC_RTE_MODE) >> 8;

    /* INIT and start-up are for processors to send, ExtINT is the 8259 pair's, and SMI nobody's. */
    if (mode == dest_Fixed || mode == dest_LowestPrio || mode == dest_NMI)
        vlapic_message(irq, mode, (uint8_t)e, (uint8_t)(e >> IOAPIC_RTE_DEST_SHIFT), e & IOAPIC_RTE_LOGICAL,
                       e & IOAPIC_RTE_LEVEL);
}

/* A level-triggered pin whose line is up, and that is neither masked nor waits for an EOI. */
static void deliver_level(struct hvm_irq *irq, unsigned int pin)
{
    uint64_t *e = &irq->vioapic.redir[pin];

    if (!(*e & IOAPIC_RTE_LEVEL) || (*e & (IOAPIC_RTE_MASK | IOAPIC_RTE_REMOTE_IRR)) || !irq->gsi_assert_count[pin])
        return;
    *e |= IOAPIC_RTE_REMOTE_IRR;
    deliver(irq, pin);
}

void vioapic_irq_positive_edge(struct hvm_irq *irq, unsigned int pin)
{
    const uint64_t e = irq->vioapic.redir[pin];

    if (e & IOAPIC_RTE_LEVEL)
        deliver_level(irq, pin);
    else if (!(e & IOAPIC_RTE_MASK))
        deliver(irq, pin);
}

void vioapic_update_EOI(struct hvm_irq *irq, uint8_t vector)
{
    for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++) {
        uint64_t *e = &irq->vioapic.redir[pin];

        if ((uint8_t)*e != vector || !(*e & IOAPIC_RTE_REMOTE_IRR))
            continue;
        *e &= ~IOAPIC_RTE_REMOTE_IRR;
        deliver_level(irq, pin);
    }
}

static void write_entry(struct hvm_irq *irq, unsigned int pin, bool high, uint32_t val)
{
    uint64_t *e = &irq->vioapic.redir[pin];

    if (high) {
        *e = (*e & UINT32_MAX) | (uint64_t)(val & 0xff000000) << 32;
    } else {
        *e = (*e & ~(uint64_t)UINT32_MAX) | (*e & IOAPIC_RTE_REMOTE_IRR) | (val & 0x1ffff & ~READ_ONLY);
        if (!(*e & IOAPIC_RTE_LEVEL))
            *e &= ~IOAPIC_RTE_REMOTE_IRR;
    }
    deliver_level(irq, pin);
    pt_update_irq(irq);
}

uint32_t vioapic_read(struct hvm_irq *irq, unsigned int offset)
{
    const struct vioapic *io = &irq->vioapic;
    const unsigned int pin = (io->select - VIOAPIC_REG_RTE0) / 2u;

    if (offset == 0)
        return io->select;
    if (offset != 0x10)
        return 0;
    switch (io->select) {
    case VIOAPIC_REG_APIC_ID:
    case VIOAPIC_REG_ARB_ID: return (uint32_t)io->id << 24;
    case VIOAPIC_REG_VERSION: return (VIOAPIC_NUM_PINS - 1) << 16 | VIOAPIC_VERSION_ID;
    default:
        if (io->select < VIOAPIC_REG_RTE0 || pin >= VIOAPIC_NUM_PINS)
            return 0;
        return (uint32_t)(io->redir[pin] >> (io->select & 1 ? 32 : 0));
    }
}

void vioapic_write(struct hvm_irq *irq, unsigned int offset, uint32_t val)
{
    struct vioapic *io = &irq->vioapic;
    const unsigned int pin = (io->select - VIOAPIC_REG_RTE0) / 2u;

    if (offset == 0)
        io->select = (uint8_t)val;
    else if (offset != 0x10)
        return;
    else if (io->select == VIOAPIC_REG_APIC_ID)
        io->id = val >> 24 & 15;
    else if (io->select >= VIOAPIC_REG_RTE0 && pin < VIOAPIC_NUM_PINS)
        write_entry(irq, pin, io->select & 1, val);
}

void vioapic_save(const struct hvm_irq *irq, struct hvm_hw_vioapic *r)
{
    const struct vioapic *io = &irq->vioapic;

    *r = (struct hvm_hw_vioapic){ .base_address = VIOAPIC_DEFAULT_BASE_ADDRESS, .ioregsel = io->select, .id = io->id };
    for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++)
        r->redirtbl[pin].bits = io->redir[pin];
}

int vioapic_load(struct hvm_irq *irq, const struct hvm_hw_vioapic *r)
{
    struct vioapic *io = &irq->vioapic;

    if (r->base_address != VIOAPIC_DEFAULT_BASE_ADDRESS)
        return -EINVAL;
    io->select = (uint8_t)r->ioregsel;
    io->id = r->id & 15;
    for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++)
        io->redir[pin] =
            r->redirtbl[pin].bits & (UINT64_C(0xff) << IOAPIC_RTE_DEST_SHIFT | (0x1ffff & ~IOAPIC_RTE_STATUS));
    return 0;
}

void vioapic_init(struct hvm_irq *irq)
{
    irq->vioapic = (struct vioapic){ .select = 0 };
    for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++)
        irq->vioapic.redir[pin] = IOAPIC_RTE_MASK;
}
