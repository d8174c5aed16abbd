// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/switch: changing the vCPU. op=yield (let the other one run), wake (send the other an event, and block until it
 * sends one).
 *
 * Concept: it takes two. With --vcpus 2 the other one is this domain's second vCPU: the address space stays. With
 * --copies 2 and op=yield it is another domain, which does the same. Either way, of two that compete for one pCPU, each
 * operation is two switches: away, and back.
 */
#include "guests/bench/bench.h"

static evtchn_port_t ipi[2];
static volatile long received[2];

static void ball(evtchn_port_t port)
{
    (void)port;
    received[cpu_id()]++;
}

static void yield_for_ever(void)
{
    for (;;)
        HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static void return_balls(void)
{
    events_disable();
    for (long n = 1;; n++) {
        while (received[1] < n)
            events_wait();
        event_send(ipi[0]);
    }
}

/* The second vCPU, if there is one; -ENOENT if not. */
static long other_start(void (*fn)(void))
{
    long rc = cpu_start(1, fn);

    if (!rc)
        MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL));
    return rc;
}

static long yield(long n)
{
    other_start(yield_for_ever); /* or else it is another domain */
    while (n-- > 0)
        HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
    return 0;
}

static long wake(long n)
{
    long rc = HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL);

    if (rc < 0)
        return rc; /* there is no other vCPU */
    events_disable();
    for (unsigned int id = 0; id < 2; id++)
        event_handler_set(ipi[id] = event_bind_ipi(id), ball);
    rc = other_start(return_balls);
    for (long i = 1; i <= n && !rc; i++) {
        event_send(ipi[1]);
        while (received[0] < i)
            events_wait();
    }
    return rc;
}

int guest_main(void)
{
    static const struct bench list[] = { { "yield", yield }, { "wake", wake } };

    return bench_main(list, ARRAY_SIZE(list));
}
