// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * busy: a guest that computes while it waits for its timer. It makes no hypercall between setting the timer and the
 * event, so nothing but the timer takes its processor from it: how late is the event? On every one of its processors'
 * schedules the answer has to be "at once": less than LATE.
 */
#include "guests/rt/guest.h"

#define US   1000ul
#define LATE (20 * US)

static volatile bool fired;

static void fire(evtchn_port_t port)
{
    (void)port;
    fired = true;
}

static uint64_t wait_busily(uint64_t due)
{
    while (!fired)
        barrier();
    fired = false;
    return time_now() - due;
}

int guest_main(void)
{
    static const unsigned int delays[] = { 30, 100, 700, 3000, 9000, 25000 };

    events_disable();
    event_handler_set(event_bind_virq(VIRQ_TIMER, 0), fire);
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    events_enable();
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        const uint64_t due = time_now() + delays[i] * US;
        struct vcpu_set_singleshot_timer once = { .timeout_abs_ns = due };
        uint64_t late;

        if (i & 1)
            MUST(HYPERVISOR_set_timer_op(due));
        else
            MUST(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &once));
        late = wait_busily(due);
        if (late < LATE)
            printf("%u us: in time\n", delays[i]);
        else
            printf("%u us: LATE by %lu us\n", delays[i], late / US);
    }
    printf("busy: done\n");
    return 0;
}
