// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interval timer of an HVM domain: an 8254 (vcpu/i8254.c) whose channel 0 is ISA interrupt 0. See pit.c.
 */
#ifndef VCPU_HVM_PIT_H
#define VCPU_HVM_PIT_H

#include "vcpu/hvm/irq.h"
#include "vcpu/i8254.h"

struct hvm_hw_pit;

struct pit {
    struct i8254 chip;
    struct hvm_irq *irqs;
    struct periodic_time pt0;
    bool replaced; /* ISA interrupt 0 is the HPET's */
};

/* irqs has its vCPU 0 already. */
void pit_init(struct pit *pit, struct hvm_irq *irqs);
void pit_deinit(struct pit *pit);
/* Ports 0x40 to 0x43, 0x61. */
uint8_t pit_read(struct pit *pit, uint16_t port);
void pit_write(struct pit *pit, uint16_t port, uint8_t val);
/* The HPET takes over ISA interrupt 0, or gives it back: channel 0 counts all the while. */
void pit_replace(struct pit *pit, bool on);
/*
 * As a record of hvmcontext, and back: counts begin anew. A channel that was never loaded has the count 0. -EINVAL: no
 * chip can be so.
 */
void pit_save(const struct pit *pit, struct hvm_hw_pit *r);
int pit_load(struct pit *pit, const struct hvm_hw_pit *r);

#endif
