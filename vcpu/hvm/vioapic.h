// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O APIC of an HVM domain. See vioapic.c.
 */
#ifndef VCPU_HVM_VIOAPIC_H
#define VCPU_HVM_VIOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define VIOAPIC_NUM_PINS             48
#define VIOAPIC_VERSION_ID           0x11
#define VIOAPIC_DEFAULT_BASE_ADDRESS UINT64_C(0xfec00000)
#define VIOAPIC_MEM_LENGTH           0x100

#define VIOAPIC_REG_APIC_ID 0x00
#define VIOAPIC_REG_VERSION 0x01
#define VIOAPIC_REG_ARB_ID  0x02
#define VIOAPIC_REG_RTE0    0x10

/* A redirection entry's bits. */
#define IOAPIC_RTE_VECTOR     UINT64_C(0xff)
#define IOAPIC_RTE_MODE       UINT64_C(0x700)
#define IOAPIC_RTE_LOGICAL    UINT64_C(0x800)
#define IOAPIC_RTE_STATUS     UINT64_C(0x1000)
#define IOAPIC_RTE_ACTIVE_LOW UINT64_C(0x2000)
#define IOAPIC_RTE_REMOTE_IRR UINT64_C(0x4000)
#define IOAPIC_RTE_LEVEL      UINT64_C(0x8000)
#define IOAPIC_RTE_MASK       UINT64_C(0x10000)
#define IOAPIC_RTE_DEST_SHIFT 56

struct hvm_hw_vioapic;
struct hvm_irq;

struct vioapic {
    uint64_t redir[VIOAPIC_NUM_PINS];
    uint8_t select, id;
};

void vioapic_init(struct hvm_irq *irq);
/* Accesses to its page, offset from the base; what is no register reads 0. */
uint32_t vioapic_read(struct hvm_irq *irq, unsigned int offset);
void vioapic_write(struct hvm_irq *irq, unsigned int offset, uint32_t val);
/* A pin goes up. (That one goes down is seen in gsi_assert_count.) */
void vioapic_irq_positive_edge(struct hvm_irq *irq, unsigned int pin);
/* A local APIC is through with a level-triggered vector. */
void vioapic_update_EOI(struct hvm_irq *irq, uint8_t vector);
/* As a record of hvmcontext, and back. -EINVAL: at another address. */
void vioapic_save(const struct hvm_irq *irq, struct hvm_hw_vioapic *r);
int vioapic_load(struct hvm_irq *irq, const struct hvm_hw_vioapic *r);

#endif
