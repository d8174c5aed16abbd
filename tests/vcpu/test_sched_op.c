// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sched_op: what ends a poll, what keeps it from starting, and what is refused; how a domain ends, and who hears of it.
 */
#include "tests/support/user.h"

#define NOWHERE UINT64_C(0x1000) /* not mapped */

static uint64_t si; /* where the guest has its shared info */
#define VCPU_INFO(field) (si + offsetof(struct shared_info, vcpu_info) + offsetof(struct vcpu_info, field))
#define PENDING          (si + offsetof(struct shared_info, evtchn_pending))
#define MASK             (si + offsetof(struct shared_info, evtchn_mask))

/* The guest maps its shared info in place of a page of its, and is let run. */
static void begin(struct user *u)
{
    struct start_info info;

    user_setup(&(void *){ u });
    user_read(u, u->d, user_register(u, u->d, 0, "rsi"), &info, sizeof(info));
    si = xenlab_page(u->x, u->d, USER_FREE);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_update_va_mapping, si, info.shared_info | 7, UVMF_INVLPG, 0), 0);
    assert_int_equal(xenlab_domain_unpause(u->x, u->d), 0);
}

static void set(struct user *u, uint64_t at, uint64_t value, size_t n) { user_write(u, u->d, at, &value, n); }

static uint64_t get(struct user *u, uint64_t at)
{
    uint64_t value = 0;

    user_read(u, u->d, at, &value, sizeof(value));
    return value;
}

/* A port of the guest's, told to that vCPU, whose other end the toolstack has: *far. */
static evtchn_port_t port_of(struct user *u, unsigned int vcpu, evtchn_port_t *far)
{
    struct evtchn_alloc_unbound near = { .dom = DOMID_SELF, .remote_dom = u->control };
    struct evtchn_bind_interdomain bind = { .remote_dom = u->d };
    struct evtchn_bind_vcpu to = { .vcpu = vcpu };

    assert_int_equal(user_op(u, u->d, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &near), 0);
    bind.remote_port = to.port = near.port;
    assert_int_equal(user_op(u, u->control, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind), 0);
    assert_int_equal(user_op(u, u->d, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, &to), 0);
    *far = bind.local_port;
    set(u, PENDING, 0, 8); /* what is new is told of */
    set(u, VCPU_INFO(evtchn_pending_sel), 0, 8);
    set(u, VCPU_INFO(evtchn_upcall_pending), 0, 1);
    return near.port;
}

static void send(struct user *u, evtchn_port_t port)
{
    struct evtchn_send op = { .port = port };

    assert_int_equal(user_op(u, u->control, __HYPERVISOR_event_channel_op, EVTCHNOP_send, &op), 0);
}

static int64_t poll_at(struct user *u, uint64_t ports, unsigned int nr, uint64_t timeout)
{
    struct sched_poll op = { .nr_ports = nr, .timeout = timeout };

    op.ports.p = (evtchn_port_t *)(uintptr_t)ports;
    return user_op(u, u->d, __HYPERVISOR_sched_op, SCHEDOP_poll, &op);
}

/* Polls. The mask is set, as code that polls has it. */
static int64_t poll_ports(struct user *u, const evtchn_port_t *ports, unsigned int nr, uint64_t timeout)
{
    set(u, VCPU_INFO(evtchn_upcall_mask), 1, 1);
    return poll_at(u, nr ? user_put(u, u->d, USER_ARG, ports, nr * sizeof(*ports)) : 0, nr, timeout);
}

static bool waits(struct user *u) { return user_vcpu_is(u, u->d, 0, "blocked"); }

static void refusals(void **state)
{
    struct user *u = *state;
    evtchn_port_t ports[129] = { 0 };

    begin(u);
    assert_int_equal(poll_ports(u, ports, 129, 0), -EINVAL);
    ports[1] = 64; /* of a bucket that is not there */
    assert_int_equal(poll_ports(u, ports, 2, 0), -EINVAL);
    assert_int_equal(poll_at(u, UINT64_C(0xffff800000000000), 1, 0), -EFAULT);
    assert_int_equal(poll_at(u, NOWHERE, 1, 0), -EFAULT);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op, SCHEDOP_poll, NOWHERE, 0, 0), -EFAULT);
    assert_false(waits(u));
    ports[1] = 0; /* ports that exist and are not in use are never pending */
    assert_int_equal(poll_ports(u, ports, 128, 0), 0);
    assert_true(waits(u));
}

