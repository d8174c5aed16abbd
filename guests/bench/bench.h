// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Benchmarks from inside: one operation, many times, and nothing else.
 *
 * Concept: a guest's own clock is virtual, so it cannot measure the simulator. It does `n` operations (command line:
 * op=NAME n=COUNT) and shuts down; who wants to know takes the time of the whole process, for two values of n, and
 * divides.
 */
#ifndef GUESTS_BENCH_BENCH_H
#define GUESTS_BENCH_BENCH_H

#include "guests/rt/guest.h"

struct bench {
    const char *name;
    long (*run)(long n); /* 0, or what went wrong */
};

static inline int bench_main(const struct bench *list, size_t nr)
{
    char buf[16];
    const char *op = cmdline_text("op", buf, sizeof(buf), list[0].name);
    long n = cmdline_number("n", 1000), rc;

    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (size_t i = 0; i < nr; i++) {
        if (strcmp(op, list[i].name))
            continue;
        rc = list[i].run(n);
        printf("%s %ld %s\n", op, n, xen_error(rc));
        /*
         * Real Xen halts the machine if its dom0 powers off; after a reboot there is an end to QEMU
         * (scripts/bench_xen.sh).
         */
        if (rc == 0 && (start_info->flags & SIF_INITDOMAIN))
            guest_shutdown(SHUTDOWN_reboot);
        return rc != 0;
    }
    printf("There is no op=%s.\n", op);
    return 1;
}

#endif
