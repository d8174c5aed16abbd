// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every operation of event_channel_op, and every refusal with its code. (What guests alone can see of them:
 * test_guests.c.)
 *
 * Budget: a table of cases, longer than 400 lines.
 */
#include "tests/evtchn/fixture.h"

#define NO_PORT 1000000

static void test_bad_calls(void **state)
{
    struct evtchn_op old = { .cmd = EVTCHNOP_bind_ipi, .u.bind_ipi = { .vcpu = 3 } };
    struct hypercall_args args = { .a = { (uintptr_t)&old } };
    evtchn_port_t port = 1;
    WORLD(4095);

    assert_int_equal(event_op(v1, 15, &port), -ENOSYS);
    assert_int_equal(event_op(v1, 4096, &port), -ENOSYS);
    assert_int_equal(event_op(v1, ~0u, &port), -ENOSYS);
    for (unsigned int cmd = 0; cmd <= 14; cmd++)
        assert_int_equal(event_op(v1, cmd, (void *)8), -EFAULT);

    /* Results that cannot be written: the port exists all the same, as in Xen. */
    args.a[0] |= WORLD_READ_ONLY;
    assert_int_equal(do_event_channel_op_compat(v1, &args), -EFAULT);
    assert_int_equal(w->dom[1].active_evtchns, 1);
    args.a[0] &= ~WORLD_READ_ONLY;
    assert_int_equal(do_event_channel_op_compat(v1, &args), 0);
    assert_int_equal(old.u.bind_ipi.port, 2);
    old.cmd = EVTCHNOP_reset;
    assert_int_equal(do_event_channel_op_compat(v1, &args), -ENOSYS);
    args.a[0] = 8;
    assert_int_equal(do_event_channel_op_compat(v1, &args), -EFAULT);
    world_destroy(w);
}

static void test_alloc_unbound(void **state)
{
    struct evtchn_status st;
    WORLD(4095);

    assert_int_equal(op_alloc_unbound(v1, DOMID_SELF, 0), 1);
    st = op_status(v1, DOMID_SELF, 1);
    assert_int_equal(st.status, EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, 0);
    assert_int_equal(st.vcpu, 0);
    /* remote_dom SELF is the caller, whoever the port is for */
    assert_int_equal(op_alloc_unbound(v0, 1, DOMID_SELF), 2);
    assert_int_equal(op_status(v0, 1, 2).u.unbound.dom, 0);

    assert_int_equal(op_alloc_unbound(v1, 77, 0), -ESRCH);
    assert_int_equal(op_alloc_unbound(v1, DOMID_XEN, 0), -ESRCH);
    assert_int_equal(op_alloc_unbound(v1, 2, 1), -EPERM);
    v1->domain->target = 2;
    assert_int_equal(op_alloc_unbound(v1, 2, 1), 1);
    w->dom[2].is_dying = DOMDYING_dying;
    assert_int_equal(op_alloc_unbound(v0, 2, 1), -EINVAL);
    w->dom[2].is_dying = DOMDYING_alive;
    assert_int_equal(w->dom[2].active_evtchns, 1);
    world_destroy(w);
}

static void test_limits(void **state)
{
    WORLD(5);

    /* max_evtchn_port is the highest number, and port 0 is never given out */
    for (int port = 1; port <= 5; port++)
        assert_int_equal(op_bind_ipi(v1, 0), port);
    assert_int_equal(op_bind_ipi(v1, 0), -ENOSPC);
    assert_int_equal(op_alloc_unbound(v1, DOMID_SELF, 0), -ENOSPC);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 0), -ENOSPC);
    assert_int_equal(op_bind_interdomain(v1, 0, 1), -ENOSPC); /* and only then is the remote port looked at */
    assert_int_equal(op_alloc_unbound(v2, 1, 0), -ENOSPC);    /* before the privilege, as Xen does */
    assert_int_equal(op_port(v1, EVTCHNOP_close, 3), 0);
    assert_int_equal(op_bind_ipi(v1, 0), 3); /* the lowest free one */
    world_destroy(w);
}

static void fill(struct vcpu *v, long last)
{
    for (long port = 1; port <= last; port++)
        assert_int_equal(op_bind_ipi(v, 0), port);
    assert_int_equal(op_bind_ipi(v, 0), -ENOSPC);
}

