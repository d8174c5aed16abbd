// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timer: the two timers of a vCPU.
 *
 * Shows set_timer_op, which raises VIRQ_TIMER once at an absolute time, and the 100 Hz ticker, which every PV guest
 * starts with and modern ones turn off. In between the guest blocks: its processor is free, and the idle machine jumps
 * to the next timer. Times are virtual, so every run prints the same.
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static volatile unsigned int ticks;

static void tick(evtchn_port_t port)
{
    (void)port;
    ticks++;
}

/* The ticker ticks only for a vCPU that runs: do not block. The time from the first tick to `n` more, in ms. */
static unsigned long ticker_watch(unsigned int n)
{
    uint64_t start;

    events_enable();
    while (ticks == 0)
        barrier();
    start = time_now();
    while (ticks < n + 1)
        barrier();
    events_disable();
    return (time_now() - start + MS / 2) / MS;
}

/* Block until `n` more ticks were counted; how long that took, in ms. */
static unsigned long ticks_wait(unsigned int n)
{
    uint64_t start = time_now();
    unsigned int last = ticks + n;

    while (ticks != last)
        events_wait();
    return (time_now() - start + MS / 2) / MS;
}

int guest_main(void)
{
    static const unsigned int delays[] = { 1, 10, 250, 3000 };
    uint64_t now;

    events_disable();
    event_handler_set(event_bind_virq(VIRQ_TIMER, 0), tick);

    printf("The ticker: 10 ticks took %lu ms.\n", ticker_watch(10));
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    printf("Stopped it.\n");

    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        MUST(HYPERVISOR_set_timer_op(time_now() + delays[i] * MS));
        printf("A timer set %u ms ahead: the event came after %lu ms.\n", delays[i], ticks_wait(1));
    }

    MUST(HYPERVISOR_set_timer_op(time_now() - MS));
    printf("A timer set in the past: the event came after %lu ms.\n", ticks_wait(1));

    MUST(HYPERVISOR_set_timer_op(time_now() + 10 * MS));
    MUST(HYPERVISOR_set_timer_op(0));
    now = time_now();
    time_sleep(50 * MS);
    printf("A timer set 10 ms ahead and cancelled: %u events in %lu ms.\n", event_is_pending(0) ? 1 : 0,
           (time_now() - now) / MS);
    return 0;
}
