// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clock: one time for all vCPUs?
 *
 * Shows what a guest can rely on. Each processor counts its own ticks (TSC); that two agree is a promise that somebody
 * must keep. The vCPUs take turns in reading, and nobody should read less than the one before. With tsc_mode = "native"
 * they get their pCPUs' counters, which here may be 20 us apart, so that an event may even seem to come before it was
 * sent; emulated ones (always_emulate, and the default on more than one pCPU) only ever grow. CPUID leaf 0x40000003
 * tells which it is. On one vCPU alone time never goes back, wherever it runs. Run it with --vcpus 4 --pcpus 4.
 */
#include "guests/rt/guest.h"

#define MAX_VCPUS 64
#define ROUNDS    400

static unsigned int nr_vcpus = 1;
static volatile unsigned int turn;                 /* counts up; it is vCPU turn % nr_vcpus that may go on */
static uint64_t last_tsc, last_time;               /* of whoever was the last */
static unsigned int tsc_back, time_back, own_back; /* how often it was less than before */

/* An event for each vCPU, sent by the one before it, and a timer. */
static evtchn_port_t ipi[MAX_VCPUS], timer[MAX_VCPUS];
static volatile uint64_t sent[MAX_VCPUS], deadline[MAX_VCPUS];
static volatile unsigned int received[MAX_VCPUS], expired[MAX_VCPUS];
static unsigned int event_early, timer_early;

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

static void take_turns(void)
{
    const unsigned int me = cpu_id();
    uint64_t own = 0;

    for (unsigned int round = 0; round < ROUNDS; round++) {
        while (turn % nr_vcpus != me)
            asm volatile("pause");
        const uint64_t tsc = rdtsc(), time = time_now();

        tsc_back += tsc < last_tsc;
        time_back += time < last_time;
        own_back += time < own;
        last_tsc = tsc, last_time = own = time;
        turn++;
    }
}

static void event_arrived(evtchn_port_t port)
{
    (void)port;
    event_early += time_now() < sent[cpu_id()];
    received[cpu_id()]++;
}

static void timer_expired(evtchn_port_t port)
{
    (void)port;
    timer_early += time_now() < deadline[cpu_id()];
    expired[cpu_id()]++;
}

/* Set a timer, send the next vCPU an event, wait for both; a busy wait, now and then a sleep. */
static void be_told(void)
{
    const unsigned int me = cpu_id(), next = (me + 1) % nr_vcpus;

    for (unsigned int round = 1; round <= ROUNDS; round++) {
        deadline[me] = time_now() + 30000 + 1000 * (round * (me + 1) % 50);
        MUST(HYPERVISOR_set_timer_op(deadline[me]));
        while (received[next] < round - 1) /* its last one */
            asm volatile("pause");
        sent[next] = time_now();
        MUST(event_send(ipi[next]));
        events_enable();
        while (round % 4 && (received[me] < round || expired[me] < round))
            barrier();
        events_disable();
        while (received[me] < round || expired[me] < round)
            events_wait();
    }
}

/* RDTSCP reads a word that the kernel has put there, too: with it user mode knows at once when, and where. */
static unsigned int numbered;

static void number(void)
{
    uint32_t low, high, aux;

    asm volatile("wrmsr" : : "a"(cpu_id()), "d"(0), "c"(0xc0000103)); /* TSC_AUX */
    HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
    asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
    __atomic_fetch_add(&numbered, aux == cpu_id(), __ATOMIC_SEQ_CST);
}

static void secondary(void)
{
    events_disable();
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, cpu_id(), NULL));
    take_turns();
    be_told();
    number();
    HYPERVISOR_vcpu_op(VCPUOP_down, cpu_id(), NULL);
}

static const char *often(unsigned int times) { return times ? "sometimes" : "never"; }

int guest_main(void)
{
    static const char *const modes[] = { "default", "always_emulate", "native" };
    uint32_t a = 0x40000003, b, c = 0, d;

    events_disable();
    while (nr_vcpus < MAX_VCPUS && HYPERVISOR_vcpu_op(VCPUOP_is_up, nr_vcpus, NULL) >= 0)
        nr_vcpus++;
    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    printf("tsc_mode %s: the TSC is %s, %u kHz; the machine's %s.\n", b < ARRAY_SIZE(modes) ? modes[b] : "?",
           a & 1 ? "emulated" : "native", c, a & 2 ? "agree" : "need not agree");
    printf("vcpu_time_info says that it is %sstable.\n",
           vcpu_info()->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT ? "" : "not ");
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    for (unsigned int id = 0; id < nr_vcpus; id++) {
        event_handler_set(ipi[id] = event_bind_ipi(id), event_arrived);
        event_handler_set(timer[id] = event_bind_virq(VIRQ_TIMER, id), timer_expired);
    }
    for (unsigned int id = 1; id < nr_vcpus; id++)
        MUST(cpu_start(id, secondary));
    take_turns();
    be_told();
    number();
    for (unsigned int id = 1; id < nr_vcpus; id++)
        while (HYPERVISOR_vcpu_op(VCPUOP_is_up, id, NULL) == 1)
            HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
    printf("%u vCPUs read it %u times each, in turn.\n", nr_vcpus, ROUNDS);
    printf("  from one to the next the TSC went back: %s\n", often(tsc_back));
    printf("  from one to the next time went back:    %s\n", often(time_back));
    printf("  on one vCPU time went back:             %s\n", often(own_back));
    printf("  an event arrived before it was sent:    %s\n", often(event_early));
    printf("  a timer expired early:                  %s\n", often(timer_early));
    printf("By RDTSCP %u vCPUs know their numbers.\n", numbered);
    return 0;
}
