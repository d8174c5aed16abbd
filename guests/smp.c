// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * smp: more than one virtual processor.
 *
 * Shows how a PV guest starts its other vCPUs (rt/smp.c): no start-up IPI and no real-mode trampoline. They talk by
 * IPIs, which are event channels, and go down by themselves. Run it with --vcpus 4, or 64.
 */
#include "guests/rt/guest.h"

#define MAX_VCPUS 64
#define LAPS      100u

static evtchn_port_t ipi[MAX_VCPUS];
static unsigned int nr_vcpus = 1;

static volatile unsigned int token[MAX_VCPUS]; /* how often each has had the token */
static unsigned int sum;

static void token_arrived(evtchn_port_t port)
{
    (void)port;
    token[cpu_id()]++;
}

/* Have the token for the n-th time, and pass it on. */
static void token_pass(unsigned int n)
{
    while (token[cpu_id()] < n)
        events_wait();
    event_send(ipi[(cpu_id() + 1) % nr_vcpus]);
}

/* What the other vCPUs do. */
static void secondary(void)
{
    events_disable();
    for (unsigned int i = 0; i < 1000; i++)
        __atomic_fetch_add(&sum, 1, __ATOMIC_SEQ_CST);
    for (unsigned int lap = 1; lap <= LAPS; lap++)
        token_pass(lap);
    HYPERVISOR_vcpu_op(VCPUOP_down, cpu_id(), NULL);
    guest_panic("a vCPU that is down goes on");
}

static unsigned int nr_up(void)
{
    unsigned int n = 0;

    for (unsigned int id = 0; id < nr_vcpus; id++)
        n += HYPERVISOR_vcpu_op(VCPUOP_is_up, id, NULL) == 1;
    return n;
}

int guest_main(void)
{
    events_disable();
    while (nr_vcpus < MAX_VCPUS && HYPERVISOR_vcpu_op(VCPUOP_is_up, nr_vcpus, NULL) >= 0)
        nr_vcpus++; /* -ENOENT: there is no such vCPU */
    printf("I have %u vCPUs, of which %u is up.\n", nr_vcpus, nr_up());
    for (unsigned int id = 0; id < nr_vcpus; id++) {
        ipi[id] = event_bind_ipi(id);
        event_handler_set(ipi[id], token_arrived);
    }
    for (unsigned int id = 1; id < nr_vcpus; id++)
        printf("Starting vCPU %u: %s\n", id, xen_error(cpu_start(id, secondary)));

    event_send(ipi[0]);
    for (unsigned int lap = 1; lap <= LAPS; lap++)
        token_pass(lap);
    while (nr_vcpus > 1 && nr_up() > 1)
        time_sleep(1000000);
    for (unsigned int id = 0; id < nr_vcpus; id++)
        printf("vCPU %u had the token %u times.\n", id, token[id]);
    printf("The others counted to %u together. %u vCPU is up.\n", sum, nr_up());
    return 0;
}
