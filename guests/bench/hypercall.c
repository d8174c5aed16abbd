// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/hypercall: the way into Xen and back. op=null (a hypercall that does nothing), multicall (32 of them at once),
 * stack (stack_switch) and segment (set_segment_base of FS), which a kernel makes when it goes to another process.
 */
#include "guests/bench/bench.h"

static long null(long n)
{
    long rc = 0;

    while (n-- > 0)
        rc = HYPERVISOR_xen_version(XENVER_version, NULL);
    return rc > 0 ? 0 : rc;
}

static long multicall(long n)
{
    static struct multicall_entry calls[32];
    long rc = 0;

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version, 0 } };
    for (; n > 0 && rc == 0; n -= (long)ARRAY_SIZE(calls))
        rc = HYPERVISOR_multicall(calls, ARRAY_SIZE(calls));
    return rc;
}

static long stack(long n)
{
    unsigned long sp = (unsigned long)page_alloc() + PAGE_SIZE;
    long rc = 0;

    while (n-- > 0 && rc == 0)
        rc = HYPERVISOR_stack_switch(FLAT_KERNEL_SS, sp);
    return rc;
}

static long segment(long n)
{
    long rc = 0;

    while (n-- > 0 && rc == 0)
        rc = HYPERVISOR_set_segment_base(SEGBASE_FS, (unsigned long)n << PAGE_SHIFT);
    return rc;
}

int guest_main(void)
{
    static const struct bench list[] = {
        { "null", null },
        { "multicall", multicall },
        { "stack", stack },
        { "segment", segment },
    };

    return bench_main(list, ARRAY_SIZE(list));
}