static void test_abi_limits(void **state)
{
    WORLD(~0u);

    w->dom[2].has_32bit_shinfo = true;
    fill(v1, 4095);
    fill(v2, 1023);
    /* the last one of each lies in the last word of its map */
    assert_int_equal(op_port(v1, EVTCHNOP_send, 4095), 0);
    assert_true(w->dom[1].shared_info->evtchn_pending[63] == UINT64_C(1) << 63);
    assert_true(v1->vcpu_info->evtchn_pending_sel == UINT64_C(1) << 63);
    assert_int_equal(op_port(v2, EVTCHNOP_send, 1023), 0);
    assert_true(((struct shared_info_x86_32 *)w->dom[2].shared_info)->evtchn_pending[31] == UINT32_C(1) << 31);
    assert_true(((struct vcpu_info_x86_32 *)v2->vcpu_info)->evtchn_pending_sel == UINT32_C(1) << 31);
    assert_int_equal(v2->vcpu_info->evtchn_upcall_pending, 1);
    world_destroy(w);
}

/* A 64-bit HVM kernel starts a 32-bit one: ports beyond the small map are dead, and touch nothing else. */
static void test_layout_shrinks(void **state)
{
    static struct shared_info before;
    WORLD(4095);

    w->dom[1].type = DOMAIN_HVM;
    fill(v1, 4095);
    w->dom[1].has_32bit_shinfo = true;
    before = *w->dom[1].shared_info;
    assert_int_equal(op_port(v1, EVTCHNOP_send, 1024), 0);
    assert_int_equal(op_port(v1, EVTCHNOP_unmask, 1024), 0);
    assert_false(evtchn_port_is_pending(&w->dom[1], 1024));
    assert_int_equal(op_port(v1, EVTCHNOP_close, 1024), 0);
    assert_memory_equal(&before, w->dom[1].shared_info, sizeof(before));
    assert_int_equal(op_bind_ipi(v1, 0), -ENOSPC);
    world_destroy(w);
}

static void test_interdomain(void **state)
{
    struct evtchn_status st;
    long lport, rport;
    WORLD(4095);

    rport = op_alloc_unbound(v1, DOMID_SELF, 2);
    assert_int_equal(op_port(v1, EVTCHNOP_send, rport), 0); /* dropped: nobody there */
    assert_int_equal(op_bind_interdomain(v2, 99, rport), -ESRCH);
    assert_int_equal(op_bind_interdomain(v2, DOMID_IO, rport), -ESRCH);
    assert_int_equal(op_bind_interdomain(v2, 1, 0), -EINVAL);
    assert_int_equal(op_bind_interdomain(v2, 1, NO_PORT), -EINVAL);
    assert_int_equal(op_bind_interdomain(v2, 1, rport + 1), -EINVAL);
    assert_int_equal(op_bind_interdomain(v0, 1, rport), -EINVAL); /* not for dom0, privileged as it is */
    assert_int_equal(op_bind_interdomain(v1, DOMID_SELF, rport), -EINVAL);
    assert_int_equal(w->dom[2].active_evtchns, 0);

    lport = op_bind_interdomain(v2, 1, rport);
    assert_int_equal(lport, 1);
    assert_true(evtchn_port_is_pending(&w->dom[2], 1)); /* for what was dropped */
    assert_int_equal(op_bind_interdomain(v2, 1, rport), -EINVAL);
    st = op_status(v2, DOMID_SELF, lport);
    assert_int_equal(st.status, EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, 1);
    assert_int_equal(st.u.interdomain.port, rport);

    w->nr_traces = 0;
    assert_int_equal(op_port(v2, EVTCHNOP_send, lport), 0);
    assert_true(evtchn_port_is_pending(&w->dom[1], (evtchn_port_t)rport));
    assert_int_equal(w->nr_traces, 2);
    assert_true(w->trace[0].event == TRC_evtchn_send && w->trace[0].who.domain == 2 && w->trace[0].arg[1] == 1);
    assert_true(w->trace[1].event == TRC_evtchn_pending && w->trace[1].who.domain == 1 &&
                w->trace[1].arg[0] == (uint64_t)rport);
    /* the one tells of the other: who sent it, from where, and by which record */
    assert_true(w->trace[1].arg[1] == 2 && w->trace[1].arg[2] == (uint64_t)lport);
    assert_true(w->trace[0].arg[5] == w->xen.nr_sent && w->trace[1].arg[5] == w->trace[0].arg[5]);
    assert_true(w->trace[0].arg[4] && w->trace[1].arg[4]); /* an edge, */
    assert_true(!w->trace[0].arg[3] && !w->trace[1].arg[3]);
    w->dom[1].shared_info->evtchn_mask[rport / 64] |= 1ul << rport % 64;
    w->nr_traces = 0;
    assert_int_equal(op_port(v2, EVTCHNOP_send, lport), 0);
    assert_true(w->trace[0].arg[3] && w->trace[1].arg[3]);   /* masked, */
    assert_true(!w->trace[0].arg[4] && !w->trace[1].arg[4]); /* and none, since it is pending already */
    w->dom[1].shared_info->evtchn_mask[rport / 64] &= ~(1ul << rport % 64);

    /* the one side closes: the other is unbound again, for the same peer, and keeps its event */
    assert_int_equal(op_port(v2, EVTCHNOP_close, lport), 0);
    st = op_status(v1, DOMID_SELF, rport);
    assert_int_equal(st.status, EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, 2);
    assert_true(evtchn_port_is_pending(&w->dom[1], (evtchn_port_t)rport));
    assert_false(evtchn_port_is_pending(&w->dom[2], (evtchn_port_t)lport));
    assert_int_equal(op_bind_interdomain(v2, 1, rport), lport);
    world_destroy(w);
}

