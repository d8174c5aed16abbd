// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The high precision event timer of an HVM domain. See hpet.c.
 */
#ifndef VCPU_HVM_HPET_H
#define VCPU_HVM_HPET_H

#include "vcpu/hvm/irq.h"

#define HPET_BASE_ADDRESS UINT64_C(0xfed00000)
#define HPET_MMAP_SIZE    0x400
#define HPET_TICK_NS      16 /* 62.5 MHz */

/* Registers, 64 bits each. */
#define HPET_ID        0x000
#define HPET_CFG       0x010
#define HPET_STATUS    0x020
#define HPET_COUNTER   0x0f0
#define HPET_Tn_CFG(n) (0x100 + 0x20 * (n))
#define HPET_Tn_CMP(n) (0x108 + 0x20 * (n))

#define HPET_CFG_ENABLE UINT64_C(1)
#define HPET_CFG_LEGACY UINT64_C(2)

/* Of a timer's configuration. */
#define HPET_TN_LEVEL        UINT64_C(0x002)
#define HPET_TN_ENABLE       UINT64_C(0x004)
#define HPET_TN_PERIODIC     UINT64_C(0x008)
#define HPET_TN_PERIODIC_CAP UINT64_C(0x010)
#define HPET_TN_SIZE_CAP     UINT64_C(0x020)
#define HPET_TN_SETVAL       UINT64_C(0x040)
#define HPET_TN_32BIT        UINT64_C(0x100)
#define HPET_TN_ROUTE        UINT64_C(0x3e00)
#define HPET_TN_ROUTE_SHIFT  9
#define HPET_TN_ROUTE_CAP    (UINT64_C(0x00f00000) << 32) /* GSI 20 to 23 */

struct hvm_hw_hpet;
struct pit;

struct hpet {
    struct hvm_irq *irqs;
    struct pit *pit; /* whose line timer 0 may take over */
    uint64_t config;
    uint64_t isr;    /* level-triggered timers that have fired, and of which the guest has not said that it knows */
    uint64_t mc64;   /* the main counter while it stands still */
    uint64_t offset; /* and else what is added to guest time, in ticks */
    struct hpet_timer {
        uint64_t config;
        uint64_t cmp;    /* when it fires (next), on a main counter of 64 bits while that runs */
        uint64_t period; /* what is added then */
        struct periodic_time pt;
    } timer[HPET_TIMERS];
};

/* irqs has its vCPU 0 already. */
void hpet_init(struct hpet *h, struct hvm_irq *irqs, struct pit *pit);
void hpet_deinit(struct hpet *h);
/* An access of size bytes at HPET_BASE_ADDRESS + offset. Not aligned: all ones, lost. */
uint64_t hpet_read(struct hpet *h, unsigned int offset, unsigned int size);
void hpet_write(struct hpet *h, unsigned int offset, unsigned int size, uint64_t val);
/* As a record of hvmcontext, and back: what a guest could not write is not loaded. */
void hpet_save(struct hpet *h, struct hvm_hw_hpet *r);
int hpet_load(struct hpet *h, const struct hvm_hw_hpet *r);

#endif
