// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sched_op: what ends a poll, what keeps it from starting, and what is refused; how a domain ends, and who hears of it.
 */
#include "tests/vcpu/fixture.h"

#include "vcpu/sched/sched.h"

#define PORTS 256 /* where in scratch the list of ports is */

static evtchn_port_t bind_ipi(struct fixture *f, unsigned int vcpu)
{
    struct evtchn_bind_ipi bind = { .vcpu = vcpu };
    uint64_t arg = fix_put(f, 0, &bind, sizeof(bind));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, arg, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &bind, arg, sizeof(bind)), 0);
    return bind.port;
}

/* Polls; whether it waits now is looked at by the caller. The mask is set, as code that polls has it. */
static long poll_ports(struct fixture *f, const evtchn_port_t *ports, unsigned int nr, uint64_t timeout)
{
    struct sched_poll poll = { .nr_ports = nr, .timeout = timeout };

    f->v->vcpu_info->evtchn_upcall_mask = 1;
    poll.ports.p = (evtchn_port_t *)(uintptr_t)(nr ? fix_put(f, PORTS, ports, nr * sizeof(*ports)) : 0);
    return fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0);
}

static bool waits(const struct fixture *f)
{
    const bool polls = f->v->pause_flags & VPF_poll;

    assert_int_equal(polls, f->d->poll_mask & 1);
    return polls;
}

static void pass_time(struct fixture *f, s_time_t ns)
{
    f->m->clock.now += ns;
    vclock_run(&f->m->clock);
}

/* Something for the next test to start from. */
static void wake(struct fixture *f)
{
    vcpu_unblock(f->v);
    assert_false(waits(f));
    f->d->shared_info->evtchn_pending[0] = 0;
    f->v->vcpu_info->evtchn_upcall_pending = 0;
    f->v->vcpu_info->evtchn_pending_sel = 0;
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct sched_poll poll = { .nr_ports = 1 };
    evtchn_port_t ports[129] = { 0 };

    assert_int_equal(poll_ports(f, ports, 129, 0), -EINVAL);
    ports[1] = 64; /* of a bucket that is not there */
    assert_int_equal(poll_ports(f, ports, 2, 0), -EINVAL);
    poll.ports.p = (evtchn_port_t *)(uintptr_t)UINT64_C(0xffff800000000000);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0),
                     -EFAULT);
    poll.ports.p = (evtchn_port_t *)(uintptr_t)0x1000;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0),
                     -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, 0x1000, 0, 0), -EFAULT);
    assert_false(waits(f));
    ports[1] = 0; /* ports that exist and are not in use are never pending */
    assert_int_equal(poll_ports(f, ports, 128, 0), 0);
    assert_true(waits(f));
}

/* It returns at once when an event could be delivered, or a port of the list is pending, masked or not. */
static void no_wait(void **state)
{
    struct fixture *f = *state;
    const evtchn_port_t ports[2] = { bind_ipi(f, 0), bind_ipi(f, 0) };
    struct shared_info *s = f->d->shared_info;

    s->evtchn_pending[0] = 1ul << ports[1];
    assert_int_equal(poll_ports(f, ports, 2, 0), 0);
    assert_false(waits(f));
    s->evtchn_mask[0] = 1ul << ports[1];
    assert_int_equal(poll_ports(f, ports, 2, 0), 0);
    assert_false(waits(f));
    assert_int_equal(poll_ports(f, ports, 1, 0), 0); /* another is pending: of no interest */
    assert_true(waits(f));
    wake(f);
    f->v->vcpu_info->evtchn_upcall_pending = 1; /* masked: not deliverable */
    assert_int_equal(poll_ports(f, NULL, 0, 0), 0);
    assert_true(waits(f));
    wake(f);
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    {
        struct sched_poll poll = { .nr_ports = 0 };

        assert_int_equal(
            fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_poll, fix_put(f, 0, &poll, sizeof(poll)), 0, 0), 0);
    }
    assert_false(waits(f));
}

static void wakeups(void **state)
{
    struct fixture *f = *state;
    const evtchn_port_t mine = bind_ipi(f, 0), other = bind_ipi(f, 0), far = bind_ipi(f, 1);
    const evtchn_port_t both[2] = { mine, far };
    struct shared_info *s = f->d->shared_info;

    s->evtchn_mask[0] = ~0ul;
    assert_int_equal(poll_ports(f, &mine, 1, 0), 0);
    assert_int_equal(evtchn_send(f->d, other), 0); /* masked, and not polled for */
    assert_true(waits(f));
    assert_int_equal(evtchn_send(f->d, mine), 0); /* masked, and polled for */
    assert_false(waits(f));
    assert_true(s->evtchn_pending[0] >> mine & 1); /* is still there for the guest to clear */
    wake(f);
    assert_int_equal(poll_ports(f, both, 2, 0), 0);
    assert_int_equal(evtchn_send(f->d, far), 0); /* another vCPU's port may be polled for, too */
    assert_false(waits(f));
    wake(f);
    assert_int_equal(poll_ports(f, both, 2, 0), 0);
    assert_int_equal(evtchn_send(f->d, other), 0); /* several ports: Xen does not remember which */
    assert_false(waits(f));
    wake(f);
    s->evtchn_mask[0] = ~(1ul << other);
    assert_int_equal(poll_ports(f, &mine, 1, 0), 0);
    assert_int_equal(evtchn_send(f->d, other), 0); /* not masked: an upcall is due, even if upcalls are */
    assert_false(waits(f));
    wake(f);
    assert_int_equal(poll_ports(f, NULL, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0, 0), 0);
    assert_false(waits(f));
}

