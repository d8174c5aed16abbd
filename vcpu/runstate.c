// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runstate areas.
 *
 * Concept: a guest cannot see when it does not run, so the hypervisor writes it down for it, at each switch, into memory that the guest registered
 * by virtual address (VCPUOP_register_runstate_memory_area). The address is translated through the vCPU's own page tables
 * whenever it is written; if the guest has unmapped it, nothing happens. With the runstate_update_flag assist a reader
 * can see that it read in the middle of an update (XEN_RUNSTATE_UPDATE in state_entry_time).
 *
 * Corresponds to xen/common/domain.c (update_runstate_area).
 */
#include "vcpu/runstate.h"

#include "mmu/guest_access.h"
#include "vcpu/sched/sched.h"

/* 64-bit members are aligned to 4 in 32-bit code. */
struct runstate_info32 {
    int32_t state;
    uint64_t state_entry_time;
    uint64_t time[4];
} __attribute__((packed));

int runstate_copy_to_guest(struct vcpu *v, uint64_t addr, const struct vcpu_runstate_info *rs)
{
    if (is_pv_32bit_domain(v->domain)) {
        struct runstate_info32 c = { rs->state,
                                     rs->state_entry_time,
                                     { rs->time[0], rs->time[1], rs->time[2], rs->time[3] } };

        return copy_to_guest(v, addr, &c, sizeof(c));
    }
    return copy_to_guest(v, addr, rs, sizeof(*rs));
}

void runstate_update_area(struct vcpu *v)
{
    struct vcpu_runstate_info rs;

    if (!v->runstate_guest)
        return;
    vcpu_runstate_get(v, &rs);
    rs.state_entry_time = v->runstate.state_entry_time;
    if (VM_ASSIST(v->domain, runstate_update_flag)) {
        rs.state_entry_time |= XEN_RUNSTATE_UPDATE;
        if (runstate_copy_to_guest(v, v->runstate_guest, &rs))
            return;
        rs.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    }
    runstate_copy_to_guest(v, v->runstate_guest, &rs);
}
