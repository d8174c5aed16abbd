// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers of guests, and the wall clock.
 *
 * Concept: a guest that has nothing to do blocks, and wants to be woken. Every vCPU has a one-shot timer and a periodic
 * one, which both raise VIRQ_TIMER, and a deadline of SCHEDOP_poll; every domain has two watchdogs. What time it is
 * guests read without a call (vcpu/time_info.c); shared_info has what that makes of the calendar.
 *
 * Corresponds to xen/common/domain.c, schedule.c (vcpu_periodic_timer_fn), and the wall clock of
 * xen/arch/x86/time.c.
 */
#include "vcpu/time.h"

#include "evtchn/evtchn.h"
#include "mmu/compat.h"
#include "vcpu/sched/sched.h"
#include "vcpu/tsc.h"

#include <errno.h>
#include <string.h>
#include <xen/sched.h>

static struct vclock *clock_of(const struct vcpu *v) { return &v->domain->xen->machine->clock; }

static void vcpu_singleshot_fire(void *data) { send_guest_vcpu_virq(data, VIRQ_TIMER); }

/* Raise the tick if it is due, and set the timer for the next. Ticks that were missed are not made up for. */
static void periodic_work(struct vcpu *v)
{
    const s_time_t now = NOW(v->domain->xen);

    if (!v->periodic_period)
        return;
    if (now >= v->periodic_last + v->periodic_period) {
        send_guest_vcpu_virq(v, VIRQ_TIMER);
        v->periodic_last = now;
    }
    timer_set(clock_of(v), &v->periodic_timer, v->periodic_last + v->periodic_period);
}

static void vcpu_periodic_fire(void *data) { periodic_work(data); }

/*
 * v goes on its pCPU, or leaves it: a vCPU that blocks is not ticked, and costs nothing. Setting the period starts the
 * ticker wherever the vCPU is; one that does not run is ticked until it has run.
 */
void vcpu_periodic_timer_start(struct vcpu *v) { periodic_work(v); }

void vcpu_periodic_timer_stop(struct vcpu *v) { timer_stop(clock_of(v), &v->periodic_timer); }

static void set_periodic_timer(struct vcpu *v, s_time_t period)
{
    vcpu_periodic_timer_stop(v);
    v->periodic_period = period;
    periodic_work(v);
}

/* The deadline of SCHEDOP_poll. One that is left over from a poll that ended must not end a later block. */
static void vcpu_poll_fire(void *data)
{
    struct vcpu *v = data;

    if (v->domain->poll_mask >> v->vcpu_id & 1) {
        v->poll_timed_out = true;
        vcpu_unblock(v);
        v->poll_timed_out = false;
    }
}

void vcpu_time_init(struct vcpu *v)
{
    const unsigned int domid = v->domain->domain_id, id = v->vcpu_id;

    timer_init(&v->singleshot_timer, vcpu_singleshot_fire, v);
    timer_label(&v->singleshot_timer, TIMER_SINGLESHOT, domid, id);
    timer_init(&v->periodic_timer, vcpu_periodic_fire, v);
    timer_label(&v->periodic_timer, TIMER_PERIODIC, domid, id);
    timer_init(&v->poll_timer, vcpu_poll_fire, v);
    timer_label(&v->poll_timer, TIMER_POLL, domid, id);
}

void vcpu_time_destroy(struct vcpu *v)
{
    timer_stop(clock_of(v), &v->singleshot_timer);
    timer_stop(clock_of(v), &v->periodic_timer);
    timer_stop(clock_of(v), &v->poll_timer);
}

void vcpu_poll_start_timer(struct vcpu *v, s_time_t timeout)
{
    if (timeout)
        timer_set(clock_of(v), &v->poll_timer, timeout);
}

void update_domain_wallclock_time(struct domain *d)
{
    uint8_t *s = (uint8_t *)d->shared_info;
    uint32_t *wc = (uint32_t *)(s + compat_offset(d, COMPAT_shared_info, offsetof(struct shared_info, wc_version)));
    uint32_t *wc_sec_hi =
        (uint32_t *)(s + compat_offset(d, COMPAT_shared_info, offsetof(struct shared_info, wc_sec_hi)));
    const uint64_t host = (uint64_t)d->xen->wallclock_offset, second = (uint64_t)SECONDS(1);
    const uint64_t seconds = host / second + (uint64_t)d->time_offset_seconds;

    wc[0] = (wc[0] + 1) | 1;
    wc[1] = (uint32_t)seconds;
    wc[2] = (uint32_t)(host % second);
    *wc_sec_hi = (uint32_t)(seconds >> 32);
    wc[0]++;
}