static void test_virq(void **state)
{
    struct vcpu *v1_5;
    long port;
    WORLD(4095);

    v1_5 = w->dom[1].vcpu[5];
    assert_int_equal(op_bind_virq(v1, NR_VIRQS, 0), -EINVAL);
    assert_int_equal(op_bind_virq(v1, ~0u, 0), -EINVAL);
    assert_int_equal(op_bind_virq(v1, VIRQ_CONSOLE, 1), -EINVAL); /* global: vCPU 0 */
    assert_int_equal(op_bind_virq(v1, VIRQ_CONSOLE, 99), -EINVAL);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 99), -ENOENT);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, WORLD_VCPUS - 1), -ENOENT);

    /* per-vCPU: once on each vCPU, and it stays there */
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 0), 1);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 0), -EEXIST);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 5), 2);
    assert_int_equal(op_bind_vcpu(v1, 2, 0), -EINVAL);
    assert_int_equal(op_bind_virq(v1, VIRQ_XENPMU, 5), 3);
    send_guest_vcpu_virq(v1_5, VIRQ_TIMER);
    assert_true(evtchn_port_is_pending(&w->dom[1], 2) && !evtchn_port_is_pending(&w->dom[1], 1));
    assert_true(v1_5->vcpu_info->evtchn_upcall_pending && !v1->vcpu_info->evtchn_upcall_pending);
    send_guest_vcpu_virq(v1_5, VIRQ_DEBUG); /* nobody bound it */
    assert_int_equal(op_status(v1, DOMID_SELF, 2).u.virq, VIRQ_TIMER);
    assert_int_equal(op_port(v1, EVTCHNOP_send, 2), -EINVAL);

    /* global: once in a domain, and can be moved; closing frees it */
    port = op_bind_virq(v0, VIRQ_DOM_EXC, 0);
    assert_int_equal(op_bind_vcpu(v0, port, 7), 0);
    assert_int_equal(op_bind_virq(v0, VIRQ_DOM_EXC, 0), -EEXIST);
    send_global_virq(&w->xen, VIRQ_DOM_EXC);
    assert_int_equal(w->dom[0].vcpu[7]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(op_port(v0, EVTCHNOP_close, port), 0);
    assert_int_equal(op_bind_virq(v0, VIRQ_DOM_EXC, 0), port);
    send_guest_global_virq(&w->dom[1], VIRQ_DOM_EXC);
    send_guest_global_virq(NULL, VIRQ_DOM_EXC);

    /* another handler, until it dies */
    assert_int_equal(op_bind_virq(v2, VIRQ_DOM_EXC, 0), 1);
    assert_int_equal(set_global_virq_handler(&w->dom[2], VIRQ_TIMER), -EINVAL);
    assert_int_equal(set_global_virq_handler(&w->dom[2], NR_VIRQS), -EINVAL);
    assert_int_equal(set_global_virq_handler(&w->dom[2], VIRQ_DOM_EXC), 0);
    send_global_virq(&w->xen, VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(&w->dom[2], 1) && !evtchn_port_is_pending(&w->dom[0], (evtchn_port_t)port));
    world_kill(w, 2);
    send_global_virq(&w->xen, VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(&w->dom[0], (evtchn_port_t)port));
    world_destroy(w);
}

