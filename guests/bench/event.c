// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/event: op=send (send an event to oneself, and take the upcall), masked (send to a masked port: nothing
 * happens).
 */
#include "guests/bench/bench.h"

static evtchn_port_t port;
static volatile long upcalls;

/* For one port that is known; the general way is in guests/rt/event.c. */
static void upcall(struct guest_regs *regs)
{
    struct vcpu_info *vi = &shared_info->vcpu_info[0];

    (void)regs;
    vi->evtchn_upcall_pending = 0;
    vi->evtchn_pending_sel = 0;
    event_clear(port);
    upcalls++;
}

static long sends(long n)
{
    struct evtchn_send send = { .port = port };
    long rc = 0;

    while (n-- > 0 && rc == 0)
        rc = HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
    return rc;
}

static long send(long n)
{
    long rc;

    port = event_bind_ipi(0);
    trap_handler_set(TRAP_EVENT, upcall);
    event_unmask(port);
    events_enable();
    rc = sends(n);
    events_disable();
    return rc ? rc : upcalls - n; /* each came */
}

static long masked(long n)
{
    port = event_bind_ipi(0);
    event_mask(port);
    return sends(n);
}

int guest_main(void)
{
    static const struct bench list[] = { { "send", send }, { "masked", masked } };

    return bench_main(list, ARRAY_SIZE(list));
}
