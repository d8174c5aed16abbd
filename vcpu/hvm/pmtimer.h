// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ACPI wants of an HVM domain's chipset: the power management timer, and event and control registers. See
 * pmtimer.c.
 */
#ifndef VCPU_HVM_PMTIMER_H
#define VCPU_HVM_PMTIMER_H

#include "vcpu/hvm/irq.h"

#define PMTIMER_HZ  3579545u
#define PMTIMER_LEN 12 /* ports, from pmtimer_base() on */

/* Bits of PM1a status and enable. */
#define PM1_TMR    0x0001
#define PM1_GBL    0x0020
#define PM1_PWRBTN 0x0100
#define PM1_SLPBTN 0x0200
#define PM1_RTC    0x0400
#define PM1_WAK    0x8000

struct hvm_hw_pmtimer;

struct pmtimer {
    struct hvm_irq *irqs;
    uint16_t sts, en, cnt;
    bool wide;         /* 32 bits rather than 24 */
    uint32_t added;    /* ticks that a loaded timer is ahead of the machine's */
    s_time_t seen;     /* virtual time up to which the timer's overflows are in sts */
    struct timer half; /* its highest bit changes, while somebody wants to hear of it */
};

void pmtimer_init(struct pmtimer *pm, struct hvm_irq *irqs, bool wide);
void pmtimer_deinit(struct pmtimer *pm);
/* The first port, as HVM_PARAM_ACPI_IOPORTS_LOCATION says. */
uint16_t pmtimer_base(uint64_t location);
/* Accesses of size 1, 2 or 4 at base + offset; what is not there reads 0. */
uint32_t pmtimer_read(struct pmtimer *pm, unsigned int offset, unsigned int size);
void pmtimer_write(struct pmtimer *pm, unsigned int offset, unsigned int size, uint32_t val);
/* Somebody presses a button: PM1_PWRBTN, PM1_SLPBTN. */
void pmtimer_button(struct pmtimer *pm, uint16_t which);
/* Timer, status and enable as a record of hvmcontext, and back. (PM1a control is not in there.) */
void pmtimer_save(struct pmtimer *pm, struct hvm_hw_pmtimer *r);
int pmtimer_load(struct pmtimer *pm, const struct hvm_hw_pmtimer *r);

#endif
