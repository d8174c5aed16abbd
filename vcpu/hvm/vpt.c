// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual platform timers.
 *
 * Concept: a guest's timers (the local APIC's, the PIT's channel 0, the clock chip's) tick in virtual time, and a tick
 * is an interrupt that the guest should take. But the guest may have no pCPU just then, or have interrupts off for
 * longer than a period. So ticks are counted until they are taken, and what becomes of those that were missed is the
 * domain's HVM_PARAM_TIMER_MODE:
 *
 *      0 delay for missed ticks     each is delivered; guest time stands still while the vCPU has no pCPU, and goes on
 *                                   with the ticks: the guest notices nothing, and is late
 *      1 no delay for missed ticks  each is delivered, in a row, and time is what it is
 *      2 no missed ticks pending    they are lost
 *      3 one missed tick pending    all of them together are one
 *
 * A timer does not run on while a tick of its is pending. When that is taken (pt_intr_post) the rest is worked out from
 * the time that has passed.
 *
 *      timer --tick--> pending --[not masked]--> issued: in a controller's IRR --guest takes it--> pending - 1
 *
 * Invariants: while `running`, the timer is in irqs->timers, and its struct timer is armed, or a tick is pending, or
 * its vCPU has no pCPU. `scheduled` only grows.
 *
 * Corresponds to xen/arch/x86/hvm/vpt.c, where ticks of the old devices are handed over by the vCPU that they are bound
 * to, at its next entry; here at once, by whoever's line it is.
 */
#include "vcpu/hvm/irq.h"

static struct vclock *clock_of(const struct periodic_time *pt) { return &pt->irqs->domain->xen->machine->clock; }

/* --- guest time --- */

static struct vpt_time *time_of(const struct vcpu *v, const struct hvm_irq *irqs)
{
    return &irqs->vlapic[v->vcpu_id]->time;
}

s_time_t hvm_get_guest_time(const struct vcpu *v, const struct hvm_irq *irqs)
{
    const struct vpt_time *t = time_of(v, irqs);

    return t->stopped ? t->stopped_at : NOW(v->domain->xen) + t->offset;
}

static void set_guest_time(struct vcpu *v, struct hvm_irq *irqs, s_time_t to)
{
    struct vpt_time *t = time_of(v, irqs);

    t->stopped_at = to;
    t->offset = to - NOW(v->domain->xen);
}

/* --- ticks on their way to the guest --- */

static void fired(struct periodic_time *pt);

static void issue(struct periodic_time *pt)
{
    if (!pt->pending || pt->source->masked(pt) || pt->source->latched(pt))
        return;
    pt->issued = true;
    if (!pt->source->raise(pt))
        return;
    pt->pending = 1;
    fired(pt);
}

static void tick(void *data)
{
    struct periodic_time *pt = data;

    pt->pending++;
    pt->scheduled += pt->period;
    pt->keeps = false;
    issue(pt);
}

/* How many have been missed since, and what becomes of them. */
static void process_missed_ticks(struct periodic_time *pt)
{
    const s_time_t late = clock_of(pt)->now - pt->scheduled;
    const s_time_t missed = !pt->period || late < 0 ? 0 : late / pt->period + 1;

    if (!missed)
        return;
    if (pt->irqs->timer_mode == HVMPTM_no_missed_ticks_pending)
        pt->keeps = !pt->pending;
    else
        pt->pending += (uint32_t)missed;
    pt->scheduled += missed * pt->period;
}

static void remove_from_list(struct periodic_time *pt)
{
    struct periodic_time **at = &pt->irqs->timers;

    while (*at != pt)
        at = &(*at)->next;
    *at = pt->next;
    pt->running = false;
}