static void test_pirq(void **state)
{
    long port;
    WORLD(4095);

    assert_int_equal(op_bind_pirq(v1, 9), -EPERM);
    assert_int_equal(op_bind_pirq(v1, 100000), -EINVAL);
    assert_int_equal(op_bind_pirq(v0, 256), -EINVAL);
    port = op_bind_pirq(v0, 9);
    assert_int_equal(op_status(v0, DOMID_SELF, port).status, EVTCHNSTAT_pirq);
    assert_int_equal(op_status(v0, DOMID_SELF, port).u.pirq, 9);
    assert_int_equal(op_bind_pirq(v0, 9), -EEXIST);
    assert_int_equal(op_bind_vcpu(v0, port, 2), 0);
    assert_true(send_guest_pirq(&w->dom[0], 9));
    assert_false(send_guest_pirq(&w->dom[0], 10));
    assert_int_equal(w->dom[0].vcpu[2]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(op_port(v0, EVTCHNOP_send, port), -EINVAL);
    assert_int_equal(op_port(v0, EVTCHNOP_close, port), 0);
    assert_int_equal(op_bind_pirq(v0, 9), port);
    world_destroy(w);
}

static void test_close_send_unmask_refusals(void **state)
{
    const unsigned int cmds[] = { EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_unmask };
    WORLD(4095);

    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
        assert_int_equal(op_port(v1, cmds[i], NO_PORT), -EINVAL);
        assert_int_equal(op_port(v1, cmds[i], 64), -EINVAL); /* of a bucket that is not there */
    }
    assert_int_equal(op_port(v1, EVTCHNOP_close, 0), -EINVAL);
    assert_int_equal(op_port(v1, EVTCHNOP_close, 5), -EINVAL);
    assert_int_equal(op_port(v1, EVTCHNOP_send, 0), -EINVAL);
    assert_int_equal(op_port(v1, EVTCHNOP_send, 5), -EINVAL);
    assert_int_equal(op_port(v1, EVTCHNOP_unmask, 5), 0); /* exists, is not in use: nothing happens */
    assert_int_equal(op_set_priority(v1, NO_PORT, 3), -EINVAL);
    assert_int_equal(op_set_priority(v1, 5, 3), -ENOSYS); /* 2-level */
    assert_int_equal(op_expand_array(v1, world_frame(1, 3)), -EOPNOTSUPP);
    world_destroy(w);
}

#define EVTCHNOP_RESET_CONT 14 /* Xen's own: the public header has it for the hypervisor only */

static void test_reset(void **state)
{
    struct evtchn_reset other = { .dom = 2 };
    WORLD(4095);

    assert_int_equal(op_alloc_unbound(v1, DOMID_SELF, 2), 1);
    assert_int_equal(op_bind_interdomain(v2, 1, 1), 1);
    assert_int_equal(op_bind_virq(v1, VIRQ_TIMER, 3), 2);
    assert_int_equal(op_reset(v1, 2), -EPERM);
    assert_int_equal(op_reset(v1, 55), -ESRCH);
    assert_int_equal(op_reset(v0, 1), -EINVAL); /* it runs */
    assert_int_equal(event_op(v1, EVTCHNOP_RESET_CONT, &other), -EPERM);
    other.dom = DOMID_SELF; /* nothing is there to be continued */
    assert_int_equal(event_op(v1, EVTCHNOP_RESET_CONT, &other), -EBUSY);
    assert_int_equal(w->dom[1].active_evtchns, 2);
    w->dom[1].controller_pause_count = 1;
    assert_int_equal(op_reset(v0, 1), 0);
    w->dom[1].controller_pause_count = 0;
    assert_int_equal(w->dom[1].active_evtchns, 0);
    assert_int_equal(w->dom[1].vcpu[3]->virq_to_evtchn[VIRQ_TIMER], 0);
    assert_int_equal(op_status(v2, DOMID_SELF, 1).status, EVTCHNSTAT_unbound);
    assert_int_equal(op_reset(v2, DOMID_SELF), 0);
    assert_int_equal(op_status(v2, DOMID_SELF, 1).status, EVTCHNSTAT_closed);
    world_destroy(w);
}

/* A consumer inside the hypervisor. Counts in the vCPU that the port is bound to. */
static void count_notify(struct vcpu *v, evtchn_port_t port) { v->preempt_count += port; }

