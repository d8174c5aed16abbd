// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * idle: a domain with nothing to do.
 *
 * Shows what that costs: nothing. The ticker that every PV guest starts with is stopped and no event channel is open,
 * so after SCHEDOP_block there is no timer and no event that could make Xen look at this domain; its memory is all that
 * is left of it. With the command line "until=MS" it sets one timer, to that virtual time of the machine, counts how
 * often it was woken, and powers off. Without, nothing can ever wake it: `xenlab run` notices that, and ends with
 * status 3. Try a thousand: `xenlab run --stats --copies 1000 --cmdline until=1000 build/guests/idle`.
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static volatile bool over;

static void timer(evtchn_port_t port)
{
    (void)port;
    over = true;
}

int guest_main(void)
{
    const long until = cmdline_number("until", 0);
    unsigned int wakeups = 0;

    events_disable();
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    if (until > 0) {
        event_handler_set(event_bind_virq(VIRQ_TIMER, 0), timer);
        MUST(HYPERVISOR_set_timer_op((uint64_t)until * MS));
    } else {
        printf("Nothing will wake me.\n");
    }
    while (!over) {
        events_wait();
        wakeups++;
    }
    printf("It is %lu ms; I was woken %u time%s.\n", time_now() / MS, wakeups, wakeups == 1 ? "" : "s");
    return 0;
}