/* The guest has taken a tick. */
static void fired(struct periodic_time *pt)
{
    const s_time_t now = hvm_get_guest_time(pt->vcpu, pt->irqs);

    pt->issued = false;
    if (!pt->period) {
        remove_from_list(pt);
    } else if (pt->irqs->timer_mode >= HVMPTM_no_missed_ticks_pending) {
        pt->last_plt_time = now;
        process_missed_ticks(pt);
        pt->pending = 0;
        timer_set(clock_of(pt), &pt->timer, pt->scheduled);
    } else {
        pt->last_plt_time += pt->period;
        if (!--pt->pending)
            process_missed_ticks(pt);
        if (!pt->pending)
            timer_set(clock_of(pt), &pt->timer, pt->scheduled);
    }
    if (pt->period && pt->irqs->timer_mode == HVMPTM_delay_for_missed_ticks && now < pt->last_plt_time)
        set_guest_time(pt->vcpu, pt->irqs, pt->last_plt_time);
    if (pt->fn)
        pt->fn(pt->data);
    if (pt->running)
        issue(pt);
}

void pt_intr_post(struct vcpu *v, struct hvm_irq *irqs, struct hvm_intack intack)
{
    for (struct periodic_time *pt = irqs->timers; pt; pt = pt->next)
        if (pt->pending && pt->issued && pt->source->is_tick(pt, v, intack)) {
            fired(pt);
            return;
        }
}

void pt_update_irq(struct hvm_irq *irqs)
{
    for (struct periodic_time *pt = irqs->timers; pt; pt = pt->next)
        issue(pt);
}

/* --- timers --- */

void vpt_init(struct periodic_time *pt, struct hvm_irq *irqs, struct vcpu *v, const struct vpt_source *source)
{
    *pt = (struct periodic_time){ .irqs = irqs, .vcpu = v, .source = source };
    timer_init(&pt->timer, tick, pt);
    timer_label(&pt->timer, TIMER_PLATFORM, v->domain->domain_id, v->vcpu_id);
}

void create_periodic_time(struct periodic_time *pt, s_time_t delta, s_time_t period, uint8_t irq, vpt_fn *fn,
                          void *data)
{
    destroy_periodic_time(pt);
    pt->pending = 0;
    pt->issued = pt->keeps = false;
    pt->period = period && period < VPT_PERIOD_MIN ? VPT_PERIOD_MIN : period;
    pt->last_plt_time = hvm_get_guest_time(pt->vcpu, pt->irqs);
    pt->scheduled = clock_of(pt)->now + delta;
    pt->irq = irq;
    pt->fn = fn;
    pt->data = data;
    pt->running = true;
    pt->next = pt->irqs->timers;
    pt->irqs->timers = pt;
    timer_set(clock_of(pt), &pt->timer, pt->scheduled);
}

void destroy_periodic_time(struct periodic_time *pt)
{
    if (!pt->running)
        return;
    remove_from_list(pt);
    timer_stop(clock_of(pt), &pt->timer);
}

/* --- the vCPU's pCPU --- */

void pt_save_timer(struct vcpu *v, struct hvm_irq *irqs)
{
    struct vpt_time *t = time_of(v, irqs);

    if (v->pause_flags & VPF_blocked)
        return;
    for (struct periodic_time *pt = irqs->timers; pt; pt = pt->next)
        if (pt->vcpu == v && !pt->keeps)
            timer_stop(clock_of(pt), &pt->timer);
    if (irqs->timer_mode == HVMPTM_delay_for_missed_ticks && !t->stopped) {
        t->stopped_at = hvm_get_guest_time(v, irqs);
        t->stopped = true;
    }
}

void pt_restore_timer(struct vcpu *v, struct hvm_irq *irqs)
{
    struct vpt_time *t = time_of(v, irqs);

    if (t->stopped) {
        t->stopped = false;
        set_guest_time(v, irqs, t->stopped_at);
    }
    for (struct periodic_time *pt = irqs->timers; pt; pt = pt->next)
        if (pt->vcpu == v && !pt->pending) {
            process_missed_ticks(pt);
            if (!pt->pending) /* else pt_update_irq() is next */
                timer_set(clock_of(pt), &pt->timer, pt->scheduled);
        }
}
