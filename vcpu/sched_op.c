// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sched_op and vcpu_op: what a guest says about its own vCPUs.
 *
 * Concept: an idle kernel must not spin: it blocks until an event (SCHEDOP_block), or until one of a few ports fires or
 * a deadline passes (SCHEDOP_poll, for code that runs with events masked), or gives the rest of its slice away
 * (SCHEDOP_yield). vcpu_op is the other vCPUs' power button: initialise, up, down, is_up, and the per-vCPU pages they
 * share with Xen.
 *
 * Corresponds to xen/common/sched/core.c (do_sched_op, do_poll) and xen/common/domain.c (do_vcpu_op).
 * Lab 00 shows it: guests/timer.c, guests/smp.c.
 */
#include "evtchn/evtchn.h"
#include "mmu/compat.h"
#include "mmu/page.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"
#include "vcpu/runstate.h"
#include "vcpu/sched/sched.h"
#include "vcpu/time.h"

#include <errno.h>
#include <xen/sched.h>

static long do_poll(struct vcpu *v, uint64_t arg)
{
    struct domain *d = v->domain;
    struct sched_poll poll;
    uint64_t ports;
    evtchn_port_t port = 0;

    if (compat_from_guest(v, &poll, arg, COMPAT_sched_poll))
        return -EFAULT;
    ports = (uintptr_t)poll.ports.p;
    if (poll.nr_ports > 128)
        return -EINVAL;
    if (!guest_handle_okay(v, ports, poll.nr_ports * sizeof(evtchn_port_t)))
        return -EFAULT;
    if (local_events_need_delivery(v))
        return 0;
    for (unsigned int i = 0; i < poll.nr_ports; i++) {
        if (copy_from_guest(v, &port, ports + i * sizeof(port), sizeof(port)))
            return -EFAULT;
        if (!port_is_valid(d, port))
            return -EINVAL;
        if (evtchn_port_is_pending(d, port))
            return 0;
    }
    v->poll_evtchn = poll.nr_ports == 1 ? (int)port : -1;
    d->poll_mask |= UINT64_C(1) << v->vcpu_id;
    v->pause_flags |= VPF_poll;
    vcpu_poll_start_timer(v, (s_time_t)poll.timeout);
    vcpu_sleep_nosync(v);
    return 0;
}

static long remote_shutdown(struct vcpu *v, uint64_t arg)
{
    struct sched_remote_shutdown rs;
    struct domain *d;
    int rc;

    if (copy_from_guest(v, &rs, arg, sizeof(rs)))
        return -EFAULT;
    d = get_domain_by_id(v->domain->xen, rs.domain_id);
    if (!d)
        return -ESRCH;
    rc = xsm_schedop_shutdown(v->domain, d);
    if (!rc)
        domain_shutdown(d, (uint8_t)rs.reason);
    put_domain(d);
    return rc;
}

long do_sched_op(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t arg = args->a[1];
    struct sched_shutdown shutdown;
    struct sched_watchdog watchdog;

    switch ((unsigned int)args->a[0]) {
    case SCHEDOP_yield: vcpu_yield(v); return 0;
    case SCHEDOP_block: vcpu_block(v); return 0;
    case SCHEDOP_shutdown:
        if (copy_from_guest(v, &shutdown, arg, sizeof(shutdown)))
            return -EFAULT;
        domain_shutdown(v->domain, (uint8_t)shutdown.reason);
        return 0;
    case SCHEDOP_shutdown_code:
        if (copy_from_guest(v, &shutdown, arg, sizeof(shutdown)))
            return -EFAULT;
        if (v->domain->shutdown_code == -1)
            v->domain->shutdown_code = (uint8_t)shutdown.reason;
        return 0;
    case SCHEDOP_poll: return do_poll(v, arg);
    case SCHEDOP_remote_shutdown: return remote_shutdown(v, arg);
    case SCHEDOP_watchdog:
        if (copy_from_guest(v, &watchdog, arg, sizeof(watchdog)))
            return -EFAULT;
        return do_sched_watchdog(v, watchdog.id, watchdog.timeout);
    case SCHEDOP_pin_override: return is_control_domain(v->domain) ? -EINVAL : -EPERM;
    default: return -ENOSYS;
    }
}

