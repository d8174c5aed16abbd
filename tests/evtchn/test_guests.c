// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels between guests, as their kernels meet them: loopback, IPIs, ports that are bound to a vCPU, what may
 * be asked about whom, and what is left when one of two dies. (All refusals, and what only Xen sees: test_ops.c.)
 */
#include "tests/support/user.h"

#define NO_PORT 1000000

static uint16_t other; /* a second guest */

static int setup(void **state)
{
    const int rc = user_setup(state);

    if (!rc)
        other = user_domain(((struct user *)*state)->x, XENLAB_PV, 1, false);
    return rc;
}

#define OP(d, cmd, op) user_op(u, d, __HYPERVISOR_event_channel_op, EVTCHNOP_##cmd, op)

static int64_t alloc_unbound(struct user *u, uint16_t d, uint16_t remote)
{
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };

    return OP(d, alloc_unbound, &op) ?: op.port;
}

static int64_t bind_interdomain(struct user *u, uint16_t d, uint16_t remote, int64_t port)
{
    struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = (evtchn_port_t)port };

    return OP(d, bind_interdomain, &op) ?: op.local_port;
}

static int64_t bind_ipi(struct user *u, uint16_t d, uint32_t vcpu)
{
    struct evtchn_bind_ipi op = { .vcpu = vcpu };

    return OP(d, bind_ipi, &op) ?: op.port;
}

static int64_t bind_vcpu(struct user *u, uint16_t d, int64_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = { .port = (evtchn_port_t)port, .vcpu = vcpu };

    return OP(d, bind_vcpu, &op);
}

static int64_t send(struct user *u, uint16_t d, int64_t port)
{
    struct evtchn_send op = { .port = (evtchn_port_t)port };

    return OP(d, send, &op);
}

static int64_t close_port(struct user *u, uint16_t d, int64_t port)
{
    struct evtchn_close op = { .port = (evtchn_port_t)port };

    return OP(d, close, &op);
}

static struct evtchn_status status(struct user *u, uint16_t d, int64_t port)
{
    struct evtchn_status op = { .dom = DOMID_SELF, .port = (evtchn_port_t)port };

    assert_int_equal(OP(d, status, &op), 0);
    return op;
}

/* As somebody sees it who looks at the machine. */
static struct xenlab_port_info look(struct user *u, uint16_t d, int64_t port)
{
    struct xenlab_port_info info = { .size = sizeof(info) };
    unsigned int n = (unsigned int)port;

    assert_int_equal(xenlab_port_next(u->x, d, &n, &info), 1);
    assert_int_equal(info.port, port);
    return info;
}

static void loopback(void **state)
{
    struct user *u = *state;
    const int64_t a = alloc_unbound(u, u->d, DOMID_SELF), b = bind_interdomain(u, u->d, DOMID_SELF, a);

    assert_int_equal(b, a + 1);
    assert_int_equal(bind_vcpu(u, u->d, b, 3), 0);
    assert_int_equal(send(u, u->d, a), 0);
    assert_true(look(u, u->d, b).pending && look(u, u->d, b).vcpu == 3);
    assert_int_equal(close_port(u, u->d, a), 0);
    assert_int_equal(status(u, u->d, b).status, EVTCHNSTAT_unbound);
    assert_int_equal(status(u, u->d, b).vcpu, 3);
}

static void ipi_and_bind_vcpu(void **state)
{
    struct user *u = *state;
    int64_t ipi, unbound, far;

    assert_int_equal(bind_ipi(u, u->d, 99), -ENOENT);
    ipi = bind_ipi(u, u->d, 2);
    assert_int_equal(status(u, u->d, ipi).status, EVTCHNSTAT_ipi);
    assert_int_equal(status(u, u->d, ipi).vcpu, 2);
    assert_false(look(u, u->d, ipi).pending);
    assert_int_equal(send(u, u->d, ipi), 0);
    assert_true(look(u, u->d, ipi).pending && look(u, u->d, ipi).vcpu == 2);

    assert_int_equal(bind_vcpu(u, u->d, ipi, 99), -ENOENT);
    assert_int_equal(bind_vcpu(u, u->d, NO_PORT, 0), -EINVAL);
    assert_int_equal(bind_vcpu(u, u->d, 0, 0), -EINVAL);
    assert_int_equal(bind_vcpu(u, u->d, ipi + 7, 0), -EINVAL);
    assert_int_equal(bind_vcpu(u, u->d, ipi, 0), -EINVAL);
    unbound = alloc_unbound(u, u->d, other);
    assert_int_equal(bind_vcpu(u, u->d, unbound, 1), 0);
    far = bind_interdomain(u, other, u->d, unbound);
    assert_true(far > 0);
    assert_int_equal(send(u, other, far), 0);
    assert_true(look(u, u->d, unbound).pending && look(u, u->d, unbound).vcpu == 1);
    /* a closed port forgets its vCPU */
    assert_int_equal(close_port(u, u->d, unbound), 0);
    assert_int_equal(alloc_unbound(u, u->d, other), unbound);
    assert_int_equal(status(u, u->d, unbound).vcpu, 0);
}

static void status_refusals(void **state)
{
    struct user *u = *state;
    const struct {
        uint16_t by, dom;
        uint32_t port;
        int answer;
    } cases[] = { { u->d, other, 1, -EPERM },
                  { u->d, other, NO_PORT, -EINVAL },
                  { u->d, 999, NO_PORT, -ESRCH },
                  { u->control, other, 40, 0 },
                  { u->control, other, 0, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct evtchn_status op = { .dom = cases[i].dom, .port = cases[i].port, .status = 77 };

        assert_int_equal(OP(cases[i].by, status, &op), cases[i].answer);
        assert_int_equal(op.status, cases[i].answer ? 77 : EVTCHNSTAT_closed);
    }
}

static void death(void **state)
{
    struct user *u = *state;
    const int64_t mine = alloc_unbound(u, u->d, other), theirs = alloc_unbound(u, other, u->d),
                  a = bind_interdomain(u, u->d, other, theirs), b = bind_interdomain(u, other, u->d, mine);

    assert_true(a > 0 && b > 0);
    assert_int_equal(xenlab_domain_destroy(u->x, u->d), 0);
    for (int64_t port = theirs; port <= b; port++) {
        const struct evtchn_status st = status(u, other, port);

        assert_int_equal(st.status, EVTCHNSTAT_unbound);
        assert_int_equal(st.u.unbound.dom, u->d);
        assert_int_equal(send(u, other, port), 0); /* dropped */
    }
    assert_int_equal(bind_interdomain(u, other, u->d, mine), -ESRCH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, user_teardown)
    const struct CMUnitTest tests[] = { TEST(loopback), TEST(ipi_and_bind_vcpu), TEST(status_refusals), TEST(death) };

    return cmocka_run_group_tests(tests, user_begin_pv, user_end);
}
