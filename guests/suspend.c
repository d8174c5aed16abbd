// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * suspend: a guest that stops, and goes on.
 *
 * Shows what a kernel does to be saved: it turns what is the machine's (two frame numbers in start_info) into what is
 * its own (pfns), masks events, and calls SCHEDOP_shutdown(SHUTDOWN_suspend) with the frame of start_info as third
 * argument. The answer tells where it is when it goes on: 0, in a new domain, in which everything of Xen's must be set
 * up again; 1, in the old one, since the suspend was called off: everything is as it was. Only guests with the ELF note
 * SUSPEND_CANCEL are told the second; suspend-uncooperative is this program without it, and a second vCPU shows the
 * difference (--vcpus 2). See tools/xc/resume.c.
 */
#include "guests/rt/guest.h"

#ifndef SUSPEND_CANCEL
#define SUSPEND_CANCEL 1
#endif

/* The note, in assembler as in rt/start.S: name "Xen", type 14 (XEN_ELFNOTE_SUSPEND_CANCEL), a number. */
#define STRING(x)   #x
#define NOTE(value) ".long 4, 4, 14\n .asciz \"Xen\"\n .long " STRING(value) "\n"
asm(".pushsection .note.Xen, \"a\", @note\n .balign 4\n" NOTE(SUSPEND_CANCEL) ".popsection\n");

#define MS 1000000ul

static volatile unsigned int ticks, ipis;
static volatile unsigned long spins; /* of the second vCPU */

static void tick(evtchn_port_t port)
{
    (void)port;
    ticks++;
}

static void ipi(evtchn_port_t port)
{
    (void)port;
    ipis++;
}

static void second(void)
{
    for (;;)
        spins++;
}

static const char *yes(bool is) { return is ? "yes" : "no"; }

/* Suspend, as a kernel does it. What came back. */
static long suspend(void)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_suspend };
    const unsigned long store = start_info->store_mfn, console = start_info->console.domU.mfn;
    long rc;

    start_info->store_mfn = mfn_to_pfn(store);
    start_info->console.domU.mfn = mfn_to_pfn(console);
    rc = HYPERCALL3(sched_op, SCHEDOP_shutdown, &op, virt_to_mfn(start_info));
    printf("SCHEDOP_shutdown returned %ld: %s\n", rc, rc ? "called off" : "restored, as far as I can tell");
    printf("  start_info names its frames by %s\n",
           start_info->store_mfn == store && start_info->console.domU.mfn == console ? "mfn, as at boot"
                                                                                     : "pfn, as I left it");
    start_info->store_mfn = store;
    start_info->console.domU.mfn = console;
    return rc;
}

static void second_check(void)
{
    const long up = HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL);
    const unsigned long before = spins;

    if (up < 0)
        return; /* there is none */
    time_sleep(5 * MS);
    printf("  my other vCPU is up: %s, and goes on: %s\n", yes(up == 1), yes(spins != before));
    if (up)
        return;
    printf("  starting it once more: %s", xen_error(cpu_start(1, second)));
    time_sleep(5 * MS);
    printf("; it goes on: %s\n", yes(spins != before));
}

static uint64_t account(void)
{
    struct vcpu_runstate_info rs;

    MUST(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &rs));
    return rs.time[0] + rs.time[1] + rs.time[2] + rs.time[3];
}

int guest_main(void)
{
    struct sched_watchdog dog = { .id = 0, .timeout = 60 };
    const uint64_t born = time_now() - account();
    evtchn_port_t self;

    events_disable();
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    event_handler_set(event_bind_virq(VIRQ_TIMER, 0), tick);
    self = event_bind_ipi(0);
    event_handler_set(self, ipi);
    if (HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL) == 0)
        printf("Starting my other vCPU: %s\n", xen_error(cpu_start(1, second)));
    dog.id = (uint32_t)MUST(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog));

    for (int i = 1; i <= 2; i++) {
        const uint64_t before = time_now(), alarm = before + 50 * MS;
        const uint32_t wallclock = shared_info->wc_version;

        MUST(HYPERVISOR_set_timer_op(alarm));
        MUST(event_send(self)); /* stays pending: events are disabled */
        printf("Suspending.\n");
        suspend();
        printf("  the clock goes on: %s, its version is even: %s, wallclock as it was: %s\n", yes(time_now() >= before),
               yes(!(vcpu_info()->time.version & 1)), yes(shared_info->wc_version == wallclock && !(wallclock & 1)));
        printf("  an event that was pending still is: %s", yes(event_is_pending(self)));
        events_poll();
        printf(", and is handled: %s\n", yes(ipis == (unsigned int)i));
        while (ticks != (unsigned int)i)
            events_wait();
        printf("  the timer that was set comes in time: %s\n", yes(time_now() >= alarm && time_now() < alarm + MS));
        printf("  runstates add up to my age: %s\n", yes(time_now() - account() - born < MS));
        second_check();
    }
    dog.timeout = 0;
    printf("The watchdog is still there: %s\n", xen_error(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog)));
    return 0;
}