static void timeouts(void **state)
{
    struct fixture *f = *state;
    const evtchn_port_t mine = bind_ipi(f, 0);

    pass_time(f, SECONDS(1));
    f->d->shared_info->evtchn_mask[0] = ~0ul;
    assert_int_equal(poll_ports(f, &mine, 1, SECONDS(2)), 0);
    pass_time(f, SECONDS(1) - MILLISECS(1));
    assert_true(waits(f));
    pass_time(f, MILLISECS(1));
    assert_false(waits(f));
    assert_int_equal(poll_ports(f, &mine, 1, 1), 0); /* long past: waits until the timers are looked at */
    pass_time(f, 0);
    assert_false(waits(f));
    assert_int_equal(poll_ports(f, &mine, 1, UINT64_C(1) << 63), 0); /* negative is past as well */
    pass_time(f, 0);
    assert_false(waits(f));
    assert_int_equal(poll_ports(f, NULL, 0, 0), 0); /* 0: no timeout */
    pass_time(f, SECONDS(1000));
    assert_true(waits(f));
    wake(f);
    /* The deadline of a poll that has ended does not end a block. */
    assert_int_equal(poll_ports(f, &mine, 1, (uint64_t)NOW(f->xen) + MILLISECS(5)), 0);
    assert_int_equal(evtchn_send(f->d, mine), 0);
    assert_false(waits(f));
    f->v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
    pass_time(f, MILLISECS(10));
    assert_int_equal(f->v->pause_flags & VPF_blocked, VPF_blocked);
}

/* A poll is a wait like any other, to those who look. */
static void seen_from_outside(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuinfo, .domain = f->d->domain_id };
    struct vcpu_runstate_info rs;

    xc_domain_unpause(f->xc, f->d->domain_id);
    assert_int_equal(poll_ports(f, NULL, 0, 0), 0);
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_true(op.u.getvcpuinfo.online && op.u.getvcpuinfo.blocked && !op.u.getvcpuinfo.running);
    vcpu_runstate_get(f->v, &rs);
    assert_int_equal(rs.state, RUNSTATE_blocked);
    op.u.getvcpuinfo.vcpu = 3;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_true(!op.u.getvcpuinfo.online && !op.u.getvcpuinfo.blocked);
    op.u.getvcpuinfo.vcpu = 4;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
}

static void triggers(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sendtrigger, .domain = f->d->domain_id };

    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
    op.u.sendtrigger.vcpu = 4;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
    op.u.sendtrigger.vcpu = 2;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_true(f->d->vcpu[2]->nmi_pending);
    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_POWER; /* buttons that only HVM guests have */
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_SLEEP;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_INIT;
    assert_int_equal(xc_domctl(f->xc, &op), -ENOSYS);
}

static long shut_down(struct fixture *f, unsigned int cmd, unsigned int reason)
{
    struct sched_shutdown op = { .reason = reason };

    return fix_hypercall(f, __HYPERVISOR_sched_op, cmd, fix_put(f, 0, &op, sizeof(op)), 0, 0);
}

/*
 * SCHEDOP_shutdown_code: why it will have been, told beforehand; the first reason is the one that counts. Eight bits of
 * it.
 */
static void shutdown_codes(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(shut_down(f, SCHEDOP_shutdown_code, 0x100 + SHUTDOWN_crash), 0);
    assert_int_equal(shut_down(f, SCHEDOP_shutdown_code, SHUTDOWN_reboot), 0);
    assert_false(f->d->is_shut_down);
    assert_int_equal(shut_down(f, SCHEDOP_shutdown, SHUTDOWN_poweroff), 0);
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, 0x1000, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown_code, 0x1000, 0, 0), -EFAULT);
}

/* The call's first form takes numbers. */
static void sched_op_compat(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0, 0, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op_compat, SCHEDOP_poll, 0, 0, 0), -ENOSYS);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op_compat, SCHEDOP_block, 0, 0, 0), 0);
    assert_true(f->v->pause_flags & VPF_blocked);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, 0x200 + SHUTDOWN_reboot, 0, 0),
                     0);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

/* Who is told that a domain has shut down: dom0, unless it has put another domain in charge. */
static void virq_handler(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_virq_handler, .domain = f->d->domain_id };
    struct evtchn_bind_virq bind = { .virq = VIRQ_DOM_EXC };
    uint64_t arg = fix_put(f, 0, &bind, sizeof(bind));
    struct domain *other = f->d;

    op.u.set_virq_handler.virq = VIRQ_TIMER; /* each vCPU's own */
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    op.u.set_virq_handler.virq = VIRQ_DOM_EXC;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, arg, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &bind, arg, sizeof(bind)), 0);
    fix_guest(f, &kernel_linux64);
    domain_shutdown(f->d, SHUTDOWN_poweroff);
    assert_true(evtchn_port_is_pending(other, bind.port));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(refusals), TEST(no_wait),      TEST(wakeups),        TEST(timeouts),        TEST(seen_from_outside),
        TEST(triggers), TEST(virq_handler), TEST(shutdown_codes), TEST(sched_op_compat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
