// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock.
 *
 * Concept: no hypercall tells the time. Xen writes, for every vCPU, what the time was at a certain value of the
 * time-stamp counter, and how fast that counter runs; the guest reads the counter and computes:
 *
 *      now = system_time + ((rdtsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul / 2^32      [ns]
 *
 * Xen may be writing just then, on another processor: the version is odd while it does, and different afterwards. So
 * read version, values, version; and again unless it was twice the same even number.
 *
 * Stated in public <xen/xen.h> (struct vcpu_time_info).
 */
#include "guests/rt/guest.h"

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

uint64_t time_now(void)
{
    const volatile struct vcpu_time_info *t = &vcpu_info()->time;
    uint32_t version, mul;
    uint64_t base, delta;
    int shift;

    do {
        version = t->version;
        barrier();
        base = t->system_time;
        mul = t->tsc_to_system_mul;
        shift = t->tsc_shift;
        delta = rdtsc() - t->tsc_timestamp;
        barrier();
    } while (version & 1 || version != t->version);
    delta = shift < 0 ? delta >> -shift : delta << shift;
    return base + (uint64_t)((unsigned __int128)delta * mul >> 32);
}

/* SCHEDOP_poll waits for ports; with none given, just for the time. */
void time_sleep_until(uint64_t deadline)
{
    struct sched_poll poll = { .nr_ports = 0, .timeout = deadline };

    while (time_now() < deadline)
        HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
}
