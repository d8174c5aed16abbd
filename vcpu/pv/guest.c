// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rows of PV guests in the table of kinds (vcpu/noun/guest.h).
 *
 * Concept: a PV64 and a PV32 guest live the same life; they differ in how wide their words are, in how the processor
 * executes their code, and in the layout of what they hand over. So most lines of the two rows are equal (PV_GUEST),
 * and the rest stands side by side.
 *
 * Corresponds to xen/arch/x86/pv/domain.c (pv_domain_initialise, pv_vcpu_initialise, switch_compat).
 */
#include "vcpu/noun/guest.h"
#include "mmu/guest_access.h"
#include "mmu/pv/pv.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/pv/pv.h"
#include "vcpu/runstate.h"
#include "vcpu/time.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/features.h>
#include <xen/foreign/x86_32.h>

/* --- life --- */

static int domain_init(struct domain *d)
{
    share_xen_page_with_guest(mfn_to_page(d->xen, d->shared_info_mfn), d, SHARE_rw);
    d->paging = &pv_paging_ops;
    i8254_init(&d->pv.pit);
    return pv_domain_initialise(d);
}

/* A processor context for v's code, as wide as its kind. */
static int context_create(struct vcpu *v, enum cpu_mode mode)
{
    struct cpu_context *ctx = cpu_context_create(v->domain->xen->machine, mode, &PV_CONTROLS);

    if (!ctx)
        return -ENOMEM;
    if (v->ctx)
        cpu_context_destroy(v->ctx);
    v->ctx = ctx;
    v->regs = cpu_context_state(ctx);
    return 0;
}

static int vcpu_init(struct vcpu *v, enum cpu_mode mode)
{
    int rc = context_create(v, mode);

    v->pv.kernel_mode = true;
    v->periodic_period = MILLISECS(10); /* PV guests have a 100 Hz ticker until they stop it */
    return rc ? rc : pv_vcpu_initialise(v);
}

static int vcpu_init_64(struct vcpu *v) { return vcpu_init(v, CPU_MODE_PV64); }
static int vcpu_init_32(struct vcpu *v) { return vcpu_init(v, CPU_MODE_PV32); }

/* Of one that was made only in part, too. */
static void vcpu_destroy(struct vcpu *v)
{
    if (!v->ctx)
        return;
    pv_vcpu_destroy(v);
    pcpu_release(v->ctx);
    cpu_context_destroy(v->ctx);
}

static int relinquish(struct domain *d)
{
    for_each_vcpu (d, v) {
        int rc = vcpu_destroy_pagetables(v);

        if (rc)
            return rc;
        pv_destroy_gdt(v);
        pv_destroy_ldt(v);
    }
    return 0;
}

/* --- running --- */

/* What coming onto a pCPU means to it: its page tables, segments, runstate area, clock and ticker. */
static void switch_to(struct vcpu *v)
{
    pv_update_cr3(v);
    pv_reload_segments(v);
    update_runstate_area(v);
    update_vcpu_system_time(v, v);
    vcpu_periodic_timer_start(v);
}

/* --- the register context, in two layouts --- */

static int context_load(struct vcpu *v, const struct vcpu *caller, const struct pv_guest_context *g, bool once)
{
    const bool other = caller->domain != v->domain;
    int rc;

    if (once && v->is_initialised)
        return -EEXIST;
    if (other)
        domain_pause(v->domain);
    rc = pv_set_info_guest(v, g);
    if (other)
        domain_unpause(v->domain);
    return rc;
}

static int set_context_64(struct vcpu *v, struct vcpu *caller, uint64_t addr, bool once)
{
    struct pv_guest_context g = { 0 };
    int rc = copy_from_guest(caller, &g.nat, addr, sizeof(g.nat));

    return rc ? rc : context_load(v, caller, &g, once);
}

static int set_context_32(struct vcpu *v, struct vcpu *caller, uint64_t addr, bool once)
{
    struct vcpu_guest_context_x86_32 c32;
    struct pv_guest_context g;
    int rc = copy_from_guest(caller, &c32, addr, sizeof(c32));

    if (rc)
        return rc;
    pv_context_from_32(&g, &c32);
    return context_load(v, caller, &g, once);
}