/* It returns at once when an event could be delivered, or a port of the list is pending, masked or not. */
static void no_wait(void **state)
{
    struct user *u = *state;

    for (unsigned int i = 0; i < 5; i++) {
        evtchn_port_t far, ports[2];

        begin(u);
        ports[0] = port_of(u, 0, &far), ports[1] = port_of(u, 0, &far);
        if (i < 3)
            set(u, PENDING, 1ul << ports[1], 8);
        if (i == 1)
            set(u, MASK, 1ul << ports[1], 8);
        if (i >= 3)
            set(u, VCPU_INFO(evtchn_upcall_pending), 1, 1);
        switch (i) {
        case 0:
        case 1: assert_int_equal(poll_ports(u, ports, 2, 0), 0); break;
        case 2: assert_int_equal(poll_ports(u, ports, 1, 0), 0); break; /* another is pending: of no interest */
        case 3: assert_int_equal(poll_ports(u, NULL, 0, 0), 0); break;  /* masked: not deliverable */
        case 4:
            set(u, VCPU_INFO(evtchn_upcall_mask), 0, 1);
            assert_int_equal(poll_at(u, 0, 0, 0), 0);
            break;
        }
        assert_int_equal(waits(u), i == 2 || i == 3);
    }
}

/* Of three ports, what is polled for, what is masked, what is sent: does that end the poll? */
static void wakeups(void **state)
{
    enum { MINE, OTHER, FAR };
    static const struct {
        unsigned int polls; /* how many: MINE, and FAR, which is another vCPU's */
        unsigned int unmasked, sent;
        bool ends;
    } cases[] = {
        { 1, 0, OTHER, false },         /* masked, and not polled for */
        { 1, 0, MINE, true },           /* masked, and polled for */
        { 2, 0, FAR, true },            /* another vCPU's port may be polled for, too */
        { 2, 0, OTHER, true },          /* several ports: Xen does not remember which */
        { 1, 1u << OTHER, OTHER, true } /* not masked: an upcall is due, even if upcalls are */
    };
    struct user *u = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        evtchn_port_t port[3], far[3];
        uint64_t mask = ~UINT64_C(0);

        begin(u);
        for (unsigned int p = 0; p < 3; p++) {
            port[p] = port_of(u, p == FAR, &far[p]);
            if (cases[i].unmasked >> p & 1)
                mask &= ~(UINT64_C(1) << port[p]);
        }
        set(u, MASK, mask, 8);
        assert_int_equal(poll_ports(u, (evtchn_port_t[]){ port[MINE], port[FAR] }, cases[i].polls, 0), 0);
        assert_true(waits(u));
        send(u, far[cases[i].sent]);
        assert_int_equal(waits(u), !cases[i].ends);
        assert_true(get(u, PENDING) >> port[cases[i].sent] & 1); /* is still there for the guest to clear */
    }
    begin(u);
    assert_int_equal(poll_ports(u, NULL, 0, 0), 0);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0, 0), 0);
    assert_false(waits(u));
}

static void timeouts(void **state)
{
    static const uint64_t past[] = { 1, UINT64_C(1) << 63 }; /* negative is past as well */
    struct user *u = *state;
    evtchn_port_t mine, far;
    uint64_t end;

    begin(u);
    mine = port_of(u, 0, &far);
    set(u, MASK, ~UINT64_C(0), 8);
    end = xenlab_now(u->x) + 2 * MS;
    assert_int_equal(poll_ports(u, &mine, 1, end), 0);
    xenlab_run(u->x, end - 20 * US);
    assert_true(waits(u));
    xenlab_run(u->x, end + 20 * US);
    assert_false(waits(u));
    for (size_t i = 0; i < ARRAY_SIZE(past); i++) { /* waits until the timers are looked at */
        assert_int_equal(poll_ports(u, &mine, 1, past[i]), 0);
        user_pass(u, 20 * US);
        assert_false(waits(u));
    }
    assert_int_equal(poll_ports(u, NULL, 0, 0), 0); /* 0: no timeout */
    user_pass(u, 1000 * SEC);
    assert_true(waits(u));
    /* The deadline of a poll that has ended does not end a block. */
    begin(u);
    mine = port_of(u, 0, &far);
    set(u, MASK, ~UINT64_C(0), 8);
    assert_int_equal(poll_ports(u, &mine, 1, xenlab_now(u->x) + 5 * MS), 0);
    send(u, far);
    assert_false(waits(u));
    set(u, VCPU_INFO(evtchn_upcall_pending), 0, 1);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
    user_pass(u, 10 * MS);
    assert_true(waits(u));
}

/* A poll is a wait like any other, to those who look. */
static void seen_from_outside(void **state)
{
    struct user *u = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuinfo, .domain = u->d };
    struct vcpu_runstate_info rs;

    begin(u);
    assert_int_equal(poll_ports(u, NULL, 0, 0), 0);
    assert_int_equal(user_domctl(u, &op), 0);
    assert_true(op.u.getvcpuinfo.online && op.u.getvcpuinfo.blocked && !op.u.getvcpuinfo.running);
    op.u.getvcpuinfo.vcpu = 3;
    assert_int_equal(user_domctl(u, &op), 0);
    assert_true(!op.u.getvcpuinfo.online && !op.u.getvcpuinfo.blocked);
    op.u.getvcpuinfo.vcpu = 4;
    assert_int_equal(user_domctl(u, &op), -EINVAL);
    assert_int_equal(
        user_call(u, u->d, __HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, xenlab_page(u->x, u->d, USER_ARG2), 0),
        0);
    user_get(u, u->d, USER_ARG2, &rs, sizeof(rs));
    assert_int_equal(rs.state, RUNSTATE_blocked);
}

