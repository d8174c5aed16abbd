// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The high precision event timer of an HVM domain.
 *
 * Concept: one main counter, and three timers that each compare it with a value of theirs. The counter is guest time
 * divided by 16 ns, and an offset: it is computed when somebody reads. A timer that is to interrupt is a
 * struct periodic_time (vpt.c): a match is a tick.
 *
 *      0x000  capabilities   63..32 femtoseconds a tick   31..16 0x8086   15 legacy   13 64 bits   12..8 last timer
 *      0x010  configuration  1 legacy replacement   0 the counter runs, timers fire
 *      0x020  status         bit n: level-triggered timer n has fired; writing 1 clears it
 *      0x0f0  main counter
 *      0x100 + 32n           63..32 lines that there are   13..9 line   8 32 bits   6 set value   5 64 bits possible
 *                            4 periodic possible   3 periodic   2 interrupt   1 level
 *      0x108 + 32n           comparator
 *
 * Legacy replacement: timer 0 takes ISA interrupt 0 from the PIT, timer 1 has 8, which stays the clock chip's too (as
 * in Xen). All else goes to a pin of the I/O APIC, 20 to 23.
 *
 * A periodic timer's comparator goes on by what was last written to it. A write sets where it stands itself only if
 * "set value" is set, which the write clears. What lies in the past when a timer is started fires at once (with
 * comparators of 32 bits, of which one cannot tell: in the last millisecond).
 *
 * Invariants: timer n's level-triggered line is up exactly if bit n of status is set; a line's number is one that
 * there is; status has bits of level-triggered timers only.
 *
 * Corresponds to xen/arch/x86/hvm/hpet.c. Source: Intel IA-PC HPET specification 1.0a, 2.3. Messages ("FSB") are not
 * there, as in Xen.
 */
#include "vcpu/hvm/hpet.h"

#include "vcpu/hvm/pit.h"

#include <xen/hvm/save.h>

#define CAPABILITY  (UINT64_C(HPET_TICK_NS * 1000000) << 32 | 0x8086a001 | (HPET_TIMERS - 1) << 8)
#define CAN         (HPET_TN_ROUTE_CAP | HPET_TN_SIZE_CAP | HPET_TN_PERIODIC_CAP)
#define WRITABLE    (HPET_TN_LEVEL | HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL | HPET_TN_32BIT | HPET_TN_ROUTE)
#define FIRST_ROUTE 20u
#define JUST_PAST   (MILLISECS(1) / HPET_TICK_NS)
#define NEVER       (SECONDS(1) * 86400 * 365 * 50) /* and a period more can be added to it */

static bool running(const struct hpet *h) { return h->config & HPET_CFG_ENABLE; }
static bool is(const struct hpet_timer *t, uint64_t flag) { return t->config & flag; }
static uint64_t mask_of(const struct hpet_timer *t) { return is(t, HPET_TN_32BIT) ? UINT32_MAX : UINT64_MAX; }

static s_time_t ns_of(uint64_t ticks)
{
    return ticks < (uint64_t)NEVER / HPET_TICK_NS ? (s_time_t)ticks * HPET_TICK_NS : NEVER;
}

/* --- the counter, and comparators --- */

static uint64_t guest_ticks(const struct hpet *h)
{
    return (uint64_t)hvm_get_guest_time(h->irqs->vlapic[0]->vcpu, h->irqs) / HPET_TICK_NS;
}

static uint64_t counter(const struct hpet *h) { return running(h) ? guest_ticks(h) + h->offset : h->mc64; }

/* The comparator as it is now: a periodic timer's has gone on. */
static uint64_t comparator(const struct hpet *h, struct hpet_timer *t)
{
    const uint64_t since = counter(h) - t->cmp;

    if (running(h) && is(t, HPET_TN_PERIODIC) && t->period && (int64_t)since >= 0)
        t->cmp += (since / t->period + 1) * t->period;
    return t->cmp & mask_of(t);
}

/* --- firing --- */

/* The pin of timer n. */
static unsigned int gsi_of(const struct hpet *h, unsigned int n)
{
    if (n < 2 && h->config & HPET_CFG_LEGACY)
        return n ? 8 : 2;
    return (unsigned int)((h->timer[n].config & HPET_TN_ROUTE) >> HPET_TN_ROUTE_SHIFT);
}

/* The level-triggered lines follow. */
static void update_lines(struct hpet *h)
{
    for (unsigned int n = 0; n < HPET_TIMERS; n++)
        hvm_hpet_line(h->irqs, n, h->isr >> n & 1 ? gsi_of(h, n) : 0);
}

static bool never(const struct periodic_time *pt)
{
    (void)pt;
    return false;
}

