// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The row of native guests in the table of kinds (vcpu/noun/guest.h).
 *
 * Concept: a native vCPU is scheduled like any other, and when its turn comes a function of this program does the next
 * step of its work, lets time pass for that, and comes back to the exit loop (native_step(), vcpu/native/kernel.c). It
 * has no processor context and no registers: nothing can exit, nothing is injected, and it looks for its events itself.
 * Its memory is reached by pointers.
 */
#include "vcpu/noun/guest.h"
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"
#include "vcpu/noun/guest_abi.h"
#include "vcpu/pv/pv.h"
#include "vcpu/sched/sched.h"

#include <xen/features.h>
#include <xen/grant_table.h>

static int domain_init(struct domain *d)
{
    d->paging = &pv_paging_ops;
    return 0;
}

static void domain_forget(struct domain *d) {}
static int relinquish(struct domain *d) { return 0; }
static void switch_to(struct vcpu *v) {}

static int vcpu_init(struct vcpu *v) { return 0; } /* its kernel fills in v->native */
static void vcpu_destroy(struct vcpu *v) {}

/* The frame's address is what it is given, and may write to if the grant allows that. */
static int create_grant_host_mapping(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags)
{
    struct machine *m = v->domain->xen->machine;

    *host_addr = (uintptr_t)mfn_to_virt(m, frame);
    if (!(flags & GNTMAP_readonly))
        frame_share(m, frame);
    return GNTST_okay;
}

static int replace_grant_host_mapping(struct vcpu *v, uint64_t host_addr, mfn_t frame, uint64_t new_addr,
                                      unsigned int flags)
{
    struct machine *m = v->domain->xen->machine;

    if (host_addr != (uintptr_t)mfn_to_virt(m, frame) || new_addr)
        return GNTST_general_error;
    if (!(flags & GNTMAP_readonly))
        frame_unshare(m, frame);
    return GNTST_okay;
}

static bool step(struct vcpu *v) { return v->native.ops->step(v, v->native.data); }

const struct guest_ops native_guest = {
    .name = "native",
    .type = DOMAIN_NATIVE,
    .abi = &pv64_abi,
    .hypercalls = HYPERCALLS_NATIVE,
    .init_hypercall_page = pv_ring3_init_hypercall_page,
    .features = 1u << XENFEAT_direct_mapped,
    .vm_assist_valid = 1u << VMASST_TYPE_runstate_update_flag,
    .caller_mem = &native_caller_mem,
    .create_grant_host_mapping = create_grant_host_mapping,
    .replace_grant_host_mapping = replace_grant_host_mapping,
    .domain_init = domain_init,
    .domain_destroy = domain_forget,
    .vcpu_init = vcpu_init,
    .vcpu_destroy = vcpu_destroy,
    .relinquish = relinquish,
    .switch_to = switch_to,
    .step = step,
};
