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

extern char event_callback[], failsafe_callback[], syscall_callback[]; /* rt/entry.S */

static struct cpu cpu1;
static char stack1[PAGE_SIZE] __attribute__((aligned(16)));
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
    static struct vcpu_guest_context c; /* large */
    long rc;

    cpu_init(&cpu1, 1);
    c.flags = VGCF_in_kernel;
    c.user_regs.rip = (uint64_t)fn;
    c.user_regs.rsp = c.kernel_sp = (uint64_t)(stack1 + sizeof(stack1));
    c.user_regs.rsp -= 8; /* as after a call */
    c.user_regs.cs = FLAT_KERNEL_CS;
    c.user_regs.ss = c.kernel_ss = FLAT_KERNEL_SS;
    c.user_regs.rflags = EFLAGS_IF;
    c.event_callback_eip = (uint64_t)event_callback;
    c.failsafe_callback_eip = (uint64_t)failsafe_callback;
    c.syscall_callback_eip = (uint64_t)syscall_callback;
    c.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    c.gs_base_kernel = (uint64_t)&cpu1;
    rc = HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &c);
    if (!rc)
        MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL));
    return rc ? rc : HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL);
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
    long rc;

    events_disable();
    for (unsigned int id = 0; id < 2; id++) {
        struct evtchn_bind_ipi bind = { .vcpu = id };

        rc = HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &bind);
        if (rc)
            return rc;
        ipi[id] = bind.port;
        event_handler_set(ipi[id], ball);
    }
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