static bool level_is_tick(const struct periodic_time *pt, const struct vcpu *v, struct hvm_intack intack)
{
    (void)pt, (void)v, (void)intack;
    return false;
}

/* No tick is counted: the line stays up until the guest says that it knows. */
static bool level_raise(struct periodic_time *pt)
{
    struct hpet *h = pt->data;

    h->isr |= UINT64_C(1) << pt->irq;
    update_lines(h);
    return true;
}

static const struct vpt_source level = {
    .masked = never, .latched = never, .raise = level_raise, .is_tick = level_is_tick
};

static void timer_start(struct hpet *h, unsigned int n)
{
    struct hpet_timer *t = &h->timer[n];
    const bool edge = !is(t, HPET_TN_LEVEL), legacy = n < 2 && h->config & HPET_CFG_LEGACY;
    const uint64_t now = counter(h);
    uint64_t left;

    destroy_periodic_time(&t->pt);
    if (!running(h) || !is(t, HPET_TN_ENABLE))
        return;
    if (is(t, HPET_TN_32BIT)) { /* the next match, or the one just missed */
        const uint32_t until = (uint32_t)(t->cmp - now), past = (uint32_t)(now - t->cmp);

        t->cmp = past < JUST_PAST ? now - past : now + until;
    }
    comparator(h, t);
    left = (int64_t)(t->cmp - now) < 0 ? 0 : t->cmp - now;
    t->pt.source = edge ? &vpt_line : &level;
    create_periodic_time(&t->pt, ns_of(left), is(t, HPET_TN_PERIODIC) ? ns_of(t->period) : 0,
                         (uint8_t)(!edge    ? n
                                   : legacy ? n * 8
                                            : gsi_of(h, n)),
                         NULL, h);
}

/* --- registers --- */

static void write_config(struct hpet *h, uint64_t val)
{
    const uint64_t was = h->config, now = counter(h);

    for (unsigned int n = 0; n < HPET_TIMERS; n++) /* and no further, if it stops */
        comparator(h, &h->timer[n]);
    h->config = val & (HPET_CFG_ENABLE | HPET_CFG_LEGACY);
    h->mc64 = now;
    h->offset = now - guest_ticks(h);
    pit_replace(h->pit, h->config & HPET_CFG_LEGACY);
    update_lines(h);
    for (unsigned int n = 0; n < HPET_TIMERS; n++)
        if (!running(h) || !(was & HPET_CFG_ENABLE) || h->timer[n].pt.running) /* what has fired does not again */
            timer_start(h, n);
}

static void write_timer(struct hpet *h, unsigned int n, uint64_t val)
{
    struct hpet_timer *t = &h->timer[n];
    const uint64_t was = t->config;
    const bool ran = t->pt.running;

    comparator(h, t);
    t->config = CAN | (val & WRITABLE);
    if (!(t->config >> 32 >> ((t->config & HPET_TN_ROUTE) >> HPET_TN_ROUTE_SHIFT) & 1))
        t->config = (t->config & ~HPET_TN_ROUTE) | FIRST_ROUTE << HPET_TN_ROUTE_SHIFT;
    if (is(t, HPET_TN_32BIT)) {
        t->period = (uint32_t)t->period;
        if (!(was & HPET_TN_32BIT))
            t->cmp = (uint32_t)t->cmp;
    }
    if (!is(t, HPET_TN_LEVEL))
        h->isr &= ~(UINT64_C(1) << n);
    update_lines(h);
    if ((t->config ^ was) & ~HPET_TN_SETVAL && (ran || !(was & HPET_TN_ENABLE) || !is(t, HPET_TN_ENABLE)))
        timer_start(h, n);
}

/* Periods are 100 us or longer, as vpt.c's, and short enough that it can be told who is ahead. */
static uint64_t valid_period(const struct hpet_timer *t, uint64_t ticks)
{
    if (ticks < VPT_PERIOD_MIN / HPET_TICK_NS)
        return VPT_PERIOD_MIN / HPET_TICK_NS;
    return ticks & mask_of(t) >> 1;
}

static void write_comparator(struct hpet *h, unsigned int n, uint64_t val)
{
    struct hpet_timer *t = &h->timer[n];

    comparator(h, t);
    if (!is(t, HPET_TN_PERIODIC) || is(t, HPET_TN_SETVAL))
        t->cmp = val & mask_of(t);
    if (is(t, HPET_TN_PERIODIC))
        t->period = valid_period(t, val & mask_of(t));
    t->config &= ~HPET_TN_SETVAL;
    timer_start(h, n);
}

