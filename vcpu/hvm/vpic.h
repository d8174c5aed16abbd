// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two 8259A interrupt controllers of an HVM domain. See vpic.c.
 */
#ifndef VCPU_HVM_VPIC_H
#define VCPU_HVM_VPIC_H

#include <stdbool.h>
#include <stdint.h>

struct hvm_hw_vpic;
struct hvm_irq;

struct vpic {
    uint8_t irr, imr, isr;
    uint8_t level;    /* lines that are up */
    uint8_t elcr;     /* lines that are level-triggered, port 0x4d0 or 0x4d1 */
    uint8_t irq_base; /* ICW2: vector of input 0 */
    uint8_t priority; /* the input that comes first, rotated */
    uint8_t icw;      /* the initialisation command word that is awaited; 0: none, it works */
    bool need_icw4, single, level_all;
    bool auto_eoi, rotate_on_auto_eoi, special_fully_nested, special_mask;
    bool read_isr, poll;
    bool int_output;
};

void vpic_init(struct hvm_irq *irq);
/* Ports 0x20, 0x21, 0xa0, 0xa1, and 0x4d0, 0x4d1. */
uint8_t vpic_read(struct hvm_irq *irq, uint16_t port);
void vpic_write(struct hvm_irq *irq, uint16_t port, uint8_t val);
/* A line (0 to 15) goes up, or down. */
void vpic_irq_positive_edge(struct hvm_irq *irq, unsigned int line);
void vpic_irq_negative_edge(struct hvm_irq *irq, unsigned int line);
/* INTA: the vector, -1: the pair asks for nothing. */
int vpic_ack_pending_irq(struct hvm_irq *irq);
/* Chip n (0, 1) as a record of hvmcontext, and back. -EINVAL: no chip can be so. */
void vpic_save(const struct hvm_irq *irq, unsigned int n, struct hvm_hw_vpic *r);
int vpic_load(struct hvm_irq *irq, unsigned int n, const struct hvm_hw_vpic *r);
/* The lines are as gsi_assert_count has it, which nobody has heard as an edge. */
void vpic_lines_loaded(struct hvm_irq *irq);

#endif