static int get_context_64(struct vcpu *v, struct vcpu *caller, uint64_t addr)
{
    struct pv_guest_context g;

    pv_get_info_guest(v, &g);
    return copy_to_guest(caller, addr, &g.nat, sizeof(g.nat));
}

static int get_context_32(struct vcpu *v, struct vcpu *caller, uint64_t addr)
{
    struct vcpu_guest_context_x86_32 c32;
    struct pv_guest_context g;

    pv_get_info_guest(v, &g);
    pv_context_to_32(&g, &c32);
    return copy_to_guest(caller, addr, &c32, sizeof(c32));
}

/* --- from the one row to the other --- */

static const struct guest_ops pv32_guest;

static int set_address_size_64(struct domain *d, unsigned int bits)
{
    int rc;

    if (bits != 32)
        return bits == 64 ? 0 : -EINVAL;
    if (d->tot_pages > 0)
        return -EACCES;
    for_each_vcpu (d, v) {
        rc = context_create(v, CPU_MODE_PV32);
        if (rc)
            return rc;
        pv_vcpu_destroy(v);
    }
    pv_domain_destroy(d);
    domain_set_guest(d, &pv32_guest);
    recalculate_cpuid_policy(d);
    rc = pv_domain_initialise(d);
    for_each_vcpu (d, v)
        rc = rc ? rc : pv_vcpu_initialise(v);
    return rc;
}

/* There is no way back. */
static int set_address_size_32(struct domain *d, unsigned int bits) { return bits == 32 ? 0 : -EINVAL; }

/* --- the rows --- */

#define PV_FEATURES                                                                                                    \
    (1u << XENFEAT_direct_mapped | 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |            \
     1u << XENFEAT_gnttab_map_avail_bits)

static void run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data)
{
    struct machine *m = v->domain->xen->machine;

    pcpu_run_on(m->pcpu[m->cur_pcpu], v->ctx, budget, on_exit, data);
}

/* Xen: NATIVE_VM_ASSIST_VALID, and COMPAT_VM_ASSIST_VALID, which has the low 32 of its bits. */
#define PV_VM_ASSIST_VALID                                                                                             \
    ((1UL << VMASST_TYPE_4gb_segments) | (1UL << VMASST_TYPE_4gb_segments_notify) |                                    \
     (1UL << VMASST_TYPE_writable_pagetables) | (1UL << VMASST_TYPE_pae_extended_cr3) |                                \
     (1UL << VMASST_TYPE_architectural_iopl) | (1UL << VMASST_TYPE_runstate_update_flag) |                             \
     (1UL << VMASST_TYPE_m2p_strict))

#define PV_GUEST                                                                                                       \
    .features = PV_FEATURES, .caller_mem = &pv_caller_mem, .create_grant_host_mapping = create_grant_pv_mapping,       \
    .replace_grant_host_mapping = replace_grant_pv_mapping, .domain_init = domain_init,                                \
    .domain_destroy = pv_domain_destroy, .vcpu_destroy = vcpu_destroy, .relinquish = relinquish,                       \
    .switch_to = switch_to, .deliver = pv_deliver_events, .run_on = run_on, .handle_exit = pv_handle_exit,             \
    .reset_context = pv_vcpu_reset

const struct guest_ops pv64_guest = {
    .name = "PV64",
    .type = DOMAIN_PV64,
    PV_GUEST,
    .hypercalls = HYPERCALLS_PV64,
    .abi = &pv64_abi,
    .create_bounce_frame = create_bounce_frame,
    .init_hypercall_page = pv_ring3_init_hypercall_page,
    .vm_assist_valid = PV_VM_ASSIST_VALID,
    .vcpu_init = vcpu_init_64,
    .set_context = set_context_64,
    .get_context = get_context_64,
    .set_address_size = set_address_size_64,
};

static const struct guest_ops pv32_guest = {
    .name = "PV32",
    .type = DOMAIN_PV32,
    PV_GUEST,
    .hypercalls = HYPERCALLS_PV32,
    .abi = &pv32_abi,
    .create_bounce_frame = compat_create_bounce_frame,
    .init_hypercall_page = pv_ring1_init_hypercall_page,
    .vm_assist_valid = PV_VM_ASSIST_VALID & UINT32_MAX,
    .vcpu_init = vcpu_init_32,
    .set_context = set_context_32,
    .get_context = get_context_32,
    .set_address_size = set_address_size_32,
};