static uint64_t read64(struct hpet *h, unsigned int reg)
{
    const unsigned int n = (reg - HPET_Tn_CFG(0)) / 0x20;

    switch (reg) {
    case HPET_ID: return CAPABILITY;
    case HPET_CFG: return h->config;
    case HPET_STATUS: return h->isr;
    case HPET_COUNTER: return counter(h);
    default: break;
    }
    if (reg < HPET_Tn_CFG(0) || n >= HPET_TIMERS)
        return 0;
    return reg == HPET_Tn_CFG(n) ? h->timer[n].config : reg == HPET_Tn_CMP(n) ? comparator(h, &h->timer[n]) : 0;
}

static void write64(struct hpet *h, unsigned int reg, uint64_t val)
{
    const unsigned int n = (reg - HPET_Tn_CFG(0)) / 0x20;

    if (reg == HPET_CFG) {
        write_config(h, val);
    } else if (reg == HPET_STATUS) {
        h->isr &= ~val;
        update_lines(h);
    } else if (reg == HPET_COUNTER && !running(h)) { /* else it has no effect, as in Xen */
        h->mc64 = val;
    } else if (reg >= HPET_Tn_CFG(0) && n < HPET_TIMERS) {
        if (reg == HPET_Tn_CFG(n))
            write_timer(h, n, val);
        else if (reg == HPET_Tn_CMP(n))
            write_comparator(h, n, val);
    }
}

static bool aligned(unsigned int offset, unsigned int size)
{
    return size && size <= 8 && !(size & (size - 1)) && !(offset & (size - 1)) && offset < HPET_MMAP_SIZE;
}

/* The bits of a register that an access is about. */
static uint64_t bits_of(unsigned int offset, unsigned int size)
{
    return (UINT64_MAX >> (64 - 8 * size)) << 8 * (offset & 7);
}

uint64_t hpet_read(struct hpet *h, unsigned int offset, unsigned int size)
{
    if (!aligned(offset, size))
        return UINT64_MAX;
    return (read64(h, offset & ~7u) & bits_of(offset, size)) >> 8 * (offset & 7);
}

void hpet_write(struct hpet *h, unsigned int offset, unsigned int size, uint64_t val)
{
    uint64_t bits, kept;

    if (!aligned(offset, size))
        return;
    bits = bits_of(offset, size);
    kept = (offset & ~7u) == HPET_STATUS ? 0 : read64(h, offset & ~7u) & ~bits; /* a 1 would clear */
    write64(h, offset & ~7u, kept | (val << 8 * (offset & 7) & bits));
}

/* --- its life --- */

void hpet_init(struct hpet *h, struct hvm_irq *irqs, struct pit *pit)
{
    *h = (struct hpet){ .irqs = irqs, .pit = pit };
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        vpt_init(&h->timer[n].pt, irqs, irqs->vlapic[0]->vcpu, &vpt_line);
        h->timer[n].config = CAN | FIRST_ROUTE << HPET_TN_ROUTE_SHIFT;
        h->timer[n].cmp = UINT64_MAX;
    }
}

void hpet_deinit(struct hpet *h)
{
    for (unsigned int n = 0; n < HPET_TIMERS; n++)
        destroy_periodic_time(&h->timer[n].pt);
    h->isr = 0;
    update_lines(h);
}

/* --- as a record --- */

/*
 * A timer that has run out since its vCPU stands still is to tick when it is loaded. One of 64 bits does; for one of 32
 * the guest would wait until the counter has gone round.
 */
static uint64_t comparator_saved(const struct hpet *h, struct hpet_timer *t)
{
    const struct periodic_time *pt = &t->pt;
    const bool missed = pt->running && !pt->issued && !pt->period && pt->scheduled <= NOW(h->irqs->domain->xen);

    return missed && is(t, HPET_TN_32BIT) ? counter(h) & mask_of(t) : comparator(h, t);
}

void hpet_save(struct hpet *h, struct hvm_hw_hpet *r)
{
    *r = (struct hvm_hw_hpet){ .capability = CAPABILITY, .config = h->config, .isr = h->isr, .mc64 = counter(h) };
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        r->timers[n].config = h->timer[n].config;
        r->timers[n].cmp = comparator_saved(h, &h->timer[n]);
        r->period[n] = h->timer[n].period;
    }
}

int hpet_load(struct hpet *h, const struct hvm_hw_hpet *r)
{
    write_config(h, 0);
    for (unsigned int n = 0; n < HPET_TIMERS; n++) {
        struct hpet_timer *t = &h->timer[n];

        write_timer(h, n, r->timers[n].config);
        t->cmp = r->timers[n].cmp & mask_of(t);
        t->period = r->period[n] ? valid_period(t, r->period[n] & mask_of(t)) : 0;
        h->isr &= ~(UINT64_C(1) << n);
        if (is(t, HPET_TN_LEVEL))
            h->isr |= r->isr & UINT64_C(1) << n;
    }
    h->mc64 = r->mc64;
    write_config(h, r->config);
    return 0;
}
