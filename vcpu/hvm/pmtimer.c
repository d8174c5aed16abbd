// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ACPI wants of an HVM domain's chipset.
 *
 * Concept: a counter of 3.579545 MHz, of 24 or 32 bits, which is computed from virtual time when somebody reads it, and
 * next to it the registers by which hardware tells of events, by one interrupt (SCI, ISA 9) for all:
 *
 *      base + 0   status    0 timer's highest bit changed  5 global  8 power button  9 sleep button  10 clock  15 woken
 *           + 2   enable    the same bits: which of these raise SCI
 *           + 4   control   0 SCI enabled  10-12 sleep type  13 sleep now
 *           + 8   the timer
 *
 * A status bit is cleared by writing 1 to it. Sleep type 0 is "off", as the ACPI tables of Xen's toolstack say; others
 * wait for somebody who could wake the domain, and do nothing.
 *
 * Invariant: SCI is up exactly while status & enable has one of its sources.
 *
 * Corresponds to xen/arch/x86/hvm/pmtimer.c, and for the control register to the device model. Source: ACPI
 * specification, 4.8.3.
 */
#include "vcpu/hvm/pmtimer.h"

#include <xen/hvm/ioreq.h>
#include <xen/hvm/save.h>
#include <xen/sched.h>

#define SCI_IRQ     9
#define SOURCES     (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)
#define CNT_SLEEP   0x2000
#define CNT_TYPE(x) ((x) >> 10 & 7)

static s_time_t now_of(const struct pmtimer *pm) { return NOW(pm->irqs->domain->xen); }
static struct vclock *clock_of(const struct pmtimer *pm) { return &pm->irqs->domain->xen->machine->clock; }

static uint64_t ticks_at(s_time_t at) { return (uint64_t)((unsigned __int128)at * PMTIMER_HZ / (uint64_t)SECONDS(1)); }

/* What the timer has counted; it shows the lowest bits. */
static uint64_t counted(const struct pmtimer *pm, s_time_t at) { return ticks_at(at) + pm->added; }

static unsigned int half_shift(const struct pmtimer *pm) { return pm->wide ? 31 : 23; }

/* Bring status up to now, SCI with it, and set the timer to when that may change next. */
static void update(struct pmtimer *pm)
{
    const s_time_t now = now_of(pm);
    const uint64_t half = counted(pm, now) >> half_shift(pm);
    const unsigned __int128 next = ((unsigned __int128)(half + 1) << half_shift(pm)) - pm->added;

    if (half != counted(pm, pm->seen) >> half_shift(pm))
        pm->sts |= PM1_TMR;
    pm->seen = now;
    if (pm->en & pm->sts & SOURCES)
        hvm_isa_irq_assert(pm->irqs, SCI_IRQ);
    else
        hvm_isa_irq_deassert(pm->irqs, SCI_IRQ);
    if ((pm->en & PM1_TMR) && !(pm->sts & PM1_TMR))
        timer_set(clock_of(pm), &pm->half, (s_time_t)((next * (uint64_t)SECONDS(1) + PMTIMER_HZ - 1) / PMTIMER_HZ));
    else
        timer_stop(clock_of(pm), &pm->half);
}

static void half_passed(void *data) { update(data); }

static void write_control(struct pmtimer *pm, uint16_t val)
{
    pm->cnt = val & (uint16_t)~CNT_SLEEP;
    if ((val & CNT_SLEEP) && CNT_TYPE(val) == 0)
        domain_shutdown(pm->irqs->domain, SHUTDOWN_poweroff);
}

/* The registers as bytes. */
static uint8_t read_byte(const struct pmtimer *pm, unsigned int offset)
{
    const uint32_t tmr = (uint32_t)(counted(pm, now_of(pm)) & (pm->wide ? UINT32_MAX : 0xffffff));
    const uint64_t first = (uint64_t)pm->cnt << 32 | (uint32_t)pm->en << 16 | pm->sts;

    return (uint8_t)(offset < 8 ? first >> 8 * offset : offset < PMTIMER_LEN ? tmr >> 8 * (offset - 8) : 0);
}

static void write_byte(struct pmtimer *pm, unsigned int offset, uint8_t val)
{
    const unsigned int shift = 8 * (offset & 1);
    const uint16_t mask = (uint16_t)(0xff << shift), bits = (uint16_t)(val << shift);

    switch (offset & ~1u) {
    case 0: pm->sts &= (uint16_t)~bits; break;
    case 2: pm->en = (uint16_t)((pm->en & ~mask) | bits); break;
    case 4: write_control(pm, (uint16_t)((pm->cnt & ~mask) | bits)); break;
    default: break;
    }
}

uint32_t pmtimer_read(struct pmtimer *pm, unsigned int offset, unsigned int size)
{
    uint32_t val = 0;

    update(pm);
    for (unsigned int i = 0; i < size && i < 4; i++)
        val |= (uint32_t)read_byte(pm, offset + i) << 8 * i;
    return val;
}

void pmtimer_write(struct pmtimer *pm, unsigned int offset, unsigned int size, uint32_t val)
{
    update(pm);
    for (unsigned int i = 0; i < size && i < 4; i++)
        write_byte(pm, offset + i, (uint8_t)(val >> 8 * i));
    update(pm);
}

void pmtimer_button(struct pmtimer *pm, uint16_t which)
{
    pm->sts |= which;
    update(pm);
}

uint16_t pmtimer_base(uint64_t location)
{
    return location == 1 ? ACPI_PM1A_EVT_BLK_ADDRESS_V1 : ACPI_PM1A_EVT_BLK_ADDRESS_V0;
}

void pmtimer_init(struct pmtimer *pm, struct hvm_irq *irqs, bool wide)
{
    *pm = (struct pmtimer){ .irqs = irqs, .wide = wide, .seen = NOW(irqs->domain->xen) };
    timer_init(&pm->half, half_passed, pm);
    timer_label(&pm->half, TIMER_PLATFORM, irqs->domain->domain_id, 0);
}

void pmtimer_deinit(struct pmtimer *pm) { timer_stop(clock_of(pm), &pm->half); }

/* --- as a record --- */

void pmtimer_save(struct pmtimer *pm, struct hvm_hw_pmtimer *r)
{
    update(pm);
    *r =
        (struct hvm_hw_pmtimer){ .tmr_val = (uint32_t)counted(pm, now_of(pm)), .pm1a_sts = pm->sts, .pm1a_en = pm->en };
}

int pmtimer_load(struct pmtimer *pm, const struct hvm_hw_pmtimer *r)
{
    pm->seen = now_of(pm);
    pm->added = r->tmr_val - (uint32_t)ticks_at(pm->seen);
    pm->sts = r->pm1a_sts;
    pm->en = r->pm1a_en;
    update(pm);
    return 0;
}
