// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock chip of an HVM domain, MC146818, with its 128 bytes of memory. See rtc.c.
 */
#ifndef VCPU_HVM_RTC_H
#define VCPU_HVM_RTC_H

#include "vcpu/hvm/irq.h"

/* Bytes that are registers; the rest is memory. */
#define RTC_SECONDS       0
#define RTC_SECONDS_ALARM 1
#define RTC_MINUTES       2
#define RTC_MINUTES_ALARM 3
#define RTC_HOURS         4
#define RTC_HOURS_ALARM   5
#define RTC_DAY_OF_WEEK   6
#define RTC_DAY_OF_MONTH  7
#define RTC_MONTH         8
#define RTC_YEAR          9
#define RTC_REG_A         10
#define RTC_REG_B         11
#define RTC_REG_C         12
#define RTC_REG_D         13
#define RTC_CENTURY       0x32

#define RTC_UIP    0x80 /* A: about to change */
#define RTC_SET    0x80 /* B: the time stands still while the guest sets it */
#define RTC_DM_BIN 0x04
#define RTC_24H    0x02
#define RTC_PF     0x40 /* C, and the enabling bits of B */
#define RTC_AF     0x20
#define RTC_UF     0x10
#define RTC_IRQF   0x80

struct hvm_hw_rtc;

struct rtc {
    struct hvm_irq *irqs;
    uint8_t cmos[128]; /* the time's own bytes only while it is being set */
    uint8_t index;
    int64_t offset;     /* seconds that the guest's setting has added */
    s_time_t seen;      /* virtual time up to which events are in register C */
    struct timer event; /* the next update, while somebody wants to hear of it */
    struct periodic_time pt;
};

/* irqs has its vCPU 0 already. */
void rtc_init(struct rtc *rtc, struct hvm_irq *irqs);
/* Is what the index names one of its registers? Else it is the device model's. */
bool rtc_has(const struct rtc *rtc);
void rtc_deinit(struct rtc *rtc);
/* Ports 0x70 (index) and 0x71. */
uint8_t rtc_read(struct rtc *rtc, uint16_t port);
void rtc_write(struct rtc *rtc, uint16_t port, uint8_t val);
/* The registers as a record of hvmcontext, and back. */
void rtc_save(struct rtc *rtc, struct hvm_hw_rtc *r);
int rtc_load(struct rtc *rtc, const struct hvm_hw_rtc *r);

#endif