/* The first form of the hypercall (before 0x00030101): the argument is a number. */
long do_sched_op_compat_old(struct vcpu *v, struct hypercall_args *args)
{
    switch ((unsigned int)args->a[0]) {
    case SCHEDOP_yield: vcpu_yield(v); return 0;
    case SCHEDOP_block: vcpu_block(v); return 0;
    case SCHEDOP_shutdown: domain_shutdown(v->domain, (uint8_t)args->a[1]); return 0;
    default: return -ENOSYS;
    }
}

/* --- vcpu_op --- */

static bool domain_any_vcpu_up(struct domain *d)
{
    for_each_vcpu (d, v)
        if (!(v->pause_flags & VPF_down))
            return true;
    return false;
}

static long get_runstate_info(struct vcpu *v, struct vcpu *target, uint64_t arg)
{
    struct vcpu_runstate_info rs;

    vcpu_runstate_get(target, &rs);
    return runstate_copy_to_guest(v, arg, &rs);
}

static long register_vcpu_info(struct vcpu *v, struct vcpu *target, uint64_t arg)
{
    struct vcpu_register_vcpu_info info;
    int rc;

    if (copy_from_guest(v, &info, arg, sizeof(info)))
        return -EFAULT;
    rc = map_vcpu_info(target, v, info.mfn, info.offset);
    if (!rc)
        update_vcpu_system_time(target, v);
    return rc;
}

/*
 * The other two areas are named by a guest virtual address; whether it is mapped is seen when it is used. 0 or -EFAULT.
 */
static int read_area_address(struct vcpu *v, uint64_t arg, uint64_t *addr)
{
    if (copy_word_from_guest(v, addr, arg) || !guest_handle_okay(v, *addr, 1))
        return -EFAULT;
    return 0;
}

static long register_runstate_area(struct vcpu *v, struct vcpu *target, uint64_t arg)
{
    struct vcpu_runstate_info rs = v->runstate;
    uint64_t addr;

    if (read_area_address(v, arg, &addr))
        return -EFAULT;
    target->runstate_guest = addr;
    if (target != v)
        vcpu_runstate_get(target, &rs);
    if (addr)
        runstate_copy_to_guest(v, addr, &rs);
    return 0;
}

static long register_time_area(struct vcpu *v, struct vcpu *target, uint64_t arg)
{
    uint64_t addr;

    if (read_area_address(v, arg, &addr))
        return -EFAULT;
    target->time_info_guest = addr;
    update_vcpu_system_time(target, v);
    return 0;
}

long do_vcpu_op(struct vcpu *v, struct hypercall_args *args)
{
    struct domain *d = v->domain;
    unsigned int cmd = (unsigned int)args->a[0], id = (unsigned int)args->a[1];
    uint64_t arg = args->a[2];
    struct vcpu *target = id < d->max_vcpus ? d->vcpu[id] : NULL;

    if (!target)
        return -ENOENT;
    switch (cmd) {
    case VCPUOP_initialise:
        return vcpu_info_is_dummy(target) ? -EINVAL
               : d->guest->set_context    ? d->guest->set_context(target, v, arg, true)
                                          : -ENOSYS;
    case VCPUOP_up:
        if (!target->is_initialised)
            return -EINVAL;
        target->pause_flags &= ~VPF_down;
        vcpu_wake(target);
        return 0;
    case VCPUOP_down:
        target->pause_flags |= VPF_down;
        if (!domain_any_vcpu_up(d)) {
            target->pause_flags &= ~VPF_down;
            domain_shutdown(d, SHUTDOWN_poweroff);
        } else {
            vcpu_sleep_nosync(target);
        }
        return 0;
    case VCPUOP_is_up: return !(target->pause_flags & VPF_down);
    case VCPUOP_get_runstate_info: return get_runstate_info(v, target, arg);
    case VCPUOP_set_periodic_timer:
    case VCPUOP_stop_periodic_timer:
    case VCPUOP_set_singleshot_timer:
    case VCPUOP_stop_singleshot_timer: return vcpuop_timer(v, cmd, target, arg);
    case VCPUOP_register_vcpu_info: return register_vcpu_info(v, target, arg);
    case VCPUOP_register_runstate_memory_area: return register_runstate_area(v, target, arg);
    case VCPUOP_register_vcpu_time_memory_area: return register_time_area(v, target, arg);
    case VCPUOP_send_nmi:
        if (arg)
            return -EINVAL;
        if (!target->nmi_pending) {
            target->nmi_pending = true;
            vcpu_kick(target);
        }
        return 0;
    case VCPUOP_get_physid: return -EINVAL; /* only for the hardware domain's pinned vCPUs */
    default: return -ENOSYS;
    }
}
