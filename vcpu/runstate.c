// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runstate areas.
 *
 * Concept: a guest cannot see when it does not run, so the hypervisor writes it down for it, into memory that the guest
 * registered by virtual address (VCPUOP_register_runstate_memory_area): when a vCPU leaves its pCPU, so that others can
 * see that it waits, and when it runs again. The address is translated through the vCPU's own page tables whenever it
 * is written; if the guest has unmapped it, nothing happens. A PV64 guest that is in user mode has page tables that
 * need not map it: then the update is made when its kernel is entered. With the runstate_update_flag assist a reader
 * can see that it read in the middle of an update (XEN_RUNSTATE_UPDATE in state_entry_time).
 *
 * Invariant: the four times in the area are as of state_entry_time; a reader adds the time since then to the current
 * state's.
 *
 * Corresponds to xen/common/domain.c (update_runstate_area).
 */
#include "vcpu/runstate.h"

#include "mmu/compat.h"
#include "vcpu/sched/sched.h"

int runstate_copy_to_guest(struct vcpu *v, uint64_t addr, const struct vcpu_runstate_info *rs)
{
    return compat_to_guest(v, addr, rs, COMPAT_vcpu_runstate_info);
}

/* False: nothing could be written. */
static bool update(struct vcpu *v)
{
    struct vcpu_runstate_info rs = v->runstate;

    if (VM_ASSIST(v->domain, runstate_update_flag)) {
        rs.state_entry_time |= XEN_RUNSTATE_UPDATE;
        if (runstate_copy_to_guest(v, v->runstate_guest, &rs))
            return false;
        rs.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    }
    return runstate_copy_to_guest(v, v->runstate_guest, &rs) == 0;
}

void update_runstate_area(struct vcpu *v)
{
    if (v->runstate_guest && !update(v) && is_pv_domain(v->domain))
        v->pv.need_update_runstate_area = on_user_root(v);
}

void runstate_catch_up(struct vcpu *v)
{
    if (v->pv.need_update_runstate_area && update(v))
        v->pv.need_update_runstate_area = false;
}
