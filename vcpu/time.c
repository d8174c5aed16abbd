// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time as guests see it.
 *
 * Concept: a PV guest reads the TSC and turns it into nanoseconds itself, with a scale and an offset that the
 * hypervisor publishes in vcpu_time_info. Because the hypervisor may update them while the guest reads, the structure
 * carries a version: odd while it is being written, and different afterwards; a reader tries again until it sees the
 * same even number twice.
 *
 *     system_time(now) = system_time + ((tsc_now - tsc_timestamp) << tsc_shift) * tsc_to_system_mul / 2^32
 *
 * Normally the TSC ticks at 1 GHz of virtual time, so one tick is 1 ns: mul = 2^31 with shift 1; vcpu/tsc.c has the
 * other cases. Every vCPU has one-shot and periodic timers; both raise VIRQ_TIMER.
 *
 * Corresponds to xen/arch/x86/time.c (__update_vcpu_system_time) and xen/common/domain.c, schedule.c
 * (vcpu_periodic_timer_fn).
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

#define VERSION_OF_UPDATE(version) (((version) + 1) | 1)

/* The copy has the version of the original, and is as safely read. False: it could not be written. */
static bool update_secondary(struct vcpu *v, struct vcpu *space, struct vcpu_time_info *t)
{
    const uint64_t version = v->time_info_guest + offsetof(struct vcpu_time_info, version);

    if (copy_to_guest(space, version, &t->version, sizeof(t->version)))
        return false;
    copy_to_guest(space, v->time_info_guest, t, sizeof(*t));
    t->version++;
    copy_to_guest(space, version, &t->version, sizeof(t->version));
    return true;
}

void update_vcpu_system_time(struct vcpu *v, struct vcpu *space)
{
    const struct domain *d = v->domain;
    const struct time_scale scale = tsc_scale(d);
    vcpu_time_info_at_4 *shared = &v->vcpu_info->time;
    struct vcpu_time_info t = {
        .version = VERSION_OF_UPDATE(shared->version),
        .tsc_timestamp = tsc_at(d, NOW(d->xen)),
        .system_time = (uint64_t)NOW(d->xen),
        .tsc_to_system_mul = scale.mul_frac,
        .tsc_shift = (int8_t)scale.shift,
        .flags = host_tsc_is_safe(d->xen) ? XEN_PVCLOCK_TSC_STABLE_BIT : 0, /* is another vCPU's clock comparable? */
    };
    bool written;

    __atomic_store_n(&shared->version, t.version, __ATOMIC_SEQ_CST);
    *shared = t;
    __atomic_store_n(&shared->version, t.version + 1, __ATOMIC_SEQ_CST);
    written = !v->time_info_guest || update_secondary(v, space, &t);
    if (!is_pv_domain(d))
        return;
    v->pv.pending_system_time.version = 0;
    if (!written && on_user_root(v))
        v->pv.pending_system_time = t;
}

void vcpu_time_catch_up(struct vcpu *v)
{
    struct vcpu_time_info *t = &v->pv.pending_system_time;

    if (t->version && (!v->time_info_guest || update_secondary(v, v, t)))
        t->version = 0;
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