/* --- hypercalls --- */

/*
 * set_timer_op(timeout): one-shot timer at absolute system time, 0 stops it. Xen treats a value far in the future as
 * the sign of a guest whose clock went backwards (Linux does that) and fires soon instead of never (common/schedule.c).
 */
static long set_timer_op(struct vcpu *v, s_time_t timeout)
{
    s_time_t now = NOW(v->domain->xen);

    if (timeout == 0) {
        timer_stop(clock_of(v), &v->singleshot_timer);
        return 0;
    }
    if (timeout < 0 || (timeout > now && (uint64_t)(timeout - now) >> 50))
        timeout = now + MILLISECS(100);
    timer_set(clock_of(v), &v->singleshot_timer, timeout);
    return 0;
}

long do_set_timer_op(struct vcpu *v, struct hypercall_args *args) { return set_timer_op(v, (s_time_t)args->a[0]); }

/* The time in two words. */
long compat_set_timer_op(struct vcpu *v, struct hypercall_args *args)
{
    return set_timer_op(v, (s_time_t)((uint32_t)args->a[0] | args->a[1] << 32));
}

#define STIME_DELTA_MAX ((UINT64_C(1) << 62) - 1) /* so that a sum of times does not overflow */

long vcpuop_timer(struct vcpu *v, unsigned int cmd, struct vcpu *target, uint64_t arg)
{
    struct vcpu_set_periodic_timer periodic;
    struct vcpu_set_singleshot_timer oneshot;

    switch (cmd) {
    case VCPUOP_set_periodic_timer:
        if (copy_from_guest(v, &periodic, arg, sizeof(periodic)))
            return -EFAULT;
        if (periodic.period_ns < MILLISECS(1) || periodic.period_ns > STIME_DELTA_MAX)
            return -EINVAL;
        set_periodic_timer(target, (s_time_t)periodic.period_ns);
        return 0;
    case VCPUOP_stop_periodic_timer: set_periodic_timer(target, 0); return 0;
    case VCPUOP_set_singleshot_timer:
        if (target != v)
            return -EINVAL;
        if (compat_from_guest(v, &oneshot, arg, COMPAT_vcpu_set_singleshot_timer))
            return -EFAULT;
        if ((oneshot.flags & VCPU_SSHOTTMR_future) && oneshot.timeout_abs_ns < (uint64_t)NOW(v->domain->xen))
            return -ETIME;
        timer_set(clock_of(v), &v->singleshot_timer, (s_time_t)oneshot.timeout_abs_ns); /* past: fires at once */
        return 0;
    case VCPUOP_stop_singleshot_timer:
        if (target != v)
            return -EINVAL;
        timer_stop(clock_of(v), &v->singleshot_timer);
        return 0;
    default: return -ENOSYS;
    }
}

/* --- watchdog: a domain that stops petting it is shut down --- */

static void watchdog_fire(void *data)
{
    struct domain *d = data;

    if (d->is_shutting_down || d->is_dying)
        return;
    printk(d->xen->machine, LOG_WARNING, "Watchdog timer fired for domain %u", d->domain_id);
    domain_shutdown(d, SHUTDOWN_watchdog);
}

void watchdog_domain_init(struct domain *d, unsigned int id)
{
    timer_init(&d->watchdog[id], watchdog_fire, d);
    timer_label(&d->watchdog[id], TIMER_WATCHDOG, d->domain_id, 0);
}

/*
 * SCHEDOP_watchdog: id 0 asks for a new one (returned, 1-based); timeout 0 stops an old one, a new one fires at once.
 */
long do_sched_watchdog(struct vcpu *v, uint32_t id, uint32_t timeout)
{
    struct domain *d = v->domain;
    struct vclock *clock = clock_of(v);

    if (id > ARRAY_SIZE(d->watchdog))
        return -EINVAL;
    if (id == 0) {
        for (id = 0; id < ARRAY_SIZE(d->watchdog); id++) {
            if (d->watchdog_armed[id])
                continue;
            d->watchdog_armed[id] = true;
            timer_set(clock, &d->watchdog[id], NOW(d->xen) + SECONDS(timeout));
            return id + 1;
        }
        return -ENOSPC;
    }
    id--;
    if (!d->watchdog_armed[id])
        return -EINVAL;
    if (timeout == 0) {
        d->watchdog_armed[id] = false;
        timer_stop(clock, &d->watchdog[id]);
    } else {
        timer_set(clock, &d->watchdog[id], NOW(d->xen) + SECONDS(timeout));
    }
    return 0;
}