static void triggers(void **state)
{
    static const struct {
        uint32_t trigger, vcpu;
        int answer;
    } cases[] = { { XEN_DOMCTL_SENDTRIGGER_NMI, 4, -ESRCH },
                  { XEN_DOMCTL_SENDTRIGGER_NMI, 0, 0 },
                  { XEN_DOMCTL_SENDTRIGGER_POWER, 0, -EINVAL }, /* buttons that only HVM guests have */
                  { XEN_DOMCTL_SENDTRIGGER_SLEEP, 0, -EINVAL },
                  { XEN_DOMCTL_SENDTRIGGER_INIT, 0, -ENOSYS } };
    struct user *u = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct xen_domctl op = { .cmd = XEN_DOMCTL_sendtrigger, .domain = u->d };

        begin(u);
        assert_int_equal(poll_ports(u, NULL, 0, 0), 0);
        op.u.sendtrigger.trigger = cases[i].trigger, op.u.sendtrigger.vcpu = cases[i].vcpu;
        assert_int_equal(user_domctl(u, &op), cases[i].answer);
        assert_int_equal(waits(u), cases[i].answer != 0);
    }
}

static int64_t shut_down(struct user *u, unsigned int cmd, unsigned int reason)
{
    struct sched_shutdown op = { .reason = reason };

    return user_op(u, u->d, __HYPERVISOR_sched_op, cmd, &op);
}

/*
 * SCHEDOP_shutdown_code: why it will have been, told beforehand; the first reason is the one that counts. Eight bits of
 * it.
 */
static void shutdown_codes(void **state)
{
    struct user *u = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = u->d };

    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op, SCHEDOP_shutdown, NOWHERE, 0, 0), -EFAULT);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op, SCHEDOP_shutdown_code, NOWHERE, 0, 0), -EFAULT);
    assert_int_equal(shut_down(u, SCHEDOP_shutdown_code, 0x100 + SHUTDOWN_crash), 0);
    assert_int_equal(shut_down(u, SCHEDOP_shutdown_code, SHUTDOWN_reboot), 0);
    assert_false(user_look(u, u->d).shut_down);
    assert_int_equal(shut_down(u, SCHEDOP_shutdown, SHUTDOWN_poweroff), 0);
    assert_int_equal(user_domctl(u, &op), 0);
    assert_true(op.u.getdomaininfo.flags & XEN_DOMINF_shutdown);
    assert_int_equal(op.u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift, SHUTDOWN_crash); /* and no bit above */
}

/* The call's first form takes numbers. */
static void sched_op_compat(void **state)
{
    struct user *u = *state;

    begin(u);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0, 0, 0), 0);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op_compat, SCHEDOP_poll, 0, 0, 0), -ENOSYS);
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op_compat, SCHEDOP_block, 0, 0, 0), 0);
    assert_true(waits(u));
    assert_int_equal(user_call(u, u->d, __HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, 0x200 + SHUTDOWN_reboot, 0, 0),
                     0);
    assert_int_equal(user_look(u, u->d).reason, SHUTDOWN_reboot);
}

/* Who is told that a domain has shut down: dom0, unless it has put another domain in charge. */
static void virq_handler(void **state)
{
    struct user *u = *state;
    const uint16_t other = user_domain(u->x, XENLAB_PV, 1, false);
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_virq_handler, .domain = u->control };
    struct evtchn_bind_virq bind = { .virq = VIRQ_DOM_EXC };
    struct xenlab_port_info port = { .size = sizeof(port) };
    struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };
    unsigned int n;

    op.u.set_virq_handler.virq = VIRQ_TIMER; /* each vCPU's own */
    assert_int_equal(user_domctl(u, &op), -EINVAL);
    op.u.set_virq_handler.virq = VIRQ_DOM_EXC;
    assert_int_equal(user_domctl(u, &op), 0);
    assert_int_equal(user_op(u, u->control, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind), 0);
    n = bind.port;
    assert_true(xenlab_port_next(u->x, u->control, &n, &port) && n == bind.port && !port.pending);
    assert_int_equal(user_op(u, other, __HYPERVISOR_sched_op, SCHEDOP_shutdown, &off), 0);
    assert_true(xenlab_port_next(u->x, u->control, &n, &port) && port.pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(refusals),       USER_TEST(no_wait),      USER_TEST(wakeups),
        USER_TEST(timeouts),       USER_TEST(triggers),     USER_TEST(seen_from_outside),
        USER_TEST(shutdown_codes), USER_TEST(virq_handler), USER_TEST(sched_op_compat),
    };

    return cmocka_run_group_tests(tests, user_begin_pv, user_end);
}