static void test_xen_consumer(void **state)
{
    struct evtchn_status status = { .dom = 1, .port = 1 };
    int port;
    WORLD(4095);

    port = alloc_unbound_xen_event_channel(&w->dom[1], 3, 0, count_notify);
    assert_int_equal(port, 1);
    assert_int_equal(op_port(v1, EVTCHNOP_close, port), -EINVAL);
    assert_int_equal(op_port(v1, EVTCHNOP_send, port), -EINVAL);
    assert_int_equal(op_bind_vcpu(v1, port, 0), -EINVAL);
    notify_via_xen_event_channel(&w->dom[1], (evtchn_port_t)port); /* not connected */
    assert_int_equal(op_bind_interdomain(v0, 1, port), 1);
    assert_int_equal(op_port(v0, EVTCHNOP_send, 1), 0);
    assert_int_equal(op_port(v0, EVTCHNOP_send, 1), 0);
    assert_int_equal(w->dom[1].vcpu[3]->preempt_count, 2);
    assert_false(evtchn_port_is_pending(&w->dom[1], (evtchn_port_t)port));
    assert_int_equal(w->dom[1].shared_info->evtchn_pending[0], 0);
    w->dom[0].shared_info->evtchn_pending[0] = 0;
    notify_via_xen_event_channel(&w->dom[1], (evtchn_port_t)port);
    assert_true(evtchn_port_is_pending(&w->dom[0], 1));
    assert_int_equal(op_bind_ipi(v1, 0), 2);
    assert_int_equal(op_reset(v1, DOMID_SELF), 0); /* closes its own only */
    assert_int_equal(w->dom[1].active_evtchns, 1);
    /* ...and goes back to the 2-level ABI as if there were none */
    assert_int_equal(op_init_control(v1, 0, world_frame(1, 5), 0), 0);
    assert_int_equal(op_reset(v1, DOMID_SELF), 0);
    assert_null(w->dom[1].evtchn_fifo);
    /* not even its state can be seen */
    assert_int_equal(event_op(v1, EVTCHNOP_status, &status), -EACCES);
    assert_int_equal(event_op(v0, EVTCHNOP_status, &status), -EACCES);
    free_xen_event_channel(&w->dom[1], (evtchn_port_t)port);
    assert_int_equal(op_status(v0, DOMID_SELF, 1).status, EVTCHNSTAT_unbound);
    alloc_unbound_xen_event_channel(&w->dom[1], 3, 0, count_notify); /* world_destroy(): gone with its domain */
    world_destroy(w);
}

static void test_edges_and_selector(void **state)
{
    struct shared_info *si;
    struct vcpu_info *vi;
    WORLD(4095);

    si = w->dom[1].shared_info;
    vi = v1->vcpu_info;
    for (long port = 1; port <= 130; port++)
        assert_int_equal(op_bind_ipi(v1, 0), port);
    v1->pause_flags = VPF_blocked;
    si->evtchn_mask[1] = 4; /* port 66 */
    op_port(v1, EVTCHNOP_send, 66);
    assert_true(si->evtchn_pending[1] == 4 && !vi->evtchn_pending_sel && !vi->evtchn_upcall_pending);
    assert_int_equal(world_wakeups(v1), 0);
    /* cleared by the guest itself: the edge is lost, and further sends are no edges */
    si->evtchn_mask[1] = 0;
    op_port(v1, EVTCHNOP_send, 66);
    assert_true(!vi->evtchn_pending_sel && !vi->evtchn_upcall_pending);
    /* unmask of what is not masked does nothing (Xen) */
    op_port(v1, EVTCHNOP_unmask, 66);
    assert_true(!vi->evtchn_pending_sel && !vi->evtchn_upcall_pending);
    si->evtchn_mask[1] = 4;
    op_port(v1, EVTCHNOP_unmask, 66);
    assert_true(vi->evtchn_pending_sel == 2 && vi->evtchn_upcall_pending == 1 && !si->evtchn_mask[1]);
    assert_int_equal(world_wakeups(v1), 1);
    assert_true(local_events_need_delivery(v1));
    vi->evtchn_upcall_mask = 1;
    assert_false(local_events_need_delivery(v1));
    /* a second word; the upcall is pending already, nobody is woken for it */
    v1->pause_flags = VPF_blocked;
    op_port(v1, EVTCHNOP_send, 130);
    assert_true(vi->evtchn_pending_sel == 6);
    assert_int_equal(world_wakeups(v1), 1);
    v1->pause_flags = 0;
    world_destroy(w);
}

