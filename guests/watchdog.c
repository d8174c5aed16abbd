// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watchdog: a guest that is kept alive by petting a dog, and then forgets to.
 *
 * Shows SCHEDOP_watchdog: Xen shuts the domain down, with SHUTDOWN_watchdog, when a timer of some seconds runs out that
 * the guest has not set anew. It is for a kernel that hangs: the toolstack decides by on_watchdog what becomes of it. A
 * domain has two of them. Command line: pets=... how often it is petted, once a second, with a timeout of 2 s.
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static long set(uint32_t id, uint32_t timeout)
{
    struct sched_watchdog dog = { .id = id, .timeout = timeout };

    return HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog);
}

int guest_main(void)
{
    const long pets = cmdline_number("pets", 3);
    const uint64_t start = time_now();
    long first, second;

    printf("Petting a dog that is not there: %s\n", xen_error(set(1, 2)));
    printf("There are two: %ld", first = set(0, 2));
    printf(", %ld, and ", second = set(0, 60));
    printf("a third: %s\n", xen_error(set(0, 60)));
    printf("Sending the second away: %s", xen_error(set((uint32_t)second, 0)));
    printf(", and again: %s\n", xen_error(set((uint32_t)second, 0)));
    for (long i = 1; i <= pets; i++) {
        time_sleep(1000 * MS);
        printf("%lu s: petting it: %s\n", (time_now() - start + 500 * MS) / (1000 * MS),
               xen_error(set((uint32_t)first, 2)));
    }
    printf("Forgetting it.\n");
    time_sleep(1900 * MS);
    printf("%lu ms later: still here\n", (time_now() - start) / MS - (unsigned long)pets * 1000);
    for (;;)
        barrier(); /* hang, as a broken kernel does */
}
