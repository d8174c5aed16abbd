// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lostevent: how to lose an event, and how not to.
 *
 * Shows the edge rule of event channels: an upcall comes when a port's pending bit goes from 0 to 1 while it is not
 * masked. Who unmasks a port by a store to shared memory, and does not look at the pending bit afterwards, may sleep
 * for ever.
 */
#include "guests/rt/guest.h"

static volatile unsigned int upcalls;

static void count(evtchn_port_t port)
{
    (void)port;
    upcalls++;
}

static void show(const char *what, evtchn_port_t port)
{
    HYPERVISOR_sched_op(SCHEDOP_yield, NULL); /* give it every chance to arrive */
    printf("  %-52s pending %u, upcalls %u\n", what, event_is_pending(port), upcalls);
}

/* The wrong way: just clear the bit. */
static void unmask_by_hand(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info->evtchn_mask[port / 64], ~(1ul << port % 64), __ATOMIC_SEQ_CST);
}

int guest_main(void)
{
    evtchn_port_t port = event_bind_ipi(0);

    event_handler_set(port, count);
    events_enable();
    printf("As it should be:\n");
    event_send(port);
    show("sent", port);
    event_mask(port);
    event_send(port);
    show("masked, then sent", port);
    event_unmask(port);
    show("unmasked by EVTCHNOP_unmask, which looks again", port);

    printf("How to lose one:\n");
    event_mask(port);
    event_send(port);
    show("masked, then sent", port);
    unmask_by_hand(port);
    show("unmasked by a store: nobody looked", port);
    event_send(port);
    show("sent again: the bit is set, so there is no edge", port);
    event_send(port);
    show("and again", port);

    printf("The way out: look, and do by hand what Xen would have done:\n");
    if (event_is_pending(port)) {
        event_clear(port);
        count(port);
    }
    show("handled", port);
    event_send(port);
    show("sent", port);

    printf("Upcalls as a whole are more forgiving: Xen looks on each way back to the guest:\n");
    events_disable();
    event_send(port);
    show("events disabled, then sent", port);
    vcpu_info()->evtchn_upcall_mask = 0;
    show("enabled by a store, then any hypercall", port);
    return 0;
}