/*
 * Only the lowest bit of evtchn_upcall_pending says that an upcall is due; in the others a guest may have what it
 * likes.
 */
static void test_upcall_flag(void **state)
{
    WORLD(4095);

    assert_int_equal(op_bind_ipi(v1, 0), 1);
    assert_int_equal(op_bind_ipi(v1, 0), 2);
    v1->pause_flags = VPF_blocked;
    v1->vcpu_info->evtchn_upcall_pending = 0xfe;
    op_port(v1, EVTCHNOP_send, 1);
    assert_int_equal(v1->vcpu_info->evtchn_upcall_pending, 0xff);
    assert_int_equal(world_wakeups(v1), 1);
    v1->pause_flags = VPF_blocked;
    v1->vcpu_info->evtchn_pending_sel = 0;
    op_port(v1, EVTCHNOP_send, 2); /* told already */
    assert_int_equal(world_wakeups(v1), 1);
    v1->pause_flags = 0;
    world_destroy(w);
}

static void poll_on(struct vcpu *v, int port)
{
    v->pause_flags |= VPF_poll;
    v->poll_evtchn = port;
    v->domain->poll_mask |= UINT64_C(1) << v->vcpu_id;
}

static void test_poll(void **state)
{
    struct vcpu *a, *b;
    WORLD(4095);

    a = w->dom[1].vcpu[0];
    b = w->dom[1].vcpu[32];
    assert_int_equal(op_bind_ipi(v1, 1), 1);
    assert_int_equal(op_bind_ipi(v1, 1), 2);
    w->dom[1].shared_info->evtchn_mask[0] = ~UINT64_C(0); /* one polls for what is masked */
    poll_on(a, 1);
    poll_on(b, -1);
    op_port(v1, EVTCHNOP_send, 2);
    assert_true(world_wakeups(a) == 0 && world_wakeups(b) == 1);
    assert_true(w->dom[1].poll_mask == 1 && b->poll_evtchn == 0 && !b->pause_flags);
    op_port(v1, EVTCHNOP_send, 2); /* no edge */
    op_port(v1, EVTCHNOP_send, 1);
    assert_true(world_wakeups(a) == 1 && w->dom[1].poll_mask == 0 && !a->pause_flags);
    /* any event that is not masked ends a poll, too */
    w->dom[1].shared_info->evtchn_mask[0] = 0;
    w->dom[1].shared_info->evtchn_pending[0] = 0;
    poll_on(w->dom[1].vcpu[1], 1);
    op_port(v1, EVTCHNOP_send, 2);
    assert_true(world_wakeups(w->dom[1].vcpu[1]) == 1 && w->dom[1].poll_mask == 0);
    world_destroy(w);
}

