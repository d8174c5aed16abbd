// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * runstate: where has the time gone?
 *
 * Shows the four states that Xen keeps account of for each vCPU, and writes into memory that the guest registers:
 * running, runnable (it would like to, but others run: what Linux calls stolen time), blocked, offline. Xen writes when
 * the state changes, so one vCPU can see what another does: a kernel that waits for a lock wants to know whether its
 * holder runs at all. The times are those up to the last change; what came since belongs to the state that it is in.
 *
 * Run it with --vcpus 2, on one pCPU (the second is runnable while the first looks) and on two (it runs).
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static const char *const state_name[] = { "running", "runnable", "blocked", "offline" };

static struct vcpu_runstate_info areas[2];
static volatile enum { BLOCK, COMPUTE, GO_DOWN } order = BLOCK;
static volatile unsigned long counted;

static struct vcpu_runstate_info runstate(unsigned int id)
{
    const volatile struct vcpu_runstate_info *area = &areas[id];
    struct vcpu_runstate_info rs;

    do { /* it may be written while we read: then the time at which it was is another */
        rs.state_entry_time = area->state_entry_time;
        rs.state = area->state;
        for (unsigned int i = 0; i < 4; i++)
            rs.time[i] = area->time[i];
    } while (rs.state_entry_time != area->state_entry_time || rs.state_entry_time & XEN_RUNSTATE_UPDATE);
    return rs;
}

static void secondary(void)
{
    events_disable();
    while (order == BLOCK)
        events_wait();
    while (order == COMPUTE)
        counted++;
    HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL);
}

/* Give the other one time to get there, and look at it while we run ourselves. */
static void look(const char *what)
{
    time_sleep(20 * MS);
    printf("  %-32s %s\n", what, state_name[runstate(1).state]);
}

/* Compute for so long, and see what we got of it. */
static void compete(unsigned long ms)
{
    struct vcpu_runstate_info before = runstate(0), after;
    uint64_t start = time_now(), elapsed, ran;
    unsigned long was = counted;

    while (time_now() < start + ms * MS)
        barrier();
    time_sleep(MS); /* a change of state, so that the account is up to date */
    after = runstate(0);
    elapsed = time_now() - start;
    ran = (after.time[RUNSTATE_running] - before.time[RUNSTATE_running]) * 100 / elapsed;
    printf("  Of %lu ms I ran %s, and waited for the other %s. It %s meanwhile.\n", ms,
           ran >= 95              ? "all"
           : ran > 40 && ran < 60 ? "half"
                                  : "some",
           after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable] > elapsed / 3 ? "as long" : "hardly ever",
           counted != was ? "computed" : "did nothing");
}

int guest_main(void)
{
    static struct vcpu_register_runstate_memory_area reg[2];
    evtchn_port_t ipi;
    struct vcpu_runstate_info first, rs;
    uint64_t sum = 0;

    events_disable();
    ipi = event_bind_ipi(1);
    event_unmask(ipi);
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    MUST(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL));
    for (unsigned int id = 0; id < 2; id++) {
        set_xen_guest_handle(reg[id].addr.h, &areas[id]);
        MUST(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, id, &reg[id]));
    }
    printf("The other vCPU, as I see it:\n");
    look("before it was started");
    MUST(cpu_start(1, secondary));
    look("waiting for an event");
    first = runstate(1); /* as of its last change, which registering was not */
    order = COMPUTE;
    event_send(ipi);
    look("computing");
    compete(300);
    order = GO_DOWN;
    look("gone down");
    rs = runstate(1);
    for (unsigned int i = 0; i < 4; i++)
        sum += rs.time[i] - first.time[i];
    printf("Its times from there to its last change add up to all that time: %s\n",
           sum == rs.state_entry_time - first.state_entry_time ? "yes" : "no");
    return 0;
}
