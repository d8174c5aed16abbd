// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * smp: more than one virtual processor.
 *
 * Shows how a PV guest starts its other vCPUs: no start-up IPI and no real-mode trampoline; VCPUOP_initialise is given
 * all registers, trap entries and the page tables' root, and VCPUOP_up lets it run. They talk by IPIs, which are event
 * channels. Run it with --vcpus 4.
 */
#include "guests/rt/guest.h"

#define MAX_VCPUS 4
#define LAPS      100u

extern char event_callback[], failsafe_callback[], syscall_callback[]; /* rt/entry.S */

static struct cpu cpus[MAX_VCPUS];
static char stacks[MAX_VCPUS + 1][PAGE_SIZE * 2] __attribute__((aligned(4096)));
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

static long start(unsigned int id)
{
    static struct vcpu_guest_context c; /* large */
    long rc;

    memset(&c, 0, sizeof(c));
    cpu_init(&cpus[id], id);
    c.flags = VGCF_in_kernel;
    c.user_regs.rip = (uint64_t)secondary;
    c.user_regs.rsp = (uint64_t)stacks[id + 1] - 8;
    c.user_regs.cs = FLAT_KERNEL_CS;
    c.user_regs.ss = FLAT_KERNEL_SS;
    c.user_regs.rflags = EFLAGS_IF;
    c.kernel_ss = FLAT_KERNEL_SS;
    c.kernel_sp = (uint64_t)stacks[id + 1];
    c.event_callback_eip = (uint64_t)event_callback;
    c.failsafe_callback_eip = (uint64_t)failsafe_callback;
    c.syscall_callback_eip = (uint64_t)syscall_callback;
    c.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    c.gs_base_kernel = (uint64_t)&cpus[id];
    rc = HYPERVISOR_vcpu_op(VCPUOP_initialise, id, &c);
    return rc ? rc : HYPERVISOR_vcpu_op(VCPUOP_up, id, NULL);
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
        printf("Starting vCPU %u: %s\n", id, xen_error(start(id)));

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