static void test_vcpu_info(void **state)
{
    struct vcpu *far;
    struct vcpu_info *vi;
    uint64_t gfn = world_frame(1, 9);
    WORLD(4095);

    far = w->dom[1].vcpu[32];
    assert_int_equal(map_vcpu_info(v1, v1, gfn, PAGE_SIZE - 63), -ENXIO);
    assert_int_equal(map_vcpu_info(v1, v1, gfn, ~0u), -ENXIO);
    assert_int_equal(map_vcpu_info(v1, v1, gfn, 4), -ENXIO);
    assert_int_equal(map_vcpu_info(v1, v1, world_frame(2, 9), 0), -EINVAL);
    assert_int_equal(map_vcpu_info(v1, v1, ~UINT64_C(0), 0), -EINVAL);
    w->xen.frame_table[gfn].type_info = PGT_l1_page_table | 1; /* a page table */
    assert_int_equal(map_vcpu_info(v1, v1, gfn, 64), -EINVAL);
    w->xen.frame_table[gfn].type_info = 0;
    assert_int_equal(w->xen.frame_table[gfn].count_info & PGC_count_mask, 1);

    v1->vcpu_info->arch.cr2 = 0x1234;
    v1->vcpu_info->evtchn_upcall_mask = 1;
    assert_int_equal(map_vcpu_info(v1, v1, gfn, 64), 0);
    vi = (struct vcpu_info *)((uint8_t *)world_frame_virt(w, gfn) + 64);
    assert_ptr_equal(v1->vcpu_info, vi);
    assert_true(vi->arch.cr2 == 0x1234 && vi->evtchn_upcall_mask == 1);
    assert_true(vi->evtchn_upcall_pending == 1 && vi->evtchn_pending_sel == ~UINT64_C(0));
    assert_int_equal(map_vcpu_info(v1, v1, gfn, 128), -EINVAL); /* only once */
    assert_true((w->xen.frame_table[gfn].type_info & PGT_type_mask) == PGT_writable_page);

    /* vCPU 32 has a dummy until then, which no guest sees */
    assert_true(vcpu_info_is_dummy(far) && !vcpu_info_is_dummy(v1));
    assert_int_equal(op_bind_ipi(v1, 32), 1);
    assert_int_equal(op_port(v1, EVTCHNOP_send, 1), 0);
    assert_int_equal(map_vcpu_info(far, far, gfn, PAGE_SIZE - 64), 0);
    vi = far->vcpu_info;
    assert_true(vi->evtchn_upcall_mask == 1 && vi->evtchn_upcall_pending == 1 && !vi->arch.cr2);
    assert_false(vcpu_info_is_dummy(far));
    unmap_vcpu_info(far);
    unmap_vcpu_info(far);
    assert_true(vcpu_info_is_dummy(far));

    /* PV32: aligned to 4, and a selector of 32 bits */
    w->dom[2].has_32bit_shinfo = true;
    assert_int_equal(map_vcpu_info(v2, v2, world_frame(2, 1), 2), -ENXIO);
    assert_int_equal(map_vcpu_info(v2, v2, world_frame(2, 1), 8), 0);
    assert_true(((struct vcpu_info_x86_32 *)v2->vcpu_info)->evtchn_pending_sel == ~UINT32_C(0));
    assert_int_equal(((struct vcpu_info_x86_32 *)v2->vcpu_info)->arch.cr2, 0);
    world_destroy(w);
}

static void test_death(void **state)
{
    WORLD(4095);

    assert_int_equal(op_alloc_unbound(v1, DOMID_SELF, 2), 1);
    assert_int_equal(op_alloc_unbound(v2, DOMID_SELF, 1), 1);
    assert_int_equal(op_bind_interdomain(v1, 2, 1), 2);
    assert_int_equal(op_bind_interdomain(v2, 1, 1), 2);
    assert_int_equal(op_alloc_unbound(v1, DOMID_SELF, DOMID_SELF), 3);
    assert_int_equal(op_bind_interdomain(v1, DOMID_SELF, 3), 4);
    world_kill(w, 1);
    assert_int_equal(w->dom[1].active_evtchns, 0);
    for (long port = 1; port <= 2; port++) {
        struct evtchn_status st = op_status(v2, DOMID_SELF, port);

        assert_int_equal(st.status, EVTCHNSTAT_unbound);
        assert_int_equal(st.u.unbound.dom, 1);
        assert_int_equal(op_port(v2, EVTCHNOP_send, port), 0); /* dropped */
    }
    assert_int_equal(op_bind_interdomain(v2, 1, 1), -EINVAL);
    assert_int_equal(op_bind_ipi(v1, 0), -EINVAL);
    send_guest_vcpu_virq(v1, VIRQ_TIMER);
    world_destroy(w);
}

/* A port may be bound for a domain that has no vCPUs yet. */
static void test_no_vcpu_yet(void **state)
{
    WORLD(4095);

    assert_int_equal(op_alloc_unbound(v0, 1, DOMID_SELF), 1);
    assert_int_equal(op_bind_interdomain(v0, 1, 1), 1);
    evtchn_vcpu_destroy(v1);
    w->dom[1].vcpu[0] = NULL;
    assert_int_equal(op_port(v0, EVTCHNOP_send, 1), 0);
    assert_true(evtchn_port_is_pending(&w->dom[1], 1));
    free(v1);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_calls),
        cmocka_unit_test(test_alloc_unbound),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_abi_limits),
        cmocka_unit_test(test_layout_shrinks),
        cmocka_unit_test(test_interdomain),
        cmocka_unit_test(test_virq),
        cmocka_unit_test(test_pirq),
        cmocka_unit_test(test_close_send_unmask_refusals),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_xen_consumer),
        cmocka_unit_test(test_edges_and_selector),
        cmocka_unit_test(test_upcall_flag),
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_vcpu_info),
        cmocka_unit_test(test_death),
        cmocka_unit_test(test_no_vcpu_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
