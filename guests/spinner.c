// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * spinner: use the processor, and see how much of it one gets.
 *
 * Shows a scheduler at work: run several on one pCPU, with different cpu_weight in their configuration, and compare.
 * Each does `rounds` rounds of 100 ms of wall-clock time, and prints in which part of each it ran: Xen keeps the
 * account (runstate), since a vCPU cannot see that it was not running. Command line: name=... rounds=... round_ms=...
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static uint64_t running(void)
{
    struct vcpu_runstate_info info;

    MUST(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info));
    return info.time[RUNSTATE_running];
}

int guest_main(void)
{
    char buf[16];
    const char *name = cmdline_text("name", buf, sizeof(buf), "spinner");
    long rounds = cmdline_number("rounds", 10);
    const uint64_t round = (uint64_t)cmdline_number("round_ms", 100) * MS;
    uint64_t all = 0, first = time_now();

    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    for (long i = 1; i <= rounds; i++) {
        uint64_t start = time_now(), ran = running();

        while (time_now() < start + round)
            barrier();
        ran = running() - ran;
        all += ran;
        printf("%s: round %ld: ran %lu %% of the time\n", name, i, (ran * 100 + round / 2) / (time_now() - start));
    }
    printf("%s: altogether %lu %%\n", name, (all * 100 + (time_now() - first) / 2) / (time_now() - first));
    return 0;
}
